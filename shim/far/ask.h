/* ask.h - asks the agent of the machine for what the near store does not have. */
#ifndef GOSESS_FAR_ASK_H
#define GOSESS_FAR_ASK_H

#include <stdbool.h>

#include "../../shim.h"

struct gosess_window;

/* What is to be done after that. */
enum gosess_far_answer {
    GOSESS_FAR_NONE, /* it is not there, or nobody says so */
    GOSESS_FAR_LATE, /* nobody has said so until the deadline: it may have come by now */
    GOSESS_FAR_HIT,  /* it is in the near store; and of all who take it, this one has it */
};

/* Whether it is worth asking. A look at one word. */
bool gosess_far_is_open(const struct gosess_window *window);

/*
 * Asks, and waits for so many milliseconds at most. The thread is in the host's code otherwise: no
 * lock of gosess, no Go. What stands in the window costs a wait at most. errno is kept, and the
 * thread is not cancelled meanwhile.
 */
enum gosess_far_answer gosess_far_ask(struct gosess_window *window, const struct gosess_far *far,
                                      unsigned wait);

#endif
