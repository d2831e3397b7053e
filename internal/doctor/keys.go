package doctor

import (
	"encoding/hex"
	"slices"
)

// Where a ticket begins with the name of its key, as RFC 5077 (section 4) recommends, other tickets begin likewise: 16 bytes
// in OpenSSL's, GnuTLS' and NSS', 8 in gosess' and 4 in Mbed TLS'.
var nameSizes = []int{16, 8, 4}

// fewTickets do not show which of their bytes are a name.
const fewTickets = 4

// keysOf are the keys of tickets by their names.
func keysOf(tickets []sampled) (size int, keys []Key) {
	if len(tickets) < fewTickets {
		return 0, nil
	}
	for _, size := range nameSizes {
		if found := byName(tickets, size); 2*len(found) <= len(tickets) {
			return size, found
		}
	}
	return 0, nil
}

// byName is the tickets by their first bytes, the most frequent first.
func byName(tickets []sampled, size int) []Key {
	var keys []Key
	place := map[string]int{}
	for _, t := range tickets {
		if len(t.ticket) < size {
			continue
		}
		name := hex.EncodeToString(t.ticket[:size])
		n, known := place[name]
		if !known {
			n = len(keys)
			place[name] = n
			keys = append(keys, Key{Name: name, sample: t.ticket})
		}
		keys[n].Tickets++
		if !slices.Contains(keys[n].Addresses, t.address) {
			keys[n].Addresses = append(keys[n].Addresses, t.address)
		}
	}
	slices.SortStableFunc(keys, func(a, b Key) int { return b.Tickets - a.Tickets })
	return keys
}
