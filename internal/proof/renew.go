package proof

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/pki"
	"github.com/chargewatch/chargewatch/internal/store"
)

const (
	// tries is how often a station is asked for a certificate request before it is
	// said that it gets none.
	tries = 3
	// requestWait is how long a station has to send the request that it promised.
	requestWait = 10 * time.Minute
	// hears is how long our answer to a request has, before the certificate follows.
	hears = 200 * time.Millisecond
	// requestsAnHour is how many requests of one station are looked at.
	requestsAnHour = 6
	// longestChain is what OCPP allows a chain that is sent.
	longestChain = 10_000
	// renewalLook is how often is looked whose certificate is to be renewed.
	renewalLook = time.Minute
)

// RenewAt is when a certificate is to be renewed: after two thirds of its life, or 30
// days before its end if that is earlier.
func RenewAt(notBefore, notAfter time.Time) time.Time {
	at, late := notBefore.Add(notAfter.Sub(notBefore)*2/3), notAfter.AddDate(0, 0, -30)
	if late.After(notBefore) && late.Before(at) {
		return late
	}
	return at
}

// Renew has a station ask for a new certificate.
func (s *Service) Renew(ctx context.Context, by store.Actor, station string) (*store.Renewal, error) {
	if to, _ := s.o.Store.RelayOf(station); to != nil {
		return nil, relayed()
	}
	r, err := s.o.Store.BeginRenewal(ctx, by, station)
	s.kick()
	return r, err
}

// renewDue begins the renewal of certificates that near their end.
func (s *Service) renewDue(ctx context.Context) {
	now := s.o.Now()
	for station, x := range s.newest() {
		if now.Before(RenewAt(x.NotBefore, x.NotAfter)) {
			continue
		}
		if to, _ := s.o.Store.RelayOf(station); to != nil {
			continue
		}
		if r, ok := s.o.Store.Renewal(station); ok && (r.State.Active() || now.Sub(r.FinishedAt) < 24*time.Hour) {
			continue
		}
		if _, err := s.o.Store.BeginRenewal(ctx, store.System, station); err != nil && ctx.Err() == nil {
			s.o.Logger.WarnContext(ctx, "renewal not begun", "station", station, "err", err)
		}
	}
}

// Asked is the request of a station for a certificate.
type Asked struct {
	Request string // PEM
	Type    string // of 2.x; empty: its own
	ID      *int   // 2.1
}

// Requested checks the request of a station and keeps it. It says why one is refused.
func (s *Service) Requested(ctx context.Context, station string, a Asked) error {
	if a.Type != "" && a.Type != "ChargingStationCertificate" {
		return errors.New("only certificates of stations are signed here, not " + a.Type)
	}
	if !s.mayRequest(station) {
		return fmt.Errorf("more than %d requests within an hour", requestsAnHour)
	}
	r, err := pki.ReadRequest([]byte(a.Request))
	if err != nil {
		return err
	}
	if err := s.named(station, r); err != nil {
		return err
	}
	// The station is to hear that its request was taken before it gets the certificate.
	if _, err := s.o.Store.RequestRenewal(ctx, station, a.Request, a.ID, s.o.Now().Add(hears)); err != nil {
		return err
	}
	s.kick()
	return nil
}

// named checks whom a request names: the station, by its identity, its serial number or
// the name that people gave.
func (s *Service) named(station string, r *pki.Request) error {
	e, ok := s.o.Store.Station(station)
	if !ok {
		return store.ErrNotFound
	}
	names := map[string]bool{station: true, e.CertSubject: true}
	if st, ok := s.o.Fleet.Snapshot().Station(station); ok {
		names[st.Serial] = true
	}
	if !names[r.CommonName] {
		return fmt.Errorf("%w: it names %q, which is neither the station nor its serial number", pki.ErrRequest, r.CommonName)
	}
	if o := s.o.Signer.Organization(); o != "" && r.Organization != o {
		return fmt.Errorf("%w: its organization is %q, not %q", pki.ErrRequest, r.Organization, o)
	}
	return nil
}

func (s *Service) mayRequest(station string) bool {
	now := s.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	recent := s.requests[station][:0]
	for _, at := range s.requests[station] {
		if now.Sub(at) < time.Hour {
			recent = append(recent, at)
		}
	}
	if len(recent) >= requestsAnHour {
		s.requests[station] = recent
		return false
	}
	s.requests[station] = append(recent, now)
	return true
}

// worth reports whether a step can be done now.
func (s *Service) worth(r *store.Renewal) bool {
	if r.State == store.RenewalSigning {
		return true
	}
	_, there := s.station(r.Station)
	return there
}

// renew does the next step of a renewal.
func (s *Service) renew(ctx context.Context, station string) error {
	r, ok := s.o.Store.Renewal(station)
	if !ok {
		return nil
	}
	switch r.State {
	case store.RenewalWaiting, store.RenewalRejected, store.RenewalAsked:
		return s.trigger(ctx, r)
	case store.RenewalSigning:
		return s.sign(ctx, r)
	case store.RenewalSending:
		return s.send(ctx, r)
	}
	return nil
}

