package doctor

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"math"
	"math/big"
	"net"
	"slices"
	"testing"

	"gosess/internal/probe"
)

// The bounds are those of a table of Clopper and Pearson's.
func TestBetween(t *testing.T) {
	for _, c := range []struct {
		successes, n int
		low, high    float64
	}{{44, 44, 0.9006, 1}, {0, 44, 0, 0.0994}, {9, 10, 0.4960, 0.9990}, {50, 100, 0.3807, 0.6193}, {0, 0, 0, 1}} {
		low, high := between(c.successes, c.n)
		if math.Abs(low-c.low) > 0.0005 || math.Abs(high-c.high) > 0.0005 {
			t.Errorf("%d of %d: %.4f to %.4f, want %.4f to %.4f", c.successes, c.n, low, high, c.low, c.high)
		}
	}
	if tenth, hundredth := attemptsFor(0.1), attemptsFor(0.01); tenth != 44 || hundredth != 459 {
		t.Errorf("%d, %d", tenth, hundredth)
	}
}

// Each address follows each other one, if there are visits enough, and stays at itself.
func TestPlan(t *testing.T) {
	for addresses := 1; addresses <= addressLimit; addresses++ {
		made, offered := make([]int, addresses), make([]int, addresses)
		visits, roving := 0, 0
		for _, trip := range plan(addresses, 44) {
			for n := range trip.stops[1:] {
				if !trip.roving {
					visits++
					continue
				}
				roving++
				made[trip.stops[n]]++
				offered[trip.stops[n+1]]++
				if trip.stops[n] == trip.stops[n+1] {
					t.Errorf("%d addresses: a roving client stays", addresses)
				}
			}
		}
		if visits < 44 || addresses > 1 && roving < 44 {
			t.Errorf("%d addresses: %d and %d visits", addresses, visits, roving)
		}
		for n := range made {
			if addresses > 1 && (made[n] == 0 || offered[n] == 0) {
				t.Errorf("%d addresses: number %d is left out", addresses, n)
			}
		}
	}
}

// sealed is a ticket as libssl seals a session.
func sealed(t *testing.T, aesKey, macKey []byte) []byte { return seal(t, aesKey, macKey, 0x30) }

func seal(t *testing.T, aesKey, macKey []byte, first byte) []byte {
	t.Helper()
	ticket := make([]byte, 32+160)
	if _, err := rand.Read(ticket[:32]); err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(aesKey)
	if err != nil {
		t.Fatal(err)
	}
	plain := append([]byte{first}, bytes.Repeat([]byte{7}, 152)...)
	plain = append(plain, bytes.Repeat([]byte{7}, 7)...)
	cipher.NewCBCEncrypter(block, ticket[16:32]).CryptBlocks(ticket[32:], plain)
	mac := hmac.New(sha256.New, macKey)
	mac.Write(ticket)
	return mac.Sum(ticket)
}

