package station

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

// ErrFull is returned by a Directory that can keep no more pending stations.
var ErrFull = errors.New("too many stations wait for approval")

// PathPrefix is where stations connect: ws://HOST/ocpp/IDENTITY.
const PathPrefix = "/ocpp/"

// hello is a handshake that has been admitted.
type hello struct {
	identity   string
	remote     string
	reached    string // scheme and host of the address that the station used
	profile    int
	proven     bool // a password or a certificate was checked
	onboarding event.Onboarding
	fallback   string
	secret     []byte // the password that was right
	tls        string // version; empty: in clear
	cipher     string
	cert       *event.Certificate
	// upstream is whom the station is relayed to; nil: it speaks to us.
	upstream  *Upstream
	observers []*Upstream
	vouched   bool // it brings a proof that upstream is to check
}

// refusal is a handshake that is not admitted.
type refusal struct {
	status int
	reason string
}

// AtLeast serves stations that prove themselves by a security profile at the
// least, for a listener that is reachable from anywhere.
func (ep *Endpoint) AtLeast(profile int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { ep.serve(w, r, profile) })
}

// ServeHTTP admits or refuses a station and serves it until it leaves.
func (ep *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) { ep.serve(w, r, 0) }

func (ep *Endpoint) serve(w http.ResponseWriter, r *http.Request, profile int) {
	h, no := ep.admit(r)
	if no == nil && h.profile < profile {
		no = &refusal{http.StatusForbidden, fmt.Sprintf("this address needs security profile %d", profile)}
	}
	if no != nil {
		ep.refuse(w, h, no)
		return
	}
	if h.upstream != nil {
		ep.serveRelayed(w, r, h)
		return
	}
	if no := ep.makeRoom(h); no != nil {
		ep.refuse(w, h, no)
		return
	}
	r.Header.Set("Connection", "Upgrade") // some stations forget it; Upgrade: websocket says enough
	under := &line{ResponseWriter: w}
	conn, err := websocket.Accept(under, r, &websocket.AcceptOptions{
		Subprotocols:       []string{ocppj.V21.String(), ocppj.V201.String(), ocppj.V16.String()},
		InsecureSkipVerify: true, // browsers were refused by admit; stations send any Origin
	})
	if err != nil {
		ep.directory.Refused(h.identity, h.remote, "not a WebSocket handshake")
		return
	}
	protocol := conn.Subprotocol()
	if protocol == "" {
		protocol = h.fallback
	}
	version, ok := ocppj.VersionOf(protocol)
	if !ok {
		ep.directory.Refused(h.identity, h.remote, "offers no OCPP version that we speak: "+quoted(r.Header.Get("Sec-WebSocket-Protocol")))
		conn.Close(websocket.StatusProtocolError, "no common OCPP version")
		return
	}
	conn.SetReadLimit(-1) // the link has its own limits
	if !ep.start(newLink(ep, &wire{Conn: conn, under: under.conn}, version, h)) {
		conn.Close(websocket.StatusGoingAway, "the server is stopping")
	}
}

