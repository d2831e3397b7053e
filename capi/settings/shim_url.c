#include "../../shim/config/url.c"
