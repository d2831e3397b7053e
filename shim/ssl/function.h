/* function.h - what a function of the host is called. */
#ifndef GOSESS_SSL_FUNCTION_H
#define GOSESS_SSL_FUNCTION_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GOSESS_BUILD_ID_SIZE 20 /* of what the linker writes by default */

/* What a function is called in every process of the same binaries, wherever they are loaded. */
struct gosess_function {
    char object[NAME_MAX + 1]; /* the file's name, without its folder */
    unsigned char build[GOSESS_BUILD_ID_SIZE];
    uint64_t offset; /* in it */
};

/* False for code that is in no file, which an interpreter made, or in one without a build id. */
bool gosess_function_name(uintptr_t address, struct gosess_function *function);

/* Whether a function lies in an object of one of these file names, up to a dot that follows. */
bool gosess_function_is_of(uintptr_t address, const char *const names[], size_t count);

#endif
