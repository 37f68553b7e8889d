package web

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Bounds of signed messages.
const (
	maxSignedBody  = 64 << 10
	signedReadFor  = 5 * time.Second
	signatureLife  = 5 * time.Minute // before and after our time
	maxSignatures  = 100_000
	signatureField = "X-Chargewatch-Signature"
)

// errSignature is what everybody hears who does not know the secret.
var errSignature = problemf(http.StatusUnauthorized, "sign the body: "+signatureField+": t=SECONDS,v1=HEX of HMAC-SHA256 over SECONDS, a dot and the body, with the secret of the camera or its site")

// signer is whose secret a message is signed with.
type signer string

const (
	signedByCamera signer = "camera"
	signedBySite   signer = "site" // which is that of other cameras too
)

type signerKey struct{}

// signature is what a message is signed with: when, and with what sum.
type signature struct {
	t   string
	at  time.Time
	sum []byte
}

// parseSignature reads t=SECONDS,v1=HEX.
func parseSignature(text string) (signature, bool) {
	var s signature
	if len(text) > 256 {
		return s, false
	}
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || n < 0 || n > 1<<40 {
				return s, false
			}
			s.t, s.at = value, time.Unix(n, 0)
		case "v1":
			sum, err := hex.DecodeString(value)
			if err != nil || len(sum) != sha256.Size {
				return s, false
			}
			s.sum = sum
		}
	}
	return s, s.t != "" && s.sum != nil
}

func (s signature) by(secret, body []byte) bool {
	if len(secret) == 0 {
		return false
	}
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(s.t + "."))
	h.Write(body)
	return hmac.Equal(h.Sum(nil), s.sum)
}

// admitSigned reads the body of a message and lets it through if it is signed, of
// now, and new. Nothing of it is parsed before.
func (s *Server) admitSigned(w http.ResponseWriter, r *http.Request) (signer, error) {
	sig, ok := parseSignature(r.Header.Get(signatureField))
	c, known := s.o.Store.Camera(r.PathValue("camera"))
	if !ok || !known {
		return "", errSignature // which cameras there are is not for everybody to know
	}
	ofCamera, ofSite := event.Camera(c.ID), event.Site(c.SiteID)
	if !s.o.Store.HasLabelSecret(ofCamera) && !s.o.Store.HasLabelSecret(ofSite) {
		return "", errSignature
	}
	// What was signed before we began may have been told to the process before us.
	now := s.now()
	if now.Sub(sig.at).Abs() > signatureLife || sig.at.Before(s.started.Truncate(time.Second)) {
		return "", problemf(http.StatusUnauthorized, "the signature is not of now: sign each message anew, with a clock that is right")
	}
	if r.ContentLength > maxSignedBody {
		return "", problemf(http.StatusRequestEntityTooLarge, "at most 64 KiB")
	}
	if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(signedReadFor)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return "", err
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxSignedBody+1))
	switch {
	case err != nil:
		return "", problemf(http.StatusRequestTimeout, "the body did not come in time")
	case len(body) > maxSignedBody:
		return "", problemf(http.StatusRequestEntityTooLarge, "at most 64 KiB")
	}
	by := signedByCamera
	for _, scope := range []event.Subject{ofCamera, ofSite} {
		secret, err := s.o.Store.LabelSecret(scope)
		if err != nil {
			return "", err
		}
		if sig.by(secret, body) {
			return by, s.admitOnce(r, sig, body)
		}
		by = signedBySite
	}
	return "", errSignature
}

// admitOnce lets a signature through that was not seen yet.
func (s *Server) admitOnce(r *http.Request, sig signature, body []byte) error {
	switch err := s.signatures.take([sha256.Size]byte(sig.sum), s.now()); {
	case errors.Is(err, errReplay):
		return problemf(http.StatusConflict, "this message was told already")
	case err != nil:
		return problemf(http.StatusServiceUnavailable, "too many messages at once")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	return nil
}

var (
	errReplay = errors.New("seen before")
	errMany   = errors.New("too many")
)

// signatures remembers what was let through for as long as it would pass again.
type signatures struct {
	mu   sync.Mutex
	all  map[[sha256.Size]byte]time.Time
	tidy time.Time
}

func (g *signatures) take(sum [sha256.Size]byte, now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all == nil {
		g.all = make(map[[sha256.Size]byte]time.Time)
	}
	if now.Sub(g.tidy) > time.Minute || len(g.all) >= maxSignatures {
		g.tidy = now
		for k, at := range g.all {
			if now.Sub(at) > 2*signatureLife {
				delete(g.all, k)
			}
		}
	}
	if _, seen := g.all[sum]; seen {
		return errReplay
	}
	if len(g.all) >= maxSignatures {
		return errMany
	}
	g.all[sum] = now
	return nil
}
