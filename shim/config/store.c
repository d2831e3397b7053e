/*
 * store.c - opens the mapping of a shm store, and makes the store where there is none.
 *
 * A file is made in this order, under its lock: the magic, all of its space, the header. So
 * whatever a maker that dies leaves behind is empty, or begins with the magic alone, and the
 * next one starts over.
 */
#define _GNU_SOURCE
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../base/files.h"
#include "../base/io.h"
#include "../base/locks.h"
#include "../base/text.h"
#include "../far/window.h"
#include "aside.h"
#include "check.h"
#include "header.h"

#define LOCK_SECONDS 2 /* how long a server start waits for another one */

#ifndef MFD_NOEXEC_SEAL
#    define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3; some systems insist on it */
#endif

/*
 * posix_fallocate(3), unless other processes use the file: where the file system cannot do it,
 * libc does it by writing to pages, and would overwrite what they write there.
 */
static bool allocate(int fd, uint64_t size, bool in_use, const struct gosess_report *report)
{
    int error;
    do {
        if (in_use)
            error = fallocate(fd, 0, 0, (off_t)size) == 0 ? 0 : errno;
        else
            error = posix_fallocate(fd, 0, (off_t)size);
    } while (error == EINTR);
    if (error == 0 || (in_use && error == EOPNOTSUPP))
        return true;
    char text[24];
    gosess_size_text(size, text);
    return GOSESS_FAIL(
        report, "no space for %s of size %s: %s; allowed: what fits, as in size=64m", report->path,
        text, error == EFBIG ? "beyond the largest file size (ulimit -f)" : strerror(error));
}

static bool map(int fd, uint64_t size, struct gosess_store *store,
                const struct gosess_report *report)
{
    void *base = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED)
        return GOSESS_FAIL(report, "cannot map %s: %s", report->path, strerror(errno));
    /* Workers inherit it (no MADV_DONTFORK); a core dump of one need not hold it. */
    madvise(base, (size_t)size, MADV_DONTDUMP);
    store->base = base;
    store->size = size;
    return true;
}

static bool find_window(const struct gosess_url *url, struct gosess_store *store)
{
    if (url->fleet)
        store->window = (void *)((char *)store->base + store->size - GOSESS_WINDOW_SIZE);
    return true;
}

/* The last page goes first, whatever a file is cut to. */
bool gosess_store_whole(const struct gosess_store *store)
{
    return store->fixed ||
           gosess_readable((const char *)store->base + store->size - sizeof(uint64_t));
}

static bool fail_write(const struct gosess_report *report)
{
    return GOSESS_FAIL(report, "cannot write %s: %s", report->path, strerror(errno));
}

static bool write_header(int fd, uint64_t file_size, bool fleet, const struct gosess_report *report)
{
    unsigned char header[GOSESS_SHM_HEADER_SIZE], id[GOSESS_SHM_ID_SIZE];
    if (!gosess_random(id, sizeof(id), report->error, report->error_size))
        return false;
    gosess_header_encode(header, file_size, fleet, (uint64_t)time(NULL), id);
    return gosess_write_all(fd, header, sizeof(header), 0) || fail_write(report);
}

