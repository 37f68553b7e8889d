package remedy

import (
	"container/heap"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/incident"
)

// Effects is what follows from one event or timer.
type Effects struct {
	Intents []fleet.Intent
	Steps   []incident.RemedyStep
}

// Engine runs playbooks. One goroutine owns it.
type Engine struct {
	now     time.Time
	builtIn map[string]Playbook
	own     map[string]Playbook // of people
	modes   Modes
	sets    map[string]MonitorSet

	cases     map[string]Case     // that are not closed
	byStation map[string][]string // ids of cases, sorted
	ran       map[string][]string // playbooks that ran by themselves, by case
	runs      map[string]*Run
	acting    map[string]string   // stations under a step that can cost a driver: the run
	lines     map[string][]string // runs by station; the first is at work
	owed      map[string]*Owed
	ledger    map[string][]attempt // by station
	cool      map[string]time.Time // by port and playbook: when the last run ended
	late      map[string]time.Time // by station: when it last told of the past
	foreign   map[string]asked     // commands of others without an outcome

	basics     MonitorSet // of the product
	switches   Switches
	watch      map[string]*Watch // by station
	watching   map[string]string // commands about monitors without an outcome: the station
	watchDirty map[string]bool   // since the last checkpoint

	commands map[string]string // keys without an outcome: the run they belong to
	queue    []string          // runs that wait for their turn to send
	alarms   alarms
	n        *detect.Network // of the call under way
	cause    uint64
	out      Effects
}

// maxInFlight bounds the commands of playbooks that wait for an answer: the
// outbox has others to perform.
const maxInFlight = 12

// New returns an engine that follows the built-in playbooks.
func New() *Engine {
	x := &Engine{builtIn: map[string]Playbook{}, basics: BuiltInMonitors(), watch: map[string]*Watch{}, watchDirty: map[string]bool{}}
	for _, p := range BuiltIn() {
		x.builtIn[p.ID] = p
	}
	x.clear()
	return x
}

func (x *Engine) clear() {
	x.own, x.modes, x.sets, x.switches = map[string]Playbook{}, Modes{}, map[string]MonitorSet{}, Switches{}
	x.cases, x.byStation = map[string]Case{}, map[string][]string{}
	x.ran, x.acting = map[string][]string{}, map[string]string{}
	x.runs, x.lines, x.owed = map[string]*Run{}, map[string][]string{}, map[string]*Owed{}
	x.ledger, x.cool, x.late = map[string][]attempt{}, map[string]time.Time{}, map[string]time.Time{}
	x.foreign, x.commands, x.watching = map[string]asked{}, map[string]string{}, map[string]string{}
	x.queue, x.alarms = nil, nil
}

// Apply folds one event, after detect and incident did, with the incidents that
// changed with it. Timers due before it have to be fired first.
func (x *Engine) Apply(n *detect.Network, e *event.Event, changed []*incident.Incident) Effects {
	return x.apply(n, e, cases(changed))
}

// Changed takes incidents that changed when no event came: by a timer.
func (x *Engine) Changed(n *detect.Network, at time.Time, cause uint64, changed []*incident.Incident) Effects {
	x.begin(n, at, cause)
	for _, c := range cases(changed) {
		x.changed(&c)
	}
	x.serve()
	return x.out
}

// cases are the incidents as remedies know them, the newest of each.
func cases(changed []*incident.Incident) []Case {
	if len(changed) == 0 {
		return nil
	}
	list := make([]Case, 0, len(changed))
	for i, in := range changed {
		if !slices.ContainsFunc(changed[i+1:], func(o *incident.Incident) bool { return o.ID == in.ID }) {
			list = append(list, Of(in))
		}
	}
	return list
}

