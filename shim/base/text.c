/* text.c - texts for the operator. */
#define _GNU_SOURCE
#include "text.h"

#include <stdarg.h>
#include <stdio.h>

bool gosess_fail(char *error, size_t error_size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, error_size, format, arguments);
    va_end(arguments);
    return false;
}

void gosess_size_text(uint64_t size, char text[24])
{
    static const char suffixes[] = {'g', 'm', 'k'};
    for (int i = 0; i < 3; i++) {
        unsigned shift = 10 * (3 - (unsigned)i);
        if (size != 0 && size % (UINT64_C(1) << shift) == 0) {
            snprintf(text, 24, "%llu%c", (unsigned long long)(size >> shift), suffixes[i]);
            return;
        }
    }
    snprintf(text, 24, "%llu", (unsigned long long)size);
}

/*
 * The Gregorian calendar, in eras of 400 years that begin on the first of March, so that a leap day
 * is the last one of its year.
 */
void gosess_date_text(int64_t seconds, char text[GOSESS_DATE_SIZE])
{
    const unsigned day_seconds = 24 * 60 * 60, era_days = 146097, before_1970 = 719468;
    const int64_t last = INT64_C(253402300799);
    seconds = seconds < 0 ? 0 : seconds > last ? last : seconds;
    unsigned second = (unsigned)(seconds % day_seconds);
    unsigned days = (unsigned)(seconds / day_seconds) + before_1970;
    unsigned day = days % era_days;
    unsigned year = (day - day / 1460 + day / 36524 - day / (era_days - 1)) / 365;
    day -= 365 * year + year / 4 - year / 100;
    unsigned month = (5 * day + 2) / 153; /* from March; five of them have 153 days */
    day -= (153 * month + 2) / 5;
    year += days / era_days * 400 + (month >= 10);
    month = month < 10 ? month + 3 : month - 9;
    snprintf(text, GOSESS_DATE_SIZE, "%04u-%02u-%02uT%02u:%02u:%02uZ", year % 10000, month % 100,
             (day + 1) % 100, second / 3600, second / 60 % 60, second % 60);
}
