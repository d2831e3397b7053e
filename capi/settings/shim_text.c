#include "../../shim/base/text.c"
