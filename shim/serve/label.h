/* label.h - what people know a context by. */
#ifndef GOSESS_SERVE_LABEL_H
#define GOSESS_SERVE_LABEL_H

#include "context.h"

/* Writes the label of a context, once. Before the Go half is asked for it the first time. */
void gosess_label(struct gosess_context *context);

#endif
