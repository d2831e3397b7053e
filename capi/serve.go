package capi

// #include "glue.h"
import "C"

func serve(r *request) {
	if r.operation == C.GOSESS_OPEN {
		r.result = C.long(open(r))
		return
	}
	c := caches.get(int(r.cache))
	if c == nil {
		return
	}
	if r.operation == C.GOSESS_CLOSE {
		caches.remove(int(r.cache))
	}
	if do := c[r.operation]; do != nil {
		do(r)
	}
}
