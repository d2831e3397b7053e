package options_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gosess/agent/internal/options"
)

func TestFarURLs(t *testing.T) {
	for url, want := range map[string]options.Far{
		"valkey://10.0.0.7:6379/0":   {Scheme: "valkey", Hosts: []string{"10.0.0.7:6379"}, Prefix: "gosess:"},
		"redis://cache":              {Scheme: "redis", Hosts: []string{"cache:6379"}, Prefix: "gosess:"},
		"redis://[::1]:7000/3":       {Scheme: "redis", Hosts: []string{"[::1]:7000"}, Database: 3, Prefix: "gosess:"},
		"redis://::1":                {Scheme: "redis", Hosts: []string{"[::1]:6379"}, Prefix: "gosess:"},
		"valkey://a:1,b:2,c?cluster": {Scheme: "valkey", Hosts: []string{"a:1", "b:2", "c:6379"}, Cluster: true, Prefix: "gosess:"},
		"valkey://a?push":            {Scheme: "valkey", Hosts: []string{"a:6379"}, Push: true, Prefix: "gosess:"},
		"redis://s1,s2:1?sentinel=main&sentinel-password=credential:sp": {Scheme: "redis", Hosts: []string{"s1:26379", "s2:1"},
			Sentinel: "main", Prefix: "gosess:", Files: options.Files{SentinelPassword: "credential:sp"}},
		"unix:///run/valkey.sock?db=2&prefix=web:": {Scheme: "unix", Unix: true, Hosts: []string{"/run/valkey.sock"}, Database: 2, Prefix: "web:"},
		"valkeys://h?ca=/ca&cert=/c&key=/k&server-name=n&user=u&password=/p": {Scheme: "valkeys", TLS: true, Hosts: []string{"h:6379"},
			Prefix: "gosess:", User: "u", ServerName: "n", Files: options.Files{CA: "/ca", Certificate: "/c", Key: "/k", Password: "/p"}},
	} {
		got, err := options.ParseFar(url)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; wanted %+v", url, got, err, want)
		}
	}
}

// TestMistakes wants the word and what is allowed, and never a password.
func TestMistakes(t *testing.T) {
	for url, want := range map[string]string{
		"10.0.0.7":                        `"10.0.0.7" is no URL of a store; allowed: valkey://HOST:PORT/DB`,
		"http://h":                        `unknown scheme "http"; allowed: valkey://HOST:PORT/DB`,
		"redis://":                        `host "" has no name; allowed: HOST`,
		"redis://a,,b":                    `host "" has no name`,
		"redis://a:":                      `port "none" is none; allowed: 1 to 65535`,
		"redis://a:0":                     `port "0" is none`,
		"redis://a:65536":                 `port "65536" is none`,
		"redis://a b":                     `host "a b" is no name or address`,
		"redis://[::1":                    `host "[::1" has no name`,
		"redis://a:b:c":                   `host "a:b:c" is no name or address`,
		"redis://h/x":                     `database "x" is no number; allowed: 0 to 65535`,
		"redis://h?":                      `unknown option ""; allowed: user, password, sentinel`,
		"redis://h?bogus=1":               `unknown option "bogus"; allowed: user, password, sentinel`,
		"redis://h?cluster=1":             `option "cluster" has a value; allowed: cluster alone`,
		"redis://h?prefix":                `option "prefix" has no value; allowed: prefix=web:`,
		"redis://h?prefix={a}":            `option "prefix": "{a}" has a sign that is not allowed`,
		"redis://h?db=1&db=2":             `option "db" is repeated; allowed: once`,
		"redis://h?password=geheim":       `option "password": "geheim" is no file; allowed: an absolute path, or credential:NAME`,
		"redis://h?password=credential:":  `is no file`,
		"redis://h?cluster&sentinel=a":    `cluster and sentinel exclude each other`,
		"redis://h/1?cluster":             `a cluster has database 0 only`,
		"redis://h?ca=/a":                 `allowed: with valkeys:// or rediss://`,
		"rediss://h?cert=/a":              `cert and key belong together`,
		"redis://h?user=u":                `user "u" has no password`,
		"redis://h?sentinel-password=/p":  `sentinel-password is for sentinels`,
		"unix://run/x":                    `socket "run/x" is not an absolute path`,
		"unix:///run/x?cluster":           `not a Unix socket`,
		"redis://u:geheim@h":              `allowed: ?user=NAME&password=FILE`,
		"u:geheim@h":                      `"...@h" is no URL of a store`,
		"redis://h?sentinel=a&user=u:x@b": `user "...@b" has no password`,
	} {
		_, err := options.ParseFar(url)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; wanted %s", url, err, want)
		} else if strings.Contains(url, "geheim@") && strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: the error shows the password: %v", url, err)
		}
	}
}

func TestCommandLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "agent.conf")
	write(t, file, "# of the web servers\nstore = shm:/b?size=64m # theirs\n\nfar=redis://h\nuser = www\n")
	want := options.Options{Store: "/a", Far: options.Far{Scheme: "redis", Hosts: []string{"h:6379"}, Prefix: "gosess:"}, User: "www"}
	got, err := options.Parse([]string{"--store", "shm:/a", "--config", file}, "store", "far")
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; wanted %+v", got, err, want)
	}
	got, err = options.Parse([]string{"--far=redis://h", "--store=shm:/a?fleet"}, "store", "far")
	want.User = options.DefaultUser
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; wanted %+v", got, err, want)
	}
}

func TestMistakesOfTheCommandLine(t *testing.T) {
	folder := t.TempDir()
	for i, c := range []struct {
		line, file, want string
	}{
		{"", "", "--store is missing, as in --store shm:/var/lib/gosess/web"},
		{"--store shm:/a", "", "--far is missing"},
		{"store", "", `"store" is no option; allowed: --config, --store, --far, --user`},
		{"--bogus x", "", `unknown option "--bogus"; allowed: --config, --store`},
		{"--store", "", "--store has no value; allowed: as in shm:/var/lib/gosess/web"},
		{"--store --far redis://h", "", "--store has no value"},
		{"--store memory:", "", `"memory:" is no store that an agent can serve; allowed: shm:/absolute/path`},
		{"--store shm:?size=1m", "", "a store in the servers' own memory"},
		{"--store shm:a", "", `path "a" is not absolute`},
		{"--store shm:/a --store shm:/b", "", "--store is repeated"},
		{"--config /nowhere/at/all", "", "--config: open /nowhere/at/all"},
		{"", "store shm:/a", `line 1: "store shm:/a" is no option; allowed: NAME = VALUE with one of store, far, user`},
		{"", "\nbogus = 1", `line 2: unknown option "bogus"; allowed: store, far, user`},
		{"", "far = x", `line 1: far: "x" is no URL`},
		{"", "user = a\nuser = b", `line 2: user is repeated`},
	} {
		arguments := strings.Fields(c.line)
		if c.file != "" {
			file := filepath.Join(folder, fmt.Sprint(i))
			write(t, file, c.file)
			arguments = append(arguments, "--config", file)
		}
		_, err := options.Parse(arguments, "store", "far")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: %v; wanted %s", c.line, c.file, err, c.want)
		}
	}
}

func TestSecretsAreRead(t *testing.T) {
	folder := t.TempDir()
	write(t, filepath.Join(folder, "pw"), "geheim\n")
	environment := func(name string) string { return map[string]string{"CREDENTIALS_DIRECTORY": folder}[name] }
	for _, url := range []string{"redis://h?password=credential:pw", "redis://h?password=" + folder + "/pw"} {
		s, err := read(t, url, environment)
		if err != nil || string(s.Password) != "geheim" {
			t.Errorf("%s: %q, %v", url, string(s.Password), err)
		}
		if text := fmt.Sprintf("%v %+v %s %q %x %#v", s, s, s.Password, s.Password, s.Password, s.Password); strings.Contains(text, "geheim") ||
			strings.Contains(text, "676568") {
			t.Errorf("a password is printed: %s", text)
		}
	}
	write(t, filepath.Join(folder, "two"), "a\nb\n")
	write(t, filepath.Join(folder, "none"), "\n")
	for url, want := range map[string]string{
		"redis://h?password=credential:two":                            "is not a password; allowed: one line",
		"redis://h?password=credential:none":                           "is not a password",
		"redis://h?password=credential:missing":                        "no such file",
		"rediss://h?ca=" + folder + "/pw":                              "there is no certificate in",
		"rediss://h?cert=" + folder + "/pw&key=" + folder + "/pw":      `option "cert and key"`,
		"redis://h?sentinel=m&sentinel-password=credential:nothing:at": "no such file",
	} {
		if _, err := read(t, url, environment); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; wanted %s", url, err, want)
		}
	}
	if _, err := read(t, "redis://h?password=credential:pw", func(string) string { return "" }); err == nil ||
		!strings.Contains(err.Error(), "LoadCredential=pw:FILE") {
		t.Errorf("without a credential directory: %v", err)
	}
}

func read(t *testing.T, url string, environment func(string) string) (options.Secrets, error) {
	t.Helper()
	far, err := options.ParseFar(url)
	if err != nil {
		t.Fatal(err)
	}
	return far.Read(environment)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
