package campaign_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chargewatch/chargewatch/internal/campaign"
	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/store"
)

// yard is a fleet whose stations answer as they are told.
type yard struct {
	mu       sync.Mutex
	stations map[string]campaign.Station
	answer   map[string]func(ctx context.Context, attempt int) campaign.Result
	asked    []string
	at       map[string]time.Time
	ofSite   map[string]int // at work now
	mostSite int
	again    bool
}

func newYard(sites, each int) *yard {
	y := &yard{stations: make(map[string]campaign.Station), answer: make(map[string]func(context.Context, int) campaign.Result), at: make(map[string]time.Time), ofSite: make(map[string]int)}
	for site := range sites {
		for n := range each {
			id := fmt.Sprintf("S%02d-%02d", site, n)
			y.stations[id] = campaign.Station{ID: id, Site: fmt.Sprintf("site%02d", site), Vendor: "Acme", Model: "One", Firmware: "1.2", Protocol: "ocpp1.6", Accepted: true, Online: true}
		}
	}
	return y
}

func (y *yard) change(id string, change func(*campaign.Station)) {
	y.mu.Lock()
	defer y.mu.Unlock()
	x := y.stations[id]
	change(&x)
	y.stations[id] = x
}

func (y *yard) Stations() iter.Seq[campaign.Station] {
	return func(yield func(campaign.Station) bool) {
		y.mu.Lock()
		defer y.mu.Unlock()
		for _, x := range y.stations {
			if !yield(x) {
				return
			}
		}
	}
}

func (y *yard) Station(id string) (campaign.Station, bool) {
	y.mu.Lock()
	defer y.mu.Unlock()
	x, ok := y.stations[id]
	return x, ok
}

func (y *yard) Zone(string) *time.Location { return time.FixedZone("there", 2*3600) }

// The yard is also the kind of work that is done in it.
func (y *yard) Name() string                                         { return "test" }
func (y *yard) Again() bool                                          { return y.again }
func (y *yard) Check(json.RawMessage) error                          { return nil }
func (y *yard) Disturbs(json.RawMessage) bool                        { return true }
func (y *yard) Fits(context.Context, string, json.RawMessage) string { return "" }

func (y *yard) Do(ctx context.Context, station string, _ json.RawMessage, attempt int) campaign.Result {
	y.mu.Lock()
	site := y.stations[station].Site
	y.asked = append(y.asked, station)
	y.at[station] = time.Now()
	y.ofSite[site]++
	y.mostSite = max(y.mostSite, y.ofSite[site])
	answer := y.answer[station]
	y.mu.Unlock()
	defer func() {
		y.mu.Lock()
		y.ofSite[site]--
		y.mu.Unlock()
	}()
	if answer != nil {
		return answer(ctx, attempt)
	}
	time.Sleep(100 * time.Millisecond)
	return campaign.Result{State: campaign.Done, Code: "Accepted"}
}

func (y *yard) times(station string) (n int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, id := range y.asked {
		if id == station {
			n++
		}
	}
	return n
}

func (y *yard) most() int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.mostSite
}

func (y *yard) askedOf() int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return len(y.asked)
}

func always(r campaign.Result) func(context.Context, int) campaign.Result {
	return func(context.Context, int) campaign.Result { return r }
}

// plant is a service on a real file, in a bubble.
type plant struct {
	*campaign.Service
	t    *testing.T
	stop func()
}

