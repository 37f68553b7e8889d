package rule

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// bench runs rules over a view as the server does: timers before events, the
// view before the rules.
type bench struct {
	t     testing.TB
	view  *detect.Engine
	rules *Engine
	seq   uint64
	now   time.Time
	said  []string
	found []detect.Finding
}

func language(t testing.TB) *Language {
	t.Helper()
	l, err := NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func newBench(t testing.TB, rules ...Rule) *bench {
	t.Helper()
	b := &bench{t: t, view: detect.New(nil), rules: New(language(t)), now: epoch()}
	for _, r := range rules {
		b.decide(r)
	}
	return b
}

func epoch() time.Time { return time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC) }

// ordinary is a rule that needs only its condition.
func ordinary(where string, on ...event.Kind) Rule {
	if len(on) == 0 {
		on = []event.Kind{event.KindStatus}
	}
	return Rule{ID: "r", Name: "Rule", Enabled: true, On: on, Where: where, By: ByPort, Severity: event.S3, Title: "It happened"}
}

func (b *bench) decide(r Rule) {
	data, err := json.Marshal(r)
	if err != nil {
		b.t.Fatal(err)
	}
	b.say(event.Self(), &event.Policy{Type: PolicyType, ID: r.ID, Value: data})
}

func (b *bench) station(id, site string, ports int) {
	var layout []event.EVSELayout
	for i := range ports {
		layout = append(layout, event.EVSELayout{EVSE: i + 1, RatedW: 50_000, Current: "DC"})
	}
	b.say(event.Station(id), &event.StationConfigured{SiteID: site, Onboarding: event.OnboardingAccepted, Layout: layout})
	b.say(event.Station(id), &event.Connected{ConnID: id + "-1", Protocol: "ocpp1.6"})
	b.say(event.Station(id), &event.Boot{Vendor: "Acme", Model: "X1", Firmware: "1.0", Status: "Accepted"})
}

func (b *bench) say(subject event.Subject, body event.Body) { b.apply(b.event(subject, body)) }

func (b *bench) event(subject event.Subject, body event.Body) *event.Event {
	b.seq++
	return &event.Event{Seq: b.seq, Subject: subject, At: b.now, ReceivedAt: b.now, RecordedAt: b.now, Body: body}
}

func (b *bench) apply(e *event.Event) {
	b.advance(b.view.Until(e))
	b.view.Apply(e)
	_, tries := b.view.Tried()
	b.note(b.rules.Apply(&b.view.Network, e, tries))
}

// advance fires what is due, the view's before the rules'.
func (b *bench) advance(to time.Time) {
	for {
		first, viewing := b.view.Due()
		due, ruling := b.rules.Due()
		viewing, ruling = viewing && !first.After(to), ruling && !due.After(to)
		switch {
		case viewing && (!ruling || !first.After(due)):
			b.view.Fire()
			station, tries := b.view.Tried()
			b.note(b.rules.Tried(&b.view.Network, station, b.view.Now(), tries))
		case ruling:
			b.note(b.rules.Fire(&b.view.Network))
		default:
			b.view.Elapse(to)
			b.rules.Elapse(to)
			return
		}
	}
}

func (b *bench) after(d time.Duration) {
	b.now = b.now.Add(d)
	b.advance(b.now)
}

func (b *bench) note(found []detect.Finding) {
	for _, f := range found {
		text := fmt.Sprintf("%s %s", f.State, f.Subject)
		if f.State == event.FindingCleared && len(f.Facts) > 0 {
			text += " " + f.Facts[0].Name
		}
		if f.State == event.FindingUpdated {
			text += " " + string(f.Severity)
		}
		b.said = append(b.said, text)
		b.found = append(b.found, f)
	}
}

func status(word string, code ...string) *event.Status {
	s := &event.Status{Status: word, ErrorCode: "NoError"}
	if len(code) > 0 {
		s.ErrorCode = code[0]
	}
	return s
}

// step is one thing that happens in a table.
type step func(b *bench)

