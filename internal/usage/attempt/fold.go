package attempt

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// fold is the state of one station while its events are read.
type fold struct {
	done     []*Attempt
	ports    map[int]*port
	waiting  []*Attempt // accepted tokens that found no port yet
	commands map[string]*asked
}

// port is what is going on at an EVSE.
type port struct {
	open *Attempt
	// idle is true when the port was last free; a car that stays after its
	// transaction begins no new try.
	idle       bool
	started    bool // the transaction of open is open
	lost       bool // the station was away meanwhile
	fault      string
	meterStart *float64
	charging   time.Time // since when power is said to flow
	charged    time.Duration
}

// asked is a start from afar that has no answer yet.
type asked struct {
	at    time.Time
	evse  int
	token string
}

func (f *fold) port(evse int) *port {
	p := f.ports[evse]
	if p == nil {
		p = &port{idle: true}
		f.ports[evse] = p
	}
	return p
}

func (f *fold) apply(e *event.Event) {
	evse := e.Subject.EVSE
	switch b := e.Body.(type) {
	case *event.Status:
		if evse > 0 {
			f.status(e.At, evse, b)
		}
	case *event.Transaction:
		f.transaction(e.At, evse, b)
	case *event.Authorize:
		f.authorize(e.At, b)
	case *event.Disconnected:
		for _, p := range f.ports {
			p.lost = p.lost || p.open != nil && !p.started
		}
	case *event.Boot:
		f.boot(e.At)
	case *event.Command:
		f.command(e.At, b)
	case *event.CommandResult:
		f.commandResult(e.At, b)
	case *event.SessionInferred:
		for _, p := range f.ports {
			if p.open != nil && p.started && p.open.TransactionID == b.TransactionID {
				f.endTransaction(later(b.EndedAt, p.open.At), p, EndUnknown, b.Evidence)
			}
		}
	}
}

// begin opens a try at a port unless one goes on there.
func (f *fold) begin(at time.Time, evse int, stage Stage) *port {
	p := f.port(evse)
	if p.open == nil {
		*p = port{open: &Attempt{At: at, EVSE: evse, Stage: stage}, charging: p.charging}
	}
	p.idle = false
	p.reach(stage)
	return p
}

func (p *port) reach(stage Stage) {
	if stage.rank() > p.open.Stage.rank() {
		p.open.Stage = stage
	}
}

// close ends the try at a port. The port counts as taken until it says that it
// is free.
func (f *fold) close(at time.Time, p *port, why Reason, detail string) {
	a := p.open
	a.EndsAt, a.Reason, a.Detail, a.Failed = at, why, detail, why != None
	f.done = append(f.done, a)
	*p = port{}
}

func (f *fold) status(at time.Time, evse int, b *event.Status) {
	p := f.port(evse)
	if !p.charging.IsZero() {
		p.charged += max(0, at.Sub(p.charging))
		p.charging = time.Time{}
	}
	switch b.Status {
	case "Preparing", "Occupied":
		if p.open == nil && p.idle {
			p = f.begin(at, evse, Plugged)
			f.seat(p)
		} else if p.open != nil {
			p.reach(Plugged)
		}
	case "Charging":
		// Without a try it goes on from before what is known, or its transaction is
		// about to be told.
		p.charging = at
	case "Available", "Reserved":
		p.charging = time.Time{}
		if p.open != nil && !p.started {
			f.close(at, p, p.gaveUp(), p.fault)
		}
		p.idle = p.open == nil
	case "Faulted":
		if p.open != nil {
			if p.fault = b.ErrorCode; p.fault == "" || p.fault == "NoError" {
				p.fault = b.VendorErrorCode
			}
			if !p.started {
				f.close(at, p, Faulted, p.fault)
			}
		}
	case "Unavailable":
		if p.open != nil && !p.started {
			f.close(at, p, TakenOut, "")
		}
	}
}

// gaveUp is why a try ended that opened no transaction.
func (p *port) gaveUp() Reason {
	switch {
	case p.lost:
		return StationLost
	case p.open.Token == "" && !p.open.Remote:
		return NoToken
	}
	return NotStarted
}

// seat gives a port the token that waits for one, if it is the only one.
func (f *fold) seat(p *port) {
	fits := func(w *Attempt) bool { return w.EVSE == 0 || w.EVSE == p.open.EVSE }
	i := slices.IndexFunc(f.waiting, fits)
	if i < 0 || slices.ContainsFunc(f.waiting[i+1:], fits) {
		return
	}
	f.take(p, i)
}

// take joins a waiting token with the try at a port.
func (f *fold) take(p *port, i int) {
	w := f.waiting[i]
	f.waiting = slices.Delete(f.waiting, i, i+1)
	a := p.open
	a.Token, a.Tries, a.Remote = w.Token, a.Tries+w.Tries, a.Remote || w.Remote
	if w.At.Before(a.At) {
		a.At = w.At
	}
	p.reach(Authorised)
}

