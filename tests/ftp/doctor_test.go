package ftp_test

import (
	"fmt"
	"slices"
	"testing"

	"gosess/tests/harness"
)

// gosess doctor sees ProFTPD through AUTH TLS: its processes, one for each connection, share the keys of tickets, and no cache.
func TestDoctor(t *testing.T) {
	needRoot(t)
	t.Parallel()
	s := newSite(t)
	p := proftpd("on")(t, s)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	d := harness.Diagnose(t, fmt.Sprint("127.0.0.1:", p.Port), "--starttls", "ftp")
	if want := []string{"not-resumed/cache"}; !slices.Equal(d.Codes(), want) || d.Failed > 0 {
		t.Errorf("found %q, want %q: %s", d.Codes(), want, d.Text)
	}
}
