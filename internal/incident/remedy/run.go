package remedy

import (
	"slices"
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
)

// Run is a playbook at work on an incident. It keeps the playbook as it was
// when it began.
type Run struct {
	ID        string    `json:"id"`
	Incident  string    `json:"incident"`
	Book      Playbook  `json:"playbook"`
	Station   string    `json:"station"`
	EVSE      int       `json:"evse,omitempty"`
	By        string    `json:"by,omitempty"` // the person who started it
	DryRun    bool      `json:"dryRun,omitempty"`
	StartedAt time.Time `json:"startedAt"`

	Step   int               `json:"step"`
	Phase  phase             `json:"phase,omitempty"`
	Sent   map[string]string `json:"sent,omitempty"` // commands of the step and what became of them
	At     time.Time         `json:"at,omitzero"`    // when the step, or its confirmation, was asked for
	Tries  int               `json:"tries,omitempty"`
	Serial int               `json:"serial,omitempty"` // of what was asked for, so that no command has another's key
	Until  time.Time         `json:"until,omitzero"`   // its timer
	Rang   bool              `json:"rang,omitempty"`
	// GiveUp is when a step that is refused stops waiting for its chance; Told the
	// refusal that stands in the incident.
	GiveUp time.Time `json:"giveUp,omitzero"`
	Told   Reason    `json:"told,omitempty"`
	Queued bool      `json:"queued,omitempty"`
	Began  bool      `json:"began,omitempty"` // a command of the step is on its way
	Acts   bool      `json:"acts,omitempty"`  // it did something that can cost a driver
	// AskedAt and HeardAt are when the station was last asked how it is, and when
	// it agreed to say.
	AskedAt time.Time `json:"askedAt,omitzero"`
	HeardAt time.Time `json:"heardAt,omitzero"`
}

// phase is where a step is.
type phase string

const (
	ready      phase = ""
	confirming phase = "confirming" // asked how the station is, before a reset
	hearing    phase = "hearing"    // it agreed to say
	answering  phase = "answering"  // the station has to answer
	working    phase = "working"    // it agreed; the effect is waited for
	waiting    phase = "waiting"    // a step that only waits
)

// Times of a run.
const (
	lookAgain    = time.Minute      // at a guard that refused
	statusWithin = time.Minute      // after a trigger was accepted
	freshFor     = time.Minute      // a confirmed state
	bootWithin   = 10 * time.Minute // after a reset
	returnWithin = 10 * time.Minute // of a port after a cycle
	answerWithin = 5 * time.Minute  // of any command: the outbox says so before
	maxTries     = 3
)

// start begins a playbook, or says why not.
func (x *Engine) start(c *Case, p Playbook, st *detect.Station, by string, dryRun bool) {
	for _, id := range x.lines[st.ID] {
		if x.runs[id].Incident == c.ID {
			return // a person may press twice
		}
	}
	if by == "" {
		if slices.Contains(x.ran[c.ID], p.ID) {
			return
		}
		x.ran[c.ID] = append(x.ran[c.ID], p.ID)
	}
	r := &Run{
		ID: key("run", c.ID, p.ID, x.cause), Incident: c.ID, Book: p, Station: st.ID, EVSE: c.EVSE,
		By: by, DryRun: dryRun, StartedAt: x.now,
	}
	x.runs[r.ID] = r
	x.lines[st.ID] = append(x.lines[st.ID], r.ID)
	x.advance(r)
}

// advance goes on with a run as far as it comes.
func (x *Engine) advance(r *Run) {
	for r != nil && x.runs[r.ID] == r {
		st := x.n.Station(r.Station)
		switch {
		case st == nil:
			x.finish(r, StepFailed, "removed")
			return
		case x.lines[r.Station][0] != r.ID:
			x.refuse(r, Busy)
			return
		case r.Step >= len(r.Book.Steps):
			x.finish(r, StepDone, "")
			return
		}
		a := r.Book.Steps[r.Step]
		rang := r.Rang
		r.Rang = false
		on := false
		switch r.Phase {
		case ready:
			on = x.begun(r, st, a)
		case waiting:
			on = rang
			if on {
				x.next(r, a, StepDone, "")
			}
		case confirming, answering:
			if rang {
				x.lost(r, a)
			}
		case hearing:
			on = x.confirmedNow(r, st, rang)
		case working:
			on = x.worked(r, st, a, rang)
		}
		if !on {
			return
		}
	}
}

