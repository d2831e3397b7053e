/* header.h - the first 64 bytes of a store, docs/shm-format.md. */
#ifndef GOSESS_CONFIG_HEADER_H
#define GOSESS_CONFIG_HEADER_H

#include "../../shim.h"

enum gosess_header_state {
    GOSESS_HEADER_READY,
    GOSESS_HEADER_UNFINISHED, /* the magic alone: its maker died */
    GOSESS_HEADER_NOT_OURS,
    GOSESS_HEADER_VERSION,
    GOSESS_HEADER_DAMAGED,
    GOSESS_HEADER_ALONE, /* and is to be that of a fleet */
    GOSESS_HEADER_FLEET, /* and is to be one of no fleet */
};

/* How large the file of a store is. */
uint64_t gosess_file_size(uint64_t store_size, bool fleet);

/* id is random, and no other store's: what is stored is bound to it, but in a fleet. */
void gosess_header_encode(unsigned char header[GOSESS_SHM_HEADER_SIZE], uint64_t file_size,
                          bool fleet, uint64_t created, const unsigned char id[GOSESS_SHM_ID_SIZE]);

/*
 * header holds the first length bytes of a file of file_size bytes, the rest of it is zero; fleet:
 * it is to be the store of one.
 */
enum gosess_header_state gosess_header_state(const unsigned char header[GOSESS_SHM_HEADER_SIZE],
                                             size_t length, uint64_t file_size, bool fleet);

#endif
