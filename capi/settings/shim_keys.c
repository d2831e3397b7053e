#include "../../shim/config/keys.c"
