#include "../../shim/config/dryrun.c"
