package telemetry

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/telemetry/block"
)

func TestPhasesMakeAWhole(t *testing.T) {
	sample := func(measurand, phase, location string, v float64) event.Sample {
		return event.Sample{Measurand: measurand, Phase: phase, Location: location, Value: v}
	}
	tests := map[string]struct {
		measurand string
		samples   []event.Sample
		want      float64
	}{
		"the overall value is preferred": {powerImport, []event.Sample{sample(powerImport, "", "", 1000), sample(powerImport, "L1", "", 400)}, 1000},
		"phases of power are summed":     {powerImport, []event.Sample{sample(powerImport, "L1", "", 400), sample(powerImport, "L2", "", 300), sample(powerImport, "L3", "", 200)}, 900},
		"L1 and L1-N are one place":      {powerImport, []event.Sample{sample(powerImport, "L1", "", 400), sample(powerImport, "L1-N", "", 401), sample(powerImport, "L2-N", "", 300)}, 700},
		"a neutral is no phase":          {powerImport, []event.Sample{sample(powerImport, "L1", "", 400), sample(powerImport, "N", "", 50)}, 400},
		"phases of voltage are averaged": {"Voltage", []event.Sample{sample("Voltage", "L1-N", "", 230), sample("Voltage", "L2-N", "", 232)}, 231},
		"line voltages when alone":       {"Voltage", []event.Sample{sample("Voltage", "L1-L2", "", 400), sample("Voltage", "L2-L3", "", 402)}, 401},
		"the outlet before the inlet":    {powerImport, []event.Sample{sample(powerImport, "", "Inlet", 5), sample(powerImport, "", "Outlet", 4)}, 4},
		"the inlet when alone":           {powerImport, []event.Sample{sample(powerImport, "", "Inlet", 5)}, 5},
		"no measurand is the register":   {energyRegister, []event.Sample{sample("", "", "", 77)}, 77},
		"minus zero is zero":             {powerImport, []event.Sample{sample(powerImport, "", "", math.Copysign(0, -1))}, 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, Options{})
			p := Port{"A", 1}
			consume(t, s, meter(p, noon, tc.samples...))
			for _, where := range []string{"tail", "block"} {
				got, err := s.Range(t.Context(), Query{Port: p, Measurand: tc.measurand, From: noon, To: noon.Add(time.Hour)})
				if err != nil || len(got.Points) != 1 || got.Points[0].Mean != tc.want || math.Signbit(got.Points[0].Mean) {
					t.Errorf("from the %s: %+v, %v; want %v", where, got.Points, err, tc.want)
				}
				if err := s.Seal(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestTimesBeyondBeliefFollowTheEvent(t *testing.T) {
	p := Port{"A", 1}
	group := func(at time.Time, v float64) event.SampleGroup {
		return event.SampleGroup{At: at, Values: []event.Sample{watt(v)}}
	}
	epoch := time.Unix(100, 0).UTC()
	tests := map[string]struct {
		groups event.Samples
		want   []time.Time
	}{
		"a good clock is believed":         {event.Samples{group(noon.Add(-5*time.Hour), 1)}, []time.Time{noon.Add(-5 * time.Hour)}},
		"no time is the event's":           {event.Samples{group(time.Time{}, 1)}, []time.Time{noon}},
		"1970 ends at the event":           {event.Samples{group(epoch, 1), group(epoch.Add(time.Minute), 2)}, []time.Time{noon.Add(-time.Minute), noon}},
		"far ahead ends at the event":      {event.Samples{group(noon.Add(48*time.Hour), 1)}, []time.Time{noon}},
		"somewhat ahead is for the source": {event.Samples{group(noon.Add(time.Hour), 1)}, []time.Time{noon.Add(time.Hour)}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, Options{})
			e := meter(p, noon)
			e.Body = &event.Meter{Samples: tc.groups}
			consume(t, s, e)
			got, err := s.Range(t.Context(), Query{Port: p, Measurand: powerImport, From: time.Unix(0, 0), To: noon.Add(100 * time.Hour)})
			if err != nil {
				t.Fatal(err)
			}
			var at []time.Time
			for _, pt := range got.Points {
				at = append(at, pt.At)
			}
			if !reflect.DeepEqual(at, tc.want) {
				t.Errorf("at %v, want %v", at, tc.want)
			}
		})
	}
}

func TestASampleHoldsUntilTheNextOrForAWhile(t *testing.T) {
	p, q := Port{"A", 1}, Port{"A", 2}
	s := openStore(t, Options{})
	minute := func(n float64) time.Time { return noon.Add(time.Duration(n * float64(time.Minute))) }
	consume(t, s,
		meter(p, minute(0), watt(1000)), meter(p, minute(0.5), watt(3000)), meter(p, minute(1), watt(2000)), meter(p, minute(1.5), watt(2000)),
		// then silence: the last sample holds for a minute
		meter(q, minute(0), watt(500)), meter(q, minute(15), watt(700)), meter(q, minute(30), watt(0)),
	)
	got, err := s.Power(t.Context(), []Port{p, q, {"unknown", 1}}, noon, noon.Add(time.Hour), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	at := map[time.Duration]PowerPoint{}
	for _, pt := range got {
		at[pt.At.Sub(noon)] = pt
	}
	for m, want := range map[int]PowerPoint{
		0: {W: 2500, Ports: 2}, 1: {W: 2500, Ports: 2}, 2: {W: 2500, Ports: 2}, 3: {W: 500, Ports: 1},
		14: {W: 500, Ports: 1}, 15: {W: 700, Ports: 1}, 30: {W: 0, Ports: 1}, 49: {W: 0, Ports: 1},
	} {
		if g := at[time.Duration(m)*time.Minute]; g.W != want.W || g.Ports != want.Ports {
			t.Errorf("minute %d: %+v, want %+v", m, g, want)
		}
	}
	if g, ok := at[55*time.Minute]; ok {
		t.Errorf("a gap answers %+v", g)
	}
}

func TestHeadersAndDays(t *testing.T) {
	p := Port{"A", 1}
	s := openStore(t, Options{})
	midnight := noon.Add(12 * time.Hour)
	register := func(at time.Time, wh float64) *event.Event {
		return meter(p, at, event.Sample{Measurand: energyRegister, Value: wh}, watt(6000))
	}
	var events []*event.Event
	// 6 kW from 23:30 to 00:30; the meter is exchanged at 00:10 and once shows nonsense.
	for m := range 60 {
		wh := 50_000 + float64(m)*100
		if m >= 40 {
			wh = 7 + float64(m-40)*100
		}
		if m == 20 {
			wh = 4e9
		}
		events = append(events, register(midnight.Add(time.Duration(m-30)*time.Minute), wh))
	}
	consume(t, s, events...)
	check := func(where string) {
		t.Helper()
		hours, err := s.Hours(t.Context(), p, midnight.Add(-time.Hour), midnight.Add(time.Hour))
		if err != nil || len(hours) != 2 {
			t.Fatalf("%s: %d hours, %v", where, len(hours), err)
		}
		if h := hours[0]; h.Samples != 60 || *h.FirstWh != 50_000 || *h.LastWh != 52_900 || *h.Wh != 2700 || *h.MaxW != 6000 || *h.MeanW != 6000 || h.Minutes != 30 || h.Busy != 30 {
			t.Errorf("%s: first hour %s", where, show(hours))
		}
		days, err := s.Days(t.Context(), []Port{p}, noon, midnight.Add(24*time.Hour))
		if err != nil || len(days) != 2 {
			t.Fatalf("%s: %d days, %v", where, len(days), err)
		}
		// The 100 Wh over midnight belong to the new day; the exchange counts nothing.
		if *days[0].Wh != 2700 || *days[1].Wh != 100+900+1900 || days[1].Busy != 31 || days[1].Minutes != 30 {
			t.Errorf("%s: %s", where, show(days))
		}
	}
	check("tail")
	if err := s.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("blocks")
}

func TestLongAnswersComeInLongerSteps(t *testing.T) {
	p := Port{"A", 1}
	s := openStore(t, Options{})
	var events []*event.Event
	for i := range 5000 {
		events = append(events, meter(p, noon.Add(time.Duration(i)*10*time.Second), watt(float64(i))))
	}
	consume(t, s, events...)
	for _, step := range []time.Duration{0, time.Second, time.Minute} {
		got, err := s.Range(t.Context(), Query{Port: p, Measurand: powerImport, From: noon, To: noon.Add(24 * time.Hour), Step: step, Points: 100})
		if err != nil {
			t.Fatal(err)
		}
		n, top := 0, 0.0
		for _, pt := range got.Points {
			n += pt.N
			top = max(top, pt.Max)
		}
		if len(got.Points) > 100 || n != 5000 || top != 4999 || got.Step < 15*time.Minute {
			t.Errorf("step %s: %d points of %s over %d samples, top %v", step, len(got.Points), got.Step, n, top)
		}
	}
}

func TestWhatIsNoNumberOrTooMuchIsDroppedAndCounted(t *testing.T) {
	p := Port{"A", 1}
	s := openStore(t, Options{})
	consume(t, s, meter(p, noon, watt(math.NaN()), watt(math.Inf(1)), watt(5)))
	var columns []event.Sample
	for i := range 2 * block.MaxColumns {
		columns = append(columns, event.Sample{Measurand: fmt.Sprintf("Flood.%03d", i), Value: 1})
	}
	consume(t, s, meter(p, noon, columns...))
	var quick []*event.Event
	for i := range 20_000 {
		quick = append(quick, meter(p, noon.Add(time.Hour+time.Duration(i)*100*time.Millisecond), watt(float64(i))))
	}
	consume(t, s, quick...)
	if err := s.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := s.Columns(t.Context(), p, noon, noon.Add(time.Minute))
	if err != nil || len(got) != block.MaxColumns {
		t.Errorf("%d columns, %v", len(got), err)
	}
	hours, err := s.Hours(t.Context(), p, noon.Add(time.Hour), noon.Add(2*time.Hour))
	if err != nil || len(hours) != 1 || hours[0].Samples > maxRows {
		t.Errorf("%s, %v", show(hours), err)
	}
	if st := s.Stats(); st.NotFinite != 2 || st.OverLimit < uint64(block.MaxColumns) {
		t.Errorf("%+v", st)
	}
}

func TestAFullTailIsSealedAheadOfTime(t *testing.T) {
	s := openStore(t, Options{TailBytes: 20_000, Now: func() time.Time { return noon }})
	for i := range 2000 {
		consume(t, s, meter(Port{fmt.Sprint("S", i%50), 1}, noon.Add(time.Duration(i)*time.Second/2), watt(float64(i))))
	}
	st := s.Stats()
	if st.TailBytes > 25_000 || st.SealedEarly == 0 || st.Samples != 2000 {
		t.Errorf("%+v", st)
	}
	n := 0
	for i := range 50 {
		got, err := s.Range(t.Context(), Query{Port: Port{fmt.Sprint("S", i), 1}, Measurand: powerImport, From: noon, To: noon.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		n += len(got.Points)
	}
	if n != 2000 {
		t.Errorf("%d of 2000 samples are found", n)
	}
}

func TestHistoryExpiresInWholeDaysWithAHorizon(t *testing.T) {
	p := Port{"A", 1}
	dir := t.TempDir()
	s := openStore(t, Options{Folder: dir, KeepFor: 3 * 24 * time.Hour, KeepDays: 5 * 24 * time.Hour})
	for d := range 10 {
		consume(t, s, meter(p, noon.Add(time.Duration(d)*24*time.Hour), watt(float64(d))))
	}
	now := noon.Add(9*24*time.Hour + 2*time.Hour)
	if err := s.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Tick(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	horizon := time.Date(2026, 6, 7, 0, 0, 0, 0, time.UTC)
	check := func() {
		t.Helper()
		if h := s.Horizon(); !h.Equal(horizon) {
			t.Errorf("horizon %v", h)
		}
		q := Query{Port: p, Measurand: powerImport, From: horizon, To: now}
		if got, err := s.Range(t.Context(), q); err != nil || len(got.Points) != 4 {
			t.Errorf("behind the horizon: %+v, %v", got, err)
		}
		q.From = horizon.Add(-time.Second)
		if _, err := s.Range(t.Context(), q); !errors.Is(err, ErrBeforeHorizon) {
			t.Errorf("before the horizon: %v", err)
		}
		days, err := s.Days(t.Context(), []Port{p}, horizon.Add(-2*24*time.Hour), now)
		if err != nil || len(days) != 6 {
			t.Errorf("days outlive curves: %d, %v", len(days), err)
		}
		if _, err := s.Days(t.Context(), []Port{p}, noon, now); !errors.Is(err, ErrBeforeHorizon) {
			t.Errorf("before the horizon of days: %v", err)
		}
	}
	check()
	consume(t, s, meter(p, noon, watt(1)))
	if st := s.Stats(); st.TooOld != 1 {
		t.Errorf("%+v", st)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, Options{Folder: dir})
	check()
}

func TestHistoryExpiresBySize(t *testing.T) {
	s := openStore(t, Options{KeepBytes: 1 << 20})
	now := noon
	for d := range 30 {
		var events []*event.Event
		for i := range 4000 {
			at := noon.Add(time.Duration(d)*24*time.Hour + time.Duration(i)*10*time.Second)
			events = append(events, meter(Port{"A", i % 3}, at, watt(math.Sqrt(float64(i*i+d))), event.Sample{Measurand: "Voltage", Value: math.Sin(float64(i))}))
		}
		consume(t, s, events...)
		now = noon.Add(time.Duration(d)*24*time.Hour + 30*time.Hour)
		if err := s.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := s.Tick(t.Context(), now); err != nil {
				t.Fatal(err)
			}
		}
	}
	used, err := s.db.usedBytes(t.Context())
	if err != nil || used > 3<<19 {
		t.Errorf("%d bytes used, %v", used, err)
	}
	if h := s.Horizon(); h.IsZero() || h.After(now.Add(-24*time.Hour)) {
		t.Errorf("horizon %v at %v", h, now)
	}
}

func TestABackupOpensAsItWas(t *testing.T) {
	p := Port{"A", 1}
	s := openStore(t, Options{})
	consume(t, s, meter(p, noon, watt(1)))
	if err := s.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	consume(t, s, meter(p, noon.Add(time.Hour), watt(2)))
	dir := t.TempDir()
	if err := s.Backup(t.Context(), filepath.Join(dir, FileName)); err != nil {
		t.Fatal(err)
	}
	consume(t, s, meter(p, noon.Add(2*time.Hour), watt(3)))
	b := openStore(t, Options{Folder: dir})
	got, err := b.Range(t.Context(), Query{Port: p, Measurand: powerImport, From: noon, To: noon.Add(5 * time.Hour)})
	if err != nil || len(got.Points) != 2 || b.Cursor() != "1" {
		t.Errorf("%+v, cursor %q, %v", got, b.Cursor(), err)
	}
	if err := s.Backup(t.Context(), filepath.Join(dir, FileName)); err == nil {
		t.Error("a backup wrote over an existing file")
	}
}

func TestDamageIsSkippedCountedAndNamed(t *testing.T) {
	p := Port{"A", 1}
	dir := t.TempDir()
	s := openStore(t, Options{Folder: dir})
	for h := range 3 {
		consume(t, s, meter(p, noon.Add(time.Duration(h)*time.Hour), watt(1)))
	}
	if err := s.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	consume(t, s, meter(p, noon.Add(time.Minute), watt(4)))
	if _, err := s.db.write.Exec(`UPDATE block SET data = substr(data, 1, 5) || x'ff' || substr(data, 7) WHERE hour = ?`, noon.Unix()/3600+1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.write.Exec(`INSERT INTO hot(seq, cursor, data) VALUES(1, '', x'0102')`); err != nil {
		t.Fatal(err)
	}
	r, err := s.Verify(t.Context())
	if err != nil || len(r.Faults) != 2 || r.Faults[0].Port != p || !r.Faults[0].Hour.Equal(noon.Add(time.Hour)) || !errors.Is(r.Faults[0].Err, block.ErrCorrupt) {
		t.Errorf("%+v, %v", r, err)
	}
	got, err := s.Range(t.Context(), Query{Port: p, Measurand: powerImport, From: noon, To: noon.Add(5 * time.Hour)})
	if err != nil || len(got.Points) != 3 || s.Stats().Corrupt != 1 {
		t.Errorf("%+v, %v, %+v", got, err, s.Stats())
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, Options{Folder: dir})
	if got, err := s.Latest(t.Context(), p, powerImport, "", noon, noon.Add(time.Hour), 1); err != nil || len(got) != 1 || got[0].Value != 4 {
		t.Errorf("the rest of the tail: %v, %v", got, err)
	}
}

func TestAFailedCommitStoresNothingAndRepeats(t *testing.T) {
	p := Port{"A", 1}
	s := openStore(t, Options{})
	consume(t, s, meter(p, noon, watt(1)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e := meter(Port{"B", 1}, noon, watt(2))
	if err := s.Consume(ctx, []*event.Event{e}, "later"); err == nil {
		t.Fatal("a cancelled transaction passed")
	}
	if c := s.Cursor(); c != "1" {
		t.Errorf("cursor %q", c)
	}
	if err := s.Consume(t.Context(), []*event.Event{e}, "later"); err != nil {
		t.Fatal(err)
	}
	got, err := s.Power(t.Context(), []Port{p, {"B", 1}}, noon, noon.Add(time.Minute), time.Minute)
	if err != nil || len(got) != 1 || got[0].W != 3 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestSealedFollowsTheOldestOpenHour(t *testing.T) {
	now := noon
	s := openStore(t, Options{Now: func() time.Time { return now }})
	at := func(n int, seq uint64, p Port) *event.Event {
		e := meter(p, noon.Add(time.Duration(n)*time.Minute), watt(float64(n)))
		e.Seq = seq
		return e
	}
	step := func(cursor string, e ...*event.Event) {
		t.Helper()
		if err := s.Consume(t.Context(), e, cursor); err != nil {
			t.Fatal(err)
		}
	}
	step("a", at(0, 1, Port{"A", 1}))
	step("b", at(61, 2, Port{"B", 1}))
	step("c", at(62, 3, Port{"A", 1}))
	if err := s.Tick(t.Context(), noon.Add(119*time.Minute+59*time.Second)); err != nil {
		t.Fatal(err)
	}
	if m := s.Sealed(); m.Cursor == "b" || m.Cursor == "c" {
		t.Errorf("sealed %+v while the hour runs", m)
	}
	for m := range 61 {
		if err := s.Tick(t.Context(), noon.Add(time.Duration(120+m)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if m := s.Sealed(); m != (Mark{"c", 3}) {
		t.Errorf("sealed %+v", m)
	}
	step("d", &event.Event{Seq: 4, Subject: event.Station("A"), Body: &event.Status{Status: "Available"}})
	if err := s.Tick(t.Context(), noon.Add(4*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if m := s.Sealed(); m != (Mark{"d", 4}) {
		t.Errorf("with an empty tail sealed %+v", m)
	}
}

func TestReadersSeeEverythingWhileBlocksAreSealed(t *testing.T) {
	p := Port{"A", 1}
	s := openStore(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	var mu sync.Mutex
	written := 0
	for range 3 {
		readers.Go(func() {
			for ctx.Err() == nil {
				mu.Lock()
				atLeast := written
				mu.Unlock()
				got, err := s.Range(t.Context(), Query{Port: p, Measurand: powerImport, From: noon, To: noon.Add(48 * time.Hour)})
				if err != nil || len(got.Points) < atLeast {
					t.Errorf("%d points of at least %d, %v", len(got.Points), atLeast, err)
					return
				}
			}
		})
	}
	for i := range 400 {
		consume(t, s, meter(p, noon.Add(time.Duration(i)*5*time.Minute), watt(float64(i))))
		mu.Lock()
		written++
		mu.Unlock()
		if i%3 == 0 {
			if err := s.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	cancel()
	readers.Wait()
}

func TestAFileOfANewerVersionIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, Options{Folder: dir})
	if _, err := s.db.write.Exec(`INSERT INTO goose_db_version(version_id, is_applied) VALUES(99999, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Folder: dir}); !errors.Is(err, ErrNewer) {
		t.Errorf("opened: %v", err)
	}
	if _, err := Open(t.Context(), Options{Folder: filepath.Join(os.DevNull, "x")}); err == nil {
		t.Error("opened below a file")
	}
}
