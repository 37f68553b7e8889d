package incident

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
)

// step is one thing that happens in a random life. It finds incidents by the
// order of their opening, so that it means the same wherever it runs.
type step struct {
	what    int
	station int
	port    int
	code    int
	number  int
	cut     bool
}

func drawSteps(r *rand.Rand, n int) []step {
	out := make([]step, n)
	for i := range out {
		out[i] = step{what: r.IntN(22), station: r.IntN(8), port: r.IntN(3), code: r.IntN(6), number: r.IntN(40), cut: r.IntN(4) == 0}
	}
	return out
}

// run does a step.
func (l *lab) run(s step) {
	id := fmt.Sprintf("S%d", s.station)
	codes := []struct {
		detector, code string
		severity       event.Severity
	}{
		{"D03", "port.fault", event.S2}, {"D03", "port.groundFailure", event.S1}, {"D05", "port.startFailures", event.S2},
		{"D09", "derated", event.S3}, {"D23", "port.overstay", event.S4}, {"rule/hot", "rule.hot", event.S3},
	}
	c := codes[s.code]
	open := l.x.Network.Station(id) != nil && l.f.where[condition{id, s.port, c.code}] != ""
	switch s.what {
	case 0, 1:
		if l.f.where[condition{id, 0, "offline"}] == "" {
			l.lost(id)
		}
	case 2, 16:
		if l.f.where[condition{id, 0, "offline"}] != "" {
			l.back(id)
		}
	case 3, 4:
		if !open {
			l.raise(id, s.port, c.detector, c.code, c.severity)
		}
	case 5, 17:
		id, s.port, c.code, c.detector, c.severity, open = l.lasting(s)
		if open {
			l.clear(id, s.port, c.detector, c.code, c.severity)
		}
	case 6:
		if open {
			l.found(finding(id, s.port, c.detector, c.code, event.S2, event.FindingUpdated))
		}
	case 7:
		l.charge(id, 1+s.port%2, float64(s.number)*100, fmt.Sprintf("t%d", l.seq))
	case 8, 9:
		l.after([]time.Duration{time.Second, 31 * time.Second, 4 * time.Minute, 16 * time.Minute, 2 * time.Hour, 25 * time.Hour}[s.code])
	case 10, 11:
		l.person(s)
	case 12:
		l.remedy(s)
	case 13:
		l.policy(s)
	case 14:
		l.after(0)
		l.take(l.f.Tried(&l.x.Network, id, l.now, l.seq, []attempt.Attempt{{EVSE: s.port, Failed: true, Side: attempt.Charger, Token: fmt.Sprint(s.number)}}))
	case 18:
		l.event(event.Port(id, s.port, 0), &event.DriverReport{Category: "cable", Text: fmt.Sprint("report ", s.number)})
	case 19:
		l.event(event.Station(id), &event.Finding{Code: []string{"twoDevices", "frameTooLarge"}[s.port%2], Severity: event.S3, Text: "Odd", Evidence: "bytes"})
	case 20:
		if s.number > 30 { // few are taken down
			gone := detect.Finding{Subject: event.Station(id), Finding: event.Finding{Code: "offline", State: event.FindingCleared, Detector: "D01", Facts: []event.Fact{{Name: "removed"}}}}
			l.event(event.Station(id), &event.StationRemoved{}, gone)
			l.station(id, "site0", "894902", "2", 2)
		}
	case 21:
		for range 1 + s.code {
			if l.f.where[condition{id, 0, "offline"}] == "" {
				l.lost(id)
			}
			l.after(time.Duration(s.number) * time.Second).back(id).after(time.Minute)
		}
	case 15:
		alive := l.now
		l.now = l.now.Add(time.Duration(s.number) * time.Minute)
		l.seq++
		e := &event.Event{Seq: l.seq, Subject: event.Self(), At: l.now, ReceivedAt: l.now, RecordedAt: l.now, Body: &event.ServerStarted{LastAlive: alive}}
		l.x.Apply(e)
		l.take(l.f.Apply(&l.x.Network, e, nil))
		for i := range 8 {
			l.online(fmt.Sprintf("S%d", i))
		}
	}
}

// lasting is a condition that is raised, by number.
func (l *lab) lasting(s step) (id string, port int, code, detector string, severity event.Severity, ok bool) {
	var all []condition
	for c := range l.f.where {
		if c.code != "offline" {
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return
	}
	slices.SortFunc(all, func(a, b condition) int {
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.evse, b.evse), cmp.Compare(a.code, b.code))
	})
	c := all[s.number%len(all)]
	return c.place, c.evse, c.code, "D03", event.S3, true
}

// pick is an incident by number.
func (l *lab) pick(n int) string {
	all := make([]*entry, 0, len(l.f.entries))
	for _, en := range l.f.entries {
		all = append(all, en)
	}
	if len(all) == 0 {
		return "none"
	}
	slices.SortFunc(all, func(a, b *entry) int { return int(a.Opened) - int(b.Opened) })
	return all[n%len(all)].ID
}

func (l *lab) person(s step) {
	a := event.IncidentAction{
		Action: Actions()[s.number%len(Actions())], By: fmt.Sprintf("p-%d", s.station%3), Note: "note", Session: []string{"", "s-1"}[s.number%2], Response: OnSite, Verdict: "real",
		Into: l.pick(s.station + 1), Assignee: "p-9", Until: l.now.Add(time.Duration(1+s.code) * time.Hour),
	}
	if s.port == 0 {
		a.Reason = "reason"
	}
	l.act(l.pick(s.station+s.code), a)
}

