package remote

import (
	"encoding/base64"

	"gosess/agent/internal/far"
	"gosess/agent/internal/options"
)

// keys makes the names under which entries lie.
type keys struct{ prefix, log string }

func newKeys(f options.Far) keys { return keys{prefix: f.Prefix, log: f.Prefix + "log"} }

// of is 22 letters behind the prefix: with the default one, a name that Redis keeps in 40 bytes.
func (k keys) of(key far.Key) string {
	return k.prefix + base64.RawURLEncoding.EncodeToString(key[:])
}
