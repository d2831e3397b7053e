#include "../../shim/check.c"
