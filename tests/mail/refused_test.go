package mail_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gosess/sessioncache"
	"gosess/tests/harness"
)

// prepared is a Postfix with the page's lines, no tickets and these, that is not yet started, and a client of it.
func prepared(t *testing.T, dir string, lines ...string) (*postfix, harness.Guest) {
	t.Helper()
	return preparedWith(t, "off", dir, lines...)
}

// preparedWith is one with such tickets: see pageLines.
func preparedWith(t *testing.T, tickets, dir string, lines ...string) (*postfix, harness.Guest) {
	t.Helper()
	needRoot(t)
	harness.NeedBuild(t)
	page, err := pageLines(dir, tickets)
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPostfix(dir, append(page, lines...))
	if err != nil {
		t.Fatal(err)
	}
	arguments := []string{"--starttls", "smtp"}
	return p, harness.Guest{T: t, Store: "shm:" + filepath.Join(dir, "store"), Port: p.Port, Arguments: arguments}
}

func (p *postfix) start(t *testing.T) {
	t.Helper()
	s := p.Subject()
	s.Server = p
	harness.StartFor(t, s)
}

// service adds an smtpd with these settings in the place of main.cf's, and returns its port.
func (p *postfix) service(t *testing.T, settings ...string) (port int) {
	t.Helper()
	port, err := harness.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(p.Dir, "etc", "master.cf")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%s127.0.0.1:%d inet n - y - - smtpd\n", before, port)
	for _, setting := range settings {
		text += "  -o " + setting + "\n"
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return port
}

// certificate makes one for that name.
func certificate(t *testing.T, dir, name string) (path string) {
	t.Helper()
	path, err := harness.CertAndKeyOf(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Is a session resumed where it was made, and nowhere else?
func TestRefusals(t *testing.T) {
	harness.Refusals{Start: startWithPlaces, Lacks: map[string]string{
		"other ciphers": "Postfix 3.7 cannot say which of TLS 1.3",
		"no cache":      "there is one tlsmgr for all, and so one word on its cache",
		"expiry":        "the least is two minutes: see TestLifetime",
	}}.Run(t)
}

// startWithPlaces starts a Postfix with an smtpd for each place; one at the port of the first is an entry in the map of names,
// and smtpd gives the connection the certificate of its name after libssl has looked for the session: what the name leads to
// each smtpd learns for itself.
func startWithPlaces(t *testing.T, dir string, places []harness.Place) (guests []harness.Guest) {
	t.Helper()
	p, first := prepared(t, dir, "max_use = 10000")
	for i, place := range places {
		guest := first
		var pem string
		if place.Certificate != "" {
			pem = certificate(t, filepath.Join(dir, place.Certificate), place.ServerName())
		}
		switch {
		case place.SamePort:
			p.names(t, place.Name, filepath.Dir(pem))
			guest.Each = true
			for j := range guests {
				guests[j].Each = true // where there is a map, no smtpd knows beforehand that a name is not in it
			}
		case i > 0:
			guest = first.At(p.service(t, settings(place, pem)...))
		}
		guest.Judged = place.Authority != ""
		guests = append(guests, guest)
	}
	p.start(t)
	return guests
}

// settings are what a place has for its smtpd.
func settings(p harness.Place, pem string) (lines []string) {
	if pem != "" {
		lines = append(lines, "smtpd_tls_cert_file="+pem, "smtpd_tls_key_file="+pem)
	}
	if p.Authority != "" {
		lines = append(lines, "smtpd_tls_ask_ccert=yes", "smtpd_tls_CAfile="+p.Authority)
	}
	if p.Version != "" {
		lines = append(lines, "smtpd_tls_protocols=!TLSv"+harness.OtherVersion(p.Version))
	}
	return lines
}

// names makes the map of names to keys and certificates, of one name whose files are in that directory.
func (p *postfix) names(t *testing.T, name, dir string) {
	t.Helper()
	names := filepath.Join(p.Dir, "names")
	entry := fmt.Sprintf("%[1]s %[2]s/%[1]s.key, %[2]s/%[1]s.pem\n", name, dir) // the key first
	if err := os.WriteFile(names, []byte(entry), 0o644); err != nil {
		t.Fatal(err)
	}
	main := exec.Command("postconf", "-c", filepath.Join(p.Dir, "etc"), "tls_server_sni_maps=hash:"+names)
	if output, err := main.CombinedOutput(); err != nil {
		t.Fatalf("postconf: %v: %s", err, output)
	}
	p.postmap(t, names)
}

// What a name leads to the smtpd of after a reload know again at last, and a renewed certificate of it ends its sessions.
func TestRenewedCertificateOfAName(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		dir := harness.TempDir(t)
		p, client := prepared(t, dir, "max_use = 10000")
		second := filepath.Join(dir, "second")
		certificate(t, second, "second.test")
		p.names(t, "second.test", second)
		p.start(t)
		client = client.With("--tls", version, "--sni", "second.test")
		of := client.Sessions()
		client.ResumesAtLast(of)
		if err := p.replaced(); err != nil {
			t.Fatal(err)
		}
		client.ResumesAtLast(of)

		certificate(t, second, "second.test")
		p.postmap(t, filepath.Join(p.Dir, "names"))
		if err := p.replaced(); err != nil {
			t.Fatal(err)
		}
		client.IsRefused(of)
	})
}

// postmap makes the map of names to keys and certificates.
func (p *postfix) postmap(t *testing.T, names string) {
	t.Helper()
	postmap := exec.Command("postmap", "-c", filepath.Join(p.Dir, "etc"), "-F", "hash:"+names)
	if output, err := postmap.CombinedOutput(); err != nil {
		t.Fatalf("postmap: %v: %s", err, output)
	}
}

// A renewed certificate ends the sessions of the one before, whichever way smtpd comes to read it.
func TestRenewedCertificate(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		dir := harness.TempDir(t)
		p, client := prepared(t, dir)
		p.start(t)
		client = client.With("--tls", version, "--sni", "first.test")
		client.EndsWhenRenewed(func() { certificate(t, dir, "first.test") }, p.replaced, func() error { return harness.StopAndStart(p) })
	})
}

