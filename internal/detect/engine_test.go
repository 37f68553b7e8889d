package detect_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/detect/health"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/knowledge"
)

// noise writes days in which stations say all they can, in order and out of it.
func noise(seed uint64, n int) []*event.Event {
	r := rand.New(rand.NewPCG(seed, 1))
	now := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	var out []*event.Event
	add := func(subject event.Subject, at time.Time, b event.Body) {
		out = append(out, &event.Event{Seq: uint64(len(out) + 1), Subject: subject, At: at, ReceivedAt: now, RecordedAt: now, Body: b})
	}
	ids := []string{"A", "B", "C", "D", "E"}
	for i, id := range ids {
		add(event.Station(id), now, &event.StationConfigured{
			SiteID: "s" + pick("1", "2"), Onboarding: event.OnboardingAccepted,
			Layout: []event.EVSELayout{{EVSE: 1, Current: pick("AC", "DC"), RatedW: 50_000, Group: "g"}, {EVSE: 2, Current: "DC", RatedW: 150_000, Group: "g"}},
		})
		add(event.Station(id), now, &event.Connected{ConnID: id, Protocol: []string{"ocpp1.6", "ocpp2.0.1"}[i%2]})
	}
	open := make(map[string]string) // transaction by port
	wh := make(map[string]float64)
	sample := func(at time.Time, key string) event.Samples {
		wh[key] += float64(r.IntN(3000))
		return event.Samples{{At: at, Values: []event.Sample{
			{Measurand: "Energy.Active.Import.Register", Value: wh[key]}, {Measurand: "Power.Active.Import", Value: float64(r.IntN(150_000))},
			{Measurand: "Power.Offered", Value: 150_000}, {Measurand: "Temperature", Value: float64(r.IntN(120))}, {Measurand: "SoC", Value: float64(r.IntN(100))},
			{Measurand: "Current.Import", Phase: "L1", Value: float64(r.IntN(32))}, {Measurand: "Current.Import", Phase: "L2", Value: float64(r.IntN(32))},
			{Measurand: "Voltage", Phase: "L1", Value: 200 + float64(r.IntN(50))}, {Measurand: "Voltage", Phase: "L2", Value: 230},
		}}}
	}
	for range n {
		now = now.Add(time.Duration(r.IntN(1200)) * time.Second / time.Duration(1+r.IntN(20)))
		at := now
		if r.IntN(40) == 0 {
			at = now.Add(-time.Hour)
		}
		id, evse := pick(ids...), 1+r.IntN(2)
		key := fmt.Sprint(id, evse)
		port, station := event.Port(id, evse, 1), event.Station(id)
		token := pick("", "anna", "bert", "cleo")
		switch r.IntN(26) {
		case 0, 1, 2, 3, 4, 5:
			add(port, at, &event.Status{
				Status:    pick("Available", "Available", "Preparing", "Charging", "Occupied", "SuspendedEV", "SuspendedEVSE", "Finishing", "Faulted", "Unavailable", "Reserved"),
				ErrorCode: pick("NoError", "NoError", "NoError", "GroundFailure", "InternalError", "ConnectorLockFailure"), VendorErrorCode: pick("", "", "CX017", "E1"),
			})
		case 6:
			add(event.Station(id), at, &event.Status{Status: pick("Available", "Unavailable", "Faulted"), ErrorCode: "NoError"})
		case 7, 8, 9:
			if open[key] == "" {
				open[key] = fmt.Sprint("t", len(out))
				add(port, at, &event.Transaction{Stage: event.TransactionStarted, TransactionID: open[key], TokenID: token, MeterWh: new(wh[key])})
			} else {
				add(port, at, &event.Transaction{Stage: event.TransactionEnded, TransactionID: open[key], MeterWh: new(wh[key]), Reason: pick("Local", "EVDisconnected", "EmergencyStop", "Other", "PowerLoss")})
				open[key] = ""
			}
		case 10, 11, 12, 13, 14:
			if open[key] != "" {
				add(port, at, &event.Meter{TransactionID: open[key], Samples: sample(at, key)})
			}
		case 15, 16:
			add(station, at, &event.Authorize{TokenID: token, Status: pick("Accepted", "Accepted", "Invalid")})
		case 17:
			add(station, at, &event.Disconnected{ConnID: id, Reason: "connection lost"})
		case 18, 19:
			add(station, at, &event.Connected{ConnID: id, Protocol: pick("ocpp1.6", "ocpp2.0.1")})
		case 20:
			add(station, at, &event.Boot{Vendor: "V", Model: pick("M", "N"), Firmware: pick("1", "2"), ICCID: "89492000000000000001", Status: "Accepted"})
		case 21:
			add(station, at, &event.Component{Items: []event.ComponentEvent{{
				Component: pick("PowerContactor", "Connector", "CoolingSystem"), Variable: pick("Problem", "Tripped", "Temperature", "Count", "AvailabilityState"), EVSE: evse, Connector: 1,
				Value: pick("true", "false", "90", "Faulted", "Available"), Trigger: pick("Delta", "Alerting"), Severity: new(r.IntN(9)), Cleared: r.IntN(3) == 0, TechCode: pick("", "weld"),
			}}})
		case 22:
			add(station, at, &event.Command{CommandID: fmt.Sprint("c", len(out)), Action: pick("Reset", "ChangeAvailability", "UnlockConnector", "SetChargingProfile"),
				Payload: json.RawMessage(fmt.Sprintf(`{"connectorId":%d,"type":%q}`, evse, pick("Operative", "Inoperative")))})
		case 23:
			add(station, at, &event.CommandResult{CommandID: fmt.Sprint("c", len(out)-r.IntN(20)), Status: pick("answered", "timeout", "error", "offline"),
				Response: json.RawMessage(fmt.Sprintf(`{"status":%q}`, pick("Accepted", "Rejected", "UnlockFailed")))})
		case 24:
			switch r.IntN(30) {
			case 0:
				add(event.Self(), at, &event.ServerStarted{LastAlive: now.Add(-time.Duration(r.IntN(100)) * time.Second)})
			case 1:
				add(station, at, &event.StationRemoved{})
				add(station, at, &event.StationConfigured{SiteID: "s1", Onboarding: event.OnboardingAccepted})
			case 2:
				add(event.Self(), at, &event.Policy{Type: "threshold", ID: "D01@", Value: json.RawMessage(`{"detector":"D01","values":{"dcMinutes":3}}`)})
			}
		case 25:
			add(station, at, &event.Security{Type: pick("TamperDetectionActivated", "InvalidMessages", "SettingSystemTime")})
		}
	}
	return out
}

