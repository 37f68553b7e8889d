package web

import (
	"context"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/store"
)

// SecurityShape is how a station proves itself, and how it did.
type SecurityShape struct {
	Station     string           `json:"station"`
	SiteID      string           `json:"siteId"`
	Label       string           `json:"label"`
	Onboarding  event.Onboarding `json:"onboarding" enum:"accepted,pending,rejected"`
	Profile     int              `json:"profile" doc:"the least it must use"`
	HasPassword bool             `json:"hasPassword"`
	CertSubject string           `json:"certSubject"`
	Online      bool             `json:"online"`
	Used        *int             `json:"used" doc:"security profile of its last connection; null if there was none"`
	Weak        bool             `json:"weak" doc:"below what a listener could give it: no password, or one without TLS although TLS is offered"`

	TLS     string `json:"tls" doc:"version of TLS of its last connection, such as 1.3; empty: it came in clear, or another machine ended TLS before us"`
	Cipher  string `json:"cipher" doc:"cipher suite of that connection, as IANA calls it"`
	TLSWeak string `json:"tlsWeak" enum:",noForwardSecrecy,oldCipher" doc:"noForwardSecrecy: who records it and gets our key later reads it; oldCipher: CBC or worse; empty: neither, or no TLS"`

	RootsAt   *time.Time      `json:"rootsAt" doc:"when it said last which roots for the server it keeps; null: never"`
	Roots     []KeptRootShape `json:"roots" doc:"that it said it keeps, for all uses: at most 20"`
	KnowsRoot string          `json:"knowsRoot" enum:"has,lacks,unknown" doc:"the roots that certificates of this server stand under; unknown: it never said, or we do not know them"`

	PasswordAt        *time.Time `json:"passwordAt" doc:"when its password was set; null: before that was noted, or it has none"`
	PasswordAgeDays   *int       `json:"passwordAgeDays"`
	SharedWith        int        `json:"sharedWith" doc:"other stations that came with the same password since the server started"`
	Guessable         bool       `json:"guessable" doc:"its password is one that makers ship, or its own name"`
	CertificateEndsAt *time.Time `json:"certificateEndsAt" doc:"of the newest certificate that it got by us"`
	CertificateDays   *int       `json:"certificateDays" doc:"left of it"`
	RelayedTo         string     `json:"relayedTo" doc:"the system that it proves itself to; empty: to us"`
	PasswordState     string     `json:"passwordState" doc:"of the change of its password that is under way or was the last; empty: none"`
	CertificateState  string     `json:"certificateState" doc:"of the renewal of its certificate that is under way or was the last; empty: none"`
	ProfileState      string     `json:"profileState" doc:"of the change of its security profile that is under way or was the last; empty: none"`
	Next              string     `json:"next" enum:"nothing,fellBack,missing,upstream,setPassword,changePassword,sharedPassword,oldPassword,keptPassword,useTLS,weakCipher,installRoot,expired,renew,renewalFailed" doc:"what to do first"`
}

// KeptRootShape is a root that a station said it keeps, as OCPP names it.
type KeptRootShape struct {
	Type          string `json:"type" doc:"its use, such as CSMSRootCertificate"`
	Serial        string `json:"serial"`
	IssuerKeyHash string `json:"issuerKeyHash"`
	Name          string `json:"name" doc:"subject of the root of this server that it is; empty: another one"`
	Ours          bool   `json:"ours" doc:"the certificates of this server stand under it now"`
}

// RootNames tells which of the roots that stations keep are those of this server.
type RootNames interface {
	// Name is the subject of a root of ours; ours: the server stands under it now.
	Name(x store.InstalledCertificate) (name string, ours bool)
	// Now is how many the server stands under.
	Now() int
}

const maxKeptRoots = 20

// keeps is what a station said about the roots that it keeps.
func (x *SecurityShape) keeps(said store.RootsSaid, names RootNames) {
	x.RootsAt, x.Roots, x.KnowsRoot = instant(said.At), []KeptRootShape{}, "unknown"
	found := make(map[string]struct{})
	for _, c := range said.Roots {
		r := KeptRootShape{Type: c.Type, Serial: c.Serial, IssuerKeyHash: c.IssuerKeyHash}
		if names != nil {
			if r.Name, r.Ours = names.Name(c); r.Ours {
				found[c.IssuerKeyHash] = struct{}{}
			}
		}
		if len(x.Roots) < maxKeptRoots {
			x.Roots = append(x.Roots, r)
		}
	}
	if names == nil || names.Now() == 0 || said.At.IsZero() {
		return
	}
	if x.KnowsRoot = "lacks"; len(found) >= names.Now() {
		x.KnowsRoot = "has"
	}
}

// weakness says what is weak about a cipher suite.
func weakness(cipher string) string {
	switch {
	case cipher == "":
		return ""
	case strings.HasPrefix(cipher, "TLS_RSA_"):
		return "noForwardSecrecy"
	case strings.Contains(cipher, "_CBC_"), strings.Contains(cipher, "_RC4_"), strings.Contains(cipher, "_3DES_"):
		return "oldCipher"
	}
	return ""
}

// passwordAge is how old a password may be before another one is proposed.
const passwordAge = 365 * 24 * time.Hour

