package notify

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// LinkLife is how long a signed link is good.
const LinkLife = 24 * time.Hour

// ErrLink is returned for a link that we did not sign or that is too old.
var ErrLink = errors.New("the link is not valid or no longer so")

// Links makes and reads the tokens of signed links: which incident, until when.
type Links struct {
	key []byte
	now func() time.Time
}

// Link is what a token says.
type Link struct {
	ID       string // of the link, for using it once
	Incident string
	Expires  time.Time
}

// NewLinks returns links signed with a key.
func NewLinks(key []byte, now func() time.Time) *Links { return &Links{key: key, now: now} }

const (
	linkHead = 8 + 8 // expiry in seconds, random id
	linkSum  = 16
	maxToken = 512
)

// Make signs a link to acknowledge an incident.
func (l *Links) Make(id string) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, linkHead+len(id)+linkSum), uint64(l.now().Add(LinkLife).Unix()))
	b = b[:linkHead]
	rand.Read(b[8:]) //nolint:errcheck // documented never to fail
	b = append(b, id...)
	return base64.RawURLEncoding.EncodeToString(append(b, l.sum(b)...))
}

// Read checks a token.
func (l *Links) Read(token string) (Link, error) {
	if len(token) > maxToken {
		return Link{}, ErrLink
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) <= linkHead+linkSum {
		return Link{}, ErrLink
	}
	b, sum := b[:len(b)-linkSum], b[len(b)-linkSum:]
	if !hmac.Equal(sum, l.sum(b)) {
		return Link{}, ErrLink
	}
	x := Link{
		ID: base64.RawURLEncoding.EncodeToString(b[8:linkHead]), Incident: string(b[linkHead:]),
		Expires: time.Unix(int64(binary.BigEndian.Uint64(b)), 0).UTC(),
	}
	if !l.now().Before(x.Expires) {
		return Link{}, ErrLink
	}
	return x, nil
}

func (l *Links) sum(b []byte) []byte {
	h := hmac.New(sha256.New, l.key)
	h.Write([]byte("acknowledge\x00"))
	h.Write(b)
	return h.Sum(nil)[:linkSum]
}