// trigger asks a station for a request.
func (s *Service) trigger(ctx context.Context, r *store.Renewal) error {
	st, there := s.station(r.Station)
	if !there {
		return nil
	}
	if r.State == store.RenewalAsked && r.Attempts >= tries {
		return s.move(ctx, r.Station, func(r *store.Renewal) { r.State, r.Said = store.RenewalFailed, "no request came" })
	}
	if err := s.move(ctx, r.Station, func(r *store.Renewal) {
		r.State, r.Attempts, r.DueAt = store.RenewalAsked, r.Attempts+1, s.o.Now().Add(requestWait)
	}); err != nil {
		return err
	}
	action, payload := "ExtendedTriggerMessage", `{"requestedMessage":"SignChargePointCertificate"}`
	if st.Is2x() {
		action, payload = "TriggerMessage", `{"requestedMessage":"SignChargingStationCertificate"}`
	}
	said := word(s.o.Stations.Ask(ctx, r.By, r.Station, action, json.RawMessage(payload)))
	return s.move(ctx, r.Station, func(r *store.Renewal) {
		if r.State != store.RenewalAsked { // the request was faster than the answer
			return
		}
		r.Said = said
		switch {
		case said == "Accepted":
		case unable(said):
			r.State = store.RenewalUnfit
		case r.Attempts >= tries:
			r.State = store.RenewalFailed
		default:
			r.State, r.DueAt = store.RenewalWaiting, s.o.Now().Add(time.Duration(r.Attempts)*s.o.Again)
		}
	})
}

// sign makes the certificate of a request.
func (s *Service) sign(ctx context.Context, r *store.Renewal) error {
	request, err := pki.ReadRequest([]byte(r.Request))
	if err != nil {
		return s.fail(ctx, r.Station, err.Error())
	}
	leaf, rest, err := s.o.Signer.Sign(ctx, r.Station, r.Request, request)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return s.move(ctx, r.Station, func(r *store.Renewal) {
			r.Said, r.Attempts = "not signed: "+err.Error(), r.Attempts+1
			r.DueAt = s.o.Now().Add(time.Duration(r.Attempts) * s.o.Again)
			if r.Attempts >= tries {
				r.State = store.RenewalFailed
			}
		})
	}
	chain := len(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw}))
	for _, der := range rest {
		chain += len(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	if chain > longestChain {
		return s.fail(ctx, r.Station, fmt.Sprintf("the chain has %d characters, OCPP allows %d", chain, longestChain))
	}
	x, err := s.o.Store.AddStationCertificate(ctx, r.Station, leaf, rest)
	if err != nil {
		return err
	}
	return s.move(ctx, r.Station, func(r *store.Renewal) {
		r.State, r.Fingerprint, r.DueAt = store.RenewalSending, x.Fingerprint, time.Time{}
	})
}

// send brings a station its certificate. The same may be sent twice: it is the same.
func (s *Service) send(ctx context.Context, r *store.Renewal) error {
	st, there := s.station(r.Station)
	x, ok := s.o.Store.StationCertificate(r.Fingerprint)
	if !there || !ok {
		return nil
	}
	body := map[string]any{"certificateChain": x.Chain}
	if st.Is2x() {
		body["certificateType"] = "ChargingStationCertificate"
	}
	if r.RequestID != nil && strings.HasPrefix(st.Protocol, "ocpp2.1") {
		body["requestId"] = *r.RequestID
	}
	payload, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write a certificate: %w", err)
	}
	said := word(s.o.Stations.Ask(ctx, r.By, r.Station, "CertificateSigned", payload))
	if ctx.Err() != nil {
		return nil
	}
	if said == "Accepted" || said == "Rejected" {
		if err := s.o.Store.MoveStationCertificate(ctx, x.Fingerprint, func(x *store.StationCertificate) {
			x.State, x.Said, x.AnsweredAt = store.CertificateAccepted, said, s.o.Now()
			if said == "Rejected" {
				x.State = store.CertificateRejected
			}
		}); err != nil {
			return err
		}
	}
	return s.move(ctx, r.Station, func(r *store.Renewal) {
		r.Said = said
		switch {
		case said == "Accepted":
			r.State = store.RenewalDone
		case said == "Rejected" || unable(said):
			r.State, r.Attempts = store.RenewalRejected, max(r.Attempts, 1)
			r.DueAt = s.o.Now().Add(time.Duration(r.Attempts) * s.o.AgainRefused)
			if r.Attempts >= tries {
				r.State = store.RenewalFailed
			}
		default: // nobody knows
			r.Attempts++
			r.DueAt = s.o.Now().Add(time.Duration(r.Attempts) * s.o.Again)
			if r.Attempts >= 2*tries {
				r.State = store.RenewalFailed
			}
		}
	})
}

func (s *Service) move(ctx context.Context, station string, change func(*store.Renewal)) error {
	_, err := s.o.Store.MoveRenewal(ctx, station, change)
	return err
}

func (s *Service) fail(ctx context.Context, station, why string) error {
	return s.move(ctx, station, func(r *store.Renewal) { r.State, r.Said = store.RenewalFailed, why })
}

// Came is told of each certificate that a station came with.
func (s *Service) Came(station string, c *x509.Certificate) {
	fingerprint := store.FingerprintOf(c.Raw)
	x, ok := s.o.Store.StationCertificate(fingerprint)
	if !ok {
		s.shownCertificate(station, c)
	}
	if !ok || x.Station != station || !x.UsedAt.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.o.Store.MoveStationCertificate(ctx, fingerprint, func(x *store.StationCertificate) {
		x.UsedAt = s.o.Now()
		if x.State == store.CertificateIssued { // its answer was lost
			x.State = store.CertificateAccepted
		}
	}); err != nil {
		s.o.Logger.Warn("use of a certificate not noted", "station", station, "err", err)
	}
}

// Revoke has a certificate refused from now on and ends the connection of its station.
func (s *Service) Revoke(ctx context.Context, by store.Actor, station, fingerprint, reason string) (*store.StationCertificate, error) {
	x, err := s.o.Store.RevokeStationCertificate(ctx, by, station, fingerprint, reason)
	if err == nil {
		s.o.Stations.Disconnect(station, "its certificate was revoked")
	}
	return x, err
}
