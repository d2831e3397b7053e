package probe

/*
#cgo LDFLAGS: -ldl
#include <stdlib.h>

#include "tls.h"
*/
import "C"

import (
	"errors"
	"sync"
	"time"
	"unsafe"
)

// errGoodbye is returned where the server has ended TLS in order.
var errGoodbye = errors.New("the server ended the connection")

// errWants is returned where bytes of the server are needed to go on.
var errWants = errors.New("bytes of the server are wanted")

const (
	tls12 = 0x0303
	tls13 = 0x0304
)

const reasonSize = 200

// start loads libssl, once.
var start = sync.OnceValue(func() error {
	var reason [reasonSize]C.char
	if !C.probe_start(&reason[0], reasonSize) {
		return errors.New(C.GoString(&reason[0]))
	}
	return nil
})

// Library is the libssl that is used, as it names itself.
func Library() (string, error) {
	if err := start(); err != nil {
		return "", err
	}
	return C.GoString(C.probe_libssl()), nil
}

// tls is one connection without its socket: tls.h.
type tls struct{ probe *C.struct_probe }

func newTLS(ask Ask) (tls, error) {
	if err := start(); err != nil {
		return tls{}, err
	}
	if len(ask.Name) > 255 {
		return tls{}, errors.New("the server name is too long")
	}
	wanted := C.struct_probe_ask{version: tls12, no_ticket: C.bool(ask.Kind == ByID), http: C.bool(ask.Talk.HTTP())}
	if ask.Kind == ByPSK {
		wanted.version = tls13
	}
	if ask.Name != "" {
		wanted.name = C.CString(ask.Name)
		defer C.free(unsafe.Pointer(wanted.name))
	}
	if ask.Session != nil {
		wanted.session = C.CBytes(ask.Session.DER)
		wanted.session_size = C.size_t(len(ask.Session.DER))
		defer C.free(wanted.session)
	}
	var reason [reasonSize]C.char
	made := C.probe_new(&wanted, &reason[0], reasonSize)
	if made == nil {
		return tls{}, errors.New(C.GoString(&reason[0]))
	}
	return tls{made}, nil
}

func (t tls) free() { C.probe_free(t.probe) }

// take fills bytes with what is to go to the server.
func (t tls) take(bytes []byte) int {
	return int(C.probe_take(t.probe, unsafe.Pointer(&bytes[0]), C.size_t(len(bytes))))
}

// give hands over what has come from the server.
func (t tls) give(bytes []byte) error {
	if !C.probe_give(t.probe, unsafe.Pointer(&bytes[0]), C.size_t(len(bytes))) {
		return errors.New("no memory")
	}
	return nil
}

func (t tls) step(step C.enum_probe_step) error {
	switch step {
	case C.PROBE_DONE:
		return nil
	case C.PROBE_WANTS:
		return errWants
	case C.PROBE_ENDED:
		return errGoodbye
	}
	return errors.New(C.GoString(C.probe_error(t.probe)))
}

func (t tls) handshake() error { return t.step(C.probe_handshake(t.probe)) }
func (t tls) close() error     { return t.step(C.probe_close(t.probe)) }

func (t tls) early(bytes []byte) error {
	return t.step(C.probe_early(t.probe, unsafe.Pointer(&bytes[0]), C.size_t(len(bytes))))
}

func (t tls) write(bytes []byte) error {
	return t.step(C.probe_write(t.probe, unsafe.Pointer(&bytes[0]), C.size_t(len(bytes))))
}

func (t tls) read(bytes []byte) (int, error) {
	var got C.size_t
	err := t.step(C.probe_read(t.probe, unsafe.Pointer(&bytes[0]), C.size_t(len(bytes)), &got))
	return int(got), err
}

// look is what there is to be seen of a connection whose handshake is done.
func (t tls) look() Seen {
	var from C.struct_probe_seen
	C.probe_look(t.probe, &from)
	seen := Seen{
		Resumed: bool(from.resumed),
		Early:   bool(from.early_accepted),
		Version: int(from.version),
		Wants:   bool(from.wants_certificate),
		Cipher:  C.GoString(&from.cipher[0]),
		ALPN:    C.GoString(&from.alpn[0]),
	}
	seen.Certificate = whole(func(bytes unsafe.Pointer, room C.size_t) C.size_t {
		return C.probe_certificate(t.probe, bytes, room)
	})
	return seen
}

// sessions are those that the server has given.
func (t tls) sessions() []Session {
	var sessions []Session
	for n := range C.probe_sessions(t.probe) {
		var from C.struct_probe_session
		C.probe_session(t.probe, n, &from)
		session := Session{
			Ticket:   C.GoBytes(unsafe.Pointer(from.ticket), C.int(from.ticket_size)),
			Hint:     time.Duration(from.hint) * time.Second,
			MaxEarly: uint32(from.max_early_data),
		}
		if len(session.Ticket) == 0 { // with one libssl makes the id itself
			session.Ticket, session.ID = nil, C.GoBytes(unsafe.Pointer(from.id), C.int(from.id_size))
		}
		session.DER = whole(func(bytes unsafe.Pointer, room C.size_t) C.size_t {
			return C.probe_session_der(t.probe, n, bytes, room)
		})
		sessions = append(sessions, session)
	}
	return sessions
}

// whole asks for the size of something, and then for it.
func whole(ask func(unsafe.Pointer, C.size_t) C.size_t) []byte {
	size := ask(nil, 0)
	if size == 0 {
		return nil
	}
	bytes := make([]byte, size)
	ask(unsafe.Pointer(&bytes[0]), size)
	return bytes
}
