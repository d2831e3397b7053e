/*
 * hidden.c - the X509_STOREs that trust more than can be read out of them.
 *
 * A store may look for certificates and revocation lists when it needs them: in a directory
 * (CApath, X509_LOOKUP_hash_dir(3)), behind a URI, in what a method of the host's gets them from.
 * What it will find there nobody can say, and libcrypto has no getter for whether it would look. So
 * the functions that make it are interposed. libssl's own calls of them pass through the dynamic
 * linker, as they go into another library; libcrypto's need not (L36), so those that stand for
 * several are listed too.
 */
#define _GNU_SOURCE
#include "hidden.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "libssl.h"
#include "table.h"

/* Every store may be one of them: there is no memory for a note, or it holds for all. */
static _Atomic bool all;

bool gosess_hides(const X509_STORE *store)
{
    return atomic_load(&all) || (store && gosess_table_find(GOSESS_KIND_STORE, store));
}

/* Before there is a table of libssl, too: a host may make its stores first. */
static void note(const X509_STORE *store)
{
    if (!store || gosess_table_find(GOSESS_KIND_STORE, store))
        return;
    struct gosess_link *link = calloc(1, sizeof *link);
    if (link)
        gosess_table_add(link, GOSESS_KIND_STORE, store);
    else
        atomic_store(&all, true);
}

/* The end of an X509_STORE, which two threads may have noted at the same moment. */
static void end(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
    (void)value, (void)data, (void)index, (void)argl, (void)argp;
    struct gosess_link *link;
    while ((link = gosess_table_find(GOSESS_KIND_STORE, parent))) {
        gosess_table_remove(link);
        free(link);
    }
}

bool gosess_hidden_prepare(const struct gosess_libssl *table)
{
    return table->CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_X509_STORE, 0, NULL, NULL, NULL, end) >=
           0;
}

/* --- what makes a store look elsewhere --- */

/* The one method that loads when it is told to, and never again. */
static bool loads_at_once(const X509_LOOKUP_METHOD *method, const void *caller)
{
    const struct gosess_libssl *table = gosess_ssl;
    __typeof__(&X509_LOOKUP_file) file = table ? table->X509_LOOKUP_file : NULL;
    if (!file) {
        void *found = gosess_find("X509_LOOKUP_file", caller);
        memcpy(&file, &found, sizeof file);
    }
    return file && method == file();
}

GOSESS_EXPORT X509_LOOKUP *X509_STORE_add_lookup(X509_STORE *store, X509_LOOKUP_METHOD *method)
{
    __typeof__(&X509_STORE_add_lookup) next = GOSESS_NEXT(X509_STORE_add_lookup);
    if (!loads_at_once(method, __builtin_return_address(0)))
        note(store);
    return next ? next(store, method) : NULL;
}

#define INTERPOSE_STORE(function, parameters, looks, ...)     \
    GOSESS_EXPORT int function parameters                     \
    {                                                         \
        __typeof__(&(function)) next = GOSESS_NEXT(function); \
        if (looks)                                            \
            note(store);                                      \
        return next ? next(__VA_ARGS__) : 0;                  \
    }

INTERPOSE_STORE(X509_STORE_load_locations,
                (X509_STORE * store, const char *file, const char *folder), folder, store, file,
                folder)
INTERPOSE_STORE(X509_STORE_load_locations_ex,
                (X509_STORE * store, const char *file, const char *folder, OSSL_LIB_CTX *library,
                 const char *properties),
                folder, store, file, folder, library, properties)
INTERPOSE_STORE(X509_STORE_load_path, (X509_STORE * store, const char *folder), true, store, folder)
INTERPOSE_STORE(X509_STORE_load_store, (X509_STORE * store, const char *uri), true, store, uri)
INTERPOSE_STORE(X509_STORE_load_store_ex,
                (X509_STORE * store, const char *uri, OSSL_LIB_CTX *library,
                 const char *properties),
                true, store, uri, library, properties)
INTERPOSE_STORE(X509_STORE_set_default_paths, (X509_STORE * store), true, store)
INTERPOSE_STORE(X509_STORE_set_default_paths_ex,
                (X509_STORE * store, OSSL_LIB_CTX *library, const char *properties), true, store,
                library, properties)

/* Of these every verification takes what its own parameters leave open: X509_STORE_CTX_init(3). */
GOSESS_EXPORT int X509_VERIFY_PARAM_add0_table(X509_VERIFY_PARAM *param)
{
    __typeof__(&X509_VERIFY_PARAM_add0_table) next = GOSESS_NEXT(X509_VERIFY_PARAM_add0_table);
    atomic_store(&all, true);
    return next ? next(param) : 0;
}

/* --- what changes in a store --- */

static _Atomic uint64_t changes;

uint64_t gosess_store_changes(void)
{
    return atomic_load(&changes);
}

#define INTERPOSE_ADDITION(function, type)                    \
    GOSESS_EXPORT int function(X509_STORE *store, type added) \
    {                                                         \
        __typeof__(&(function)) next = GOSESS_NEXT(function); \
        int result = next ? next(store, added) : 0;           \
        atomic_fetch_add(&changes, 1);                        \
        return result;                                        \
    }

INTERPOSE_ADDITION(X509_STORE_add_cert, X509 *)
INTERPOSE_ADDITION(X509_STORE_add_crl, X509_CRL *)

/* Nothing but this lets a host take something out: OpenVPN replaces revocation lists so. */
GOSESS_EXPORT STACK_OF(X509_OBJECT) * X509_STORE_get0_objects(const X509_STORE *store)
{
    __typeof__(&X509_STORE_get0_objects) next = GOSESS_NEXT(X509_STORE_get0_objects);
    atomic_fetch_add(&changes, 1);
    return next ? next(store) : NULL;
}

/* --- what is set in a store and has no getter --- */

INTERPOSE_STORE(X509_STORE_set_purpose, (X509_STORE * store, int purpose),
                !gosess_ssl || !gosess_ssl->X509_VERIFY_PARAM_get_purpose, store, purpose)
INTERPOSE_STORE(X509_STORE_set_trust, (X509_STORE * store, int trust), true, store, trust)
INTERPOSE_STORE(X509_STORE_set1_param, (X509_STORE * store, const X509_VERIFY_PARAM *param), true,
                store, param)
