#include "../../shim/base/io.c"
