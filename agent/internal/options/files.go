package options

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Secrets are what lies in the files of a far URL. They are read once, while the agent is still root.
type Secrets struct {
	Password, SentinelPassword Secret
	TLS                        *tls.Config // nil without TLS
}

// Secret is a password. It does not print.
type Secret string

// Format keeps a password out of every text, whatever the verb.
func (s Secret) Format(state fmt.State, _ rune) { state.Write([]byte("(secret)")) }

// Read reads the files that the URL names.
func (f Far) Read(getenv func(string) string) (Secrets, error) {
	var s Secrets
	files := reading{getenv: getenv}
	s.Password = files.password("password", f.Files.Password)
	s.SentinelPassword = files.password("sentinel-password", f.Files.SentinelPassword)
	if f.TLS {
		s.TLS = &tls.Config{ServerName: f.ServerName, MinVersion: tls.VersionTLS12}
		if f.Files.CA != "" {
			s.TLS.RootCAs = x509.NewCertPool()
			if pem := files.read("ca", f.Files.CA); pem != nil && !s.TLS.RootCAs.AppendCertsFromPEM(pem) {
				files.fail("ca", errors.New("there is no certificate in "+f.Files.CA))
			}
		}
		if f.Files.Certificate != "" {
			chain, key := files.read("cert", f.Files.Certificate), files.read("key", f.Files.Key)
			if files.err == nil {
				pair, err := tls.X509KeyPair(chain, key)
				files.fail("cert and key", err)
				s.TLS.Certificates = []tls.Certificate{pair}
			}
		}
	}
	return s, files.err
}

// reading remembers the first thing that went wrong.
type reading struct {
	getenv func(string) string
	err    error
}

func (r *reading) fail(option string, err error) {
	if r.err == nil && err != nil {
		r.err = fmt.Errorf("option %q: %w", option, err)
	}
}

func (r *reading) read(option, path string) []byte {
	if name, ok := bytes.CutPrefix([]byte(path), []byte(credentialWord)); ok {
		folder := r.getenv("CREDENTIALS_DIRECTORY")
		if folder == "" {
			r.fail(option, fmt.Errorf("%s wants CREDENTIALS_DIRECTORY, which systemd sets for a unit with LoadCredential=%s:FILE", path, name))
			return nil
		}
		path = filepath.Join(folder, string(name))
	}
	content, err := os.ReadFile(path)
	r.fail(option, err)
	return content
}

// password is the first line of a file.
func (r *reading) password(option, path string) Secret {
	if path == "" {
		return ""
	}
	content := r.read(option, path)
	line, rest, _ := bytes.Cut(content, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if r.err == nil && (len(line) == 0 || len(bytes.TrimSpace(rest)) > 0) {
		r.fail(option, fmt.Errorf("%s is not a password; allowed: one line that is not empty", path))
	}
	return Secret(line)
}
