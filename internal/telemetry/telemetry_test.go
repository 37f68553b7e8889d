package telemetry

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/telemetry/block"
	"github.com/chargewatch/chargewatch/internal/telemetry/telemetrytest"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func openStore(t testing.TB, o Options) *Store {
	t.Helper()
	if o.Folder == "" {
		o.Folder = t.TempDir()
	}
	s, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil && !strings.Contains(err.Error(), "closed") {
			t.Error(err)
		}
	})
	return s
}

// meter is an event about one port with its samples at one moment.
func meter(p Port, at time.Time, samples ...event.Sample) *event.Event {
	return &event.Event{
		Subject: event.Port(p.Station, p.EVSE, 1), At: at, ReceivedAt: at, RecordedAt: at,
		Body: &event.Meter{Samples: event.Samples{{At: at, Values: samples}}},
	}
}

func watt(v float64) event.Sample { return event.Sample{Measurand: powerImport, Value: v} }

func consume(t testing.TB, s *Store, events ...*event.Event) {
	t.Helper()
	if err := s.Consume(t.Context(), events, fmt.Sprint(len(events))); err != nil {
		t.Fatal(err)
	}
}

// story is what was measured, as events in no particular order.
type story struct {
	events []*event.Event
	ports  []Port
	from   time.Time
	to     time.Time
}

func drawStory(t *rapid.T) story {
	st := story{
		ports: []Port{{"A", 1}, {"A", 2}, {"B", 0}},
		from:  noon.Add(-60 * time.Hour), to: noon.Add(12 * time.Hour),
	}
	quantities := []event.Sample{
		{Measurand: powerImport}, {Measurand: powerImport, Phase: "L1"}, {Measurand: powerImport, Phase: "L2"},
		{Measurand: powerImport, Phase: "L1-N"}, {Measurand: powerImport, Location: "Inlet"},
		{Measurand: energyRegister}, {Measurand: energyRegister, Location: "Outlet"},
		{Measurand: "Voltage", Phase: "L1-N"}, {Measurand: "Voltage", Phase: "L2-N"},
		{Measurand: "Current.Import"}, {Measurand: "Temperature", Unit: "Fahrenheit"}, {Measurand: "Vendor.Own", Phase: "L7"},
	}
	// A few busy hours and any time at all, so that blocks grow and meet.
	for range rapid.IntRange(1, 60).Draw(t, "events") {
		p := rapid.SampledFrom(st.ports).Draw(t, "port")
		e := meter(p, time.Time{})
		groups := event.Samples{}
		for range rapid.IntRange(1, 3).Draw(t, "groups") {
			hour := rapid.IntRange(0, 71).Draw(t, "hour")
			second := rapid.IntRange(0, 359).Draw(t, "second") * 10
			at := st.from.Add(time.Duration(hour)*time.Hour + time.Duration(second)*time.Second)
			g := event.SampleGroup{At: at}
			for range rapid.IntRange(1, 5).Draw(t, "values") {
				q := rapid.SampledFrom(quantities).Draw(t, "quantity")
				q.Value = rapid.OneOf(rapid.Map(rapid.IntRange(-20, 400_000), func(n int) float64 { return float64(n) / 10 }),
					rapid.Float64Range(-1e12, 1e12)).Draw(t, "value")
				g.Values = append(g.Values, q)
			}
			groups = append(groups, g)
			e.At = at
		}
		e.RecordedAt = st.to
		e.Body = &event.Meter{Samples: groups}
		if rapid.Bool().Draw(t, "transaction") {
			e.Body = &event.Transaction{Stage: event.TransactionUpdated, Samples: groups}
		}
		st.events = append(st.events, e)
	}
	return st
}

// model is the plain truth: the larger of two claims for a moment.
func (st story) model() map[Port]map[block.Key]map[int64]float64 {
	m := map[Port]map[block.Key]map[int64]float64{}
	for _, e := range st.events {
		p := Port{e.Subject.ID, e.Subject.EVSE}
		var samples event.Samples
		switch b := e.Body.(type) {
		case *event.Meter:
			samples = b.Samples
		case *event.Transaction:
			samples = b.Samples
		}
		for at, v := range samples.All() {
			k := block.Key{Measurand: v.Measurand, Phase: v.Phase, Location: strings.TrimPrefix(v.Location, "Outlet"), Unit: v.Unit}
			if m[p] == nil {
				m[p] = map[block.Key]map[int64]float64{}
			}
			if m[p][k] == nil {
				m[p][k] = map[int64]float64{}
			}
			ms := at.UnixMilli()
			if old, ok := m[p][k][ms]; !ok || v.Value > old {
				m[p][k][ms] = v.Value
			}
		}
	}
	return m
}

