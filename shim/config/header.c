/*
 * header.c - the 64 bytes at the start of a store: docs/shm-format.md. All little-endian.
 */
#define _GNU_SOURCE
#include "header.h"

#include <string.h>

#include "../far/window.h"
#include "url.h"

enum {
    MAGIC = GOSESS_SHM_AT_MAGIC,
    VERSION = GOSESS_SHM_AT_VERSION,
    HEADER_SIZE = GOSESS_SHM_AT_HEADER_SIZE,
    FILE_SIZE = GOSESS_SHM_AT_SIZE,
    CREATED = GOSESS_SHM_AT_CREATED,
    ID = GOSESS_SHM_AT_ID,
    KIND = GOSESS_SHM_AT_KIND,
    CHECKSUM = GOSESS_SHM_AT_CHECKSUM,
};

_Static_assert(sizeof(GOSESS_SHM_MAGIC) - 1 == VERSION - MAGIC, "the magic fills its place");
_Static_assert(ID + GOSESS_SHM_ID_SIZE <= KIND && KIND + 4 <= CHECKSUM, "the id fits");
_Static_assert(CHECKSUM + 4 == GOSESS_SHM_HEADER_SIZE, "the sum is of all before it");

static void put(unsigned char *at, int bytes, uint64_t value)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get(const unsigned char *at, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

/* CRC-32 of IEEE 802.3, reflected: that of zlib and of Go's hash/crc32. */
static uint32_t checksum(const unsigned char *bytes, size_t length)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

uint64_t gosess_file_size(uint64_t store_size, bool fleet)
{
    return store_size + (fleet ? GOSESS_WINDOW_SIZE : 0);
}

void gosess_header_encode(unsigned char header[GOSESS_SHM_HEADER_SIZE], uint64_t file_size,
                          bool fleet, uint64_t created, const unsigned char id[GOSESS_SHM_ID_SIZE])
{
    memset(header, 0, GOSESS_SHM_HEADER_SIZE);
    memcpy(header + MAGIC, GOSESS_SHM_MAGIC, VERSION - MAGIC);
    put(header + VERSION, 4, GOSESS_SHM_VERSION);
    put(header + HEADER_SIZE, 4, GOSESS_SHM_HEADER_SIZE);
    put(header + FILE_SIZE, 8, file_size);
    put(header + CREATED, 8, created);
    memcpy(header + ID, id, GOSESS_SHM_ID_SIZE);
    put(header + KIND, 4, fleet ? GOSESS_SHM_KIND_FLEET : 0);
    put(header + CHECKSUM, 4, checksum(header, CHECKSUM));
}

enum gosess_header_state gosess_header_state(const unsigned char header[GOSESS_SHM_HEADER_SIZE],
                                             size_t length, uint64_t file_size, bool fleet)
{
    static const unsigned char zero[GOSESS_SHM_HEADER_SIZE];

    if (length < VERSION || memcmp(header, GOSESS_SHM_MAGIC, VERSION - MAGIC) != 0)
        return GOSESS_HEADER_NOT_OURS;
    if (memcmp(header + VERSION, zero, GOSESS_SHM_HEADER_SIZE - VERSION) == 0)
        return GOSESS_HEADER_UNFINISHED;
    if (get(header + VERSION, 4) != GOSESS_SHM_VERSION)
        return GOSESS_HEADER_VERSION;
    if (get(header + CHECKSUM, 4) != checksum(header, CHECKSUM) ||
        get(header + HEADER_SIZE, 4) != GOSESS_SHM_HEADER_SIZE ||
        get(header + FILE_SIZE, 8) != file_size || get(header + KIND, 4) > GOSESS_SHM_KIND_FLEET)
        return GOSESS_HEADER_DAMAGED;
    bool is_fleet = get(header + KIND, 4) == GOSESS_SHM_KIND_FLEET;
    if (file_size < gosess_file_size(GOSESS_SIZE_MIN, is_fleet))
        return GOSESS_HEADER_DAMAGED;
    if (is_fleet != fleet)
        return fleet ? GOSESS_HEADER_ALONE : GOSESS_HEADER_FLEET;
    return GOSESS_HEADER_READY;
}
