/* text.h - texts for the operator. */
#ifndef GOSESS_BASE_TEXT_H
#define GOSESS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes an error text and returns false, so that a check can end with it. */
bool gosess_fail(char *error, size_t error_size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "64m", "1536k", "1000001": as ?size= takes it. */
void gosess_size_text(uint64_t size, char text[24]);

/*
 * "2026-11-26T12:30:43Z", of unix seconds up to the year 9999. It takes no lock, which gmtime_r(3)
 * does: a child may log that was forked while another thread held that.
 */
#define GOSESS_DATE_SIZE 21
void gosess_date_text(int64_t seconds, char text[GOSESS_DATE_SIZE]);

#endif
