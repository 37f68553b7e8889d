package attempt

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

func (s *state) status(at time.Time, evse int, b *event.Status) {
	p := s.find(evse)
	if p == nil {
		if b.Status != "Preparing" && b.Status != "Occupied" && b.Status != "Charging" {
			return
		}
		if p = s.port(evse); p == nil {
			return
		}
	}
	p.pause(at)
	if p.open != nil && b.Status != "Available" && b.Status != "Reserved" { // the end takes nothing back
		p.noteCode(b.ErrorCode, b.VendorErrorCode)
	}
	switch b.Status {
	case "Preparing", "Occupied":
		if p.open == nil && p.idle {
			p.begin(at, Plugged)
			p.noteCode(b.ErrorCode, b.VendorErrorCode)
			s.seat(p)
		} else if p.open != nil {
			p.reach(Plugged)
		}
	case "Charging":
		// Without a try it goes on from before what is known, or its transaction is
		// about to be told.
		p.charging, p.faulted, p.suspended = at, false, ""
	case "SuspendedEV", "SuspendedEVSE":
		p.suspended = b.Status
	case "Available", "Reserved":
		if p.open != nil && !p.started {
			s.close(at, p, p.gaveUp(), "")
		}
		p.idle = p.open == nil
	case "Faulted":
		if p.open != nil {
			p.faulted, p.fault = true, p.wordOf(b)
			if !p.started {
				s.close(at, p, Faulted, p.fault)
			}
		}
	case "Unavailable":
		if p.open != nil && !p.started {
			s.close(at, p, TakenOut, "")
		}
	}
}

// pause counts the time in which power flowed until now.
func (p *port) pause(at time.Time) {
	if !p.charging.IsZero() && p.open != nil {
		p.charged += max(0, at.Sub(p.charging))
	}
	p.charging = time.Time{}
}

// noteCode keeps the error that a station reports, and lets go of one it takes
// back. A report without a code says nothing about one of OCPP 2.x.
func (p *port) noteCode(code, vendor string) {
	switch vendor {
	case "0", "None", "NoError":
		vendor = ""
	}
	switch {
	case code == "NoError":
		p.open.Code = ""
	case vendor != "" && (code != "" || p.open.Code == ""):
		p.open.Code = clip(vendor)
	case code != "":
		p.open.Code = clip(code)
	}
}

// wordOf is the word that a station has for its fault.
func (p *port) wordOf(b *event.Status) string {
	switch {
	case b.ErrorCode != "" && b.ErrorCode != "NoError":
		return clip(b.ErrorCode)
	case b.VendorErrorCode != "":
		return clip(b.VendorErrorCode)
	}
	return p.open.Code
}

// component takes the errors that OCPP 2.x reports apart from the status.
func (s *state) component(b *event.Component) {
	for _, item := range b.Items {
		p := s.find(item.EVSE)
		if p == nil || p.open == nil {
			continue
		}
		switch item.Variable {
		case "Problem", "Tripped", "Overload", "Fallback":
		default:
			continue
		}
		code := item.TechCode
		if code == "" {
			code = item.Component
		}
		switch {
		case item.Cleared || item.Value != "true" && item.Value != "1":
			if p.open.Code == clip(code) {
				p.open.Code = ""
			}
		default:
			p.open.Code = clip(code)
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
func (s *state) seat(p *port) {
	fits := func(w *Attempt) bool { return w.EVSE == 0 || w.EVSE == p.open.EVSE }
	i := slices.IndexFunc(s.waiting, fits)
	if i < 0 || slices.ContainsFunc(s.waiting[i+1:], fits) {
		return
	}
	s.take(p, i)
}

// take joins a waiting token with the try at a port.
func (s *state) take(p *port, i int) {
	w := s.waiting[i]
	s.waiting = slices.Delete(s.waiting, i, i+1)
	a := p.open
	a.Token, a.Tries, a.Remote = w.Token, a.Tries+w.Tries, a.Remote || w.Remote
	if w.At.Before(a.At) {
		a.At = w.At
	}
	p.reach(Authorised)
}

func (s *state) authorize(at time.Time, b *event.Authorize) {
	token := clip(b.TokenID)
	for _, p := range s.ports { // to stop one's own session is no new try
		if p.open != nil && p.started && p.open.Token == token {
			return
		}
	}
	// The one car that waits for a token.
	var p *port
	for _, x := range s.ports {
		if x.open == nil || x.started || x.open.Token != "" && x.open.Token != token {
			continue
		}
		if p != nil {
			p = nil
			break
		}
		p = x
	}
	if b.Status != "Accepted" {
		s.turnAway(at, p, token, b.Status)
		return
	}
	if p != nil {
		p.open.Token, p.open.Tries = token, p.open.Tries+1
		p.reach(Authorised)
		return
	}
	for _, w := range s.waiting {
		if w.Token == token {
			w.Tries++
			return
		}
	}
	s.wait(at, &Attempt{At: at, Token: token, Stage: Authorised, Tries: 1})
}

// turnAway tells of a token that was refused. The car may stay and another
// token be tried.
func (s *state) turnAway(at time.Time, p *port, token, status string) {
	why := refusal(status)
	for i := len(s.refused) - 1; i >= 0; i-- {
		last := s.refused[i]
		if last.Token == token && last.Reason == why && at.Sub(last.EndsAt) <= againWithin {
			last.Tries++
			last.EndsAt = later(at, last.EndsAt)
			last.Again = true
			s.done = append(s.done, last)
			s.refused[i] = last
			return
		}
	}
	a := Attempt{At: at, EndsAt: at, Token: token, Stage: Presented, Failed: true, Reason: why, Side: why.Side(), Detail: clip(status), Tries: 1, Late: s.late}
	if p != nil {
		a.EVSE, a.Stage = p.open.EVSE, Plugged
	}
	s.tell(a)
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

func (s *state) boot(at time.Time) {
	for _, p := range s.ports {
		if p.open != nil && !p.started {
			s.close(at, p, Restarted, "")
			p.idle = true
		}
	}
}
