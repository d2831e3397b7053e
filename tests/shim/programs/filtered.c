/*
 * filtered.c - a server some of whose system calls are denied (seccomp(2)).
 *
 * filtered WHO ACTION CALL: the filter is "inherited" from who executed the server, put on by
 * itself with its first context made ("own"), or before that ("early"), or by the call's number
 * ("number"); it answers with EPERM or ENOSYS, or kills.
 */
#define _GNU_SOURCE
#include "../../c/lib/tls.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define VISITS 20

static const struct {
    const char *name;
    unsigned number;
} calls[] = {
#define X(name)           \
    {                     \
#        name, SYS_##name \
    }
    X(brk),
    X(clock_nanosleep),
    X(clone),
    X(clone3),
    X(close),
    X(epoll_create1),
    X(epoll_ctl),
    X(epoll_pwait),
    X(eventfd2),
    X(exit),
    X(fcntl),
    X(flock),
    X(fstat),
    X(futex),
    X(getpid),
    X(getrandom),
    X(gettid),
    X(madvise),
    X(mlock),
    X(mmap),
    X(mprotect),
    X(munmap),
    X(nanosleep),
    X(newfstatat),
    X(openat),
    X(prctl),
    X(pread64),
    X(prlimit64),
    X(read),
    X(rseq),
    X(rt_sigaction),
    X(rt_sigpending),
    X(rt_sigprocmask),
    X(rt_sigtimedwait),
    X(sched_getaffinity),
    X(sched_yield),
    X(set_robust_list),
    X(sigaltstack),
    X(tgkill),
    X(uname),
    X(wait4),
    X(write),
#undef X
};

static struct sock_filter code[4];
static struct sock_fprog filter = {.len = 4, .filter = code};

static void make_filter(const char *action, const char *name)
{
    unsigned number = ~0U, answer = SECCOMP_RET_KILL_PROCESS;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strcmp(calls[i].name, name) == 0)
            number = calls[i].number;
    MUST(number != ~0U || strcmp(name, "none") == 0);
    if (strcmp(action, "kill") != 0)
        answer = SECCOMP_RET_ERRNO | (strcmp(action, "ENOSYS") == 0 ? ENOSYS : EPERM);
    code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0); /* the number */
    code[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
    code[2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer);
    code[3] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
}

static void filter_by_number(void)
{
    MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0);
}

static void filter_myself(void)
{
    MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0);
}

static int serve(SSL_CTX *ctx)
{
    SSL_SESSION *session = NULL;
    SSL_CTX *client = new_client();
    int good = 0;
    for (int i = 0; i < VISITS; i++)
        good += strcmp(visit(ctx, client, &session, NULL), "failed") != 0;
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(ctx);
    return good == VISITS ? 0 : 1;
}

int main(int argc, char **argv)
{
    alarm(60);
    if (argc == 1)
        return serve(new_server());
    MUST(argc == 4);
    make_filter(argv[2], argv[3]);
    if (strcmp(argv[1], "inherited") == 0) {
        filter_by_number();
        execl("/proc/self/exe", argv[0], (char *)NULL);
        return 2;
    }
    if (strcmp(argv[1], "early") == 0) {
        filter_myself();
        return serve(new_server());
    }
    SSL_CTX *ctx = new_server();
    SSL_CTX *client = new_client(); /* what libssl reads once, it has read by now */
    SSL_CTX_free(client);
    if (strcmp(argv[1], "own") == 0)
        filter_myself();
    else
        filter_by_number();
    return serve(ctx);
}
