package vitals

import (
	"maps"
	"time"
)

// State is how well a part is.
type State string

// The states.
const (
	OK       State = "ok"
	Degraded State = "degraded"
	Failing  State = "failing"
)

func worse(a, b State) State {
	rank := map[State]int{OK: 0, Degraded: 1, Failing: 2}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// Verdict is what to think of a part. Words names the sentence that says so,
// Values the numbers in it.
type Verdict struct {
	Part   string             `json:"part"`
	State  State              `json:"state" enum:"ok,degraded,failing"`
	Words  string             `json:"words" doc:"names a sentence: journal.slow"`
	Values map[string]float64 `json:"values"`
	Since  time.Time          `json:"since"`
}

// Limits of what is well.
const (
	slowCommit = 250 * time.Millisecond // stations wait as long for an answer
	lagNoted   = 5000                   // events; beyond what memory holds for followers
	lagGrave   = 100_000
	lagLooks   = 3 // looks in a row that make a lag
	dropsFor   = 10 * time.Minute
	jumpsFor   = time.Hour
	backupFor  = 8 * 24 * time.Hour // a weekly one, and a day
	memoryMost = 0.9
)

// finding is a state and the sentence for it.
type finding struct {
	state  State
	words  string
	values map[string]float64
}

type part struct {
	name  string
	judge func(m *Monitor, now time.Time) finding
}

// parts lists what is judged, in the order people read it.
func parts() []part {
	return []part{
		{"journal", (*Monitor).journal},
		{"telemetry", follower("telemetry", func(r *Reading) uint64 { return r.TelemetryLag })},
		{"store", follower("store", func(r *Reading) uint64 { return r.StoreLag })},
		{"live", follower("live", func(r *Reading) uint64 { return r.LiveLag })},
		{"detection", (*Monitor).detection},
		{"channels", (*Monitor).channels},
		{"frames", (*Monitor).frames},
		{"disk", (*Monitor).disk},
		{"memory", (*Monitor).memory},
		{"clock", (*Monitor).clock},
		{"backup", (*Monitor).backup},
	}
}

// judge renews the verdicts. A part keeps its since while its state and its
// sentence stay the same.
func (m *Monitor) judge(now time.Time) {
	for _, p := range parts() {
		f := p.judge(m, now)
		v := Verdict{Part: p.name, State: f.state, Words: p.name + "." + f.words, Values: maps.Clone(f.values), Since: now}
		if v.Values == nil {
			v.Values = map[string]float64{}
		}
		if old, ok := m.verdicts[p.name]; ok && old.State == v.State && old.Words == v.Words {
			v.Since = old.Since
		}
		m.verdicts[p.name] = v
	}
}

func (m *Monitor) journal(time.Time) finding {
	c := &m.last
	switch {
	case !c.Ready:
		return finding{Failing, "down", nil}
	case c.Queue > 0 && c.Waiting > c.Queue/2:
		return finding{Degraded, "crowded", map[string]float64{"n": float64(c.Waiting)}}
	case c.CommitP99 > slowCommit:
		return finding{Degraded, "slow", map[string]float64{"ms": millis(c.CommitP99)}}
	}
	return finding{OK, "ok", nil}
}

func follower(name string, lag func(*Reading) uint64) func(*Monitor, time.Time) finding {
	return func(m *Monitor, _ time.Time) finding {
		n := lag(&m.now)
		if n < lagNoted {
			m.behind[name] = 0
			return finding{OK, "ok", nil}
		}
		m.behind[name]++
		if m.behind[name] < lagLooks { // a burst is worked off before long
			return finding{OK, "ok", nil}
		}
		state := Degraded
		if n >= lagGrave {
			state = Failing
		}
		return finding{state, "behind", map[string]float64{"n": float64(n)}}
	}
}

func (m *Monitor) detection(now time.Time) finding {
	if n := m.last.DetectFaults; n > 0 {
		return finding{Degraded, "defect", map[string]float64{"n": float64(n)}}
	}
	return follower("detection", func(r *Reading) uint64 { return r.DetectionLag })(m, now)
}

// crowdedNotices may wait before it is worth a word.
const crowdedNotices = 100

func (m *Monitor) channels(time.Time) finding {
	c := &m.last
	switch {
	case c.ChannelsFailed > 0:
		return finding{Failing, "failing", map[string]float64{"n": float64(c.ChannelsFailed)}}
	case c.NoticesWaiting > crowdedNotices:
		return finding{Degraded, "crowded", map[string]float64{"n": float64(c.NoticesWaiting)}}
	case c.Channels == 0:
		return finding{OK, "none", nil}
	}
	return finding{OK, "ok", nil}
}

func (m *Monitor) frames(time.Time) finding {
	n := 0.0
	for _, d := range m.drops {
		n += float64(d.n)
	}
	if n > 0 {
		return finding{Degraded, "dropped", map[string]float64{"n": n}}
	}
	return finding{OK, "ok", nil}
}

// disk speaks of the stages of package disk: 1 and 2 spare history, 3 lives on
// the reserve, 4 refuses connections.
func (m *Monitor) disk(time.Time) finding {
	free := map[string]float64{"bytes": float64(m.last.DiskFree)}
	switch {
	case m.last.DiskStage >= 4:
		return finding{Failing, "full", free}
	case m.last.DiskStage == 3:
		return finding{Failing, "reserve", free}
	case m.last.DiskStage >= 1:
		return finding{Degraded, "low", free}
	}
	return finding{OK, "ok", nil}
}

func (m *Monitor) memory(time.Time) finding {
	if limit := m.last.MemoryLimit; limit > 0 && float64(m.last.MemoryBytes) > memoryMost*float64(limit) {
		return finding{Degraded, "near", map[string]float64{"percent": 100 * float64(m.last.MemoryBytes) / float64(limit)}}
	}
	return finding{OK, "ok", nil}
}

func (m *Monitor) clock(now time.Time) finding {
	if n := len(m.jumps); n > 0 {
		if last := m.jumps[n-1]; now.Sub(last.At).Abs() < jumpsFor {
			return finding{Degraded, "jumped", map[string]float64{"seconds": last.Seconds}}
		}
	}
	return finding{OK, "ok", nil}
}

func (m *Monitor) backup(now time.Time) finding {
	switch at := m.last.BackupAt; {
	case !m.last.BackupNeeded:
		return finding{OK, "unneeded", nil}
	case at.IsZero():
		return finding{Degraded, "never", nil}
	case now.Sub(at) > backupFor:
		return finding{Degraded, "old", map[string]float64{"days": float64(int(now.Sub(at).Hours() / 24))}}
	}
	return finding{OK, "ok", nil}
}
