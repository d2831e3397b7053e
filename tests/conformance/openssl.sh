#!/bin/sh
# openssl.sh DIRECTORY: configures OpenSSL's source as Debian does, and builds the libraries, the test
# programs that suites.go runs and the configurations for ssl_test. Does nothing where all is there.
# On two cores it takes three minutes.
set -eu
cd "$1"
exec 9>conformance.lock
flock 9
[ ! -e conformance.done ] || exit 0

# Whether libssl's own cache holds a session is a look into the structure; the rest of these tests is not.
sed -i -e '/|| !TEST_true(.*->owner [!=]= NULL)$/d' -e '/|| !TEST_ptr(sess1->owner)$/d' \
    -e '/!TEST_true(SSL_CTX_add_session(sctx, sess1))$/s/$/)/' -e '/|| !TEST_ptr_null(sess2->owner))$/d' test/sslapitest.c

# As in debian/rules; -O1 after its -O3, because it is built for one run.
./Configure debian-amd64 shared no-idea no-mdc2 no-rc5 no-zlib no-ssl3 enable-unit-test no-ssl3-method \
    enable-rfc3779 enable-cms no-capieng no-rdrand -O1
jobs=-j$(nproc)
make "$jobs" build_generated libcrypto.so libssl.so
make "$jobs" providers/legacy.so engines/dasync.so engines/ossltest.so test/sslapitest test/sslbuffertest \
    test/servername_test test/ssl_ctx_test test/dtlstest test/ssl_test

# As in test/recipes/80-test_ssl_new.t, which leaves out compression without zlib, and SCTP.
export SRCTOP=.. BLDTOP=..
cd test
mkdir -p generated
for configuration in ssl-tests/*.cnf.in; do
    name=$(basename "$configuration" .in)
    case $name in
    *-compression.cnf | *-sctp-*) continue ;;
    esac
    for provider in none default; do
        LD_LIBRARY_PATH=.. perl -I../util/perl generate_ssl_tests.pl "$configuration" "$provider" >"generated/$name.$provider"
    done
done
touch ../conformance.done
