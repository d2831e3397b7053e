/* header.c - any bytes as the start of a store of any size: ready is only what would be written. */
#include "../../../shim/config/header.h"
#include "../../../shim/config/url.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char header[GOSESS_SHM_HEADER_SIZE] = {0}, again[GOSESS_SHM_HEADER_SIZE];
    uint64_t file_size, created;
    if (size < sizeof(file_size))
        return 0;
    memcpy(&file_size, data, sizeof(file_size));
    data += sizeof(file_size);
    size -= sizeof(file_size);
    bool fleet = size > sizeof(header) && (data[sizeof(header)] & 1);
    size = size < sizeof(header) ? size : sizeof(header);
    memcpy(header, data, size);
    switch (gosess_header_state(header, size, file_size, fleet)) {
    case GOSESS_HEADER_READY:
        memcpy(&created, header + 24, sizeof(created));
        gosess_header_encode(again, file_size, fleet, created, header + 32);
        CHECK(file_size >= gosess_file_size(GOSESS_SIZE_MIN, fleet) &&
              memcmp(again, header, 52) == 0);
        break;
    case GOSESS_HEADER_NOT_OURS:
        CHECK(size < 8 || memcmp(header, GOSESS_SHM_MAGIC, 8) != 0);
        break;
    case GOSESS_HEADER_UNFINISHED:
    case GOSESS_HEADER_VERSION:
    case GOSESS_HEADER_DAMAGED:
    case GOSESS_HEADER_ALONE:
    case GOSESS_HEADER_FLEET:
        CHECK(memcmp(header, GOSESS_SHM_MAGIC, 8) == 0);
        break;
    }
    return 0;
}