func says(port int, body event.Body) step {
	return func(b *bench) { b.say(event.Port("S1", port, port), body) }
}
func entire(body event.Body) step { return func(b *bench) { b.say(event.Station("S1"), body) } }

// away is a time in which our server did not run.
func away(d time.Duration) step {
	return func(b *bench) {
		alive := b.now
		b.now = b.now.Add(d)
		b.say(event.Self(), &event.ServerStarted{LastAlive: alive})
	}
}
func wait(d time.Duration) step { return func(b *bench) { b.after(d) } }

// charge is a try at a port that moves so much.
func charge(port int, token string, wh float64) step {
	return func(b *bench) {
		id := fmt.Sprint("tx", b.seq)
		zero := 0.0
		b.say(event.Port("S1", port, port), status("Preparing"))
		b.say(event.Port("S1", port, port), &event.Transaction{Stage: event.TransactionStarted, TransactionID: id, TokenID: token, TokenStatus: "Accepted", MeterWh: &zero})
		if wh > 0 {
			b.say(event.Port("S1", port, port), status("Charging"))
		}
		b.after(10 * time.Minute)
		b.say(event.Port("S1", port, port), &event.Transaction{Stage: event.TransactionEnded, TransactionID: id, MeterWh: &wh, Reason: "Local"})
		b.say(event.Port("S1", port, port), status("Available"))
	}
}

