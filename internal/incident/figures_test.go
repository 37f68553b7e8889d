package incident

import (
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

func TestFigures(t *testing.T) {
	day := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	at := func(h float64) time.Time { return day.Add(time.Duration(h * float64(time.Hour))) }
	in := func(family Family, opened, acknowledged, repaired float64) *Incident {
		x := &Incident{Family: family, Severity: event.S2, Station: "A", OpenedAt: at(opened)}
		if acknowledged >= 0 {
			x.AcknowledgedAt = stamp(at(acknowledged))
		}
		if repaired >= 0 {
			x.RepairedAt = stamp(at(repaired))
			x.DownSeconds = (repaired - opened) * 3600
		} else {
			x.DownSince = stamp(at(opened))
		}
		return x
	}
	span := Span{From: day, To: at(24)}
	hours := func(d *time.Duration) float64 {
		if d == nil {
			return -1
		}
		return d.Hours()
	}
	for sentence, c := range map[string]struct {
		list             []*Incident
		ports            int
		mtta, mttr, mtbf float64
		opened           int
	}{
		"nothing happened, so nothing is known": {ports: 10, mtta: -1, mttr: -1, mtbf: -1},
		"two faults of two and four hours at four ports": {
			list:  []*Incident{in(Electrical, 1, 2, 3), in(Electrical, 5, 8, 9)},
			ports: 4, mtta: 2, mttr: 3, mtbf: (4*24 - 6) / 2.0, opened: 2,
		},
		"what is not repaired is down until the end and has no repair time": {
			list: []*Incident{in(Connectivity, 12, -1, -1)}, ports: 1, mtta: -1, mttr: -1, mtbf: 12, opened: 1,
		},
		"children are failures, but one incident": {
			list: []*Incident{
				{Family: Common, Severity: event.S1, OpenedAt: at(1), RepairedAt: stamp(at(2)), DownSeconds: 3600},
				func() *Incident { x := in(Connectivity, 1, -1, 2); x.ParentID = word("p"); return x }(),
				func() *Incident { x := in(Connectivity, 1, -1, 2); x.ParentID = word("p"); return x }(),
			},
			ports: 2, mtta: -1, mttr: 1, mtbf: 23, opened: 1,
		},
		"false alarms, tests, planned work and what lies outside do not count": {
			list: []*Incident{
				func() *Incident { x := in(Electrical, 1, 2, 3); x.Verdict = word("false"); return x }(),
				func() *Incident { x := in(Electrical, 1, 2, 3); x.Verdict = word("test"); return x }(),
				func() *Incident { x := in(Electrical, 1, 2, 3); x.Planned = true; return x }(),
				in(Electrical, -9, -8, -7), in(Electrical, 24, 25, 26),
			},
			ports: 2, mtta: -1, mttr: -1, mtbf: -1,
		},
		"what was down when the span began was down in it, but did not fail in it": {
			list: []*Incident{in(Electrical, -6, 1, 4), in(Electrical, 10, 11, 12)}, ports: 1, mtta: 1, mttr: 2, mtbf: 24 - 4 - 2, opened: 1,
		},
		"what came back was well in between": {
			list: []*Incident{func() *Incident {
				x := in(Electrical, 1, 11, 12)
				x.Repeats, x.ReopenedAt, x.DownSeconds = 1, stamp(at(10)), 3*3600
				return x
			}()},
			ports: 1, mtta: 1, mttr: 3, mtbf: 21, opened: 1,
		},
		"what recovered without proof has no time of repair": {
			list: []*Incident{func() *Incident {
				x := in(Electrical, 1, -1, 20)
				x.RecoveredNotProven, x.ClosedAt = true, x.RepairedAt
				return x
			}()},
			ports: 1, mtta: -1, mttr: -1, mtbf: 24, opened: 1,
		},
		"slow power is no failure": {list: []*Incident{in(Power, 1, -1, 2)}, ports: 2, mtta: -1, mttr: 1, mtbf: -1, opened: 1},
	} {
		w := Watched{Ports: c.ports, PortTime: time.Duration(c.ports) * 24 * time.Hour}
		f := Measure(measured(c.list), span, w)
		if hours(f.MTTA) != c.mtta || hours(f.MTTR) != c.mttr || hours(f.MTBFPort) != c.mtbf || f.Opened != c.opened {
			t.Errorf("%s: MTTA %v, MTTR %v, MTBF %v of %d, want %v, %v, %v of %d", sentence,
				hours(f.MTTA), hours(f.MTTR), hours(f.MTBFPort), f.Opened, c.mtta, c.mttr, c.mtbf, c.opened)
		}
	}
}

func measured(list []*Incident) []Measured {
	var out []Measured
	for _, in := range list {
		m := MeasuredOf(in)
		m.Ports = 1
		out = append(out, m)
	}
	return out
}

func TestPromisesAreJudgedWhenTheyAreDue(t *testing.T) {
	day := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	at := func(minutes int) *time.Time { return stamp(day.Add(time.Duration(minutes) * time.Minute)) }
	list := []*Incident{
		{OpenedAt: day, SLAAckDueAt: at(5), AcknowledgedAt: at(4), SLARepairDueAt: at(240), RepairedAt: at(300), DownSeconds: 300 * 60},
		{OpenedAt: day, SLAAckDueAt: at(5), RepairedAt: at(3), SLARepairDueAt: at(240), DownSeconds: 3 * 60}, // healed before anybody could
		{OpenedAt: day, SLAAckDueAt: at(5)},
		{OpenedAt: day, SLAAckDueAt: at(60 * 48)},                                                  // still runs
		{OpenedAt: day, SLABreached: []string{"ack"}, SLAAckDueAt: at(90), AcknowledgedAt: at(80)}, // late in its first life
		{OpenedAt: day},
	}
	f := Measure(measured(list), Span{From: day, To: day.Add(24 * time.Hour)}, Watched{})
	if want := (Promises{Kept: 2, Breached: 2, Running: 1}); f.Ack != want {
		t.Errorf("acknowledged in time: %+v, want %+v", f.Ack, want)
	}
	if want := (Promises{Kept: 1, Breached: 1}); f.Repair != want {
		t.Errorf("repaired in time: %+v, want %+v", f.Repair, want)
	}
	if f.MedianRepair == nil || *f.MedianRepair != (300+3)*time.Minute/2 {
		t.Errorf("median repair is %v", f.MedianRepair)
	}
}

func TestGroupsAndCourse(t *testing.T) {
	day := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	list := []Measured{
		{Kind: "offline", Family: Connectivity, Severity: event.S3, SiteID: "ham", Station: "A", Ports: 2, OpenedAt: day.Add(time.Hour), RepairedAt: day.Add(3 * time.Hour), Down: 2 * time.Hour},
		{Kind: "offline", Family: Connectivity, Severity: event.S3, SiteID: "ham", Station: "B", Ports: 2, OpenedAt: day.Add(25 * time.Hour), DownSince: day.Add(25 * time.Hour)},
		{Kind: "port.fault", Family: Electrical, Severity: event.S2, SiteID: "ber", Station: "C", Ports: 1, OpenedAt: day.Add(2 * time.Hour), RepairedAt: day.Add(4 * time.Hour), Down: 2 * time.Hour},
		{Kind: "self.outage", Family: Common, OpenedAt: day.Add(-time.Hour)},
	}
	span := Span{day, day.Add(48 * time.Hour)}
	groups := MeasureBy(list, span, func(x *Measured) string { return x.SiteID }, func(site string) Watched {
		return Watched{Ports: 4, PortTime: 4 * 48 * time.Hour, Stations: 2, StationTime: 2 * 48 * time.Hour}
	})
	if len(groups) != 2 || groups[0].Key != "ham" || groups[1].Key != "ber" {
		t.Fatalf("groups %+v", groups)
	}
	// 2 stations for 48 h, down 2 h and 23 h, failed twice; their ports the same, each twice.
	if got, want := *groups[0].MTBFStation, (96*time.Hour-25*time.Hour)/2; got != want {
		t.Errorf("a station of ham runs %v between failures, want %v", got, want)
	}
	if got, want := *groups[0].MTBFPort, (192*time.Hour-50*time.Hour)/4; got != want {
		t.Errorf("a port of ham runs %v between failures, want %v", got, want)
	}
	days := Course(list, []time.Time{day, day.Add(24 * time.Hour), day.Add(48 * time.Hour)})
	if len(days) != 2 || days[0].Opened != 2 || days[1].Opened != 1 || days[1].Open != 1 || days[0].Open != 0 {
		t.Errorf("days %+v", days)
	}
}

// What ended an incident, and how long it was wrong, as the fold tells it.
func TestSpells(t *testing.T) {
	for sentence, c := range map[string]struct {
		do     func(l *lab)
		healed string
		down   time.Duration
	}{
		"what goes away healed itself": {func(l *lab) { l.after(10*time.Minute).clear("A", 1, "D03", "port.fault", event.S2) }, HealedByItself, 10 * time.Minute},
		"what somebody took was healed by people": {func(l *lab) {
			l.act(l.only().ID, event.IncidentAction{Action: ActAcknowledge})
			l.after(10*time.Minute).clear("A", 1, "D03", "port.fault", event.S2)
		}, HealedByPeople, 10 * time.Minute},
		"a note takes nothing": {func(l *lab) {
			l.act(l.only().ID, event.IncidentAction{Action: ActNote, Note: "hm"})
			l.after(10*time.Minute).clear("A", 1, "D03", "port.fault", event.S2)
		}, HealedByItself, 10 * time.Minute},
		"what the machine did healed it": {func(l *lab) {
			l.stepped(RemedyStep{Action: "softReset", Outcome: StepAccepted})
			l.after(10*time.Minute).clear("A", 1, "D03", "port.fault", event.S2)
		}, HealedByMachine, 10 * time.Minute},
		"asking heals nothing": {func(l *lab) {
			l.stepped(RemedyStep{Action: "trigger", Outcome: StepAccepted})
			l.after(10*time.Minute).clear("A", 1, "D03", "port.fault", event.S2)
		}, HealedByItself, 10 * time.Minute},
		"what the station refused healed nothing": {func(l *lab) {
			l.stepped(RemedyStep{Action: "softReset", Outcome: StepRejected})
			l.after(10*time.Minute).clear("A", 1, "D03", "port.fault", event.S2)
		}, HealedByItself, 10 * time.Minute},
		"the time between repeats is not down": {func(l *lab) {
			l.after(10*time.Minute).clear("A", 1, "D03", "port.fault", event.S2).after(time.Hour)
			l.raise("A", 1, "D03", "port.fault", event.S2).after(5*time.Minute).clear("A", 1, "D03", "port.fault", event.S2)
		}, HealedByItself, 15 * time.Minute},
		"closed while it lasts is healed by nobody": {func(l *lab) {
			l.after(10 * time.Minute)
			l.act(l.only().ID, event.IncidentAction{Action: ActClose, Reason: "known"})
		}, "", 10 * time.Minute},
	} {
		t.Run(sentence, func(t *testing.T) {
			l := newLab(t)
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D03", "port.fault", event.S2)
			c.do(l)
			in := l.only()
			if in.HealedBy != c.healed || in.DownSeconds != c.down.Seconds() || in.DownSince != nil {
				t.Errorf("healed by %q, down %v s since %v; want %q and %v s", in.HealedBy, in.DownSeconds, in.DownSince, c.healed, c.down.Seconds())
			}
		})
	}
}

func TestPromisesOfTheHouseHoldWhereASiteSaysNothing(t *testing.T) {
	l := newLab(t)
	l.station("A", "ham", "", "1", 1)
	l.event(event.Self(), policyOf(t, "sla", "default", SLA{Severities: map[event.Severity]SLAMinutes{event.S2: {AckMinutes: 20, RepairMinutes: 60}}}))
	l.event(event.Self(), policyOf(t, "sla", "ham", SLA{SiteID: "ham", Severities: map[event.Severity]SLAMinutes{event.S1: {AckMinutes: 1, RepairMinutes: 2}}}))
	l.raise("A", 1, "D03", "port.fault", event.S2)
	if in := l.only(); !in.SLAAckDueAt.Equal(l.now.Add(20 * time.Minute)) {
		t.Errorf("due %v", in.SLAAckDueAt)
	}
	l.act(l.only().ID, event.IncidentAction{Action: ActAcknowledge})
	due := *l.only().SLAAckDueAt
	l.event(event.Self(), policyOf(t, "sla", "ham", SLA{SiteID: "ham", Severities: map[event.Severity]SLAMinutes{event.S2: {AckMinutes: 1, RepairMinutes: 30}}}))
	if in := l.only(); !in.SLAAckDueAt.Equal(due) || !in.SLARepairDueAt.Equal(in.OpenedAt.Add(30*time.Minute)) {
		t.Errorf("what was acknowledged is judged by another promise: %v, %v", in.SLAAckDueAt, in.SLARepairDueAt)
	}
}

// stepped is what the machine did about the one incident.
func (l *lab) stepped(step RemedyStep) {
	step.Incident, step.At = l.only().ID, l.now
	l.take(l.f.Remedied(l.now, l.seq, []RemedyStep{step}))
}
