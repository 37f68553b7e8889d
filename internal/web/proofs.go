package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// Proofs changes how stations prove themselves.
type Proofs interface {
	StationRoots
	Rotate(ctx context.Context, by store.Actor, station string) (*store.Rotation, error)
	Renew(ctx context.Context, by store.Actor, station string) (*store.Renewal, error)
	Revoke(ctx context.Context, by store.Actor, station, fingerprint, reason string) (*store.StationCertificate, error)
	// Shared is how many other stations came with the same password since the server
	// started, and whether it is one that can be guessed.
	Shared(station string) (others int, guessable bool)
	// ProfileNeeds are the preconditions of a security profile at a station, and the
	// address where it would come.
	ProfileNeeds(ctx context.Context, station string, profile int) ([]ProfileNeedShape, string, error)
	Raise(ctx context.Context, by store.Actor, wish store.Upgrade) (*store.Upgrade, error)
	Lower(ctx context.Context, by store.Actor, station string) (*store.Upgrade, error)
	// StationAuthority is our own authority of stations' certificates as PEM.
	StationAuthority() (string, error)
}

// PasswordChangeShape is the change of a station's password that is under way, or was
// the last.
type PasswordChangeShape struct {
	State      store.RotationState `json:"state" enum:"waiting,sent,accepted,reboot,done,rejected,kept,unfit,abandoned" doc:"waiting, sent, accepted and reboot are under way; both passwords count until the station came with the new one, and after kept as well"`
	Attempts   int                 `json:"attempts"`
	Said       string              `json:"said" doc:"the last word of the station"`
	StartedAt  time.Time           `json:"startedAt"`
	SentAt     *time.Time          `json:"sentAt"`
	FinishedAt *time.Time          `json:"finishedAt"`
	BothCount  bool                `json:"bothCount" doc:"the old password and the new one are both taken"`
}

// RenewalShape is the renewal of a station's certificate that is under way, or was the
// last.
type RenewalShape struct {
	State       store.RenewalState `json:"state" enum:"waiting,asked,signing,sending,done,rejected,failed,unfit"`
	Attempts    int                `json:"attempts"`
	Said        string             `json:"said" doc:"the last word of the station, or why nothing was signed"`
	StartedAt   time.Time          `json:"startedAt"`
	FinishedAt  *time.Time         `json:"finishedAt"`
	DueAt       *time.Time         `json:"dueAt" doc:"nothing is done before"`
	Fingerprint string             `json:"fingerprint" doc:"of the certificate that was made"`
}

// StationCertificateShape is a certificate that was made for a station.
type StationCertificateShape struct {
	Fingerprint string                 `json:"fingerprint" doc:"SHA-256"`
	Serial      string                 `json:"serial"`
	Subject     string                 `json:"subject"`
	Issuer      string                 `json:"issuer"`
	NotBefore   time.Time              `json:"notBefore"`
	NotAfter    time.Time              `json:"notAfter"`
	State       store.CertificateState `json:"state" enum:"issued,accepted,rejected,revoked"`
	IssuedAt    time.Time              `json:"issuedAt"`
	AnsweredAt  *time.Time             `json:"answeredAt"`
	UsedAt      *time.Time             `json:"usedAt" doc:"when the station first came with it"`
	RevokedAt   *time.Time             `json:"revokedAt"`
	Reason      string                 `json:"reason" doc:"why it was revoked"`
}

// StationProofShape is how a station proves itself, and what is being changed about it.
type StationProofShape struct {
	SecurityShape
	Password     *PasswordChangeShape      `json:"password"`
	Renewal      *RenewalShape             `json:"renewal"`
	Raising      *ProfileChangeShape       `json:"raising"`
	Certificates []StationCertificateShape `json:"certificates"`
}

// StationAuthorityShape is who makes the certificates of stations.
type StationAuthorityShape struct {
	Certificate  string `json:"certificate" doc:"of our own authority, as PEM"`
	Organization string `json:"organization" doc:"the only one that requests may name; empty: any"`
	URL          string `json:"url" doc:"of another authority that is asked instead; empty: ours"`
	HasSecret    bool   `json:"hasSecret"`
}

type (
	stationProofOutput  struct{ Body StationProofShape }
	passwordOutput      struct{ Body PasswordChangeShape }
	renewalOutput       struct{ Body RenewalShape }
	stationCertOutput   struct{ Body StationCertificateShape }
	stationAuthOutput   struct{ Body StationAuthorityShape }
	revokeStationsInput struct {
		Station     string `path:"station" maxLength:"48"`
		Fingerprint string `path:"fingerprint" maxLength:"64"`
		Body        struct {
			Reason string `json:"reason" minLength:"1" maxLength:"200"`
		}
	}
	stationAuthInput struct {
		Body struct {
			Organization string  `json:"organization,omitempty" maxLength:"64"`
			URL          string  `json:"url,omitempty" maxLength:"500" doc:"https:// of an authority that is sent requests; empty: ours signs"`
			Secret       *string `json:"secret,omitempty" maxLength:"200" doc:"with which requests to it are signed; kept sealed, never shown"`
		}
	}
)

