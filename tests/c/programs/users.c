/* users.c - changes of user, groups and capabilities in a process that has the Go half in it. */
#define _GNU_SOURCE
#include "../lib/hosts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534
#define OTHER 1234
#define SECONDS 60

int capset(cap_user_header_t header, const cap_user_data_t data);

static SSL_CTX *ctx;
static SSL_SESSION *session;

static void load(void)
{
    alarm(SECONDS);
    ctx = new_server();
    full(ctx, &session, NULL);
}

static void end(void)
{
    say("%s", again(ctx, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static void keep(unsigned effective, unsigned permitted)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{effective, permitted, 0}, {0, 0, 0}};
    MUST(syscall(SYS_capset, &header, data) == 0);
}

/* As libcap does: the function of libc. */
static void keep_by_libc(unsigned effective, unsigned permitted)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{effective, permitted, 0}, {0, 0, 0}};
    MUST(capset(&header, data) == 0);
}

#define USERS ((1U << CAP_SETUID) | (1U << CAP_SETGID))

/* --- what the threads are --- */

struct thread {
    unsigned user[4], group[4];
    unsigned long long effective, permitted;
    char groups[256];
};

static int tasks;

/* Before a host goes where it sees no /proc. */
static void open_tasks(void)
{
    tasks = open("/proc/self/task", O_RDONLY | O_DIRECTORY);
    MUST(tasks >= 0);
}

static struct thread look(const char *id)
{
    struct thread thread = {0};
    char name[64], line[512];
    snprintf(name, sizeof name, "%s/status", id);
    int fd = openat(tasks, name, O_RDONLY);
    FILE *status = fd >= 0 ? fdopen(fd, "r") : NULL;
    MUST(status);
    while (fgets(line, sizeof line, status)) {
        unsigned *u = thread.user, *g = thread.group;
        sscanf(line, "Uid: %u %u %u %u", &u[0], &u[1], &u[2], &u[3]);
        sscanf(line, "Gid: %u %u %u %u", &g[0], &g[1], &g[2], &g[3]);
        sscanf(line, "CapEff: %llx", &thread.effective);
        sscanf(line, "CapPrm: %llx", &thread.permitted);
        if (strncmp(line, "Groups:", 7) == 0)
            snprintf(thread.groups, sizeof thread.groups, "%.250s", line);
    }
    fclose(status);
    return thread;
}

static bool has_root(const struct thread *thread)
{
    return thread->user[0] == 0 || thread->user[1] == 0 || thread->user[2] == 0 ||
           thread->user[3] == 0;
}

/* Says what the caller is, and whether other threads are more, or less, than that. */
static void say_threads(const char *when)
{
    char own[16];
    int more = 0, less = 0;
    snprintf(own, sizeof own, "%d", (int)gettid());
    struct thread caller = look(own);
    DIR *each = fdopendir(openat(tasks, ".", O_RDONLY | O_DIRECTORY));
    MUST(each);
    for (struct dirent *entry; (entry = readdir(each));) {
        if (entry->d_name[0] == '.')
            continue;
        struct thread thread = look(entry->d_name);
        more += (thread.permitted & ~caller.permitted) || (thread.effective & ~caller.effective) ||
                (has_root(&thread) && !has_root(&caller));
        less += memcmp(&thread, &caller, sizeof caller) != 0;
    }
    closedir(each);
    say("%s: user %u %u %u, group %u %u %u, %llx of %llx", when, caller.user[0], caller.user[1],
        caller.user[2], caller.group[0], caller.group[1], caller.group[2], caller.effective,
        caller.permitted);
    if (more)
        say("%s: a thread is more than the host", when);
    if (less)
        fprintf(stderr, "%s: other threads are less\n", when);
}

/* --- hosts with one thread --- */

static void ordinary(void)
{
    gid_t groups[] = {7, 8};
    open_tasks();
    load();
    say("%d %d %d", setgroups(2, groups), setgid(NOBODY), seteuid(NOBODY));
    say_threads("a while");
    say("%d %d", seteuid(0), setuid(NOBODY));
    say_threads("for good");
    say("%d %d, %d", seteuid(0), setuid(0), errno == EPERM);
    say("%d %d", seteuid((uid_t)-1), setegid((gid_t)-1));
    end();
}

/* ProFTPD's: the capability to change the user is kept over a change of user. */
static void kept(void)
{
    open_tasks();
    load();
    MUST(prctl(PR_SET_KEEPCAPS, 1) == 0);
    say("%d", setreuid(NOBODY, NOBODY));
    keep(USERS, USERS);
    for (int i = 0; i < 3; i++) {
        say("%d", seteuid(0));
        say_threads("root");
        say("%d", seteuid(NOBODY));
        keep(USERS, USERS);
    }
    say_threads("nobody");
    say("%d %d", initgroups("root", OTHER), setresgid(OTHER, OTHER, OTHER));
    say("%d", setresuid(OTHER, OTHER, OTHER));
    say_threads("other");
    end();
}

