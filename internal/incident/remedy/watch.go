package remedy

import (
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// Watch is what one station of OCPP 2.x was asked to watch by itself and what it
// said to that. It is brought to what the profiles want, one command at a time:
// what is no longer wanted is taken away by the ids that the station gave us, so
// monitors of others stay; what the station refused is not asked for again until
// its firmware changes.
type Watch struct {
	Items []Watched `json:"items,omitempty"`
	// Told of MonitoringCtrlr: how much one message may hold, and from which
	// severity on events are reported at all; 0 and nil: not told.
	SetItems   int  `json:"setItems,omitempty"`
	SetBytes   int  `json:"setBytes,omitempty"`
	ClearItems int  `json:"clearItems,omitempty"`
	Level      *int `json:"level,omitempty"`
	// Cannot is why the station watches nothing, as of a firmware.
	Cannot   string `json:"cannot,omitempty"`
	Blind    bool   `json:"blind,omitempty"` // it cannot tell what it watches
	Firmware string `json:"firmware,omitempty"`

	Check     bool      `json:"check,omitempty"` // it booted since it was last asked what it watches
	CheckedAt time.Time `json:"checkedAt,omitzero"`
	SettledAt time.Time `json:"settledAt,omitzero"` // all was as wanted

	Doing   watchStep `json:"doing,omitempty"`
	Command string    `json:"command,omitempty"` // at work
	Began   bool      `json:"began,omitempty"`
	About   []int     `json:"about,omitempty"`   // items of the command
	Request int       `json:"request,omitempty"` // of a report
	Parts   int       `json:"parts,omitempty"`   // of it that came; -1: one is missing
	Found   []found   `json:"found,omitempty"`
	Serial  int       `json:"serial,omitempty"`
	Tries   int       `json:"tries,omitempty"` // in vain since something worked
	NextAt  time.Time `json:"nextAt,omitzero"`
}

// Watched is one monitor at a station.
type Watched struct {
	Monitor
	Profile string    `json:"profile"`
	Status  string    `json:"status,omitempty"` // as the station said; empty: not asked yet
	Reason  string    `json:"reason,omitempty"`
	Number  *int      `json:"number,omitempty"` // its id at the station: ours to remove
	At      time.Time `json:"at,omitzero"`
	Leaving bool      `json:"leaving,omitempty"`
}

// What a monitor's status may be beside the words of the protocol.
const (
	watchAccepted = "Accepted"
	watchUnheard  = "NoAnswer" // asked for, and nobody knows what became of it
	watchError    = "Error"
	watchKept     = "NotCleared" // no longer wanted, and the station keeps it
)

// Why a station watches nothing.
const (
	CannotNot = "unsupported"
	CannotOff = "disabled"
)

type watchStep string

const (
	watchAsking  watchStep = "asking" // what it watches
	watchHearing watchStep = "hearing"
	watchClear   watchStep = "clearing"
	watchLevel   watchStep = "level"
	watchSet     watchStep = "setting"
)

// Bounds and times of watching.
const (
	maxWatched   = 200 // at one station
	maxWatching  = 4   // stations at work at once: playbooks come first
	watchName    = "watch/"
	watchSpread  = 60 * time.Second // over which stations that come at once are tended
	watchAgain   = 15 * time.Second
	reportWithin = 2 * time.Minute
)

// tendLater has a station looked at when it has told what it kept for us.
func (x *Engine) tendLater(st *detect.Station, after time.Duration) {
	if st == nil || !st.Is2x() || !st.Charges() {
		return
	}
	w := x.watch[st.ID]
	if w == nil {
		if !x.switches.Of(st.ID, st.SiteID) {
			return
		}
		w = &Watch{}
		x.watch[st.ID] = w
	}
	if w.Command != "" || w.Doing == watchHearing {
		return // its end looks again
	}
	x.wakeWatch(st.ID, w, after+spread(st.ID, watchSpread))
}

func (x *Engine) wakeWatch(station string, w *Watch, after time.Duration) {
	x.watchDirty[station] = true
	x.wake(watchName+station, x.now.Add(after), &w.NextAt)
}

// spread is a station's own share of a time.
func spread(station string, over time.Duration) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(station))
	return time.Duration(h.Sum32()%1000) * over / 1000
}

