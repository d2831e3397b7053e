#include "../../shim/header.c"
