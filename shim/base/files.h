/* files.h - files and their names. */
#ifndef GOSESS_BASE_FILES_H
#define GOSESS_BASE_FILES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* False and an error unless it is a regular file; what ("store") and path are for the text. */
bool gosess_check_regular(const struct stat *status, const char *what, const char *path,
                          char *error, size_t error_size);

/* The name of the file beside another one, with a suffix: PATH.key, PATH.old. "": it is too long.
 */
void gosess_beside(const char *path, const char *suffix, char name[PATH_MAX]);

/* The directory of an absolute path: "/run" of "/run/web", "/" of "/web". */
void gosess_directory_of(const char *path, char directory[PATH_MAX]);

#endif
