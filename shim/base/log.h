/* log.h - the one logger. */
#ifndef GOSESS_BASE_LOG_H
#define GOSESS_BASE_LOG_H

#include "../../shim.h"

/*
 * Formats one line, "gosess: [pid] text\n", and writes it in one write(2) to
 * stderr or to the file of GOSESS_LOG, behind the date and time in UTC where that is a regular
 * file: a journal has its own. At most one line per cause and minute, over all the processes that
 * share the configuring one. Keeps errno. Any thread.
 */
void gosess_log(enum gosess_log_level level, enum gosess_log_cause cause, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether a line of that level would be written. */
bool gosess_logs(enum gosess_log_level level);

/*
 * The same for what is said once, and not once a minute: one line for each sum, which is that of
 * what the line says, over all those processes. Not more than some hundred, whatever comes.
 */
void gosess_log_once(enum gosess_log_level level, uint64_t sum, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Reads the value of GOSESS_LOG (NULL: the default, "error"): LEVEL, or LEVEL:FILE.
 * Opens FILE for appending. A readable error with all but the first answer.
 */
enum gosess_log_opened {
    GOSESS_LOG_OPENED,
    GOSESS_LOG_ON_STDERR, /* instead of a file that this user cannot open */
    GOSESS_LOG_WRONG,     /* the value means nothing */
};
enum gosess_log_opened gosess_log_open(const char *value, char *error, size_t error_size);

#endif
