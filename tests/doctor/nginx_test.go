package doctor_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gosess/tests/harness"
)

// keyFile writes the file of a ticket key.
func keyFile(t *testing.T, dir, name string, key []byte) (path string) {
	t.Helper()
	path = filepath.Join(dir, name)
	if err := os.WriteFile(path, key, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func random(t *testing.T, size int) []byte {
	t.Helper()
	key := make([]byte, size)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	return key
}

// service adds a server block with a port of its own, and the first one's certificate.
func service(t *testing.T, n *harness.Nginx, directives string) (port int) {
	t.Helper()
	site, err := n.AddSite("first.test")
	if err != nil {
		t.Fatal(err)
	}
	site.Cert, site.Directives = n.Sites[0].Cert, directives
	return site.Port
}

// One nginx, with a server block for each way to configure it.
func TestNginx(t *testing.T) {
	t.Parallel()
	dir := harness.TempDir(t)
	n, err := harness.NewNginx(dir)
	if err != nil {
		t.Fatal(err)
	}
	n.WorkerCount, n.Tickets = 4, true
	random80 := "ssl_session_ticket_key " + keyFile(t, dir, "random80", random(t, 80)) + "; "
	other80 := "ssl_session_ticket_key " + keyFile(t, dir, "other80", random(t, 80)) + "; "
	zero80 := "ssl_session_ticket_key " + keyFile(t, dir, "zero80", make([]byte, 80)) + "; "
	ones48 := "ssl_session_ticket_key " + keyFile(t, dir, "ones48", bytes.Repeat([]byte{0xff}, 48)) + "; "
	const shared, off = "ssl_session_cache shared:all:1m; ", "ssl_session_tickets off; "
	one, two := service(t, n, shared+random80), service(t, n, shared+random80)
	apart := service(t, n, shared+other80)
	questions := []question{
		{name: "as its page", ports: []int{service(t, n, shared)}},
		{name: "default", ports: []int{service(t, n, "")}, codes: []string{"not-resumed/cache"},
			lines: []string{"ssl_session_cache shared:tls:10m;"}},
		{name: "nothing", ports: []int{service(t, n, off)}, codes: []string{"not-resumed/cache"},
			lines: []string{"ssl_session_cache shared:tls:10m;", "ssl_session_tickets on;"}},
		{name: "off", ports: []int{service(t, n, off+"ssl_session_cache off;")}, codes: []string{"no-session", "not-resumed/cache"},
			lines: []string{"ssl_session_cache shared:tls:10m;"}},
		{name: "builtin", ports: []int{service(t, n, off+"ssl_session_cache builtin;")}, codes: []string{"partly-resumed/cache"},
			lines: []string{"ssl_session_cache shared:tls:10m;"}},
		{name: "one key", ports: []int{one, two}},
		{name: "two keys", ports: []int{one, apart}, codes: []string{"addresses-apart/keys"},
			lines: []string{"ssl_session_ticket_key /etc/nginx/ticket.key;"}},
		{name: "two keys behind one address", ports: []int{balancer(t, at(one, apart)...)}, codes: []string{"partly-resumed/keys"},
			lines: []string{"ssl_session_ticket_key /etc/nginx/ticket.key;", "Environment=GOSESS_TICKETS=shared"}},
		{name: "zero key", ports: []int{service(t, n, shared+zero80)}, codes: []string{"default-key"},
			lines: []string{"openssl rand 80 > /etc/nginx/ticket.key"}},
		{name: "key of one byte", ports: []int{service(t, n, shared+ones48)}, codes: []string{"default-key"},
			lines: []string{"openssl rand 80 > /etc/nginx/ticket.key"}},
		{name: "early data", ports: []int{service(t, n, shared+"ssl_early_data on;")}, codes: []string{"replayable"},
			lines: []string{"ssl_early_data off;"}},
		{name: "TLS 1.2 only", ports: []int{service(t, n, shared+"ssl_protocols TLSv1.2;")}, codes: []string{"no-tls13"},
			lines: []string{"ssl_protocols TLSv1.2 TLSv1.3;"}},
		{name: "long", ports: []int{service(t, n, shared+"ssl_session_timeout 3d;")}, codes: []string{"long-lived"},
			lines: []string{"ssl_session_timeout 1h;"}},
	}
	crossing := service(t, n, shared+random80)
	other, err := n.AddSite("second.test")
	if err != nil {
		t.Fatal(err)
	}
	other.Port, other.Directives = crossing, shared+random80
	questions = append(questions, question{name: "names", ports: []int{crossing}, more: []string{"--sni", "first.test", "--sni", "second.test"},
		codes: []string{"crosses-names"}, lines: []string{"Environment=GOSESS_TICKETS=shared"}})
	verified := service(t, n, shared+random80)
	if other, err = n.AddSite("second.test"); err != nil {
		t.Fatal(err)
	}
	other.Port, other.Directives = verified, shared+random80+"ssl_verify_client optional_no_ca;"
	questions = append(questions, question{name: "names where clients are verified", ports: []int{verified},
		more: []string{"--sni", "first.test", "--sni", "second.test"}, codes: []string{"crosses-names"}, lines: []string{"listen 192.0.2.2:443 ssl;"}})
	for i := range questions {
		questions[i].server = "nginx"
	}
	started(t, n)
	ask(t, questions...)
	t.Run("reload", func(t *testing.T) { reloaded(t, n, questions[0].ports[0], one) })
}

// A reload makes new keys where no file names them, and the doctor knows it by the run before.
func reloaded(t *testing.T, n *harness.Nginx, own, file int) {
	records := t.TempDir()
	look := func(name string, port int) harness.Diagnosis {
		return harness.Diagnose(t, append(at(port), "--since", filepath.Join(records, name))...)
	}
	first := []harness.Diagnosis{look("own", own), look("file", file)}
	if first[0].Since != nil || first[1].Since != nil {
		t.Error("there was no run before")
	}
	if err := n.Reload(); err != nil {
		t.Fatal(err)
	}
	if r := look("own", own); !slices.Equal(r.Codes(), []string{"lost"}) || r.Since.NewKeys != 1 || r.Since.OldKeys != 0 {
		t.Errorf("its own keys: %q: %s", r.Codes(), r.Text)
	}
	if r := look("file", file); len(r.Codes()) != 0 || r.Since.NewKeys != 0 || r.Since.OldKeys != 1 {
		t.Errorf("keys of a file: %q: %s", r.Codes(), r.Text)
	}
}
