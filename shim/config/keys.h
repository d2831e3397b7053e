/* keys.h - sealing keys. */
#ifndef GOSESS_CONFIG_KEYS_H
#define GOSESS_CONFIG_KEYS_H

#include "../../shim.h"

#define GOSESS_KEYS_MAX 16
#define GOSESS_KEYS_TEXT_MAX 16384 /* more is not a key file */

/*
 * Sealing keys, newest first. Lives in a mapping of its own that is left out of
 * core dumps and inherited by forked workers. Never log it.
 */
struct gosess_keys {
    unsigned count;
    unsigned char key[GOSESS_KEYS_MAX][GOSESS_KEY_SIZE];
};

/* Up to 256 random bytes. False and an error where there are none. */
bool gosess_random(unsigned char *bytes, size_t size, char *error, size_t error_size);

/* Fresh keys in memory: one random key. NULL and an error where that fails. */
struct gosess_keys *gosess_keys_random(char *error, size_t error_size);

/*
 * Reads a key file: one key a line, 32 bytes in base64, newest first; blank lines
 * and lines that begin with # are skipped. Where create is set and the file does
 * not exist it is made, with one key, 0600, complete or not at all. NULL and an
 * error (which never holds a byte of the file) where the file cannot be used: not
 * regular, readable by group or others, empty, or not of that form.
 */
struct gosess_keys *gosess_keys_read(const char *path, bool create, char *error, size_t error_size);

/*
 * The same of a file that is open, read once from its beginning: text, which has room for
 * GOSESS_KEYS_TEXT_MAX bytes, is given what it says, and size how much that is.
 */
struct gosess_keys *gosess_keys_read_open(int fd, const char *path, char *text, size_t *size,
                                          char *error, size_t error_size);

void gosess_keys_free(struct gosess_keys *keys); /* zeroes, unmaps; NULL is fine */

/* Keeps keys out of the swap in this process; false, and errno, where that is not allowed. */
bool gosess_keys_lock(struct gosess_keys *keys);

#endif
