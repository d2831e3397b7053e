/* options.h - the command line of load. */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include <stdbool.h>

enum {
    MAX_THREADS = 64,
    MAX_SESSIONS = 1000000,
    MAX_TARGETS = 16,
};

/* What is said to a server of mail, and how what it says begins. */
struct mail {
    const char *name, *greeting, *hello, *hello_answer, *starttls, *starttls_answer, *bye,
        *bye_answer;
};

struct options {
    const struct mail *mail; /* STARTTLS and no HTTP; NULL: HTTP */
    char *host, *tls, *sni, *header, *path, *groups, *sigalgs, *cert, *key, *save, *load, *starttls;
    char *ports[MAX_TARGETS];
    int targets, threads, sessions, attempts, timeout, names, fresh;
    bool no_ticket, no_shutdown, by_length, greeting, silent, until_end, handshake_only,
        resume_only, once, random, early;
};

extern struct options options;

/* Fills options. Where the arguments make no sense it says why and ends the program. */
void options_parse(int argc, char **argv);

/* The protocol of that name; NULL where there is none. */
const struct mail *mail_protocol(const char *name);

/* Talks until the server waits for a ClientHello. */
bool mail_starttls(const struct mail *mail, int fd);

/* Prints "load: ..." to stderr and ends the program: the run itself did not work. */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

#endif
