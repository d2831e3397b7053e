/* state.c - what proc(5) and the getters show of a process, before and after the Go half is in it.
 */
#define _GNU_SOURCE
#include "../../c/lib/hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SIGNALS 64
#define STATE_MAX (1 << 18)

static SSL_CTX *ctx;
static SSL_SESSION *session;

/* --- what is looked at, one line each: "what: value" --- */

struct state {
    size_t length;
    char text[STATE_MAX];
};

__attribute__((format(printf, 2, 3))) static void note(struct state *state, const char *format, ...)
{
    va_list arguments;
    size_t room = STATE_MAX - state->length;
    va_start(arguments, format);
    int length = vsnprintf(state->text + state->length, room, format, arguments);
    va_end(arguments);
    MUST(length >= 0 && (size_t)length < room);
    state->length += (size_t)length;
}

static void note_bytes(struct state *state, const char *what, const void *bytes, size_t size)
{
    note(state, "%s: ", what);
    for (size_t i = 0; i < size; i++)
        note(state, "%02x", ((const unsigned char *)bytes)[i]);
    note(state, "\n");
}

/* What changes by itself, with threads and mappings, or is counted for all of a user (SigQ). */
static bool changes(const char *line)
{
    static const char *const names[] = {"Vm",      "Rss",     "Hugetlb", "Threads:", "voluntary",
                                        "nonvolu", "FDSize:", "State:",  "CoreDump", "SigQ:"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strncmp(line, names[i], strlen(names[i])) == 0)
            return true;
    }
    return false;
}

static void note_file(struct state *state, const char *path)
{
    char line[4096];
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (!changes(line))
            note(state, "%s %s\n", path, line);
    }
    if (file)
        fclose(file);
    else
        note(state, "%s: not there\n", path);
}

static void note_link(struct state *state, const char *path)
{
    char target[4096] = "";
    ssize_t length = readlink(path, target, sizeof target - 1);
    note(state, "%s: %s\n", path, length < 0 ? strerror(errno) : target);
}

static void note_files(struct state *state)
{
    static const char *const files[] = {
        "/proc/thread-self/status", "/proc/self/limits",          "/proc/self/timers",
        "/proc/self/oom_score_adj", "/proc/self/coredump_filter", "/proc/self/cgroup",
        "/proc/self/comm",          "/proc/self/loginuid",        "/proc/self/attr/current",
        "/proc/self/uid_map",       "/proc/self/gid_map",         "/proc/self/setgroups",
        "/proc/self/personality",   "/proc/self/timens_offsets",  "/proc/self/autogroup",
        "/proc/thread-self/comm",   "/proc/thread-self/cpuset",
    };
    static const char *const links[] = {
        "/proc/self/cwd",    "/proc/self/root",   "/proc/self/exe",    "/proc/self/ns/mnt",
        "/proc/self/ns/net", "/proc/self/ns/pid", "/proc/self/ns/user"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        note_file(state, files[i]);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        note_link(state, links[i]);
}

static void note_descriptors(struct state *state)
{
    for (int fd = 0; fd <= 2; fd++) {
        struct stat status = {0};
        int found = fstat(fd, &status);
        note(state, "descriptor %d: %d, file %lx:%lx, flags %x, %x\n", fd, found,
             (unsigned long)status.st_dev, (unsigned long)status.st_ino, fcntl(fd, F_GETFD),
             fcntl(fd, F_GETFL));
    }
}

/* As the kernel has them: libc hides two signals and the restorer. */
static void note_signals(struct state *state)
{
    sigset_t set;
    stack_t stack;
    for (int i = 1; i <= SIGNALS; i++) {
        unsigned long action[4] = {0};
        char what[32];
        snprintf(what, sizeof what, "signal %d", i);
        syscall(SYS_rt_sigaction, i, NULL, action, sizeof action[3]);
        note_bytes(state, what, action, sizeof action);
    }
    MUST(pthread_sigmask(SIG_SETMASK, NULL, &set) == 0 && sigaltstack(NULL, &stack) == 0);
    note_bytes(state, "signal mask", &set, SIGNALS / 8);
    MUST(sigpending(&set) == 0);
    note_bytes(state, "pending signals", &set, SIGNALS / 8);
    note(state, "alternate stack: %p, %zu, flags %x\n", stack.ss_sp, stack.ss_size, stack.ss_flags);
}

static void note_limits(struct state *state)
{
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit limit = {0};
        MUST(getrlimit((__rlimit_resource_t)i, &limit) == 0);
        note(state, "limit %d: %llu, %llu\n", i, (unsigned long long)limit.rlim_cur,
             (unsigned long long)limit.rlim_max);
    }
}

static void note_flags(struct state *state)
{
    static const int getters[] = {PR_GET_DUMPABLE,   PR_GET_KEEPCAPS,     PR_GET_SECUREBITS,
                                  PR_GET_TIMERSLACK, PR_GET_NO_NEW_PRIVS, PR_GET_THP_DISABLE,
                                  PR_GET_TIMING,     PR_MCE_KILL_GET,     PR_GET_SECCOMP};
    int number = 0;
    for (size_t i = 0; i < sizeof getters / sizeof *getters; i++)
        note(state, "prctl %d: %d\n", getters[i], prctl(getters[i], 0, 0, 0, 0));
    prctl(PR_GET_CHILD_SUBREAPER, &number);
    note(state, "subreaper: %d\n", number);
    prctl(PR_GET_PDEATHSIG, &number);
    note(state, "signal of the parent's death: %d\n", number);
    prctl(PR_GET_TSC, &number);
    note(state, "time stamp counter: %d\n", number);
    mode_t mask = umask(0);
    umask(mask);
    note(state, "umask: %o\n", mask);
    note(state, "personality: %x\n", personality(0xffffffff));
    unsigned control = 0;
#if defined __x86_64__
    __asm__ volatile("stmxcsr %0" : "=m"(control));
    control &= ~0x3fU; /* exceptions that have been */
#endif
    note(state, "floating point: %x\n", control);
}