func TestRules(t *testing.T) {
	with := func(r Rule, change ...func(*Rule)) Rule {
		for _, fn := range change {
			fn(&r)
		}
		return r
	}
	forSeconds := func(n int) func(*Rule) { return func(r *Rule) { r.ForSeconds = n } }
	count := func(n, within int) func(*Rule) { return func(r *Rule) { r.Count = &Count{n, within} } }
	by := func(what string) func(*Rule) { return func(r *Rule) { r.By = what } }
	clearWhen := func(text string) func(*Rule) { return func(r *Rule) { r.ClearWhen = text } }
	clearAfter := func(n int) func(*Rule) { return func(r *Rule) { r.ClearAfterSeconds = n } }
	faulted := ordinary(`port.status == "Faulted"`)
	tests := map[string]struct {
		rule  Rule
		steps []step
		want  string
	}{
		"a fault is told at its port": {faulted, []step{says(1, status("Faulted", "GroundFailure"))}, "raised station/S1/1"},
		"it is told once while it lasts": {faulted,
			[]step{says(1, status("Faulted", "GroundFailure")), wait(time.Minute), says(1, status("Faulted", "GroundFailure"))}, "raised station/S1/1"},
		"the next event without it clears": {faulted,
			[]step{says(1, status("Faulted")), says(1, status("Available"))}, "raised station/S1/1, cleared station/S1/1"},
		"another port's event does not clear": {faulted, []step{says(1, status("Faulted")), says(2, status("Available"))}, "raised station/S1/1"},
		"each port has its own": {faulted,
			[]step{says(1, status("Faulted")), says(2, status("Faulted")), says(1, status("Available"))},
			"raised station/S1/1, raised station/S1/2, cleared station/S1/1"},
		"the words of the event": {ordinary(`event.errorCode == "WeakSignal" && event.info.contains("-9")`),
			[]step{says(1, &event.Status{Status: "Available", ErrorCode: "WeakSignal", Info: "rssi -97"})}, "raised station/S1/1"},
		"by station": {with(faulted, by(ByStation)), []step{says(1, status("Faulted"))}, "raised station/S1"},
		"by site":    {with(faulted, by(BySite)), []step{says(1, status("Faulted"))}, "raised site/home"},
		"long enough": {with(faulted, forSeconds(60)),
			[]step{says(1, status("Faulted")), wait(59 * time.Second), wait(2 * time.Second)}, "raised station/S1/1"},
		"not long enough": {with(faulted, forSeconds(60)),
			[]step{says(1, status("Faulted")), wait(30 * time.Second), says(1, status("Available")), wait(time.Hour)}, ""},
		"the wait begins anew": {with(faulted, forSeconds(60)),
			[]step{says(1, status("Faulted")), wait(50 * time.Second), says(1, status("Available")), says(1, status("Faulted")), wait(50 * time.Second)}, ""},
		"a wait that another event made pointless": {with(ordinary(`port.status == "Preparing" && station.online`), forSeconds(60)),
			[]step{says(1, status("Preparing")), entire(&event.Disconnected{ConnID: "S1-1", Reason: "x"}), wait(time.Hour)}, ""},
		"time that we were away does not count": {with(faulted, forSeconds(600)),
			[]step{says(1, status("Faulted")), wait(5 * time.Minute), away(time.Hour), wait(4 * time.Minute)}, ""},
		"and then it is long enough": {with(faulted, forSeconds(600)),
			[]step{says(1, status("Faulted")), wait(5 * time.Minute), away(time.Hour), wait(6 * time.Minute)}, "raised station/S1/1"},
		"a token that no car came for": {with(ordinary(`attempt.reason == "neverPlugged"`, KindAttempt), by(ByStation)),
			[]step{entire(&event.Authorize{TokenID: "t", Status: "Accepted"}), wait(time.Hour)}, "raised station/S1"},
		"three of them in an hour": {with(faulted, count(3, 3600)),
			[]step{says(1, status("Faulted")), says(1, status("Available")), wait(20 * time.Minute), says(1, status("Faulted")), says(1, status("Available")),
				wait(20 * time.Minute), says(1, status("Faulted"))}, "raised station/S1/1"},
		"three of them in more than an hour": {with(faulted, count(3, 3600)),
			[]step{says(1, status("Faulted")), wait(40 * time.Minute), says(1, status("Faulted")), wait(40 * time.Minute), says(1, status("Faulted"))}, ""},
		"counting is cleared by clearWhen": {with(ordinary(`attempt.failed`, KindAttempt), count(2, 36000), clearWhen(`!attempt.failed`)),
			[]step{charge(1, "a", 0), charge(1, "b", 5000), charge(1, "c", 0)}, ""},
		"two failures in a row, then a charge": {with(ordinary(`attempt.failed && attempt.side != "driver"`, KindAttempt), count(2, 36000), clearWhen(`!attempt.failed`)),
			[]step{charge(1, "a", 0), charge(1, "b", 0), charge(1, "c", 5000)}, "raised station/S1/1, cleared station/S1/1"},
		"clearWhen decides alone": {with(ordinary(`port.status == "Faulted"`), clearWhen(`port.status == "Charging"`)),
			[]step{says(1, status("Faulted")), says(1, status("Available")), says(1, status("Charging"))}, "raised station/S1/1, cleared station/S1/1"},
		"quiet clears": {with(ordinary(`event.type == "InvalidCsmsCertificate"`, event.KindSecurity), by(ByStation), clearWhen("false"), clearAfter(600)),
			[]step{entire(&event.Security{Type: "InvalidCsmsCertificate"}), wait(9 * time.Minute), entire(&event.Security{Type: "InvalidCsmsCertificate"}),
				wait(9 * time.Minute), wait(2 * time.Minute)}, "raised station/S1, cleared station/S1 quiet"},
		"an event of the whole station is about each port": {ordinary(`!station.online && port.charging`, event.KindDisconnected),
			[]step{says(2, &event.Transaction{Stage: event.TransactionStarted, TransactionID: "1"}), entire(&event.Disconnected{ConnID: "S1-1", Reason: "x"})},
			"raised station/S1/2"},
		"offline for so long": {with(ordinary(`!station.online`, event.KindConnected, event.KindDisconnected), by(ByStation), forSeconds(300)),
			[]step{entire(&event.Disconnected{ConnID: "S1-1", Reason: "x"}), wait(6 * time.Minute), entire(&event.Connected{ConnID: "2", Protocol: "ocpp1.6"})},
			"raised station/S1, cleared station/S1"},
		"measurements": {ordinary(`event.values["Temperature"] > 80`, event.KindMeter),
			[]step{says(1, &event.Meter{Samples: event.Samples{{Values: []event.Sample{{Measurand: "Temperature", Value: 85}}}}}),
				says(1, &event.Meter{Samples: event.Samples{{Values: []event.Sample{{Measurand: "SoC", Value: 85}}}}}),
				says(1, &event.Meter{Samples: event.Samples{{Values: []event.Sample{{Measurand: "Temperature", Value: 60}}}}})},
			"raised station/S1/1, cleared station/S1/1"},
		"what is not known neither raises nor clears": {ordinary(`port.socPercent < 50`, event.KindMeter, event.KindStatus), []step{says(1, status("Available"))}, ""},
		"nor does its opposite":                       {ordinary(`!(port.socPercent < 50)`, event.KindMeter, event.KindStatus), []step{says(1, status("Available"))}, ""},
		"has asks for it":                             {ordinary(`!has(port.socPercent)`), []step{says(1, status("Available"))}, "raised station/S1/1"},
		"another part may decide":                     {ordinary(`port.socPercent < 50 || port.status == "Faulted"`), []step{says(1, status("Faulted"))}, "raised station/S1/1"},
		"power of the session": {ordinary(`port.powerW < 0.5 * port.ratedW && session.energyWh < 100.0`, event.KindMeter),
			[]step{says(1, &event.Transaction{Stage: event.TransactionStarted, TransactionID: "1"}),
				says(1, &event.Meter{TransactionID: "1", Samples: event.Samples{{Values: []event.Sample{{Measurand: "Power.Active.Import", Value: 9000}}}}})},
			"raised station/S1/1"},
		"each component of an event is looked at": {ordinary(`event.component == "Connector" && event.variable == "Problem" && event.value == "true"`, event.KindComponent),
			[]step{entire(&event.Component{Items: []event.ComponentEvent{
				{Component: "Connector", Variable: "Problem", Value: "true", EVSE: 2}, {Component: "Other", Variable: "Problem", Value: "true", EVSE: 1}}})},
			"raised station/S1/2"},
		"sums of the site": {with(ordinary(`site.freePorts == 0 && site.ports >= 2`), by(BySite)),
			[]step{says(1, status("Available")), says(2, status("Available")), says(1, status("Charging")), says(2, status("Charging")), says(1, status("Available"))},
			"raised site/home, cleared site/home"},
		"only at its sites":  {with(faulted, func(r *Rule) { r.Sites = []string{"elsewhere"} }), []step{says(1, status("Faulted"))}, ""},
		"only of its models": {with(faulted, func(r *Rule) { r.Models = []string{"Acme/X1"} }), []step{says(1, status("Faulted"))}, "raised station/S1/1"},
		"a station that leaves its scope": {with(faulted, func(r *Rule) { r.Sites = []string{"home"} }),
			[]step{says(1, status("Faulted")), entire(&event.StationConfigured{SiteID: "away"})}, "raised station/S1/1, cleared station/S1/1 ruleScope"},
		"a station that is removed": {faulted, []step{says(1, status("Faulted")), entire(&event.StationRemoved{})}, "raised station/S1/1, cleared station/S1/1 removed"},
		"told late and overtaken": {faulted, []step{says(1, status("Available")), func(b *bench) {
			e := b.event(event.Port("S1", 1, 1), status("Faulted"))
			e.At = e.At.Add(-time.Hour)
			b.apply(e)
		}}, ""},
		"told with the time since which it holds": {faulted, []step{func(b *bench) {
			e := b.event(event.Port("S1", 1, 1), status("Faulted"))
			e.At = e.At.Add(-time.Hour)
			b.apply(e)
		}}, "raised station/S1/1"},
		"off": {with(faulted, func(r *Rule) { r.Enabled = false }), []step{says(1, status("Faulted"))}, ""},
		"a rule that is deleted": {faulted,
			[]step{says(1, status("Faulted")), func(b *bench) { b.say(event.Self(), &event.Policy{Type: PolicyType, ID: "r"}) }, says(1, status("Faulted"))},
			"raised station/S1/1, cleared station/S1/1 ruleDeleted"},
		"a rule that is changed": {faulted,
			[]step{says(1, status("Faulted")), func(b *bench) { b.decide(ordinary(`port.status == "Reserved"`)) }},
			"raised station/S1/1, cleared station/S1/1 ruleChanged"},
		"another name for the same": {faulted, []step{says(1, status("Faulted")), func(b *bench) {
			b.decide(with(faulted, func(r *Rule) { r.Name, r.Title = "New", "New" }))
		}, says(1, status("Faulted"))}, "raised station/S1/1"},
		"found worse than before": {faulted, []step{says(1, status("Faulted")), func(b *bench) {
			b.decide(with(faulted, func(r *Rule) { r.Severity = event.S1 }))
		}}, "raised station/S1/1, updated station/S1/1 S1"},
		"one that fails again and again is switched off": {ordinary(`1 / (port.evse - 1) > 0`),
			slices.Repeat([]step{says(1, status("Available"))}, maxFailures+5), "raised server/self"},
		"and comes back when it is mended": {ordinary(`1 / (port.evse - 1) > 0`),
			append(slices.Repeat([]step{says(1, status("Available"))}, maxFailures),
				func(b *bench) { b.decide(faulted) }, says(1, status("Faulted"))),
			"raised server/self, cleared server/self ruleChanged, raised station/S1/1"},
		"one that fails now and then goes on": {ordinary(`port.status == "Faulted" && 1 / (port.evse - 1) > 0 || port.status == "Reserved"`),
			slices.Concat(slices.Repeat([]step{says(1, status("Faulted")), says(1, status("Available"))}, maxFailures), []step{says(1, status("Reserved"))}),
			"raised station/S1/1"},
		"a decision that is no rule": {faulted, []step{func(b *bench) {
			b.say(event.Self(), &event.Policy{Type: PolicyType, ID: "bad", Value: json.RawMessage(`{"on":7}`)})
		}}, "raised server/self"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, tc.rule)
			if faults := b.rules.language.Check(tc.rule); len(faults) > 0 {
				t.Fatalf("the rule itself: %+v", faults)
			}
			b.station("S1", "home", 2)
			b.said = nil
			for _, do := range tc.steps {
				b.now = b.now.Add(time.Second)
				do(b)
			}
			if got := strings.Join(b.said, ", "); got != tc.want {
				t.Errorf("said %q, want %q", got, tc.want)
			}
		})
	}
}

