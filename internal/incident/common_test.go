package incident

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// parents are the common causes, in order of opening.
func (l *lab) parents() []*Incident {
	var out []*Incident
	for _, in := range l.rows {
		if in.Family == Common {
			out = append(out, in)
		}
	}
	slices.SortFunc(out, func(a, b *Incident) int {
		if c := a.OpenedAt.Compare(b.OpenedAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out
}

// raises counts notices that ask somebody to act.
func (l *lab) raises() (n int) {
	for i := range l.notes {
		if l.notes[i].Raises() && l.notes[i].Change != ChangeReminder {
			n++
		}
	}
	return n
}

// network makes sites of four stations each, one carrier and firmware after the
// other.
func (l *lab) network(stations int, carrier func(i int) string, firmware func(i int) string) []string {
	ids := make([]string, stations)
	for i := range ids {
		ids[i] = fmt.Sprintf("S%05d", i)
		l.station(ids[i], fmt.Sprintf("site%04d", i/4), carrier(i), firmware(i), 2)
	}
	return ids
}

func same(s string) func(int) string { return func(int) string { return s } }

func turns(list ...string) func(int) string { return func(i int) string { return list[i%len(list)] } }

// since makes a finding tell that it began a while ago.
func since(d detect.Finding, at time.Time) detect.Finding {
	d.Since = at
	return d
}

func TestFourHundredStationsOfOneCarrierAreOneIncidentAndOneNotice(t *testing.T) {
	for _, pace := range []time.Duration{0, 10 * time.Millisecond, 100 * time.Millisecond, 700 * time.Millisecond} {
		t.Run(pace.String(), func(t *testing.T) {
			l := newLab(t)
			ids := l.network(1000, func(i int) string { return []string{"894902", "894920", "894922"}[min(i/400, 2)] }, turns("1", "2", "3"))
			l.after(time.Hour)
			gone := make([]time.Time, 400)
			for i, id := range ids[:400] {
				gone[i] = l.now
				l.offline(id).after(pace)
			}
			for i, id := range ids[:400] {
				l.after(gone[i].Add(5 * time.Minute).Sub(l.now))
				l.found(since(finding(id, 0, "D01", "offline", event.S3, event.FindingRaised), gone[i]))
			}
			l.after(20 * time.Minute)
			open := l.parents()
			open = slices.DeleteFunc(open, func(in *Incident) bool { return in.State == Closed })
			if len(open) != 1 || open[0].Kind != KindCarrier || open[0].ChildrenCount != 400 || len(open[0].Children) != 400 {
				t.Fatalf("%d common causes, first %s", len(open), asJSON(open))
			}
			if n := l.raises(); n != 1 {
				t.Fatalf("%d notices asked somebody to act, want 1:\n%s", n, strings.Join(grep(l.told, "NOTICE"), "\n"))
			}
			for _, id := range open[0].Children {
				if c := l.rows[id]; c.ParentID == nil || *c.ParentID != open[0].ID {
					t.Fatalf("child %s is not folded", id)
				}
			}
			for _, id := range ids[:400] {
				l.back(id)
			}
			l.after(3 * time.Hour)
			for _, in := range l.rows {
				if in.State != Closed {
					t.Fatalf("%s is %s after everything came back", in.Title, in.State)
				}
			}
			if n := l.raises(); n != 1 {
				t.Fatalf("%d notices by the end, want 1", n)
			}
		})
	}
}

func grep(lines []string, part string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(s string) bool { return !strings.Contains(s, part) })
}

func commonStories() map[string]struct {
	run  func(l *lab)
	want []string // kinds of common causes that stay, with children
	told int      // notices that ask somebody to act
} {
	two := turns("894902", "894920")
	return map[string]struct {
		run  func(l *lab)
		want []string
		told int
	}{
		"a whole site is lost": {
			run: func(l *lab) {
				ids := l.network(100, two, same("1"))
				l.lost(ids[0]).lost(ids[1]).lost(ids[2]).lost(ids[3]).after(time.Hour)
			},
			want: []string{"site.outage S1 4"}, told: 1,
		},
		"half of a site of four is lost": {
			run: func(l *lab) {
				ids := l.network(100, two, same("1"))
				l.lost(ids[0]).after(time.Minute).lost(ids[1]).after(time.Hour)
			},
			want: []string{"site.outage S2 2"}, told: 2, // the first was told before the second went
		},
		"two stations of different sites are two incidents": {
			run: func(l *lab) {
				ids := l.network(100, same("894902"), same("1"))
				l.lost(ids[0]).lost(ids[50]).after(time.Hour)
			},
			told: 2,
		},
		"two sites at the same time are two causes": {
			run: func(l *lab) {
				ids := l.network(1000, two, same("1"))
				for _, i := range []int{0, 1, 2, 3, 500, 501, 502, 503} {
					l.lost(ids[i])
				}
				l.after(time.Hour)
			},
			want: []string{"site.outage S1 4", "site.outage S1 4"}, told: 2,
		},
		"half of the network over all carriers is our own connection": {
			run: func(l *lab) {
				ids := l.network(100, two, turns("1", "2", "3"))
				for _, id := range ids[:60] {
					l.lost(id)
				}
				l.after(time.Hour)
			},
			want: []string{"self.outage S1 60"}, told: 1,
		},
		"stations of one firmware fault together": {
			run: func(l *lab) {
				ids := l.network(100, two, turns("1", "1", "1", "2"))
				for i, id := range ids[:40] {
					if i%4 != 3 {
						l.raise(id, 1, "D03", "port.fault", event.S2)
					}
				}
				l.after(5 * time.Minute)
			},
			want: []string{"firmware.fault S1 30"}, told: 1,
		},
		"losses within an hour but not within five minutes have no common cause": {
			run: func(l *lab) {
				ids := l.network(100, same("894902"), same("1"))
				for i := range 8 {
					l.lost(ids[i*4]).after(6 * time.Minute)
				}
			},
			told: 8,
		},
		"what is found late counts from when it began": {
			run: func(l *lab) {
				ids := l.network(100, two, same("1"))
				began := l.now
				for _, id := range ids[:4] {
					l.offline(id)
				}
				l.after(5 * time.Minute)
				for _, id := range ids[:2] { // DC
					l.found(since(finding(id, 0, "D01", "offline", event.S3, event.FindingRaised), began))
				}
				l.after(10 * time.Minute)
				for _, id := range ids[2:4] { // AC
					l.found(since(finding(id, 0, "D01", "offline", event.S3, event.FindingRaised), began))
				}
				l.after(time.Hour)
			},
			want: []string{"site.outage S1 4"}, told: 1,
		},
		"a site that went first is folded into the carrier": {
			run: func(l *lab) {
				ids := l.network(400, func(i int) string { return []string{"894902", "894920"}[i/200] }, same("1"))
				for _, id := range ids[:4] {
					l.lost(id)
				}
				l.after(time.Minute)
				for _, id := range ids[4:200] {
					l.lost(id)
				}
				l.after(time.Hour)
			},
			want: []string{"carrier.outage S1 200"}, told: 2,
		},
		"a child that stays bad after its parent recovered becomes its own": {
			run: func(l *lab) {
				ids := l.network(100, two, same("1"))
				l.lost(ids[0]).lost(ids[1]).lost(ids[2]).lost(ids[3]).after(time.Hour)
				l.back(ids[0]).back(ids[1]).back(ids[2]).after(time.Hour)
				if c := l.of(ids[3]); c.State != Open || c.ParentID != nil || !c.Notified {
					l.t.Errorf("the child is %s", asJSON(c))
				}
				for _, id := range ids[:3] {
					if c := l.of(id); c.State != Closed {
						l.t.Errorf("the child %s is %s", id, c.State)
					}
				}
			},
			told: 2,
		},
		"a station that is lost later in a long outage joins it": {
			run: func(l *lab) {
				ids := l.network(100, two, same("1"))
				l.lost(ids[0]).lost(ids[1]).lost(ids[2]).after(4 * time.Minute).lost(ids[3]).after(time.Hour)
			},
			want: []string{"site.outage S1 4"}, told: 2,
		},
		"a person closes a common cause and what hangs on it": {
			run: func(l *lab) {
				ids := l.network(100, two, same("1"))
				l.lost(ids[0]).lost(ids[1]).lost(ids[2]).lost(ids[3]).after(time.Hour)
				l.act(l.parents()[0].ID, event.IncidentAction{Action: ActClose, Reason: "site is being rebuilt"})
				for _, in := range l.rows {
					if in.State != Closed {
						l.t.Errorf("%s is %s", in.Title, in.State)
					}
				}
			},
			told: 1,
		},
	}
}

// of is the incident of a station.
func (l *lab) of(station string) *Incident {
	for _, in := range l.rows {
		if in.Station == station {
			return in
		}
	}
	l.t.Fatalf("no incident at %s", station)
	return nil
}

func TestCommonCauses(t *testing.T) {
	for sentence, c := range commonStories() {
		t.Run(sentence, func(t *testing.T) {
			l := newLab(t)
			c.run(l)
			var got []string
			for _, in := range l.parents() {
				if in.State != Closed {
					got = append(got, fmt.Sprintf("%s %s %d", in.Kind, in.Severity, in.ChildrenCount))
				}
			}
			if !slices.Equal(got, c.want) || l.raises() != c.told {
				t.Errorf("common causes %q and %d notices, want %q and %d\n%s", got, l.raises(), c.want, c.told, strings.Join(grep(l.told, "NOTICE"), "\n"))
			}
		})
	}
}

func TestAStormIsOneIncidentOfOneCause(t *testing.T) {
	for severity, stations := range map[event.Severity]int{event.S1: 2_000, event.S2: 10_000} {
		t.Run(string(severity), func(t *testing.T) {
			l := newLab(t)
			ids := l.network(stations, turns("894902", "894920", "894922"), same("1.0"))
			l.after(time.Hour)
			began := time.Now()
			for _, id := range ids {
				l.raise(id, 1, "D03", "port.fault", severity).after(time.Millisecond)
			}
			l.after(10 * time.Minute)
			t.Logf("%d faults took %s", stations, time.Since(began))
			var open []*Incident
			for _, in := range l.rows {
				if in.State != Closed && in.ParentID == nil {
					open = append(open, in)
				}
			}
			if len(open) != 1 || open[0].Kind != KindFirmware || open[0].ChildrenCount != stations {
				t.Fatalf("%d incidents before people, want 1", len(open))
			}
			if len(open[0].Children) > maxListed || len(open[0].Subjects) > maxSubjects {
				t.Errorf("lists %d children and %d subjects", len(open[0].Children), len(open[0].Subjects))
			}
			if n := l.raises(); n > fewAtOnce {
				t.Errorf("%d notices", n)
			}
			l.cut()
			if n := len(l.f.Open()); n != stations+1 {
				t.Errorf("%d incidents after a restart", n)
			}
			for _, id := range ids {
				l.clear(id, 1, "D03", "port.fault", severity)
			}
			l.after(time.Hour)
			if p := l.rows[open[0].ID]; p.State != Closed {
				t.Errorf("the storm is %s after it is over", p.State)
			}
		})
	}
}

func TestAFloodOfOneStationIsBounded(t *testing.T) {
	l := newLab(t)
	l.station("A", "ham", "", "1", 1)
	for i := range 5000 {
		f := finding("A", 1, "D03", fmt.Sprintf("invented%d", i%700), event.S3, event.FindingRaised)
		if i/700%2 == 1 {
			f.State = event.FindingCleared
		}
		f.Facts = []event.Fact{detect.Word(fmt.Sprintf("fact%d", i), strings.Repeat("x", 100))}
		l.found(f).after(100 * time.Millisecond)
	}
	l.after(time.Minute)
	in := l.only()
	if len(in.Findings) > maxFindings || len(in.Evidence) > maxFacts {
		t.Errorf("%d findings and %d facts are kept", len(in.Findings), len(in.Evidence))
	}
	if in.Total < 2500 {
		t.Errorf("%d findings were counted", in.Total)
	}
	if n := len(asJSON(in)); n > 100_000 {
		t.Errorf("the incident has %d bytes", n)
	}
}

func BenchmarkStormOf10000Findings(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		l := newLab(b)
		ids := l.network(10_000, turns("894902", "894920", "894922"), same("1.0"))
		l.after(time.Hour)
		b.StartTimer()
		for _, id := range ids {
			l.raise(id, 1, "D03", "port.fault", event.S2).after(time.Millisecond)
		}
		l.after(20 * time.Second)
	}
}
