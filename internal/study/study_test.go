package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/planning/demand"
	"github.com/chargewatch/chargewatch/internal/planning/expand"
	"github.com/chargewatch/chargewatch/internal/planning/simulate"
	"github.com/chargewatch/chargewatch/internal/seal"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// office is a desk on a real store.
type office struct {
	*Desk
	t     *testing.T
	store *store.Store
	sites *town
}

// town is what is known of two sites.
type town struct {
	mu    sync.Mutex
	asked int
	hold  chan struct{} // what is known comes when it is closed
}

func (w *town) Names() []string { return []string{"busy", "empty"} }

func (w *town) Known(ctx context.Context, site string) (expand.Site, error) {
	w.mu.Lock()
	w.asked++
	hold := w.hold
	w.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return expand.Site{}, ctx.Err()
		}
	}
	begin := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	in := demand.Input{Zone: time.UTC, From: begin, To: begin.AddDate(0, 0, 56)}
	out := expand.Site{Now: in.To}
	if site == "gone" {
		return out, ErrNoSite
	}
	s := simulate.NewStream(1, 2, 3)
	for h := range 56 * 24 {
		at := begin.Add(time.Duration(h) * time.Hour)
		in.Points = append(in.Points, rollup.Point{From: at, Ports: 2})
		if site == "busy" && h%24 > 7 && h%24 < 20 {
			for port := range 2 {
				if s.Float() < 0.8 {
					in.Sessions = append(in.Sessions, rollup.Session{Station: "S", EVSE: port + 1, Start: at, End: at.Add(time.Duration((0.3 + 0.6*s.Float()) * float64(time.Hour))), EnergyWh: 15000, PeakW: 40000})
				}
			}
		}
	}
	in.Ports = demand.Ports([]demand.Known{{Station: "S", EVSE: 1, PowerW: 50000, DC: true}, {Station: "S", EVSE: 2, PowerW: 50000, DC: true}}, in.Sessions)
	out.Input = in
	return out, nil
}

func newOffice(t *testing.T, folder string) *office {
	t.Helper()
	coredbtest.In(t, folder)
	db, err := coredb.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	log, err := sqlite.Open(t.Context(), sqlite.Options{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	box, err := seal.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), store.Options{DB: db, Journal: log, Box: box})
	if err != nil {
		t.Fatal(err)
	}
	sites := &town{}
	return &office{Desk: New(Options{Rows: st, Sites: sites, Rest: 0.001}), t: t, store: st, sites: sites}
}

// open runs the desk until the returned function is called.
func (o *office) open() (closed func()) {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := o.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			o.t.Error(err)
		}
	})
	closed = sync.OnceFunc(func() { stop(); running.Wait() })
	o.t.Cleanup(closed)
	return closed
}

func (o *office) ask(site string) *store.Study {
	o.t.Helper()
	q := expand.Question{Site: site, Scenarios: []expand.Scenario{{AddPorts: 1}}}
	if faults := q.Check(); len(faults) > 0 {
		o.t.Fatal(faults)
	}
	x, err := o.Ask(o.t.Context(), store.System, q, false)
	if err != nil {
		o.t.Fatal(err)
	}
	return x
}

func (o *office) wait(id string) *store.Study {
	o.t.Helper()
	ctx, done := context.WithTimeout(o.t.Context(), 30*time.Second)
	defer done()
	x, err := o.Wait(ctx, id)
	if err != nil {
		o.t.Fatal(err)
	}
	return x
}

func TestQuestionsAreAnswered(t *testing.T) {
	t.Parallel()
	o := newOffice(t, t.TempDir())
	first, none, lost := o.ask("busy"), o.ask("empty"), o.ask("gone")
	o.open()
	x := o.wait(first.ID)
	var r expand.Result
	if x.State != store.StudyFinished || json.Unmarshal(x.Result, &r) != nil || !r.Enough || len(r.Outcomes) != 2 {
		t.Fatalf("state %s, %d outcomes", x.State, len(r.Outcomes))
	}
	if m := r.Outcomes[1].MoreServed; m == nil || m.Mean < 0 || math.IsNaN(m.High) {
		t.Errorf("one more port brings %+v", m)
	}
	x = o.wait(none.ID)
	r = expand.Result{}
	if x.State != store.StudyFinished || json.Unmarshal(x.Result, &r) != nil || r.Enough {
		t.Errorf("an empty site: state %s, enough %v", x.State, r.Enough)
	}
	if x = o.wait(lost.ID); x.State != store.StudyFailed || x.Problem != "the site is not there any more" {
		t.Errorf("a site that is gone: %s %q", x.State, x.Problem)
	}
	if err := o.Cancel(t.Context(), store.System, first.ID); !errors.Is(err, store.ErrInUse) {
		t.Errorf("what is finished is cancelled: %v", err)
	}
	newest, err := o.store.NewestStudy(t.Context(), Plan, "busy")
	if err != nil || newest.ID != first.ID {
		t.Errorf("newest %v, %v", newest, err)
	}
}

