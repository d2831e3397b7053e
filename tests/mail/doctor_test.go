package mail_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// gosess doctor sees Postfix, whose processes share ticket keys, and Dovecot, which has a process for each connection, through STARTTLS.
func TestDoctor(t *testing.T) {
	needRoot(t)
	t.Parallel()
	harness.NeedBuild(t)
	mail, err := newPostfix(harness.TempDir(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	imap, err := newDovecot(harness.TempDir(t), "", oneForEach)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		server   harness.Server
		port     int
		protocol string
		name     string
		codes    []string
		line     string
	}{
		{mail, mail.Port, "smtp", "postfix", []string{"no-ticket-on-resumption", "not-resumed/cache"}, "smtpd_tls_session_cache_database = btree:"},
		{imap, imap.Port, "imap", "dovecot", []string{"not-resumed/cache", "not-resumed/keys"}, "service_count = 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.server.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := c.server.Stop(); err != nil {
					t.Error(err)
				}
			})
			d := harness.Diagnose(t, fmt.Sprint("127.0.0.1:", c.port), "--starttls", c.protocol)
			if codes := d.Codes(); !slices.Equal(codes, c.codes) || d.Server != c.name || d.Failed > 0 {
				t.Errorf("found %q, want %q: %s", codes, c.codes, d.Text)
			}
			if !strings.Contains(d.Text, c.line) {
				t.Errorf("no %q: %s", c.line, d.Text)
			}
		})
	}
}
