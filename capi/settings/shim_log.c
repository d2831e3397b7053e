#include "../../shim/log.c"
