/*
 * keys.c - reads and makes sealing keys. No error text holds a byte of a key file.
 */
#define _GNU_SOURCE
#include "keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "../base/files.h"
#include "../base/io.h"
#include "../base/text.h"

#define BASE64_SIZE 44 /* of GOSESS_KEY_SIZE bytes, with its padding */

bool gosess_keys_lock(struct gosess_keys *keys)
{
    return mlock(keys, sizeof(*keys)) == 0;
}

static struct gosess_keys *allocate(char *error, size_t error_size)
{
    void *page = mmap(NULL, sizeof(struct gosess_keys), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        gosess_fail(error, error_size, "no memory for the keys: %s", strerror(errno));
        return NULL;
    }
    /* Both are best effort, and a fork does not inherit the lock: gosess_keys_lock. */
    madvise(page, sizeof(struct gosess_keys), MADV_DONTDUMP);
    gosess_keys_lock(page);
    return page;
}

void gosess_keys_free(struct gosess_keys *keys)
{
    if (!keys)
        return;
    explicit_bzero(keys, sizeof(*keys));
    munmap(keys, sizeof(*keys));
}

bool gosess_random(unsigned char *bytes, size_t size, char *error, size_t error_size)
{
    ssize_t n;
    /* Up to 256 bytes are all or nothing: getrandom(2). */
    while ((n = getrandom(bytes, size, 0)) < 0 && errno == EINTR)
        ;
    if (n == (ssize_t)size)
        return true;
    return gosess_fail(error, error_size, "no random bytes: %s", strerror(errno));
}

struct gosess_keys *gosess_keys_random(char *error, size_t error_size)
{
    struct gosess_keys *keys = allocate(error, error_size);
    if (keys && !gosess_random(keys->key[0], GOSESS_KEY_SIZE, error, error_size)) {
        gosess_keys_free(keys);
        return NULL;
    }
    if (keys)
        keys->count = 1;
    return keys;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* 32 bytes are ten groups of three, and two: the last group ends with one '='. */
static void encode(const unsigned char key[GOSESS_KEY_SIZE], char text[BASE64_SIZE])
{
    for (size_t i = 0, at = 0; i < GOSESS_KEY_SIZE; i += 3, at += 4) {
        unsigned group = (unsigned)key[i] << 16 | (unsigned)key[i + 1] << 8;
        if (i + 2 < GOSESS_KEY_SIZE)
            group |= key[i + 2];
        for (size_t j = 0; j < 4; j++)
            text[at + j] = alphabet[group >> (18 - 6 * j) & 63];
    }
    text[BASE64_SIZE - 1] = '=';
}

static bool decode(const char *text, size_t length, unsigned char key[GOSESS_KEY_SIZE])
{
    if (length != BASE64_SIZE || text[BASE64_SIZE - 1] != '=')
        return false;
    unsigned group = 0, bits = 0;
    size_t at = 0;
    for (size_t i = 0; i < BASE64_SIZE - 1; i++) {
        const char *found = text[i] ? strchr(alphabet, text[i]) : NULL;
        if (!found)
            return false;
        group = group << 6 | (unsigned)(found - alphabet);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            key[at++] = (unsigned char)(group >> bits);
        }
    }
    /* Two bits are left: one key has one text. */
    return (group & 3) == 0;
}

static bool parse(const char *text, size_t size, const char *path, struct gosess_keys *keys,
                  char *error, size_t error_size)
{
    const char *end = text + size;
    for (unsigned line = 1; text < end; line++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((stop ? stop : end) - text);
        size_t content = length;
        if (content > 0 && text[content - 1] == '\r')
            content--;
        if (content > 0 && text[0] != '#') {
            if (keys->count == GOSESS_KEYS_MAX)
                return gosess_fail(error, error_size, "key file %s has more than %d keys", path,
                                   GOSESS_KEYS_MAX);
            if (!decode(text, content, keys->key[keys->count]))
                return gosess_fail(error, error_size,
                                   "key file %s, line %u is not a key; allowed: 32 bytes in "
                                   "base64 (gosess keygen makes one), blank lines, and lines that "
                                   "begin with #",
                                   path, line);
            keys->count++;
        }
        text += length + (stop ? 1 : 0);
    }
    if (keys->count > 0)
        return true;
    return gosess_fail(error, error_size,
                       "key file %s holds no key; allowed: one a line, as gosess keygen makes it",
                       path);
}

