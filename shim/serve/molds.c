/*
 * molds.c - sessions that are made of their DER without decoding it.
 *
 * libssl decodes a session in ten times what it takes to copy one, and those of one server differ
 * in little: up to TLS 1.2, without a certificate of the client's, only in what there are setters
 * for. (In TLS 1.3 each has a number for the age of its ticket, too, and is used once.)
 */
#define _GNU_SOURCE
#include "molds.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../ssl/digest.h"
#include "../ssl/libssl.h"

#define PATIENCE 32 /* so many others in a row has a mold outlived that makes way */
#define MOLDS 16    /* names and ciphers of servers, mostly */
#define DER_MAX 512 /* ordinary ones have 140 */

/* Where in the DER of a session something lies. */
struct place {
    size_t at, length;
};

/* What is another one in each session, in this order. */
struct places {
    struct place id, key, time;
};

/*
 * The DER and the object are of a session that was, without its id and its master key. Without an
 * object: a copy of such a session is not what it is of, as libssl makes it.
 */
struct mold {
    SSL_SESSION *session;
    unsigned others; /* it did not fit so many in a row */
    size_t length;
    struct places places;
    unsigned char der[DER_MAX];
};

/* A thread takes one out while it uses it. */
static struct mold *_Atomic molds[MOLDS];

/* --- DER --- */

/*
 * The next element, of that class and tag, or the first one in it where there are such. An error
 * has 0x80, and a length that is not said 1: ASN1_get_object.
 */
static bool next(const unsigned char *der, size_t length, size_t *at, int wanted_class,
                 int wanted_tag, struct place *place)
{
    bool holds_others = wanted_class != V_ASN1_UNIVERSAL || wanted_tag == V_ASN1_SEQUENCE;
    const unsigned char *here = der + *at;
    long inside = 0;
    int tag = 0, class = 0;
    int kind = gosess_ssl->ASN1_get_object(&here, &inside, &tag, &class, (long)(length - *at));
    if (kind != (holds_others ? V_ASN1_CONSTRUCTED : 0) || class != wanted_class ||
        tag != wanted_tag)
        return false;
    *place = (struct place){(size_t)(here - der), (size_t)inside};
    *at = place->at + (holds_others ? 0 : place->length);
    return true;
}

static bool is_tls13(const unsigned char *der, struct place version)
{
    return version.length == 2 && der[version.at] == TLS1_3_VERSION >> 8 &&
           der[version.at + 1] == (TLS1_3_VERSION & 0xff);
}

/*
 * By SSL_SESSION_ASN1 (ssl/ssl_asn1.c, all versions); false where it is nothing for a mold. Where a
 * session has no time, or 0, libssl takes that of the day.
 */
static bool find_places(const unsigned char *der, size_t length, struct places *places)
{
    struct place all, version, cipher, time;
    size_t at = 0;
    return length <= DER_MAX && next(der, length, &at, V_ASN1_UNIVERSAL, V_ASN1_SEQUENCE, &all) &&
           all.at + all.length == length &&
           next(der, length, &at, V_ASN1_UNIVERSAL, V_ASN1_INTEGER, &version) &&
           next(der, length, &at, V_ASN1_UNIVERSAL, V_ASN1_INTEGER, &version) &&
           !is_tls13(der, version) &&
           next(der, length, &at, V_ASN1_UNIVERSAL, V_ASN1_OCTET_STRING, &cipher) &&
           next(der, length, &at, V_ASN1_UNIVERSAL, V_ASN1_OCTET_STRING, &places->id) &&
           next(der, length, &at, V_ASN1_UNIVERSAL, V_ASN1_OCTET_STRING, &places->key) &&
           next(der, length, &at, V_ASN1_CONTEXT_SPECIFIC, 1, &time) &&
           next(der, length, &at, V_ASN1_UNIVERSAL, V_ASN1_INTEGER, &places->time) &&
           places->time.length > 0 && places->time.length <= sizeof(uint32_t) &&
           der[places->time.at] > 0 && der[places->time.at] < 0x80;
}

static size_t end_of(struct place place)
{
    return place.at + place.length;
}

static bool same(const unsigned char *a, const unsigned char *b, size_t from, size_t to)
{
    return memcmp(a + from, b + from, to - from) == 0;
}

/* Lengths are among what is compared, so the places of both are the same. */
static bool fits(const struct mold *mold, const unsigned char *der, size_t length)
{
    const struct places *places = &mold->places;
    return mold->length == length && same(mold->der, der, 0, places->id.at) &&
           same(mold->der, der, end_of(places->id), places->key.at) &&
           same(mold->der, der, end_of(places->key), places->time.at) &&
           same(mold->der, der, end_of(places->time), length);
}