// confirmedNow ends the confirmation before a reset: every port said how it is,
// or the time for it is over.
func (x *Engine) confirmedNow(r *Run, st *detect.Station, rang bool) bool {
	switch {
	case told(st, -1, r.AskedAt):
		x.tell(r, PlaybookStep{Do: Trigger}, StepDone, "")
	case rang:
		x.tell(r, PlaybookStep{Do: Trigger}, StepFailed, string(NoAnswer))
	default:
		return false
	}
	r.Phase, r.Until = ready, time.Time{}
	return true
}

// begun begins a step; false when it has to wait.
func (x *Engine) begun(r *Run, st *detect.Station, a PlaybookStep) bool {
	mode := x.mode(r, st)
	if mode == Off {
		x.tell(r, a, incident.StepRefused, string(KillSwitch))
		x.finish(r, incident.StepRefused, KillSwitch)
		return false
	}
	c := x.cases[r.Incident]
	if mode == DryRun || !mode.sends(a.Do) && (a.Do != Wait || mode == Ask) {
		if reason := x.guard(&c, r, st, a); reason != "" && reason != Unconfirmed {
			x.next(r, a, incident.StepRefused, string(reason))
		} else {
			x.next(r, a, incident.StepDryRun, "")
		}
		return true
	}
	if a.Do == Wait {
		r.Phase = waiting
		x.tell(r, a, incident.StepSent, strconv.Itoa(a.Seconds)+" s")
		x.wake(r.ID, x.now.Add(time.Duration(a.Seconds)*time.Second), &r.Until)
		return false
	}
	reason := x.guard(&c, r, st, a)
	switch {
	case reason == CableSuspected:
		x.next(r, a, StepOffered, string(reason))
		return true
	case reason == "":
	case !reason.passes():
		x.tell(r, a, incident.StepRefused, string(reason))
		x.finish(r, incident.StepRefused, reason)
		return false
	case reason != Unconfirmed:
		x.refuse(r, reason)
		return false
	}
	if reason == Unconfirmed && r.Tries >= maxTries {
		x.tell(r, a, incident.StepRefused, string(Unconfirmed))
		x.finish(r, incident.StepRefused, Unconfirmed)
		return false
	}
	if len(x.commands) >= maxInFlight {
		if !r.Queued {
			r.Queued = true
			x.queue = append(x.queue, r.ID)
		}
		return false
	}
	r.Told = ""
	if reason == Unconfirmed {
		x.confirm(r, st)
	} else {
		r.GiveUp = time.Time{}
		x.send(r, st, a)
	}
	return false
}

// mode is how far a run may go: what a person starts is done, unless nothing is.
func (x *Engine) mode(r *Run, st *detect.Station) Mode {
	mode := x.modes.at(st)
	switch {
	case mode == Off:
		return Off
	case r.DryRun, r.By == "" && r.Book.DryRun:
		return DryRun
	case r.By != "":
		return On
	}
	return mode
}

// refuse says once why a step waits, and looks again later.
func (x *Engine) refuse(r *Run, reason Reason) {
	a := r.Book.Steps[min(r.Step, len(r.Book.Steps)-1)]
	if r.GiveUp.IsZero() {
		r.GiveUp = x.now.Add(r.Book.Limits.wait())
	}
	if !x.now.Before(r.GiveUp) {
		x.tell(r, a, incident.StepRefused, string(TooLong))
		x.finish(r, incident.StepRefused, TooLong)
		return
	}
	if r.Told != reason {
		r.Told, r.Tries = reason, 0
		x.tell(r, a, incident.StepRefused, string(reason))
	}
	next := x.now.Add(lookAgain)
	if next.After(r.GiveUp) {
		next = r.GiveUp
	}
	x.wake(r.ID, next, &r.Until)
}

// confirm asks how every port of a station is before it is reset.
func (x *Engine) confirm(r *Run, st *detect.Station) {
	r.Phase, r.At, r.AskedAt, r.HeardAt, r.Began = confirming, x.now, x.now, time.Time{}, false
	r.Tries++
	r.Sent = map[string]string{}
	if len(st.Ports) == 0 {
		x.ask(r, st, "Heartbeat", 0)
	}
	for i := range st.Ports {
		x.ask(r, st, statusNotification, st.Ports[i].EVSE)
	}
	x.wake(r.ID, x.now.Add(answerWithin), &r.Until)
}

