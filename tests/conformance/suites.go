package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// A suite is somebody's tests.
type suite struct {
	name  string
	quick bool // run by go test too
	// prepare makes what is missing below build/conformance, and lists the programs.
	prepare func(ctx context.Context, root string) ([]program, error)
}

// It cannot be had, which is no test's fault.
var errUnavailable = errors.New("unavailable")

var suites = []suite{
	{"python", true, python},
	{"ruby", true, ruby},
	{"net-ssleay", true, netSSLeay},
	{"io-socket-ssl", true, ioSocketSSL},
	{"openssl", false, openssl},
}

// fetch unpacks packages of bookworm below build/conformance, and returns the directory. The first may be
// --source: see tests/versions/fetch.sh.
func fetch(ctx context.Context, root, name string, packages ...string) (string, error) {
	directory := filepath.Join(root, "build", "conformance", name)
	arguments := append([]string{filepath.Join(root, "tests", "versions", "fetch.sh"), directory, "bookworm"}, packages...)
	output, err := exec.CommandContext(ctx, "sh", arguments...).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 75 {
		return "", fmt.Errorf("%w: %s", errUnavailable, output)
	}
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, output)
	}
	return directory, nil
}

// python runs test_ssl with the Python that it belongs to, which stays in its directory.
func python(ctx context.Context, root string) ([]program, error) {
	directory, err := fetch(ctx, root, "python", "python3.11-minimal", "libpython3.11-minimal",
		"libpython3.11-stdlib", "libpython3.11-testsuite")
	if err != nil {
		return nil, err
	}
	return []program{{
		name: "test_ssl",
		env:  []string{"PYTHONDONTWRITEBYTECODE=1"},
		arguments: []string{filepath.Join(directory, "usr/bin/python3.11"), "-u",
			filepath.Join(root, "tests/conformance/testdata/cases.py"), "test.test_ssl"},
		read: readTAP,
	}}, nil
}

// ruby runs the tests with the system's Ruby. The order is one in which others come before
// test_server_session_cache, which counts sessions.
func ruby(ctx context.Context, root string) ([]program, error) {
	directory, err := fetch(ctx, root, "ruby", "--source", "ruby3.1")
	if err != nil {
		return nil, err
	}
	var programs []program
	for _, name := range []string{"test_ssl", "test_ssl_session"} {
		programs = append(programs, program{
			name: name,
			dir:  filepath.Join(directory, "ruby3.1"),
			arguments: []string{"ruby", "tool/test/runner.rb", "--ruby=ruby", "--test-order=random", "--seed=1", "-v",
				"test/openssl/" + name + ".rb"},
			read: readRuby,
		})
	}
	return programs, nil
}

func netSSLeay(ctx context.Context, root string) ([]program, error) {
	return perl(ctx, root, "libnet-ssleay-perl", "-Iinc", "t/local/*.t", "t/handle/local/*.t")
}

func ioSocketSSL(ctx context.Context, root string) ([]program, error) {
	return perl(ctx, root, "libio-socket-ssl-perl", "-Ilib", "t/*.t")
}

// perl lists the files with tests of a source package. Those that leave this machine are in folders of
// their own, and left out.
func perl(ctx context.Context, root, source, include string, patterns ...string) ([]program, error) {
	directory, err := fetch(ctx, root, "perl", "--source", "libnet-ssleay-perl", "libio-socket-ssl-perl")
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(directory, source)
	var programs []program
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			name, err := filepath.Rel(dir, file)
			if err != nil {
				return nil, err
			}
			programs = append(programs, program{name: name, dir: dir,
				arguments: []string{"perl", include, name}, read: readTAP})
		}
	}
	return programs, nil
}

// openssl runs OpenSSL's tests with the libssl of the same source, which openssl.sh builds: they are
// written for its private structures. ssl_old_test is left out: it is linked to libssl statically.
func openssl(ctx context.Context, root string) ([]program, error) {
	directory, err := fetch(ctx, root, "openssl", "--source", "openssl")
	if err != nil {
		return nil, err
	}
	source := filepath.Join(directory, "openssl")
	build := exec.CommandContext(ctx, "sh", filepath.Join(root, "tests/conformance/openssl.sh"), source)
	if output, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, output)
	}
	env := []string{"LD_LIBRARY_PATH=" + source, "OPENSSL_ENGINES=" + source + "/engines", "OPENSSL_MODULES=" + source + "/providers",
		"OPENSSL_CONF=" + source + "/apps/openssl.cnf", "TEST_CERTS_DIR=certs", "CTLOG_FILE=ct/log_list.cnf"}
	test := func(name string, arguments ...string) program {
		return program{name: name, dir: source + "/test", env: env, arguments: arguments, read: readTAP}
	}
	programs := []program{
		test("sslbuffertest", "./sslbuffertest", "../apps/server.pem", "../apps/server.pem"),
		test("servername_test", "./servername_test", "../apps/server.pem", "../apps/server.pem"),
		test("ssl_ctx_test", "./ssl_ctx_test"),
		test("dtlstest", "./dtlstest", "../apps/server.pem", "../apps/server.pem"),
	}
	configurations, err := filepath.Glob(source + "/test/generated/*.cnf.*")
	if err != nil {
		return nil, err
	}
	for _, path := range configurations {
		name, provider := filepath.Base(path), strings.TrimPrefix(filepath.Ext(path), ".")
		programs = append(programs, test("ssl_test "+name, "./ssl_test", path, provider))
	}
	// Each in a process of its own: one that crashes takes no other with it.
	list := sslapitest("-list")
	cmd := exec.CommandContext(ctx, list[0], list[1:]...)
	cmd.Dir, cmd.Env = source+"/test", append(os.Environ(), env...)
	output, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, output)
	}
	for _, found := range listed.FindAllStringSubmatch(string(output), -1) {
		programs = append(programs, test("sslapitest "+found[1], sslapitest("-test", found[1])...))
	}
	return programs, nil
}

var listed = regexp.MustCompile(`(?m)^\d+ - (test_\w+)`)

// sslapitest is its command, as in test/recipes/90-test_sslapi.t; it writes keys to a file.
func sslapitest(options ...string) []string {
	const command = `exec ./sslapitest "$@" certs recipes/90-test_sslapi_data/passwd.txt "$TMPDIR/keys" default default.cnf recipes/90-test_sslapi_data/dhparams.pem`
	return append([]string{"sh", "-c", command, "sh"}, options...)
}
