package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"
	"time"
)

// CertificateState is what became of a certificate that was made for a station.
type CertificateState string

// The states of a certificate.
const (
	CertificateIssued   CertificateState = "issued"   // the station has not said that it has it
	CertificateAccepted CertificateState = "accepted" // the station has it
	CertificateRejected CertificateState = "rejected" // the station did not want it
	CertificateRevoked  CertificateState = "revoked"  // refused at the handshake
)

// StationCertificate is one that a station got by us. A stored one is never changed in
// place.
type StationCertificate struct {
	Fingerprint string // SHA-256, hex
	Station     string
	Serial      string
	Subject     string
	Issuer      string
	NotBefore   time.Time
	NotAfter    time.Time
	Chain       string // PEM, as it was sent
	State       CertificateState
	Said        string
	IssuedAt    time.Time
	AnsweredAt  time.Time
	UsedAt      time.Time // when the station first connected with it
	RevokedAt   time.Time
	RevokedBy   Actor
	Reason      string
}

// FingerprintOf is how a certificate is named here.
func FingerprintOf(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

func (s *Store) loadStationCertificates(ctx context.Context) error {
	all := make(map[string]*StationCertificate)
	err := s.query(ctx, "certificates of stations", `SELECT fingerprint, station, serial, subject, issuer, not_before, not_after, chain, state, said,
		issued_at, answered_at, used_at, revoked_at, revoked_by, reason FROM station_certificates`, nil, func(r *sql.Rows) error {
		x := &StationCertificate{}
		var before, after, issued, answered, used, revoked int64
		err := r.Scan(&x.Fingerprint, &x.Station, &x.Serial, &x.Subject, &x.Issuer, &before, &after, &x.Chain, &x.State, &x.Said,
			&issued, &answered, &used, &revoked, &x.RevokedBy, &x.Reason)
		x.NotBefore, x.NotAfter, x.IssuedAt, x.AnsweredAt = fromMillis(before), fromMillis(after), fromMillis(issued), fromMillis(answered)
		x.UsedAt, x.RevokedAt = fromMillis(used), fromMillis(revoked)
		all[x.Fingerprint] = x
		return err
	})
	s.issued.load(all)
	return err
}

// StationCertificate returns one by its fingerprint.
func (s *Store) StationCertificate(fingerprint string) (*StationCertificate, bool) {
	return s.issued.get(fingerprint)
}

// StationCertificates are all that were made for a station, the newest first; of all
// stations if it is empty.
func (s *Store) StationCertificates(station string) []*StationCertificate {
	var out []*StationCertificate
	for x := range s.issued.all() {
		if station == "" || x.Station == station {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b *StationCertificate) int {
		return cmp.Or(b.IssuedAt.Compare(a.IssuedAt), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	return out
}

// AddStationCertificate notes a certificate before its station gets it.
func (s *Store) AddStationCertificate(ctx context.Context, station string, leaf *x509.Certificate, rest [][]byte) (*StationCertificate, error) {
	if _, ok := s.stations.get(station); !ok {
		return nil, fmt.Errorf("station %s: %w", station, ErrNotFound)
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})
	for _, der := range rest {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	x := &StationCertificate{
		Fingerprint: FingerprintOf(leaf.Raw), Station: station, Serial: leaf.SerialNumber.Text(16), Subject: leaf.Subject.String(),
		Issuer: leaf.Issuer.String(), NotBefore: leaf.NotBefore.UTC(), NotAfter: leaf.NotAfter.UTC(), Chain: string(chain),
		State: CertificateIssued, IssuedAt: fromMillis(millis(s.now())),
	}
	return x, s.putStationCertificate(ctx, x, func(tx *sql.Tx) error {
		return s.audit(tx, System, "station.certificate.issue", "station/"+station, map[string]any{"serial": x.Serial, "notAfter": x.NotAfter})
	})
}

// MoveStationCertificate notes what became of a certificate.
func (s *Store) MoveStationCertificate(ctx context.Context, fingerprint string, change func(*StationCertificate)) error {
	defer s.lock(fingerprint).Unlock()
	old, ok := s.issued.get(fingerprint)
	if !ok {
		return fmt.Errorf("certificate %s: %w", fingerprint, ErrNotFound)
	}
	next := *old
	change(&next)
	if old.State == CertificateRevoked {
		next.State = CertificateRevoked
	}
	return s.putStationCertificate(ctx, &next)
}

// RevokeStationCertificate has a certificate refused from now on.
func (s *Store) RevokeStationCertificate(ctx context.Context, by Actor, station, fingerprint, reason string) (*StationCertificate, error) {
	defer s.lock(fingerprint).Unlock()
	old, ok := s.issued.get(fingerprint)
	if !ok || old.Station != station {
		return nil, fmt.Errorf("certificate %s: %w", fingerprint, ErrNotFound)
	}
	if old.State == CertificateRevoked {
		return old, nil
	}
	next := *old
	next.State, next.RevokedAt, next.RevokedBy, next.Reason = CertificateRevoked, fromMillis(millis(s.now())), by, reason
	return &next, s.putStationCertificate(ctx, &next, func(tx *sql.Tx) error {
		return s.audit(tx, by, "station.certificate.revoke", "station/"+station, map[string]any{"serial": next.Serial, "reason": reason})
	})
}

func (s *Store) putStationCertificate(ctx context.Context, x *StationCertificate, rows ...func(*sql.Tx) error) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT OR REPLACE INTO station_certificates (fingerprint, station, serial, subject, issuer, not_before, not_after, chain,
			state, said, issued_at, answered_at, used_at, revoked_at, revoked_by, reason) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
			x.Fingerprint, x.Station, x.Serial, x.Subject, x.Issuer, millis(x.NotBefore), millis(x.NotAfter), x.Chain, string(x.State), clip(x.Said, 200),
			millis(x.IssuedAt), millis(x.AnsweredAt), millis(x.UsedAt), millis(x.RevokedAt), string(x.RevokedBy), x.Reason); err != nil {
			return fmt.Errorf("write certificate: %w", err)
		}
		for _, row := range rows {
			if err := row(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.issued.set(x.Fingerprint, x)
	}
	return err
}

// RenewalState is how far the renewal of a station's certificate is.
type RenewalState string

// The states of a renewal.
const (
	RenewalWaiting  RenewalState = "waiting"  // the station is to be asked for a request
	RenewalAsked    RenewalState = "asked"    // it said that it will send one
	RenewalSigning  RenewalState = "signing"  // its request is there
	RenewalSending  RenewalState = "sending"  // its certificate is made
	RenewalDone     RenewalState = "done"     // it has it
	RenewalRejected RenewalState = "rejected" // it did not want it; it is asked again
	RenewalFailed   RenewalState = "failed"   // it is not asked again
	RenewalUnfit    RenewalState = "unfit"    // it cannot do that
)

// Active reports that something is still to be done.
func (s RenewalState) Active() bool {
	switch s {
	case RenewalWaiting, RenewalAsked, RenewalSigning, RenewalSending, RenewalRejected:
		return true
	}
	return false
}

// Renewal is the renewal of a station's certificate that is under way, or was the last.
// A stored one is never changed in place.
type Renewal struct {
	Station     string
	State       RenewalState
	By          Actor
	StartedAt   time.Time
	FinishedAt  time.Time
	DueAt       time.Time // nothing is done before
	Attempts    int
	Said        string
	Request     string // PEM of what the station sent
	RequestID   *int   // 2.1
	Fingerprint string // of what was made for it
}

func (s *Store) loadRenewals(ctx context.Context) error {
	all := make(map[string]*Renewal)
	err := s.query(ctx, "renewals", `SELECT station, state, by, started_at, finished_at, due_at, attempts, said, request, request_id, fingerprint
		FROM renewals`, nil, func(r *sql.Rows) error {
		x := &Renewal{}
		var started, finished, due int64
		var id sql.NullInt64
		err := r.Scan(&x.Station, &x.State, &x.By, &started, &finished, &due, &x.Attempts, &x.Said, &x.Request, &id, &x.Fingerprint)
		x.StartedAt, x.FinishedAt, x.DueAt = fromMillis(started), fromMillis(finished), fromMillis(due)
		if id.Valid {
			x.RequestID = new(int(id.Int64))
		}
		all[x.Station] = x
		return err
	})
	s.renewals.load(all)
	return err
}

// Renewal is the renewal of a station's certificate that is under way, or was the last.
func (s *Store) Renewal(station string) (*Renewal, bool) { return s.renewals.get(station) }

// Renewals are all of them, in no order.
func (s *Store) Renewals() []*Renewal {
	var out []*Renewal
	for x := range s.renewals.all() {
		out = append(out, x)
	}
	return out
}

func errRenewing() error { return &InUseError{"its certificate is being renewed already"} }

// BeginRenewal notes that a station is to get a new certificate.
func (s *Store) BeginRenewal(ctx context.Context, by Actor, station string) (*Renewal, error) {
	return s.changeRenewal(ctx, station, func(old *Renewal) (*Renewal, error) {
		if old != nil && old.State.Active() && old.State != RenewalRejected && old.State != RenewalAsked {
			return nil, errRenewing()
		}
		return &Renewal{Station: station, State: RenewalWaiting, By: by, StartedAt: fromMillis(millis(s.now()))}, nil
	}, func(tx *sql.Tx) error { return s.audit(tx, by, "station.certificate.renew", "station/"+station, nil) })
}

// RequestRenewal notes the request of a station for a certificate. One is in work at a
// time.
func (s *Store) RequestRenewal(ctx context.Context, station, request string, id *int, due time.Time) (*Renewal, error) {
	return s.changeRenewal(ctx, station, func(old *Renewal) (*Renewal, error) {
		if old != nil && (old.State == RenewalSigning || old.State == RenewalSending) {
			return nil, errRenewing()
		}
		next := &Renewal{Station: station, By: System, StartedAt: fromMillis(millis(s.now()))}
		if old != nil && old.State.Active() {
			next = new(*old)
		}
		next.State, next.Request, next.RequestID, next.DueAt, next.Fingerprint = RenewalSigning, request, id, due, ""
		return next, nil
	})
}

// MoveRenewal notes how far a renewal is.
func (s *Store) MoveRenewal(ctx context.Context, station string, change func(*Renewal)) (*Renewal, error) {
	return s.changeRenewal(ctx, station, func(old *Renewal) (*Renewal, error) {
		if old == nil {
			return nil, fmt.Errorf("renewal of %s: %w", station, ErrNotFound)
		}
		next := *old
		change(&next)
		if old.State.Active() && !next.State.Active() {
			next.FinishedAt, next.Request = fromMillis(millis(s.now())), ""
		}
		return &next, nil
	})
}

func (s *Store) changeRenewal(ctx context.Context, station string, change func(old *Renewal) (*Renewal, error), rows ...func(*sql.Tx) error) (*Renewal, error) {
	defer s.lock(station).Unlock()
	if _, ok := s.stations.get(station); !ok {
		return nil, fmt.Errorf("station %s: %w", station, ErrNotFound)
	}
	old, _ := s.renewals.get(station)
	x, err := change(old)
	if err != nil {
		return nil, err
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT OR REPLACE INTO renewals (station, state, by, started_at, finished_at, due_at, attempts, said, request, request_id, fingerprint)
			VALUES (?,?,?,?,?,?,?,?,?,?,?)`, x.Station, string(x.State), string(x.By), millis(x.StartedAt), millis(x.FinishedAt), millis(x.DueAt), x.Attempts,
			clip(x.Said, 200), x.Request, x.RequestID, x.Fingerprint); err != nil {
			return fmt.Errorf("write renewal: %w", err)
		}
		for _, row := range rows {
			if err := row(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.renewals.set(station, x)
	return x, nil
}