func (x *Engine) ask(r *Run, st *detect.Station, message string, evse int) {
	action, payload := trigger(st, message, evse)
	x.command(r, action, payload, evse)
}

// command asks the outbox for one command of a step.
func (x *Engine) command(r *Run, action, payload string, detail any) string {
	r.Serial++
	k := key(r.ID, r.Serial, action, detail)
	r.Sent[k] = ""
	x.commands[k] = r.ID
	x.out.Intents = append(x.out.Intents, intent(k, r.Station, action, payload,
		"playbook "+r.Book.ID+", step "+strconv.Itoa(r.Step+1)+", incident "+r.Incident, x.now))
	return k
}

// send does a step.
func (x *Engine) send(r *Run, st *detect.Station, a PlaybookStep) {
	r.Phase, r.At, r.Sent, r.Began = answering, x.now, map[string]string{}, false
	r.Tries++
	if a.Do.disruptive() {
		r.Acts = true
		x.acting[r.Station] = r.ID
	}
	switch a.Do {
	case Trigger:
		message := a.Message
		if message == "" {
			message = statusNotification
		}
		evse := r.EVSE
		if evse == 0 && st.Is2x() && message == statusNotification {
			if len(st.Ports) > 0 {
				evse = st.Ports[0].EVSE
			} else {
				message = "Heartbeat"
			}
		}
		r.AskedAt, r.HeardAt = x.now, time.Time{}
		x.ask(r, st, message, evse)
	case AvailabilityCycle, Disable:
		for _, p := range places(st, r.EVSE) {
			action, payload := availability(st, p, false)
			x.owe(r, a, p, x.command(r, action, payload, p))
		}
		x.count(r.Station, attempt{At: x.now, What: a.Do, EVSE: r.EVSE, Key: r.ID})
	case SoftReset, HardReset:
		action, payload := reset(st, a.Do)
		x.count(r.Station, attempt{At: x.now, What: a.Do, Key: x.command(r, action, payload, a.Do)})
	case Unlock:
		action, payload := unlock(st, place{r.EVSE, st.Connectors(r.EVSE)[0]})
		x.count(r.Station, attempt{At: x.now, What: a.Do, EVSE: r.EVSE, Key: x.command(r, action, payload, a.Do)})
	}
	x.wake(r.ID, x.now.Add(answerWithin), &r.Until)
}

// sent hears that a command of a run is being sent.
func (x *Engine) sent(r *Run) {
	if r.Began || r.Phase != confirming && r.Phase != answering {
		return
	}
	r.Began = true
	a := r.Book.Steps[r.Step]
	if r.Phase == confirming {
		a = PlaybookStep{Do: Trigger}
	}
	x.tell(r, a, incident.StepSent, "")
}

// heard takes the outcome of one command of a run.
func (x *Engine) heard(r *Run, k string, v verdict, why string) {
	if _, ok := r.Sent[k]; !ok || r.Phase != confirming && r.Phase != answering {
		return
	}
	r.Sent[k] = string(v)
	worst := taken
	for _, got := range r.Sent {
		if got == "" {
			return
		}
		if rank(verdict(got)) > rank(worst) {
			worst = verdict(got)
		}
	}
	a := r.Book.Steps[r.Step]
	if r.Phase == confirming {
		if worst != taken {
			x.tell(r, PlaybookStep{Do: Trigger}, StepFailed, string(worst))
			x.tell(r, a, incident.StepRefused, string(Unconfirmed))
			x.finish(r, incident.StepRefused, Unconfirmed)
			return
		}
		r.Phase, r.HeardAt = hearing, x.now
		x.wake(r.ID, x.now.Add(statusWithin), &r.Until)
		x.advance(r)
		return
	}
	switch worst {
	case taken, later:
		if worst == later {
			x.tell(r, a, incident.StepScheduled, "")
		} else {
			x.tell(r, a, incident.StepAccepted, "")
		}
		x.works(r, a)
	case unsent:
		if r.Tries >= maxTries {
			x.tell(r, a, StepFailed, string(NotSent))
			x.finish(r, StepFailed, NotSent)
			return
		}
		r.Phase, r.Sent = ready, nil
		x.wake(r.ID, x.now.Add(lookAgain), &r.Until)
	case denied:
		x.tell(r, a, incident.StepRejected, why)
		x.finish(r, incident.StepRejected, "")
	case unknown:
		x.tell(r, a, incident.StepTimeout, string(NoAnswer)+": "+why)
		if a.Do.reset() || a.Do == AvailabilityCycle { // it may have been heard: the effect tells
			x.works(r, a)
			return
		}
		x.finish(r, incident.StepTimeout, NoAnswer)
	}
}

