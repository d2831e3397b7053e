package ftp_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
	"gosess/tests/versions"
)

// site is what each server is given: Debian's packages of FTP servers, which exclude each other, unpacked; a directory of its
// own, with a file to be fetched and a certificate; and a port.
type site struct {
	root, dir string
	port      int
}

func newSite(t *testing.T) site {
	t.Helper()
	s := site{dir: harness.TempDir(t)}
	s.root = versions.Own(t, "ftp", "proftpd-core", "proftpd-mod-crypto", "vsftpd", "pure-ftpd", "pure-ftpd-common", "libhashkit2",
		"libhiredis0.14", "libmemcached11", "libmemcachedutil2", "libpcre2-posix3", "libsodium23", "libwrap0")
	var err error
	if s.port, err = harness.FreePort(); err != nil {
		t.Fatal(err)
	}
	if _, err := harness.CertAndKey(s.dir); err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(s.dir, "home")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	s.write(t, "home/file", "file\n", 0o644)
	s.write(t, "gosess.log", "", 0o666)
	return s
}

// write makes a file in the server's directory, with @DIR@ and its like replaced.
func (s site) write(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(s.fill(text)), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func (s site) fill(text string) string {
	return strings.NewReplacer("@DIR@", s.dir, "@ROOT@", s.root, "@PORT@", strconv.Itoa(s.port)).Replace(text)
}

// program is a server that stays in the foreground.
func (s site) program(t *testing.T, line ...string) *harness.Program {
	t.Helper()
	for i := range line {
		line[i] = s.fill(line[i])
	}
	libraries, err := filepath.Glob(filepath.Join(s.root, "usr", "lib", "*-linux-*"))
	if err != nil || len(libraries) != 1 {
		t.Fatal(libraries, err)
	}
	return &harness.Program{Dir: s.dir, Port: s.port, Line: line, Env: []string{"LD_LIBRARY_PATH=" + libraries[0]}, StopWith: syscall.SIGTERM}
}

// password is what crypt(3) makes of the client's.
func password(t *testing.T) string {
	t.Helper()
	output, err := exec.Command("openssl", "passwd", "-5", "secret").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(output))
}

// proftpd demands, as is its default, that a data connection resumes the session of its control connection.
func proftpd(capabilities string) func(t *testing.T, s site) *harness.Program {
	return func(t *testing.T, s site) *harness.Program {
		s.write(t, "passwd", "tester:"+password(t)+":65534:65534::@DIR@/home:/bin/sh\n", 0o600)
		s.write(t, "group", "nogroup:x:65534:\n", 0o600)
		s.write(t, "proftpd.conf", `ModulePath @ROOT@/usr/lib/proftpd
LoadModule mod_tls.c
ServerName first.test
ServerType standalone
DefaultAddress 127.0.0.1
SocketBindTight on
Port @PORT@
PidFile @DIR@/pid
ScoreboardFile @DIR@/scoreboard
DelayEngine off
SystemLog @DIR@/system.log
TransferLog none
WtmpLog off
User nobody
Group nogroup
UseIPv6 off
UseReverseDNS off
RequireValidShell off
AuthPAM off
AuthOrder mod_auth_file.c
AuthUserFile @DIR@/passwd
AuthGroupFile @DIR@/group
DefaultRoot ~
CapabilitiesEngine `+capabilities+`
TLSEngine on
TLSRequired on
TLSProtocol TLSv1.2 TLSv1.3
TLSLog @DIR@/tls.log
TLSECCertificateFile @DIR@/first.test.pem
TLSECCertificateKeyFile @DIR@/first.test.key
`, 0o600)
		return s.program(t, "@ROOT@/usr/sbin/proftpd", "--nodaemon", "--config", "@DIR@/proftpd.conf")
	}
}

// vsftpd demands it too, as is its default.
func vsftpd(t *testing.T, s site) *harness.Program {
	if err := os.Mkdir(filepath.Join(s.dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.write(t, "vsftpd.conf", `listen=YES
listen_ipv6=NO
listen_address=127.0.0.1
listen_port=@PORT@
background=NO
anonymous_enable=YES
no_anon_password=YES
ftp_username=daemon
anon_root=@DIR@/home
secure_chroot_dir=@DIR@/empty
connect_from_port_20=NO
ssl_enable=YES
ssl_tlsv1=YES
ssl_ciphers=HIGH
allow_anon_ssl=YES
force_anon_data_ssl=YES
force_anon_logins_ssl=YES
require_ssl_reuse=YES
rsa_cert_file=@DIR@/server.pem
`, 0o600)
	return s.program(t, "@ROOT@/usr/sbin/vsftpd", "@DIR@/vsftpd.conf")
}

// pureFTPd gives its processes little memory (RLIMIT_DATA).
func pureFTPd(t *testing.T, s site) *harness.Program {
	p := s.program(t, "@ROOT@/usr/sbin/pure-ftpd", "-S", "127.0.0.1,@PORT@", "-E", "-H", "-A", "-Y", "3", "-2", "@DIR@/server.pem",
		"-l", "puredb:@DIR@/users.pdb", "-u", "1", "-g", "@DIR@/pid")
	s.write(t, "users", "tester:"+password(t)+":65534:65534::@DIR@/home/./::::::::::::\n", 0o600)
	mkdb := exec.Command(s.fill("@ROOT@/usr/bin/pure-pw"), "mkdb", s.fill("@DIR@/users.pdb"), "-f", s.fill("@DIR@/users"))
	mkdb.Env = p.Env
	if output, err := mkdb.CombinedOutput(); err != nil {
		t.Fatalf("pure-pw: %v: %s", err, output)
	}
	return p
}