// answers asks everything there is to ask.
func answers(t *rapid.T, s *Store, st story) map[string]any {
	ctx := context.Background()
	out := map[string]any{}
	keep := func(name string, v any, err error) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = v
	}
	for _, p := range st.ports {
		name := fmt.Sprint(p)
		columns, err := s.Columns(ctx, p, st.from, st.to)
		keep("columns "+name, columns, err)
		hours, err := s.Hours(ctx, p, st.from, st.to)
		keep("hours "+name, hours, err)
		days, err := s.Days(ctx, []Port{p}, st.from, st.to)
		keep("days "+name, days, err)
		for _, m := range []string{powerImport, energyRegister, "Voltage", "Temperature"} {
			for _, phase := range []string{"", "L1-N"} {
				for _, step := range []time.Duration{0, 10 * time.Minute} {
					series, err := s.Range(ctx, Query{Port: p, Measurand: m, Phase: phase, From: st.from, To: st.to, Step: step})
					keep(fmt.Sprint("range ", name, m, phase, step), series, err)
				}
			}
			latest, err := s.Latest(ctx, p, m, "", st.from, st.to, 7)
			keep("latest "+name+m, latest, err)
		}
	}
	power, err := s.Power(ctx, st.ports, st.from, st.to, time.Minute)
	keep("power", power, err)
	return out
}

func TestAnswersDependOnlyOnWhatWasMeasured(t *testing.T) {
	ctx := t.Context()
	rapid.Check(t, func(t *rapid.T) {
		st := drawStory(t)
		now := noon.Add(-20 * time.Hour) // amid the story: the running hour has data
		dir, err := os.MkdirTemp("", "telemetry")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		open := func(sub string) *Store {
			folder := filepath.Join(dir, sub)
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			s, err := Open(ctx, Options{Folder: folder, SealPorts: 2, Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}

		plain := open("plain")
		must(plain.Consume(ctx, st.events, "end"))
		want := answers(t, plain, st)
		must(plain.Close(ctx))

		// Any order, any repeats, in any batches, with seals and restarts between.
		order := rapid.Permutation(st.events).Draw(t, "order")
		for range rapid.IntRange(0, 10).Draw(t, "repeats") {
			order = append(order, rapid.SampledFrom(st.events).Draw(t, "repeat"))
		}
		s := open("shuffled")
		for len(order) > 0 {
			n := rapid.IntRange(1, len(order)).Draw(t, "batch")
			must(s.Consume(ctx, order[:n], "c"))
			order = order[n:]
			switch rapid.IntRange(0, 5).Draw(t, "then") {
			case 0:
				must(s.Seal(ctx))
			case 1:
				now = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "minutes")) * time.Minute)
				must(s.Tick(ctx, now))
			case 2:
				must(s.Close(ctx))
				s = open("shuffled")
			case 3: // as by kill -9: nothing is drained
				must(s.db.close())
				s = open("shuffled")
			}
		}
		compare(t, want, answers(t, s, st))
		must(s.Seal(ctx))
		compare(t, want, answers(t, s, st))
		checkModel(t, s, st)
		report, err := s.Verify(ctx)
		must(err)
		if len(report.Faults) > 0 {
			t.Fatalf("verify: %v", report.Faults)
		}
		must(s.Close(ctx))
	})
}

func compare(t *rapid.T, want, got map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !reflect.DeepEqual(want[name], got[name]) {
			t.Fatalf("%s:\n got %s\nwant %s", name, show(got[name]), show(want[name]))
		}
	}
}

// show follows the pointers of headers.
func show(v any) string {
	var b strings.Builder
	num := func(p *float64) string {
		if p == nil {
			return "-"
		}
		return fmt.Sprint(*p)
	}
	switch v := v.(type) {
	case []Hour:
		for _, h := range v {
			fmt.Fprintf(&b, "%s n=%d %s..%s wh=%s max=%s mean=%s minutes=%d busy=%d; ", h.Start.Format(time.RFC3339), h.Samples,
				num(h.FirstWh), num(h.LastWh), num(h.Wh), num(h.MaxW), num(h.MeanW), h.Minutes, h.Busy)
		}
	case []Day:
		for _, d := range v {
			fmt.Fprintf(&b, "%s n=%d wh=%s max=%s minutes=%d busy=%d; ", d.Day.Format(time.DateOnly), d.Samples, num(d.Wh), num(d.MaxW), d.Minutes, d.Busy)
		}
	default:
		fmt.Fprint(&b, v)
	}
	return b.String()
}

// checkModel compares each column, phase by phase, with the plain truth.
func checkModel(t *rapid.T, s *Store, st story) {
	for p, columns := range st.model() {
		for k, values := range columns {
			if k.Phase == "" {
				continue // the whole: see TestPhasesMakeAWhole
			}
			series, err := s.Range(context.Background(), Query{Port: p, Measurand: k.Measurand, Phase: k.Phase,
				Location: cmp.Or(k.Location, "Outlet"), From: st.from, To: st.to})
			if err != nil {
				t.Fatal(err)
			}
			got := map[int64]float64{}
			for _, pt := range series.Points {
				got[pt.At.UnixMilli()] = pt.Mean
			}
			if !maps.Equal(got, values) {
				t.Fatalf("%v %v:\n got %v\nwant %v", p, k, got, values)
			}
		}
	}
}

