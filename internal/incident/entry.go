package incident

import (
	"container/heap"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident/procedure"
)

// entry is an incident with what the fold has to remember of it.
type entry struct {
	Incident
	// Slots are the places where it stands: none but it. Home is where it began.
	Slots []slot `json:"slots"`
	Home  slot   `json:"home"`
	// Raised are the conditions that last.
	Raised []raised `json:"raised,omitempty"`
	// Onset is when the trouble itself began last, for grouping.
	Onset time.Time `json:"onset"`
	// Counted is from when the clocks of the service level run.
	Counted time.Time   `json:"counted"`
	Edges   []time.Time `json:"edges,omitempty"` // newest last
	Proof   proof       `json:"proof"`
	// Floor is the severity that a person gave it.
	Floor event.Severity `json:"floor,omitempty"`
	// Pending is the change that waits to be told.
	Pending string `json:"pending,omitempty"`
	Told    int    `json:"told"` // notices so far
	// Running is the transaction that ran while the repair came: no proof.
	Running string `json:"running,omitempty"`
	// Busy is true while a remedy is at work.
	Busy bool `json:"busy,omitempty"`
	// Mended is true once somebody has worked on it: then a repeat waits for its
	// proof like any other.
	Mended bool `json:"mended,omitempty"`
	// Ready is how a child would be closed but for its parent.
	Ready string `json:"ready,omitempty"`
	// Given are the labels that its findings bring along.
	Given map[string]string `json:"given,omitempty"`
	// Hands is set when somebody took it, for as long as it lives.
	Hands bool `json:"hands,omitempty"`
	// Hurt are the tokens of drivers who failed, by opaque id.
	Hurt []string `json:"hurt,omitempty"`
	// Shared are the labels under which it may have a common cause.
	Shared []string             `json:"shared,omitempty"`
	Timers map[string]time.Time `json:"timers,omitempty"`
	Shown  time.Time            `json:"shown,omitzero"`
	// CommonDE is the title of a common cause in German.
	CommonDE string `json:"commonDe,omitempty"`
	// First and Last are the onsets that a common cause spans.
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`

	// Proceeding is the class whose list it has.
	Proceeding procedure.Class `json:"proceeding,omitempty"`

	Opened  uint64          `json:"opened"` // counts incidents in the order of their opening
	members map[string]bool // children of a common cause: still bad
	grouped int64           // minute under which it stands in the groups
	decided bool            // during decide
}

// raised is a condition that lasts.
type raised struct {
	Place    string         `json:"place"`
	EVSE     int            `json:"evse,omitempty"`
	Code     string         `json:"code"`
	Family   Family         `json:"family"`
	Severity event.Severity `json:"severity"`
	Since    time.Time      `json:"since"`
}

// condition names a condition in the whole network.
type condition struct {
	place string
	evse  int
	code  string
}

// settle derives the state from what is known.
func (f *Fold) settle(en *entry) {
	f.spell(en)
	f.proceed(en)
	switch {
	case en.ClosedAt != nil:
		en.State = Closed
	case en.RepairedAt != nil && !en.stays():
		en.State = Verifying
	case en.Busy:
		en.State = Remedying
	case en.AcknowledgedBy != nil:
		en.State = Acknowledged
	default:
		en.State = Open
	}
}

// stays reports an incident that stays before people although its fault is
// over: a safety code, or one that came back within a day.
func (en *entry) stays() bool {
	return en.Safety || !en.Mended && (en.Proof == byPerson || en.Repeats > 0 && en.Family != Common && en.Severity != event.S4)
}

func (en *entry) open() bool { return en.ClosedAt == nil }

// taken reports that it is somebody's until it is over: they said so, or were
// sent. A claim ends by itself and is not enough.
func (en *entry) taken() bool {
	return en.AcknowledgedBy != nil || en.Response != NoResponse && en.Response != ""
}

// stamp is a time for a field that holds nothing until then.
func stamp(t time.Time) *time.Time { return &t }

func word(s string) *string { return &s }

// set starts or moves a timer.
func (f *Fold) set(en *entry, name string, at time.Time) {
	if was, ok := en.Timers[name]; ok && was.Equal(at) {
		return
	}
	if en.Timers == nil {
		en.Timers = make(map[string]time.Time)
	}
	en.Timers[name] = at
	f.dirty[en.ID] = struct{}{}
	heap.Push(&f.alarms, alarm{due: at, incident: en.ID, name: name})
}

// stop drops timers.
func (f *Fold) stop(en *entry, names ...string) {
	for _, name := range names {
		if _, ok := en.Timers[name]; ok {
			delete(en.Timers, name)
			f.dirty[en.ID] = struct{}{}
		}
	}
}

// alarm is a timer as the fold keeps it in order: by due time, incident, name.
// The fold's own have no incident.
type alarm struct {
	due            time.Time
	incident, name string
}

type alarms []alarm

func (l alarms) Len() int { return len(l) }
func (l alarms) Less(i, j int) bool {
	if c := l[i].due.Compare(l[j].due); c != 0 {
		return c < 0
	}
	if l[i].incident != l[j].incident {
		return l[i].incident < l[j].incident
	}
	return l[i].name < l[j].name
}
func (l alarms) Swap(i, j int) { l[i], l[j] = l[j], l[i] }
func (l *alarms) Push(x any)   { *l = append(*l, x.(alarm)) }
func (l *alarms) Pop() any {
	old := *l
	last := old[len(old)-1]
	*l = old[:len(old)-1]
	return last
}

// head drops what was cancelled or moved and returns the earliest timer.
func (f *Fold) head() (alarm, bool) {
	for len(f.alarms) > 0 {
		a := f.alarms[0]
		timers := f.timers
		if a.incident != "" {
			timers = nil
			if en := f.entries[a.incident]; en != nil {
				timers = en.Timers
			}
		}
		if due, ok := timers[a.name]; ok && due.Equal(a.due) {
			return a, true
		}
		heap.Pop(&f.alarms)
	}
	return alarm{}, false
}

// keep appends to a list that holds the newest n.
func keep[T any](list []T, n int, v T) []T {
	if len(list) >= n {
		list = slices.Delete(list, 0, len(list)-n+1)
	}
	return append(list, v)
}
