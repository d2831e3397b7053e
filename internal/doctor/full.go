package doctor

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"regexp"
	"slices"

	"gosess/internal/probe"
)

// hostName is one that may be asked for, and shown: what a certificate holds may be anything.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// fullOf is what a full handshake showed.
func fullOf(kind probe.Kind, seen probe.Seen) Full {
	full := Full{Certificate: fingerprint(seen), Cipher: seen.Cipher, Gives: gives(kind, seen.Sessions), Verified: seen.Wants}
	for _, session := range seen.Sessions {
		if session.Ticket != nil {
			full.Tickets++
		}
	}
	if len(seen.Sessions) > 0 {
		full.Hint, full.Early = Duration(seen.Sessions[0].Hint), seen.Sessions[0].MaxEarly
	}
	if certificate, err := x509.ParseCertificate(seen.Certificate); err == nil {
		full.names = slices.DeleteFunc(certificate.DNSNames, func(name string) bool { return !hostName.MatchString(name) })
	}
	return full
}

// fingerprint is the beginning of the certificate's SHA-256.
func fingerprint(seen probe.Seen) string {
	sum := sha256.Sum256(seen.Certificate)
	return hex.EncodeToString(sum[:8])
}
