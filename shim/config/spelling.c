/* spelling.c - names that are nearly others. */
#define _GNU_SOURCE
#include "spelling.h"

#include <string.h>

bool gosess_is_nearly(const char *word, size_t length, const char *name)
{
    size_t name_length = strlen(name), start = 0, end = 0;
    size_t least = length < name_length ? length : name_length;
    while (start < least && word[start] == name[start])
        start++;
    while (end < least - start && word[length - 1 - end] == name[name_length - 1 - end])
        end++;
    /* What is left between the beginning and the end that both have. */
    size_t of_word = length - start - end, of_name = name_length - start - end;
    if (of_word <= 1 && of_name <= 1)
        return of_word + of_name > 0;
    return of_word == 2 && of_name == 2 && word[start] == name[start + 1] &&
           word[start + 1] == name[start];
}
