package telemetry

import (
	"context"
	"fmt"
	"math"
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

func TestTimesFollowTheirEvent(t *testing.T) {
	p := Port{"A", 1}
	group := func(at time.Time, v float64) event.SampleGroup {
		return event.SampleGroup{At: at, Values: []event.Sample{watt(v)}}
	}
	epoch := time.Unix(100, 0).UTC()
	slow := noon.Add(-time.Hour)
	tests := map[string]struct {
		quality  event.TimeQuality
		deviceAt time.Time
		groups   event.Samples
		want     []time.Time
	}{
		"a good clock is believed": {event.TimeDevice, noon.Add(-5 * time.Hour),
			event.Samples{group(noon.Add(-6*time.Hour), 1), group(noon.Add(-5*time.Hour), 1)}, []time.Time{noon.Add(-6 * time.Hour), noon.Add(-5 * time.Hour)}},
		"no time is the event's": {event.TimeReceived, time.Time{},
			event.Samples{group(time.Time{}, 1)}, []time.Time{noon}},
		"a slow clock is corrected as its event was": {event.TimeCorrected, slow,
			event.Samples{group(slow.Add(-time.Minute), 1), group(slow.Add(-time.Second), 2)}, []time.Time{noon.Add(-time.Minute), noon.Add(-time.Second)}},
		"a clock that was not believed for the event is not for samples": {event.TimeReceived, epoch,
			event.Samples{group(epoch.Add(-time.Minute), 1), group(epoch, 2)}, []time.Time{noon.Add(-time.Minute), noon}},
		"1970 ends at the event": {event.TimeDevice, noon,
			event.Samples{group(epoch, 1), group(epoch.Add(time.Minute), 2)}, []time.Time{noon.Add(-time.Minute), noon}},
		"far ahead ends at the event": {event.TimeDevice, noon,
			event.Samples{group(noon.Add(48*time.Hour), 1)}, []time.Time{noon}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, Options{})
			e := meter(p, noon)
			e.Quality, e.DeviceAt = tc.quality, tc.deviceAt
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

func TestQuestionsEndWhereTheySay(t *testing.T) {
	p := Port{"A", 1}
	s := openStore(t, Options{})
	for m := range 180 {
		consume(t, s, meter(p, noon.Add(time.Duration(m)*time.Minute), watt(float64(m))))
		if m == 100 {
			if err := s.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	from, to := noon.Add(10*time.Minute), noon.Add(130*time.Minute)
	got, err := s.Range(t.Context(), Query{Port: p, Measurand: powerImport, From: from, To: to})
	if err != nil || len(got.Points) != 120 || got.Points[0].Mean != 10 || got.Points[119].Mean != 129 {
		t.Errorf("%d points, %v", len(got.Points), err)
	}
	latest, err := s.Latest(t.Context(), p, powerImport, "", from, to, 500)
	if err != nil || len(latest) != 120 || latest[0].Value != 129 || latest[119].Value != 10 {
		t.Errorf("latest: %d samples, %v", len(latest), err)
	}
	power, err := s.Power(t.Context(), []Port{p}, from, to, time.Minute)
	if err != nil || len(power) != 120 || power[0].W != 10 || power[119].W != 129 {
		t.Errorf("power: %d points, %v", len(power), err)
	}
	if none, err := s.Range(t.Context(), Query{Port: p, Measurand: powerImport, From: to, To: from}); err != nil || len(none.Points) != 0 {
		t.Errorf("from after to: %v, %v", none, err)
	}
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