func (x *Engine) apply(n *detect.Network, e *event.Event, changed []Case) Effects {
	x.begin(n, e.RecordedAt, e.Seq)
	station := ""
	if e.Subject.Type == event.StationSubject {
		station = e.Subject.ID
	}
	switch b := e.Body.(type) {
	case *event.Policy:
		x.policy(b)
	case *event.Command:
		x.commanded(e, b)
	case *event.CommandResult:
		x.answered(station, b)
	case *event.StationRemoved:
		x.removed(station)
	case *event.Connected:
		x.reconnected(station)
		x.tendLater(n.Station(station), drainFor)
	case *event.StationConfigured:
		x.tendLater(n.Station(station), 0)
	case *event.Boot:
		x.rebootedNow(station, b)
	case *event.Report:
		x.watchReport(station, b)
	case *event.Transaction:
		if e.Late() || b.Offline {
			x.late[station] = x.now
		}
	case *event.Meter:
		if e.Late() {
			x.late[station] = x.now
		}
	case *event.Status: // one of now may tell since when it holds
		if st := n.Station(station); st != nil && !st.Tells(e) {
			x.late[station] = x.now
		}
	}
	for i := range changed {
		x.changed(&changed[i])
	}
	if b, ok := e.Body.(*event.IncidentAction); ok && b.Action == "remedy" {
		x.asked(e, b)
	}
	if station != "" {
		x.look(station)
	}
	x.serve()
	return x.out
}

func (x *Engine) begin(n *detect.Network, now time.Time, cause uint64) {
	x.out = Effects{}
	x.n, x.cause = n, cause
	if now.After(x.now) {
		x.now = now
	}
}

// look goes on with what waits for news of a station.
func (x *Engine) look(station string) {
	if len(x.owed) > 0 {
		x.seen(station)
	}
	if line := x.lines[station]; len(line) > 0 {
		x.advance(x.runs[line[0]])
	}
}

func (x *Engine) policy(p *event.Policy) {
	switch p.Type {
	case PolicyMode:
		x.modes.set(p.ID, p.Value)
		x.tendAll()
		for _, id := range sorted(x.runs) {
			if r := x.runs[id]; r != nil {
				x.advance(r)
			}
		}
	case PolicyPlaybook:
		if book, faults := ReadPlaybook(p.Value); len(p.Value) > 0 && len(faults) == 0 && book.ID == p.ID {
			x.own[p.ID] = book
		} else {
			delete(x.own, p.ID)
		}
	case PolicyMonitors:
		if set, faults := ReadMonitors(p.Value); len(p.Value) > 0 && len(faults) == 0 && set.ID == p.ID {
			x.sets[p.ID] = set
		} else {
			delete(x.sets, p.ID)
		}
		x.tendAll()
	case PolicyWatching:
		x.switches.set(p.ID, p.Value)
		x.tendAll()
	}
}

// Playbook returns the one that holds under an id: a person's before a built-in.
func (x *Engine) Playbook(id string) (Playbook, bool) {
	if p, ok := x.own[id]; ok {
		return p, true
	}
	p, ok := x.builtIn[id]
	return p, ok
}

// match finds the playbook for a case: of those that match a person's comes
// before a built-in, then the id decides.
func (x *Engine) match(c *Case, st *detect.Station) (Playbook, bool) {
	model := modelOf(st)
	for _, id := range sorted(x.own) {
		if p := x.own[id]; p.Enabled && p.When.matches(c, model) {
			return p, true
		}
	}
	for _, id := range sorted(x.builtIn) {
		if _, replaced := x.own[id]; replaced {
			continue
		}
		if p := x.builtIn[id]; p.Enabled && p.When.matches(c, model) {
			return p, true
		}
	}
	return Playbook{}, false
}

