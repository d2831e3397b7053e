/* ids.c - session ids that the application makes. */
#include "record.h"

#include <string.h>

static unsigned char made_id[SSL_MAX_SSL_SESSION_ID_LENGTH];

static int make_id(SSL *ssl, unsigned char *id, unsigned *length)
{
    memcpy(id, made_id, *length);
    say("  an id of %u bytes, there already: %d", *length,
        SSL_has_matching_session_id(ssl, id, *length));
    return 1;
}

static void making_ids(void)
{
    SSL_CTX *ctx = one_ticket(ALL);
    MUST(SSL_CTX_set_generate_session_id(ctx, make_id));
    SSL_SESSION *sessions[3];
    for (unsigned char i = 0; i < 3; i++) {
        made_id[0] = i;
        sessions[i] = begin(ctx);
    }
    for (int i = 0; i < 3; i++) {
        come_back(ctx, sessions[i]);
        SSL_SESSION_free(sessions[i]);
    }
    say_counters(ctx);
    SSL_CTX_free(ctx);
}

/* Two sessions must not have one id: the second handshake fails. */
static void making_an_id_twice(void)
{
    SSL_CTX *ctx = one_ticket(ALL);
    MUST(SSL_CTX_set_generate_session_id(ctx, make_id));
    memset(made_id, 7, sizeof made_id);
    SSL_SESSION *session = begin(ctx);
    meet(ctx, (struct visit){.name = NULL});
    come_back(ctx, session);
    say_counters(ctx);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static const struct scenario scenarios[] = {
    {"making-ids", making_ids},
    {"making-an-id-twice", making_an_id_twice},
};

int main(int argc, char **argv)
{
    return record(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
