/*
 * handlers.c - writes what a process does with each signal to the file $HANDLERS, whenever it
 * accepts a connection: the handler as object and offset, its flags and its mask.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RESTORER 0x04000000 /* the C library's own flag, on whatever it has once set */

static char path[4000];

__attribute__((constructor)) static void remember(void)
{
    const char *name = getenv("HANDLERS"); /* nginx clears its environment later */
    if (name && strlen(name) < sizeof(path))
        strcpy(path, name);
}

static void describe(FILE *file, int number, const struct sigaction *action)
{
    uintptr_t handler = (uintptr_t)action->sa_sigaction;
    Dl_info info;
    fprintf(file, "%d ", number);
    if (handler > (uintptr_t)SIG_IGN && dladdr((void *)handler, &info)) {
        const char *slash = strrchr(info.dli_fname, '/');
        fprintf(file, "%s+", slash ? slash + 1 : info.dli_fname);
        handler -= (uintptr_t)info.dli_fbase;
    }
    fprintf(file, "%#lx flags %#x mask", (unsigned long)handler,
            (unsigned)action->sa_flags & ~RESTORER);
    for (int i = 1; i < NSIG; i++) {
        if (sigismember(&action->sa_mask, i) == 1)
            fprintf(file, " %d", i);
    }
    fputc('\n', file);
}

/* All of the file or none: other threads and processes write it too. */
static void write_handlers(void)
{
    char unfinished[sizeof(path) + 32];
    snprintf(unfinished, sizeof(unfinished), "%s.%d", path, (int)gettid());
    FILE *file = path[0] ? fopen(unfinished, "w") : NULL;
    if (!file)
        return;
    for (int i = 1; i < NSIG; i++) {
        struct sigaction action;
        if (sigaction(i, NULL, &action) == 0) /* not those that libc keeps */
            describe(file, i, &action);
    }
    if (fclose(file) == 0)
        rename(unfinished, path);
}

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
    int (*next)(int, struct sockaddr *, socklen_t *, int) = dlsym(RTLD_NEXT, "accept4");
    int accepted = next(fd, address, size, flags);
    if (accepted >= 0)
        write_handlers();
    return accepted;
}
