/*
 * url.c - the URL grammar of GOSESS_CACHE. Touches no file.
 */
#define _GNU_SOURCE
#include "url.h"

#include <ctype.h>
#include <string.h>

#include "../base/text.h"

#define SCHEMES "memory, shm"
#define ROOM_FOR_SUFFIX 32 /* PATH.old, PATH.key and the name that PATH.key is made under */

/* The part of a URL that is being looked at. */
struct word {
    const char *text;
    size_t length;
};

/* For "%.*s": enough of a word to find it again. */
#define SHOW(word) (int)((word).length > 80 ? 80 : (word).length), (word).text

static struct word until(const char *text, const char *ends)
{
    return (struct word){text, strcspn(text, ends)};
}

static bool is(struct word word, const char *name)
{
    return strlen(name) == word.length && memcmp(word.text, name, word.length) == 0;
}

static bool parse_size(struct word value, uint64_t *size, char *error, size_t error_size)
{
    uint64_t number = 0;
    size_t i = 0;
    /* Nothing that is allowed has more digits: so that the sum cannot overflow. */
    for (; i < value.length && i < 16 && isdigit((unsigned char)value.text[i]); i++)
        number = number * 10 + (uint64_t)(value.text[i] - '0');
    bool too_long = i < value.length && isdigit((unsigned char)value.text[i]);
    unsigned shift = 0;
    if (i > 0 && i + 1 == value.length) {
        switch (tolower((unsigned char)value.text[i])) {
        case 'k':
            shift = 10;
            break;
        case 'm':
            shift = 20;
            break;
        case 'g':
            shift = 30;
            break;
        }
        i += shift != 0;
    }
    if (!too_long && (i == 0 || i != value.length))
        return gosess_fail(error, error_size,
                           "size \"%.*s\" is not a size; allowed: a number of bytes, or one with "
                           "k, m or g, as in size=64m",
                           SHOW(value));
    uint64_t max = SIZE_MAX / 2 < GOSESS_SIZE_MAX ? SIZE_MAX / 2 : GOSESS_SIZE_MAX;
    if (too_long || number > max >> shift || number << shift < GOSESS_SIZE_MIN) {
        char least[24], most[24];
        gosess_size_text(GOSESS_SIZE_MIN, least);
        gosess_size_text(max, most);
        return gosess_fail(error, error_size, "size \"%.*s\" is out of range; allowed: %s to %s",
                           SHOW(value), least, most);
    }
    *size = ((number << shift) + 4095) & ~UINT64_C(4095); /* whole pages */
    return true;
}

/* Copies a path that begins with one slash and names no directory. */
static bool parse_path(const char *what, struct word value, char path[PATH_MAX], char *error,
                       size_t error_size)
{
    if (value.text[0] != '/' || value.text[value.length - 1] == '/' ||
        (value.length > 1 && value.text[1] == '/'))
        return gosess_fail(error, error_size,
                           "%s \"%.*s\" is not allowed; allowed: the absolute path of a file, as "
                           "in /run/gosess/web",
                           what, SHOW(value));
    if (value.length >= PATH_MAX - ROOM_FOR_SUFFIX)
        return gosess_fail(error, error_size, "%s \"%.*s...\" is too long; allowed: %d bytes", what,
                           SHOW(value), PATH_MAX - ROOM_FOR_SUFFIX - 1);
    memcpy(path, value.text, value.length);
    path[value.length] = '\0';
    return true;
}

/* The options, and for each scheme those that it has. */
enum option { SIZE, SINGLE_USE, KEYS, TIER, OPTIONS };
static const char *const option_names[OPTIONS] = {"size", "single-use", "keys", "tier"};
static const char *const option_examples[OPTIONS] = {"size=64m", "single-use=tls13",
                                                     "keys=/absolute/path", "tier=second"};

