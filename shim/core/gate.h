/* gate.h - the way into the Go half. */
#ifndef GOSESS_CORE_GATE_H
#define GOSESS_CORE_GATE_H

/* Once, before the Go half is loaded. */
void gosess_gate_prepare(void);

/* start->in_go of shim.h. */
void gosess_gate_pass(void (*work)(void *), void *argument);

/* Does the work of threads that do not go in themselves, for good: in the one that loaded. */
_Noreturn void gosess_gate_serve(void (*make_room)(void));

#endif
