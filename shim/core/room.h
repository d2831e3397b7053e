/* room.h - whether there is room for a Go runtime. */
#ifndef GOSESS_CORE_ROOM_H
#define GOSESS_CORE_ROOM_H

#include <stdbool.h>

extern const char gosess_no_threads[]; /* what is said where no thread can be started */

/* NULL where there is room for a Go runtime, or what lacks. In the thread that will load it. */
const char *gosess_lack_of_room(void);

/*
 * Whether the memory of this process was limited when it was looked: then the Go half has what it
 * will ever have (sessioncache/live/reserve.go).
 */
bool gosess_room_limited(void);

#endif
