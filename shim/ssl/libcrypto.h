/* libcrypto.h - what gosess calls of the libcrypto that comes with the host's libssl: functions.h.
 */
#ifndef GOSESS_SSL_LIBCRYPTO_H
#define GOSESS_SSL_LIBCRYPTO_H

#include "../../shim.h" /* before a header of libssl: OPENSSL_SUPPRESS_DEPRECATED */

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define GOSESS_OF_LIBCRYPTO(X)          \
    X(ASN1_TIME_to_tm)                  \
    X(ASN1_get_object)                  \
    X(ASYNC_get_current_job)            \
    X(CRYPTO_clear_free)                \
    X(CRYPTO_free)                      \
    X(CRYPTO_get_ex_new_index)          \
    X(CRYPTO_get_mem_functions)         \
    X(CRYPTO_malloc)                    \
    X(CRYPTO_memcmp)                    \
    X(CRYPTO_realloc)                   \
    X(ERR_pop_to_mark)                  \
    X(ERR_set_mark)                     \
    X(EVP_DecryptInit_ex)               \
    X(EVP_EncryptInit_ex)               \
    X(EVP_aes_256_cbc)                  \
    X(EVP_sha256)                       \
    X(GENERAL_NAMES_free)               \
    X(HMAC_Init_ex)                     \
    X(OPENSSL_cleanse)                  \
    X(OPENSSL_sk_num)                   \
    X(OPENSSL_sk_value)                 \
    X(OpenSSL_version_num)              \
    X(RAND_bytes)                       \
    X(SHA256_Final)                     \
    X(SHA256_Init)                      \
    X(SHA256_Update)                    \
    X(X509_CRL_get0_nextUpdate)         \
    X(X509_LOOKUP_file)                 \
    X(X509_NAME_cmp)                    \
    X(X509_NAME_get_text_by_NID)        \
    X(X509_OBJECT_get0_X509)            \
    X(X509_OBJECT_get0_X509_CRL)        \
    X(X509_OBJECT_get_type)             \
    X(X509_STORE_free)                  \
    X(X509_STORE_get0_objects)          \
    X(X509_STORE_get0_param)            \
    X(X509_STORE_get_cert_crl)          \
    X(X509_STORE_get_check_crl)         \
    X(X509_STORE_get_check_issued)      \
    X(X509_STORE_get_check_policy)      \
    X(X509_STORE_get_check_revocation)  \
    X(X509_STORE_get_get_crl)           \
    X(X509_STORE_get_get_issuer)        \
    X(X509_STORE_get_lookup_certs)      \
    X(X509_STORE_get_lookup_crls)       \
    X(X509_STORE_get_verify)            \
    X(X509_STORE_get_verify_cb)         \
    X(X509_STORE_lock)                  \
    X(X509_STORE_unlock)                \
    X(X509_STORE_up_ref)                \
    X(X509_VERIFY_PARAM_get_auth_level) \
    X(X509_VERIFY_PARAM_get_depth)      \
    X(X509_VERIFY_PARAM_get_flags)      \
    X(X509_VERIFY_PARAM_get_hostflags)  \
    X(X509_VERIFY_PARAM_get_inh_flags)  \
    X(X509_free)                        \
    X(X509_get0_pubkey)                 \
    X(X509_get0_notAfter)               \
    X(X509_get_subject_name)            \
    X(X509_up_ref)                      \
    X(X509_get_ext_d2i)                 \
    X(i2d_X509)                         \
    X(i2d_X509_CRL)                     \
    X(i2d_X509_NAME)

#endif