func TestGuess(t *testing.T) {
	zeros, ones, random := make([]byte, 32), bytes.Repeat([]byte{1}, 16), make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ticket []byte
		want   string
	}{
		"zeros":            {sealed(t, zeros, zeros), guessedAll},
		"short zeros":      {sealed(t, zeros[:16], zeros[:16]), guessedAll},
		"ones":             {sealed(t, ones, ones), guessedAll},
		"zeros of the MAC": {sealed(t, random, zeros), guessedMAC},
		"something else":   {seal(t, zeros, zeros, 0x31), guessedMAC},
		"random":           {sealed(t, random, random), ""},
		"a random MAC":     {sealed(t, zeros, random), ""},
		"a number":         {random, ""},
		"nothing":          {nil, ""},
	} {
		if got := guess(c.ticket); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Names are found by how many tickets begin alike, whatever their length is.
func TestKeyNames(t *testing.T) {
	for _, size := range []int{16, 8, 4} {
		var named, nameless Keys
		for n := range 12 {
			ticket := make([]byte, 100)
			if _, err := rand.Read(ticket); err != nil {
				t.Fatal(err)
			}
			for range 2 { // it is shown again where a resumption gives no other
				nameless.remember(ticket, "a")
			}
			copy(ticket, bytes.Repeat([]byte{byte(n % 3)}, size))
			for range 2 {
				named.remember(ticket, "a")
			}
		}
		if got, keys := keysOf(named.tickets); got != size || len(keys) != 3 || keys[0].Tickets != 4 {
			t.Errorf("%d bytes: %d, %+v", size, got, keys)
		}
		if got, keys := keysOf(nameless.tickets); got != 0 || keys != nil {
			t.Errorf("no names: %d, %+v", got, keys)
		}
	}
}

func TestExpectations(t *testing.T) {
	for _, text := range []string{"resumed>=99", "tls13=100", "lifetime<1h", "key-age<=86400", "replayable=no", "keys<3"} {
		if _, err := ParseExpectation(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"", "resumed", "resumed>=", "resumed>=x", "resumed=>9", "nothing=1", "replayable>=no", "replayable=maybe", "keys>=-1"} {
		if _, err := ParseExpectation(text); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	for text, want := range map[string]int{"resumed>=99": 459, "resumed>=90": 44, "resumed>=50": 44, "tls13>=100": 459, "keys=1": 44} {
		e, err := ParseExpectation(text)
		if got := attemptsWanted([]Expectation{e}); err != nil || got != want {
			t.Errorf("%s: %d attempts, want %d", text, got, want)
		}
	}
}

// What a certificate says is asked for and shown only where it is a name.
func TestCertificateNames(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"", "*.example.org", "\x1b[31m", "a b", "-", "www.example.org"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if names := fullOf(probe.ByPSK, probe.Seen{Certificate: der}).names; !slices.Equal(names, []string{"-", "www.example.org"}) {
		t.Errorf("%q", names)
	}
}

func TestRecognise(t *testing.T) {
	for _, c := range []struct{ answer, header, want string }{
		{"HTTP/1.1 400\r\n\r\n<center>nginx/1.22</center>", "nginx/1.22.1", nginx},
		{"<html><body><h1>400 Bad request</h1>\nYour browser sent an invalid request.\n", "nginx", haproxy},
		{"", "Apache", httpd}, {"", "220 mail.example.org ESMTP Postfix", postfix}, {"", "thttpd", ""},
	} {
		if got := recognise(c.answer, c.header); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// Every recipe is one for a code that there is, and a server that is recognised or may be named.
func TestRecipes(t *testing.T) {
	for n, r := range recipes {
		if cure(r.code, r.server, "") == nil || r.lines == "" {
			t.Errorf("recipe %d: %+v", n, r)
		}
	}
	for library, want := range map[string]string{"": installed, "/usr/lib/x/libgosess.so.0": "/usr/lib/x/libgosess.so.0"} {
		r := &Report{Server: httpd, Keys: Keys{Default: guessedMAC}, preload: library}
		if found := findings(r); len(found) != 1 || !slices.Contains(found[0].Cure, "Environment=LD_PRELOAD="+want) {
			t.Errorf("where the library is %q: %+v", library, found)
		}
	}
}

// An address is looked at as it is written, with its zone, and is no server name. What one name has several times is one address.
func TestFind(t *testing.T) {
	resolve := func(context.Context, string, string) ([]net.IP, error) {
		return []net.IP{net.IPv4(192, 0, 2, 1), net.ParseIP("2001:db8::1"), net.ParseIP("::ffff:192.0.2.1")}, nil
	}
	for _, c := range []struct {
		targets []string
		name    string
		want    []string
	}{
		{[]string{"192.0.2.9:443"}, "", []string{"192.0.2.9:443"}},
		{[]string{"[2001:DB8::1]:443", "[2001:db8:0::1]:443"}, "", []string{"[2001:db8::1]:443"}},
		{[]string{"[fe80::1%eth0]:443"}, "", []string{"[fe80::1%eth0]:443"}},
		{[]string{"www.example.org:443", "192.0.2.9:8443"}, "www.example.org", []string{"192.0.2.1:443", "[2001:db8::1]:443", "192.0.2.9:8443"}},
		{[]string{"192.0.2.1:443", "www.example.org:443"}, "", []string{"192.0.2.1:443", "[2001:db8::1]:443"}},
	} {
		got, name, err := find(t.Context(), resolve, c.targets)
		if err != nil || name != c.name || !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, %q, %v", c.targets, got, name, err)
		}
	}
}
