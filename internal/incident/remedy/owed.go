package remedy

import (
	"slices"
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/incident"
)

// Owed is a port that we took, or may have taken, out of service and its way
// back. It lasts until the station accepted Operative, or until a person
// decided about the port.
type Owed struct {
	Key      string    `json:"key"` // the command that took it out
	Station  string    `json:"station"`
	Place    place     `json:"place,omitzero"`
	EVSE     int       `json:"evse,omitempty"` // 0 is the whole station
	Run      string    `json:"run,omitempty"`
	Incident string    `json:"incident,omitempty"`
	Playbook string    `json:"playbook,omitempty"`
	Step     int       `json:"step,omitempty"`
	Since    time.Time `json:"since"`
	State    owedState `json:"state"`
	Began    bool      `json:"began,omitempty"` // the command that took it out was sent
	// Held keeps it out until its incident is closed: a disable.
	Held      bool      `json:"held,omitempty"`
	HoldS     int       `json:"holdS,omitempty"` // of a cycle
	ReleaseAt time.Time `json:"releaseAt,omitzero"`

	Attempts int       `json:"attempts,omitempty"`
	Command  string    `json:"command,omitempty"` // the last attempt
	Waiting  bool      `json:"waiting,omitempty"` // for its outcome
	AskedAt  time.Time `json:"askedAt,omitzero"`  // the last attempt
	NextAt   time.Time `json:"nextAt,omitzero"`   // its timer
	Last     string    `json:"last,omitempty"`    // outcome of the last attempt
}

type owedState string

const (
	going     owedState = "asked"     // to go out of service; the answer is not there
	out       owedState = "out"       // it is, or nobody knows
	returning owedState = "returning" // Operative was sent
	promised  owedState = "scheduled" // the station will put it back: pending
)

// Times of a way back.
const (
	settleIn = 10 * time.Second // after a station connected
	tryFirst = time.Minute      // after an attempt came to nothing, doubled each time
	tryMost  = time.Hour
)

// owe writes down the way back together with the command that makes it needed.
func (x *Engine) owe(r *Run, a PlaybookStep, p place, k string) {
	o := &Owed{
		Key: k, Station: r.Station, Place: p, EVSE: r.EVSE, Run: r.ID, Incident: r.Incident, Playbook: r.Book.ID, Step: r.Step,
		Since: x.now, State: going, Held: a.Do == Disable,
	}
	if !o.Held {
		o.HoldS = or(a.Seconds, cycleHold)
	}
	x.owed[k] = o
	x.wake(k, x.now.Add(answerWithin), &o.NextAt)
}

// goes hears that a command of ours is being sent that takes a port out. One that
// nobody remembers, because what was kept of it is lost, is owed all the same.
func (x *Engine) goes(k string, a asked) {
	if o := x.owed[k]; o != nil {
		o.Began = true
		return
	}
	o := &Owed{Key: k, Station: a.Station, Place: a.Place, EVSE: a.Place.EVSE, Since: x.now, State: going, Began: true}
	if o.EVSE == 0 {
		o.EVSE = a.Place.Connector
	}
	x.owed[k] = o
	x.wake(k, x.now.Add(answerWithin), &o.NextAt)
}

func (x *Engine) owes(run string) bool {
	for _, o := range x.owed {
		if o.Run == run {
			return true
		}
	}
	return false
}

// isOut reports whether we already have a port of the run out of service.
func (x *Engine) isOut(st *detect.Station, r *Run) bool {
	for _, o := range x.owed {
		if o.Station == st.ID && (o.EVSE == r.EVSE || o.EVSE == 0 || r.EVSE == 0) {
			return true
		}
	}
	return false
}

// settleOwed takes the outcome of a command that is about a debt.
func (x *Engine) settleOwed(k string, v verdict, why string) {
	if o := x.owed[k]; o != nil {
		if v == denied || v == unsent { // it never went out
			delete(x.owed, k)
			return
		}
		if o.State == going {
			o.State, o.ReleaseAt = out, x.now.Add(time.Duration(o.HoldS)*time.Second)
			x.bring(o)
		}
		return
	}
	for _, id := range sorted(x.owed) {
		if o := x.owed[id]; o.Command == k {
			x.attempted(o, v, why)
			return
		}
	}
}

// attempted takes the outcome of asking for a port back. Only Accepted is done.
func (x *Engine) attempted(o *Owed, v verdict, why string) {
	o.Waiting, o.Last = false, string(v)
	if why != "" {
		o.Last += ": " + why
	}
	switch v {
	case taken:
		delete(x.owed, o.Key)
		x.back(o, StepDone, "")
		return
	case later:
		o.State = promised
		x.back(o, incident.StepScheduled, "")
	default:
		o.State = out
		x.back(o, StepFailed, o.Last)
	}
	again := o.pause()
	if st := x.n.Station(o.Station); st != nil && st.Online && st.LinkAt.Time().After(o.AskedAt) {
		again = settleIn // it was asked on a connection that is gone
	}
	x.wake(o.Key, x.now.Add(again), &o.NextAt)
}