// changed takes news of an incident.
func (x *Engine) changed(c *Case) {
	was, known := x.cases[c.ID]
	if c.Station == "" || c.Closed {
		if known {
			delete(x.cases, c.ID)
			x.drop(was.Station, c.ID)
		}
	} else {
		x.cases[c.ID] = *c
		if !known {
			list := x.byStation[c.Station]
			i, _ := slices.BinarySearch(list, c.ID)
			x.byStation[c.Station] = slices.Insert(list, i, c.ID)
		}
	}
	if c.Closed {
		x.release()
	}
	if c.Closed || known && was.Over && !c.Over {
		delete(x.ran, c.ID)
	}
	for _, id := range slices.Clone(x.lines[c.Station]) {
		r := x.runs[id]
		if r == nil || r.Incident != c.ID {
			continue
		}
		if c.Over || c.Closed || c.Part {
			x.finish(r, StepOvertaken, "")
		}
		return // one run of an incident at a time
	}
	if c.Station == "" || c.Closed || c.Over || c.Part || c.Security {
		return
	}
	// It starts when the incident begins, when it comes back, and when it becomes
	// something that a playbook is for.
	if known && !was.Over && same(&was, c) {
		return
	}
	st := x.n.Station(c.Station)
	if st == nil {
		return
	}
	if p, ok := x.match(c, st); ok {
		x.start(c, p, st, "", false)
	}
}

// same reports whether an incident calls for what it called for before.
func same(a, b *Case) bool {
	return a.Severity == b.Severity && a.Safety == b.Safety && a.Part == b.Part && slices.Equal(a.Codes, b.Codes) && slices.Equal(a.Detectors, b.Detectors)
}

func (x *Engine) drop(station, id string) {
	list := slices.DeleteFunc(x.byStation[station], func(s string) bool { return s == id })
	if len(list) == 0 {
		delete(x.byStation, station)
		return
	}
	x.byStation[station] = list
}

// asked starts what a person wants done.
func (x *Engine) asked(e *event.Event, b *event.IncidentAction) {
	c, ok := x.cases[e.Subject.ID]
	p, found := x.Playbook(b.Playbook)
	st := x.n.Station(c.Station)
	switch {
	case !ok || st == nil:
		x.out.Steps = append(x.out.Steps, incident.RemedyStep{Incident: e.Subject.ID, Playbook: b.Playbook, Action: "playbook", Outcome: incident.StepRefused, Reason: string(NoIncident), At: x.now})
	case !found:
		x.out.Steps = append(x.out.Steps, incident.RemedyStep{Incident: e.Subject.ID, Playbook: b.Playbook, Action: "playbook", Outcome: incident.StepRefused, Reason: string(NoPlaybook), At: x.now})
	default:
		x.start(&c, p, st, b.By, b.DryRun)
	}
}

// commanded hears of a command that is being sent.
func (x *Engine) commanded(e *event.Event, b *event.Command) {
	a, ok := read(e, b)
	if ok && a.Action == resetAction {
		what := SoftReset
		if a.Hard {
			what = HardReset
		}
		x.count(e.Subject.ID, attempt{At: x.now, What: what, Key: b.CommandID})
	}
	if !ours(b.CommandID) {
		if ok && a.Action == changeAvailability {
			x.keepForeign(b.CommandID, a)
		}
		return
	}
	x.watchSent(b.CommandID)
	if r := x.runs[x.commands[b.CommandID]]; r != nil {
		x.sent(r)
	}
	switch {
	case !ok || a.Action != changeAvailability:
	case !a.Operative:
		x.goes(b.CommandID, a)
	default:
		for _, k := range sorted(x.owed) {
			if o := x.owed[k]; o.Command == b.CommandID {
				x.back(o, incident.StepSent, "")
			}
		}
	}
}

func (x *Engine) keepForeign(id string, a asked) {
	if len(x.foreign) >= 1000 {
		maps.DeleteFunc(x.foreign, func(_ string, a asked) bool { return x.now.Sub(a.At) > 5*time.Minute })
	}
	if len(x.foreign) < 1000 {
		x.foreign[id] = a
	}
}

