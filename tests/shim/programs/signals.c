/* signals.c - what becomes of the host's signals when the Go half is in its process. */
#define _GNU_SOURCE
#include "../../c/lib/hosts.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define SIGNALS 64

static SSL_CTX *ctx;
static SSL_SESSION *session;

static void load(void)
{
    ctx = new_server();
    full(ctx, &session, NULL);
    MUST(strcmp(again(ctx, session, NULL), "resumed") == 0);
}

static void end(void)
{
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

/* --- dispositions --- */

/* As the kernel has it: libc hides two signals and the restorer. */
struct kernel_action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
};

static struct kernel_action current(int signal)
{
    struct kernel_action action = {0};
    syscall(SYS_rt_sigaction, signal, NULL, &action, sizeof action.mask);
    return action;
}

static void plain_handler(int signal)
{
    (void)signal;
}

static void info_handler(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
}

/* Every signal in one of the ways in which a host sets them; which depends on the round. */
static void set_all(int round)
{
    for (int i = 1; i <= SIGNALS; i++) {
        struct sigaction action = {0};
        switch ((i + round) % 5) {
        case 0:
            action.sa_handler = SIG_IGN;
            break;
        case 1:
            action.sa_handler = SIG_DFL;
            break;
        case 2:
            action.sa_handler = plain_handler;
            sigaddset(&action.sa_mask, SIGUSR2);
            break;
        case 3:
            action.sa_sigaction = info_handler;
            action.sa_flags = SA_SIGINFO | SA_RESTART;
            break;
        case 4:
            action.sa_handler = plain_handler;
            action.sa_flags = SA_ONSTACK | SA_NODEFER;
            break;
        }
        sigaction(i, &action, NULL); /* not of KILL and STOP, nor of libc's own */
    }
}

static void *nothing(void *unused)
{
    return unused;
}

/* A process of its own for each round, because the Go half is loaded once. */
static void dispositions(int round)
{
    static struct kernel_action before[SIGNALS + 1];
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, nothing, NULL) == 0); /* libc sets its own signal now */
    pthread_join(thread, NULL);
    set_all(round);
    sigset_t mask_before, mask_after;
    sigemptyset(&mask_before);
    sigaddset(&mask_before, SIGTERM);
    sigaddset(&mask_before, SIGURG);
    pthread_sigmask(SIG_SETMASK, &mask_before, NULL);
    for (int i = 1; i <= SIGNALS; i++)
        before[i] = current(i);
    load();
    for (int i = 1; i <= SIGNALS; i++) {
        struct kernel_action after = current(i);
        if (after.handler != before[i].handler)
            say("signal %d: another handler", i);
        else if (after.flags != before[i].flags)
            say("signal %d: other flags: %#lx, %#lx", i, before[i].flags, after.flags);
        else if (after.mask != before[i].mask || after.restorer != before[i].restorer)
            say("signal %d: other mask or restorer", i);
    }
    pthread_sigmask(SIG_SETMASK, NULL, &mask_after);
    say("mask %s", memcmp(&mask_before, &mask_after, sizeof(long)) == 0 ? "kept" : "changed");
    end();
}

static void round_0(void)
{
    dispositions(0);
}

static void round_1(void)
{
    dispositions(1);
}

static void round_2(void)
{
    dispositions(2);
}

static void round_3(void)
{
    dispositions(3);
}

static void round_4(void)
{
    dispositions(4);
}

/* --- the host's own faults --- */

static sigjmp_buf back;
static volatile sig_atomic_t caught;
static volatile sig_atomic_t had_address;

static void catch_fault(int signal, siginfo_t *info, void *context)
{
    (void)context;
    caught = signal;
    had_address = info->si_addr != NULL;
    siglongjmp(back, 1);
}

static void *volatile no_page = (void *)16;
static volatile int zero, one = 1;

static void fault(int signal)
{
    caught = 0;
    if (sigsetjmp(back, 1) == 0) {
        if (signal == SIGSEGV)
            *(volatile char *)no_page = 1;
        if (signal == SIGFPE)
            zero = one / zero;
        if (signal == SIGBUS) {
            char name[] = "/tmp/gosess-signals-XXXXXX";
            int fd = mkstemp(name);
            MUST(fd >= 0 && unlink(name) == 0 && ftruncate(fd, 4096) == 0);
            volatile char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            MUST(page != MAP_FAILED && ftruncate(fd, 0) == 0);
            close(fd);
            *page = 1;
        }
        say("%s: no fault", sigabbrev_np(signal));
        return;
    }
    say("%s: %s, address %s", sigabbrev_np(signal), caught == signal ? "caught" : "another",
        had_address ? "given" : "missing");
}

static void own_faults(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE};
    struct sigaction action = {.sa_sigaction = catch_fault, .sa_flags = SA_SIGINFO};
    for (int i = 0; i < 3; i++)
        sigaction(signals[i], &action, NULL);
    load();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3; i++)
            fault(signals[i]);
        say("%s", again(ctx, session, NULL));
    }
    end();
}

