/* options.h - the command line of load. */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include <stdbool.h>

enum {
    MAX_THREADS = 64,
    MAX_SESSIONS = 1000000,
};

struct options {
    char *host, *port, *tls, *sni, *path, *groups, *cert, *key, *save, *load;
    int threads, sessions, attempts, timeout;
    bool no_ticket, no_shutdown, greeting;
};

extern struct options options;

/* Fills options. Where the arguments make no sense it says why and ends the program. */
void options_parse(int argc, char **argv);

/* Prints "load: ..." to stderr and ends the program: the run itself did not work. */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

#endif
