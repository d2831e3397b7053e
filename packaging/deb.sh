#!/bin/sh
# Builds the Debian packages in build/deb from a copy of the source, so that nothing of an earlier build, and no path of this
# machine, goes into them: two builds of one source are the same to the byte.
set -eu

cd "$(dirname "$0")/.."
version=$(sed -n '1s/.*(\(.*\)).*/\1/p' packaging/debian/changelog)
copy=build/deb/gosess-$version
rm -rf build/deb
mkdir -p "$copy"
tar -c --exclude=./build --exclude=./.git --exclude=./packaging/debian . | tar -x -C "$copy"
cp -r packaging/debian "$copy/debian"
# The time of the changelog's entry is that of all files. -d: Go need not be a package, and often is not.
(cd "$copy" && dpkg-buildpackage --build=binary --no-sign -d >../build.log 2>&1) || {
    tail -n 40 build/deb/build.log >&2
    exit 1
}
rm -rf "$copy"

# Of the files as they are in the packages: those are stripped.
files=build/deb/files
for package in libgosess0 gosess gosess-agent; do
    dpkg-deb -x "build/deb/${package}_${version}_$(dpkg --print-architecture).deb" "$files"
done
seconds=$(dpkg-parsechangelog -l packaging/debian/changelog -S Timestamp)
"${GO:-go}" run ./packaging/sbom "$version" "$seconds" "$files"/usr/lib/*/libgosess*.so* "$files"/usr/bin/* \
    >"build/deb/gosess_$version.spdx.json"
rm -rf "$files"
ls build/deb/*.deb build/deb/*.json
