/* url.c - any text as a URL: what is accepted is within its bounds, what is not is explained. */
#include "../../../shim/config/url.h"
#include "../../../shim/base/text.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gosess_url url;
    char error[GOSESS_ERROR_SIZE] = "", text[24];
    char *copy = text_of(data, size);
    if (gosess_url_parse(copy, &url, error, sizeof(error))) {
        CHECK(url.size >= GOSESS_SIZE_MIN && url.size <= GOSESS_SIZE_MAX && url.size % 4096 == 0);
        CHECK(!*url.path || (url.path[0] == '/' && strstr(copy, url.path)));
        CHECK(!*url.keys || (url.keys[0] == '/' && strstr(copy, url.keys)));
        CHECK(!url.scheme->live || (!*url.path && !*url.keys && !url.fleet));
        CHECK(url.fleet ? *url.path && url.wait <= GOSESS_WAIT_MAX
                        : url.wait == GOSESS_WAIT_DEFAULT);
        gosess_size_text(url.size, text);
        CHECK(strlen(text) < sizeof(text));
    } else {
        CHECK(*error && strnlen(error, sizeof(error)) < sizeof(error));
    }
    free(copy);
    return 0;
}
