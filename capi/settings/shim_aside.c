#include "../../shim/aside.c"