func TestACrashAtAnyStepLosesAndDoublesNothing(t *testing.T) {
	ctx := t.Context()
	w := telemetrytest.New(telemetrytest.Options{Stations: 6, Busy: 0.5})
	var batches [][]*event.Event
	var all []*event.Event
	for range 3 * 60 { // a minute each
		b := w.Step(w.Step(nil))
		batches = append(batches, b)
		all = append(all, b...)
	}
	st := story{events: all, from: w.Now().Add(-3 * time.Hour), to: w.Now()}
	for i := range 6 {
		st.ports = append(st.ports, Port{telemetrytest.StationID(i), 1}, Port{telemetrytest.StationID(i), 2})
	}
	now := st.from
	clock := func() time.Time { return now }
	source := func(s *Store, from int) error {
		for i := from; i < len(batches); i++ {
			if err := s.Consume(ctx, batches[i], fmt.Sprint(i+1)); err != nil {
				return err
			}
			now = st.from.Add(time.Duration(i+1) * time.Minute)
			if i%10 == 9 {
				if err := s.Tick(ctx, now); err != nil {
					return err
				}
			}
		}
		return nil
	}
	intact := openStore(t, Options{Now: clock})
	if err := source(intact, 0); err != nil {
		t.Fatal(err)
	}
	if st := intact.Stats(); st.Blocks == 0 {
		t.Fatal("nothing was sealed on the way")
	}
	rapid.Check(t, func(t *rapid.T) {
		want := answers(t, intact, st)
		dir, err := os.MkdirTemp("", "telemetry")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		steps := rapid.IntRange(1, 250).Draw(t, "steps until the crash")
		s, err := Open(ctx, Options{Folder: dir, Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		copied := filepath.Join(dir, "copy")
		s.crash = func(string) {
			if steps--; steps == 0 {
				copyFiles(t, dir, copied)
			}
		}
		if err := source(s, 0); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(ctx); err != nil {
			t.Fatal(err)
		}
		if steps > 0 {
			return
		}
		after, err := Open(ctx, Options{Folder: copied, Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		defer after.Close(ctx)
		from := 0
		if _, err := fmt.Sscan(after.Cursor(), &from); err != nil {
			t.Fatalf("cursor %q: %v", after.Cursor(), err)
		}
		if err := source(after, from); err != nil {
			t.Fatal(err)
		}
		compare(t, want, answers(t, after, st))
	})
}

func copyFiles(t *rapid.T, from, to string) {
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(filepath.Join(from, FileName+suffix))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, FileName+suffix), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// replay is a journal of given batches.
type replay [][]*event.Event

func (r replay) Subscribe(ctx context.Context, from string) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		start := 0
		fmt.Sscan(from, &start)
		for i := start; i < len(r); i++ {
			if !yield(Batch{Events: r[i], Next: fmt.Sprint(i + 1)}, nil) {
				return
			}
		}
		<-ctx.Done()
	}
}

// reach waits until Run has consumed the first n batches.
func reach(t *testing.T, s *Store, n int, done <-chan error) {
	t.Helper()
	for n > 0 && s.Cursor() != fmt.Sprint(n) {
		select {
		case err := <-done:
			t.Fatalf("Run ended at %q: %v", s.Cursor(), err)
		case <-time.After(time.Millisecond):
		}
	}
}

func TestRunResumesWhereItStopped(t *testing.T) {
	w := telemetrytest.New(telemetrytest.Options{Stations: 4, Busy: 0.6})
	rng := rand.New(rand.NewPCG(1, 2))
	var all replay
	samples := 0
	for range 400 {
		b := w.Step(nil)
		for _, e := range b {
			samples += len(e.Body.(*event.Meter).Samples[0].Values)
		}
		all = append(all, b)
	}
	dir := t.TempDir()
	for part := 0; part < len(all); part += 1 + rng.IntN(150) {
		s := openStore(t, Options{Folder: dir})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx, all[:part]) }()
		reach(t, s, part, done)
		stop()
		<-done
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s := openStore(t, Options{Folder: dir})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, all) }()
	reach(t, s, len(all), done)
	stop()
	if err := <-done; err != context.Canceled {
		t.Errorf("Run ended with %v", err)
	}
	if err := s.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	report, err := s.Verify(t.Context())
	if err != nil || report.Samples != samples || len(report.Faults) > 0 {
		t.Errorf("%d samples in blocks, measured %d; %v %v", report.Samples, samples, report.Faults, err)
	}
	if m := s.Sealed(); m.Cursor != fmt.Sprint(len(all)) {
		t.Errorf("sealed up to %+v of %d", m, len(all))
	}
}
