#include "../../shim/base/log.c"
