package main

import (
	"bufio"
	gotls "crypto/tls"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// A conduct is what a command is asked to see how it behaves.
type conduct struct {
	works   func(t *testing.T) []string // words behind its name with which it ends with 0; what it needs is made anew
	fails   []string                    // with which it does not; nil: nothing can go wrong that is not a mistake in the words
	status  int                         // then
	colours bool                        // it has some on a terminal
}

// withoutJSON are the commands that print nothing for programs, and why.
var withoutJSON = map[string]string{
	"run":        "what is printed is the program's",
	"completion": "what is printed is a shell's",
	"help":       "it explains to people",
}

// conducts has each command that people see.
func conducts(t *testing.T) map[string]conduct {
	store := func(t *testing.T) string {
		path, _ := filled(t)
		return "shm:" + path
	}
	words := func(words ...string) func(*testing.T) []string {
		return func(*testing.T) []string { return words }
	}
	keyed := func(t *testing.T) []string {
		one, two := gosess(t, home, nil, "keygen").stdout, gosess(t, home, nil, "keygen").stdout
		return []string{keyFile(t, one, two), store(t)}
	}
	service := tlsService(t)
	return map[string]conduct{
		"run":   {works: words("--", "true"), fails: []string{"--", "/no/such/program"}, status: 127},
		"check": {works: words("shm:?size=1m"), fails: []string{"redis://h"}, status: 1},
		"stats": {works: func(t *testing.T) []string { return []string{store(t)} }, fails: []string{"shm:/no/such/store"}, status: 1},
		"serve": {works: words("--listen", "127.0.0.1:0", "shm:/no/such/store"), fails: []string{"--listen", "192.0.2.1:1", "shm:/x"}, status: 1},
		"ls":    {works: func(t *testing.T) []string { return []string{store(t)} }, fails: []string{"shm:/no/such/store"}, status: 1},
		"flush": {works: func(t *testing.T) []string { return []string{store(t)} }, fails: []string{"shm:/no/such/store"}, status: 1},
		"doctor": {works: words(service, "--rate", "1000", "--expect", "addresses=1"), fails: []string{"127.0.0.1:1"}, status: 2,
			colours: true},
		"keygen": {works: words()},
		"keys export": {works: func(t *testing.T) []string {
			return []string{"--for", "nginx", "--period", "24h", "--to", filepath.Join(t.TempDir(), "keys"), "shm:" + secretStore(t, 24*3600)}
		}, fails: []string{"--for", "nginx", "--to", "/no/such/file", "shm:/no/such/store"}, status: 1},
		"keys rotate": {works: keyed, fails: []string{"/no/such/file"}, status: 1},
		"keys drop":   {works: keyed, fails: []string{"/no/such/file"}, status: 1},
		"keys update": {works: keyed, fails: []string{"/no/such/file"}, status: 1},
		"enable": {works: func(t *testing.T) []string { return []string{"--root", t.TempDir(), "nginx"} },
			fails: []string{"--root", "/dev/null", "nginx"}, status: 1},
		"disable": {works: func(t *testing.T) []string {
			root := t.TempDir()
			gosess(t, home, nil, "enable", "--root", root, "nginx")
			return []string{"--root", root, "nginx"}
		}, fails: []string{"--root", t.TempDir(), "nginx"}, status: 1},
		"version":    {works: words()},
		"completion": {works: words("bash"), fails: []string{"csh"}, status: 2},
		"help":       {works: words(), fails: []string{"start"}, status: 2, colours: true},
	}
}

// tlsService is a TLS server for the doctor.
func tlsService(t *testing.T) (address string) {
	dir := t.TempDir()
	pem, err := harness.CertAndKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := gotls.LoadX509KeyPair(pem, pem)
	if err != nil {
		t.Fatal(err)
	}
	config := &gotls.Config{Certificates: []gotls.Certificate{certificate}}
	return harness.Listen(t, func(conn net.Conn) {
		tls := gotls.Server(conn, config)
		defer tls.Close()
		if _, err := bufio.NewReader(tls).ReadString('\n'); err == nil {
			_, _ = io.WriteString(tls, "HTTP/1.1 200 OK\r\n\r\n")
		}
	}).String()
}

// Every command ends with what scripts go by, speaks to programs where it says anything of its own, and has colours on a terminal only.
func TestConduct(t *testing.T) {
	all := conducts(t)
	for _, c := range table {
		if c.hidden {
			continue
		}
		how, found := all[c.name]
		if !found {
			t.Errorf("nothing is asked of %s", c.name)
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			name := strings.Fields(c.name)
			line := func(more ...string) []string { return slices.Concat(name, more, how.works(t)) }
			plain := ask(t, line()...)
			if plain.status != 0 || strings.Contains(plain.stdout+plain.stderr, "\x1b") || (plain.stdout == "") != (c.name == "run" || c.name == "keys export") {
				t.Errorf("%+v", plain)
			}
			mistaken := gosess(t, home, nil, slices.Concat(name, []string{"--no-such-option"})...)
			if mistaken.status != 2 || mistaken.stdout != "" || strings.Count(mistaken.stderr, "\n") != 1 ||
				!strings.HasSuffix(mistaken.stderr, "see gosess "+c.name+" --help\n") {
				t.Errorf("an option that there is not: %+v", mistaken)
			}
			if how.fails != nil {
				failed := gosess(t, home, nil, slices.Concat(name, how.fails)...)
				if failed.status != how.status || failed.stdout != "" || !strings.HasPrefix(failed.stderr, "gosess: ") || strings.Count(failed.stderr, "\n") != 1 {
					t.Errorf("%q: %+v, want status %d", how.fails, failed, how.status)
				}
			}
			if asJSON := slices.ContainsFunc(optionsOf(&c), func(o option) bool { return o.flag == "json" }); asJSON != (withoutJSON[c.name] == "") {
				t.Errorf("--json: %v", asJSON)
			} else if asJSON {
				readsAsObjects(t, ask(t, line("--json")...))
				if said := onTerminal(t, nil, line("--json")...); strings.Contains(said, "\x1b") {
					t.Errorf("colours in what is for programs: %q", said)
				}
			}
			if said := onTerminal(t, nil, line()...); strings.Contains(said, "\x1b[") != how.colours {
				t.Errorf("on a terminal: %q", said)
			}
			for _, variable := range []string{"NO_COLOR=1", "TERM=dumb"} {
				if said := onTerminal(t, []string{variable}, line()...); how.colours && strings.Contains(said, "\x1b") {
					t.Errorf("%s: %q", variable, said)
				}
			}
			if c.name != "run" { // a program that writes nothing
				full(t, line("--json")[:len(line())+1], c.name)
			}
		})
	}
}

