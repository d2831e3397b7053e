package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// State is what decides about a session: whom the client asks for and where, and what the server shows there and demands.
type State struct {
	Name        string // "" is no name
	Kind        Kind
	Certificate string // what is shown: one of the constants below
	Policy      string // what is demanded of the client: the same
	Port        int    // the first is 0
}

// Kind is the kind of certificate that a client takes. Each server block has one of each.
type Kind string

const (
	ECDSA Kind = "ECDSA"
	RSA   Kind = "RSA"
)

// RSAOnly is the --sigalgs of a client that takes no other.
const RSAOnly = "RSA-PSS+SHA256:RSA+SHA256"

// The certificates that are shown.
const (
	SameCertificates = "same certificates"
	Renewed          = "renewed"        // of the first kind, while the one of the second kind stays
	Other            = "other"          // likewise
	SecondRenewed    = "second renewed" // of the second kind, while the one of the first kind stays
)

// What is demanded of clients: nothing, a certificate, one of another authority, one that is not on a list.
const (
	SamePolicy     = "same policy"
	Stricter       = "stricter"
	OtherAuthority = "other authority"
	RevocationList = "revocation list"
)

// Names are those of the server blocks of each port, the default one first.
var Names = []string{"default.test", "own.test", "other.test"}

// States are those that a server is taken through. Each two values of a kind meet in two states that differ in nothing else:
// what is wrong with one value is then not hidden behind another.
var States = []State{
	{"own.test", ECDSA, SameCertificates, SamePolicy, 0},
	{"", ECDSA, SameCertificates, SamePolicy, 0},
	{"other.test", ECDSA, SameCertificates, SamePolicy, 0},
	{"own.test", ECDSA, Renewed, SamePolicy, 0},
	{"own.test", ECDSA, Other, SamePolicy, 0},
	{"own.test", RSA, SameCertificates, SamePolicy, 0},
	{"own.test", RSA, SecondRenewed, SamePolicy, 0},
	{"own.test", ECDSA, SameCertificates, Stricter, 0},
	{"own.test", ECDSA, SameCertificates, OtherAuthority, 0},
	{"own.test", ECDSA, SameCertificates, RevocationList, 0},
	{"own.test", ECDSA, SameCertificates, OtherAuthority, 1}, // while the first port's block of that name demands nothing
	{"", ECDSA, Renewed, Stricter, 0},
}

// shown is which certificate a client of that kind is shown in a state.
func (s State) shown(kind Kind) string {
	if renews := s.Certificate == SecondRenewed; renews != (kind == RSA) {
		return SameCertificates
	}
	return s.Certificate
}

// Verified says whether clients show a certificate in a state.
func (s State) Verified() bool { return s.Policy != SamePolicy }

// String is how a state is named where something is not as it should be.
func (s State) String() string {
	name := s.Name
	if name == "" {
		name = "no name"
	}
	return fmt.Sprintf("(%s, %s client, %s, %s, port %d)", name, s.Kind, s.Certificate, s.Policy, s.Port+1)
}

// MayResume says whether a session that a client made in one state may be resumed by it in another: where a full handshake would
// show it the same certificate under the same demands, and where the name, if both ask for one, is the same.
func MayResume(from, to State) bool {
	return from.shown(from.Kind) == to.shown(from.Kind) && from.Policy == to.Policy &&
		(from.Name == "" || to.Name == "" || from.Name == to.Name)
}

// hostLifetime is how long sessions of a host live where a test does not say otherwise, in seconds: an hour, as a busy machine needs more
// than what is the default of servers.
const hostLifetime = 3600

// VirtualHost is a server block as a state wants it.
type VirtualHost struct {
	Port         int // 0 or 1
	Name         string
	Certificates [2]Certificate // of each kind
	CA, CRL      string         // files; "" where none is asked for
	Cipher       string         // the one of TLS 1.2 that it takes, "" for the server's default
	Lifetime     int            // of its sessions, in seconds; a server may have that of the first host for all
}

// Credentials are the files of all states.
type Credentials struct {
	pairs     map[string][2]Certificate // of each value of State.Certificate
	authority map[string]*Authority     // of each value of State.Policy that demands something
	clients   map[string]Certificate
	list      string
}

// NewCredentials makes them in a directory.
func NewCredentials(t *testing.T, dir string) *Credentials {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	authority := func(name string) *Authority {
		t.Helper()
		must(os.Mkdir(filepath.Join(dir, name), 0o755))
		made, err := NewAuthority(filepath.Join(dir, name))
		must(err)
		return made
	}
	issued := func(made Certificate, err error) Certificate {
		t.Helper()
		must(err)
		return made
	}
	before, after := authority("before"), authority("after")
	first, second := issued(before.Issue("server.test")), issued(before.IssueRSA("rsa.test"))
	one, two := authority("one"), authority("two")
	client := issued(one.Issue("client.test"))
	c := &Credentials{
		pairs: map[string][2]Certificate{
			SameCertificates: {first, second},
			Renewed:          {issued(after.Issue("server.test")), second},
			Other:            {issued(before.Issue("another.test")), second},
			SecondRenewed:    {first, issued(after.IssueRSA("rsa.test"))},
		},
		authority: map[string]*Authority{Stricter: one, OtherAuthority: two, RevocationList: one},
		clients: map[string]Certificate{
			Stricter: client, OtherAuthority: issued(two.Issue("client.test")), RevocationList: client,
		},
		list: filepath.Join(dir, "revoked.pem"),
	}
	must(one.Revoke(c.list))
	return c
}

// Hosts are the server blocks of both ports: that which the state's client comes to is as the state says, and the others are as in the
// first state.
func (c *Credentials) Hosts(s State) []VirtualHost {
	var hosts []VirtualHost
	for port := range 2 {
		for i, name := range Names {
			b := VirtualHost{Port: port, Name: name, Certificates: c.pairs[SameCertificates], Lifetime: hostLifetime}
			if port == s.Port && (name == s.Name || s.Name == "" && i == 0) {
				b.Certificates = c.pairs[s.Certificate]
				if authority := c.authority[s.Policy]; authority != nil {
					b.CA = authority.CA
				}
				if s.Policy == RevocationList {
					b.CRL = c.list
				}
			}
			hosts = append(hosts, b)
		}
	}
	return hosts
}

// client is the arguments of the client of a state.
func (c *Credentials) client(s State) []string {
	var arguments []string
	if s.Name != "" {
		arguments = append(arguments, "--sni", s.Name)
	}
	if s.Kind == RSA {
		arguments = append(arguments, "--sigalgs", RSAOnly)
	}
	if client := c.clients[s.Policy]; client != (Certificate{}) {
		arguments = append(arguments, "--cert", client.Cert, "--key", client.Key)
	}
	return arguments
}
