package store

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Bounds of upstream systems.
const (
	MaxUpstreams        = 200
	MaxObservers        = 4
	maxUpstreamName     = 100
	maxUpstreamURL      = 300
	maxUpstreamPassword = 64
	maxCertificate      = 32 << 10
)

// UpstreamProof is how we prove ourselves to an upstream system.
type UpstreamProof string

// The proofs.
const (
	ProofStation     UpstreamProof = "station"     // what the station sends is passed on and not kept
	ProofPassword    UpstreamProof = "password"    // one of ours for all stations
	ProofCertificate UpstreamProof = "certificate" // a client certificate of ours
)

// NoUpstream is what a station has instead of an upstream if it speaks to us although
// its site has one.
const NoUpstream = "none"

// Upstream is another central system that stations are relayed to, as it was set
// up. A stored one is never changed in place.
type Upstream struct {
	ID          string        `json:"-"`
	Name        string        `json:"name"`
	URL         string        `json:"url"` // where it serves stations, without the identity
	Proof       UpstreamProof `json:"proof"`
	Authority   string        `json:"authority,omitempty"`   // that signed its certificate, as PEM; empty: one that everybody knows
	Certificate string        `json:"certificate,omitempty"` // ours, with its chain, as PEM
	// Configure says that stations which are relayed there are set as our profiles ask.
	Configure bool      `json:"configure,omitempty"`
	CreatedAt time.Time `json:"-"`
	// HasSecret says that a password or a key is set; UpstreamSecret alone reads it.
	HasSecret bool `json:"-"`
	sealed    []byte
}

// Relaying says to which system a station is relayed, or all stations of a site, and
// who hears it too. A stored one is never changed in place.
type Relaying struct {
	Upstream  string   // empty: as the site says, or none; NoUpstream: none
	Observers []string // instead of those of the site
}

func (u *Upstream) validate() error {
	if err := validID("id", u.ID); err != nil {
		return err
	}
	if u.ID == NoUpstream {
		return &InvalidError{"id", "none stands for no upstream system"}
	}
	if u.Name == "" || !readable(u.Name, false) || utf8.RuneCountInString(u.Name) > maxUpstreamName {
		return &InvalidError{"name", fmt.Sprintf("1 to %d printable characters", maxUpstreamName)}
	}
	at, err := url.Parse(u.URL)
	switch {
	case err != nil || len(u.URL) > maxUpstreamURL || at.Hostname() == "" || at.Scheme != "ws" && at.Scheme != "wss" || at.Opaque != "":
		return &InvalidError{"url", "must begin with wss:// or ws://"}
	case at.User != nil:
		return &InvalidError{"url", "without a user and a password"}
	case at.RawQuery != "" || at.Fragment != "" || at.ForceQuery:
		return &InvalidError{"url", "without what begins with ? or #"}
	}
	if u.Authority != "" {
		if at.Scheme != "wss" {
			return &InvalidError{"authority", "only for an address that is secured"}
		}
		if len(u.Authority) > maxCertificate || !x509.NewCertPool().AppendCertsFromPEM([]byte(u.Authority)) {
			return &InvalidError{"authority", "a certificate as PEM"}
		}
	}
	switch u.Proof {
	case ProofStation, ProofPassword:
		if u.Certificate != "" {
			return &InvalidError{"certificate", "only if a certificate proves"}
		}
	case ProofCertificate:
		if at.Scheme != "wss" {
			return &InvalidError{"proof", "a certificate proves only at an address that is secured"}
		}
	default:
		return &InvalidError{"proof", "must be station, password or certificate"}
	}
	return nil
}

// Host is where the system is, without the path, which may hold a key.
func (u *Upstream) Host() string {
	at, err := url.Parse(u.URL)
	if err != nil {
		return ""
	}
	return at.Host
}

// Secure reports whether it is reached by TLS.
func (u *Upstream) Secure() bool { return strings.HasPrefix(u.URL, "wss://") }

// prove seals the secret of a proof.
func (s *Store) prove(u *Upstream, secret string) (err error) {
	switch u.Proof {
	case ProofStation:
		secret = ""
	case ProofPassword:
		if secret == "" || len(secret) > maxUpstreamPassword || !readable(secret, false) {
			return &InvalidError{"secret", fmt.Sprintf("a password of 1 to %d characters", maxUpstreamPassword)}
		}
	case ProofCertificate:
		if len(u.Certificate) > maxCertificate || len(secret) > maxCertificate {
			return &InvalidError{"certificate", "too long"}
		}
		if _, err := tls.X509KeyPair([]byte(u.Certificate), []byte(secret)); err != nil {
			return &InvalidError{"certificate", "a certificate and its key, both as PEM"}
		}
	}
	u.HasSecret = secret != ""
	u.sealed, err = s.sealSecret(secret, upstreamSecret(u.ID))
	return err
}

func upstreamSecret(id string) string { return "upstream/" + id + "/secret" }

