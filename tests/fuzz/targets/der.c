/* der.c - any bytes as the DER of a stored session: libssl's decoder, as the Go half calls it. */
#include "../../../capi/glue.h"
#include "fuzz.h"

static const struct gosess_libssl table = {
#define X(name) .name = name,
    GOSESS_LIBSSL_FUNCTIONS(X)
#undef X
};

static void log_nothing(enum gosess_log_level level, enum gosess_log_cause cause, const char *text)
{
    (void)level, (void)cause, (void)text;
}

static const struct gosess_start start = {.libssl = &table, .log = log_nothing};
static SSL_SESSION *other;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char key[48] = {1};
    const unsigned char *at = data;
    unsigned length = 0;
    if (!other) {
        gosess_glue_start(&start);
        CHECK((other = SSL_SESSION_new()));
        CHECK(SSL_SESSION_set1_master_key(other, key, sizeof(key)) == 1);
    }
    SSL_SESSION *plain = d2i_SSL_SESSION(NULL, &at, (long)size);
    const unsigned char *id = plain ? SSL_SESSION_get_id(plain, &length) : NULL;
    int64_t expires = plain ? (int64_t)SSL_SESSION_get_time(plain) + 100 : 100;
    SSL_SESSION *found = gosess_decode(data, size, id, (int)length, expires);
    CHECK((found != NULL) == (plain && at == data + size));
    if (found) {
        int encoded = 0;
        long timeout = SSL_SESSION_get_timeout(found); /* no longer than it was */
        CHECK(timeout == 100 || timeout == SSL_SESSION_get_timeout(plain));
        gosess_free_der(gosess_encode(found, &encoded), encoded);
    }
    gosess_same_stored(other, data, size);
    CHECK(ERR_peek_error() == 0 || !found); /* the queue is the host's */
    SSL_SESSION_free(found);
    SSL_SESSION_free(plain);
    ERR_clear_error();
    return 0;
}
