#include "../../shim/url.c"
