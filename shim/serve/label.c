/* label.c - what people know a context by: the first name of its certificate. */
#define _GNU_SOURCE
#include "label.h"

#include <stdatomic.h>
#include <string.h>

#include "../base/locks.h"
#include "../ssl/libssl.h"

/* The first DNS name of the subjectAltName extension, RFC 5280, section 4.2.1.6. */
static bool first_name(const X509 *certificate, char label[GOSESS_LABEL_SIZE])
{
    GENERAL_NAMES *names =
        gosess_ssl->X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    const OPENSSL_STACK *list = (const OPENSSL_STACK *)names;
    int count = names ? gosess_ssl->OPENSSL_sk_num(list) : 0;
    bool found = false;
    for (int i = 0; i < count && !found; i++) {
        const GENERAL_NAME *name = gosess_ssl->OPENSSL_sk_value(list, i);
        found = name->type == GEN_DNS && name->d.dNSName->length > 0;
        if (found) {
            size_t length = (size_t)name->d.dNSName->length;
            memcpy(label, name->d.dNSName->data,
                   length < GOSESS_LABEL_SIZE ? length : GOSESS_LABEL_SIZE);
        }
    }
    gosess_ssl->GENERAL_NAMES_free(names);
    return found;
}

void gosess_label(struct gosess_context *context)
{
    char label[GOSESS_LABEL_SIZE + 1] = "";
    if (atomic_load(&context->labelled))
        return;
    gosess_ssl->ERR_set_mark();
    const X509 *certificate = gosess_ssl->SSL_CTX_get0_certificate(context->ctx);
    if (certificate && !first_name(certificate, label))
        gosess_ssl->X509_NAME_get_text_by_NID(gosess_ssl->X509_get_subject_name(certificate),
                                              NID_commonName, label, sizeof label);
    gosess_ssl->ERR_pop_to_mark();
    /* Another thread may be as far: libssl is not called with a lock, which may call the host. */
    gosess_lock(GOSESS_LOCK_SETUP);
    if (!atomic_load(&context->labelled))
        memcpy(context->owner.label, label, GOSESS_LABEL_SIZE);
    atomic_store(&context->labelled, true);
    gosess_unlock(GOSESS_LOCK_SETUP);
}
