#!/bin/sh
# Style and mistakes, in Go, C and shell. make lint calls it with GO, C_DIALECT and C_WARNINGS;
# prints what is wrong and fails, or prints nothing.
#
# File names of this tree have no spaces: lists of them are split into words.
# shellcheck disable=SC2046,SC2086
set -u
: "${GO:?run make lint}" "${C_DIALECT:?}" "${C_WARNINGS:?}"
cd "$(dirname "$0")/.." || exit 1

failed=0
# complain TITLE TEXT: an empty text is no complaint.
complain() {
    [ -n "$2" ] || return 0
    printf 'lint: %s:\n%s\n' "$1" "$2" >&2
    failed=1
}
# check TITLE COMMAND...: a failure is a complaint.
check() {
    title=$1
    shift
    output=$("$@" 2>&1) || complain "$title" "${output:-exit status $?}"
}
# sources PATTERN...: the files of these names, without build/ and hidden folders.
sources() {
    expression=
    for pattern; do
        expression="$expression ${expression:+-o} -name $pattern"
    done
    set -f
    find . -path ./build -prune -o -path './.*' -prune -o -type f \( $expression \) -print
    set +f
}

# Go
complain gofmt "$(gofmt -l $(sources '*.go'))"
check 'go vet' "$GO" vet ./...
mkdir -p build
check 'build staticcheck' "$GO" -C tests/tools build -buildvcs=false -o ../../build/ \
    honnef.co/go/tools/cmd/staticcheck
check staticcheck build/staticcheck ./...
# The agent is a module of its own.
check 'go vet of the agent' "$GO" -C agent vet ./...
check 'staticcheck of the agent' sh -c 'cd agent && ../build/staticcheck ./...'
complain 'the root module needs nothing but the standard library' "$(grep -n '^require\|^	' go.mod)"
complain 'import "C" outside capi/, internal/probe/ and the test of a program in Go' \
    "$(grep -l '^import "C"' $(sources '*.go') | grep -v -e '^\./capi/' -e '^\./internal/probe/' -e '^\./tests/install/cgo/')"

# C
# What cgo makes of the exports, which a C file of capi/ includes. (./... skips a folder _x.)
mkdir -p build/_cgo
(cd capi && "$GO" tool cgo -objdir ../build/_cgo -- -I . $(grep -l '^import "C"' ./*.go)) || failed=1
mkdir -p build/lint
sources '*.c' >build/lint/files
# compiled COMPILER FILE, for a shell of its own. Some of gcc's warnings need the flow, which it knows where it optimises; clang's are from
# the syntax alone. What is said of a file is printed at once.
# shellcheck disable=SC2016
compiled='
    object=build/lint/$1/${2%.c}.o
    mkdir -p "${object%/*}"
    case $1 in clang) how=-fsyntax-only ;; *) how="-O2 -c -o $object" ;; esac
    said=$("$1" $C_DIALECT $C_WARNINGS -I include -I capi -I build/_cgo $how "$2" 2>&1) && exit
    printf "%s\n" "$said"
    exit 1'
export C_DIALECT C_WARNINGS
for compiler in gcc clang; do
    check "$compiler" xargs -a build/lint/files -n 1 -P "$(nproc)" sh -c "$compiled" compiled "$compiler"
done
check 'the files, or the rooms, need each other in a circle' "$GO" run ./tests/circles build/lint/gcc shim.c,shim \
    capi cmd internal sessioncache agent
complain 'a header of more than 150 lines, or a file of more than 400' \
    "$(wc -l $(sources '*.c' '*.h' '*.go' | grep -v -e '^\./tests/' -e '^\./shim\.h$' -e '^\./include/') | awk '$1 > ($2 ~ /h$/ ? 150 : 400) && $2 != "total"')"
check clang-format clang-format --dry-run --Werror $(sources '*.c' '*.h')

# Shell
check shellcheck shellcheck $(sources '*.sh') .ci/run

# Both
for list in tests/exports.txt tests/exports-core.txt; do
    LC_ALL=C check "$list is not sorted" sort -cu "$list"
done
complain 'a fact that docs/facts.md does not have' "$(grep -nowE '[LSTP][0-9]{1,2}' $(sources '*.go' '*.c' '*.h' | grep -v '^\./tests/bench/') |
    awk -F: 'NR == FNR { if (split($0, cell, / *[|] */) > 1) known[cell[2]] = 1; next } !($3 in known)' docs/facts.md - |
    grep -v ':P50$\|:P99$')"
complain 'more than 500 lines' \
    "$(wc -l $(sources '*.go' '*.c' '*.h' '*.sh') | awk '$1 > 500 && $2 != "total"')"

exit $failed
