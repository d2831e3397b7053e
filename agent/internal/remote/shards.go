package remote

import (
	"context"
	"crypto/rand"
	"strings"
	"sync/atomic"

	"github.com/valkey-io/valkey-go"

	"gosess/agent/internal/far"
)

const (
	// slots is how many a cluster has: each key is in one, and each slot on one shard.
	slots = 16384
	// maxShards is more than any cluster has. Each is looked after by itself.
	maxShards = 1000
)

// shards says which slots are on one shard. The client library knows that too, and does not tell.
type shards struct {
	known atomic.Pointer[placement] // nil: nothing is
}

type placement struct {
	of    [slots]int16 // -1: on none
	count int
}

// count is how many there are, 1 where that is not known.
func (s *shards) count() int {
	if p := s.known.Load(); p != nil {
		return p.count
	}
	return 1
}

// keyOn is a key on a shard, or on any where that is not known.
func (s *shards) keyOn(shard int, k keys) (key far.Key) {
	p := s.known.Load()
	for range slots { // else it has few slots, and any other one does too
		if rand.Read(key[:]); p == nil || int(p.of[slotOf(k.of(key))]) == shard {
			break
		}
	}
	return key
}

// learn asks the cluster where its slots are. Where that has no answer, they are where they were.
func (s *shards) learn(client valkey.Client) {
	ranges, err := client.Do(context.Background(), client.B().Arbitrary("CLUSTER", "SLOTS").Build()).ToArray()
	if err != nil {
		return
	}
	p, known := &placement{}, map[string]int16{}
	for i := range p.of {
		p.of[i] = -1
	}
	for _, r := range ranges {
		parts, err := r.ToArray()
		if err != nil || len(parts) < 3 {
			return
		}
		first, err1 := parts[0].AsInt64()
		last, err2 := parts[1].AsInt64()
		primary, err3 := parts[2].ToArray()
		if err1 != nil || err2 != nil || err3 != nil || first < 0 || last >= slots || len(primary) < 3 {
			return
		}
		id, err := primary[2].ToString()
		if err != nil {
			return
		}
		number, found := known[id]
		if !found {
			if len(known) == maxShards {
				return
			}
			number = int16(len(known))
			known[id] = number
		}
		for i := first; i <= last; i++ {
			if p.of[i] != -1 {
				return // on two: no cluster says so
			}
			p.of[i] = number
		}
	}
	if p.count = len(known); p.count > 0 {
		s.known.Store(p)
	}
}

// slotOf is the slot of a name: CRC16 (XMODEM) of what is between its first braces, or of all, as the specification of clusters has it.
func slotOf(name string) int {
	if _, rest, ok := strings.Cut(name, "{"); ok {
		if tag, _, ok := strings.Cut(rest, "}"); ok && tag != "" {
			name = tag
		}
	}
	crc := uint16(0)
	for i := range len(name) {
		crc ^= uint16(name[i]) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return int(crc % slots)
}
