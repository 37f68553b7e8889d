package proof

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/store"
)

// pile is a data folder with a journal, which outlives the services on it.
type pile struct {
	db  *coredb.DB
	log *journal.Journal
	now time.Time
}

func newPile(t *testing.T) *pile {
	t.Helper()
	p := &pile{now: time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)}
	var err error
	p.db = coredbtest.Open(t)
	if p.log, err = sqlite.Open(t.Context(), sqlite.Options{DB: p.db}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.log.Run(ctx) }()
	for !p.log.Running() {
		time.Sleep(time.Millisecond)
	}
	t.Cleanup(func() {
		err := p.log.Close()
		stop()
		if err := errors.Join(err, <-done, p.db.Close()); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	return p
}

func (p *pile) clock() time.Time { return p.now }

// store is one as a start loads it.
func (p *pile) store(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{DB: p.db, Journal: p.log, Now: p.clock})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// thing is a station of either version that remembers what it was told.
type thing struct {
	t    *testing.T
	p    *pile
	v2   bool
	busy bool

	profile  int         // by which it comes
	wants    int         // from its next start on
	ways     map[int]int // 2.x: profile by place
	priority string      // 2.x
	asked    []string    // actions
	die      int         // the server dies at this request, counted from 1; 0: never
	late     bool        // after the station did it
	stop     func()      // kills the server
	says     map[string]string
}

func (x *thing) connect() {
	x.t.Helper()
	version := "ocpp1.6"
	if x.v2 {
		version = "ocpp2.0.1"
	}
	now := x.p.now
	if _, err := x.p.log.Append(x.t.Context(), &event.Event{
		Subject: event.Station("S1"), At: now, ReceivedAt: now, Origin: event.FromUs,
		Body: &event.Connected{ConnID: fmt.Sprint("c", now.UnixNano()), Protocol: version, SecurityProfile: x.profile},
	}); err != nil {
		x.t.Fatal(err)
	}
}

func (x *thing) Hide(string, string) {}

func (x *thing) Disconnect(string, string) { x.restart() }

func (x *thing) restart() {
	if x.wants > x.profile {
		x.profile = x.wants
	}
	x.connect()
}

func (x *thing) Ask(_ context.Context, _ store.Actor, _, action string, payload json.RawMessage) event.CommandResult {
	x.asked = append(x.asked, action)
	dies := x.die == len(x.asked)
	if dies && !x.late {
		x.stop()
		return event.CommandResult{Status: "offline"}
	}
	if x.busy {
		x.t.Errorf("%s while somebody charges", action)
	}
	answer := x.answer(action, payload)
	if dies {
		x.stop()
		return event.CommandResult{Status: "offline"}
	}
	return event.CommandResult{Status: answered, Response: json.RawMessage(answer)}
}

func (x *thing) answer(action string, payload json.RawMessage) string {
	if said, ok := x.says[action]; ok {
		return fmt.Sprintf(`{"status":%q}`, said)
	}
	var r struct {
		Value string `json:"value"`
		Slot  int    `json:"configurationSlot"`
		Data  struct {
			Profile int    `json:"securityProfile"`
			URL     string `json:"ocppCsmsUrl"`
		} `json:"connectionData"`
		Set []struct {
			Value string `json:"attributeValue"`
		} `json:"setVariableData"`
	}
	if err := json.Unmarshal(payload, &r); err != nil {
		x.t.Fatal(err)
	}
	switch action {
	case "ChangeConfiguration":
		fmt.Sscan(r.Value, &x.wants) //nolint:errcheck // compared in the end
	case "GetVariables":
		return fmt.Sprintf(`{"getVariableResult":[{"attributeStatus":"Accepted","attributeValue":%q}]}`, x.priority)
	case "SetNetworkProfile":
		if r.Data.URL != "wss://here/ocpp" || slices.Contains(strings.Split(x.priority, ","), fmt.Sprint(r.Slot)) && x.ways[r.Slot] != r.Data.Profile {
			return `{"status":"Rejected"}`
		}
		x.ways[r.Slot] = r.Data.Profile
	case "SetVariables":
		x.priority = r.Set[0].Value
		var first int
		fmt.Sscan(strings.Split(x.priority, ",")[0], &first) //nolint:errcheck // compared in the end
		x.wants = x.ways[first]
		return `{"setVariableResult":[{"attributeStatus":"RebootRequired"}]}`
	case "Reset":
		x.restart()
	}
	return `{"status":"Accepted"}`
}

type paths struct{}

func (paths) Way(string, int) (string, bool) { return "wss://here/ocpp", true }
func (paths) Roots(int) []*x509.Certificate  { return nil }
func (paths) Ends() []event.CertificateEnd   { return nil }
func (p *pile) start(t *testing.T, x *thing) *Service {
	return New(Options{Store: p.store(t), Fleet: p.log, Stations: x, Ways: paths{}, Now: p.clock, Settle: time.Second, Return: time.Minute})
}

// begin enrols the station, connects it and has it raised.
func begin(t *testing.T, v2 bool) (*pile, *thing, *Service) {
	t.Helper()
	p := newPile(t)
	x := &thing{t: t, p: p, v2: v2, profile: 1, priority: "1", ways: map[int]int{1: 1}, stop: func() {}}
	s := p.start(t, x)
	if _, _, err := s.o.Store.EnrolStation(t.Context(), store.System, store.NewStation{ID: "S1", Auth: store.Auth{Profile: 1, Generate: true}}); err != nil {
		t.Fatal(err)
	}
	x.connect()
	if _, err := s.Raise(t.Context(), store.System, store.Upgrade{Station: "S1", To: 2, Without: []string{NeedsRoot}}); err != nil {
		t.Fatal(err)
	}
	return p, x, s
}

// steps lets time pass and does what is due, until nothing is to be done any more. Before
// each step the station has to be let in as it comes.
func steps(t *testing.T, p *pile, x *thing, s *Service, ctx context.Context) {
	t.Helper()
	for range 200 {
		u, ok := s.o.Store.Upgrade("S1")
		if !ok {
			t.Fatal("nothing is under way")
		}
		if e, _ := s.o.Store.Station("S1"); e.Profile > x.profile {
			t.Fatalf("the station comes by profile %d and is let in by %d: %+v", x.profile, e.Profile, u)
		}
		if !s.raisable(u) {
			if !u.State.Active() {
				return
			}
			p.now = p.now.Add(time.Second)
			continue
		}
		if err := s.raise(ctx, "S1"); err != nil {
			t.Fatal(err)
		}
		if ctx.Err() != nil {
			return
		}
	}
	t.Fatal("it does not come to an end")
}

// The server is killed at each request, before the station hears it and after it did it:
// the station is never locked out, and in the end it has its profile.
func TestAProfileIsRaisedThroughCrashes(t *testing.T) {
	for _, v2 := range []bool{false, true} {
		requests := map[bool]int{false: 2, true: 4}[v2]
		for die := 1; die <= requests; die++ {
			for _, late := range []bool{false, true} {
				t.Run(fmt.Sprintf("2x %t request %d done %t", v2, die, late), func(t *testing.T) {
					p, x, s := begin(t, v2)
					ctx, stop := context.WithCancel(t.Context())
					x.die, x.late, x.stop = die, late, stop
					steps(t, p, x, s, ctx)
					if ctx.Err() == nil {
						t.Fatalf("only asked %v", x.asked)
					}
					s = p.start(t, x)
					steps(t, p, x, s, t.Context())
					u, _ := s.o.Store.Upgrade("S1")
					e, _ := s.o.Store.Station("S1")
					if u.State != store.UpgradeDone || e.Profile != 2 || x.profile != 2 {
						t.Errorf("%+v, enrolled with %d, comes by %d, asked %v", u, e.Profile, x.profile, x.asked)
					}
				})
			}
		}
	}
}

func TestWhatStationsSayToAHigherProfile(t *testing.T) {
	tests := map[string]struct {
		v2   bool
		says map[string]string
		want store.UpgradeState
	}{
		"1.6 rejects it":             {false, map[string]string{"ChangeConfiguration": "Rejected"}, store.UpgradeRejected},
		"1.6 does not know it":       {false, map[string]string{"ChangeConfiguration": "NotSupported"}, store.UpgradeUnfit},
		"1.6 says rubbish":           {false, map[string]string{"ChangeConfiguration": "Maybe"}, store.UpgradeUnanswered},
		"1.6 needs a restart":        {false, nil, store.UpgradeDone},
		"1.6 is not restarted":       {false, map[string]string{"Reset": "Rejected"}, store.UpgradeDone}, // its connection ends
		"2.x rejects the way":        {true, map[string]string{"SetNetworkProfile": "Rejected"}, store.UpgradeRejected},
		"2.x fails to keep the way":  {true, map[string]string{"SetNetworkProfile": "Failed"}, store.UpgradeRejected},
		"2.x rejects the order":      {true, map[string]string{"SetVariables": "Rejected"}, store.UpgradeRejected},
		"2.x does not tell its ways": {true, map[string]string{"GetVariables": "Accepted"}, store.UpgradeUnanswered},
		"2.x takes it":               {true, nil, store.UpgradeDone},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p, x, s := begin(t, tc.v2)
			x.says = tc.says
			steps(t, p, x, s, t.Context())
			u, _ := s.o.Store.Upgrade("S1")
			e, _ := s.o.Store.Station("S1")
			if u.State != tc.want || (e.Profile == 2) != (tc.want == store.UpgradeDone) {
				t.Errorf("%+v, enrolled with %d, asked %v", u, e.Profile, x.asked)
			}
		})
	}
}

