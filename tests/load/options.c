/* options.c - the command line of load: see usage. */
#include "options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char default_host[] = "127.0.0.1", default_path[] = "/", default_version[] = "1.3";

struct options options = {
    .host = default_host,
    .tls = default_version,
    .path = default_path,
    .threads = 4,
    .sessions = 200,
    .attempts = 2000,
    .timeout = 300,
};

void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

static int number(const char *name, const char *text, int low, int high)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (*text == 0 || *end != 0 || errno != 0 || value < low || value > high)
        die("--%s %s: a number from %d to %d", name, text, low, high);
    return (int)value;
}

static const char usage[] =
    "usage: load --port [HOST:]PORT... [--host 127.0.0.1] [--tls 1.2|1.3|any] [--threads 4]\n"
    "            [--sessions 200] [--attempts 2000] [--timeout 300] [--sni NAME] [--get /] "
    "[--groups LIST]\n"
    "            [--names COUNT] [--sigalgs LIST] [--cert FILE --key FILE] [--save FILE]\n"
    "            [--load FILE] [--no-ticket] [--no-shutdown] [--starttls smtp|imap] [--by-length]\n"
    "            [--greeting] [--silent] [--until-end] [--handshake-only] [--resume-only]\n"
    "            [--once] [--host-header NAME] [--random] [--new PERCENT] [--early]\n"
    "--port may be given several times: a session is used at each of them in turn.\n"
    "--random: a session is used at any of them, and then what came of it; of the attempts\n"
    "--new are of clients that have none.\n"
    "--early: an empty line goes before the request, as early data where a session allows it.\n"
    "--names: session number N of the pool is one of the name (N modulo COUNT).NAME.\n"
    "--sigalgs: what the server may sign with, as in SSL_CTX_set1_sigalgs_list(3).\n"
    "--by-length: the client ends the connection, where the answer ends by its Content-Length.\n"
    "--silent: nothing is asked, and a ticket waited for in TLS 1.3.\n"
    "--until-end: nothing is asked; each connection ends when the server ends it too.\n"
    "--handshake-only: attempts to resume ask nothing, and wait for a ticket in TLS 1.3.\n"
    "--resume-only: they are broken off where the server does not resume, before it stores.\n"
    "--once: a session is offered once; then its connection's newest, or none where none came.\n";

/* Takes one option apart and returns how many arguments it is made of; 0: no such option. */
static int take_option(const char *name, char *value)
{
    const struct {
        const char *name;
        char **text;
    } texts[] = {{"host", &options.host},       {"tls", &options.tls},
                 {"sni", &options.sni},         {"get", &options.path},
                 {"cert", &options.cert},       {"groups", &options.groups},
                 {"key", &options.key},         {"save", &options.save},
                 {"load", &options.load},       {"starttls", &options.starttls},
                 {"sigalgs", &options.sigalgs}, {"host-header", &options.header}};
    const struct {
        const char *name;
        int *number;
        int low, high;
    } numbers[] = {{"threads", &options.threads, 1, MAX_THREADS},
                   {"sessions", &options.sessions, 1, MAX_SESSIONS},
                   {"attempts", &options.attempts, 0, MAX_SESSIONS},
                   {"timeout", &options.timeout, 1, 3600},
                   {"names", &options.names, 1, MAX_SESSIONS},
                   {"new", &options.fresh, 0, 100}};
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"no-ticket", &options.no_ticket},
                 {"no-shutdown", &options.no_shutdown},
                 {"by-length", &options.by_length},
                 {"greeting", &options.greeting},
                 {"silent", &options.silent},
                 {"until-end", &options.until_end},
                 {"handshake-only", &options.handshake_only},
                 {"resume-only", &options.resume_only},
                 {"once", &options.once},
                 {"random", &options.random},
                 {"early", &options.early}};

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (strcmp(name, flags[i].name) == 0)
            return *flags[i].flag = true;
    if (value != NULL && strcmp(name, "port") == 0) {
        if (options.targets == MAX_TARGETS)
            die("--port: at most %d of them", MAX_TARGETS);
        options.ports[options.targets++] = value;
        return 2;
    }
    for (size_t i = 0; value != NULL && i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strcmp(name, texts[i].name) == 0) {
            *texts[i].text = value;
            return 2;
        }
    for (size_t i = 0; value != NULL && i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (strcmp(name, numbers[i].name) == 0) {
            *numbers[i].number = number(name, value, numbers[i].low, numbers[i].high);
            return 2;
        }
    return 0;
}

void options_parse(int argc, char **argv)
{
    for (int i = 1; i < argc;) {
        bool is_option = strncmp(argv[i], "--", 2) == 0;
        int taken = is_option ? take_option(argv[i] + 2, argv[i + 1]) : 0;
        if (taken == 0) {
            fputs(usage, stderr);
            exit(2);
        }
        i += taken;
    }
    if (options.targets == 0)
        die("--port is needed");
    if (strcmp(options.tls, "1.2") != 0 && strcmp(options.tls, "1.3") != 0 &&
        strcmp(options.tls, "any") != 0)
        die("--tls %s: 1.2, 1.3 or any", options.tls);
    if (options.starttls != NULL && (options.mail = mail_protocol(options.starttls)) == NULL)
        die("--starttls %s: smtp or imap", options.starttls);
}