static bool parse_option_name(struct word name, const struct gosess_url *url, enum option *option,
                              char *error, size_t error_size)
{
    bool memory = url->scheme == GOSESS_SCHEME_MEMORY;
    for (int i = 0; i < (memory ? KEYS : OPTIONS); i++) {
        if (is(name, option_names[i])) {
            *option = (enum option)i;
            return true;
        }
    }
    return gosess_fail(error, error_size, "unknown option \"%.*s\"; allowed: %s", SHOW(name),
                       memory ? "size, single-use" : "size, single-use, keys, tier");
}

static bool parse_value(enum option option, struct word value, struct gosess_url *url, char *error,
                        size_t error_size)
{
    switch (option) {
    case SIZE:
        return parse_size(value, &url->size, error, error_size);
    case KEYS:
        return parse_path("keys", value, url->keys, error, error_size);
    case TIER:
        url->second_tier = is(value, "second");
        return url->second_tier ||
               gosess_fail(error, error_size, "tier \"%.*s\" is unknown; allowed: second",
                           SHOW(value));
    default:
        url->single_use = is(value, "tls13");
        return url->single_use ||
               gosess_fail(error, error_size, "single-use \"%.*s\" is unknown; allowed: tls13",
                           SHOW(value));
    }
}

static bool parse_options(const char *text, const char *end, struct gosess_url *url, char *error,
                          size_t error_size)
{
    bool have[OPTIONS] = {false};
    for (;;) {
        enum option option = SIZE;
        struct word name = until(text, "=& \t\r\n");
        if (!parse_option_name(name, url, &option, error, error_size))
            return false;
        if (have[option])
            return gosess_fail(error, error_size, "option \"%.*s\" is repeated; allowed: once",
                               SHOW(name));
        have[option] = true;
        text += name.length;
        struct word value = {text, 0};
        if (*text == '=')
            value = until(text + 1, "& \t\r\n");
        if (value.length == 0)
            return gosess_fail(error, error_size, "option \"%.*s\" has no value; allowed: %s",
                               SHOW(name), option_examples[option]);
        if (!parse_value(option, value, url, error, error_size))
            return false;
        text = value.text + value.length;
        if (text >= end)
            return true;
        text++; /* the & */
    }
}

bool gosess_url_parse(const char *text, struct gosess_url *url, char *error, size_t error_size)
{
    static const char spaces[] = " \t\r\n";

    memset(url, 0, sizeof(*url));
    url->size = GOSESS_SIZE_DEFAULT;

    text += strspn(text, spaces);
    struct word whole = until(text, spaces);
    if (whole.length == 0)
        return gosess_fail(
            error, error_size,
            "the URL is empty; allowed: memory:, shm:?size=64m, shm:/run/gosess/web");
    const char *second = text + whole.length;
    second += strspn(second, spaces);
    if (*second) {
        struct word other = until(second, spaces);
        return gosess_fail(error, error_size,
                           "a second URL \"%.*s\" is not supported; allowed: one URL", SHOW(other));
    }

    struct word scheme = until(text, ":?/ \t\r\n");
    if (text[scheme.length] != ':')
        return gosess_fail(error, error_size,
                           "\"%.*s\" has no scheme; allowed: " SCHEMES ", as in shm:?size=64m",
                           SHOW(whole));
    url->scheme = is(scheme, "memory") ? GOSESS_SCHEME_MEMORY : GOSESS_SCHEME_SHM;
    if (url->scheme != GOSESS_SCHEME_MEMORY && !is(scheme, "shm"))
        return gosess_fail(error, error_size, "unknown scheme \"%.*s\"; allowed: " SCHEMES,
                           SHOW(scheme));
    text += scheme.length + 1;

    struct word path = until(text, "? \t\r\n");
    if (path.length > 0 && url->scheme == GOSESS_SCHEME_MEMORY)
        return gosess_fail(error, error_size,
                           "path \"%.*s\" is not allowed; allowed: memory:, memory:?size=64m",
                           SHOW(path));
    if (path.length > 0 && !parse_path("path", path, url->path, error, error_size))
        return false;
    text += path.length;
    if (*text != '?')
        return true;
    return parse_options(text + 1, whole.text + whole.length, url, error, error_size);
}
