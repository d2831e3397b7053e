/* fuzz.h - what the fuzz targets share. Each is a program of its own: see fuzz_test.go. */
#ifndef GOSESS_TESTS_FUZZ_H
#define GOSESS_TESTS_FUZZ_H

#include "../../../shim.h" /* before a header of libssl: OPENSSL_SUPPRESS_DEPRECATED */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "../../../include/gosess.h"

#define CHECK(true_of_it) ((true_of_it) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes, ended as a string is. */
static inline char *text_of(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1);
    CHECK(copy);
    memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

#endif
