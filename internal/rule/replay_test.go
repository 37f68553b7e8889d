package rule

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// many are rules of every form.
func many() []Rule {
	var out []Rule
	add := func(r Rule, change func(*Rule)) {
		r.ID = fmt.Sprintf("r%02d", len(out))
		change(&r)
		out = append(out, r)
	}
	faulted := ordinary(`port.status == "Faulted"`)
	add(faulted, func(*Rule) {})
	add(faulted, func(r *Rule) { r.ForSeconds = 40 })
	add(faulted, func(r *Rule) { r.Count = &Count{3, 300} })
	add(faulted, func(r *Rule) { r.By = BySite; r.ClearAfterSeconds = 90 })
	add(faulted, func(r *Rule) { r.By = ByStation; r.ClearWhen = `port.status == "Charging"`; r.ClearAfterSeconds = 200 })
	add(ordinary(`!station.online`, event.KindConnected, event.KindDisconnected, event.KindServerStarted), func(r *Rule) { r.ForSeconds = 30 })
	add(ordinary(`attempt.failed`, KindAttempt), func(r *Rule) { r.Count, r.ClearWhen = &Count{2, 3600}, "!attempt.failed" })
	add(ordinary(`1 / (port.evse - 2) > 5 || port.status == "Faulted"`), func(*Rule) {})
	add(ordinary(`site.faultedPorts >= 2`), func(r *Rule) { r.By = BySite })
	return out
}

// story is a long time at some stations, the same for the same seed.
func story(b *bench, seed uint64, steps int, after func()) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	words := []string{"Available", "Preparing", "Charging", "Faulted", "Faulted", "Finishing", "Reserved"}
	for i := range 4 {
		b.station(fmt.Sprintf("S%d", i), fmt.Sprintf("site%d", i%2), 2)
	}
	for i := range steps {
		b.now = b.now.Add(time.Duration(rnd.IntN(30)) * time.Second)
		id, port := fmt.Sprintf("S%d", rnd.IntN(4)), 1+rnd.IntN(2)
		switch rnd.IntN(12) {
		case 0:
			b.say(event.Station(id), &event.Disconnected{ConnID: id + "-1", Reason: "lost"})
		case 1:
			b.say(event.Station(id), &event.Connected{ConnID: id + "-1", Protocol: "ocpp1.6"})
		case 2:
			b.say(event.Port(id, port, port), &event.Transaction{Stage: event.TransactionStarted, TransactionID: fmt.Sprint(i), TokenID: "t"})
		case 3:
			b.say(event.Port(id, port, port), &event.Transaction{Stage: event.TransactionEnded, TransactionID: fmt.Sprint(i - 1), Reason: "Local"})
		case 4:
			if rnd.IntN(10) == 0 {
				away(time.Duration(rnd.IntN(600)) * time.Second)(b)
			}
		case 5:
			b.after(time.Duration(rnd.IntN(20)) * time.Second)
		default:
			b.say(event.Port(id, port, port), status(words[rnd.IntN(len(words))]))
		}
		after()
	}
	b.after(time.Hour)
}

func TestRestartsChangeNothing(t *testing.T) {
	for seed := range uint64(4) {
		whole := newBench(t, many()...)
		story(whole, seed, 600, func() {})
		if len(whole.said) < 50 {
			t.Fatalf("the story is dull: %d findings", len(whole.said))
		}
		broken := newBench(t, many()...)
		rnd := rand.New(rand.NewPCG(seed, 2))
		rows := make(map[string][]byte)
		story(broken, seed, 600, func() {
			if rnd.IntN(20) == 0 {
				broken.restart(rows)
			}
		})
		if !slices.Equal(whole.said, broken.said) {
			for i := range min(len(whole.said), len(broken.said)) {
				if whole.said[i] != broken.said[i] {
					t.Fatalf("seed %d differs at %d: %q, want %q", seed, i, broken.said[i], whole.said[i])
				}
			}
			t.Fatalf("seed %d: %d findings, want %d", seed, len(broken.said), len(whole.said))
		}
	}
}

