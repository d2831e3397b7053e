package shim_test

import "testing"

// Do the others go on when the host cancels a thread that is in a call, or its threads wait for
// each other in the functions that libssl calls for it?
func TestCrossing(t *testing.T) {
	for _, cache := range []string{"shm:?size=4m", "memory:?size=4m"} {
		for _, version := range versions {
			h := served(t, "crossing", version)
			h.cache = cache
			for scenario, said := range map[string]string{
				"cancelled": "others: resumed", "cancelled-first": "others: resumed", "locks": "nobody waits for ever",
			} {
				h.arguments = []string{version, scenario}
				h.run(t).wants(t, said)
			}
		}
	}
}
