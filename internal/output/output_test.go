package output_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/output"
	"github.com/chargewatch/chargewatch/internal/outward"
	"github.com/chargewatch/chargewatch/internal/seal"
	"github.com/chargewatch/chargewatch/internal/store"
)

const secret = "a secret of a test"

// yard is a site with a device that is reached by a webhook, and a clock of its own.
type yard struct {
	t     *testing.T
	store *store.Store
	log   *journal.Journal
	reach *outward.Guard
	url   string
	alarm *alarm
	stop  func()

	mu   sync.Mutex
	now  time.Time
	told []told
	says func(http.ResponseWriter, *http.Request)
	s    *output.Service
}

// told is what the device heard.
type told struct {
	On           bool
	Seconds      int
	Test         bool
	Incident     string
	Announcement string
	Text         string
	Output       struct{ ID, Kind, Site string }
}

func newYard(t *testing.T) *yard {
	t.Helper()
	db := coredbtest.Open(t)
	log, err := sqlite.Open(t.Context(), sqlite.Options{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	box, err := seal.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	y := &yard{t: t, log: log, now: time.Now(), alarm: &alarm{armed: true, follow: make(chan *incident.Incident), asked: make(chan struct{}, 1)}}
	var running sync.WaitGroup
	running.Go(func() {
		if err := log.Run(context.Background()); err != nil && !errors.Is(err, journal.ErrClosed) {
			t.Error("journal:", err)
		}
	})
	if y.store, err = store.Open(t.Context(), store.Options{DB: db, Journal: log, Box: box, Now: y.clock}); err != nil {
		t.Fatal(err)
	}
	device := httptest.NewServer(http.HandlerFunc(y.device))
	t.Cleanup(func() {
		y.halt()
		device.Close()
		if err := errors.Join(log.Close(), db.Close(), root.Close()); err != nil {
			t.Error(err)
		}
		running.Wait()
	})
	y.url = device.URL
	y.reach = outward.New(outward.Options{Exactly: []netip.AddrPort{netip.MustParseAddrPort(strings.TrimPrefix(device.URL, "http://"))}})
	if _, err := y.store.CreateSite(t.Context(), store.System, store.Site{ID: "yard"}); err != nil {
		t.Fatal(err)
	}
	y.start()
	return y
}

func (y *yard) clock() time.Time {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.now
}

// device hears what we post, and checks that it is ours.
func (y *yard) device(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	sig := r.Header.Get(outward.SignatureHeader)
	var x told
	if err == nil {
		err = json.Unmarshal(body, &x)
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	if err != nil || sig != outward.Sign([]byte(secret), y.now, body) || r.Header.Get("Idempotency-Key") == "" {
		y.t.Errorf("not ours: %s %s %v", sig, body, err)
	}
	y.told = append(y.told, x)
	if y.says != nil {
		y.says(w, r)
	}
}

func (y *yard) heard() []told {
	y.mu.Lock()
	defer y.mu.Unlock()
	return slices.Clone(y.told)
}

func (y *yard) answers(f func(http.ResponseWriter, *http.Request)) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.says = f
}

// start begins to serve, as after a restart.
func (y *yard) start() {
	y.t.Helper()
	var err error
	changed := make(chan struct{}, 100)
	y.s, err = output.New(y.t.Context(), output.Options{
		Store: y.store, Reach: y.reach, Incidents: y.alarm, Now: y.clock,
		Person: func(_ context.Context, by store.Actor) (store.Actor, bool) {
			if owner, ok := strings.CutPrefix(string(by), "token-of-"); ok {
				return store.Actor(owner), true
			}
			return by, by != "script"
		},
		Changed: func(context.Context, string) { changed <- struct{}{} },
	})
	if err != nil {
		y.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	select {
	case <-y.alarm.asked:
	default:
	}
	go func() { done <- y.s.Run(ctx) }()
	<-y.alarm.asked // what is told from now on is new
	y.stop = func() {
		cancel()
		if err := <-done; err != nil {
			y.t.Error(err)
		}
	}
}

func (y *yard) halt() {
	if y.stop != nil {
		y.stop()
		y.stop = nil
	}
}

// pass lets time pass; what is due is done when somebody looks.
func (y *yard) pass(d time.Duration) {
	y.mu.Lock()
	y.now = y.now.Add(d)
	y.mu.Unlock()
	y.s.Stir()
}

func (y *yard) until(what string, ok func() bool) {
	y.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	y.t.Fatalf("not so: %s", what)
}

func (y *yard) add(o store.Output) *store.Output {
	y.t.Helper()
	o.SiteID, o.Driver = "yard", store.OutputWebhook
	if o.Address == "" {
		o.Address = y.url
	}
	made, err := y.store.CreateOutput(y.t.Context(), "admin", o, secret)
	if err != nil {
		y.t.Fatal(err)
	}
	return made
}

func (y *yard) switches(id string) []*event.OutputSwitch {
	y.t.Helper()
	found, _, err := y.log.Events(y.t.Context(), journal.EventQuery{Subject: event.Output(id), Kinds: []event.Kind{event.KindOutputSwitch}, Limit: 100})
	if err != nil {
		y.t.Fatal(err)
	}
	var out []*event.OutputSwitch
	for _, e := range slices.Backward(found) {
		out = append(out, e.Body.(*event.OutputSwitch))
	}
	return out
}

func (y *yard) want(id string, o output.Wish) output.Status {
	y.t.Helper()
	o.Output = id
	st, err := y.s.Switch(y.t.Context(), o)
	if err != nil {
		y.t.Fatal(err)
	}
	return st
}

func TestASirenGoesOnAndOffByItself(t *testing.T) {
	y := newYard(t)
	siren := y.add(store.Output{Kind: store.Siren, Label: "Siren at the gate"})
	if siren.LongestS != 180 {
		t.Errorf("a siren may be on for %d s", siren.LongestS)
	}
	st := y.want(siren.ID, output.Wish{On: true, For: 20 * time.Second, By: "ada", Reason: "burglar", Incident: "i-1"})
	if !st.On || !st.Confirmed || st.Until.Sub(st.Since) != 20*time.Second || st.By != "ada" || st.Incident != "i-1" {
		t.Errorf("%+v", st)
	}
	if got := y.heard(); len(got) != 1 || !got[0].On || got[0].Seconds != 20 || got[0].Incident != "i-1" || got[0].Output.Kind != "siren" || got[0].Output.Site != "yard" {
		t.Errorf("%+v", got)
	}
	y.pass(19 * time.Second)
	if !y.s.Status(siren.ID).On {
		t.Error("it went off too early")
	}
	y.pass(time.Second)
	y.until("it is off", func() bool { return !y.s.Status(siren.ID).On })
	got := y.switches(siren.ID)
	if len(got) != 2 || got[0].By != "ada" || !got[0].Done || got[1].On || got[1].Cause != event.OutputTime || !got[1].Done || got[1].Incident != "i-1" {
		t.Errorf("%+v", got)
	}
	if got := y.heard(); len(got) != 2 || got[1].On {
		t.Errorf("%+v", got)
	}
}

func TestNoOutputIsOnForLongerThanItMay(t *testing.T) {
	y := newYard(t)
	siren := y.add(store.Output{Kind: store.Siren, LongestS: 60})
	if _, err := y.s.Switch(t.Context(), output.Wish{Output: siren.ID, On: true, For: 61 * time.Second, By: "ada"}); !errors.Is(err, output.ErrTooLong) {
		t.Error(err)
	}
	begun := y.want(siren.ID, output.Wish{On: true, For: 40 * time.Second, By: "ada"}).Since
	y.pass(30 * time.Second)
	if st := y.want(siren.ID, output.Wish{On: true, For: 60 * time.Second, By: "ada"}); st.Until.Sub(begun) != time.Minute {
		t.Errorf("asked for again it is on for %v", st.Until.Sub(begun))
	}
	y.pass(29*time.Second + 500*time.Millisecond)
	if _, err := y.s.Switch(t.Context(), output.Wish{Output: siren.ID, On: true, By: "ada"}); !errors.Is(err, output.ErrTooLong) {
		t.Error(err)
	}
	for kind, s := range map[store.OutputKind]int{store.Siren: 601, store.Speaker: 601, store.Light: 43201, store.Relay: 43201} {
		_, err := y.store.CreateOutput(t.Context(), "admin", store.Output{SiteID: "yard", Kind: kind, Driver: store.OutputWebhook, Address: y.url, LongestS: s}, secret)
		if bad, ok := errors.AsType[*store.InvalidError](err); !ok || bad.Field != "longestSeconds" {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestWhatIsOnWhenWeDieIsSwitchedOffWhenWeAreBack(t *testing.T) {
	y := newYard(t)
	siren, lamp := y.add(store.Output{Kind: store.Siren}), y.add(store.Output{Kind: store.Light})
	y.want(siren.ID, output.Wish{On: true, For: 30 * time.Second, By: "ada"})
	y.want(lamp.ID, output.Wish{On: true, For: time.Hour, By: "ada"})
	y.halt()
	y.pass(5 * time.Minute)
	y.start()
	y.until("the siren is off", func() bool { return !y.s.Status(siren.ID).On })
	if st := y.s.Status(lamp.ID); !st.On || st.By != "ada" {
		t.Errorf("the light: %+v", st)
	}
	if got := y.heard(); len(got) != 3 || got[2].On || got[2].Output.ID != siren.ID {
		t.Errorf("%+v", got)
	}
}

func TestADeviceThatDoesNotGoOffIsToldUntilItDoes(t *testing.T) {
	y := newYard(t)
	siren := y.add(store.Output{Kind: store.Siren})
	y.want(siren.ID, output.Wish{On: true, For: 10 * time.Second, By: "ada"})
	y.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	y.pass(10 * time.Second)
	y.until("it is known not to go off", func() bool { return y.s.Status(siren.ID).Overdue })
	for range 3 {
		before := len(y.heard())
		y.pass(2 * time.Minute)
		y.until("it is told again", func() bool { return len(y.heard()) > before })
	}
	if st := y.s.Status(siren.ID); !st.On || !st.Overdue || st.Failure != "refused" {
		t.Errorf("%+v", st)
	}
	got := y.switches(siren.ID)
	if len(got) != 2 || got[1].Done || got[1].Error != "refused" {
		t.Errorf("it is told once that it does not go off: %+v", got)
	}
	y.answers(nil)
	y.pass(2 * time.Minute)
	y.until("it is off", func() bool { return !y.s.Status(siren.ID).On })
	if err := y.store.DeleteOutput(t.Context(), "admin", siren.ID); err != nil {
		t.Error(err)
	}
}

func TestWhoPressesHearsWhatBecameOfIt(t *testing.T) {
	y := newYard(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	y.reach = outward.New(outward.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	y.halt()
	y.start()
	for name, tc := range map[string]struct {
		address string
		says    func(http.ResponseWriter, *http.Request)
		want    error
		on      bool // afterwards, for all we know
	}{
		"nobody listens":  {address: gone.URL, want: output.ErrUnreachable},
		"it refuses":      {says: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, want: output.ErrRefused},
		"it hangs up":     {says: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, want: output.ErrNoAnswer, on: true},
		"it redirects us": {says: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusTemporaryRedirect) }, want: output.ErrRefused},
	} {
		t.Run(name, func(t *testing.T) {
			y.answers(tc.says)
			o := y.add(store.Output{Kind: store.Siren, Address: tc.address})
			st, err := y.s.Switch(t.Context(), output.Wish{Output: o.ID, On: true, By: "ada", Reason: "burglar"})
			if !errors.Is(err, tc.want) || st.On != tc.on || st.Confirmed || st.Failure == "" {
				t.Errorf("%v, %+v", err, st)
			}
			got := y.switches(o.ID)
			if len(got) != 1 || got[0].Done || got[0].Error != st.Failure || !got[0].On {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestTwoPeopleAreTwoPeople(t *testing.T) {
	y := newYard(t)
	siren := y.add(store.Output{Kind: store.Siren, TwoPerson: true})
	ask := func(by store.Actor) string {
		t.Helper()
		st := y.want(siren.ID, output.Wish{On: true, By: by, Reason: "burglar", Incident: "i-1"})
		if st.On || st.Request == nil || len(y.heard()) > 0 {
			t.Fatalf("%+v, %v", st, y.heard())
		}
		return st.Request.ID
	}
	request := ask("token-of-ada")
	for name, tc := range map[string]struct {
		by       store.Actor
		signedIn bool
		want     error
	}{
		"the one who asked":            {"token-of-ada", false, output.ErrNobody},
		"the same person, signed in":   {"ada", true, output.ErrNobody},
		"a script of somebody else":    {"token-of-bob", false, output.ErrNobody},
		"somebody whom nobody knows":   {"script", true, output.ErrNobody},
		"another, of another request":  {"bob", true, output.ErrOver},
		"the same with a second token": {"token-of-ada", true, output.ErrNobody},
	} {
		t.Run(name, func(t *testing.T) {
			id := request
			if tc.want == output.ErrOver {
				id = "another"
			}
			if _, err := y.s.Accept(t.Context(), siren.ID, id, tc.by, tc.signedIn); !errors.Is(err, tc.want) || len(y.heard()) > 0 {
				t.Errorf("%v, %v", err, y.heard())
			}
		})
	}
	st, err := y.s.Accept(t.Context(), siren.ID, request, "bob", true)
	if err != nil || !st.On || st.By != "token-of-ada" || st.Approved != "bob" {
		t.Fatalf("%v %+v", err, st)
	}
	if _, err := y.s.Accept(t.Context(), siren.ID, request, "eve", true); !errors.Is(err, output.ErrOver) {
		t.Error("accepted twice:", err)
	}
	if got := y.switches(siren.ID); len(got) != 1 || got[0].By != "token-of-ada" || got[0].ApprovedBy != "bob" {
		t.Errorf("%+v", got)
	}
	if st := y.want(siren.ID, output.Wish{By: "ada"}); st.On {
		t.Error("off needs nobody else")
	}
	y.mu.Lock()
	y.told = nil
	y.mu.Unlock()

	request = ask("ada")
	if _, err := y.s.Decline(t.Context(), siren.ID, request, "bob"); err != nil {
		t.Fatal(err)
	}
	request = ask("ada")
	y.pass(time.Minute)
	y.until("the request is over", y.s.Idle)
	y.halt() // what it does about it is done
	if _, err := y.s.Accept(t.Context(), siren.ID, request, "bob", true); !errors.Is(err, output.ErrOver) {
		t.Error(err)
	}
	found, _, err := y.log.Events(t.Context(), journal.EventQuery{Kinds: []event.Kind{event.KindOutputRequest}, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var states []string
	for _, e := range slices.Backward(found) {
		states = append(states, e.Body.(*event.OutputRequest).State)
	}
	if got := strings.Join(states, " "); got != "asked accepted asked declined asked expired" {
		t.Error(got)
	}
	log, err := y.store.Audit(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	named := false
	for _, e := range log {
		named = named || e.Action == "output.on" && e.Actor == "token-of-ada" && strings.Contains(string(e.Detail), `"approvedBy":"bob"`)
	}
	if !named {
		t.Errorf("the audit log does not name both: %+v", log)
	}
}

func TestASpeakerSaysWhatItHas(t *testing.T) {
	y := newYard(t)
	horn := y.add(store.Output{Kind: store.Speaker})
	y.want(horn.ID, output.Wish{On: true, By: "ada", Language: "de"})
	y.want(horn.ID, output.Wish{On: true, By: "ada", Phrase: "leave", Language: "fr"})
	if _, err := y.s.Switch(t.Context(), output.Wish{Output: horn.ID, On: true, By: "ada", Phrase: "sing"}); !errors.Is(err, output.ErrPhrase) {
		t.Error(err)
	}
	got := y.heard()
	if len(got) != 2 || got[0].Announcement != "filmed" || !strings.Contains(got[0].Text, "gefilmt") || got[1].Announcement != "leave" || !strings.Contains(got[1].Text, "closed") {
		t.Errorf("%+v", got)
	}
	own := y.add(store.Output{Kind: store.Speaker, Announcements: []store.Phrase{{Key: "dogs", Text: "Dogs are on their way.", Language: "en"}}})
	y.want(own.ID, output.Wish{On: true, By: "ada", Language: "de"})
	if got := y.heard()[2]; got.Announcement != "dogs" || got.Text != "Dogs are on their way." {
		t.Errorf("%+v", got)
	}
}

// alarm plays incidents.
type alarm struct {
	mu     sync.Mutex
	armed  bool
	played bool
	open   []*incident.Incident
	follow chan *incident.Incident
	asked  chan struct{}
}

func (a *alarm) Follow(ctx context.Context) iter.Seq2[*incident.Incident, error] {
	return func(yield func(*incident.Incident, error) bool) {
		for {
			select {
			case <-ctx.Done():
				return
			case in := <-a.follow:
				if !yield(in, nil) {
					return
				}
			}
		}
	}
}

func (a *alarm) Open() []*incident.Incident {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case a.asked <- struct{}{}:
	default:
	}
	return slices.Clone(a.open)
}

func (a *alarm) Incident(_ context.Context, id string) (*incident.Incident, error) {
	for _, in := range a.Open() {
		if in.ID == id {
			return in, nil
		}
	}
	return nil, incident.ErrNotFound
}

func (a *alarm) Armed(string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.armed
}

func (a *alarm) Simulated(*incident.Incident) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.played
}

func (a *alarm) set(armed, played bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.armed, a.played = armed, played
}

// tell has an incident be as given.
func (a *alarm) tell(in incident.Incident) {
	a.mu.Lock()
	a.open = slices.DeleteFunc(a.open, func(x *incident.Incident) bool { return x.ID == in.ID })
	a.open = append(a.open, &in)
	a.mu.Unlock()
	a.follow <- &in
}

func (y *yard) raid(id string) incident.Incident {
	return incident.Incident{ID: id, Family: incident.Security, Severity: event.S1, SiteID: "yard", OpenedAt: y.clock(), UpdatedAt: y.clock()}
}

func TestAnIncidentSwitchesOnceByItself(t *testing.T) {
	y := newYard(t)
	lamp := y.add(store.Output{Kind: store.Light, Automatic: store.Automatic{On: true, PerHour: 2}})
	siren := y.add(store.Output{Kind: store.Siren, Automatic: store.Automatic{On: true, AfterS: 20, ForS: 60}})
	y.add(store.Output{Kind: store.Relay}) // does nothing by itself
	heard := func(n int, what string) {
		t.Helper()
		y.until(what, func() bool { return len(y.heard()) == n })
	}
	y.alarm.tell(y.raid("i-1"))
	heard(1, "the light is on at once")
	y.alarm.tell(y.raid("i-1"))
	y.pass(20 * time.Second)
	heard(2, "the siren howls when nobody comes")
	if got := y.heard(); got[0].Output.ID != lamp.ID || got[1].Output.ID != siren.ID || got[1].Seconds != 60 || got[1].Incident != "i-1" {
		t.Errorf("%+v", got)
	}
	y.want(siren.ID, output.Wish{By: "ada"})
	y.want(lamp.ID, output.Wish{By: "ada"}) // 4

	claimed := y.raid("i-2")
	y.alarm.tell(claimed)
	heard(5, "the light is on for another")
	by := "ada"
	claimed.ClaimedBy = &by
	y.alarm.tell(claimed)
	y.pass(20 * time.Second)

	y.alarm.tell(y.raid("i-3")) // the light did so twice this hour
	third := y.raid("i-3")
	third.ClaimedBy = &by
	y.alarm.tell(third)
	y.pass(20 * time.Second)

	old := y.raid("i-4")
	old.UpdatedAt = y.clock().Add(-2 * time.Minute)
	y.alarm.tell(old)
	mild := y.raid("i-5")
	mild.Severity = event.S2
	y.alarm.tell(mild)
	other := y.raid("i-6")
	other.Family = incident.Electrical
	y.alarm.tell(other)
	test, verdict := y.raid("i-7"), "test"
	test.Verdict = &verdict
	y.alarm.tell(test)
	y.until("nothing is due", y.s.Idle)
	y.halt()
	if got := len(y.heard()); got != 5 {
		t.Errorf("%d were switched: %+v", got, y.heard())
	}
	y.pass(2 * time.Hour) // the light is off by then
	y.start()             // all of them are known, and open
	y.until("the light is off", func() bool { return !y.s.Status(lamp.ID).On })
	before := len(y.heard())
	again := y.raid("i-1")
	y.alarm.tell(again)
	y.pass(time.Minute)
	y.alarm.set(false, false)
	y.alarm.tell(y.raid("i-8"))
	y.until("nothing is due", y.s.Idle)
	y.alarm.set(true, true)
	y.alarm.tell(y.raid("i-9"))
	y.pass(time.Minute)
	y.until("nothing is due", y.s.Idle)
	y.halt()
	if got := len(y.heard()); got != before {
		t.Errorf("after a restart: %+v", y.heard()[before:])
	}
}

func TestWhatNeedsTwoPeopleDoesNotSwitchByItself(t *testing.T) {
	y := newYard(t)
	_, err := y.store.CreateOutput(t.Context(), "admin", store.Output{
		SiteID: "yard", Kind: store.Siren, Driver: store.OutputWebhook, Address: y.url, TwoPerson: true, Automatic: store.Automatic{On: true},
	}, secret)
	if bad, ok := errors.AsType[*store.InvalidError](err); !ok || bad.Field != "automatic.on" {
		t.Error(err)
	}
}
