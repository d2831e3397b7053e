package probe

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	gotls "crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"gosess/tests/harness"
)

// listen serves each connection with handle.
func listen(t *testing.T, handle func(net.Conn)) (address string) {
	t.Helper()
	return harness.Listen(t, handle).String()
}

// configuration is that of a server in Go, whose tickets carry their sessions and which knows no ids.
func configuration(t *testing.T) *gotls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "first.test"},
		DNSNames: []string{"first.test"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &gotls.Config{Certificates: []gotls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"http/1.1"}}
}

// serveHTTP answers one request.
func serveHTTP(config *gotls.Config) func(net.Conn) {
	return func(conn net.Conn) {
		tls := gotls.Server(conn, config)
		defer tls.Close()
		if line, err := bufio.NewReader(tls).ReadString('\n'); err == nil && strings.HasPrefix(line, "HEAD / ") {
			_, _ = io.WriteString(tls, "HTTP/1.1 200 OK\r\nServer: go\r\n\r\n")
		}
	}
}

func connect(t *testing.T, ask Ask) Seen {
	t.Helper()
	if ask.Patience == 0 {
		ask.Patience = time.Minute
	}
	seen, err := Connect(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// What is given is taken again, and each way says what it is.
func TestResume(t *testing.T) {
	address := listen(t, serveHTTP(configuration(t)))
	for _, kind := range Kinds {
		ask := Ask{Address: address, Name: "first.test", Kind: kind, Talk: TalkAt("443")}
		full := connect(t, ask)
		certificate, err := x509.ParseCertificate(full.Certificate)
		if full.Resumed || full.ALPN != "http/1.1" || !strings.HasPrefix(full.Answer, "HTTP/1.1 200 OK\r\nServer: go\r\n") || err != nil ||
			certificate.Subject.CommonName != "first.test" {
			t.Errorf("%d: %+v: %v", kind, full, err)
		}
		if kind == ByID {
			if len(full.Sessions) != 0 {
				t.Errorf("a session without an id: %+v", full.Sessions)
			}
			continue
		}
		if len(full.Sessions) == 0 || len(full.Sessions[0].Ticket) == 0 || full.Sessions[0].Hint == 0 && kind == ByPSK {
			t.Fatalf("%d: %+v", kind, full)
		}
		ask.Session = &full.Sessions[0]
		if again := connect(t, ask); !again.Resumed || string(again.Certificate) != string(full.Certificate) {
			t.Errorf("%d: %+v", kind, again)
		}
	}
}

// A version that is not spoken is refused, and somebody was there.
func TestRefused(t *testing.T) {
	config := configuration(t)
	config.MaxVersion = gotls.VersionTLS12
	address := listen(t, serveHTTP(config))
	_, err := Connect(t.Context(), Ask{Address: address, Kind: ByPSK, Patience: time.Minute})
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "version") {
		t.Error(err)
	}
}

// A server that does what it likes ends nobody's patience but for once, with one clear line.
func TestHostile(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	closed.Close()
	wait := func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
	repeat := func(text string) func(net.Conn) {
		return func(conn net.Conn) {
			for {
				if _, err := io.WriteString(conn, text); err != nil {
					return
				}
			}
		}
	}
	drip := func(conn net.Conn) { // a record that would be a large one, byte by byte
		for _, err := io.WriteString(conn, "\x16\x03\x03\x40\x00"); err == nil; _, err = io.WriteString(conn, "\x00") {
			time.Sleep(10 * time.Millisecond)
		}
	}
	short, long := time.Second/2, time.Minute
	for name, c := range map[string]struct {
		address  string
		talk     Talk
		patience time.Duration
		want     string
	}{
		"nobody":              {nobody, Talk{}, long, "connection refused"},
		"closes at once":      {listen(t, func(net.Conn) {}), Talk{}, long, "clos"},
		"says nothing":        {listen(t, wait), Talk{}, short, "does not answer"},
		"a byte now and then": {listen(t, drip), Talk{}, short, "does not answer"},
		"no TLS":              {listen(t, repeat("HTTP/1.1 400 Bad Request\r\n\r\n")), Talk{}, long, "no handshake"},
		"garbage":             {listen(t, repeat("\x00\xff\x17\x03")), Talk{}, long, "no handshake"},
		// Warnings of a version that the record says, without an end.
		"alerts":                 {listen(t, repeat("\x15\x03\x03\x00\x02\x01\x5a")), Talk{}, long, "no handshake"},
		"SMTP without a line":    {listen(t, repeat("x")), Talk{"smtp", true}, long, "line does not end"},
		"SMTP without an end":    {listen(t, repeat("220-x\r\n")), Talk{"smtp", true}, long, "answer does not end"},
		"SMTP that is something": {listen(t, repeat("\x1b[31m\r\n")), Talk{"smtp", true}, long, `says ".[31m"`},
		"IMAP without an end":    {listen(t, repeat("* OK\r\n")), Talk{"imap", true}, long, "answer does not end"},
		"PostgreSQL without TLS": {listen(t, repeat("N")), Talk{"postgres", true}, long, `says "N"`},
		"LDAP of zeros":          {listen(t, repeat("\x00")), Talk{"ldap", true}, long, "does not speak LDAP"},
		"LDAP that is long":      {listen(t, repeat("\x30\x82\xff\xff")), Talk{"ldap", true}, long, "does not speak LDAP"},
		"LDAP that is short":     {listen(t, repeat("\x30\x00")), Talk{"ldap", true}, long, "none of LDAP's"},
		"STARTTLS and silence":   {listen(t, wait), Talk{"pop3", true}, short, "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Connect(context.Background(), Ask{Address: c.address, Kind: ByPSK, Talk: c.talk, Patience: c.patience})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// A server that speaks TLS and never ends is not listened to for long.
func TestEndless(t *testing.T) {
	config := configuration(t)
	sent := make(chan int, 1)
	address := listen(t, func(conn net.Conn) {
		tls := gotls.Server(conn, config)
		bytes, all := make([]byte, 16<<10), 0
		for {
			n, err := tls.Write(bytes)
			if all += n; err != nil {
				sent <- all
				return
			}
		}
	})
	seen := connect(t, Ask{Address: address, Kind: ByPSK, Talk: TalkAt("443")})
	if all := <-sent; all > 32<<20 || len(seen.Answer) > 2*answerLimit { // what lies in sockets counts too
		t.Errorf("%d bytes were sent, %d are kept", all, len(seen.Answer))
	}
}

// Who gives up is not held by a server that says nothing, whatever is waited for.
func TestCancelled(t *testing.T) {
	for name, ask := range map[string]Ask{
		"a handshake":      {},
		"another protocol": {Talk: Talk{"smtp", true}},
		"somebody before":  {Before: "silent"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			ask.Address = listen(t, func(conn net.Conn) {
				cancel()
				_, _ = io.Copy(io.Discard, conn)
			})
			if ask.Before != "" {
				ask.Before = ask.Address
			}
			ask.Kind, ask.Patience = ByPSK, time.Hour
			if _, err := Connect(ctx, ask); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
}

// TLS begins where each protocol has it begin.
func TestStartTLS(t *testing.T) {
	config := configuration(t)
	// What the server says, and what it waits for between, up to the end of it.
	for protocol, turns := range map[string][]string{
		"smtp":     {"220-one\r\n220 two ESMTP\r\n", "EHLO doctor.invalid\r\n", "250-a\r\n250 STARTTLS\r\n", "STARTTLS\r\n", "220 go\r\n"},
		"imap":     {"* OK hello\r\n", "a STARTTLS\r\n", "* CAPABILITY\r\na OK go\r\n"},
		"pop3":     {"+OK hello\r\n", "STLS\r\n", "+OK\r\n"},
		"ftp":      {"220-x\r\n more\r\n220 hello\r\n", "AUTH TLS\r\n", "234 go\r\n"},
		"ldap":     {"", startTLSOfLDAP, "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"},
		"postgres": {"", "\x00\x00\x00\x08\x04\xd2\x16\x2f", "S"},
	} {
		t.Run(protocol, func(t *testing.T) {
			address := listen(t, func(conn net.Conn) {
				for n, turn := range turns {
					if n%2 == 0 {
						_, _ = io.WriteString(conn, turn)
						continue
					}
					heard := make([]byte, len(turn))
					if _, err := io.ReadFull(conn, heard); err != nil || string(heard) != turn {
						t.Errorf("heard %q, want %q: %v", heard, turn, err)
						return
					}
				}
				tls := gotls.Server(conn, config)
				defer tls.Close()
				if _, err := bufio.NewReader(tls).ReadString('\n'); err == nil {
					_, _ = io.WriteString(tls, "bye\r\n")
				}
			})
			talk, err := StartTLS(protocol)
			if err != nil {
				t.Fatal(err)
			}
			full := connect(t, Ask{Address: address, Kind: ByPSK, Talk: talk})
			if full.Resumed || len(full.Sessions) == 0 {
				t.Fatalf("%+v", full)
			}
			if again := connect(t, Ask{Address: address, Kind: ByPSK, Talk: talk, Session: &full.Sessions[0]}); !again.Resumed {
				t.Errorf("%+v", again)
			}
		})
	}
	if _, err := StartTLS("gopher"); err == nil || !strings.Contains(err.Error(), "postgres") {
		t.Error(err)
	}
}

// What libssl cannot ask at all is told from what a server answers, and no server hears of it.
func TestNobodyIsAsked(t *testing.T) {
	address := listen(t, func(net.Conn) { t.Error("somebody was asked") })
	for name, ask := range map[string]Ask{
		"a session that is none": {Session: &Session{DER: []byte("nonsense")}},
		"no session":             {Session: &Session{}},
		"a name that is long":    {Name: strings.Repeat("a", 300)},
		"early data for nobody":  {Early: true, Talk: TalkAt("443")},
		"early data of nothing":  {Early: true, Talk: Silent},
	} {
		ask.Address, ask.Kind, ask.Patience = address, ByPSK, time.Minute
		if _, err := Connect(t.Context(), ask); !errors.Is(err, ErrAsk) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
