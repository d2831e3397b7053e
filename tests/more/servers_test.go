package more_test

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

// site is what each server is given: its directory, its port, and a certificate with its key, in files that it may read
// after it has dropped its rights.
type site struct {
	dir       string
	port      int
	cert, key string
}

func newSite(t *testing.T) site {
	t.Helper()
	dir := harness.TempDir(t)
	port, err := harness.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	s := site{dir: dir, port: port, cert: filepath.Join(dir, "first.test.pem"), key: filepath.Join(dir, "first.test.key")}
	s.certify(t)
	// Some of them have dropped their rights when gosess opens its files.
	for _, step := range []error{
		os.Mkdir(filepath.Join(dir, "stores"), 0o700),
		os.Chmod(filepath.Join(dir, "stores"), 0o777),
		os.WriteFile(filepath.Join(dir, "gosess.log"), nil, 0o600),
		os.Chmod(filepath.Join(dir, "gosess.log"), 0o666),
	} {
		if step != nil {
			t.Fatal(step)
		}
	}
	return s
}

// certify makes the certificate: by another authority, and with another key, each time.
func (s site) certify(t *testing.T) {
	t.Helper()
	if _, err := harness.CertAndKeyOf(s.dir, "first.test"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{s.cert, s.key} {
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// program is a server that stays in the foreground, with a configuration that replaces @DIR@ and its like in text.
func (s site) program(t *testing.T, text string, line ...string) *harness.Program {
	t.Helper()
	fill := strings.NewReplacer("@DIR@", s.dir, "@PORT@", strconv.Itoa(s.port), "@CERT@", s.cert, "@KEY@", s.key)
	if err := os.WriteFile(filepath.Join(s.dir, "server.conf"), []byte(fill.Replace(text)), 0o644); err != nil {
		t.Fatal(err)
	}
	for i := range line {
		line[i] = fill.Replace(line[i])
	}
	return &harness.Program{Dir: s.dir, Port: s.port, Line: line, StopWith: syscall.SIGTERM}
}

// own is a directory that belongs to the user that a server becomes, where there is one.
func (s site) own(t *testing.T, name string) {
	t.Helper()
	path := filepath.Join(s.dir, "own")
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	account, err := user.Lookup(name)
	if err != nil || os.Geteuid() != 0 {
		return
	}
	uid, _ := strconv.Atoi(account.Uid)
	if err := os.Chown(path, uid, -1); err != nil {
		t.Fatal(err)
	}
}

func mosquitto(t *testing.T, s site) *harness.Program {
	return s.program(t, `listener @PORT@ 127.0.0.1
certfile @CERT@
keyfile @KEY@
allow_anonymous true
log_dest stderr
`, "/usr/sbin/mosquitto", "-c", "@DIR@/server.conf")
}

func unbound(t *testing.T, s site) *harness.Program {
	return s.program(t, `server:
  interface: 127.0.0.1@@PORT@
  tls-port: @PORT@
  tls-service-key: "@KEY@"
  tls-service-pem: "@CERT@"
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "@DIR@"
  pidfile: ""
  use-syslog: no
remote-control:
  control-enable: no
`, "/usr/sbin/unbound", "-d", "-c", "@DIR@/server.conf")
}

func dnsdist(t *testing.T, s site) *harness.Program {
	return s.program(t, `addTLSLocal("127.0.0.1:@PORT@", "@CERT@", "@KEY@", {provider="openssl"})
newServer({address="127.0.0.1:9", healthCheckMode="up"})
`, "/usr/bin/dnsdist", "--supervised", "--disable-syslog", "-C", "@DIR@/server.conf")
}

func nghttpx(t *testing.T, s site) *harness.Program {
	return s.program(t, "", "/usr/sbin/nghttpx", "--frontend=127.0.0.1,@PORT@",
		fmt.Sprintf("--backend=127.0.0.1,%d", harness.Backend(t)), "--conf=/dev/null", "--workers=1", "@KEY@", "@CERT@")
}

func h2o(t *testing.T, s site) *harness.Program {
	if err := os.WriteFile(filepath.Join(s.dir, "index.html"), []byte("ok\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return s.program(t, `listen:
  host: 127.0.0.1
  port: @PORT@
  ssl:
    certificate-file: @CERT@
    key-file: @KEY@
hosts:
  default:
    paths:
      /:
        file.dir: @DIR@
`, "/usr/bin/h2o", "-c", "@DIR@/server.conf")
}

func memcached(t *testing.T, s site) *harness.Program {
	return s.program(t, "", "/usr/bin/memcached", "-l", "127.0.0.1", "-p", "@PORT@", "-U", "0", "-u", "root", "-Z",
		"-o", "ssl_chain_cert=@CERT@,ssl_key=@KEY@,ssl_session_cache")
}

func rsyslog(t *testing.T, s site) *harness.Program {
	return s.program(t, `global(workDirectory="@DIR@" DefaultNetstreamDriver="ossl" DefaultNetstreamDriverCAFile="@CERT@"
  DefaultNetstreamDriverCertFile="@CERT@" DefaultNetstreamDriverKeyFile="@KEY@")
module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
input(type="imtcp" address="127.0.0.1" port="@PORT@")
action(type="omfile" file="@DIR@/received")
`, "/usr/sbin/rsyslogd", "-n", "-f", "@DIR@/server.conf", "-i", "@DIR@/rsyslog.pid")
}

func redis(t *testing.T, s site) *harness.Program {
	return s.program(t, "", "/usr/bin/redis-server", "--bind", "127.0.0.1", "--port", "0", "--tls-port", "@PORT@", "--tls-cert-file", "@CERT@",
		"--tls-key-file", "@KEY@", "--tls-auth-clients", "no", "--save", "", "--dir", "@DIR@")
}

func mumble(t *testing.T, s site) *harness.Program {
	s.own(t, "mumble-server")
	return s.program(t, `database=@DIR@/own/murmur.sqlite
host=127.0.0.1
port=@PORT@
sslCert=@CERT@
sslKey=@KEY@
bonjour=False
autobanAttempts=0
logfile=
`, "/usr/sbin/murmurd", "-fg", "-ini", "@DIR@/server.conf")
}
