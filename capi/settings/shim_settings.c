#include "../../shim/settings.c"
