/*
 * apart.c - apart SECONDS PROGRAM ARGUMENT...: becomes a program whose clock is so many seconds
 * ahead of the machine's, or behind it, for all that is in the process: the C library, and what
 * makes no use of it, as a program in Go does. Its children have the same clock, until they become
 * other programs.
 *
 * No library in the process could do that. All ask the kernel's vdso(7), which is code in the
 * process's own memory: another process stops the program before its first instruction (ptrace(2))
 * and puts other code in the place of what tells the time. Only on x86-64.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    IMAGE = 1 << 14, /* more than the vDSO is long */
    CODE = 32,
    NOTHING = -1,
};

/* Each makes the system call, and adds four bytes of seconds, at that place, where it went well. */
static const struct replacement {
    const char *function;
    unsigned char code[CODE];
    int size, seconds;
} replacements[] = {
    /* mov $228,%eax; syscall; test %eax,%eax; jnz 1f; test %edi,%edi; jz 0f; cmp $5,%edi; jnz 1f;
     * 0: addq $seconds,(%rsi); 1: ret, for CLOCK_REALTIME and CLOCK_REALTIME_COARSE */
    {"__vdso_clock_gettime",
     "\xb8\xe4\0\0\0\x0f\x05\x85\xc0\x75\x10\x85\xff\x74\x05\x83\xff\x05\x75\x07\x48\x81\x06----"
     "\xc3",
     28, 23},
    /* mov $96,%eax; syscall; test %eax,%eax; jnz 1f; test %rdi,%rdi; jz 1f; addq $seconds,(%rdi);
     * 1: ret */
    {"__vdso_gettimeofday",
     "\xb8\x60\0\0\0\x0f\x05\x85\xc0\x75\x0c\x48\x85\xff\x74\x07\x48\x81\x07----\xc3", 24, 19},
    /* mov $201,%eax; syscall; add $seconds,%rax; test %rdi,%rdi; jz 1f; mov %rax,(%rdi); 1: ret */
    {"__vdso_time", "\xb8\xc9\0\0\0\x0f\x05\x48\x05----\x48\x85\xff\x74\x03\x48\x89\x07\xc3", 22,
     9},
};

__attribute__((noreturn)) static void fail(const char *what)
{
    fprintf(stderr, "apart: %s: %s\n", what, strerror(errno));
    _exit(2);
}

static int open_of(pid_t pid, const char *name, int how)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    int fd = open(path, how | O_CLOEXEC);
    if (fd < 0)
        fail(path);
    return fd;
}

/* Where the vDSO of a process is. */
static uint64_t vdso_of(pid_t pid)
{
    Elf64_auxv_t entry;
    int fd = open_of(pid, "auxv", O_RDONLY);
    while (read(fd, &entry, sizeof entry) == sizeof entry)
        if (entry.a_type == AT_SYSINFO_EHDR)
            return close(fd), entry.a_un.a_val;
    fail("there is no vDSO");
}

/* The place of a function in an image; NOTHING where there is none with that much code. */
static int64_t find(const unsigned char *image, const struct replacement *wanted)
{
    const Elf64_Ehdr *header = (const void *)image;
    const Elf64_Shdr *sections = (const void *)(image + header->e_shoff);
    for (int i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type != SHT_DYNSYM)
            continue;
        const char *names = (const char *)image + sections[sections[i].sh_link].sh_offset;
        const Elf64_Sym *symbols = (const void *)(image + sections[i].sh_offset);
        for (size_t j = 0; j < sections[i].sh_size / sizeof *symbols; j++)
            if (strcmp(names + symbols[j].st_name, wanted->function) == 0)
                return symbols[j].st_size >= (size_t)wanted->size ? (int64_t)symbols[j].st_value
                                                                  : NOTHING;
    }
    return NOTHING;
}

static void set_apart(pid_t pid, int32_t seconds)
{
    static _Alignas(8) unsigned char image[IMAGE];
    uint64_t vdso = vdso_of(pid);
    int memory = open_of(pid, "mem", O_RDWR);
    if (pread(memory, image, sizeof image, (off_t)vdso) <= 0)
        fail("the vDSO cannot be read");
    for (size_t i = 0; i < sizeof replacements / sizeof replacements[0]; i++) {
        struct replacement new = replacements[i];
        int64_t at = find(image, &new);
        if (at == NOTHING)
            fail(new.function);
        memcpy(new.code + new.seconds, &seconds, sizeof seconds);
        if (pwrite(memory, new.code, (size_t) new.size, (off_t)vdso + at) != new.size)
            fail("the vDSO cannot be written");
    }
    close(memory);
}

/* Waits until the process has become its program, changes that, and lets it go on. */
static void change(pid_t pid, int32_t seconds, int ready)
{
    int status;
    if (ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_TRACEEXEC) != 0)
        fail("ptrace");
    if (write(ready, "", 1) != 1)
        fail("write");
    do {
        if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
            fail("the program does not begin");
        if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8))
            break;
        ptrace(PTRACE_CONT, pid, NULL, WSTOPSIG(status));
    } while (true);
    set_apart(pid, seconds);
    ptrace(PTRACE_DETACH, pid, NULL, NULL);
    _exit(0);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return fprintf(stderr, "usage: apart SECONDS PROGRAM ARGUMENT...\n"), 2;
    pid_t self = getpid(), child;
    int ready[2];
    char byte;
    if (pipe2(ready, O_CLOEXEC) != 0 || (child = fork()) < 0)
        fail("fork");
    if (child == 0) {
        close(ready[0]);
        /* A grandchild: the program is to have no child that it does not know. */
        pid_t grandchild = fork();
        if (grandchild == 0)
            change(self, atoi(argv[1]), ready[1]);
        _exit(grandchild < 0);
    }
    close(ready[1]);
    waitpid(child, NULL, 0);
    if (read(ready[0], &byte, 1) != 1)
        return 2;
    execvp(argv[2], argv + 2);
    fail(argv[2]);
}
