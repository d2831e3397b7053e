package remote

import (
	"encoding/base64"

	"gosess/agent/internal/far"
	"gosess/agent/internal/options"
)

// keys makes the names under which entries lie, and on which is pushed.
type keys struct {
	prefix, log string
	channels    []string
}

func newKeys(f options.Far) keys {
	k := keys{prefix: f.Prefix, log: f.Prefix + "log", channels: []string{f.Prefix + "push"}}
	if f.Cluster {
		// What is in braces decides where a channel is: with these, in four quarters of the cluster.
		k.channels = []string{f.Prefix + "push{7}", f.Prefix + "push{6}", f.Prefix + "push{9}", f.Prefix + "push{8}"}
	}
	return k
}

// of is 22 letters behind the prefix: with the default one, a name that Redis keeps in 40 bytes.
func (k keys) of(key far.Key) string {
	return k.prefix + base64.RawURLEncoding.EncodeToString(key[:])
}