func (s *Server) registerProofs() {
	op := func(id, method, path, summary, text string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Description: text, DefaultStatus: status, Tags: []string{"stations"}}
	}
	add(s, atStation(StationsWrite), op("getStationSecurity", http.MethodGet, "/stations/{station}/security",
		"How the station proves itself, and what is being changed about it", "", 0), s.getStationSecurity)
	add(s, atStation(StationsWrite), op("rotateStationPassword", http.MethodPost, "/stations/{station}/security/password",
		"Give the station a new password", "A random one, which nobody is shown. It is sent when the station is connected and nobody charges; "+
			"the old one counts until the station has come with the new one.", http.StatusAccepted), s.rotatePassword)
	add(s, atStation(StationsWrite), op("renewStationCertificate", http.MethodPost, "/stations/{station}/security/certificate",
		"Have the station ask for a new certificate", "The one that it has stays good until it ends.", http.StatusAccepted), s.renewCertificate)
	add(s, atStation(StationsWrite), op("revokeStationCertificate", http.MethodPost, "/stations/{station}/security/certificates/{fingerprint}/revoke",
		"Refuse a certificate from now on", "The connection of the station ends.", 0), s.revokeCertificate)
	s.registerStationProfiles()
	s.registerStationRoots()
	add(s, global(StationsWrite), op("getStationAuthority", http.MethodGet, "/system/station-authority", "Who makes the certificates of stations", "", 0), s.getStationAuthority)
	add(s, global(StationsWrite), op("setStationAuthority", http.MethodPut, "/system/station-authority", "Change who makes the certificates of stations", "", 0), s.setStationAuthority)
}

func passwordChange(r *store.Rotation) *PasswordChangeShape {
	return &PasswordChangeShape{
		State: r.State, Attempts: r.Attempts, Said: r.Said, StartedAt: r.StartedAt, SentAt: instant(r.SentAt), FinishedAt: instant(r.FinishedAt), BothCount: r.Both(),
	}
}

func renewal(r *store.Renewal) *RenewalShape {
	return &RenewalShape{
		State: r.State, Attempts: r.Attempts, Said: r.Said, StartedAt: r.StartedAt, FinishedAt: instant(r.FinishedAt), DueAt: instant(r.DueAt), Fingerprint: r.Fingerprint,
	}
}

func stationCertificate(x *store.StationCertificate) StationCertificateShape {
	return StationCertificateShape{
		Fingerprint: x.Fingerprint, Serial: x.Serial, Subject: x.Subject, Issuer: x.Issuer, NotBefore: x.NotBefore, NotAfter: x.NotAfter, State: x.State,
		IssuedAt: x.IssuedAt, AnsweredAt: instant(x.AnsweredAt), UsedAt: instant(x.UsedAt), RevokedAt: instant(x.RevokedAt), Reason: x.Reason,
	}
}

// noProofs is answered by a server that does not change how stations prove themselves.
func noProofs() error {
	return problemf(http.StatusNotImplemented, "this server does not change how stations prove themselves")
}

func (s *Server) getStationSecurity(ctx context.Context, in *stationInput) (*stationProofOutput, error) {
	e, ok := s.o.Store.Station(in.Station)
	if !ok {
		return nil, store.ErrNotFound
	}
	said, err := s.o.Store.RootsSaid(ctx, e.ID, e.ID)
	if err != nil {
		return nil, err
	}
	made := s.o.Store.StationCertificates(e.ID)
	out := StationProofShape{SecurityShape: s.security(e, s.o.Fleet.Snapshot(), newestOf(made), said[e.ID], s.rootNames(ctx)), Certificates: []StationCertificateShape{}}
	if r, ok := s.o.Store.Rotation(e.ID); ok {
		out.Password = passwordChange(r)
	}
	if r, ok := s.o.Store.Renewal(e.ID); ok {
		out.Renewal = renewal(r)
	}
	if u, ok := s.o.Store.Upgrade(e.ID); ok {
		out.Raising = profileChange(u)
	}
	for _, x := range made[:min(len(made), 100)] {
		out.Certificates = append(out.Certificates, stationCertificate(x))
	}
	return &stationProofOutput{Body: out}, nil
}

func (s *Server) rotatePassword(ctx context.Context, in *stationInput) (*passwordOutput, error) {
	if s.o.Proofs == nil {
		return nil, noProofs()
	}
	r, err := s.o.Proofs.Rotate(ctx, who(ctx).actor(), in.Station)
	if err != nil {
		return nil, err
	}
	return &passwordOutput{Body: *passwordChange(r)}, nil
}

func (s *Server) renewCertificate(ctx context.Context, in *stationInput) (*renewalOutput, error) {
	if s.o.Proofs == nil {
		return nil, noProofs()
	}
	r, err := s.o.Proofs.Renew(ctx, who(ctx).actor(), in.Station)
	if err != nil {
		return nil, err
	}
	return &renewalOutput{Body: *renewal(r)}, nil
}

func (s *Server) revokeCertificate(ctx context.Context, in *revokeStationsInput) (*stationCertOutput, error) {
	if s.o.Proofs == nil {
		return nil, noProofs()
	}
	x, err := s.o.Proofs.Revoke(ctx, who(ctx).actor(), in.Station, in.Fingerprint, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &stationCertOutput{Body: stationCertificate(x)}, nil
}

func (s *Server) getStationAuthority(ctx context.Context, _ *struct{}) (*stationAuthOutput, error) {
	x, err := s.o.Store.Signing(ctx)
	if err != nil {
		return nil, err
	}
	return s.stationAuthority(x)
}

func (s *Server) setStationAuthority(ctx context.Context, in *stationAuthInput) (*stationAuthOutput, error) {
	x, err := s.o.Store.SetSigning(ctx, who(ctx).actor(), store.Signing{Organization: in.Body.Organization, URL: in.Body.URL}, in.Body.Secret)
	if err != nil {
		return nil, err
	}
	return s.stationAuthority(x)
}

func (s *Server) stationAuthority(x store.Signing) (*stationAuthOutput, error) {
	if s.o.Proofs == nil {
		return nil, noProofs()
	}
	pem, err := s.o.Proofs.StationAuthority()
	if err != nil {
		return nil, err
	}
	return &stationAuthOutput{Body: StationAuthorityShape{Certificate: pem, Organization: x.Organization, URL: x.URL, HasSecret: x.HasSecret}}, nil
}