// security is how a station proves itself. Newest is the newest certificate that it took.
func (s *Server) security(e *store.Enrolment, snap *fleet.Snapshot, newest *store.StationCertificate, roots store.RootsSaid, names RootNames) SecurityShape {
	// Certificates of stations are a project of their own; a password over TLS is
	// what every listener with TLS gives for nothing.
	better, now := min(s.ocpp().Strongest, 2), s.now()
	x := SecurityShape{
		Station: e.ID, SiteID: e.SiteID, Label: e.Label, Onboarding: e.Onboarding, Profile: e.Profile, HasPassword: e.HasPassword(),
		CertSubject: e.CertSubject, Weak: e.Profile < better,
	}
	if st, ok := snap.Station(e.ID); ok && st.Protocol != "" {
		x.Online, x.Used = st.Online, new(st.SecurityProfile)
		x.TLS, x.Cipher, x.TLSWeak = st.TLS, st.Cipher, weakness(st.Cipher)
	}
	x.keeps(roots, names)
	if e.HasPassword() && !e.PasswordAt.IsZero() {
		x.PasswordAt, x.PasswordAgeDays = instant(e.PasswordAt), new(int(now.Sub(e.PasswordAt)/(24*time.Hour)))
	}
	if s.o.Proofs != nil {
		x.SharedWith, x.Guessable = s.o.Proofs.Shared(e.ID)
	}
	if newest != nil {
		x.CertificateEndsAt, x.CertificateDays = instant(newest.NotAfter), new(int(newest.NotAfter.Sub(now).Hours()/24))
	}
	if r, ok := s.o.Store.Rotation(e.ID); ok {
		x.PasswordState = string(r.State)
	}
	if r, ok := s.o.Store.Renewal(e.ID); ok {
		x.CertificateState = string(r.State)
	}
	if u, ok := s.o.Store.Upgrade(e.ID); ok {
		x.ProfileState = string(u.State)
	}
	if to, _ := s.o.Store.RelayOf(e.ID); to != nil {
		x.RelayedTo = to.ID
	}
	x.Next = x.next(now)
	return x
}

// next is what to do first about how a station proves itself.
func (x *SecurityShape) next(now time.Time) string {
	ends := func(within time.Duration) bool {
		return x.CertificateEndsAt != nil && x.CertificateEndsAt.Sub(now) < within
	}
	switch {
	case x.RelayedTo != "":
		return "upstream"
	case ends(0):
		return "expired"
	case ends(30*24*time.Hour) && x.CertificateState == string(store.RenewalFailed):
		return "renewalFailed"
	case ends(30 * 24 * time.Hour):
		return "renew"
	case x.ProfileState == string(store.UpgradeFellBack):
		return "fellBack"
	case x.ProfileState == string(store.UpgradeMissing) && !x.Online:
		return "missing"
	case !x.HasPassword && x.Profile < 3:
		return "setPassword"
	case x.Guessable:
		return "changePassword"
	case x.SharedWith > 0:
		return "sharedPassword"
	case x.PasswordState == string(store.RotationKept):
		return "keptPassword"
	case x.Weak:
		return "useTLS"
	case x.TLSWeak != "":
		return "weakCipher"
	case x.TLS != "" && x.KnowsRoot == "lacks":
		return "installRoot"
	case x.PasswordAt != nil && now.Sub(*x.PasswordAt) > passwordAge:
		return "oldPassword"
	}
	return "nothing"
}

// newestOf is the certificate that ends last of those that a station took.
func newestOf(made []*store.StationCertificate) *store.StationCertificate {
	var out *store.StationCertificate
	for _, x := range made {
		if x.State == store.CertificateAccepted && (out == nil || x.NotAfter.After(out.NotAfter)) {
			out = x
		}
	}
	return out
}

func (s *Server) listStationSecurity(ctx context.Context, in *Page) (*listOutput[SecurityShape], error) {
	after, err := decodeCursor("security", in.Cursor)
	if err != nil {
		return nil, err
	}
	allowed, snap := scope(ctx, StationsWrite), s.o.Fleet.Snapshot()
	made := make(map[string][]*store.StationCertificate)
	for _, x := range s.o.Store.StationCertificates("") {
		made[x.Station] = append(made[x.Station], x)
	}
	var page []*store.Enrolment
	next := ""
	for _, e := range s.o.Store.Stations() {
		if e.ID <= after || !allowed.Allows(e.SiteID) {
			continue
		}
		if len(page) == in.Limit {
			next = encodeCursor("security", page[len(page)-1].ID)
			break
		}
		page = append(page, e)
	}
	if len(page) == 0 {
		return listOf([]SecurityShape{}, ""), nil
	}
	said, err := s.o.Store.RootsSaid(ctx, page[0].ID, page[len(page)-1].ID)
	if err != nil {
		return nil, err
	}
	names := s.rootNames(ctx)
	out := make([]SecurityShape, 0, len(page))
	for _, e := range page {
		out = append(out, s.security(e, snap, newestOf(made[e.ID]), said[e.ID], names))
	}
	return listOf(out, next), nil
}

// rootNames are those of our roots; nil: this server has none.
func (s *Server) rootNames(ctx context.Context) RootNames {
	if s.o.Proofs == nil {
		return nil
	}
	return s.o.Proofs.RootNames(ctx)
}
