/* ticketdata.h - a host that puts data into its tickets: SSL_CTX_set_session_ticket_cb(3). */
#ifndef TEST_TICKETDATA_H
#define TEST_TICKETDATA_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <string.h>

#include "../lib/tls.h"

static const char server_data[] = "an account";

static int puts_data(SSL *ssl, void *argument)
{
    return !argument && SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), server_data,
                                                        sizeof server_data) == 1;
}

static SSL_TICKET_RETURN reads_data(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                    size_t length, SSL_TICKET_STATUS status, void *argument)
{
    void *data = NULL;
    size_t size = 0;
    bool opens = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;
    MUST(ssl && !argument && (name || length == 0));
    if (!opens || SSL_SESSION_get0_ticket_appdata(session, &data, &size) != 1 ||
        size != sizeof server_data || memcmp(data, server_data, size) != 0)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

/* Another program's, which would take anybody's data for its own. */
static SSL_TICKET_RETURN believes_data(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                       size_t length, SSL_TICKET_STATUS status, void *argument)
{
    return reads_data(ssl, session, name, length, status, argument);
}

#endif
