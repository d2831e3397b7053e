/* state.h - what loading the Go half changes of the process, and is put back. */
#ifndef GOSESS_CORE_STATE_H
#define GOSESS_CORE_STATE_H

#include <stdbool.h>

/* As the kernel has it: what libc sets has a restorer and a flag for it, and two are hidden. */
struct gosess_action {
    void *handler;
    unsigned long flags;
    void *restorer;
    unsigned char mask[8];
};

bool gosess_action_get(int signal, struct gosess_action *action);
bool gosess_action_set(int signal, const struct gosess_action *action);

/*
 * Before the Go half is loaded and after: what that changes of the process is put back. Both in
 * the thread that loads it.
 */
void gosess_state_note(void);
void gosess_state_restore(void);

#endif
