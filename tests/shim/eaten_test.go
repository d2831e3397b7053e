package shim_test

import (
	"strconv"
	"testing"
)

// Does a server live whose memory is limited, and resume once there is some again, although it had
// taken all of it itself, and the Go half could get no more?
func TestEatenMemory(t *testing.T) {
	for _, cache := range []string{"memory:?size=1g", "shm:?size=16m"} {
		for _, test := range []struct {
			resource         string
			megabytes, freed int // KiB
		}{{"as", 4000, 200}, {"as", 4000, 100000}, {"as", 3000, 30000}, {"data", 2000, 200}, {"data", 2000, 100000}, {"data", 700, 30000}} {
			h := served(t, "eaten", test.resource, strconv.Itoa(test.megabytes), "60000", strconv.Itoa(test.freed))
			h.cache = cache
			s := h.run(t)
			s.wants(t, "full, resumed", "full, resumed")
			s.logs(t)
		}
	}
}
