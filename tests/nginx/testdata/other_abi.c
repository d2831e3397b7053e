/* A Go half of an ABI that does not exist. */
extern const unsigned gosess_core_abi;
const unsigned gosess_core_abi = 999;
