// Package ticketfile makes key files of servers without gosess out of the secrets that tickets are sealed under.
//
// Who has such a file shares tickets with all who have it, of whatever kind, and with no server that gosess is in: what gosess
// seals is bound to names and certificates, and these are not. So the keys of a file are derived apart, by HKDF-Expand (RFC
// 5869), and nobody comes from them to a secret, or to what gosess itself derives of it.
package ticketfile

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"gosess/sessioncache/tickets"
)

// ErrNoSecret is returned where there is no secret of the present period.
var ErrNoSecret = errors.New("no secret of the present period")

// nameSize is the size of what a ticket shows of its key, RFC 5077, section 4.
const nameSize = 16

// part is one of a key: the name, what encrypts, and what authenticates.
type part int

const (
	name part = iota
	aes
	hmac
)

// Kind is a program that reads such files.
type Kind struct {
	Name   string
	Files  bool // a file for each key: the one that seals, and with ".next" and ".previous" those that only open
	Single bool // one key at all: what was sealed under the one before does not open any more
	order  [3]part
	size   int // of what encrypts, and of what authenticates
	text   bool
	keys   []role // in a file, where one has all
}

// role is what a key is in the present period.
type role int

const (
	previous role = iota
	current
	next
	roles
)

// Kinds are the programs, and what they want in which order: facts T13.
var Kinds = []Kind{
	// ssl_session_ticket_key: 80 bytes, AES-256; the first one seals.
	{Name: "nginx", Files: true, order: [3]part{name, hmac, aes}, size: 32},
	// tls-ticket-keys: three lines of base64, of which the last but one seals.
	{Name: "haproxy", order: [3]part{name, aes, hmac}, size: 32, text: true, keys: []role{previous, current, next}},
	// SSLSessionTicketKeyFile: 48 bytes, AES-128.
	{Name: "httpd", Single: true, order: [3]part{name, hmac, aes}, size: 16, keys: []role{current}},
	// session_ticket_keys: as nginx.
	{Name: "envoy", Files: true, order: [3]part{name, hmac, aes}, size: 32},
	// ssl_ticket.key: any number of 48 bytes, AES-128; the first one seals.
	{Name: "ats", order: [3]part{name, hmac, aes}, size: 16, keys: []role{current, next, previous}},
}

// Of is the kind of a name.
func Of(kind string) (Kind, bool) {
	for _, k := range Kinds {
		if k.Name == kind {
			return k, true
		}
	}
	return Kind{}, false
}

// File is one of them, with what follows the name that it is asked for by.
type File struct {
	Suffix string
	Data   []byte
}

// Make makes the files for the keys of the previous period, the present one and the next. A program may want all three before there
// are as many secrets: in the place of a missing one is a key that nobody else has.
func (k Kind) Make(secrets []tickets.Secret, now int64) ([]File, error) {
	var keys [roles][]byte
	for _, s := range secrets {
		r := roleOf(&s, now)
		if r == roles || keys[r] != nil || !s.Seals {
			continue
		}
		var err error
		if keys[r], err = k.key(s.Value[:]); err != nil {
			return nil, err
		}
	}
	if keys[current] == nil {
		return nil, ErrNoSecret
	}
	for r := range keys {
		if keys[r] == nil {
			keys[r] = make([]byte, nameSize+2*k.size)
			rand.Read(keys[r])
		}
	}
	if k.Files {
		return []File{{"", keys[current]}, {".next", keys[next]}, {".previous", keys[previous]}}, nil
	}
	var data []byte
	for _, r := range k.keys {
		if k.text {
			data = append(base64.StdEncoding.AppendEncode(data, keys[r]), '\n')
		} else {
			data = append(data, keys[r]...)
		}
	}
	return []File{{"", data}}, nil
}

func roleOf(s *tickets.Secret, now int64) role {
	period := s.Next - s.Begins
	switch {
	case s.Begins <= now && now < s.Next:
		return current
	case s.Begins == now-now%period+period:
		return next
	case s.Next == now-now%period:
		return previous
	}
	return roles
}

// key derives a key, in the order of the program. Those of one size are the same for all programs.
func (k Kind) key(secret []byte) ([]byte, error) {
	material, err := hkdf.Expand(sha256.New, secret, fmt.Sprintf("gosess ticket: export %d", nameSize+2*k.size), nameSize+2*k.size)
	if err != nil {
		return nil, err
	}
	parts := [3][]byte{name: material[:nameSize], aes: material[nameSize : nameSize+k.size], hmac: material[nameSize+k.size:]}
	var key []byte
	for _, p := range k.order {
		key = append(key, parts[p]...)
	}
	return key, nil
}
