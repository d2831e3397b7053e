/* name.c - the 16 bytes that a ticket begins with, which libssl calls its key's name. */
#define _GNU_SOURCE
#include "name.h"

#include <string.h>

/* What is hashed under the key for names. */
static const char mask_label[] = "mask", server_label[] = "server";

#define NAME_MAX_LENGTH 255 /* of a server name: RFC 1035, section 3.1 */

bool gosess_server_tag(const struct gosess_ticket_keys *keys, const char *name, size_t length,
                       uint32_t *tag)
{
    unsigned char lower[NAME_MAX_LENGTH], digest[GOSESS_KEYED_SIZE];
    *tag = 0;
    if (length == 0)
        return true;
    if (length > sizeof lower)
        return false;
    for (size_t i = 0; i < length; i++)
        lower[i] = (unsigned char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] | 0x20 : name[i]);
    if (!gosess_keyed(&keys->name, server_label, sizeof server_label, lower, length, digest))
        return false;
    memcpy(tag, digest, sizeof *tag);
    *tag |= *tag == 0;
    return true;
}

/* Exchanges the part of a name behind the id with what it says. */
static bool mask(const struct gosess_ticket_keys *keys,
                 const unsigned char iv[GOSESS_TICKET_IV_SIZE], unsigned char *part)
{
    unsigned char digest[GOSESS_KEYED_SIZE];
    if (!gosess_keyed(&keys->name, mask_label, sizeof mask_label, iv, GOSESS_TICKET_IV_SIZE,
                      digest))
        return false;
    for (size_t i = 0; i < GOSESS_TICKET_NAME_SIZE - GOSESS_SECRET_ID_SIZE; i++)
        part[i] ^= digest[i];
    return true;
}

_Static_assert(GOSESS_SECRET_ID_SIZE + sizeof(struct gosess_ticket_says) == GOSESS_TICKET_NAME_SIZE,
               "a name is full");

bool gosess_ticket_name_write(const struct gosess_ticket_keys *keys,
                              const unsigned char iv[GOSESS_TICKET_IV_SIZE],
                              const struct gosess_ticket_says *says,
                              unsigned char name[GOSESS_TICKET_NAME_SIZE])
{
    memcpy(name + GOSESS_SECRET_ID_SIZE, says, sizeof *says);
    return mask(keys, iv, name + GOSESS_SECRET_ID_SIZE);
}

bool gosess_ticket_name_read(const struct gosess_ticket_keys *keys,
                             const unsigned char iv[GOSESS_TICKET_IV_SIZE],
                             const unsigned char name[GOSESS_TICKET_NAME_SIZE],
                             struct gosess_ticket_says *says)
{
    unsigned char part[sizeof *says];
    memcpy(part, name + GOSESS_SECRET_ID_SIZE, sizeof part);
    if (!mask(keys, iv, part))
        return false;
    memcpy(says, part, sizeof *says);
    return true;
}
