// Package signed signs messages between systems and reads such signatures:
// t=SECONDS,v1=HEX of HMAC-SHA256 over SECONDS, a dot and the body.
//
// It says by whom and when; whether that is now, and the first time, is for the
// caller to look at.
package signed

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// Header is where a signature stands.
const Header = "X-Chargewatch-Signature"

// Sign is the signature of a body.
func Sign(secret []byte, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(sum(secret, t, body))
}

func sum(secret []byte, t string, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(t + "."))
	h.Write(body)
	return h.Sum(nil)
}

// Signature is when a message was signed, and with what sum.
type Signature struct {
	At  time.Time
	Sum [sha256.Size]byte
	t   string
}

// Parse reads one.
func Parse(text string) (s Signature, ok bool) {
	if len(text) > 256 {
		return s, false
	}
	summed := false
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || n < 0 || n > 1<<40 {
				return s, false
			}
			s.t, s.At = value, time.Unix(n, 0)
		case "v1":
			raw, err := hex.DecodeString(value)
			if err != nil || len(raw) != sha256.Size {
				return s, false
			}
			s.Sum, summed = [sha256.Size]byte(raw), true
		}
	}
	return s, s.t != "" && summed
}

// By reports whether it is that of a body by somebody with the secret.
func (s Signature) By(secret, body []byte) bool {
	return len(secret) > 0 && hmac.Equal(sum(secret, s.t, body), s.Sum[:])
}
