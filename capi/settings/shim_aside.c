#include "../../shim/config/aside.c"
