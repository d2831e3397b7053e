package capi

// #include "glue.h"
import "C"

import (
	"unsafe"

	"gosess/sessioncache/tickets"
)

func planOf(r *request) tickets.Plan {
	return tickets.Plan{Now: int64(r.wanted.now), Period: int64(r.wanted.period), Keep: int64(r.wanted.keep)}
}

// readSecrets answers with the secrets of tickets that there are, and makes those of this period and the next.
// A worker may have forbidden itself the system call by now that package crypto/rand makes, so what is random
// comes from libcrypto, which has to work for TLS.
func readSecrets(r *request, vault tickets.Vault) {
	wanted := r.wanted
	drawn := 0
	secrets, err := tickets.Read(unhurried, vault, planOf(r), func(secret []byte) {
		fresh := (*[tickets.Size]byte)(unsafe.Pointer(&wanted.fresh[drawn]))
		copy(secret, fresh[:])
		clear(fresh[:])
		drawn++
	})
	defer tickets.Wipe(secrets)
	if err != nil {
		logError(C.GOSESS_CAUSE_STORE, "the secrets of tickets", err)
	} else {
		r.result = 1
	}
	for _, s := range secrets {
		if int(wanted.count) == len(wanted.secrets) {
			break
		}
		to := &wanted.secrets[wanted.count]
		*(*[tickets.Size]byte)(unsafe.Pointer(&to.value)) = s.Value
		to.begins, to.next, to.ends = C.int64_t(s.Begins), C.int64_t(s.Next), C.int64_t(s.Ends)
		to.seals = C.bool(s.Seals)
		to.tally = (*C.uint64_t)(unsafe.Pointer(s.Tally))
		wanted.count++
	}
}
