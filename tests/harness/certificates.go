package harness

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority signs certificates and keeps them, and its own (CA), as PEM files in a directory.
type Authority struct {
	CA   string // path of its own certificate
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Certificate is the paths of a certificate and of its key.
type Certificate struct {
	Cert, Key string
}

// Join writes a file that holds both, as some servers want them.
func (c Certificate) Join(path string) error {
	cert, err := os.ReadFile(c.Cert)
	if err != nil {
		return err
	}
	key, err := os.ReadFile(c.Key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(cert, key...), 0o600)
}

// NewAuthority makes an authority that writes into dir.
func NewAuthority(dir string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "gosess test authority"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	a := &Authority{CA: filepath.Join(dir, "ca.pem"), dir: dir, key: key, cert: template}
	der, err := a.sign(template, &key.PublicKey)
	if err != nil {
		return nil, err
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	return a, writePEM(a.CA, "CERTIFICATE", der)
}

func (a *Authority) sign(template *x509.Certificate, key crypto.PublicKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(24 * time.Hour)
	return x509.CreateCertificate(rand.Reader, template, a.cert, key, a.key)
}

// Issue makes a P-256 certificate for a server of that name, or for a client.
func (a *Authority) Issue(name string) (Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Certificate{}, err
	}
	return a.issue(name, key)
}

// IssueLarge makes one for so many names more, each of which takes 30 bytes.
func (a *Authority) IssueLarge(name string, more int) (Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Certificate{}, err
	}
	var names []string
	for n := range more {
		names = append(names, fmt.Sprintf("one-of-many-names-%05d.test", n))
	}
	return a.issue(name, key, names...)
}

// IssueRSA makes one with an RSA key of 2048 bits.
func (a *Authority) IssueRSA(name string) (Certificate, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return Certificate{}, err
	}
	return a.issue(name, key)
}

// Renew is how a certificate of that name is made in the place of the one before; RenewRSA is that for RSA.
func (a *Authority) Renew(t testing.TB, name string) func() { return renew(t, a.Issue, name) }

// RenewRSA is described above.
func (a *Authority) RenewRSA(t testing.TB, name string) func() { return renew(t, a.IssueRSA, name) }

func renew(t testing.TB, issue func(string) (Certificate, error), name string) func() {
	return func() {
		t.Helper()
		if _, err := issue(name); err != nil {
			t.Fatal(err)
		}
	}
}

func (a *Authority) issue(name string, key crypto.Signer, more ...string) (Certificate, error) {
	files := Certificate{filepath.Join(a.dir, name+".pem"), filepath.Join(a.dir, name+".key")}
	cert, err := a.sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		DNSNames:    append([]string{name}, more...),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, key.Public())
	if err != nil {
		return files, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return files, err
	}
	if err := writePEM(files.Key, "PRIVATE KEY", der); err != nil {
		return files, err
	}
	return files, writePEM(files.Cert, "CERTIFICATE", cert)
}

// Revoke writes a list of the certificates that the authority has revoked: these and no others.
func (a *Authority) Revoke(path string, revoked ...Certificate) error {
	now := time.Now()
	list := x509.RevocationList{
		Number:     big.NewInt(now.UnixNano()),
		ThisUpdate: now.Add(-time.Hour),
		NextUpdate: now.Add(24 * time.Hour),
	}
	for _, files := range revoked {
		data, err := os.ReadFile(files.Cert)
		if err != nil {
			return err
		}
		block, _ := pem.Decode(data)
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return err
		}
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: cert.SerialNumber, RevocationTime: now})
	}
	der, err := x509.CreateRevocationList(rand.Reader, &list, a.cert, a.key)
	if err != nil {
		return err
	}
	return writePEM(path, "X509 CRL", der)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
