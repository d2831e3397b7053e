#!/bin/sh
# Builds gosess for arm64 with a cross compiler, from a copy of the source, in a directory that has a system of that architecture
# too, with nginx, for qemu-user(1). "$@" are targets of the Makefile, "build agent" where there are none; DIRECTORY/gosess/build has
# what they make, and that is printed. Exit status 75: as of fetch.sh.
set -eu
cd "$(dirname "$0")/../.."
directory=$PWD/build/versions/arm64
sh tests/versions/fetch.sh "$directory" bookworm --arch arm64 --root nginx openssl libssl-dev libc6-dev >&2
[ $# != 0 ] || set -- build agent

copy=$directory/gosess
mkdir -p "$copy"
exec 9>"$directory.build.lock"
flock 9
# What is gone from the source is gone from the copy; what is as it was keeps its time, for make.
find "$copy" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
tar -c --exclude=./build --exclude=./.git . | tar -x -C "$copy"
make -C "$copy" "$@" CC="aarch64-linux-gnu-gcc --sysroot=$directory" GOARCH=arm64 CGO_ENABLED=1 >&2
echo "$copy/build"