// pause is how long to wait after an attempt.
func (o *Owed) pause() time.Duration { return min(tryFirst<<min(max(o.Attempts-1, 0), 6), tryMost) }

// back says in the incident how the way back goes.
func (x *Engine) back(o *Owed, outcome, reason string) {
	if o.Incident == "" {
		return
	}
	x.out.Steps = append(x.out.Steps, incident.RemedyStep{
		Incident: o.Incident, Playbook: o.Playbook, Step: o.Step, Action: "operative",
		Port: event.Port(o.Station, o.EVSE, 0).String(), Outcome: outcome, Reason: reason, At: x.now,
	})
}

// keeps reports whether a port that was disabled has to stay so: its incident
// is open, or another about safety at the same port.
func (x *Engine) keeps(o *Owed) bool {
	for _, id := range x.byStation[o.Station] {
		c := x.cases[id]
		if o.Held && id == o.Incident || c.Safety && (c.EVSE == o.EVSE || c.EVSE == 0 || o.EVSE == 0) {
			return true
		}
	}
	return false
}

// release brings back what was kept out for an incident that is closed now.
func (x *Engine) release() {
	for _, k := range sorted(x.owed) {
		if o := x.owed[k]; (o.Held || o.Run == "") && o.State != going {
			x.bring(o)
		}
	}
}

// bring asks for a port to be put back, if it is time and the station is there.
func (x *Engine) bring(o *Owed) {
	switch due := o.Since.Add(answerWithin); {
	case o.State == going && x.now.Before(due):
		x.wake(o.Key, due, &o.NextAt)
		return
	case o.State == going && !o.Began:
		delete(x.owed, o.Key) // it was never sent
		return
	case o.State == going:
		o.State = out // nobody tells; it may be
	}
	switch due := o.AskedAt.Add(answerWithin); {
	case (o.Held || o.Run == "") && x.keeps(o):
		return // released when the incident is closed
	case x.now.Before(o.ReleaseAt):
		x.wake(o.Key, o.ReleaseAt, &o.NextAt)
		return
	case o.Waiting && x.now.Before(due):
		x.wake(o.Key, due, &o.NextAt)
		return
	}
	st := x.n.Station(o.Station)
	if st == nil || !st.Online {
		return // the next connection asks again
	}
	o.Attempts++
	o.Command, o.Waiting = key(o.Key, o.Since.UnixMicro(), "operative", o.Attempts), true
	o.State, o.AskedAt = returning, x.now
	action, payload := availability(st, o.Place, true)
	x.out.Intents = append(x.out.Intents, intent(o.Command, o.Station, action, payload,
		"back into service, attempt "+strconv.Itoa(o.Attempts), x.now))
	x.wake(o.Key, x.now.Add(answerWithin), &o.NextAt)
}

// reconnected asks again for everything a station owes.
func (x *Engine) reconnected(station string) {
	for _, k := range sorted(x.owed) {
		if o := x.owed[k]; o.Station == station && o.State != going {
			x.wake(k, x.now.Add(settleIn), &o.NextAt)
		}
	}
}

// seen settles what a station shows to be in service again after it promised.
func (x *Engine) seen(station string) {
	st := x.n.Station(station)
	if st == nil {
		return
	}
	for _, k := range sorted(x.owed) {
		o := x.owed[k]
		if o.Station != station || o.State != promised {
			continue
		}
		p := st.Port(o.EVSE)
		if p != nil && p.HeardAt.Time().After(o.AskedAt) && p.Status != fleet.Unavailable && p.Status != fleet.Unknown && p.Status != fleet.Faulted {
			delete(x.owed, k)
			x.back(o, StepDone, "")
		}
	}
}

// decided takes what a person had done about availability: then the port is
// theirs.
func (x *Engine) decided(a asked) {
	if a.Action != changeAvailability {
		return
	}
	for _, k := range sorted(x.owed) {
		if o := x.owed[k]; o.Station == a.Station && o.State != going && a.Place.covers(o.Place) && !a.At.Before(o.Since) {
			delete(x.owed, k)
			x.back(o, StepDone, "byPerson")
		}
	}
}

// Debts lists what is owed, the oldest first.
func (x *Engine) Debts() []Owed {
	list := make([]Owed, 0, len(x.owed))
	for _, k := range sorted(x.owed) {
		list = append(list, *x.owed[k])
	}
	slices.SortStableFunc(list, func(a, b Owed) int { return a.Since.Compare(b.Since) })
	return list
}
