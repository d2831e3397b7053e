#include "../../shim/store.c"