func (s *Store) loadUpstreams(ctx context.Context) error {
	all := make(map[string]*Upstream)
	if err := s.query(ctx, "upstream systems", `SELECT id, data, secret, created_at FROM upstreams`, nil, func(r *sql.Rows) error {
		u := &Upstream{}
		var data string
		var created int64
		if err := r.Scan(&u.ID, &data, &u.sealed, &created); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(data), u); err != nil {
			return fmt.Errorf("upstream system %s: %w", u.ID, err)
		}
		u.CreatedAt, u.HasSecret = fromMillis(created), len(u.sealed) > 0
		all[u.ID] = u
		return nil
	}); err != nil {
		return err
	}
	s.upstreams.load(all)
	relays := make(map[string]*Relaying)
	err := s.query(ctx, "relays", `SELECT subject, upstream, observers FROM relays`, nil, func(r *sql.Rows) error {
		var subject, observers string
		x := &Relaying{}
		if err := r.Scan(&subject, &x.Upstream, &observers); err != nil {
			return err
		}
		if observers != "" {
			x.Observers = strings.Split(observers, "\n")
		}
		relays[subject] = x
		return nil
	})
	s.relays.load(relays)
	return err
}

// Upstream returns an upstream system.
func (s *Store) Upstream(id string) (*Upstream, bool) { return s.upstreams.get(id) }

// Upstreams returns all upstream systems by id.
func (s *Store) Upstreams() []*Upstream {
	return slices.SortedFunc(s.upstreams.all(), func(a, b *Upstream) int { return strings.Compare(a.ID, b.ID) })
}

// UpstreamSecret is the password or the key that proves us; empty: none.
func (s *Store) UpstreamSecret(id string) (string, error) {
	u, ok := s.upstreams.get(id)
	if !ok {
		return "", fmt.Errorf("upstream system %s: %w", id, ErrNotFound)
	}
	return s.openSecret(u.sealed, upstreamSecret(id))
}

// CreateUpstream adds an upstream system; without an id it is given one.
func (s *Store) CreateUpstream(ctx context.Context, by Actor, u Upstream, secret string) (*Upstream, error) {
	if u.ID == "" {
		u.ID = newID("up-")
	}
	if err := u.validate(); err != nil {
		return nil, err
	}
	u.CreatedAt = fromMillis(millis(s.now()))
	defer s.lock(u.ID).Unlock()
	if _, ok := s.upstreams.get(u.ID); ok {
		return nil, fmt.Errorf("upstream system %s: %w", u.ID, ErrExists)
	}
	if s.upstreams.len() >= MaxUpstreams {
		return nil, fmt.Errorf("upstream systems: %w", ErrFull)
	}
	if err := s.prove(&u, secret); err != nil {
		return nil, err
	}
	return &u, s.putUpstream(ctx, by, "upstream.create", &u)
}

// ChangeUpstream changes an upstream system; a secret that is nil stays, unless it
// was for another place or another kind of proof.
func (s *Store) ChangeUpstream(ctx context.Context, by Actor, id string, secret *string, change func(*Upstream)) (*Upstream, error) {
	defer s.lock(id).Unlock()
	old, ok := s.upstreams.get(id)
	if !ok {
		return nil, fmt.Errorf("upstream system %s: %w", id, ErrNotFound)
	}
	next := *old
	change(&next)
	next.ID, next.CreatedAt = old.ID, old.CreatedAt
	if next.Proof != ProofCertificate {
		next.Certificate = ""
	}
	if err := next.validate(); err != nil {
		return nil, err
	}
	switch {
	case secret != nil:
		if err := s.prove(&next, *secret); err != nil {
			return nil, err
		}
	case next.Proof == ProofStation:
		if err := s.prove(&next, ""); err != nil {
			return nil, err
		}
	case next.Proof != old.Proof, next.URL != old.URL, next.Certificate != old.Certificate:
		return nil, &InvalidError{"secret", "give it again: it was for another address"}
	}
	return &next, s.putUpstream(ctx, by, "upstream.change", &next)
}

