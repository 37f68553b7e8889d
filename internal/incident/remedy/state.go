package remedy

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/incident"
)

// Version of what is kept. A checkpoint of another is not loaded: the debts come
// back from the commands in the journal.
const Version = 1

type kept struct {
	Version  int                   `json:"version"`
	Now      time.Time             `json:"now"`
	Own      map[string]Playbook   `json:"playbooks,omitempty"`
	Modes    Modes                 `json:"modes,omitempty"`
	Sets     map[string]MonitorSet `json:"monitors,omitempty"`
	Cases    map[string]Case       `json:"cases,omitempty"`
	Ran      map[string][]string   `json:"ran,omitempty"`
	Runs     map[string]*Run       `json:"runs,omitempty"`
	Lines    map[string][]string   `json:"lines,omitempty"`
	Owed     map[string]*Owed      `json:"owed,omitempty"`
	Ledger   map[string][]attempt  `json:"ledger,omitempty"`
	Cool     map[string]time.Time  `json:"cool,omitempty"`
	Late     map[string]time.Time  `json:"late,omitempty"`
	Foreign  map[string]asked      `json:"foreign,omitempty"`
	Switches Switches              `json:"monitoring,omitempty"`
	Queue    []string              `json:"queue,omitempty"`
	Commands map[string]string     `json:"commands,omitempty"`
}

// Checkpoint is all that the engine knows.
func (x *Engine) Checkpoint() ([]byte, error) {
	data, err := json.Marshal(kept{
		Version, x.now, x.own, x.modes, x.sets, x.cases, x.ran, x.runs, x.lines, x.owed, x.ledger, x.cool, x.late,
		x.foreign, x.switches, x.queue, x.commands,
	})
	if err != nil {
		return nil, fmt.Errorf("encode remedies: %w", err)
	}
	return data, nil
}

// Restore sets the engine to a checkpoint.
func (x *Engine) Restore(data []byte) error {
	var k kept
	if err := json.Unmarshal(data, &k); err != nil {
		return fmt.Errorf("decode remedies: %w", err)
	}
	if k.Version != Version {
		return fmt.Errorf("decode remedies: version %d, not %d", k.Version, Version)
	}
	x.clear()
	x.now, x.queue = k.Now, k.Queue
	fill(x.own, k.Own)
	fill(x.modes, k.Modes)
	fill(x.sets, k.Sets)
	fill(x.cases, k.Cases)
	fill(x.ran, k.Ran)
	fill(x.runs, k.Runs)
	fill(x.lines, k.Lines)
	fill(x.owed, k.Owed)
	fill(x.ledger, k.Ledger)
	fill(x.cool, k.Cool)
	fill(x.late, k.Late)
	fill(x.foreign, k.Foreign)
	fill(x.switches, k.Switches)
	fill(x.commands, k.Commands)
	for _, id := range sorted(x.cases) {
		station := x.cases[id].Station
		x.byStation[station] = append(x.byStation[station], id)
	}
	for id, r := range x.runs {
		if r.Acts {
			x.acting[r.Station] = id
		}
		if !r.Until.IsZero() {
			x.wake(id, r.Until, &r.Until)
		}
	}
	for id, o := range x.owed {
		if !o.NextAt.IsZero() {
			x.wake(id, o.NextAt, &o.NextAt)
		}
	}
	for station, w := range x.watch { // loaded before
		x.resume(station, w)
	}
	return nil
}

// CheckpointWatch hands over what stations watch, as far as it changed since the
// last time; nil data for a station of which nothing is left.
func (x *Engine) CheckpointWatch(keep func(station string, data []byte) error) error {
	for station := range x.watchDirty {
		var data []byte
		if w := x.watch[station]; w != nil {
			var err error
			if data, err = json.Marshal(w); err != nil {
				return fmt.Errorf("encode the monitors of %s: %w", station, err)
			}
		}
		if err := keep(station, data); err != nil {
			return err
		}
	}
	clear(x.watchDirty)
	return nil
}

// LoadWatch takes what CheckpointWatch handed over, before or after Restore.
func (x *Engine) LoadWatch(station string, data []byte) error {
	w := new(Watch)
	if err := json.Unmarshal(data, w); err != nil {
		return fmt.Errorf("decode the monitors of %s: %w", station, err)
	}
	x.watch[station] = w
	x.resume(station, w)
	return nil
}

func (x *Engine) resume(station string, w *Watch) {
	if w.Command != "" {
		x.watching[w.Command] = station
	}
	if !w.NextAt.IsZero() {
		x.wake(watchName+station, w.NextAt, &w.NextAt)
	}
}

func fill[M ~map[K]V, K comparable, V any](into, from M) { maps.Copy(into, from) }