func start(t *testing.T, y *yard, folder string, wrap ...func(*store.Store) campaign.Rows) *plant {
	t.Helper()
	coredbtest.In(t, folder)
	db, err := coredb.Open(context.Background(), folder)
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(context.Background(), store.Options{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	rows := campaign.Rows(st)
	for _, w := range wrap {
		rows = w(st)
	}
	p := &plant{Service: campaign.New(campaign.Options{Rows: rows, Fleet: y, Kinds: []campaign.Kind{y}}), t: t}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := p.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}()
	p.stop = sync.OnceFunc(func() {
		cancel()
		<-done
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func anybody() campaign.By {
	yes := func(string) bool { return true }
	return campaign.By{Actor: "u-1", Sees: yes, May: yes}
}

func (p *plant) begin(plan campaign.Plan) *campaign.Campaign {
	p.t.Helper()
	plan.Kind = "test"
	if plan.Cohort.Stations == nil {
		plan.Cohort.Everything = true
	}
	c, err := p.Start(context.Background(), anybody(), plan)
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

func (p *plant) get(c *campaign.Campaign) (*campaign.Campaign, map[string]int) {
	p.t.Helper()
	x, err := p.Get(context.Background(), c.ID)
	if err != nil {
		p.t.Fatal(err)
	}
	counts := make(map[string]int)
	for _, n := range x.Counts {
		counts[strings.TrimRight(string(n.State)+" "+n.Code, " ")] += n.Count
	}
	return x, counts
}

func (p *plant) ended(c *campaign.Campaign, state store.CampaignState, want map[string]int) *campaign.Campaign {
	p.t.Helper()
	x, counts := p.get(c)
	if x.State != state || fmt.Sprint(counts) != fmt.Sprint(want) {
		p.t.Errorf("%s %s with %v, want %s with %v", x.State, x.Stage, counts, state, want)
	}
	return x
}

func quick() campaign.Pace { return campaign.Pace{PerMinute: 600, AtOnce: 50} }

func TestEveryStationIsAccountedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(5, 4)
		y.answer["S00-00"] = always(campaign.Result{State: campaign.Failed, Code: "Rejected"})
		y.answer["S01-00"] = always(campaign.Result{State: campaign.Unknown, Code: "timeout"})
		y.answer["S02-00"] = func(_ context.Context, attempt int) campaign.Result {
			if attempt == 1 {
				return campaign.Result{State: campaign.Waiting, Code: "busy", RetryAt: time.Now().Add(time.Minute)}
			}
			return campaign.Result{State: campaign.Done, Code: "Accepted"}
		}
		y.change("S03-00", func(x *campaign.Station) { x.Online = false })
		y.change("S04-00", func(x *campaign.Station) { x.Accepted = false })
		p := start(t, y, t.TempDir())
		defer p.stop()
		c := p.begin(campaign.Plan{Pace: quick(), GiveUpAfterSeconds: 600})
		if c.Total != 19 || len(c.LeftOut) != 1 || c.LeftOut[0].Reason != "notAccepted" {
			t.Errorf("%d stations, left out: %+v", c.Total, c.LeftOut)
		}
		time.Sleep(5 * time.Minute)
		p.ended(c, store.CampaignRunning, map[string]int{"done Accepted": 16, "failed Rejected": 1, "unknown timeout": 1, "waiting offline": 1})
		time.Sleep(10 * time.Minute)
		p.ended(c, store.CampaignFinished, map[string]int{"done Accepted": 16, "failed Rejected": 1, "unknown timeout": 1, "skipped offline": 1})
		if n := y.most(); n != 1 {
			t.Errorf("%d stations of one site at once", n)
		}
		if n := y.times("S02-00"); n != 2 {
			t.Errorf("the busy one was asked %d times", n)
		}
	})
}

func TestAStationThatComesBackIsWorkedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(1, 2)
		y.change("S00-00", func(x *campaign.Station) { x.Online = false })
		y.change("S00-01", func(x *campaign.Station) { x.InSession = true })
		p := start(t, y, t.TempDir())
		defer p.stop()
		c := p.begin(campaign.Plan{Pace: quick(), WhenIdle: true})
		time.Sleep(30 * time.Minute)
		p.ended(c, store.CampaignRunning, map[string]int{"waiting offline": 1, "waiting inSession": 1})
		y.change("S00-00", func(x *campaign.Station) { x.Online = true })
		y.change("S00-01", func(x *campaign.Station) { x.InSession = false })
		time.Sleep(time.Minute)
		p.ended(c, store.CampaignFinished, map[string]int{"done Accepted": 2})
	})
}

func TestAFailingCanaryTouchesNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(10, 2)
		y.answer["S01-00"] = always(campaign.Result{State: campaign.Failed, Code: "Rejected", Text: "No."})
		p := start(t, y, t.TempDir())
		defer p.stop()
		c := p.begin(campaign.Plan{Pace: quick(), Canary: campaign.Canary{Count: 3, WaitSeconds: 600}})
		time.Sleep(time.Hour)
		x := p.ended(c, store.CampaignStopped, map[string]int{"done Accepted": 1, "failed Rejected": 1, "skipped stopped": 18})
		if x.Why == nil || x.Why.Code != "canaryFailed" || x.Why.Station != "S01-00" || y.askedOf() != 2 {
			t.Errorf("%+v after %d", x.Why, y.askedOf())
		}
		if s := x.Why.Say(); s != "It failed at S01-00, one of the first: No. Nothing was begun at the rest." {
			t.Error(s)
		}
	})
}

func TestTheFirstAreWatchedBeforeTheRest(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(*campaign.Station)
		state     store.CampaignState
		asked     int
		why       string
	}{
		"all well":      {func(*campaign.Station) {}, store.CampaignFinished, 12, ""},
		"one goes away": {func(x *campaign.Station) { x.Online = false }, store.CampaignStopped, 2, "offline"},
		"one breaks":    {func(x *campaign.Station) { x.Faulted = true }, store.CampaignStopped, 2, "faulted"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				y := newYard(6, 2)
				p := start(t, y, t.TempDir())
				defer p.stop()
				at := p.begin(campaign.Plan{Pace: quick(), Canary: campaign.Canary{Count: 2, WaitSeconds: 600}})
				time.Sleep(5 * time.Minute)
				if x, _ := p.get(at); x.Stage != store.CampaignSoak || y.askedOf() != 2 {
					t.Fatalf("%s after %d", x.Stage, y.askedOf())
				}
				y.change("S01-00", c.meanwhile)
				time.Sleep(time.Hour)
				x, _ := p.get(at)
				if x.State != c.state || y.askedOf() != c.asked || c.why != "" && (x.Why.Code != "canaryUnwell" || x.Why.Result != c.why) {
					t.Errorf("%s after %d: %+v", x.State, y.askedOf(), x.Why)
				}
			})
		})
	}
}

func TestItStopsWhenTooMuchGoesWrong(t *testing.T) {
	for name, on := range map[string]campaign.StopOn{
		"by number":          {Failed: 3},
		"by share":           {FailedPercent: 50, After: 4},
		"whichever is first": {Failed: 3, FailedPercent: 90, After: 20},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				y := newYard(20, 1)
				for id := range y.stations {
					y.answer[id] = always(campaign.Result{State: campaign.Failed, Code: "Rejected"})
				}
				p := start(t, y, t.TempDir())
				defer p.stop()
				c := p.begin(campaign.Plan{Pace: campaign.Pace{PerMinute: 60, AtOnce: 1}, StopOn: on})
				time.Sleep(time.Hour)
				want := cmpOr(on.Failed, on.After)
				x := p.ended(c, store.CampaignStopped, map[string]int{"failed Rejected": want, "skipped stopped": 20 - want})
				if x.Why == nil || x.Why.Failed != want || x.Why.Of != want {
					t.Errorf("%+v", x.Why)
				}
			})
		})
	}
}

func cmpOr(a, b int) int {
	if a != 0 {
		return a
	}
	return b
}

func TestThePaceIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(30, 1)
		p := start(t, y, t.TempDir())
		defer p.stop()
		p.begin(campaign.Plan{Pace: campaign.Pace{PerMinute: 6, AtOnce: 20}})
		time.Sleep(time.Hour)
		y.mu.Lock()
		defer y.mu.Unlock()
		var at []time.Time
		for _, one := range y.at {
			at = append(at, one)
		}
		slices.SortFunc(at, time.Time.Compare)
		if len(at) != 30 {
			t.Fatal(len(at))
		}
		for i := 1; i < len(at); i++ {
			if gap := at[i].Sub(at[i-1]); gap < 9900*time.Millisecond {
				t.Errorf("%v after the one before", gap)
			}
		}
	})
}

