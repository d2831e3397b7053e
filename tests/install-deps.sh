#!/bin/sh
# Installs the Debian packages that build, demo, test and bench need, where they are missing. Says
# and does nothing where they are all there. Starts and enables no service.
set -eu

packages='apache2-bin binutils chromium clang clang-format cyrus-pop3d dnsdist dovecot-imapd debhelper dpkg-dev eapoltest fish freeradius g++ gcc gcc-aarch64-linux-gnu gnutls-bin groff-base
h2o haproxy hitch hostapd icinga2-bin iproute2 kamailio kamailio-tls-modules libc6-dev libclang-rt-14-dev libhiredis-dev libnet-ssleay-perl
libnginx-mod-mail libnginx-mod-stream libssl-dev lintian make mandoc memcached mmdebstrap mosquitto mumble-server nghttp2-proxy nginx nsd openssl
perl php-cli pkg-config postfix prometheus python3 qemu-user-static redis-server rsyslog rsyslog-openssl ruby shellcheck stunnel4 testssl.sh trafficserver unbound
uvicorn valgrind znc zsh'

# Debian's npm brings hundreds of packages with it: not where there is one already.
command -v npm >/dev/null || packages="$packages npm"

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=
for package in $packages; do
    installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "install-deps: missing:$missing; this is not Debian, install them by hand" >&2
    exit 1
fi
if [ "$(id -u)" != 0 ]; then
    echo "install-deps: missing:$missing; run as root: apt-get install --no-install-recommends$missing" >&2
    exit 1
fi

# Debian starts a service when it is installed; policy-rc.d is its way to say no. One that is
# there already is the administrator's and stays.
policy=/usr/sbin/policy-rc.d
ours=no
cleanup() {
    [ "$ours" = no ] || rm -f "$policy"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM
if [ ! -e "$policy" ] && [ ! -L "$policy" ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

echo "install-deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
# Word splitting is wanted: a list of package names.
# shellcheck disable=SC2086
install() {
    apt-get install -y -q --no-install-recommends $missing
}
# The package lists of a fresh machine are missing or old: read them where the first try fails.
install || {
    apt-get update -q
    install
}

# Nor may a package that only a test wanted start at boot. A service has its package's name, or the one behind the colon.
for package in cyrus-pop3d:cyrus-imapd dnsdist dovecot-imapd:dovecot freeradius h2o haproxy hitch hostapd icinga2-bin:icinga2 \
    kamailio memcached mosquitto mumble-server nghttp2-proxy:nghttpx nginx nsd postfix prometheus redis-server rsyslog stunnel4 \
    trafficserver unbound znc; do
    case " $missing " in
    *" ${package%:*} "*)
        if command -v systemctl >/dev/null; then
            systemctl disable "${package#*:}.service" >/dev/null 2>&1 || true
        fi
        ;;
    esac
done
