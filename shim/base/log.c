/*
 * log.c - the one logger. Never allocates, never ends the host, keeps errno.
 */
#define _GNU_SOURCE
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io.h"
#include "text.h"

#define LEVELS (GOSESS_LOG_DEBUG + 1)
#define INTERVAL 60 /* seconds between two lines of one cause */
#define LINE_SIZE 1024
#define ONCE 256 /* lines that are written once */

/* One for every level, so that an info line never hides the error after it. */
struct limit {
    _Atomic uint64_t next; /* seconds of the monotonic clock, which all processes share */
    _Atomic uint64_t suppressed;
};

/* What forked workers share. */
struct said {
    struct limit limits[LEVELS][GOSESS_CAUSE_COUNT];
    _Atomic uint64_t once[ONCE]; /* sums of what was said; 0: free, and so are the next ones */
};

/* Until gosess_log_open has made memory that is shared, and where it cannot. */
static struct said local_said;

static struct {
    enum gosess_log_level level;
    struct said *said;
    int fd;
    /* The file behind fd when it was opened: a host that closes what it does not know
     * (closefrom) and gets the number again for a file of its own shall not find our lines in
     * it. stderr is followed where the host points it at another file (nginx: its error log),
     * but not where it has become another socket, which may be a client's connection. What is
     * left is a host that closes stderr and gets 2 for a file of its own. */
    bool known;
    dev_t device;
    ino_t inode;
} logger = {.level = GOSESS_LOG_ERROR, .said = &local_said, .fd = STDERR_FILENO};

static void use(int fd)
{
    struct stat status;
    logger.fd = fd;
    logger.known = true;
    bool open = fstat(fd, &status) == 0;
    logger.device = open ? status.st_dev : 0;
    logger.inode = open ? status.st_ino : 0;
}

static bool usable(struct stat *status)
{
    if (fstat(logger.fd, status) != 0)
        return false;
    if (!logger.known || (status->st_dev == logger.device && status->st_ino == logger.inode))
        return true;
    return logger.fd == STDERR_FILENO && logger.inode != 0 && !S_ISSOCK(status->st_mode);
}

/* Whether a line may pass now; then *suppressed is how many did not since the last one. */
static bool may_pass(struct limit *limit, uint64_t *suppressed)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t next = atomic_load(&limit->next);
    if ((uint64_t)now.tv_sec < next ||
        !atomic_compare_exchange_strong(&limit->next, &next, (uint64_t)now.tv_sec + INTERVAL)) {
        atomic_fetch_add(&limit->suppressed, 1);
        return false;
    }
    *suppressed = atomic_exchange(&limit->suppressed, 0);
    return true;
}

/* Whether nobody has said this before; then it counts as said. */
static bool is_new(uint64_t sum)
{
    for (size_t i = 0; i < ONCE; i++) {
        uint64_t there = 0;
        if (atomic_compare_exchange_strong(&logger.said->once[i], &there, sum))
            return true;
        if (there == sum)
            return false;
    }
    return false;
}

/* The length of a text that snprintf wrote into room bytes. */
static size_t written(int result, size_t room)
{
    if (result < 0)
        return 0;
    return (size_t)result < room ? (size_t)result : room - 1;
}

