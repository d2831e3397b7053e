#!/bin/sh
# fetch.sh DIRECTORY SUITE [--arch ARCHITECTURE] [--root | --source] PACKAGE...
#
# Unpacks packages of another Debian suite into DIRECTORY, from the mirror and with the proxy
# that apt uses for this system's own. Installs nothing and writes nowhere else: apt has lists,
# status and cache of its own here. A DIRECTORY that already holds these packages is left alone,
# without a look at the network. Exit status 75: they cannot be had, which is no test's fault.
#
# With --root, DIRECTORY can be the root of the packages' programs (chroot(8)): what they depend on
# is there too, and the devices and users that a server needs. No script of a package is run.
#
# With --arch, the packages are those of another architecture.
#
# With --source, the packages are source packages, and DIRECTORY has a directory of that name for each.
set -eu
directory=$(realpath -m "$1") suite=$2 root=no type=deb target=Packages architecture=$(dpkg --print-architecture)
shift 2
if [ "$1" = --arch ]; then
    architecture=$2
    shift 2
fi
case $1 in
--root)
    root=yes
    shift
    ;;
--source)
    type=deb-src target=Sources
    shift
    ;;
esac

mkdir -p "$(dirname "$directory")"
exec 9>"$directory.lock"
flock 9
[ "$(cat "$directory/packages" 2>/dev/null)" != "$*" ] || exit 0

unavailable() {
    echo "fetch: $suite: $*" >&2
    exit 75
}

# shellcheck source=/dev/null
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
command -v apt-get >/dev/null || unavailable 'this system has no apt'
# shellcheck disable=SC2016 # apt expands them
mirror=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    awk -v release="$codename" '$1 == release && $2 == "main" { print $3; exit }')
[ -n "$mirror" ] || unavailable "apt has no mirror of $codename to find it on"

work=$(mktemp -d)
trap 'rm -rf "$work" "$directory.new"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/packages"
: >"$work/status" # else apt would prefer what this system has installed
# apt fetches as a user of its own, where there is one.
chmod 755 "$work"
if [ "$(id -u)" = 0 ] && id _apt >/dev/null 2>&1; then
    chown _apt "$work/packages"
fi

cat >"$work/debian.sources" <<END
Types: $type
URIs: $mirror
Suites: $suite
Components: main
Targets: $target
Languages: none
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
# Read after the system's own configuration, whose hooks would work on the system.
cat >"$work/apt.conf" <<END
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Architecture "$architecture";
#clear APT::Architectures;
APT::Architectures { "$architecture"; };
Dir::Etc::SourceList "$work/debian.sources";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State::Lists "$work/lists";
Dir::State::Status "$work/status";
Dir::State::Extended_States "$work/extended_states";
Dir::Cache "$work/cache";
APT::Update::Error-Mode "any";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
END
cd "$work/packages"
timeout 120 apt-get -c "$work/apt.conf" -q update >&2 || unavailable 'no package lists'
rm -rf "$directory" "$directory.new"
mkdir "$directory.new"

# The directories that are links into /usr, users by their numbers here, and devices.
make_root() {
    for name in bin sbin lib lib64; do
        mkdir -p "usr/$name"
        ln -s "usr/$name" "$name"
    done
    mkdir -p dev etc run tmp var/lib/nginx var/log/nginx
    chmod 1777 tmp
    getent passwd root nobody www-data haproxy >etc/passwd || true # getent lacks one: no test's need
    getent group root nogroup www-data haproxy >etc/group || true
    mknod -m 666 dev/null c 1 3
    mknod -m 666 dev/zero c 1 5
    mknod -m 666 dev/urandom c 1 9
}
if [ "$root" = yes ]; then
    (cd "$directory.new" && make_root) || unavailable 'no rights to make a root directory'
    timeout 300 apt-get -c "$work/apt.conf" -q -y --no-install-recommends --download-only install "$@" >&2 ||
        unavailable "no packages $*"
    mv "$work"/cache/archives/*.deb .
elif [ "$type" = deb-src ]; then
    timeout 300 apt-get -c "$work/apt.conf" -q source "$@" >&2 || unavailable "no source packages $*"
    for package; do
        mv "$package"-*/ "$directory.new/$package"
    done
else
    timeout 120 apt-get -c "$work/apt.conf" -q download "$@" >&2 || unavailable "no packages $*"
fi
if [ "$type" = deb ]; then
    for package in *.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar -x -C "$directory.new" --keep-directory-symlink
    done
fi
echo "$*" >"$directory.new/packages"
mv "$directory.new" "$directory"