func TestAFindingCarriesItsEvidence(t *testing.T) {
	r := ordinary(`port.status == "Faulted"`)
	r.Facts = []string{"event.errorCode", "port.ratedW", "port.evse", "station.online", "port.socPercent"}
	r.Labels = map[string]string{"team": "north"}
	b := newBench(t, r)
	b.station("S1", "home", 1)
	b.say(event.Port("S1", 1, 1), status("Faulted", "GroundFailure"))
	if len(b.found) != 1 {
		t.Fatalf("found %d", len(b.found))
	}
	f := b.found[0]
	if f.Code != "rule/r" || f.Detector != "rule/r" || f.Text != "It happened" || f.Evidence != r.Where || !f.Since.Equal(b.now) || f.Cause != b.seq {
		t.Errorf("finding %+v", f)
	}
	var got []string
	for _, fact := range f.Facts {
		text := fact.Name + "=" + fact.Text
		if fact.Value != nil {
			text += fmt.Sprint(*fact.Value) + fact.Unit
		}
		got = append(got, text)
	}
	want := []string{"rule=Rule", "event.errorCode=GroundFailure", "port.ratedW=50000W", "port.evse=1", "station.online=true", "label.team=north"}
	if !slices.Equal(got, want) {
		t.Errorf("facts %q, want %q", got, want)
	}
}
