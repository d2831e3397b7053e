/* cipher.c - what libssl's ticket key callbacks are handed, of either kind, and what is set there.
 */
#define _GNU_SOURCE
#include "cipher.h"

#include "../ssl/libssl.h"

static bool set_mac(const struct gosess_cipher *to, const unsigned char *hmac)
{
    char digest[] = "SHA256";
    union {
        const unsigned char *given;
        void *taken; /* OSSL_PARAM is for what is written, too */
    } key = {hmac};
    if (to->hmac)
        return gosess_ssl->HMAC_Init_ex(to->hmac, hmac, GOSESS_TICKET_KEY_SIZE,
                                        gosess_ssl->EVP_sha256(), NULL) == 1;
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
    return init(to->cipher, gosess_ssl->EVP_aes_256_cbc(), NULL, aes, iv) == 1 && set_mac(to, hmac);
}