func (f *fold) authorize(at time.Time, b *event.Authorize) {
	for _, p := range f.ports { // to stop one's own session is no new try
		if p.open != nil && p.started && p.open.Token == b.TokenID {
			return
		}
	}
	// The one car that waits for a token.
	var p *port
	for _, x := range f.ports {
		if x.open == nil || x.started || x.open.Token != "" && x.open.Token != b.TokenID {
			continue
		}
		if p != nil {
			p = nil
			break
		}
		p = x
	}
	if b.Status != "Accepted" {
		f.refused(at, p, b)
		return
	}
	if p != nil {
		p.open.Token, p.open.Tries = b.TokenID, p.open.Tries+1
		p.reach(Authorised)
		return
	}
	for _, w := range f.waiting {
		if w.Token == b.TokenID {
			w.Tries++
			return
		}
	}
	f.waiting = append(f.waiting, &Attempt{At: at, Token: b.TokenID, Stage: Authorised, Tries: 1})
}

// refused writes down a token that was turned away. The car may stay and
// another token be tried.
func (f *fold) refused(at time.Time, p *port, b *event.Authorize) {
	why := refusal(b.Status)
	for i := len(f.done) - 1; i >= 0; i-- {
		last := f.done[i]
		if last.Token == b.TokenID && last.Reason == why && at.Sub(last.EndsAt) <= againWithin {
			last.Tries++
			last.EndsAt = at
			return
		}
	}
	a := &Attempt{At: at, EndsAt: at, Token: b.TokenID, Stage: Presented, Failed: true, Reason: why, Detail: b.Status, Tries: 1}
	if p != nil {
		a.EVSE, a.Stage = p.open.EVSE, Plugged
	}
	f.done = append(f.done, a)
}

func refusal(status string) Reason {
	switch status {
	case "Invalid", "Unknown":
		return TokenUnknown
	case "Blocked":
		return TokenBlocked
	case "Expired":
		return TokenExpired
	case "ConcurrentTx":
		return TokenInUse
	case "NoCredit":
		return TokenNoCredit
	case "NotAtThisLocation", "NotAtThisTime", "NotAllowedTypeEVSE":
		return TokenNotHere
	}
	return TokenRefused
}

func (f *fold) boot(at time.Time) {
	for _, evse := range f.order() {
		if p := f.ports[evse]; p.open != nil && !p.started {
			f.close(at, p, Restarted, "")
			p.idle = true
		}
	}
}

func (f *fold) command(at time.Time, b *event.Command) {
	if b.Action != "RemoteStartTransaction" && b.Action != "RequestStartTransaction" {
		return
	}
	var ask struct {
		IDTag       string `json:"idTag"`
		ConnectorID int    `json:"connectorId"`
		EVSEID      int    `json:"evseId"`
		IDToken     struct {
			IDToken string `json:"idToken"`
		} `json:"idToken"`
	}
	if json.Unmarshal(b.Payload, &ask) != nil {
		return
	}
	// Recorded payloads carry tokens by reference.
	token, _ := strings.CutPrefix(ask.IDTag+ask.IDToken.IDToken, tokenRef)
	f.commands[b.CommandID] = &asked{at: at, evse: ask.EVSEID + ask.ConnectorID, token: token}
}

// tokenRef stands before a token in a recorded payload.
const tokenRef = "idToken:"

func (f *fold) commandResult(at time.Time, b *event.CommandResult) {
	c, ok := f.commands[b.CommandID]
	if !ok {
		return
	}
	delete(f.commands, b.CommandID)
	var answer struct {
		Status string `json:"status"`
	}
	a := &Attempt{At: c.at, EVSE: c.evse, Token: c.token, Stage: Presented, Remote: true}
	switch {
	case b.Status != "answered":
		a.Reason, a.Detail = RemoteLost, b.Status
	case json.Unmarshal(b.Response, &answer) == nil && answer.Status == "Accepted":
		for _, p := range f.ports { // the start may be told before its answer
			if p.open != nil && p.open.Token == c.token && (c.evse == 0 || p.open.EVSE == c.evse) {
				p.open.Remote = true
				return
			}
		}
		a.Stage = Authorised
		f.waiting = append(f.waiting, a)
		if p, ok := f.ports[c.evse]; ok && p.open != nil && !p.started && p.open.Token == "" {
			f.take(p, len(f.waiting)-1)
		}
		return
	default:
		a.Reason, a.Detail = RemoteRefused, answer.Status
	}
	a.EndsAt, a.Failed = at, true
	f.done = append(f.done, a)
}

// expire gives up tokens that waited for a car long enough.
func (f *fold) expire(now time.Time) {
	f.waiting = slices.DeleteFunc(f.waiting, func(w *Attempt) bool {
		if now.Sub(w.At) < tokenWait {
			return false
		}
		w.EndsAt, w.Reason, w.Failed = w.At.Add(tokenWait), NeverPlugged, true
		f.done = append(f.done, w)
		return true
	})
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func (f *fold) order() []int {
	evses := make([]int, 0, len(f.ports))
	for evse := range f.ports {
		evses = append(evses, evse)
	}
	slices.Sort(evses)
	return evses
}

func (f *fold) finish() []Attempt {
	all := slices.Concat(f.done, f.waiting)
	for _, evse := range f.order() {
		if p := f.ports[evse]; p.open != nil {
			if p.started && (!p.charging.IsZero() || p.charged > 0) {
				p.reach(Energy)
			}
			all = append(all, p.open)
		}
	}
	slices.SortStableFunc(all, func(a, b *Attempt) int { return a.At.Compare(b.At) })
	out := make([]Attempt, len(all))
	for i, a := range all {
		out[i] = *a
	}
	return out
}
