#include "../../shim/config/store.c"
