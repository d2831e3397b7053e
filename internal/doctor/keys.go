package doctor

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// Where a ticket begins with the name of its key, as RFC 5077 (section 4) recommends, other tickets begin likewise: 16 bytes
// in OpenSSL's, GnuTLS' and NSS', 8 in gosess' and 4 in Mbed TLS'.
var nameSizes = []int{16, 8, 4}

// fewTickets do not show which of their bytes are a name.
const fewTickets = 4

// Bounds of what is remembered of the tickets of a service, which may send as many as it likes, of any size and under any name.
const (
	ticketsMost = 16384    // that are counted
	wholesMost  = 32       // that are kept whole: one of each name
	wholeMost   = 16 << 10 // bytes of such a ticket
)

// remember takes up a ticket: whole where it is the first that begins so, else its beginning.
func (k *Keys) remember(ticket []byte, address string) {
	if len(k.tickets) == ticketsMost {
		return
	}
	begin := ticket[:min(len(ticket), nameSizes[0])]
	if k.wholes < wholesMost && len(ticket) <= wholeMost && !k.known(begin) {
		k.wholes++
		begin = ticket
	}
	k.tickets = append(k.tickets, sampled{bytes.Clone(begin), sha256.Sum256(ticket), address})
}

func (k *Keys) known(begin []byte) bool {
	return slices.ContainsFunc(k.tickets, func(t sampled) bool { return bytes.HasPrefix(t.ticket, begin) })
}

// keysOf are the keys of tickets by their names.
func keysOf(tickets []sampled) (size int, keys []Key) {
	for _, size := range nameSizes {
		if found, different := byName(tickets, size); different >= fewTickets && 2*len(found) <= different {
			return size, found
		}
	}
	return 0, nil
}

// byName is the tickets by their first bytes, the most frequent first, and how many different ones there are: a client that is
// resumed and given no new ticket shows the one that it has again, all of whose bytes are alike then.
func byName(tickets []sampled, size int) (keys []Key, different int) {
	place, known := map[string]int{}, map[[sha256.Size]byte]bool{}
	for _, t := range tickets {
		if len(t.ticket) < size {
			continue
		}
		name := hex.EncodeToString(t.ticket[:size])
		n, named := place[name]
		if !named {
			n = len(keys)
			place[name] = n
			keys = append(keys, Key{Name: name, sample: t.ticket})
		}
		if !known[t.sum] {
			known[t.sum] = true
			keys[n].Tickets++
			different++
		}
		if !slices.Contains(keys[n].Addresses, t.address) {
			keys[n].Addresses = append(keys[n].Addresses, t.address)
		}
	}
	slices.SortStableFunc(keys, func(a, b Key) int { return b.Tickets - a.Tickets })
	return keys, different
}