// State is what people may know of the engine.
type State struct {
	Now     time.Time         `json:"now"`
	Modes   map[string]Mode   `json:"modes"`
	Runs    []Run             `json:"runs"`
	Owed    []Owed            `json:"owed"`
	Budgets map[string]Budget `json:"budgets"` // by station, of those that used any
}

// Budget is what was used of a station's budgets in the last day.
type Budget struct {
	SoftResets int       `json:"softResets"`
	HardResets int       `json:"hardResets"`
	Cycles     int       `json:"cycles"`
	Unlocks    int       `json:"unlocks"`
	LastAt     time.Time `json:"lastAt"`
}

// State copies what is at work, what is owed and what was used.
func (x *Engine) State() State {
	s := State{Now: x.now, Modes: maps.Clone(map[string]Mode(x.modes)), Runs: make([]Run, 0, len(x.runs)), Owed: x.Debts(), Budgets: map[string]Budget{}}
	for _, id := range sorted(x.runs) {
		r := *x.runs[id]
		r.Sent = maps.Clone(r.Sent)
		s.Runs = append(s.Runs, r)
	}
	slices.SortStableFunc(s.Runs, func(a, b Run) int { return a.StartedAt.Compare(b.StartedAt) })
	for station, list := range x.ledger {
		var b Budget
		for _, a := range list {
			if x.now.Sub(a.At) >= day {
				continue
			}
			switch a.What {
			case SoftReset:
				b.SoftResets++
			case HardReset:
				b.HardResets++
			case AvailabilityCycle, Disable:
				b.Cycles++
			case Unlock:
				b.Unlocks++
			}
			b.LastAt = a.At
		}
		if !b.LastAt.IsZero() {
			s.Budgets[station] = b
		}
	}
	return s
}

// ErrNoPort is returned for a station or a port that nobody knows.
var ErrNoPort = errors.New("no such station or port")

// Foreseen is what a step would do now.
type Foreseen struct {
	Step    int    `json:"step"`
	Action  Do     `json:"action"`
	Outcome string `json:"outcome"` // sent, dryRun, refused or offered
	Reason  Reason `json:"reason,omitempty"`
	Waits   bool   `json:"waits,omitempty"` // the refusal may pass by itself
	Command string `json:"command,omitempty"`
	Payload string `json:"payload,omitempty"`
}

// Preview says what a playbook would do at a port now and which guard-rails
// would refuse, each step for itself. By is the person who would start it, empty
// for by itself.
func (x *Engine) Preview(n *detect.Network, now time.Time, p Playbook, c Case, by string) []Foreseen {
	x.n = n
	if now.Before(x.now) {
		now = x.now
	}
	defer func(was time.Time) { x.now = was }(x.now)
	x.now = now
	st := n.Station(c.Station)
	if st == nil {
		return nil
	}
	r := &Run{Incident: c.ID, Book: p, Station: st.ID, EVSE: c.EVSE, By: by}
	mode := x.mode(r, st)
	list := make([]Foreseen, 0, len(p.Steps))
	for i, a := range p.Steps {
		f := Foreseen{Step: i, Action: a.Do, Outcome: incident.StepSent}
		if mode == DryRun || !mode.sends(a.Do) && a.Do != Wait {
			f.Outcome = incident.StepDryRun
		}
		reason := x.guard(&c, r, st, a)
		switch {
		case mode == Off:
			f.Outcome, f.Reason = incident.StepRefused, KillSwitch
		case reason == CableSuspected:
			f.Outcome, f.Reason = StepOffered, reason
		case reason != "" && reason != Unconfirmed: // it would ask first
			f.Outcome, f.Reason, f.Waits = incident.StepRefused, reason, reason.passes()
		}
		f.Command, f.Payload = commandOf(st, c.EVSE, a)
		list = append(list, f)
	}
	return list
}

// commandOf is the first command of a step.
func commandOf(st *detect.Station, evse int, a PlaybookStep) (action, payload string) {
	switch a.Do {
	case Trigger:
		message := a.Message
		if message == "" {
			message = statusNotification
		}
		return trigger(st, message, evse)
	case AvailabilityCycle, Disable:
		return availability(st, places(st, evse)[0], false)
	case SoftReset, HardReset:
		return reset(st, a.Do)
	case Unlock:
		if list := st.Connectors(evse); len(list) == 1 {
			return unlock(st, place{evse, list[0]})
		}
	}
	return "", ""
}

// CaseAt is a port as if it had an incident, for previews.
func (x *Engine) CaseAt(n *detect.Network, station string, evse int) (Case, bool) {
	st := n.Station(station)
	if st == nil || evse > 0 && st.Port(evse) == nil {
		return Case{}, false
	}
	return Case{Station: station, EVSE: evse, SiteID: st.SiteID}, true
}

// CaseOf is an open incident as remedies know it.
func (x *Engine) CaseOf(incident string) (Case, bool) {
	c, ok := x.cases[incident]
	return c, ok
}