// A station that took its profile and goes on as before is let in as before; when it comes
// by the new one after all, that is what counts.
func TestAStationThatFallsBackIsLetIn(t *testing.T) {
	p, x, s := begin(t, false)
	x.says = map[string]string{"ChangeConfiguration": "Accepted"} // and does nothing
	steps(t, p, x, s, t.Context())
	if u, _ := s.o.Store.Upgrade("S1"); u.State != store.UpgradeFellBack {
		t.Fatalf("%+v", u)
	}
	x.wants = 2
	x.restart()
	steps(t, p, x, s, t.Context())
	if u, _ := s.o.Store.Upgrade("S1"); u.State != store.UpgradeDone {
		t.Errorf("%+v", u)
	}
}

// Nothing is asked of a station while somebody charges, and nothing after a person chose
// a profile by hand.
func TestAProfileWaitsForTheDriver(t *testing.T) {
	p, x, s := begin(t, false)
	x.busy = true
	say := func(status string) {
		now := p.now
		if _, err := p.log.Append(t.Context(), &event.Event{
			Subject: event.Port("S1", 1, 1), At: now, ReceivedAt: now, Origin: event.FromStation, Body: &event.Status{Status: status},
		}); err != nil {
			t.Fatal(err)
		}
	}
	say("Charging")
	u, _ := s.o.Store.Upgrade("S1")
	for range 100 {
		p.now = p.now.Add(time.Minute)
		if s.raisable(u) {
			t.Fatal("it is asked while somebody charges")
		}
	}
	if err := s.raise(t.Context(), "S1"); err != nil || len(x.asked) > 0 {
		t.Errorf("asked %v, %v", x.asked, err)
	}
	say("Available")
	x.busy = false
	if _, _, err := s.o.Store.ChangeStation(t.Context(), "u-1", "S1", store.StationChange{Auth: &store.Auth{Profile: 0}}); err != nil {
		t.Fatal(err)
	}
	steps(t, p, x, s, t.Context())
	if u, _ := s.o.Store.Upgrade("S1"); u.State != store.UpgradeAbandoned || len(x.asked) > 0 {
		t.Errorf("%+v, asked %v", u, x.asked)
	}
}
