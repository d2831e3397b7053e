#include "../../shim/config/check.c"