/* By what follows the time: the rules and the name that it was made under. */
static struct mold *_Atomic *place_of(const struct places *places, const unsigned char *der,
                                      size_t length)
{
    size_t from = end_of(places->time);
    return &molds[gosess_fnv(GOSESS_FNV_START, der + from, length - from) % MOLDS];
}

/* --- sessions --- */

static void discard(struct mold *mold)
{
    if (!mold)
        return;
    gosess_ssl->SSL_SESSION_free(mold->session);
    free(mold);
}

static bool fill(SSL_SESSION *session, const struct places *places, const unsigned char *der)
{
    long time = 0;
    for (size_t i = 0; i < places->time.length; i++)
        time = time << 8 | der[places->time.at + i];
    gosess_ssl->SSL_SESSION_set_time(session, time);
    return gosess_ssl->SSL_SESSION_set1_id(session, der + places->id.at,
                                           (unsigned)places->id.length) == 1 &&
           gosess_ssl->SSL_SESSION_set1_master_key(session, der + places->key.at,
                                                   places->key.length) == 1;
}

static SSL_SESSION *copy(SSL_SESSION *session, const struct places *places,
                         const unsigned char *der)
{
    SSL_SESSION *made = gosess_ssl->SSL_SESSION_dup(session);
    if (made && !fill(made, places, der)) {
        gosess_ssl->SSL_SESSION_free(made);
        made = NULL;
    }
    return made;
}

SSL_SESSION *gosess_mold_use(const unsigned char *der, size_t length)
{
    struct places places;
    SSL_SESSION *made = NULL;
    if (!find_places(der, length, &places))
        return NULL;
    struct mold *_Atomic *place = place_of(&places, der, length);
    struct mold *mold = atomic_exchange(place, NULL);
    if (!mold)
        return NULL;
    bool good = fits(mold, der, length);
    mold->others = good ? 0 : mold->others + 1;
    if (good && mold->session)
        made = copy(mold->session, &places, der);
    discard(atomic_exchange(place, mold));
    return made;
}

static bool encodes_as(SSL_SESSION *session, const unsigned char *der, size_t length)
{
    unsigned char *encoded = NULL;
    int size = gosess_ssl->i2d_SSL_SESSION(session, &encoded);
    bool equal = size > 0 && (size_t)size == length && memcmp(encoded, der, length) == 0;
    gosess_ssl->CRYPTO_clear_free(encoded, size > 0 ? (size_t)size : 0, __FILE__, __LINE__);
    return equal;
}

/* libssl's copy has no lifetime of a ticket without one, for instance. */
static SSL_SESSION *faithful_copy(SSL_SESSION *decoded, const struct places *places,
                                  const unsigned char *der, const struct mold *mold)
{
    SSL_SESSION *made = copy(decoded, places, der);
    if (made && (!encodes_as(made, der, mold->length) || !fill(made, places, mold->der))) {
        gosess_ssl->SSL_SESSION_free(made);
        made = NULL;
    }
    return made;
}

/* What is secret of a session is not kept. */
static struct mold *make(SSL_SESSION *decoded, const struct places *places,
                         const unsigned char *der, size_t length)
{
    struct mold *mold = calloc(1, sizeof *mold);
    if (!mold)
        return NULL;
    mold->length = length;
    mold->places = *places;
    memcpy(mold->der, der, length);
    memset(mold->der + places->id.at, 0, places->id.length);
    explicit_bzero(mold->der + places->key.at, places->key.length);
    mold->session = faithful_copy(decoded, places, der, mold);
    return mold;
}

/* What the host has put into it is nobody else's. */
static bool has_data(SSL_SESSION *session)
{
    void *data = NULL;
    size_t length = 0;
    return gosess_ssl->SSL_SESSION_get0_ticket_appdata(session, &data, &length) == 1 && length > 0;
}

void gosess_mold_keep(SSL_SESSION *decoded, const unsigned char *der, size_t length)
{
    struct places places;
    if (gosess_ssl->SSL_SESSION_get0_peer(decoded) || has_data(decoded) ||
        !find_places(der, length, &places))
        return;
    struct mold *_Atomic *place = place_of(&places, der, length);
    struct mold *mold = atomic_exchange(place, NULL);
    if (!mold || mold->others >= PATIENCE) {
        discard(mold);
        mold = make(decoded, &places, der, length);
    }
    discard(atomic_exchange(place, mold));
}