// full has a command write where there is no room: it may not say that all is well.
func full(t *testing.T, line []string, name string) {
	t.Helper()
	if withoutJSON[name] != "" {
		line = slices.DeleteFunc(line, func(word string) bool { return word == "--json" })
	}
	device, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	cmd := invocation(home, nil, line...)
	cmd.Stdout = device
	var stderr strings.Builder
	cmd.Stderr = &stderr
	_ = cmd.Run() // its status is looked at
	if status := cmd.ProcessState.ExitCode(); status != 1 || !strings.Contains(stderr.String(), "no space left") {
		t.Errorf("%q, with no room: status %d, %q", line, status, stderr.String())
	}
}

// readsAsObjects wants one JSON object or several.
func readsAsObjects(t *testing.T, r result) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(r.stdout))
	for n := 0; ; n++ {
		var value map[string]any
		err := decoder.Decode(&value)
		if err == io.EOF && n > 0 && r.status == 0 {
			return
		}
		if err != nil || len(value) == 0 {
			t.Errorf("--json: %v: %+v", err, r)
			return
		}
	}
}

// ask runs a command, and has serve end when it has said where it serves.
func ask(t *testing.T, words ...string) result {
	t.Helper()
	cmd := invocation(home, nil, words...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	said := readAll(t, cmd, stdout)
	_ = cmd.Wait() // its status is looked at
	return result{cmd.ProcessState.ExitCode(), said, stderr.String()}
}
