package store

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
)

// secret is a station's password, kept as salted fast hashes: thousands of
// stations come back within seconds, and 16 random characters need no slow
// hash. raw is the hash of the bytes that the password's hex digits mean, if it
// is written in hex.
type secret struct {
	salt []byte
	hash []byte
	raw  []byte
}

func newSecret(password string) secret {
	s := secret{salt: make([]byte, 16)}
	rand.Read(s.salt) //nolint:errcheck // documented never to fail
	s.hash = s.of([]byte(password))
	if raw, err := hex.DecodeString(password); err == nil {
		s.raw = s.of(raw)
	}
	return s
}

func (s *secret) of(password []byte) []byte {
	h := hmac.New(sha256.New, s.salt)
	h.Write(password)
	return h.Sum(nil)
}

// check tries what stations are known to send: the password as written, the
// bytes its hex digits mean, and the hex digits of its bytes.
func (s *secret) check(sent []byte) (form string, ok bool) {
	if len(s.hash) == 0 || len(sent) == 0 {
		return "", false
	}
	h := s.of(sent)
	switch {
	case hmac.Equal(h, s.hash):
		return "verbatim", true
	case len(s.raw) > 0 && hmac.Equal(h, s.raw):
		return "raw", true
	}
	raw, err := hex.DecodeString(string(sent))
	if err != nil {
		return "", false
	}
	h = s.of(raw)
	if hmac.Equal(h, s.hash) || len(s.raw) > 0 && hmac.Equal(h, s.raw) {
		return "hex", true
	}
	return "", false
}

// String keeps the hashes out of logs.
func (s secret) String() string { return "(secret)" }
