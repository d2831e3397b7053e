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
};

/* id is random, and no other store's: what is stored is bound to it. */
void gosess_header_encode(unsigned char header[GOSESS_SHM_HEADER_SIZE], uint64_t size,
                          uint64_t created, const unsigned char id[GOSESS_SHM_ID_SIZE]);

/* header holds the first length bytes of a file of file_size bytes, the rest of it is zero. */
enum gosess_header_state gosess_header_state(const unsigned char header[GOSESS_SHM_HEADER_SIZE],
                                             size_t length, uint64_t file_size);

#endif
