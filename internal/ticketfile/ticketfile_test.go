package ticketfile

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"os/exec"
	"strings"
	"testing"

	"gosess/sessioncache/tickets"
)

const period = 3600

// secrets are those of some periods, each of one byte that is its number.
func secrets(numbers ...int64) (all []tickets.Secret) {
	for _, n := range numbers {
		s := tickets.Secret{Begins: n * period, Next: (n + 1) * period, Ends: (n + 3) * period, Seals: true}
		s.Value[0] = byte(n)
		all = append(all, s)
	}
	return all
}

func made(t *testing.T, kind string, secrets []tickets.Secret, now int64) []File {
	t.Helper()
	k, ok := Of(kind)
	if !ok {
		t.Fatal(kind)
	}
	files, err := k.Make(secrets, now)
	if err != nil {
		t.Fatal(kind, err)
	}
	return files
}

// material is what openssl derives of the secret of a period.
func material(t *testing.T, number byte, size string) []byte {
	t.Helper()
	secret := make([]byte, tickets.Size)
	secret[0] = number
	output, err := exec.Command("openssl", "kdf", "-keylen", size, "-kdfopt", "digest:SHA256", "-kdfopt", "mode:EXPAND_ONLY",
		"-kdfopt", "hexkey:"+hex.EncodeToString(secret), "-kdfopt", "hexinfo:"+hex.EncodeToString([]byte("gosess ticket: export "+size)), "HKDF").Output()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(string(output)), ":", ""))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Each program has the key of the present period where it looks for it, and its parts in its own order.
func TestOrders(t *testing.T) {
	long, short := material(t, 10, "80"), material(t, 10, "48")
	nameAESHMAC := long
	nameHMACAES := bytes.Join([][]byte{long[:16], long[48:], long[16:48]}, nil)
	ofHTTPD := bytes.Join([][]byte{short[:16], short[32:], short[16:32]}, nil)
	all := secrets(11, 10, 9, 8)
	const now = 10*period + 7
	for _, kind := range []string{"nginx", "envoy"} {
		files := made(t, kind, all, now)
		if len(files) != 3 || files[0].Suffix != "" || !bytes.Equal(files[0].Data, nameHMACAES) || len(files[1].Data) != 80 || len(files[2].Data) != 80 {
			t.Errorf("%s: %x", kind, files)
		}
	}
	lines := strings.Split(string(made(t, "haproxy", all, now)[0].Data), "\n")
	if key, err := base64.StdEncoding.DecodeString(lines[1]); err != nil || len(lines) != 4 || !bytes.Equal(key, nameAESHMAC) {
		t.Errorf("haproxy: %q", lines)
	}
	if files := made(t, "httpd", all, now); len(files) != 1 || !bytes.Equal(files[0].Data, ofHTTPD) {
		t.Errorf("httpd: %x", files)
	}
	if data := made(t, "ats", all, now)[0].Data; len(data) != 3*48 || !bytes.Equal(data[:48], ofHTTPD) {
		t.Errorf("ats: %x", data)
	}
}

// What is the present key becomes the previous one, and what is the next one the present one; and where one is missing there is another.
func TestRoles(t *testing.T) {
	of := func(now int64, all []tickets.Secret) (keys [roles]string) {
		files := made(t, "nginx", all, now)
		return [roles]string{string(files[2].Data), string(files[0].Data), string(files[1].Data)}
	}
	all := secrets(12, 11, 10, 9)
	first, last, after := of(10*period, all), of(11*period-1, all), of(11*period, all)
	if first != last {
		t.Error("the keys change within a period")
	}
	if after[previous] != first[current] || after[current] != first[next] || after[next] == first[next] {
		t.Error("a new period is not a step on")
	}
	again := of(11*period, all[1:])
	if again[current] != after[current] || again[next] == after[next] || len(again[next]) != 80 || again[next] == of(11*period, all[1:])[next] {
		t.Error("a missing key is not a random one")
	}
	k, _ := Of("nginx")
	if _, err := k.Make(all, 13*period); err != ErrNoSecret {
		t.Errorf("without a present one: %v", err)
	}
	opens := secrets(10)
	opens[0].Seals = false // it is under an old sealing key, and not what all agree on
	if _, err := k.Make(opens, 10*period); err != ErrNoSecret {
		t.Errorf("of one that only opens: %v", err)
	}
}