// answered hears what became of a command.
func (x *Engine) answered(station string, b *event.CommandResult) {
	v, why := judge(b)
	if a, ok := x.foreign[b.CommandID]; ok {
		delete(x.foreign, b.CommandID)
		if v == taken || v == later {
			x.decided(a)
		}
	}
	if v == unsent {
		x.uncount(station, b.CommandID)
	}
	if !ours(b.CommandID) {
		return
	}
	x.watchHeard(b)
	x.settleOwed(b.CommandID, v, why)
	id, ok := x.commands[b.CommandID]
	if !ok {
		return
	}
	delete(x.commands, b.CommandID)
	if r := x.runs[id]; r != nil {
		x.heard(r, b.CommandID, v, why)
	}
}

func (x *Engine) removed(station string) {
	for _, id := range slices.Clone(x.lines[station]) {
		if r := x.runs[id]; r != nil {
			x.finish(r, StepFailed, "removed")
		}
	}
	maps.DeleteFunc(x.owed, func(_ string, o *Owed) bool { return o.Station == station })
	delete(x.ledger, station)
	delete(x.late, station)
	if w := x.watch[station]; w != nil {
		delete(x.watching, w.Command)
		delete(x.watch, station)
		x.watchDirty[station] = true
	}
	maps.DeleteFunc(x.cool, func(k string, _ time.Time) bool { return strings.HasPrefix(k, station+"/") })
}

// serve lets those send that waited for their turn.
func (x *Engine) serve() {
	for len(x.queue) > 0 && len(x.commands) < maxInFlight {
		id := x.queue[0]
		x.queue = x.queue[1:]
		if r := x.runs[id]; r != nil && r.Queued {
			r.Queued = false
			x.advance(r)
		}
	}
}

// Due returns when the next timer falls due.
func (x *Engine) Due() (time.Time, bool) {
	x.settleAlarms()
	if len(x.alarms) == 0 {
		return time.Time{}, false
	}
	return x.alarms[0].due, true
}

// Fire fires the earliest timer, which Due told of.
func (x *Engine) Fire(n *detect.Network, cause uint64) Effects {
	x.settleAlarms()
	if len(x.alarms) == 0 {
		x.out = Effects{}
		return x.out
	}
	a := heap.Pop(&x.alarms).(alarm)
	x.begin(n, a.due, cause)
	if r := x.runs[a.name]; r != nil {
		r.Until = time.Time{}
		r.Rang = true
		x.advance(r)
	} else if o := x.owed[a.name]; o != nil {
		o.NextAt = time.Time{}
		x.bring(o)
	} else if station, ok := watchOf(a.name); ok && x.watch[station] != nil {
		x.watch[station].NextAt = time.Time{}
		x.tend(station)
	}
	x.serve()
	return x.out
}

// wake sets the timer of a run or a debt.
func (x *Engine) wake(name string, at time.Time, field *time.Time) {
	*field = at
	heap.Push(&x.alarms, alarm{due: at, name: name})
}

func (x *Engine) settleAlarms() {
	for len(x.alarms) > 0 {
		a := x.alarms[0]
		if r := x.runs[a.name]; r != nil && r.Until.Equal(a.due) {
			return
		}
		if o := x.owed[a.name]; o != nil && o.NextAt.Equal(a.due) {
			return
		}
		if station, ok := watchOf(a.name); ok {
			if w := x.watch[station]; w != nil && w.NextAt.Equal(a.due) {
				return
			}
		}
		heap.Pop(&x.alarms)
	}
}

// alarm is a timer as the engine keeps it in order.
type alarm struct {
	due  time.Time
	name string
}

type alarms []alarm

func (l alarms) Len() int { return len(l) }
func (l alarms) Less(i, j int) bool {
	if c := l[i].due.Compare(l[j].due); c != 0 {
		return c < 0
	}
	return l[i].name < l[j].name
}
func (l alarms) Swap(i, j int) { l[i], l[j] = l[j], l[i] }
func (l *alarms) Push(v any)   { *l = append(*l, v.(alarm)) }
func (l *alarms) Pop() any {
	old := *l
	last := old[len(old)-1]
	*l = old[:len(old)-1]
	return last
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