type run struct {
	x     *detect.Engine
	meta  json.RawMessage
	kept  map[string][]byte
	lines []string
}

// known is opened once: there are many restarts.
var known = sync.OnceValue(func() *knowledge.Knowledge {
	k, err := knowledge.Open()
	if err != nil {
		panic(err)
	}
	return k
})

func newRun() *run {
	return &run{x: detect.New(health.Knowing(known())), kept: make(map[string][]byte)}
}

func (r *run) feed(t testing.TB, e *event.Event) {
	take := func(list []detect.Finding) {
		for _, f := range list {
			r.lines = append(r.lines, fmt.Sprintf("%s %s %d %+v", f.At.Format(time.RFC3339Nano), f.Subject, f.Cause, told(f.Finding)))
		}
		for _, a := range r.x.Asked() {
			r.lines = append(r.lines, fmt.Sprintf("%+v", a))
		}
	}
	until := r.x.Until(e)
	for due, ok := r.x.Due(); ok && !due.After(until); due, ok = r.x.Due() {
		take(r.x.Fire())
	}
	take(r.x.Apply(e))
}

// told writes a finding without its pointers.
func told(f event.Finding) string {
	data, err := json.Marshal(f)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// restart stores the engine and begins another with what was stored.
func (r *run) restart(t testing.TB) {
	t.Helper()
	meta, err := r.x.Checkpoint(func(id string, data []byte) error {
		if data == nil {
			delete(r.kept, id)
		} else {
			r.kept[id] = slices.Clone(data)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.meta, err = json.Marshal(meta); err != nil {
		t.Fatal(err)
	}
	var back detect.Meta
	if err := json.Unmarshal(r.meta, &back); err != nil {
		t.Fatal(err)
	}
	r.x = detect.New(health.Knowing(known()))
	if err := r.x.Restore(back); err != nil {
		t.Fatal(err)
	}
	for _, data := range r.kept {
		if err := r.x.Load(data); err != nil {
			t.Fatal(err)
		}
	}
}

// Wherever it is stopped and started again, the engine finds the same.
func TestRestartsChangeNothing(t *testing.T) {
	for seed := range uint64(6) {
		events := noise(seed, 3000)
		whole := newRun()
		for _, e := range events {
			whole.feed(t, e)
		}
		if len(whole.lines) < 100 {
			t.Fatalf("only %d findings: the noise is too quiet", len(whole.lines))
		}
		cut, at := newRun(), rand.New(rand.NewPCG(seed, 2))
		for i, e := range events {
			if at.IntN(40) == 0 {
				cut.restart(t)
			}
			cut.feed(t, e)
			if n := len(cut.lines); n > len(whole.lines) || n > 0 && cut.lines[n-1] != whole.lines[n-1] {
				t.Fatalf("seed %d, event %d: with restarts\n%s\nwithout\n%s", seed, i, cut.lines[n-1], whole.lines[min(n, len(whole.lines))-1])
			}
		}
		if len(cut.lines) != len(whole.lines) {
			t.Errorf("seed %d: %d findings with restarts, %d without", seed, len(cut.lines), len(whole.lines))
		}
	}
}

// A condition is raised once, updated while it is open, and cleared once.
func TestConditionsAreInOrder(t *testing.T) {
	for seed := range uint64(6) {
		x := detect.New(health.Detectors())
		open := make(map[string]bool)
		check := func(list []detect.Finding) {
			for _, f := range list {
				key := f.Subject.String() + " " + f.Code
				switch f.State {
				case event.FindingRaised:
					if open[key] {
						t.Errorf("seed %d: %s is raised twice", seed, key)
					}
					open[key] = true
				case event.FindingUpdated, event.FindingCleared:
					if !open[key] {
						t.Errorf("seed %d: %s is %s and not open", seed, key, f.State)
					}
					open[key] = f.State == event.FindingUpdated
				}
				if f.State != event.FindingCleared && (f.Text == "" || len(f.Facts) == 0 || f.Severity == "" || f.Detector == "") {
					t.Errorf("seed %d: it lacks something: %+v", seed, f)
				}
				if f.Since.After(f.At) {
					t.Errorf("seed %d: %s begins at %s, after it was found at %s", seed, key, f.Since, f.At)
				}
			}
		}
		for _, e := range noise(seed+100, 3000) {
			until := x.Until(e)
			for due, ok := x.Due(); ok && !due.After(until); due, ok = x.Due() {
				check(x.Fire())
			}
			check(x.Apply(e))
		}
	}
}

// Every detector has an id of its own and documents its thresholds; reading one
// that does not exist panics, which the noise would show.
func TestDetectorsAreDescribed(t *testing.T) {
	seen := make(map[string]bool)
	for _, d := range health.Detectors() {
		if seen[d.ID] || d.ID == "" || d.Code == "" {
			t.Errorf("detector %q: no id, no code or twice", d.ID)
		}
		seen[d.ID] = true
		names := make(map[string]bool)
		for _, p := range d.Params {
			if p.Doc == "" || p.Name == "" || names[p.Name] || p.Default < 0 {
				t.Errorf("%s: threshold %+v", d.ID, p)
			}
			names[p.Name] = true
		}
		if d.On == nil != (len(d.Kinds) == 0) {
			t.Errorf("%s: On and Kinds go together", d.ID)
		}
	}
}

func TestThresholdCheck(t *testing.T) {
	list := health.Detectors()
	for name, tc := range map[string]struct {
		t    detect.Threshold
		want string
	}{
		"good":                   {detect.Threshold{Detector: "D01", Scope: "site/x", Values: map[string]float64{"dcMinutes": 3}}, ""},
		"no such detector":       {detect.Threshold{Detector: "D99"}, "detector"},
		"no such scope":          {detect.Threshold{Detector: "D01", Scope: "planet/x"}, "scope"},
		"no such threshold":      {detect.Threshold{Detector: "D01", Values: map[string]float64{"x": 3}}, "values.x"},
		"a value below nothing":  {detect.Threshold{Detector: "D01", Values: map[string]float64{"dcMinutes": -1}}, "values.dcMinutes"},
		"no such severity":       {detect.Threshold{Detector: "D01", Severity: "S9"}, "severity"},
		"a scope without a name": {detect.Threshold{Detector: "D01", Scope: "site/"}, "scope"},
	} {
		var faults []string
		for field := range tc.t.Check(list) {
			faults = append(faults, field)
		}
		if got := strings.Join(faults, " "); got != tc.want {
			t.Errorf("%s: faults at %q, want %q", name, got, tc.want)
		}
	}
}

// A narrower scope wins over a wider one.
func TestThresholdScopes(t *testing.T) {
	at := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	r := newRun()
	n := uint64(0)
	say := func(minutes int, s event.Subject, b event.Body) {
		n++
		when := at.Add(time.Duration(minutes) * time.Minute)
		r.feed(t, &event.Event{Seq: n, Subject: s, At: when, ReceivedAt: when, RecordedAt: when, Body: b})
	}
	decide := func(scope, minutes string) {
		say(0, event.Self(), &event.Policy{Type: "threshold", ID: "D01@" + scope, Value: json.RawMessage(
			`{"detector":"D01","scope":"` + scope + `","values":{"dcMinutes":` + minutes + `}}`)})
	}
	decide("", "50")
	decide("model/V/M", "40")
	decide("site/s", "30")
	for _, id := range []string{"A", "B", "C", "D"} {
		site, model := "s", "M"
		if id == "C" || id == "D" {
			site = ""
		}
		if id == "D" {
			model = "N"
		}
		say(0, event.Station(id), &event.StationConfigured{SiteID: site, Onboarding: event.OnboardingAccepted, Layout: []event.EVSELayout{{EVSE: 1, Current: "DC"}}})
		say(0, event.Station(id), &event.Connected{ConnID: id})
		say(0, event.Station(id), &event.Boot{Vendor: "V", Model: model})
	}
	decide("station/A", "20")
	r.restart(t)
	for _, id := range []string{"A", "B", "C", "D"} {
		say(1, event.Station(id), &event.Disconnected{ConnID: id})
	}
	say(70, event.Self(), &event.ServerStopped{})
	var got []string
	for _, line := range r.lines {
		if strings.Contains(line, `"state":"raised"`) {
			got = append(got, strings.Join(strings.Fields(line)[:2], " "))
		}
	}
	want := []string{
		"2026-11-02T00:21:00Z station/A", "2026-11-02T00:31:00Z station/B", "2026-11-02T00:41:00Z station/C", "2026-11-02T00:51:00Z station/D",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Whatever is said, in whatever order, nothing panics.
func FuzzApply(f *testing.F) {
	f.Add(uint64(1), []byte{1, 2, 3})
	f.Add(uint64(7), []byte{200, 0, 91, 4, 4, 4, 250})
	f.Fuzz(func(t *testing.T, seed uint64, order []byte) {
		events := noise(seed%1000, 200)
		r := newRun()
		for _, n := range order[:min(len(order), 200)] {
			i := int(n) % len(events)
			e := *events[i]
			e.Subject.EVSE = int(n) - 100 // ports that nobody has
			r.feed(t, &e)
			r.feed(t, events[len(events)-1-i])
		}
		r.restart(t)
	})
}
