/* cipher.c - what libssl's ticket key callbacks are handed, of either kind, and what is set there.
 */
#define _GNU_SOURCE
#include "cipher.h"

#include <stdatomic.h>

#include "../ssl/libssl.h"

/*
 * What EVP_sha256(3) and its relation say is only a name to libcrypto from 3.0 on: it looks for an
 * implementation at each use, and uses what was fetched as it is (T30). That is kept until the
 * process ends. Where there is none, the name is left to fail as libcrypto likes.
 */
#define FETCHED(type, name, named)                                             \
    static const type *fetched_##type(void)                                    \
    {                                                                          \
        static type *_Atomic kept;                                             \
        type *before = NULL, *found = atomic_load(&kept);                      \
        if (found || !gosess_ssl->type##_fetch || !gosess_ssl->type##_free)    \
            return found ? found : gosess_ssl->named();                        \
        found = gosess_ssl->type##_fetch(NULL, name, NULL);                    \
        if (found && !atomic_compare_exchange_strong(&kept, &before, found)) { \
            gosess_ssl->type##_free(found); /* another thread has */           \
            found = before;                                                    \
        }                                                                      \
        return found ? found : gosess_ssl->named();                            \
    }

FETCHED(EVP_CIPHER, "AES-256-CBC", EVP_aes_256_cbc)
FETCHED(EVP_MD, "SHA256", EVP_sha256)

static bool set_mac(const struct gosess_cipher *to, const unsigned char *hmac)
{
    char digest[] = "SHA256";
    union {
        const unsigned char *given;
        void *taken; /* OSSL_PARAM is for what is written, too */
    } key = {hmac};
    if (to->hmac)
        return gosess_ssl->HMAC_Init_ex(to->hmac, hmac, GOSESS_TICKET_KEY_SIZE, fetched_EVP_MD(),
                                        NULL) == 1;
    const OSSL_PARAM parameters[] = {
        {.key = OSSL_MAC_PARAM_KEY,
         .data_type = OSSL_PARAM_OCTET_STRING,
         .data = key.taken,
         .data_size = GOSESS_TICKET_KEY_SIZE},
        {.key = OSSL_MAC_PARAM_DIGEST,
         .data_type = OSSL_PARAM_UTF8_STRING,
         .data = digest,
         .data_size = sizeof digest - 1},
        {.key = NULL},
    };
    return gosess_ssl->EVP_MAC_CTX_set_params(to->mac, parameters) == 1;
}

bool gosess_cipher_set(const struct gosess_cipher *to, const unsigned char *aes,
                       const unsigned char *hmac, const unsigned char *iv, bool encrypts)
{
    __typeof__(&EVP_EncryptInit_ex) init =
        encrypts ? gosess_ssl->EVP_EncryptInit_ex : gosess_ssl->EVP_DecryptInit_ex;
    return init(to->cipher, fetched_EVP_CIPHER(), NULL, aes, iv) == 1 && set_mac(to, hmac);
}
