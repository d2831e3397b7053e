package doctor

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"

	"gosess/internal/probe"
)

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
		full.names = certificate.DNSNames
	}
	return full
}

// fingerprint is the beginning of the certificate's SHA-256.
func fingerprint(seen probe.Seen) string {
	sum := sha256.Sum256(seen.Certificate)
	return hex.EncodeToString(sum[:8])
}