static bool open_anonymous(uint64_t size, struct gosess_store *store, struct gosess_report *report)
{
    report->path = "the store in memory";
    if (!gosess_check_memory(size, report))
        return false;
    int fd = memfd_create("gosess", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("gosess", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return GOSESS_FAIL(report, "cannot make %s: %s", report->path, strerror(errno));
    /* The seals: nobody who opens it through /proc can cut it and so kill us by SIGBUS. */
    /* Its pages come when they are written to, as those of a server's own cache do. */
    bool done = ftruncate(fd, (off_t)size) == 0
                    ? write_header(fd, size, false, report)
                    : GOSESS_FAIL(report, "cannot make %s: %s", report->path, strerror(errno));
    if (done && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        done = GOSESS_FAIL(report, "cannot seal %s: %s", report->path, strerror(errno));
    done = done && map(fd, size, store, report);
    store->fixed = done;
    close(fd);
    return done;
}

static bool before(const struct timespec *deadline)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec < deadline->tv_sec ||
           (now.tv_sec == deadline->tv_sec && now.tv_nsec < deadline->tv_nsec);
}

/* Whether the path still names the file that fd is: another start may have renamed it. */
static bool is_named(int fd, const char *path)
{
    struct stat open_file, named;
    return fstat(fd, &open_file) == 0 && lstat(path, &named) == 0 &&
           open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

/* Opens the file that the path names, makes it where there is none, and locks it. -1: an
 * error, or *again where the path names another file by now. */
static int open_locked(const struct gosess_report *report, const struct timespec *deadline,
                       bool *again)
{
    struct stat status;
    *again = false;
    /* Looked at before it is opened, because opening a device can do something. */
    if (lstat(report->path, &status) == 0 && !gosess_check_file(&status, report))
        return -1;
    int fd =
        open(report->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
    if (fd < 0) {
        gosess_fail_open(report);
        return -1;
    }
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || !before(deadline)) {
            GOSESS_FAIL(report, "cannot lock store %s: %s", report->path,
                        errno == EWOULDBLOCK ? "another process has held the lock for 2 seconds"
                                             : strerror(errno));
            close(fd);
            return -1;
        }
        struct timespec pause = {0, 10 * 1000 * 1000};
        nanosleep(&pause, NULL);
    }
    if (!is_named(fd, report->path)) {
        *again = before(deadline);
        if (!*again)
            GOSESS_FAIL(report, "store %s is replaced again and again", report->path);
        close(fd);
        return -1;
    }
    if (fstat(fd, &status) != 0 || !gosess_check_file(&status, report)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* ?keys=, then GOSESS_KEYS, then PATH.key, which may be made, then a key in memory. */
static struct gosess_keys *open_keys(const struct gosess_url *url, const char *keys_file,
                                     const struct gosess_report *report)
{
    if (*url->keys)
        keys_file = url->keys;
    if (*keys_file)
        return gosess_keys_read(keys_file, false, report->error, report->error_size);
    if (url->fleet) {
        gosess_fail_keyless(report);
        return NULL;
    }
    if (!*url->path)
        return gosess_keys_random(report->error, report->error_size);
    char beside[PATH_MAX];
    gosess_beside(url->path, ".key", beside);
    return gosess_keys_read(beside, true, report->error, report->error_size);
}

/* Makes a store of a locked file, which is emptied first: nothing of an unfinished one is left. */
static bool fill(int fd, const struct gosess_url *url, const char *keys_file,
                 struct gosess_store *store, const struct gosess_report *report)
{
    static const char magic[] = GOSESS_SHM_MAGIC;
    uint64_t size = gosess_file_size(url->size, url->fleet);

    /* The mode is 0600 whatever the umask was. */
    if (ftruncate(fd, 0) != 0 || fchmod(fd, 0600) != 0)
        return fail_write(report);
    if (!gosess_check_disk(size, report))
        return false;
    if (!gosess_write_all(fd, magic, sizeof(magic) - 1, 0))
        return fail_write(report);
    if (!allocate(fd, size, false, report))
        return false;
    store->keys = open_keys(url, keys_file, report);
    if (!store->keys || !write_header(fd, size, url->fleet, report))
        return false;
    if (fsync(fd) != 0)
        return fail_write(report);
    return map(fd, size, store, report) && find_window(url, store);
}

static bool make(int fd, const struct gosess_url *url, const char *keys_file,
                 struct gosess_store *store, const struct gosess_report *report)
{
    bool done = fill(fd, url, keys_file, store, report);
    if (!done)
        unlink(report->path); /* locked, and ours by its name */
    return done;
}

static bool use(int fd, uint64_t file_size, const struct gosess_url *url, const char *keys_file,
                struct gosess_store *store, const struct gosess_report *report)
{
    uint64_t size = file_size - gosess_file_size(0, url->fleet);
    if (url->sized && size != url->size)
        gosess_note_size(size, url->size, report);
    return allocate(fd, file_size, true, report) &&
           (store->keys = open_keys(url, keys_file, report)) != NULL &&
           map(fd, file_size, store, report) && find_window(url, store);
}

/* One try with the locked file. *again where it has made way: the path is free then. */
static bool open_file(int fd, const struct gosess_url *url, const char *keys_file,
                      struct gosess_store *store, const struct gosess_report *report, bool *again)
{
    enum gosess_header_state state = GOSESS_HEADER_NOT_OURS;
    uint64_t size = 0;
    if (!gosess_read_state(fd, url->fleet, &state, &size, report))
        return false;
    switch (state) {
    case GOSESS_HEADER_READY:
        return use(fd, size, url, keys_file, store, report);
    case GOSESS_HEADER_UNFINISHED:
        return make(fd, url, keys_file, store, report);
    case GOSESS_HEADER_NOT_OURS:
        return gosess_fail_not_ours(report);
    case GOSESS_HEADER_FLEET:
        return gosess_fail_fleet(report);
    case GOSESS_HEADER_ALONE:
    case GOSESS_HEADER_VERSION:
    case GOSESS_HEADER_DAMAGED:
        break;
    }
    *again = gosess_put_aside(state, report);
    return false;
}

static bool open_path(const struct gosess_url *url, const char *keys_file,
                      struct gosess_store *store, const struct gosess_report *report)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += LOCK_SECONDS;
    for (;;) {
        bool again;
        int fd = open_locked(report, &deadline, &again);
        bool done = fd >= 0 && open_file(fd, url, keys_file, store, report, &again);
        if (fd >= 0) {
            /* Closing is not enough: a child forked meanwhile has the same lock. */
            flock(fd, LOCK_UN);
            close(fd);
        }
        if (done || !again)
            return done;
    }
}

bool gosess_store_open(const struct gosess_url *url, const char *keys_file,
                       struct gosess_store *store, char *note, char *error, size_t error_size)
{
    struct gosess_report report = {url->path, note, error, error_size};
    struct gosess_signals signals;

    gosess_no_lock_is_held();
    *store = (struct gosess_store){0};
    note[0] = '\0';
    gosess_signals_block(&signals);
    bool done;
    if (*url->path) {
        done = open_path(url, keys_file, store, &report);
    } else {
        store->keys = open_keys(url, keys_file, &report);
        done = store->keys && open_anonymous(url->size, store, &report);
    }
    if (!done) {
        gosess_keys_free(store->keys);
        *store = (struct gosess_store){0};
    }
    gosess_signals_restore(&signals);
    return done;
}