// putUpstream commits an upstream system. The caller holds its lock.
func (s *Store) putUpstream(ctx context.Context, by Actor, action string, u *Upstream) error {
	data, err := json.Marshal(u)
	if err != nil {
		return fmt.Errorf("encode upstream system: %w", err)
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO upstreams (id, data, secret, created_at) VALUES (?,?,?,?)
			ON CONFLICT (id) DO UPDATE SET data=excluded.data, secret=excluded.secret`,
			u.ID, string(data), u.sealed, millis(u.CreatedAt)); err != nil {
			return fmt.Errorf("write upstream system: %w", err)
		}
		return s.audit(tx, by, action, "upstream/"+u.ID, map[string]any{"host": u.Host(), "proof": u.Proof, "configure": u.Configure})
	})
	if err == nil {
		s.upstreams.set(u.ID, u)
	}
	return err
}

// DeleteUpstream removes an upstream system that nobody is relayed to.
func (s *Store) DeleteUpstream(ctx context.Context, by Actor, id string) error {
	defer s.lock(id).Unlock()
	if _, ok := s.upstreams.get(id); !ok {
		return fmt.Errorf("upstream system %s: %w", id, ErrNotFound)
	}
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRow(`SELECT count(*) FROM relays WHERE upstream = ?1 OR instr(char(10) || observers || char(10), char(10) || ?1 || char(10)) > 0`, id).Scan(&n); err != nil {
			return fmt.Errorf("count relays: %w", err)
		}
		if n > 0 {
			return &InUseError{fmt.Sprintf("%d stations and sites are relayed to it", n)}
		}
		if _, err := tx.Exec(`DELETE FROM upstreams WHERE id = ?`, id); err != nil {
			return fmt.Errorf("delete upstream system: %w", err)
		}
		return s.audit(tx, by, "upstream.delete", "upstream/"+id, nil)
	})
	if err == nil {
		s.upstreams.drop(id)
	}
	return err
}

// Relaying is what a station or a site says itself of where it is relayed to.
func (s *Store) Relaying(subject event.Subject) Relaying {
	if r, ok := s.relays.get(subject.String()); ok {
		return *r
	}
	return Relaying{}
}

// RelayOf is whom a station is relayed to, by its own word or that of its site, and
// who hears it too. Nil: it speaks to us.
func (s *Store) RelayOf(station string) (*Upstream, []*Upstream) {
	own := s.Relaying(event.Station(station))
	site := Relaying{}
	if e, ok := s.stations.get(station); ok && e.SiteID != "" {
		site = s.Relaying(event.Site(e.SiteID))
	}
	if own.Upstream == "" {
		own.Upstream = site.Upstream
	}
	if len(own.Observers) == 0 {
		own.Observers = site.Observers
	}
	if own.Upstream == "" || own.Upstream == NoUpstream {
		return nil, nil
	}
	u, ok := s.upstreams.get(own.Upstream)
	if !ok {
		return nil, nil
	}
	var observers []*Upstream
	for _, id := range own.Observers {
		if o, ok := s.upstreams.get(id); ok && id != own.Upstream {
			observers = append(observers, o)
		}
	}
	return u, observers
}

// ValidRelaying says what of a relay cannot be accepted.
func (s *Store) ValidRelaying(r Relaying) error {
	if r.Upstream != "" && r.Upstream != NoUpstream {
		if _, ok := s.upstreams.get(r.Upstream); !ok {
			return &InvalidError{"upstream", "no such upstream system"}
		}
	}
	if len(r.Observers) > MaxObservers {
		return &InvalidError{"observers", fmt.Sprintf("at most %d", MaxObservers)}
	}
	for i, id := range r.Observers {
		if _, ok := s.upstreams.get(id); !ok || slices.Index(r.Observers, id) != i || id == r.Upstream {
			return &InvalidError{fmt.Sprintf("observers[%d]", i), "another upstream system, once"}
		}
	}
	return nil
}

// SetRelaying says where a station, or all stations of a site, are relayed to. It
// reports whether that is another place than before.
func (s *Store) SetRelaying(ctx context.Context, by Actor, subject event.Subject, change func(*Relaying)) (bool, error) {
	name := subject.String()
	defer s.lock(name).Unlock()
	old := s.Relaying(subject)
	next := Relaying{old.Upstream, slices.Clone(old.Observers)}
	change(&next)
	if subject.Type == event.SiteSubject && next.Upstream == NoUpstream {
		next.Upstream = ""
	}
	if next.Upstream == old.Upstream && slices.Equal(next.Observers, old.Observers) {
		return false, nil
	}
	if err := s.ValidRelaying(next); err != nil {
		return false, err
	}
	gone := next.Upstream == "" && len(next.Observers) == 0
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		for _, id := range append([]string{next.Upstream}, next.Observers...) {
			var one int
			if id == "" || id == NoUpstream {
				continue
			}
			err := tx.QueryRow(`SELECT 1 FROM upstreams WHERE id = ?`, id).Scan(&one)
			if errors.Is(err, sql.ErrNoRows) {
				return &InvalidError{"upstream", "no such upstream system"}
			}
			if err != nil {
				return fmt.Errorf("look for the upstream system: %w", err)
			}
		}
		_, err := tx.Exec(`INSERT INTO relays (subject, upstream, observers) VALUES (?,?,?)
			ON CONFLICT (subject) DO UPDATE SET upstream=excluded.upstream, observers=excluded.observers`,
			name, next.Upstream, strings.Join(next.Observers, "\n"))
		if gone {
			_, err = tx.Exec(`DELETE FROM relays WHERE subject = ?`, name)
		}
		if err != nil {
			return fmt.Errorf("write relay: %w", err)
		}
		return s.audit(tx, by, "relay.change", name, map[string]any{"upstream": next.Upstream, "observers": next.Observers})
	})
	if err != nil {
		return false, err
	}
	if gone {
		s.relays.drop(name)
	} else {
		s.relays.set(name, &next)
	}
	return true, nil
}

// dropRelay forgets where a station or a site was relayed to.
func dropRelay(tx *sql.Tx, subject event.Subject) error {
	if _, err := tx.Exec(`DELETE FROM relays WHERE subject = ?`, subject.String()); err != nil {
		return fmt.Errorf("delete relay: %w", err)
	}
	return nil
}