/* The same where it was kept before the Go half came. */
static void kept_before(void)
{
    open_tasks();
    MUST(prctl(PR_SET_KEEPCAPS, 1) == 0);
    load();
    say("%d", setreuid(NOBODY, NOBODY));
    keep_by_libc(USERS, USERS);
    say_threads("kept");
    say("%d", seteuid(0));
    say_threads("root");
    end();
}

/* As mod_cap does it. */
static void swapped(void)
{
    open_tasks();
    load();
    say("%d", setresuid((uid_t)-1, 0, (uid_t)-1));
    say("%d", setreuid(NOBODY, 0));
    keep_by_libc(USERS, USERS);
    say("%d", setreuid(0, NOBODY));
    say_threads("swapped");
    keep_by_libc(USERS, USERS);
    say("%d %d", seteuid(0), seteuid(NOBODY));
    keep_by_libc(USERS, USERS);
    say("%d", setuid(OTHER));
    say_threads("other");
    end();
}

/* What the host gives up for good is left in no thread, though it alone had the right to. */
static void given_up(void)
{
    open_tasks();
    load();
    say("%d", seteuid(NOBODY));
    keep(USERS, USERS);
    say("%d", setgid(NOBODY));
    say("%d", setresuid(OTHER, OTHER, OTHER));
    say_threads("given up");
    say("%d", seteuid(0));
    end();
}

static void no_capabilities(void)
{
    open_tasks();
    load();
    keep_by_libc(0, 0);
    say_threads("none");
    say("%d %d", setuid(NOBODY), errno == EPERM);
    say("%d", setresuid(0, 0, 0));
    say_threads("root without");
    end();
}

static void in_chroot(void)
{
    const char *root = getenv("TEST_ROOT");
    open_tasks();
    load();
    MUST(root && chroot(root) == 0 && chdir("/") == 0);
    MUST(prctl(PR_SET_KEEPCAPS, 1) == 0);
    say("%d", setreuid(NOBODY, NOBODY));
    keep(USERS, USERS);
    say("%d", seteuid(0));
    say_threads("root");
    end();
}

static void in_children(void)
{
    open_tasks();
    load();
    MUST(prctl(PR_SET_KEEPCAPS, 1) == 0);
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        say("%d", setreuid(NOBODY, NOBODY));
        keep(USERS, USERS);
        say("%d", seteuid(0));
        _exit(0);
    }
    wait_child(pid);
    end();
}

/* --- hosts with threads --- */

#define THREADS 4

static atomic_int ready;
static atomic_bool go, over;
static atomic_int roots;

static void *waiting(void *unused)
{
    SSL_SESSION *own;
    full(ctx, &own, NULL);
    SSL_SESSION_free(own);
    ready++;
    while (!go)
        usleep(1000);
    roots += geteuid() == 0; /* the kernel's answer for this thread */
    ready--;
    while (!over)
        usleep(1000);
    return unused;
}

/* Threads that were made after the capabilities were kept have them too: all of the host agree. */
static void with_threads(void)
{
    pthread_t threads[THREADS];
    open_tasks();
    load();
    MUST(prctl(PR_SET_KEEPCAPS, 1) == 0);
    say("%d", setreuid(NOBODY, NOBODY));
    keep(USERS, USERS);
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&threads[i], NULL, waiting, NULL) == 0);
    while (ready < THREADS)
        usleep(1000);
    say("%d", seteuid(0));
    go = true;
    while (ready > 0)
        usleep(1000);
    say("%d threads of root", roots);
    say_threads("root");
    over = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    end();
}

static void *changing(void *unused)
{
    for (int i = 0; i < 60; i++)
        MUST(seteuid(0) == 0);
    return unused;
}

static void *serving(void *unused)
{
    while (!over)
        again(ctx, session, NULL);
    return unused;
}

/* Many at once, beside calls of the Go half and threads that come and go. */
static void at_once(void)
{
    pthread_t threads[THREADS], servers[2], brief;
    open_tasks();
    load();
    MUST(prctl(PR_SET_KEEPCAPS, 1) == 0);
    say("%d", setreuid(NOBODY, NOBODY));
    keep(USERS, USERS);
    for (int i = 0; i < 2; i++)
        MUST(pthread_create(&servers[i], NULL, serving, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&threads[i], NULL, changing, NULL) == 0);
    for (int i = 0; i < 4; i++) {
        MUST(pthread_create(&brief, NULL, changing, NULL) == 0);
        pthread_join(brief, NULL);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    over = true;
    for (int i = 0; i < 2; i++)
        pthread_join(servers[i], NULL);
    say_threads("root");
    end();
}

static const struct scenario scenarios[] = {
    {"ordinary", ordinary},         {"kept", kept},
    {"kept-before", kept_before},   {"swapped", swapped},
    {"given-up", given_up},         {"no-capabilities", no_capabilities},
    {"in-chroot", in_chroot},       {"in-children", in_children},
    {"with-threads", with_threads}, {"at-once", at_once},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