func TestNothingBeginsOutsideTheWindowOfTheSite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(3, 1) // the bubble begins at midnight UTC, 02:00 at the sites
		p := start(t, y, t.TempDir())
		defer p.stop()
		c := p.begin(campaign.Plan{Pace: quick(), Window: &campaign.Window{From: "04:00", To: "05:00"}, GiveUpAfterSeconds: 60})
		time.Sleep(119 * time.Minute)
		p.ended(c, store.CampaignRunning, map[string]int{"waiting outsideWindow": 3})
		time.Sleep(10 * time.Minute)
		p.ended(c, store.CampaignFinished, map[string]int{"done Accepted": 3})
	})
}

func TestPauseResumeAndStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		y := newYard(20, 1)
		p := start(t, y, t.TempDir())
		defer p.stop()
		c := p.begin(campaign.Plan{Pace: campaign.Pace{PerMinute: 60, AtOnce: 1}})
		time.Sleep(5500 * time.Millisecond)
		if err := p.Pause(ctx, "u-1", c.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		asked := y.askedOf()
		time.Sleep(time.Hour)
		if n := y.askedOf(); n != asked || n == 0 || n > 7 {
			t.Errorf("%d asked while paused, %d before", n, asked)
		}
		if err := p.Pause(ctx, "u-1", c.ID); !errors.Is(err, store.ErrInUse) {
			t.Error(err)
		}
		if err := p.Resume(ctx, "u-1", c.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if err := p.Stop(ctx, "u-1", c.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		n := y.askedOf()
		x := p.ended(c, store.CampaignStopped, map[string]int{"done Accepted": n, "skipped stopped": 20 - n})
		if n <= asked || x.Why.Code != "person" || x.Why.By != "u-1" {
			t.Errorf("%d asked, stopped for %+v", n, x.Why)
		}
	})
}

func TestWhatFailedIsTriedAgainAsOftenAsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(2, 1)
		y.answer["S00-00"] = always(campaign.Result{State: campaign.Failed, Code: "Rejected"})
		y.answer["S01-00"] = func(_ context.Context, attempt int) campaign.Result {
			if attempt < 3 {
				return campaign.Result{State: campaign.Failed, Code: "Rejected"}
			}
			return campaign.Result{State: campaign.Done, Code: "Accepted"}
		}
		p := start(t, y, t.TempDir())
		defer p.stop()
		c := p.begin(campaign.Plan{Pace: quick(), Retries: 2, StopOn: campaign.StopOn{Failed: 2}})
		time.Sleep(time.Hour)
		p.ended(c, store.CampaignFinished, map[string]int{"done Accepted": 1, "failed Rejected": 1})
		if y.times("S00-00") != 3 || y.times("S01-00") != 3 {
			t.Error(y.asked)
		}
	})
}

// What is asked when the server stops is not asked again, unless it does no harm.
func TestAStopInTheMiddle(t *testing.T) {
	for _, again := range []bool{false, true} {
		t.Run(fmt.Sprint(again), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				folder := t.TempDir()
				y := newYard(10, 1)
				y.again = again
				for id := range y.stations {
					y.answer[id] = func(ctx context.Context, _ int) campaign.Result {
						select {
						case <-time.After(time.Minute):
							return campaign.Result{State: campaign.Done, Code: "Accepted"}
						case <-ctx.Done():
							return campaign.Result{State: campaign.Failed, Code: "cancelled"}
						}
					}
				}
				p := start(t, y, folder)
				c := p.begin(campaign.Plan{Pace: campaign.Pace{PerMinute: 6000, AtOnce: 4}})
				time.Sleep(90 * time.Second)
				p.stop()
				if n := y.askedOf(); n != 8 {
					t.Fatalf("%d asked", n)
				}
				p = start(t, y, folder)
				defer p.stop()
				time.Sleep(time.Hour)
				want := map[string]int{"done Accepted": 6, "unknown restart": 4}
				most := 1
				if again {
					want, most = map[string]int{"done Accepted": 10}, 2
				}
				p.ended(c, store.CampaignFinished, want)
				for id := range y.stations {
					if n := y.times(id); n > most {
						t.Errorf("%s was asked %d times", id, n)
					}
				}
			})
		})
	}
}

// lostRows cannot write what came of a station.
type lostRows struct{ *store.Store }

