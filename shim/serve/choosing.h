/* choosing.h - the callbacks in which a host chooses, after libssl has looked for a session. */
#ifndef GOSESS_SERVE_CHOOSING_H
#define GOSESS_SERVE_CHOOSING_H

#include "context.h"

/*
 * Each is given to libssl in the place of the host's, and calls that. The first two answer that the
 * client is to be turned away, where the connection resumes what it may not have any more.
 */
int gosess_on_servername(SSL *ssl, int *alert, void *argument);
int gosess_on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                   const unsigned char *in, unsigned int in_length, void *argument);
int gosess_on_status(SSL *ssl, void *argument);

/* What a host is told of its callback for the status of a certificate, where libssl says ours. */
void gosess_tell_status_callback(const struct gosess_context *context, void *callback);

/* Whether a ClientHello callback is that of a host which leads each name to its context there. */
bool gosess_chooses_in_hello(uintptr_t callback);

#endif
