/* io.h - reading and writing in a thread of the host. */
#ifndef GOSESS_BASE_IO_H
#define GOSESS_BASE_IO_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Blocks every signal of this thread while gosess does I/O of its own in a host's thread: a
 * write to a pipe without a reader (SIGPIPE) or beyond RLIMIT_FSIZE (SIGXFSZ) must not kill
 * the host, and no handler of its may see us in the middle. The end takes the two that we
 * caused ourselves and puts the mask back. Both keep errno.
 */
struct gosess_signals {
    sigset_t mask;
    sigset_t pending;
};
void gosess_signals_block(struct gosess_signals *saved);
void gosess_signals_restore(const struct gosess_signals *saved);

/*
 * Whether the 8 bytes there can be read, without the signal that a read would end the host with
 * where a file was cut short under its mapping. A system call; errno is kept.
 */
bool gosess_readable(const void *bytes);

/* pread and pwrite of everything, resumed after signals. Short only at the end of the file. */
ssize_t gosess_read_all(int fd, void *buffer, size_t size, off_t offset);
bool gosess_write_all(int fd, const void *buffer, size_t size, off_t offset);

#endif
