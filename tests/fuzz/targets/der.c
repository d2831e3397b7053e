/* der.c - any bytes as the DER of a stored session: libssl's decoder, as gosess calls it. */
#include "../../../shim/serve/der.h"

#include "../../../shim/ssl/libssl.h"
#include "fuzz.h"

#include <time.h>

static const struct gosess_libssl table = {
#define X(name) .name = name,
    GOSESS_LIBSSL_FUNCTIONS(X)
#undef X
};

const struct gosess_libssl *_Atomic gosess_ssl = &table;
static SSL_SESSION *other;

/*
 * What libssl decodes is what gosess makes of the bytes, by whatever way: of those that differ in
 * little from others it copies these. Without a time libssl takes that of the day.
 */
static void compare(SSL_SESSION *plain, SSL_SESSION *found)
{
    static long begun;
    unsigned char *one = NULL, *two = NULL;
    begun = begun ? begun : (long)time(NULL);
    if (SSL_SESSION_get_time(plain) >= begun)
        SSL_SESSION_set_time(found, SSL_SESSION_get_time(plain));
    SSL_SESSION_set_timeout(plain, SSL_SESSION_get_timeout(found));
    int length = i2d_SSL_SESSION(plain, &one);
    CHECK(i2d_SSL_SESSION(found, &two) == length);
    CHECK(length <= 0 || memcmp(one, two, (size_t)length) == 0);
    OPENSSL_free(one);
    OPENSSL_free(two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char key[48] = {1};
    const unsigned char *at = data;
    unsigned length = 0;
    if (!other) {
        CHECK((other = SSL_SESSION_new()));
        CHECK(SSL_SESSION_set1_master_key(other, key, sizeof(key)) == 1);
    }
    SSL_SESSION *plain = d2i_SSL_SESSION(NULL, &at, (long)size);
    const unsigned char *id = plain ? SSL_SESSION_get_id(plain, &length) : NULL;
    int64_t expires = plain ? (int64_t)SSL_SESSION_get_time(plain) + 100 : 100;
    SSL_SESSION *found = gosess_decode(data, size, id, length, expires);
    CHECK((found != NULL) == (plain && at == data + size));
    if (found) {
        int encoded = 0;
        long own = SSL_SESSION_get_timeout(plain), now = SSL_SESSION_get_timeout(found);
        /* It ends when it is told to, or by itself before; no store has an end after UINT32_MAX. */
        CHECK(now == (own < 100 || expires >= UINT32_MAX ? own : 100));
        gosess_free_der(gosess_encode(found, &encoded), encoded);
        compare(plain, found);
        SSL_SESSION_free(found);
        CHECK((found = gosess_decode_often(data, size, id, length, expires)));
        compare(plain, found);
        SSL_SESSION_free(found);
        CHECK((found = gosess_decode_often(data, size, id, length, expires)));
        compare(plain, found);
    }
    gosess_same_bytes(other, data, size);
    CHECK(ERR_peek_error() == 0 || !found); /* the queue is the host's */
    SSL_SESSION_free(found);
    SSL_SESSION_free(plain);
    ERR_clear_error();
    return 0;
}
