package harness

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"gosess/internal/ticketfile"
	"gosess/sessioncache/tickets"
)

// TicketFiles writes the key files that gosess keys export makes for a program, in one period and in the next.
func TicketFiles(t *testing.T, kind, dir string) (now, later string) {
	t.Helper()
	const period, number = 3600, 1000
	var secrets []tickets.Secret
	for n := int64(number - 1); n <= number+2; n++ {
		s := tickets.Secret{Begins: n * period, Next: (n + 1) * period, Seals: true}
		rand.Read(s.Value[:])
		secrets = append(secrets, s)
	}
	program, _ := ticketfile.Of(kind)
	write := func(name string, at int64) (path string) {
		path = filepath.Join(dir, name)
		files, err := program.Make(secrets, at)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if err := os.WriteFile(path+file.Suffix, file.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	return write("now.keys", number*period), write("later.keys", (number+1)*period)
}
