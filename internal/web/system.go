package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Setting is one value of the configuration and who set it.
type Setting struct {
	Key     string `json:"key" doc:"as the configuration file calls it"`
	Value   string `json:"value"`
	Default string `json:"default"`
	Source  string `json:"source" enum:"default,file,environment,flag"`
	Place   string `json:"place" doc:"file and line, variable or flag; empty for defaults"`
	Restart bool   `json:"restart" doc:"a change counts after the next start"`
}

// Listener is an open port for stations.
type Listener struct {
	Address string `json:"address" doc:"as bound; the host may be a wildcard"`
	Port    int    `json:"port"`
	TLS     bool   `json:"tls"`
	Profile int    `json:"profile" doc:"weakest security profile it serves; 0: as the station is enrolled"`
	// Certificates of clients are asked for.
	ClientCertificates bool `json:"clientCertificates"`
	LegacyRSA          bool `json:"legacyRSA"`
}

// Strongest is the best security profile a station can have here.
func (l Listener) strongest() int {
	switch {
	case l.ClientCertificates:
		return 3
	case l.TLS:
		return 2
	}
	return 1
}

// System is the server as those who run it see it.
type System interface {
	Settings() []Setting
	Listeners() []Listener
	Storage(ctx context.Context) (Storage, error)
}

type settingsOutput struct {
	Body struct {
		Items []Setting `json:"items"`
	}
}

// OCPPShape is how stations come in.
type OCPPShape struct {
	Onboarding string     `json:"onboarding" enum:"open,approve,closed" doc:"what happens to unknown stations"`
	Listeners  []Listener `json:"listeners"`
	// Strongest is the best of the listeners.
	Strongest   int    `json:"strongest" doc:"best security profile any listener can give"`
	Fingerprint string `json:"fingerprint" doc:"SHA-256 of our own certificate authority, if we have one"`
}

type ocppOutput struct{ Body OCPPShape }

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
	Next              string     `json:"next" enum:"nothing,fellBack,missing,upstream,setPassword,changePassword,sharedPassword,oldPassword,keptPassword,useTLS,expired,renew,renewalFailed" doc:"what to do first"`
}

func (s *Server) registerSystem() {
	op := func(id, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{"system"}}
	}
	add(s, global(SystemConfigure), op("getSystemConfiguration", "/system/configuration", "Every setting and who set it"), s.listSettings)
	add(s, global(SystemRead), op("getStorage", "/system/storage", "What is kept, how it grows, and when the disk is full"), s.getStorage)
	add(s, global(SystemRead), op("getHealth", "/system/health", "Whether the server itself is well"), s.getHealth)
	add(s, global(SystemRead), op("getHealthHistory", "/system/health/history", "Readings of the last hour"), s.getHealthHistory)
	s.raw(http.MethodGet, base+"/system/diagnostics", global(SystemConfigure), s.diagnostics)
	add(s, filtered(StationsWrite), op("getOCPP", "/system/ocpp", "Where stations connect, and what becomes of unknown ones"), s.getOCPP)
	add(s, filtered(StationsWrite), op("listStationSecurity", "/system/station-security", "How each station proves itself"), s.listStationSecurity)
}

func (s *Server) listSettings(context.Context, *struct{}) (*settingsOutput, error) {
	if s.o.System == nil {
		return nil, problemf(http.StatusNotImplemented, "this server does not know its configuration")
	}
	out := &settingsOutput{}
	out.Body.Items = list(s.o.System.Settings())
	return out, nil
}

// ocpp is what stations meet.
func (s *Server) ocpp() OCPPShape {
	out := OCPPShape{Onboarding: s.o.Onboarding, Fingerprint: s.o.Fingerprint, Strongest: 1}
	if s.o.System != nil {
		out.Listeners = s.o.System.Listeners()
	}
	for _, l := range out.Listeners {
		out.Strongest = max(out.Strongest, l.strongest())
	}
	out.Listeners = list(out.Listeners)
	return out
}

func (s *Server) getOCPP(context.Context, *struct{}) (*ocppOutput, error) {
	return &ocppOutput{Body: s.ocpp()}, nil
}

// passwordAge is how old a password may be before another one is proposed.
const passwordAge = 365 * 24 * time.Hour

// security is how a station proves itself. Newest is the newest certificate that it took.
func (s *Server) security(e *store.Enrolment, snap *fleet.Snapshot, newest *store.StationCertificate) SecurityShape {
	// Certificates of stations are a project of their own; a password over TLS is
	// what every listener with TLS gives for nothing.
	better, now := min(s.ocpp().Strongest, 2), s.now()
	x := SecurityShape{
		Station: e.ID, SiteID: e.SiteID, Label: e.Label, Onboarding: e.Onboarding, Profile: e.Profile, HasPassword: e.HasPassword(),
		CertSubject: e.CertSubject, Weak: e.Profile < better,
	}
	if st, ok := snap.Station(e.ID); ok && st.Protocol != "" {
		x.Online, x.Used = st.Online, new(st.SecurityProfile)
	}
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
	var out []SecurityShape
	for _, e := range s.o.Store.Stations() {
		if e.ID <= after || !allowed.Allows(e.SiteID) {
			continue
		}
		if len(out) == in.Limit {
			return listOf(out, encodeCursor("security", out[len(out)-1].Station)), nil
		}
		out = append(out, s.security(e, snap, newestOf(made[e.ID])))
	}
	return listOf(out, ""), nil
}
