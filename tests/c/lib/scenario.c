/* scenario.c - what every test program is made of. */
#include "tls.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void say(const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (length < 0 || length >= (int)sizeof line - 1)
        abort();
    line[length++] = '\n';
    /* In one piece and unbuffered: children and handlers say something too. */
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        abort();
}

void give_up(const char *file, int line, const char *expected)
{
    say("%s:%d: not so: %s", file, line, expected);
    _exit(1);
}

static const struct scenario *find(const char *name, const struct scenario *scenarios, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    }
    return NULL;
}

int run_scenarios(int argc, char **argv, const struct scenario *scenarios, size_t count)
{
    int first = 1;
    signal(SIGPIPE, SIG_IGN); /* a peer may be gone before us */
    if (first < argc && strncmp(argv[first], "--tls1.", 7) == 0)
        tls_version = argv[first++][7] == '3' ? TLS1_3_VERSION : TLS1_2_VERSION;
    for (size_t i = 0; first == argc && i < count; i++)
        scenarios[i].run();
    for (int i = first; i < argc; i++) {
        const struct scenario *scenario = find(argv[i], scenarios, count);
        MUST(scenario);
        scenario->run();
    }
    return EXIT_SUCCESS;
}
