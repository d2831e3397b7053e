#!/bin/sh
# Compares the resumptions a second of libssl's internal cache and of gosess's memory store, on
# both ends of a TLS 1.2 connection over memory: bench.sh [ROUNDS [SECONDS [THREADS]]]. Rounds
# take turns, because the machine is not the same all the time. Prints the median of each, and of
# their ratio: 1 is as fast as libssl, more is faster.
set -eu
cd "$(dirname "$0")/../.."

rounds=${1:-7} seconds=${2:-2} threads=${3:-2}
[ -e build/libgosess.so ] || {
    echo "bench.sh: run make build first" >&2
    exit 1
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${CC:-cc}" -std=gnu11 -O2 -o "$scratch/load" tests/differential/programs/load.c tests/c/lib/*.c \
    -lssl -lcrypto -lpthread

unset LD_PRELOAD GOSESS_CACHE
for round in $(seq "$rounds"); do
    ours=$(LD_PRELOAD=$PWD/build/libgosess.so GOSESS_CACHE=memory: \
        "$scratch/load" bench "$seconds" "$threads")
    theirs=$("$scratch/load" bench "$seconds" "$threads")
    echo "$round $theirs $ours"
done | awk '
    function median(values, count,    i, j, swap) {
        for (i = 2; i <= count; i++)
            for (j = i; j > 1 && values[j - 1] > values[j]; j--) {
                swap = values[j]; values[j] = values[j - 1]; values[j - 1] = swap
            }
        return values[int((count + 1) / 2)]
    }
    $3 + $5 > 0 { print "not every handshake was resumed: " $0; exit 1 }
    {
        theirs[NR] = $2; ours[NR] = $4; ratio[NR] = $4 / $2
        printf "round %d: libssl %d/s, gosess %d/s, ratio %.3f\n", $1, $2, $4, $4 / $2
    }
    END {
        if (NR > 0)
            printf "median: libssl %d/s, gosess %d/s, ratio %.3f\n",
                median(theirs, NR), median(ours, NR), median(ratio, NR)
    }'