static void note_scheduling(struct state *state)
{
    struct sched_param parameters;
    cpu_set_t processors;
    note(state, "nice: %d\n", getpriority(PRIO_PROCESS, 0));
    MUST(sched_getparam(0, &parameters) == 0);
    note(state, "policy: %d, %d\n", sched_getscheduler(0), parameters.sched_priority);
    MUST(sched_getaffinity(0, sizeof processors, &processors) == 0);
    note_bytes(state, "processors", &processors, sizeof processors);
    note(state, "priority of input and output: %ld\n", syscall(SYS_ioprio_get, 1, 0));
    for (int i = 0; i < 3; i++) {
        struct itimerval timer;
        MUST(getitimer((__itimer_which_t)i, &timer) == 0);
        note(state, "timer %d: %s, every %ld s\n", i, timer.it_value.tv_sec ? "set" : "not set",
             (long)timer.it_interval.tv_sec);
    }
}

static void note_library(struct state *state)
{
    note(state, "locale: %s\n", setlocale(LC_ALL, NULL));
    for (int i = 0; environ[i]; i++)
        note(state, "environment %d: %s\n", i, environ[i]);
}

static struct state *look(void)
{
    struct state *state = calloc(1, sizeof *state);
    MUST(state);
    note_descriptors(state); /* before others open any */
    note_limits(state);
    note_signals(state);
    note_flags(state);
    note_scheduling(state);
    note_files(state);
    note_library(state);
    return state;
}

/* Says each line that is another one now. */
static void compare(const char *who, const struct state *before, const struct state *after)
{
    const char *a = before->text, *b = after->text;
    while (*a && *b) {
        size_t m = strcspn(a, "\n"), n = strcspn(b, "\n");
        if (m != n || memcmp(a, b, m) != 0) {
            say("%s: %.*s", who, (int)strcspn(a, ":"), a);
            fprintf(stderr, "was %.*s\nis  %.*s\n", (int)m, a, (int)n, b);
        }
        a += m + (a[m] == '\n');
        b += n + (b[n] == '\n');
    }
    MUST(!*a && !*b);
    say("served");
}

/* --- the hosts --- */

static void *nothing(void *unused)
{
    return unused;
}

static void *other_thread(void *unused)
{
    struct state *before = look();
    serve_hundred(ctx);
    struct state *after = look();
    compare("thread", before, after);
    free(before);
    free(after);
    return unused;
}

/* Looks before the Go half is loaded and after, and at a thread that calls it for the first time.
 */
static void serve_and_compare(void)
{
    pthread_t thread;
    struct rlimit files = {64, 4096};
    struct itimerval hour = {{3600, 0}, {3600, 0}};
    MUST(setrlimit(RLIMIT_NOFILE, &files) == 0 && setitimer(ITIMER_REAL, &hour, NULL) == 0);
    MUST(pthread_create(&thread, NULL, nothing, NULL) == 0); /* libc sets its own signal now */
    pthread_join(thread, NULL);
    umask(027);
    ctx = new_server();
    struct state *before = look();
    full(ctx, &session, NULL);
    struct state *after = look();
    compare("first", before, after);
    free(after);
    serve_hundred(ctx);
    after = look();
    compare("hundred", before, after);
    free(before);
    free(after);
    MUST(pthread_create(&thread, NULL, other_thread, NULL) == 0);
    pthread_join(thread, NULL);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static void handler(int signal)
{
    (void)signal;
}

static void set_all(void (*what)(int), int flags)
{
    struct sigaction action = {.sa_handler = what, .sa_flags = flags};
    sigaddset(&action.sa_mask, SIGUSR2);
    for (int i = 1; i <= SIGNALS; i++)
        sigaction(i, &action, NULL); /* not of KILL and STOP, nor of libc's own */
}

static void unset(void)
{
    signal(SIGPIPE, SIG_DFL); /* the test library has set it */
    serve_and_compare();
}

/* As a program is started: nothing has gone through libc. */
static void untouched(void)
{
    unsigned long action[4] = {0};
    MUST(syscall(SYS_rt_sigaction, SIGPIPE, action, NULL, sizeof action[3]) == 0);
    serve_and_compare();
}

static void ignored(void)
{
    set_all(SIG_IGN, 0);
    signal(SIGCHLD, SIG_DFL);
    serve_and_compare();
}

static void handled(void)
{
    static char space[1 << 16];
    stack_t stack = {.ss_sp = space, .ss_size = sizeof space};
    MUST(sigaltstack(&stack, NULL) == 0);
    set_all(handler, SA_RESTART);
    prctl(PR_SET_TIMERSLACK, 123456);
    prctl(PR_SET_KEEPCAPS, 1);
    prctl(PR_SET_NAME, "a-host");
    serve_and_compare();
}

static const struct scenario scenarios[] = {
    {"unset", unset},
    {"untouched", untouched},
    {"ignored", ignored},
    {"handled", handled},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
