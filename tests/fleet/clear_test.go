package fleet_test

import (
	"bytes"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestNothingInTheClear looks for what must be in no value of the far store and nowhere in the agent's memory.
func TestNothingInTheClear(t *testing.T) {
	t.Parallel()
	f := newMachines(t, nginx, 2)
	a, b := f.all[0], f.all[1]
	var secrets [][]byte
	for _, version := range []string{"1.2", "1.3"} {
		file := f.visit(a, version, 20)
		f.resumes(b, version, file, 20)
		secrets = append(secrets, secretsOf(t, file)...)
	}
	key, err := os.ReadFile(f.keys)
	if err != nil {
		t.Fatal(err)
	}
	text := bytes.TrimSpace(key)
	raw, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil {
		t.Fatal(err)
	}
	secrets = append(secrets, text, raw)
	if len(secrets) < 80 {
		t.Fatalf("%d secrets to look for", len(secrets))
	}
	dumps := map[string][]byte{"redis": memoryOf(t, f.redis.Process().Pid)}
	for i, m := range f.all {
		dumps[fmt.Sprint("agent ", i)] = memoryOf(t, m.agent.PID())
	}
	for name, dump := range dumps {
		// What is there for sure: the prefix of the keys in both, which the agent has of its far store's URL.
		if !bytes.Contains(dump, []byte("gosess:")) {
			t.Errorf("the dump of %s is none", name)
		}
		for i, secret := range secrets {
			if bytes.Contains(dump, secret) {
				t.Errorf("%s has secret %d", name, i)
			}
		}
	}
}

// secretsOf are what the sessions of a file are found by and encrypted with: the id, or in TLS 1.3 the ticket, and the master key.
func secretsOf(t *testing.T, file string) (secrets [][]byte) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const ticket = 10 // the tag of SSL_SESSION_ASN1, in ssl/ssl_asn1.c
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		var session asn1.RawValue
		if _, err := asn1.Unmarshal(block.Bytes, &session); err != nil {
			t.Fatal(err)
		}
		for elements := session.Bytes; len(elements) > 0; {
			var element asn1.RawValue
			if elements, err = asn1.Unmarshal(elements, &element); err != nil {
				t.Fatal(err)
			}
			if element.Class == asn1.ClassContextSpecific && element.Tag == ticket {
				if _, err := asn1.Unmarshal(element.Bytes, &element); err != nil {
					t.Fatal(err)
				}
			}
			if element.Class == asn1.ClassUniversal && element.Tag == asn1.TagOctetString && len(element.Bytes) >= 32 {
				secrets = append(secrets, element.Bytes)
			}
		}
	}
	return secrets
}

// memoryOf is all that a process can write to.
func memoryOf(t *testing.T, pid int) (dump []byte) {
	t.Helper()
	maps, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/maps")
	if err != nil {
		t.Fatal(err)
	}
	memory, err := os.Open("/proc/" + strconv.Itoa(pid) + "/mem")
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var rights string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &from, &to, &rights); n != 3 || !strings.HasPrefix(rights, "rw") || to-from > 1<<28 {
			continue
		}
		part := make([]byte, to-from)
		n, _ := memory.ReadAt(part, from)
		dump = append(dump, part[:n]...)
	}
	return dump
}