// replaced is a reload after which no smtpd of before it is left: else one that is being served may serve once more.
func (p *postfix) replaced() error {
	var old []harness.Process
	for _, child := range p.Master().Children() {
		if strings.HasPrefix(child.Title(), "smtpd ") {
			old = append(old, child)
		}
	}
	if err := p.Reload(); err != nil {
		return err
	}
	return harness.WaitFor("the smtpd of before to end", func() bool {
		for _, process := range old {
			if process.Alive() {
				return false
			}
		}
		return true
	})
}

// What main.cf says of sessions holds as the page says, and is in TLS 1.3 what the client is told: no test waits for the
// four minutes that are the least.
func TestLifetime(t *testing.T) {
	for timeout, seconds := range map[string]string{"0": "7200", "3s": "240", "300s": "600"} {
		t.Run(timeout, func(t *testing.T) {
			t.Parallel()
			p, client := prepared(t, harness.TempDir(t), "smtpd_tls_session_cache_timeout = "+timeout)
			p.start(t)
			caller := exec.Command("openssl", "s_client", "-starttls", "smtp", "-tls1_3", "-ign_eof", "-connect", fmt.Sprint("127.0.0.1:", client.Port))
			caller.Stdin = strings.NewReader("QUIT\r\n")
			output, err := caller.CombinedOutput()
			if err != nil || !strings.Contains(string(output), "lifetime hint: "+seconds+" (seconds)") {
				t.Errorf("%v: %s", err, output)
			}
			if stats := client.Stats(); stats[sessioncache.Stores] == 0 {
				t.Errorf("nothing was stored: %+v", stats)
			}
		})
	}
}