static bool check_file(int fd, const char *path, char *error, size_t error_size)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return gosess_fail(error, error_size, "key file %s: %s", path, strerror(errno));
    if (!gosess_check_regular(&status, "key file", path, error, error_size))
        return false;
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return gosess_fail(error, error_size,
                           "key file %s belongs to user %ld; allowed: root or the user that "
                           "starts the server, %ld",
                           path, (long)status.st_uid, (long)geteuid());
    if (status.st_mode & 077)
        return gosess_fail(error, error_size,
                           "key file %s is open to others (mode %04o); allowed: 0600 or 0400", path,
                           (unsigned)status.st_mode & 07777);
    if (status.st_size > GOSESS_KEYS_TEXT_MAX)
        return gosess_fail(error, error_size, "key file %s has more than %d bytes", path,
                           GOSESS_KEYS_TEXT_MAX);
    return true;
}

/* Makes a key file of one key under a name of its own, then gives it the name that counts: a
 * reader finds it complete or not at all, and of two makers one is late and uses the other's. */
static bool create_file(const char *path, char *error, size_t error_size)
{
    struct gosess_keys *keys = gosess_keys_random(error, error_size);
    if (!keys)
        return false;
    char text[BASE64_SIZE + 1];
    encode(keys->key[0], text);
    text[BASE64_SIZE] = '\n';
    gosess_keys_free(keys);

    unsigned char unique[8];
    char name[PATH_MAX + 24];
    bool done = gosess_random(unique, sizeof(unique), error, error_size);
    if (done) {
        int length = snprintf(name, sizeof(name), "%s.", path);
        for (size_t i = 0; i < sizeof(unique); i++)
            length += snprintf(name + length, sizeof(name) - (size_t)length, "%02x", unique[i]);
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        done = fd >= 0 && fchmod(fd, 0600) == 0 && gosess_write_all(fd, text, sizeof(text), 0) &&
               fsync(fd) == 0 && (link(name, path) == 0 || errno == EEXIST);
        if (!done)
            gosess_fail(error, error_size, "cannot make key file %s: %s", path, strerror(errno));
        if (fd >= 0) {
            unlink(name);
            close(fd);
        }
    }
    explicit_bzero(text, sizeof(text));
    return done;
}

static int open_file(const char *path, bool create, char *error, size_t error_size)
{
    /* What an operator names may be a link (secrets of Kubernetes are); what lies beside the
     * store is made by us and is none. O_NONBLOCK: a FIFO must not hold the start. */
    int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (create ? O_NOFOLLOW : 0);
    int fd = open(path, flags);
    if (fd < 0 && errno == ENOENT && create && create_file(path, error, error_size))
        fd = open(path, flags);
    else if (fd < 0 && errno == ENOENT && create)
        return -1;
    if (fd < 0)
        gosess_fail(error, error_size, "cannot open key file %s: %s%s", path,
                    errno == ELOOP ? "a symbolic link is not followed here" : strerror(errno),
                    errno == ENOENT   ? " (gosess keygen makes a key)"
                    : errno == EACCES ? "; allowed: a file that this user can read"
                                      : "");
    return fd;
}

struct gosess_keys *gosess_keys_read_open(int fd, const char *path, char *text, size_t *size,
                                          char *error, size_t error_size)
{
    if (!check_file(fd, path, error, error_size))
        return NULL;
    struct gosess_keys *keys = allocate(error, error_size);
    if (!keys)
        return NULL;
    ssize_t n = gosess_read_all(fd, text, GOSESS_KEYS_TEXT_MAX, 0);
    bool good =
        n < 0 ? gosess_fail(error, error_size, "cannot read key file %s: %s", path, strerror(errno))
              : parse(text, (size_t)n, path, keys, error, error_size);
    if (good) {
        *size = (size_t)n;
        return keys;
    }
    gosess_keys_free(keys);
    return NULL;
}

struct gosess_keys *gosess_keys_read(const char *path, bool create, char *error, size_t error_size)
{
    struct gosess_signals signals;
    gosess_signals_block(&signals);
    int fd = open_file(path, create, error, error_size);
    struct gosess_keys *keys = NULL;
    if (fd >= 0) {
        char text[GOSESS_KEYS_TEXT_MAX];
        size_t size;
        keys = gosess_keys_read_open(fd, path, text, &size, error, error_size);
        explicit_bzero(text, sizeof(text));
        close(fd);
    }
    gosess_signals_restore(&signals);
    return keys;
}
