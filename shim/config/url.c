/*
 * url.c - the URL grammar of GOSESS_CACHE. Touches no file.
 */
#define _GNU_SOURCE
#include "url.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"

static const struct gosess_scheme schemes[] = {
    {.name = "memory", .live = true},
    {.name = "shm"},
};

#define ROOM_FOR_SUFFIX 32 /* PATH.old, PATH.key and the name that PATH.key is made under */

/* The part of a URL that is being looked at. */
struct word {
    const char *text;
    size_t length;
};

/* For "%.*s": enough of a word to find it again. */
#define SHOW(word) (int)((word).length > 80 ? 80 : (word).length), (word).text

#define LIST_SIZE 128

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static struct word until(const char *text, const char *ends)
{
    return (struct word){text, strcspn(text, ends)};
}

static bool is(struct word word, const char *name)
{
    return strlen(name) == word.length && memcmp(word.text, name, word.length) == 0;
}

/* Adds a name to what is allowed. */
static void add_to(char list[LIST_SIZE], const char *name)
{
    size_t length = strlen(list);
    snprintf(list + length, LIST_SIZE - length, "%s%s", length > 0 ? ", " : "", name);
}

static bool parse_size(struct word value, struct gosess_url *url, char *error, size_t error_size)
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
    url->size = ((number << shift) + 4095) & ~UINT64_C(4095); /* whole pages */
    url->sized = true;
    return true;
}

/* Copies a path that begins with one slash and names no directory. */
static bool parse_path(const char *what, const char *example, struct word value,
                       char path[PATH_MAX], char *error, size_t error_size)
{
    if (value.text[0] != '/' || value.text[value.length - 1] == '/' ||
        (value.length > 1 && value.text[1] == '/'))
        return gosess_fail(error, error_size,
                           "%s \"%.*s\" is not allowed; allowed: the absolute path of a file, as "
                           "in %s",
                           what, SHOW(value), example);
    if (value.length >= PATH_MAX - ROOM_FOR_SUFFIX)
        return gosess_fail(error, error_size, "%s \"%.*s...\" is too long; allowed: %d bytes", what,
                           SHOW(value), PATH_MAX - ROOM_FOR_SUFFIX - 1);
    memcpy(path, value.text, value.length);
    path[value.length] = '\0';
    return true;
}

static bool parse_keys(struct word value, struct gosess_url *url, char *error, size_t error_size)
{
    return parse_path("keys", "/etc/gosess/keys", value, url->keys, error, error_size);
}

/* An option that has one value. */
static bool parse_only(const char *option, struct word value, const char *allowed, bool *chosen,
                       char *error, size_t error_size)
{
    *chosen = is(value, allowed);
    return *chosen || gosess_fail(error, error_size, "%s \"%.*s\" is unknown; allowed: %s", option,
                                  SHOW(value), allowed);
}

static bool parse_single_use(struct word value, struct gosess_url *url, char *error,
                             size_t error_size)
{
    return parse_only("single-use", value, "tls13", &url->single_use, error, error_size);
}

static bool parse_tier(struct word value, struct gosess_url *url, char *error, size_t error_size)
{
    return parse_only("tier", value, "second", &url->second_tier, error, error_size);
}

/* Its value is empty, as it has none. */
static bool parse_fleet(struct word value, struct gosess_url *url, char *error, size_t error_size)
{
    (void)error;
    (void)error_size;
    url->fleet = value.length == 0;
    return true;
}

static bool parse_wait(struct word value, struct gosess_url *url, char *error, size_t error_size)
{
    unsigned number = 0;
    size_t i = 0;
    for (; i < value.length && i < 3 && isdigit((unsigned char)value.text[i]); i++)
        number = number * 10 + (unsigned)(value.text[i] - '0');
    if (i == 0 || !is((struct word){value.text + i, value.length - i}, "ms") ||
        number > GOSESS_WAIT_MAX)
        return gosess_fail(error, error_size, "wait \"%.*s\" is not allowed; allowed: 0ms to %dms",
                           SHOW(value), GOSESS_WAIT_MAX);
    url->wait = number;
    url->waits = true;
    return true;
}

static const struct option {
    const char *name;
    const char *example;
    bool (*parse)(struct word value, struct gosess_url *url, char *error, size_t error_size);
    bool not_live; /* a store of live sessions does not have it */
    bool alone;    /* it has no value */
} options[] = {
    {"size", "size=64m", parse_size, false, false},
    {"single-use", "single-use=tls13", parse_single_use, false, false},
    {"keys", "keys=/absolute/path", parse_keys, true, false},
    {"tier", "tier=second", parse_tier, true, false},
    {"fleet", "fleet", parse_fleet, true, true},
    {"wait", "wait=2ms", parse_wait, true, false},
};

