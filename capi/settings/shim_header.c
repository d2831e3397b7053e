#include "../../shim/config/header.c"
