package access

import (
	"strings"
	"time"

	"github.com/cedar-policy/cedar-go"

	"github.com/chargewatch/chargewatch/internal/week"
)

// allowed names the row that permitted; of several the first by id, so that the
// same request has the same answer.
func (b *Book) allowed(d *Decision, reasons []cedar.DiagnosticReason) {
	d.Code, d.Policy = Allowed, first(reasons)
	d.Reason = "allowed by " + quoted(b.Name(d.Policy))
}

func first(reasons []cedar.DiagnosticReason) string {
	var id string
	for _, r := range reasons {
		if x := string(r.PolicyID); id == "" || x < id {
			id = x
		}
	}
	return id
}

// Name is what people call a row, scenario or written policy.
func (b *Book) Name(id string) string {
	switch {
	case b.byID[id] != nil:
		return b.byID[id].Name
	case b.scenarios[id] != nil:
		return b.scenarios[id].Name
	case b.written[id] != nil:
		return b.written[id].Name
	}
	return id
}

// denied finds the reason that helps most: what forbids, else the row that came
// nearest to permitting.
func (b *Book) denied(d *Decision, r *Request, reasons []cedar.DiagnosticReason) {
	if id := first(reasons); id != "" {
		d.Policy = id
		if x := b.scenarios[id]; x != nil {
			d.Code, d.Reason = Lockdown, "denied: "+quoted(x.Name)+" is active"
		} else {
			d.Code, d.Reason = Forbidden, "denied by "+quoted(b.Name(id))
		}
		return
	}
	d.Code, d.Reason = NoRight, "denied: no right at this place"
	near := -1
	for at := range b.slices(r.Place.Site) {
		for _, x := range at.rows {
			code, reason, steps := b.judge(x, r)
			if steps > near && steps > 0 || steps == near && steps > 0 && x.ID < d.Policy {
				near, d.Code, d.Policy, d.Reason = steps, code, x.ID, "denied: "+reason
			}
		}
	}
}

// Steps that a row is near to permitting.
const (
	elsewhere = iota // it is about others, or other places
	notNow           // its time has not come, or is over
	closed
	withoutPIN
	permits
)

// judge tells what a row says about a request, and how near it is to permitting.
func (b *Book) judge(x *Row, r *Request) (code Code, reason string, near int) {
	if !names(x.To, r.Credential, r.Person) || !about(x.Kinds, x.Places, x.Sites, r.Place) {
		return NoRight, "", elsewhere
	}
	local := r.local()
	if r.Now.Before(x.From) {
		return NotInForce, quoted(x.Name) + " holds from " + x.From.In(local.Location()).Format("2006-01-02 15:04"), notNow
	}
	if !x.Until.IsZero() && !r.Now.Before(x.Until) {
		return NotInForce, quoted(x.Name) + " held until " + x.Until.In(local.Location()).Format("2006-01-02 15:04"), notNow
	}
	if s := b.schedules[x.Schedule]; s != nil {
		c := b.calendars[s.Calendar]
		switch holds, off := s.open(local, c); {
		case off:
			day := local
			if !c.off(day) {
				day = local.AddDate(0, 0, -1)
			}
			return Holiday, c.Days[DateOf(day)] + " is a day off for " + quoted(x.Name), closed
		case !holds:
			return OutsideHours, "outside " + s.String() + " of " + quoted(x.Name), closed
		}
	}
	if x.PIN && !r.PINGiven {
		return NeedsPIN, quoted(x.Name) + " wants a PIN as well", withoutPIN
	}
	return Allowed, "", permits
}

func quoted(name string) string { return "“" + name + "”" }

// String is a schedule in short: Mon-Fri 06:00-22:00, Sat 08:00-14:00.
func (s *Schedule) String() string {
	if len(s.Open) == 0 {
		return "a schedule that is never open"
	}
	parts := make([]string, 0, len(s.Open))
	for _, span := range s.Open {
		end := week.Clock(span.To)
		if span.To == 0 {
			end = week.Clock(week.MinutesOfDay)
		}
		part := week.Clock(span.From) + "-" + end
		if span.Days != week.Every {
			part = days(span.Days) + " " + part
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// days writes runs of days from Monday on.
func days(d week.Days) string {
	var parts []string
	name := func(i int) string { return time.Weekday((i + 1) % 7).String()[:3] }
	has := func(i int) bool { return i < 7 && d.Has(time.Weekday((i+1)%7)) }
	for i := 0; i < 7; i++ {
		if !has(i) {
			continue
		}
		begin := i
		for has(i + 1) {
			i++
		}
		switch {
		case i == begin:
			parts = append(parts, name(i))
		case i == begin+1:
			parts = append(parts, name(begin), name(i))
		default:
			parts = append(parts, name(begin)+"-"+name(i))
		}
	}
	return strings.Join(parts, ", ")
}

// Cedar is the policy that is made of a row; empty for one that is not there.
func (b *Book) Cedar(id string) string {
	x := b.byID[id]
	if x == nil {
		return ""
	}
	return x.Policy(b.schedules[x.Schedule])
}