/* A host without a handler dies of its fault, as it would without gosess. */
static void fatal_fault(void)
{
    load();
    *(volatile char *)no_page = 1;
}

/* --- storms --- */

static atomic_long arrived[SIGNALS + 1];
static atomic_bool over;
static pthread_t target;

static void count_signal(int signal)
{
    char space[4096]; /* a handler may use some stack */
    memset(space, signal, sizeof space);
    __asm__ volatile("" : : "r"(space) : "memory");
    arrived[signal]++;
}

static void *sender(void *unused)
{
    (void)unused;
    while (!over) {
        pthread_kill(target, SIGUSR1);
        pthread_kill(target, SIGURG);
        kill(getpid(), SIGUSR2); /* to any thread */
        usleep(50);
    }
    return NULL;
}

static void storm(void)
{
    static const int signals[] = {SIGUSR1, SIGUSR2, SIGURG, SIGALRM, SIGPROF};
    struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART};
    for (int i = 0; i < 5; i++)
        sigaction(signals[i], &action, NULL);
    struct itimerval often = {{0, 500}, {0, 500}};
    target = pthread_self();
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, sender, NULL) == 0);
    setitimer(ITIMER_REAL, &often, NULL);
    setitimer(ITIMER_PROF, &often, NULL);
    load();
    SSL_CTX *client = new_client();
    int resumed = 0;
    for (int i = 0; i < 10000; i++) {
        struct connection c = open_connection(ctx, client, session, NULL);
        shake_hands(&c);
        resumed += strcmp(outcome(&c), "resumed") == 0;
        close_connection(&c, CLEAN);
    }
    over = true;
    pthread_join(thread, NULL);
    say("%d resumed", resumed);
    for (int i = 0; i < 5; i++)
        say("%s %s", sigabbrev_np(signals[i]), arrived[signals[i]] > 10 ? "arrived" : "missing");
    SSL_CTX_free(client);
    end();
}

/* --- the first call of a thread, which makes it known to Go --- */

static _Thread_local char *stack_low, *stack_high;
static atomic_long astray;
static atomic_int pestered; /* the thread's number */

static void check_stack(int signal)
{
    char here;
    if (stack_high && (&here < stack_low || &here >= stack_high))
        astray++;
    count_signal(signal);
}

static void *first_call(void *unused)
{
    pthread_attr_t attributes;
    void *low;
    size_t size;
    MUST(pthread_getattr_np(pthread_self(), &attributes) == 0);
    MUST(pthread_attr_getstack(&attributes, &low, &size) == 0);
    pthread_attr_destroy(&attributes);
    stack_low = low;
    stack_high = stack_low + size;
    pestered = gettid();
    /* Calls of the Go half that are quick. Another thread makes the first 32: capi/gate.c. */
    for (int i = 0; i < 40; i++)
        SSL_CTX_remove_session(ctx, session);
    return unused;
}

static void *pester(void *unused)
{
    while (!over) {
        syscall(SYS_tgkill, getpid(), pestered, SIGCHLD);
        usleep(1); /* else the other thread does nothing but take signals */
    }
    return unused;
}

static void first_calls(void)
{
    struct sigaction action = {.sa_handler = check_stack, .sa_flags = SA_RESTART};
    sigaction(SIGCHLD, &action, NULL);
    load();
    pestered = gettid();
    pthread_t thread, first;
    MUST(pthread_create(&thread, NULL, pester, NULL) == 0);
    for (int i = 0; i < 3000; i++) {
        MUST(pthread_create(&first, NULL, first_call, NULL) == 0);
        pthread_join(first, NULL);
    }
    over = true;
    pthread_join(thread, NULL);
    say("CHLD %s, %ld on a strange stack", arrived[SIGCHLD] > 10 ? "arrived" : "missing",
        (long)astray);
    end();
}

/* --- setuid in every thread, which libc does by a signal --- */

static void *busy(void *unused)
{
    (void)unused;
    SSL_CTX *client = new_client();
    while (!over) {
        struct connection c = open_connection(ctx, client, session, NULL);
        shake_hands(&c);
        close_connection(&c, CLEAN);
    }
    SSL_CTX_free(client);
    return NULL;
}

static void setuid_everywhere(void)
{
    pthread_t thread[3];
    alarm(60);
    load();
    for (int i = 0; i < 3; i++)
        MUST(pthread_create(&thread[i], NULL, busy, NULL) == 0);
    for (int i = 0; i < 300; i++)
        MUST(setuid(getuid()) == 0);
    over = true;
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    say("%s", again(ctx, session, NULL));
    end();
}

static const struct scenario scenarios[] = {
    {"dispositions-0", round_0},  {"dispositions-1", round_1},
    {"dispositions-2", round_2},  {"dispositions-3", round_3},
    {"dispositions-4", round_4},  {"own-faults", own_faults},
    {"fatal-fault", fatal_fault}, {"storm", storm},
    {"first-calls", first_calls}, {"setuid-everywhere", setuid_everywhere},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
