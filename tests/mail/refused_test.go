package mail_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// prepared is a Postfix with the page's lines, no tickets and these, that is not yet started, and a client of it.
func prepared(t *testing.T, dir, version string, lines ...string) (*postfix, harness.Guest) {
	t.Helper()
	needRoot(t)
	harness.NeedBuild(t)
	page, err := pageLines(dir, "off")
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPostfix(dir, append(page, lines...))
	if err != nil {
		t.Fatal(err)
	}
	arguments := []string{"--starttls", "smtp", "--tls", version, "--sni", "first.test"}
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

// A session is resumed under the name that it was made for, and under no other. smtpd gives the connection the certificate of its
// name after libssl has looked for the session: what the name leads to each smtpd learns for itself.
func TestNoResumptionAcrossNames(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		dir := harness.TempDir(t)
		names := filepath.Join(dir, "names")
		p, first := prepared(t, dir, version, "tls_server_sni_maps = hash:"+names, "max_use = 10000")
		second := filepath.Join(dir, "second")
		certificate(t, second, "second.test")
		entry := fmt.Sprintf("second.test %s/second.test.key, %s/second.test.pem\n", second, second) // the key first
		if err := os.WriteFile(names, []byte(entry), 0o644); err != nil {
			t.Fatal(err)
		}
		p.postmap(t, names)
		p.start(t)
		other := first.With("--sni", "second.test")
		of := first.Sessions()
		other.IsRefused(of)
		first.ResumesAtLast(of)
		of = other.Sessions()
		other.ResumesAtLast(of)
		if err := p.replaced(); err != nil {
			t.Fatal(err)
		}
		other.ResumesAtLast(of)

		certificate(t, second, "second.test")
		p.postmap(t, names)
		if err := p.replaced(); err != nil {
			t.Fatal(err)
		}
		other.IsRefused(of)
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

// Nor by an smtpd that has another certificate.
func TestNoResumptionAcrossCertificates(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		dir := harness.TempDir(t)
		p, first := prepared(t, dir, version)
		pem := certificate(t, filepath.Join(dir, "other"), "first.test")
		other := first.At(p.service(t, "smtpd_tls_cert_file="+pem, "smtpd_tls_key_file="+pem))
		p.start(t)
		of := first.Sessions()
		other.IsRefused(of)
		first.Resumes(of)
		other.Resumes(other.Sessions())
	})
}

// A session of a client whom one authority vouches for is worth nothing where another is asked, or none.
func TestNoResumptionAcrossAuthorities(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		dir := harness.TempDir(t)
		p, public := prepared(t, dir, version)
		var clients []harness.Guest
		for _, name := range []string{"one", "two"} {
			authority, arguments := harness.ClientOf(t, filepath.Join(dir, name))
			port := p.service(t, "smtpd_tls_ask_ccert=yes", "smtpd_tls_CAfile="+authority)
			clients = append(clients, public.At(port).With(arguments...))
		}
		p.start(t)
		harness.StayApart(public, clients)
	})
}

// A renewed certificate ends the sessions of the one before, whichever way smtpd comes to read it.
func TestRenewedCertificate(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		dir := harness.TempDir(t)
		p, client := prepared(t, dir, version)
		p.start(t)
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

// A session is of one version: offered by a client that may use both, it is not resumed in the other.
func TestSessionOfAnotherVersion(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		dir := harness.TempDir(t)
		p, client := prepared(t, dir, version)
		port := p.service(t, "smtpd_tls_protocols=!TLSv"+version)
		p.start(t)
		of := client.Sessions()
		client.At(port).With("--tls", "any").IsRefused(of)
		client.Resumes(of)
	})
}

// What main.cf says of sessions holds as the page says, and is in TLS 1.3 what the client is told: no test waits for the
// four minutes that are the least.
func TestLifetime(t *testing.T) {
	for timeout, seconds := range map[string]string{"0": "7200", "3s": "240", "300s": "600"} {
		t.Run(timeout, func(t *testing.T) {
			t.Parallel()
			p, client := prepared(t, harness.TempDir(t), "1.3", "smtpd_tls_session_cache_timeout = "+timeout)
			p.start(t)
			caller := exec.Command("openssl", "s_client", "-starttls", "smtp", "-tls1_3", "-ign_eof", "-connect", fmt.Sprint("127.0.0.1:", client.Port))
			caller.Stdin = strings.NewReader("QUIT\r\n")
			output, err := caller.CombinedOutput()
			if err != nil || !strings.Contains(string(output), "lifetime hint: "+seconds+" (seconds)") {
				t.Errorf("%v: %s", err, output)
			}
			if stats := client.Stats(); stats.Stores == 0 {
				t.Errorf("nothing was stored: %+v", stats)
			}
		})
	}
}