// restart goes on from what a checkpoint keeps.
func (b *bench) restart(rows map[string][]byte) {
	m, err := b.rules.Checkpoint(func(key string, data []byte) error {
		if rows[key] = data; data == nil {
			delete(rows, key)
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	text, err := json.Marshal(m)
	if err != nil {
		b.t.Fatal(err)
	}
	var back Meta
	if err := json.Unmarshal(text, &back); err != nil {
		b.t.Fatal(err)
	}
	was := b.rules.Statuses()
	b.rules = New(b.rules.language)
	b.rules.Restore(back)
	for key, data := range rows {
		if err := b.rules.Load(key, data); err != nil {
			b.t.Fatal(err)
		}
	}
	for i, now := range b.rules.Statuses() {
		if now.Open != was[i].Open || now.Off != was[i].Off {
			b.t.Fatalf("rule %s: %+v after a restart, was %+v", now.ID, now, was[i])
		}
	}
}

// A rule that the next version cannot compile any more ends in an orderly way.
func TestARuleThatStoppedCompiling(t *testing.T) {
	b := newBench(t, ordinary(`port.status == "Faulted"`))
	b.station("S1", "home", 1)
	b.say(event.Port("S1", 1, 1), status("Faulted"))
	rows := make(map[string][]byte)
	m, err := b.rules.Checkpoint(func(key string, data []byte) error { rows[key] = data; return nil })
	if err != nil {
		t.Fatal(err)
	}
	m.Rules[0].Where = `port.gone == "x"`
	b.rules = New(b.rules.language)
	b.rules.Restore(m)
	for key, data := range rows {
		if err := b.rules.Load(key, data); err != nil {
			t.Fatal(err)
		}
	}
	b.said = nil
	b.say(event.Port("S1", 1, 1), status("Faulted"))
	if want := []string{"cleared station/S1/1 ruleOff", "raised server/self"}; !slices.Equal(b.said, want) {
		t.Errorf("said %q, want %q", b.said, want)
	}
}

// A condition that is told again and again has one alarm, and what is gone
// leaves none for long.
func TestAlarmsAreBounded(t *testing.T) {
	r := ordinary(`port.status == "Faulted"`)
	r.ClearAfterSeconds = maxClear
	b := newBench(t, r)
	b.station("S1", "home", 1)
	for range 20_000 {
		b.now = b.now.Add(time.Second)
		b.say(event.Port("S1", 1, 1), status("Faulted"))
	}
	if n := len(b.rules.alarms); n > 2 {
		t.Errorf("%d alarms for one condition", n)
	}
	for range 20_000 {
		b.now = b.now.Add(time.Second)
		b.say(event.Port("S1", 1, 1), status("Faulted"))
		b.say(event.Port("S1", 1, 1), status("Available"))
	}
	if n := len(b.rules.alarms); n > 2*minSweep {
		t.Errorf("%d alarms of what is gone", n)
	}
}

func TestTooManyPlaces(t *testing.T) {
	r := ordinary(`port.status == "Faulted"`)
	b := newBench(t, r)
	for i := range maxStates/64 + 2 {
		id := fmt.Sprint("S", i)
		b.station(id, "home", 0)
		for port := range 64 {
			b.say(event.Port(id, port+1, 1), status("Faulted"))
		}
	}
	st := b.rules.Statuses()[0]
	if st.Off == "" || st.Open != 0 || len(b.rules.rules["r"].states) != 0 {
		t.Errorf("%+v, %d states", st, len(b.rules.rules["r"].states))
	}
}

// BenchmarkHundredRules is one event of ordinary traffic (nine in ten are
// measurements) with a hundred rules decided, of which a third follow it.
func BenchmarkHundredRules(b *testing.B) {
	where := []struct {
		on   event.Kind
		text string
	}{
		{event.KindMeter, `port.powerW < 0.3 * port.ratedW && port.socPercent < 60.0 && session.seconds > 600.0`},
		{event.KindMeter, `event.values["Temperature"] > 80.0 && station.model == "X1"`},
		{event.KindMeter, `port.current == "DC" && port.voltageV < 200.0 && station.vendor.startsWith("Ac")`},
		{event.KindStatus, `port.status == "Faulted" && event.errorCode != "NoError" && event.info.contains("relay")`},
		{event.KindStatus, `event.vendorCode.matches("^E[0-9]{3}$") && station.firmware != "1.0"`},
		{event.KindTransaction, `event.stage == "ended" && event.reason in ["EmergencyStop", "PowerLoss"]`},
		{event.KindDisconnected, `port.charging`},
		{KindAttempt, `attempt.failed && attempt.side == "charger"`},
		{event.KindBoot, `event.reason == "Watchdog"`},
		{event.KindSecurity, `event.type.startsWith("Invalid")`},
	}
	var rules []Rule
	for i := range 100 {
		w := where[i%len(where)]
		r := ordinary(w.text, w.on)
		r.ID = fmt.Sprintf("r%02d", i)
		rules = append(rules, r)
	}
	x := newBench(b, rules...)
	x.station("S1", "home", 2)
	x.say(event.Port("S1", 1, 1), &event.Transaction{Stage: event.TransactionStarted, TransactionID: "1", TokenID: "t"})
	meter := &event.Meter{TransactionID: "1", Samples: event.Samples{{Values: []event.Sample{
		{Measurand: "Power.Active.Import", Value: 40_000}, {Measurand: "SoC", Value: 55}, {Measurand: "Voltage", Value: 400}, {Measurand: "Temperature", Value: 50}}}}}
	other := []event.Body{status("Charging"), &event.Transaction{Stage: event.TransactionUpdated, TransactionID: "1"}}
	var traffic []*event.Event
	for i := range 20 {
		body := event.Body(meter)
		if i%10 == 9 {
			body = other[i/10]
		}
		e := x.event(event.Port("S1", 1, 1), body)
		x.view.Apply(e)
		traffic = append(traffic, e)
	}
	b.ReportAllocs()
	b.ResetTimer()
	var found []detect.Finding
	for i := range b.N {
		found = x.rules.Apply(&x.view.Network, traffic[i%len(traffic)], nil)
	}
	b.StopTimer()
	if len(found) > 0 {
		b.Fatalf("found %v", found)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)*1000/1e9*100, "%core@1000/s")
}