// tendAll has every station looked at: what is wanted has changed.
func (x *Engine) tendAll() {
	for st := range x.n.Stations() {
		if st.Online {
			x.tendLater(st, 0)
		}
	}
}

// rebootedNow notes a boot: what was watched may be gone.
func (x *Engine) rebootedNow(station string, b *event.Boot) {
	st := x.n.Station(station)
	if st == nil || !st.Is2x() || b.Status != watchAccepted {
		return
	}
	x.tendLater(st, drainFor)
	if w := x.watch[station]; w != nil {
		w.Check = true
		x.watchDirty[station] = true
	}
}

// wanted are the monitors that a station should have.
func (x *Engine) wanted(st *detect.Station) (list []Watched) {
	if !st.Accepted || !x.switches.Of(st.ID, st.SiteID) {
		return nil
	}
	sets := maps.Clone(x.sets)
	if _, replaced := sets[x.basics.ID]; !replaced {
		sets[x.basics.ID] = x.basics
	}
	for _, id := range sorted(sets) {
		set := sets[id]
		if !set.fits(st) {
			continue
		}
		for _, m := range set.at(st) {
			if len(list) == maxWatched {
				return list
			}
			if !slices.ContainsFunc(list, func(o Watched) bool { return o.Monitor == m }) {
				list = append(list, Watched{Monitor: m, Profile: id})
			}
		}
	}
	return list
}

// plan marks what is to go and adds what is to come.
func (w *Watch) plan(st *detect.Station, want []Watched) {
	if w.Firmware != st.Firmware { // it may have learnt
		w.Firmware, w.Cannot, w.Blind = st.Firmware, "", false
		for i := range w.Items {
			if it := &w.Items[i]; it.Number == nil && it.Status != watchUnheard {
				it.Status, it.Reason = "", ""
			}
		}
	}
	items := w.Items[:0]
	for _, it := range w.Items {
		it.Leaving = !slices.ContainsFunc(want, func(o Watched) bool { return o.Monitor == it.Monitor })
		if !it.Leaving && it.Status == watchKept {
			it.Status = watchAccepted
		}
		if !it.Leaving || it.Number != nil || it.Status == watchUnheard && !w.Blind {
			items = append(items, it)
		}
	}
	clear(w.Items[len(items):])
	w.Items = items
	for _, o := range want {
		if !slices.ContainsFunc(w.Items, func(it Watched) bool { return it.Monitor == o.Monitor }) && len(w.Items) < 2*maxWatched {
			w.Items = append(w.Items, o)
		}
	}
}

// next is what has to be done at a station, and with which of its items.
func (w *Watch) next() (watchStep, []int) {
	have, unheard, leaving, missing := false, false, []int(nil), []int(nil)
	worst := -1
	for i := range w.Items {
		it := &w.Items[i]
		have = have || it.Number != nil
		unheard = unheard || it.Status == watchUnheard
		switch {
		case it.Leaving && it.Number != nil && it.Status != watchKept:
			leaving = append(leaving, i)
		case !it.Leaving && it.Status == "":
			missing = append(missing, i)
		case !it.Leaving && it.Status == watchAccepted:
			worst = max(worst, it.Severity)
		}
	}
	w.Check = w.Check && (have || unheard) // else there is nothing to ask about
	switch {
	case w.Check && !w.Blind:
		return watchAsking, nil
	case len(leaving) > 0:
		return watchClear, leaving[:min(len(leaving), or(w.ClearItems, monitorsAtOnce))]
	case len(missing) > 0 && w.Cannot == "":
		return watchSet, missing[:min(len(missing), or(w.SetItems, monitorsAtOnce))]
	case w.Level != nil && worst > *w.Level:
		return watchLevel, nil
	}
	return "", nil
}