func (ep *Endpoint) refuse(w http.ResponseWriter, h hello, no *refusal) {
	ep.Stats.Refused.Add(1)
	if ep.failures.note(h.remote+"|"+h.identity, time.Now()) {
		ep.directory.Refused(h.identity, h.remote, no.reason)
	} else if no.status == http.StatusUnauthorized {
		no.status = http.StatusTooManyRequests
	}
	if no.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="OCPP"`)
	}
	w.Header().Set("Connection", "close")
	http.Error(w, no.reason, no.status)
}

func certificateOf(c *x509.Certificate) *event.Certificate {
	return &event.Certificate{
		Subject: c.Subject.String(), Issuer: c.Issuer.String(), Serial: c.SerialNumber.Text(16),
		NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
	}
}

// admit decides on a handshake before it is answered.
func (ep *Endpoint) admit(r *http.Request) (hello, *refusal) {
	h := hello{remote: hostOf(r.RemoteAddr), reached: reached(r)}
	if r.Header.Get("Sec-Fetch-Mode") != "" {
		return h, &refusal{http.StatusForbidden, "a browser is not a charging station"}
	}
	identity, ok := identityOf(r.URL)
	h.identity = identity
	if !ok {
		return h, &refusal{http.StatusNotFound, "the address names no station: use /ocpp/IDENTITY"}
	}
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		return h, &refusal{http.StatusUpgradeRequired, "stations connect with a WebSocket"}
	}
	ep.mu.Lock()
	closing := ep.closing
	ep.mu.Unlock()
	if closing {
		return h, &refusal{http.StatusServiceUnavailable, "the server is stopping"}
	}
	if r.TLS != nil {
		h.profile = 2
		h.tls, h.cipher = strings.TrimPrefix(tls.VersionName(r.TLS.Version), "TLS "), tls.CipherSuiteName(r.TLS.CipherSuite)
	}
	enrolled, known := ep.directory.Enrolled(identity)
	if known && enrolled.Onboarding == event.OnboardingAccepted {
		h.upstream, h.observers = enrolled.Upstream, enrolled.Observers
	}
	// Charging does not depend on what we can store: who is relayed is let through.
	if no := ep.unable(); no != nil && h.upstream == nil {
		return h, no
	}
	if !known {
		return ep.admitUnknown(r.Context(), h)
	}
	h.onboarding, h.fallback = enrolled.Onboarding, enrolled.DefaultProtocol
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		if no := named(r.TLS.VerifiedChains[0][0], identity, enrolled); no != nil {
			return h, no
		}
		h.profile, h.proven, h.cert = 3, true, certificateOf(r.TLS.VerifiedChains[0][0])
	}
	if enrolled.Verify != nil && !h.proven {
		ok, given := verify(r, identity, func(sent []byte) bool {
			right := enrolled.Verify(sent)
			if right {
				h.secret = bytes.Clone(sent)
			}
			return right
		})
		if !ok {
			reason := "wrong password"
			if !given {
				reason = "no password given"
			} else if enrolled.Why != nil {
				reason = cmp.Or(enrolled.Why(), reason)
			}
			return h, &refusal{http.StatusUnauthorized, reason}
		}
		h.proven = true
		h.profile = max(h.profile, 1)
	} else if h.profile == 2 && !h.proven {
		h.profile = 0 // encrypted, but nobody knows by whom
	}
	if h.upstream != nil && h.upstream.PassOn && enrolled.Verify == nil && !h.proven && r.Header.Get("Authorization") != "" {
		h.vouched, h.profile = true, 1
		if r.TLS != nil {
			h.profile = 2
		}
	}
	if h.profile < enrolled.Profile {
		if h.proven && enrolled.Weaker != nil {
			enrolled.Weaker(h.profile)
		}
		return h, &refusal{http.StatusForbidden,
			fmt.Sprintf("the station is enrolled with security profile %d and came with %d", enrolled.Profile, h.profile)}
	}
	return h, nil
}

// named checks that a certificate, whose authority is known, is that of the station.
func named(c *x509.Certificate, identity string, enrolled Enrolment) *refusal {
	if enrolled.Certificate != nil {
		ours, refused := enrolled.Certificate(c)
		if refused != "" {
			return &refusal{http.StatusForbidden, refused}
		}
		if ours {
			return nil
		}
	}
	if name := c.Subject.CommonName; name != cmp.Or(enrolled.CertSubject, identity) {
		return &refusal{http.StatusForbidden, "the certificate names " + quoted(name) + ", not this station"}
	}
	return nil
}

// unable says why no station can be served now.
func (ep *Endpoint) unable() *refusal {
	if ep.paused.Load() {
		return &refusal{http.StatusServiceUnavailable, "the disk is nearly full"}
	}
	if ready, ok := ep.journal.(interface{ Ready() error }); ok {
		if err := ready.Ready(); err != nil {
			return &refusal{http.StatusServiceUnavailable, "events cannot be stored now"}
		}
	}
	return nil
}

func (ep *Endpoint) admitUnknown(ctx context.Context, h hello) (hello, *refusal) {
	switch ep.o.Onboarding {
	case Closed:
		return h, &refusal{http.StatusNotFound, "unknown station"}
	case Open:
		h.onboarding = event.OnboardingAccepted
	default:
		h.onboarding = event.OnboardingPending
	}
	if h.profile == 2 {
		h.profile = 0
	}
	err := ep.directory.Pend(ctx, h.identity, h.remote, ep.o.Onboarding == Open)
	switch {
	case errors.Is(err, ErrFull):
		return h, &refusal{http.StatusServiceUnavailable, ErrFull.Error()}
	case err != nil:
		ep.log.WarnContext(ctx, "unknown station not noted", "station", h.identity, "err", err)
		return h, &refusal{http.StatusServiceUnavailable, "the station could not be noted"}
	}
	return h, nil
}

// patience is how long the older of two unproven connections may take to answer
// a ping.
const patience = 5 * time.Second

// makeRoom decides between a new connection and one that stands: the newest
// proven one wins; an unproven one must wait until the old one misses a ping.
// The wait does not end when the newcomer hangs up: he must not be able to cut
// the old one short.
func (ep *Endpoint) makeRoom(h hello) *refusal {
	if h.proven {
		return nil
	}
	ep.mu.Lock()
	old := ep.links[h.identity]
	ep.mu.Unlock()
	if old == nil || old.gone.Load() {
		return nil
	}
	if old.answers(patience) {
		return &refusal{http.StatusConflict, "the identity is connected and answers; without a password the newer connection is not trusted"}
	}
	old.because("missed a ping while another connection asked for its place")
	old.conn.Cut()
	return nil
}

// identityOf reads the last path segment, percent-decoded.
func identityOf(u *url.URL) (string, bool) {
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	if !strings.HasPrefix(path, PathPrefix) {
		return "", false
	}
	segment := path[strings.LastIndexByte(path, '/')+1:]
	id, err := url.PathUnescape(segment)
	if err != nil || id == "" || len(id) > 48 || strings.ContainsAny(id, ":/\\") || strings.ContainsFunc(id, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		return cut(id, 48), false
	}
	return id, true
}

// verify compares the Basic password. OCPP 1.6 keys are raw bytes; stations
// send them as they are or as hexadecimal digits.
func verify(r *http.Request, identity string, check func([]byte) bool) (ok, given bool) {
	scheme, text, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, "Basic") || len(text) > 1024 {
		return false, false
	}
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "= ")) // some leave the padding out
	if err != nil {
		return false, true
	}
	user, password, found := bytes.Cut(raw, []byte{':'})
	if !found || string(user) != identity {
		return false, true
	}
	if check(password) {
		return true, true
	}
	if key, err := hex.DecodeString(string(password)); err == nil && len(key) > 0 && check(key) {
		return true, true
	}
	return check([]byte(hex.EncodeToString(password))) || check([]byte(strings.ToUpper(hex.EncodeToString(password)))), true
}

// failures limits what failed handshakes may write and learn. Only failures
// count; a correct secret always passes.
type failures struct {
	mu   sync.Mutex
	seen map[string]*failure
}

type failure struct {
	count int
	until time.Time
}

const (
	failuresPerMinute = 10
	failuresKept      = 4096
)

// note reports whether the failure is still worth noting.
func (f *failures) note(key string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	x := f.seen[key]
	if x == nil || now.After(x.until) {
		if len(f.seen) >= failuresKept {
			for k, old := range f.seen {
				if now.After(old.until) {
					delete(f.seen, k)
				}
			}
			if len(f.seen) >= failuresKept {
				return false
			}
		}
		x = &failure{until: now.Add(time.Minute)}
		f.seen[key] = x
	}
	x.count++
	return x.count <= failuresPerMinute
}

// reached is where a station found us, as it wrote it.
func reached(r *http.Request) string {
	if r.Host == "" || strings.ContainsFunc(r.Host, func(c rune) bool {
		return !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.ContainsRune(".:-_[]", c))
	}) {
		return ""
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}

func quoted(s string) string { return "“" + cut(s, 60) + "”" }

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	r := slices.Collect(func(yield func(rune) bool) {
		for _, c := range s {
			if !yield(c) {
				return
			}
		}
	})
	return string(r[:min(n, len(r))])
}