func (lostRows) EndCampaignStation(context.Context, int64, store.CampaignStation) error {
	return errors.New("no disk")
}

// After a crash between the question and what came of it nobody knows the outcome.
func TestACrashBetweenAskingAndWritingLeavesUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder, y := t.TempDir(), newYard(6, 1)
		p := start(t, y, folder, func(st *store.Store) campaign.Rows { return lostRows{st} })
		c := p.begin(campaign.Plan{Pace: campaign.Pace{PerMinute: 6000, AtOnce: 2}})
		time.Sleep(time.Minute)
		p.stop()
		if n := y.askedOf(); n != 2 {
			t.Fatalf("%d asked", n)
		}
		p = start(t, y, folder)
		defer p.stop()
		time.Sleep(time.Hour)
		p.ended(c, store.CampaignFinished, map[string]int{"done Accepted": 4, "unknown restart": 2})
		if n := y.askedOf(); n != 6 {
			t.Errorf("%d asked", n)
		}
	})
}

// A site with many stations is worked through as fast as one after the other goes.
func TestOneSiteIsNotHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(1, 50)
		p := start(t, y, t.TempDir())
		defer p.stop()
		c := p.begin(campaign.Plan{Pace: campaign.Pace{PerMinute: 6000, AtOnce: 50}})
		time.Sleep(10 * time.Second)
		p.ended(c, store.CampaignFinished, map[string]int{"done Accepted": 50})
		if n := y.most(); n != 1 {
			t.Errorf("%d at once", n)
		}
	})
}

