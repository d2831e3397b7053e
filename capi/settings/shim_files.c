#include "../../shim/base/files.c"