// tend takes the next step at a station, if it is time for one.
func (x *Engine) tend(station string) {
	w, st := x.watch[station], x.n.Station(station)
	if w == nil {
		return
	}
	x.watchDirty[station] = true
	switch {
	case w.Command != "":
		x.watchLost(station, w)
		return
	case w.Doing == watchHearing: // the report did not come to its end
		x.watchReported(station, w, false)
		return
	case st == nil || !st.Is2x():
		delete(x.watch, station)
		return
	}
	w.plan(st, x.wanted(st))
	step, about := w.next()
	switch {
	case step == "":
		w.Check, w.SettledAt, w.Tries = false, x.now, 0
		if len(w.Items) == 0 && w.Cannot == "" && w.SetItems == 0 && w.Level == nil {
			delete(x.watch, station)
		}
		return
	case !st.Online || !st.Accepted || x.modes.at(st) == Off:
		return // the next connection, or the switch, looks again
	case x.draining(st):
		x.wakeWatch(station, w, drainFor)
		return
	case len(x.watching) >= maxWatching:
		x.wakeWatch(station, w, watchAgain+spread(station, watchAgain))
		return
	}
	x.step(st, w, step, about)
}

// step asks for one command.
func (x *Engine) step(st *detect.Station, w *Watch, step watchStep, about []int) {
	w.Serial++
	w.Doing, w.About, w.Began, w.Found, w.Parts = step, about, false, nil, 0
	w.Command = key("watch", st.ID, w.Serial, x.cause)
	action, payload := "", ""
	switch step {
	case watchAsking:
		w.Request = int(x.cause%1_000_000_000) + 1
		action, payload = "GetMonitoringReport", encode(struct {
			Request int `json:"requestId"`
		}{w.Request})
	case watchClear:
		ids := make([]int, 0, len(about))
		for _, i := range about {
			ids = append(ids, *w.Items[i].Number)
		}
		action, payload = "ClearVariableMonitoring", encode(struct {
			IDs []int `json:"id"`
		}{ids})
	case watchLevel:
		worst := 0
		for i := range w.Items {
			if it := &w.Items[i]; it.Status == watchAccepted && !it.Leaving {
				worst = max(worst, it.Severity)
			}
		}
		w.About = []int{worst}
		action, payload = "SetMonitoringLevel", encode(struct {
			Severity int `json:"severity"`
		}{worst})
	case watchSet:
		for {
			list := make([]Monitor, 0, len(w.About))
			for _, i := range w.About {
				list = append(list, w.Items[i].Monitor)
			}
			action, payload = "SetVariableMonitoring", monitoring(list)
			if w.SetBytes == 0 || len(payload) <= w.SetBytes || len(w.About) == 1 {
				break
			}
			w.About = w.About[:len(w.About)/2]
		}
	}
	x.watching[w.Command] = st.ID
	x.out.Intents = append(x.out.Intents, intent(w.Command, st.ID, action, payload, "monitors", x.now))
	x.wakeWatch(st.ID, w, answerWithin)
}

// WatchState is what people may know of the monitors of a station.
type WatchState struct {
	On        bool
	Paused    bool // by the switch of remedies
	Cannot    string
	Blind     bool
	Working   bool // something is still to be asked for
	CheckedAt time.Time
	SettledAt time.Time
	Items     []Watched
}

// Watching tells about a station; ok is false for one that cannot be asked.
func (x *Engine) Watching(n *detect.Network, station string) (s WatchState, ok bool) {
	st := n.Station(station)
	if st == nil || !st.Is2x() {
		return s, false
	}
	s.On, s.Paused = x.switches.Of(station, st.SiteID), x.modes.at(st) == Off
	w := x.watch[station]
	if w == nil {
		return s, true
	}
	s.Cannot, s.Blind, s.CheckedAt, s.SettledAt = w.Cannot, w.Blind, w.CheckedAt, w.SettledAt
	s.Items = slices.Clone(w.Items)
	again := *w
	step, _ := again.next()
	s.Working = step != "" || w.Command != "" || w.Doing == watchHearing
	return s, true
}

// watchOf is the station of a timer.
func watchOf(name string) (string, bool) { return strings.CutPrefix(name, watchName) }
