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
		x := &Incident{Family: family, Severity: event.S2, OpenedAt: at(opened)}
		if acknowledged >= 0 {
			x.AcknowledgedAt = stamp(at(acknowledged))
		}
		if repaired >= 0 {
			x.RepairedAt = stamp(at(repaired))
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
		incidents        int
	}{
		"nothing happened, so nothing is known": {ports: 10, mtta: -1, mttr: -1, mtbf: -1},
		"two faults of two and four hours at four ports": {
			list:  []*Incident{in(Electrical, 1, 2, 3), in(Electrical, 5, 8, 9)},
			ports: 4, mtta: 2, mttr: 3, mtbf: (4*24 - 6) / 2.0, incidents: 2,
		},
		"what is not repaired is down until the end and has no repair time": {
			list: []*Incident{in(Connectivity, 12, -1, -1)}, ports: 1, mtta: -1, mttr: -1, mtbf: 12, incidents: 1,
		},
		"children are failures, but one incident": {
			list: []*Incident{
				{Family: Common, Severity: event.S1, OpenedAt: at(1), RepairedAt: stamp(at(2))},
				func() *Incident { x := in(Connectivity, 1, -1, 2); x.ParentID = word("p"); return x }(),
				func() *Incident { x := in(Connectivity, 1, -1, 2); x.ParentID = word("p"); return x }(),
			},
			ports: 2, mtta: -1, mttr: 1, mtbf: 23, incidents: 1,
		},
		"false alarms, tests, planned work and what lies outside do not count": {
			list: []*Incident{
				func() *Incident { x := in(Electrical, 1, 2, 3); x.Verdict = word("false"); return x }(),
				func() *Incident { x := in(Electrical, 1, 2, 3); x.Verdict = word("test"); return x }(),
				func() *Incident { x := in(Electrical, 1, 2, 3); x.Planned = true; return x }(),
				in(Electrical, -1, 2, 3), in(Electrical, 24, 25, 26),
			},
			ports: 2, mtta: -1, mttr: -1, mtbf: -1,
		},
		"slow power is no failure": {list: []*Incident{in(Power, 1, -1, 2)}, ports: 2, mtta: -1, mttr: 1, mtbf: -1, incidents: 1},
	} {
		f := Measure(c.list, span, c.ports)
		if hours(f.MTTA) != c.mtta || hours(f.MTTR) != c.mttr || hours(f.MTBF) != c.mtbf || f.Incidents != c.incidents {
			t.Errorf("%s: MTTA %v, MTTR %v, MTBF %v of %d, want %v, %v, %v of %d", sentence,
				hours(f.MTTA), hours(f.MTTR), hours(f.MTBF), f.Incidents, c.mtta, c.mttr, c.mtbf, c.incidents)
		}
	}
}

func TestPromisesAreJudgedWhenTheyAreDue(t *testing.T) {
	day := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	at := func(minutes int) *time.Time { return stamp(day.Add(time.Duration(minutes) * time.Minute)) }
	list := []*Incident{
		{OpenedAt: day, SLAAckDueAt: at(5), AcknowledgedAt: at(4), SLARepairDueAt: at(240), RepairedAt: at(300)},
		{OpenedAt: day, SLAAckDueAt: at(5), RepairedAt: at(3), SLARepairDueAt: at(240)}, // healed before anybody could
		{OpenedAt: day, SLAAckDueAt: at(5)},
		{OpenedAt: day, SLAAckDueAt: at(60 * 48)}, // still runs
		{OpenedAt: day},
	}
	f := Measure(list, Span{From: day, To: day.Add(24 * time.Hour)}, 1)
	if f.AckInTime != 2 || f.AckPromised != 3 || f.FixInTime != 1 || f.FixPromised != 2 {
		t.Errorf("acknowledged in time %d of %d, repaired in time %d of %d; want 2 of 3 and 1 of 2", f.AckInTime, f.AckPromised, f.FixInTime, f.FixPromised)
	}
	if f.MedianRepair == nil || *f.MedianRepair != (300+3)*time.Minute/2 {
		t.Errorf("median repair is %v", f.MedianRepair)
	}
}