func TestAStudyIsCancelled(t *testing.T) {
	t.Parallel()
	o := newOffice(t, t.TempDir())
	o.sites.hold = make(chan struct{})
	first, second := o.ask("busy"), o.ask("busy")
	o.open()
	for {
		if _, running := o.Progress(first.ID); running {
			break
		}
		time.Sleep(time.Millisecond)
	}
	for _, x := range []*store.Study{second, first} {
		if err := o.Cancel(t.Context(), store.System, x.ID); err != nil {
			t.Fatal(err)
		}
		if got := o.wait(x.ID); got.State != store.StudyCancelled {
			t.Errorf("it is %s", got.State)
		}
	}
	close(o.sites.hold)
	if err := o.Again(t.Context(), store.System, second.ID); err != nil {
		t.Fatal(err)
	}
	if got := o.wait(second.ID); got.State != store.StudyFinished {
		t.Errorf("once more it is %s", got.State)
	}
	if err := o.store.DeleteStudy(t.Context(), store.System, second.ID); err != nil {
		t.Error(err)
	}
	if _, err := o.store.Study(t.Context(), second.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("it is still there: %v", err)
	}
}

// A server that stops says so of what it did not finish, and so does one that
// was killed, when it starts again.
func TestAServerStopsInTheMiddle(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	o := newOffice(t, folder)
	o.sites.hold = make(chan struct{})
	x, waits := o.ask("busy"), o.ask("busy")
	closed := o.open()
	for {
		if _, running := o.Progress(x.ID); running {
			break
		}
		time.Sleep(time.Millisecond)
	}
	closed()
	if got := o.wait(x.ID); got.State != store.StudyInterrupted {
		t.Errorf("a stop leaves it %s", got.State)
	}
	if err := o.Again(t.Context(), store.System, x.ID); err != nil {
		t.Fatal(err)
	}
	if err := o.store.StartStudy(t.Context(), waits.ID); err != nil { // killed while this ran
		t.Fatal(err)
	}
	close(o.sites.hold)
	o.open()
	if got := o.wait(x.ID); got.State != store.StudyFinished {
		t.Errorf("run again it is %s", got.State)
	}
	if got := o.wait(waits.ID); got.State != store.StudyInterrupted {
		t.Errorf("killed it is %s", got.State)
	}
}

func TestTheSameQuestionHasTheSameAnswer(t *testing.T) {
	t.Parallel()
	o := newOffice(t, t.TempDir())
	x := o.ask("busy")
	once, err := o.answer(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	again, err := o.answer(t.Context(), x)
	if err != nil || string(once) != string(again) {
		t.Errorf("it differs (%v)", err)
	}
}

func TestPlacesAndQuickAnswers(t *testing.T) {
	t.Parallel()
	o := newOffice(t, t.TempDir())
	o.open()
	ctx, done := context.WithTimeout(t.Context(), 30*time.Second)
	defer done()
	places, asOf, left := o.Ranking(ctx, []string{"busy", "empty"})
	busy, empty := places["busy"], places["empty"]
	if left != 0 || asOf.IsZero() || !busy.Enough || busy.BrokenPercent < 10 || empty.Enough || busy.Before(&empty) >= 0 {
		t.Errorf("left %d, busy %+v, empty %+v", left, busy, empty)
	}
	o.sites.mu.Lock()
	before := o.sites.asked
	o.sites.mu.Unlock()
	for range 3 {
		k, err := o.Quick(ctx, "busy")
		if err != nil || !k.Enough {
			t.Fatalf("quick: %v", err)
		}
		one, two := k.Answer(expand.Ask{PatienceMinutes: 10, PromiseMinutes: 5}), k.Answer(expand.Ask{AddPorts: 2, PatienceMinutes: 10, PromiseMinutes: 5})
		if two.BrokenPercent >= one.BrokenPercent {
			t.Errorf("two more ports: %+v after %+v", two, one)
		}
	}
	o.sites.mu.Lock()
	defer o.sites.mu.Unlock()
	if o.sites.asked != before+1 {
		t.Errorf("history was read %d times for three answers", o.sites.asked-before)
	}
}

func TestTooManyWait(t *testing.T) {
	t.Parallel()
	o := newOffice(t, t.TempDir())
	var err error
	n := 0
	for ; n < 200 && err == nil; n++ {
		_, err = o.Ask(t.Context(), store.System, expand.Question{Site: fmt.Sprint("s", n)}, true)
	}
	if !errors.Is(err, store.ErrFull) || n < 20 {
		t.Errorf("after %d questions: %v", n, err)
	}
}
