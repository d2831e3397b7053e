/* der.c - any bytes as the DER of a stored session: libssl's decoder, as gosess calls it. */
#include "../../../shim/serve/der.h"

#include "../../../shim/ssl/libssl.h"
#include "fuzz.h"

static const struct gosess_libssl table = {
#define X(name) .name = name,
    GOSESS_LIBSSL_FUNCTIONS(X)
#undef X
};

const struct gosess_libssl *_Atomic gosess_ssl = &table;
static SSL_SESSION *other;

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
    }
    gosess_same_bytes(other, data, size);
    CHECK(ERR_peek_error() == 0 || !found); /* the queue is the host's */
    SSL_SESSION_free(found);
    SSL_SESSION_free(plain);
    ERR_clear_error();
    return 0;
}