func TestACohortIsChosen(t *testing.T) {
	y := newYard(2, 3)
	y.change("S00-00", func(x *campaign.Station) {
		x.Vendor, x.Model, x.Firmware, x.Tags, x.Protocol, x.SecurityProfile = "Volt", "Fast 150", "1.10.0", []string{"Trial"}, "ocpp2.0.1", 2
	})
	y.change("S00-01", func(x *campaign.Station) { x.Firmware, x.Online = "1.9.3", false })
	y.change("S01-02", func(x *campaign.Station) { x.InSession = true })
	no := false
	s := campaign.New(campaign.Options{Fleet: y, Kinds: []campaign.Kind{y}})
	for name, c := range map[string]struct {
		cohort campaign.Cohort
		want   string
	}{
		"everything":   {campaign.Cohort{Everything: true}, "S00-00 S01-00 S00-01 S01-01 S00-02 S01-02"},
		"a site":       {campaign.Cohort{Sites: []string{"site01"}}, "S01-00 S01-01 S01-02"},
		"a vendor":     {campaign.Cohort{Vendor: "volt"}, "S00-00"},
		"a model":      {campaign.Cohort{Model: "fast"}, "S00-00"},
		"a tag":        {campaign.Cohort{Tags: []string{"trial"}}, "S00-00"},
		"a protocol":   {campaign.Cohort{Protocols: []string{"ocpp2.0.1"}}, "S00-00"},
		"a profile":    {campaign.Cohort{SecurityProfiles: []int{2}}, "S00-00"},
		"offline":      {campaign.Cohort{Online: &no}, "S00-01"},
		"below":        {campaign.Cohort{Firmware: &campaign.Firmware{Is: "below", Version: "1.10.0"}}, "S00-01 S01-00 S00-02 S01-01 S01-02"},
		"equal":        {campaign.Cohort{Firmware: &campaign.Firmware{Is: "equal", Version: "1.9.3"}}, "S00-01"},
		"not":          {campaign.Cohort{Sites: []string{"site00"}, Firmware: &campaign.Firmware{Is: "not", Version: "1.2"}}, "S00-00 S00-01"},
		"some by name": {campaign.Cohort{Stations: []string{"S01-02", "S00-02", "S00-02", "NOWHERE"}}, "S00-02 S01-02"},
	} {
		got, err := s.Preview(t.Context(), anybody(), campaign.Plan{Kind: "test", Cohort: c.cohort})
		if err != nil || strings.Join(got.Examples, " ") != c.want {
			t.Errorf("%s: %v %v", name, got, err)
			continue
		}
		if name == "some by name" && (len(got.LeftOut) != 1 || got.LeftOut[0].Reason != "notFound" || got.LeftOut[0].Count != 1 || got.InSession != 1) {
			t.Errorf("%+v", got)
		}
	}
	some := campaign.By{Actor: "u-2", Sees: func(string) bool { return true }, May: func(site string) bool { return site == "site01" }}
	got, err := s.Preview(t.Context(), some, campaign.Plan{Kind: "test", Cohort: campaign.Cohort{Everything: true}})
	if err != nil || got.Stations != 3 || len(got.LeftOut) != 1 || got.LeftOut[0].Reason != "notPermitted" || got.LeftOut[0].Count != 3 {
		t.Errorf("%+v %v", got, err)
	}
	for name, plan := range map[string]campaign.Plan{
		"no kind":   {Kind: "none", Cohort: campaign.Cohort{Everything: true}},
		"no cohort": {Kind: "test"},
		"no window": {Kind: "test", Cohort: campaign.Cohort{Everything: true}, Window: &campaign.Window{From: "22:00", To: "22:00"}},
		"no number": {Kind: "test", Cohort: campaign.Cohort{Everything: true}, Retries: -1},
		"control":   {Kind: "test", Cohort: campaign.Cohort{Everything: true}, Name: "a\nb"},
		"too much":  {Kind: "test", Cohort: campaign.Cohort{Everything: true}, Params: json.RawMessage(`"` + strings.Repeat("x", 65<<10) + `"`)},
	} {
		var bad *store.InvalidError
		if _, err := s.Preview(t.Context(), anybody(), plan); !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMoreThanWasConfirmedIsNotStarted(t *testing.T) {
	y := newYard(2, 3)
	s := campaign.New(campaign.Options{Fleet: y, Kinds: []campaign.Kind{y}})
	var bad *store.InvalidError
	if _, err := s.Start(t.Context(), anybody(), campaign.Plan{Kind: "test", Cohort: campaign.Cohort{Everything: true}, Expect: 5}); !errors.As(err, &bad) || bad.Field != "expect" {
		t.Error(err)
	}
	if _, err := s.Start(t.Context(), anybody(), campaign.Plan{Kind: "test", Cohort: campaign.Cohort{Vendor: "nobody"}}); !errors.As(err, &bad) || bad.Field != "cohort" {
		t.Error(err)
	}
}

func TestALateAnswerCorrectsWhatNobodyKnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(4, 1)
		unknown := func(command string) campaign.Result {
			return campaign.Result{State: campaign.Unknown, Code: "timeout", Command: command}
		}
		said := campaign.Result{State: campaign.Done, Code: "Accepted"}
		var p *plant
		y.answer["S00-00"] = always(unknown("one"))
		y.answer["S01-00"] = always(unknown("two"))
		y.answer["S02-00"] = func(ctx context.Context, _ int) campaign.Result {
			if err := p.Late(ctx, "S02-00", "three", said); err != nil { // before anybody wrote down that it had not answered
				t.Error(err)
			}
			return unknown("three")
		}
		y.change("S03-00", func(x *campaign.Station) { x.Online = false })
		p = start(t, y, t.TempDir())
		defer p.stop()
		c := p.begin(campaign.Plan{Pace: quick(), StopOn: campaign.StopOn{Failed: 3}})
		time.Sleep(time.Minute)
		p.ended(c, store.CampaignRunning, map[string]int{"done Accepted": 1, "unknown timeout": 2, "waiting offline": 1})
		for _, x := range []struct {
			station, command string
			said             campaign.Result
		}{
			{"S00-00", "one", said},
			{"S01-00", "two", campaign.Result{State: campaign.Failed, Code: "Rejected"}},
			{"S00-00", "one", campaign.Result{State: campaign.Failed, Code: "Rejected"}}, // it answers once
			{"S03-00", "of somebody else", said},
		} {
			if err := p.Late(t.Context(), x.station, x.command, x.said); err != nil {
				t.Error(err)
			}
		}
		p.ended(c, store.CampaignRunning, map[string]int{"done Accepted": 2, "failed Rejected": 1, "waiting offline": 1})
	})
}