static void write_line(uint64_t suppressed, int error, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

static void write_line(uint64_t suppressed, int error, const char *format, va_list arguments)
{
    struct stat status;
    if (!usable(&status))
        return;
    char line[LINE_SIZE];
    char tail[64] = "\n", date[GOSESS_DATE_SIZE + 1] = "";
    if (suppressed > 0)
        snprintf(tail, sizeof(tail), " (%llu more were suppressed)\n",
                 (unsigned long long)suppressed);
    if (S_ISREG(status.st_mode)) {
        gosess_date_text((int64_t)time(NULL), date);
        strcat(date, " ");
    }
    size_t room = sizeof(line) - strlen(tail);
    size_t length = written(snprintf(line, room, "%sgosess: [%ld] ", date, (long)getpid()), room);
    size_t start = length;
    errno = error; /* for %m */
    length += written(vsnprintf(line + length, room - length, format, arguments), room - length);
    /* A file name may hold a line end: it must not look like a line of another. */
    for (size_t i = start; i < length; i++) {
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = '?';
    }
    memcpy(line + length, tail, strlen(tail));
    length += strlen(tail);

    struct gosess_signals signals;
    gosess_signals_block(&signals);
    /* What cannot be written is lost: there is nobody left to tell. */
    ssize_t ignored = write(logger.fd, line, length);
    (void)ignored;
    gosess_signals_restore(&signals);
}

bool gosess_logs(enum gosess_log_level level)
{
    return level != GOSESS_LOG_OFF && level <= logger.level;
}

void gosess_log(enum gosess_log_level level, enum gosess_log_cause cause, const char *format, ...)
{
    int error = errno;
    uint64_t suppressed;
    if (gosess_logs(level) && cause < GOSESS_CAUSE_COUNT &&
        may_pass(&logger.said->limits[level][cause], &suppressed)) {
        va_list arguments;
        va_start(arguments, format);
        write_line(suppressed, error, format, arguments);
        va_end(arguments);
    }
    errno = error;
}

void gosess_log_once(enum gosess_log_level level, uint64_t sum, const char *format, ...)
{
    int error = errno;
    if (gosess_logs(level) && is_new(sum | (sum == 0))) {
        va_list arguments;
        va_start(arguments, format);
        write_line(0, error, format, arguments);
        va_end(arguments);
    }
    errno = error;
}

static bool parse_level(const char *word, size_t length, enum gosess_log_level *level)
{
    static const char *const names[LEVELS] = {"off", "error", "info", "debug"};
    for (int i = 0; i < LEVELS; i++) {
        if (strlen(names[i]) == length && memcmp(names[i], word, length) == 0) {
            *level = (enum gosess_log_level)i;
            return true;
        }
    }
    return false;
}

static enum gosess_log_opened open_file(const char *path, char *error, size_t error_size)
{
    if (path[0] != '/') {
        gosess_fail(error, error_size,
                    "GOSESS_LOG: file \"%s\" is not allowed; allowed: an absolute path", path);
        return GOSESS_LOG_WRONG;
    }
    /* O_NONBLOCK: a FIFO that nobody reads must hold neither the start nor a handshake. */
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    if (fd >= 0 && fd <= STDERR_FILENO) {
        /* A host that was started without stderr would write its own lines to our file. */
        int other = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        close(fd);
        fd = other;
    }
    if (fd < 0) {
        gosess_fail(error, error_size, "GOSESS_LOG: cannot open %s: %s", path, strerror(errno));
        return GOSESS_LOG_ON_STDERR;
    }
    use(fd);
    return GOSESS_LOG_OPENED;
}

enum gosess_log_opened gosess_log_open(const char *value, char *error, size_t error_size)
{
    struct stat status;
    if (logger.said == &local_said) {
        void *shared = mmap(NULL, sizeof(local_said), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared != MAP_FAILED)
            logger.said = shared;
    }
    if (logger.fd != STDERR_FILENO && usable(&status))
        close(logger.fd);
    use(STDERR_FILENO);
    logger.level = GOSESS_LOG_ERROR;
    if (!value || !*value)
        return GOSESS_LOG_OPENED;

    enum gosess_log_level level;
    size_t length = strcspn(value, ":");
    if (!parse_level(value, length, &level)) {
        gosess_fail(error, error_size,
                    "GOSESS_LOG: unknown level \"%.*s\"; allowed: off, error, info, debug, "
                    "each with :FILE or without",
                    (int)(length > 80 ? 80 : length), value);
        return GOSESS_LOG_WRONG;
    }
    enum gosess_log_opened opened = GOSESS_LOG_OPENED;
    if (value[length] == ':')
        opened = open_file(value + length + 1, error, error_size);
    if (opened != GOSESS_LOG_WRONG)
        logger.level = level;
    return opened;
}
