package web

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/proto/signed"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Bounds of signed messages.
const (
	maxSignedBody = 64 << 10
	signedReadFor = 5 * time.Second
	signatureLife = 5 * time.Minute // before and after our time
	maxSignatures = 100_000
)

// errSignature is what everybody hears who does not know the secret.
var errSignature = problemf(http.StatusUnauthorized, "sign the body: "+signed.Header+": t=SECONDS,v1=HEX of HMAC-SHA256 over SECONDS, a dot and the body, with the secret of the camera, its site or the controller")

// signer is whose secret a message is signed with.
type signer string

const (
	signedByCamera signer = "camera"
	signedBySite   signer = "site" // which is that of other cameras too
	signedByBridge signer = "controller"
)

type signerKey struct{}

// voucher is a secret that a message may be signed with.
type voucher struct {
	by     signer
	secret func() ([]byte, error)
}

// vouchers are the secrets for the camera or controller of a path; none where there
// are none, which is not for everybody to know.
func (s *Server) vouchers(r *http.Request) (list []voucher) {
	if id := r.PathValue("controller"); id != "" {
		if c, ok := s.o.Store.Controller(id); ok && c.Driver == store.DriverHTTP && c.HasSecret {
			list = append(list, voucher{signedByBridge, func() ([]byte, error) {
				secret, err := s.o.Store.ControllerSecret(id)
				return []byte(secret), err
			}})
		}
		return list
	}
	c, ok := s.o.Store.Camera(r.PathValue("camera"))
	if !ok {
		return nil
	}
	for _, x := range []struct {
		by    signer
		scope event.Subject
	}{{signedByCamera, event.Camera(c.ID)}, {signedBySite, event.Site(c.SiteID)}} {
		if s.o.Store.HasLabelSecret(x.scope) {
			list = append(list, voucher{x.by, func() ([]byte, error) { return s.o.Store.LabelSecret(x.scope) }})
		}
	}
	return list
}

// admitSigned reads the body of a message and lets it through if it is signed, of
// now, and new. Nothing of it is parsed before.
func (s *Server) admitSigned(w http.ResponseWriter, r *http.Request) (signer, error) {
	sig, ok := signed.Parse(r.Header.Get(signed.Header))
	list := s.vouchers(r)
	if !ok || len(list) == 0 {
		return "", errSignature
	}
	// What was signed before we began may have been told to the process before us.
	now := s.now()
	if now.Sub(sig.At).Abs() > signatureLife || sig.At.Before(s.started.Truncate(time.Second)) {
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
	for _, v := range list {
		secret, err := v.secret()
		if err != nil {
			return "", err
		}
		if sig.By(secret, body) {
			return v.by, s.admitOnce(r, sig, body)
		}
	}
	return "", errSignature
}

// admitOnce lets a signature through that was not seen yet.
func (s *Server) admitOnce(r *http.Request, sig signed.Signature, body []byte) error {
	switch err := s.signatures.take(sig.Sum, s.now()); {
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
