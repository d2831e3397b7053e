/* keys.c - any bytes as a key file: keys come out, or an error without a byte of the file. */
#define _GNU_SOURCE
#include "../../../shim/config/keys.h"
#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int fd;
static char path[64];

static int make_file(void)
{
    fd = memfd_create("keys", MFD_CLOEXEC);
    CHECK(fd >= 0 && fchmod(fd, 0600) == 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[GOSESS_ERROR_SIZE] = "";
    if (!fd)
        make_file();
    CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    struct gosess_keys *keys = gosess_keys_read(path, false, error, sizeof(error));
    if (keys)
        CHECK(keys->count >= 1 && keys->count <= GOSESS_KEYS_MAX && size >= 44 * keys->count);
    else
        CHECK(strncmp(error, "key file /proc/self/fd/", 23) == 0);
    gosess_keys_free(keys);
    return 0;
}
