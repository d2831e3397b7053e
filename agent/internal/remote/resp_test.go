package remote

import (
	"net"
	"strings"
	"testing"
)

func TestScannerCounts(t *testing.T) {
	for text, want := range map[string]int{
		"+OK\r\n":                                  1,
		"-ERR no\r\n:5\r\n_\r\n#t\r\n,1.5\r\n":     5,
		"$3\r\na\nb\r\n$-1\r\n*-1\r\n$0\r\n\r\n":   4,
		"*2\r\n$1\r\na\r\n*1\r\n:1\r\n*0\r\n":      2,
		"%1\r\n+a\r\n~1\r\n:1\r\n=5\r\ntxt:a\r\n":  2,
		"|1\r\n+a\r\n+b\r\n+OK\r\n":                1,
		"*1\r\n*1\r\n*1\r\n*0\r\n":                 1,
		"$5\r\nab":                                 0,
		">2\r\n+message\r\n+a\r\n+OK\r\n":          1,
		"-MOVED 7 127.0.0.1:1\r\n-ASK 7 a:1\r\n":   2,
		"!9\r\nASK 7 a:1\r\n+MOVED\r\n":            2,
		">3\r\n+message\r\n+a\r\n$1\r\nb\r\n":      0,
		">3\r\n+message\r\n+b\r\n+c\r\n:1\r\n":     1,
		">3\r\n+subscribe\r\n++sentinel\r\n:1\r\n": 0,
	} {
		for size := 1; size <= len(text); size++ { // however it is cut
			s := scanner{push: true}
			var err error
			for rest := text; rest != "" && err == nil; {
				n := min(size, len(rest))
				err = s.scan([]byte(rest[:n]))
				rest = rest[n:]
			}
			if err != nil || s.values != want {
				t.Errorf("%q by %d bytes: %d values, %v; wanted %d", text, size, s.values, err, want)
			}
		}
	}
}

// TestScannerRefuses has what ends a process that trusts it, or fills its memory.
func TestScannerRefuses(t *testing.T) {
	for _, text := range []string{
		"HTTP/1.1 400 Bad Request\r\n", "\x16\x03\x01", "\r\n", "\x00",
		"$-5\r\n", "$\r\n", "$x\r\n", "$1000000000000\r\n", "$536870912\r\n", "*1000000\r\n", "*-2\r\n", "%-1\r\n", "~-1\r\n", "$?\r\n",
		"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", "$--1\r\n", "+\n",
		">2\r\n+subscribe\r\n+a\r\n", "*1\r\n>1\r\n",
		"+" + strings.Repeat("a", 5000), "*100\r\n" + strings.Repeat("$1000000\r\n"+strings.Repeat("a", 1000000)+"\r\n", 9),
	} {
		s := scanner{}
		if err := s.scan([]byte(text)); err == nil {
			t.Errorf("%.60q: nothing is wrong with it", text)
		}
	}
	for _, text := range []string{
		"-MOVED\r\n", "-MOVED 5\r\n", "-ASKED\r\n", "!5\r\nMOVED\r\n", "*1\r\n-ASK x\r\n", "-REDIRECT\r\n",
		">3\r\n+message\r\n+%2bsentinel\r\n+a b c\r\n", ">3\r\n$7\r\nmessage\r\n$14\r\n%2bswitch-master\r\n$7\r\na b c d\r\n",
	} {
		text = strings.ReplaceAll(text, "%2b", "+")
		s := scanner{push: true}
		if err := s.scan([]byte(text)); err == nil {
			t.Errorf("%.60q: nothing is wrong with it", text)
		}
	}
}

// TestScannerWeighs has answers that are allowed, and are too many together: the library keeps them for who waits for the others.
func TestScannerWeighs(t *testing.T) {
	long := "$110000\r\n" + strings.Repeat("a", 110000) + "\r\n"
	page := "*500\r\n" + strings.Repeat("*2\r\n+1700000000000-0\r\n*2\r\n+e\r\n$4000\r\n"+strings.Repeat("a", 4000)+"\r\n", 500)
	for _, c := range []struct {
		name, text string
		count      int
		allowed    bool
	}{
		{"pages of the log", page, 40, true},
		{"all that are not", long, 2000, false},
		{"numbers", "*100000\r\n" + strings.Repeat(":1\r\n", 100000), 1000, false},
	} {
		s := scanner{}
		var err error
		for range c.count {
			if err == nil {
				err = s.scan([]byte(c.text))
			}
		}
		if (err == nil) != c.allowed {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	s := scanner{}
	for range 100000 {
		if err := s.scan([]byte("$6193\r\n" + strings.Repeat("a", 6193) + "\r\n")); err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzScanner(f *testing.F) {
	f.Add([]byte("*2\r\n$1\r\na\r\n%1\r\n+a\r\n|1\r\n+a\r\n+b\r\n_\r\n"), byte(3))
	f.Fuzz(func(t *testing.T, text []byte, cut byte) {
		whole, parts := scanner{}, scanner{}
		err := whole.scan(text)
		at := min(int(cut), len(text))
		second := parts.scan(text[:at])
		if second == nil {
			second = parts.scan(text[at:])
		}
		if (err == nil) != (second == nil) || err == nil && whole.values != parts.values {
			t.Errorf("%q, cut at %d: %d values, %v; whole: %d, %v", text, at, parts.values, second, whole.values, err)
		}
	})
}

func TestGuardRefusesAnswersToNothing(t *testing.T) {
	near, there := net.Pipe()
	defer there.Close()
	var failed error
	closed := 0
	g := guard(near, false, func(err error) { failed = err }, func(*guarded) { closed++ })
	go func() {
		buffer := make([]byte, 100)
		there.Read(buffer)
		there.Write([]byte("+PONG\r\n"))
		there.Write([]byte("+PONG\r\n"))
	}()
	if _, err := g.Write([]byte("*1\r\n$4\r\nPING\r\n")); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 100)
	if n, err := g.Read(buffer); err != nil || string(buffer[:n]) != "+PONG\r\n" {
		t.Errorf("%q, %v", buffer[:n], err)
	}
	if _, err := g.Read(buffer); err == nil || failed == nil || !strings.Contains(failed.Error(), "2 answers to 1 commands") {
		t.Errorf("an answer to nothing: %v, %v", err, failed)
	}
	g.Close()
	g.Close()
	if closed != 1 {
		t.Errorf("closed %d times", closed)
	}
}