func rank(v verdict) int { return slices.Index([]verdict{taken, later, unsent, unknown, denied}, v) }

// works waits for the effect of what the station agreed to.
func (x *Engine) works(r *Run, a PlaybookStep) {
	r.Phase = working
	within := statusWithin
	switch {
	case a.Do == Trigger:
		r.HeardAt = x.now
	case a.Do.reset():
		within = bootWithin
	case a.Do == AvailabilityCycle:
		within = returnWithin
	}
	x.wake(r.ID, x.now.Add(within), &r.Until)
	x.advance(r)
}

// worked reports whether the effect of a step has shown; rang says that its
// time is over.
func (x *Engine) worked(r *Run, st *detect.Station, a PlaybookStep, rang bool) bool {
	shown := true
	switch {
	case a.Do == Trigger:
		switch a.Message {
		case "", statusNotification:
			shown = told(st, r.EVSE, r.AskedAt)
		case "BootNotification":
			shown = st.BootAt.Time().After(r.AskedAt)
		}
	case a.Do.reset():
		shown = st.Online && st.BootAt.Time().After(r.At)
	case a.Do == AvailabilityCycle:
		shown = !x.owes(r.ID)
	}
	switch {
	case shown:
		x.next(r, a, StepDone, "")
		return true
	case rang && a.Do == Trigger:
		x.tell(r, a, StepFailed, string(NoAnswer))
		x.finish(r, StepFailed, NoAnswer)
	case rang:
		x.tell(r, a, StepFailed, string(NotReturned))
		x.finish(r, StepFailed, NotReturned)
	}
	return false
}

// told reports whether a port, any port (0) or every port (-1) said how it is
// after a time.
func told(st *detect.Station, evse int, after time.Time) bool {
	switch {
	case evse > 0:
		p := st.Port(evse)
		return p != nil && p.HeardAt.Time().After(after)
	case evse == 0 && st.Own.HeardAt.Time().After(after):
		return true
	}
	any := false
	for i := range st.Ports {
		heard := st.Ports[i].HeardAt.Time().After(after)
		if evse < 0 && !heard {
			return false
		}
		any = any || heard
	}
	return any || evse < 0
}

// lost gives up a command whose outcome nobody tells.
func (x *Engine) lost(r *Run, a PlaybookStep) {
	for k := range r.Sent {
		delete(x.commands, k)
	}
	if !r.Began {
		x.tell(r, a, StepFailed, string(NotSent))
		x.finish(r, StepFailed, NotSent)
		return
	}
	x.tell(r, a, incident.StepTimeout, string(NoAnswer))
	x.finish(r, incident.StepTimeout, NoAnswer)
}

// next ends a step and goes to the one behind it.
func (x *Engine) next(r *Run, a PlaybookStep, outcome, reason string) {
	x.tell(r, a, outcome, reason)
	r.Step++
	r.Phase, r.Sent, r.Tries, r.Told = ready, nil, 0, ""
	r.GiveUp, r.Until, r.Queued = time.Time{}, time.Time{}, false
}

func (x *Engine) tell(r *Run, a PlaybookStep, outcome, reason string) {
	x.out.Steps = append(x.out.Steps, incident.RemedyStep{
		Incident: r.Incident, Playbook: r.Book.ID, Step: r.Step, Action: string(a.Do),
		Port: event.Port(r.Station, r.EVSE, 0).String(), Outcome: outcome, Reason: reason, At: x.now,
	})
}

// finish ends a run; the next in the line of its station comes to work.
func (x *Engine) finish(r *Run, outcome string, reason Reason) {
	if outcome == StepOvertaken || outcome == StepFailed && reason == "removed" {
		x.tell(r, PlaybookStep{Do: "playbook"}, outcome, string(reason))
	}
	for k := range r.Sent {
		delete(x.commands, k)
	}
	delete(x.runs, r.ID)
	line := slices.DeleteFunc(x.lines[r.Station], func(id string) bool { return id == r.ID })
	if r.Acts {
		x.rest(r)
		delete(x.acting, r.Station)
	}
	if len(line) == 0 {
		delete(x.lines, r.Station)
		return
	}
	x.lines[r.Station] = line
	x.advance(x.runs[line[0]])
}