func (l *lab) remedy(s step) {
	outcomes := []string{StepSent, StepAccepted, StepRejected, StepScheduled, StepTimeout, StepDryRun}
	l.after(0)
	l.take(l.f.Remedied(l.now, l.seq, []RemedyStep{{Incident: l.pick(s.number), Playbook: "p", Step: s.port, Action: "Reset", Outcome: outcomes[s.code], At: l.now}}))
}

func (l *lab) policy(s step) {
	p := &event.Policy{Type: []string{"silence", "window", "sla"}[s.port], ID: fmt.Sprintf("k%d", s.station%2)}
	if p.Type == "sla" {
		p.ID = "site0"
	}
	if s.code > 1 {
		value := any(Mute{
			Reason: "works", Sites: []string{fmt.Sprintf("site%d", s.station%2)}, Start: l.now, End: l.now.Add(time.Duration(1+s.number) * time.Hour),
			Weekly: []Weekly{{Days: []string{"mo", "tu", "we", "th", "fr"}, From: "22:00", To: "09:30"}}, Zone: "Europe/Berlin", Safety: s.code == 3,
		})
		if p.Type == "sla" {
			value = SLA{SiteID: "site0", Severities: map[event.Severity]SLAMinutes{event.S2: {AckMinutes: float64(s.number), RepairMinutes: 100}}}
		}
		p.Value, _ = json.Marshal(value)
	}
	l.event(event.Self(), p)
}

// sound checks what holds after every step.
func (l *lab) sound() error {
	f := l.f
	for key, id := range f.where {
		en := f.entries[id]
		if en == nil || !slices.ContainsFunc(en.Raised, func(r raised) bool { return r.Place == key.place && r.EVSE == key.evse && r.Code == key.code }) {
			return fmt.Errorf("condition %v leads to no incident that knows it", key)
		}
	}
	for id, en := range f.entries {
		bad := 0
		for child, is := range en.members {
			if is {
				bad++
			}
			c := f.entries[child]
			if c == nil || c.ParentID == nil || *c.ParentID != id || is != (c.open() && c.RepairedAt == nil) {
				return fmt.Errorf("%s counts %s wrongly", id, child)
			}
		}
		switch {
		case en.Family == Common && bad != en.ChildrenBad:
			return fmt.Errorf("%s counts %d bad children of %d", id, en.ChildrenBad, bad)
		case en.State == Verifying && (en.RepairedAt == nil || len(en.Raised) > 0):
			return fmt.Errorf("%s is verifying and not repaired", id)
		case en.State == Closed && en.CloseReason == "":
			return fmt.Errorf("%s is closed for no reason", id)
		case en.open() && en.Family != Common && !slices.Contains(en.Slots, en.Home):
			return fmt.Errorf("%s is open and stands nowhere", id)
		case en.Safety && en.State == Closed && !slices.Contains([]string{"person"}, en.CloseReason):
			return fmt.Errorf("%s is about safety and closed by %s", id, en.CloseReason)
		case en.RepairedAt != nil && len(en.Raised) > 0 && en.open():
			return fmt.Errorf("%s is repaired while %d conditions last", id, len(en.Raised))
		}
	}
	for i := range l.notes {
		n := &l.notes[i]
		if n.Key == "" || n.Title == "" || n.Severity == "" {
			return fmt.Errorf("notice %s is incomplete", asJSON(n))
		}
	}
	return nil
}

func TestRestartsChangeNothing(t *testing.T) {
	for seed := range uint64(24) {
		steps := drawSteps(rand.New(rand.NewPCG(seed, 7)), 60+int(seed%3)*60)
		labs := []*lab{newLab(t), newLab(t), newLab(t)}
		labs[2].cutAll = true
		if seed%4 > 0 {
			labs = labs[:2] // a restart before every timer takes long
		}
		for i, l := range labs {
			for s := range 8 {
				l.station(fmt.Sprintf("S%d", s), fmt.Sprintf("site%d", s/4), []string{"894902", "894920"}[s%2], "1", 2)
			}
			for n, s := range steps {
				if i == 1 && s.cut {
					l.cut()
				}
				l.run(s)
				if err := l.sound(); err != nil {
					t.Fatalf("seed %d, step %d (%+v): %v", seed, n, s, err)
				}
			}
			l.after(200 * time.Hour)
			if err := l.sound(); err != nil {
				t.Fatalf("seed %d, at the end: %v", seed, err)
			}
			if err := l.keys(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if i == 0 {
				continue
			}
			if d := firstDifference(l.told, labs[0].told); d != "" {
				t.Fatalf("seed %d, lab %d: %s", seed, i, d)
			}
			if err := sameRows(labs[0].rows, l.rows); err != nil {
				t.Fatalf("seed %d, lab %d: %v", seed, i, err)
			}
			if asJSON(l.notes) != asJSON(labs[0].notes) || asJSON(l.log) != asJSON(labs[0].log) {
				t.Fatalf("seed %d, lab %d: notices or log differ", seed, i)
			}
		}
	}
}

func firstDifference(a, b []string) string {
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			return "misses " + b[i]
		case i >= len(b):
			return "has more: " + a[i]
		case a[i] != b[i]:
			return fmt.Sprintf("line %d is %q, not %q", i, a[i], b[i])
		}
	}
	return ""
}

// keys tell notices apart.
func (l *lab) keys() error {
	seen := make(map[string]bool)
	for i := range l.notes {
		if key := l.notes[i].Key; seen[key] {
			return fmt.Errorf("two notices have the key %s", key)
		}
		seen[l.notes[i].Key] = true
	}
	return nil
}