/* NULL and an error where the kind of store has no such option. */
static const struct option *option_of(struct word name, const struct gosess_scheme *scheme,
                                      char *error, size_t error_size)
{
    char allowed[LIST_SIZE] = "";
    for (size_t i = 0; i < COUNT(options); i++) {
        if (scheme->live && options[i].not_live)
            continue;
        if (is(name, options[i].name))
            return &options[i];
        add_to(allowed, options[i].name);
    }
    gosess_fail(error, error_size, "unknown option \"%.*s\"; allowed: %s", SHOW(name), allowed);
    return NULL;
}

static bool parse_options(const char *text, const char *end, struct gosess_url *url, char *error,
                          size_t error_size)
{
    bool have[COUNT(options)] = {false};
    for (;;) {
        struct word name = until(text, "=& \t\r\n");
        const struct option *option = option_of(name, url->scheme, error, error_size);
        if (!option)
            return false;
        if (have[option - options])
            return gosess_fail(error, error_size, "option \"%.*s\" is repeated; allowed: once",
                               SHOW(name));
        have[option - options] = true;
        text += name.length;
        struct word value = {text, 0};
        if (*text == '=')
            value = until(text + 1, "& \t\r\n");
        if (option->alone ? *text == '=' : value.length == 0)
            return gosess_fail(error, error_size, "option \"%.*s\" has %s value; allowed: %s",
                               SHOW(name), option->alone ? "a" : "no", option->example);
        if (!option->parse(value, url, error, error_size))
            return false;
        text = value.text + value.length;
        if (text >= end)
            return true;
        text++; /* the & */
    }
}

/* What an option needs of the rest of the URL. */
static bool check_fleet(const struct gosess_url *url, char *error, size_t error_size)
{
    if (url->fleet && !*url->path)
        return gosess_fail(error, error_size,
                           "option \"fleet\" needs a path, by which the agent finds the store; "
                           "allowed: shm:/run/gosess/web?fleet");
    return url->fleet || !url->waits ||
           gosess_fail(error, error_size,
                       "option \"wait\" is for an agent; allowed: with fleet, as in "
                       "shm:/run/gosess/web?fleet&wait=2ms");
}

/* NULL and an error where there is no such kind of store. */
static const struct gosess_scheme *scheme_of(struct word whole, char *error, size_t error_size)
{
    struct word name = until(whole.text, ":?/ \t\r\n");
    char allowed[LIST_SIZE] = "";
    for (size_t i = 0; i < COUNT(schemes); i++) {
        if (whole.text[name.length] == ':' && is(name, schemes[i].name))
            return &schemes[i];
        add_to(allowed, schemes[i].name);
    }
    if (whole.text[name.length] != ':')
        gosess_fail(error, error_size, "\"%.*s\" has no scheme; allowed: %s, as in shm:?size=64m",
                    SHOW(whole), allowed);
    else
        gosess_fail(error, error_size, "unknown scheme \"%.*s\"; allowed: %s", SHOW(name), allowed);
    return NULL;
}

bool gosess_url_parse(const char *text, struct gosess_url *url, char *error, size_t error_size)
{
    static const char spaces[] = " \t\r\n";

    memset(url, 0, sizeof(*url));
    url->size = GOSESS_SIZE_DEFAULT;
    url->wait = GOSESS_WAIT_DEFAULT;

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

    url->scheme = scheme_of(whole, error, error_size);
    if (!url->scheme)
        return false;
    text += strlen(url->scheme->name) + 1;

    struct word path = until(text, "? \t\r\n");
    if (path.length > 0 && url->scheme->live)
        return gosess_fail(error, error_size,
                           "path \"%.*s\" is not allowed; allowed: %s:, %s:?size=64m", SHOW(path),
                           url->scheme->name, url->scheme->name);
    if (path.length > 0 &&
        !parse_path("path", "/run/gosess/web", path, url->path, error, error_size))
        return false;
    text += path.length;
    if (*text != '?')
        return true;
    return parse_options(text + 1, whole.text + whole.length, url, error, error_size) &&
           check_fleet(url, error, error_size);
}

void gosess_url_fleet_text(const struct gosess_url *url, char text[GOSESS_FLEET_TEXT_SIZE])
{
    text[0] = '\0';
    if (url->fleet && url->wait > 0)
        snprintf(text, GOSESS_FLEET_TEXT_SIZE,
                 "; handshakes wait for the fleet's agent for %u ms at most, for those of other "
                 "machines",
                 url->wait);
    else if (url->fleet)
        snprintf(text, GOSESS_FLEET_TEXT_SIZE,
                 "; no handshake waits for the fleet's agent, so those of other machines are not "
                 "resumed%s",
                 url->single_use ? ", nor any that may be used once" : "");
}
