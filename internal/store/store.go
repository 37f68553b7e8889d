// Package store keeps what people decided: sites, enrolled stations,
// credentials, users and their grants, and the audit log; and what stations
// agreed to: local lists, reservations, charging profiles, settings.
//
// It promises that a decision the fleet must know (a station enrolled, changed,
// approved, removed) commits together with the event that says so, that every
// act of a person is in the audit log in the same transaction as its effect,
// and that the lookups a station waits for (its enrolment, a credential, the
// opaque id of a token) come from memory. Names and token values stand in
// tables that can be erased; events and the audit log carry opaque ids only.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// Appender makes an event durable together with rows.
type Appender interface {
	AppendWith(ctx context.Context, e *event.Event, rows func(*sql.Tx) error) (fleet.Receipt, error)
}

// Options configures a Store.
type Options struct {
	DB *coredb.DB
	// Journal may be nil in commands that only touch users and tokens.
	Journal Appender
	Logger  *slog.Logger     // default: discard
	Now     func() time.Time // default: time.Now
	// Box seals what has to be given back as it was; nil: passwords of cameras are
	// refused, secrets of channels wait for the next start with one.
	Box Box
	// MaxTokens bounds the token table; beyond it tokens nobody decided about
	// share the id OverflowToken. Default 2,000,000.
	MaxTokens int64
	// TokenCache is how many interned tokens stay in memory; default 100,000.
	TokenCache int
}

// Box seals secrets for one place each.
type Box interface {
	Seal(plain []byte, context string) ([]byte, error)
	Open(sealed []byte, context string) ([]byte, error)
}

// Store is an open store. Its methods may be called from any goroutine.
type Store struct {
	db      *coredb.DB
	journal Appender
	log     *slog.Logger
	now     func() time.Time

	sites    table[*Site]
	stations table[*Enrolment]
	plans    table[*Plan] // by site
	cameras  table[*Camera]
	// labelSecrets are sealed; the key is what they are of.
	labelSecrets    table[[]byte]
	arming          table[*Arming]                         // by site
	guarded         atomic.Pointer[func(site string) bool] // who knows which sites are on their guard
	retention       table[*Retention]                      // by site; empty: everywhere
	removed         table[*RemovedCamera]
	controllers     table[*Controller]
	doors           table[*Door]
	outputs         table[*Output]
	upstreams       table[*Upstream]
	relays          table[*Relaying] // by subject
	settingProfiles table[*ConfigurationProfile]
	rotations       table[*Rotation] // by station
	renewals        table[*Renewal]  // by station
	upgrades        table[*Upgrade]  // by station
	issued          table[*StationCertificate]
	zones           table[*time.Location]
	box             Box
	credentials     table[*access.Credential] // by token id
	people          table[*access.Person]
	pins            table[string] // token ids by what stands for their digits
	pinsMu          sync.Mutex
	pinOf           map[string]string // the way back
	pinKey          []byte
	book            atomic.Pointer[access.Book]
	bookMu          sync.Mutex // held while rows of access change
	tokens          *tokenCache
	tokenCount      atomic.Int64
	maxTokens       int64
	intern          internQueue
	handshakes      *handshakeTable

	// entity serialises changes of sites and stations by id, so that memory
	// follows the order of commits.
	entity [64]sync.Mutex
	// purposes is held, behind entity, while a reason to keep pictures for long is
	// changed or leant on.
	purposes sync.Mutex
	// pending guards the number of stations that wait for approval.
	announcing sync.Mutex // held while a stranger is noted
	pendingMu  sync.Mutex
	pending    int

	changed        changes
	camerasChanged changes
	doorsChanged   changes
	wiring         sync.Mutex // held, behind entity, while a door gets its place at a controller
	followed       progress
}

// Bounds of what people and open onboarding can add; ErrFull beyond.
const (
	MaxSites       = 20_000
	MaxStations    = 100_000
	MaxCredentials = 1_000_000
	MaxUsers       = 10_000
)

// The errors a caller acts on.
var (
	ErrNotFound  = errors.New("not found")
	ErrExists    = errors.New("already exists")
	ErrFull      = errors.New("the table is full")
	ErrInUse     = errors.New("still in use")
	ErrNotYours  = errors.New("somebody else made it")
	ErrNoJournal = errors.New("this store has no journal")
)

// InvalidError names the field that cannot be accepted and says why.
type InvalidError struct {
	Field  string
	Reason string
}

func (e *InvalidError) Error() string { return e.Field + ": " + e.Reason }

// InUseError is ErrInUse with the reason in words.
type InUseError struct{ Reason string }

func (e *InUseError) Error() string { return e.Reason }

// Is makes it an ErrInUse.
func (e *InUseError) Is(target error) bool { return target == ErrInUse }

// Open loads what lookups need.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{db: o.DB, journal: o.Journal, log: o.Logger, now: o.Now, box: o.Box}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if o.TokenCache <= 0 {
		o.TokenCache = 100_000
	}
	if o.MaxTokens <= 0 {
		o.MaxTokens = 2_000_000
	}
	s.maxTokens = o.MaxTokens
	s.tokens = newTokenCache(o.TokenCache)
	s.changed.wake, s.camerasChanged.wake, s.doorsChanged.wake = make(chan struct{}), make(chan struct{}), make(chan struct{})
	for _, load := range []func(context.Context) error{
		s.sealOld, s.loadSites, s.loadPlans, s.loadStations, s.loadCredentials, s.loadPINs, s.loadPeople, s.loadAccess, s.loadHandshakes, s.countTokens, s.loadCameras, s.loadLabelSecrets, s.loadControllers, s.loadDoors, s.loadOutputs, s.loadUpstreams,
		s.loadRotations, s.loadRenewals, s.loadUpgrades, s.loadStationCertificates, s.loadConfigurationProfiles,
	} {
		if err := load(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Run writes what is kept in memory first (refused handshakes) until ctx ends.
func (s *Store) Run(ctx context.Context) error {
	t := time.NewTicker(5 * time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			return s.flushHandshakes(last)
		case <-t.C:
			if err := s.flushHandshakes(ctx); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "refused handshakes not written", "err", err)
			}
		}
	}
}

// AccessChanged returns a channel that is closed when a user, grant, session or
// token changes; call again for the next change.
func (s *Store) AccessChanged() <-chan struct{} { return s.changed.channel() }

// changes wakes everyone who waits for a change.
type changes struct {
	mu   sync.Mutex
	wake chan struct{}
}

func (c *changes) channel() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wake
}

func (c *changes) announce() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.wake)
	c.wake = make(chan struct{})
}

// event makes an event of ours about a subject.
func (s *Store) event(subject event.Subject, body event.Body) *event.Event {
	now := s.now().UTC()
	return &event.Event{Subject: subject, At: now, ReceivedAt: now, Origin: event.FromUs, Body: body}
}

func (s *Store) append(ctx context.Context, e *event.Event, rows func(*sql.Tx) error) error {
	if s.journal == nil {
		return ErrNoJournal
	}
	_, err := s.journal.AppendWith(ctx, e, rows)
	return err
}

// newID returns an opaque id with 80 random bits.
func newID(prefix string) string {
	var b [10]byte
	rand.Read(b[:]) //nolint:errcheck // documented never to fail
	return prefix + strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// query runs a read and calls scan for each row.
func (s *Store) query(ctx context.Context, what, text string, args []any, scan func(*sql.Rows) error) (err error) {
	rows, err := s.db.Reader().QueryContext(ctx, text, args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("read %s: %w", what, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	return nil
}
