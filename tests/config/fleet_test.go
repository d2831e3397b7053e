package config_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/sessioncache/shm"
	"gosess/sessioncache/window"
)

// The store of a fleet is as large as the URL says, and a window behind that.
func TestFleetStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web")
	keys := writeKeys(t, key(1))
	if a := good(t, "check", url(path)+"&fleet", keys); a.text != "would make store "+path+" of size 1m"+
		"; handshakes wait for the fleet's agent for 2 ms at most, for those of other machines" {
		t.Errorf("check says %q", a.text)
	}
	const none = "no handshake waits for the fleet's agent, so those of other machines are not resumed"
	if a := good(t, "check", url(path)+"&fleet&wait=0ms", keys); !strings.HasSuffix(a.text, none) {
		t.Errorf("check says %q", a.text)
	}
	if a := good(t, "check", url(path)+"&fleet&wait=0ms&single-use=tls13", keys); !strings.HasSuffix(a.text, none+", nor any that may be used once") {
		t.Errorf("check says %q", a.text)
	}
	good(t, "open", url(path)+"&fleet", keys)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	if len(content) != mib+window.Size || le.Uint32(content[shm.KindAt:]) != shm.KindFleet ||
		le.Uint64(content[shm.TotalAt:]) != uint64(len(content)) {
		t.Errorf("%d bytes, header % x", len(content), content[:shm.HeaderSize])
	}
	for _, what := range []string{"open", "check"} {
		a := good(t, what, url(path)+"&fleet&wait=5ms", keys)
		if strings.Contains(a.text, "stays") || strings.Contains(a.text, "empty") {
			t.Errorf("%s of the same size says %q", what, a.text)
		}
		if a := good(t, what, "shm:"+path+"?size=2m&fleet", keys); !strings.Contains(a.text, "stays at size 1m, not 2m") {
			t.Errorf("%s of another size says %q", what, a.text)
		}
	}
	served, err := shm.Serve(path)
	if err != nil {
		t.Fatal(err)
	}
	defer served.Close()
	good(t, "open", url(path)+"&fleet", keys) // while an agent serves it
}

func TestFleetNeedsAKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web")
	for _, what := range []string{"check", "open"} {
		bad(t, []string{`"fleet"`, "the same on all machines", "keys=", "GOSESS_KEYS"}, nil, what, url(path)+"&fleet", "")
	}
	if got := names(t, filepath.Dir(path)); len(got) != 0 {
		t.Errorf("it left %q", got)
	}
	good(t, "open", url(path)+"&fleet&keys="+writeKeys(t, key(1)), "")
}

// A store that becomes part of a fleet is made anew; one of a fleet is not taken for another by mistake.
func TestStoreJoinsAFleet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web")
	keys := writeKeys(t, key(1))
	good(t, "open", url(path), keys)
	for _, what := range []string{"check", "open"} {
		a := good(t, what, url(path)+"&fleet", keys)
		if !strings.Contains(a.text, "is that of no fleet") || !strings.Contains(a.text, path+".old") {
			t.Errorf("%s says %q", what, a.text)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() != mib+window.Size {
		t.Errorf("%v, %v", info, err)
	}
	for _, what := range []string{"check", "open"} {
		bad(t, []string{path, "that of a fleet", "shm:" + path + "?fleet", "remove the file"}, nil, what, url(path), keys)
	}
}
