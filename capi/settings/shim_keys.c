#include "../../shim/keys.c"
