package access

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/week"
)

// PlugRequest is what the list of a station is made of, beside the rows.
type PlugRequest struct {
	Now     time.Time
	Zone    *time.Location // nil: UTC
	Places  []Place        // the EVSEs of the station
	Holders []Holder
}

// Plug is somebody whom a station may serve while nobody else can be asked.
type Plug struct {
	Credential *Credential
	Until      time.Time // zero: without an end that is known
	Named      bool      // by a row, and not just as anyone: staff, technicians, tenants
}

// Plugs is whom a station is to serve by itself.
type Plugs struct {
	Allowed []Plug // by id of the credential
	// Online are the ids of policies that only the server evaluates each time.
	Online []string
	Left   []Left
}

// Beside those of doors: why somebody is not on the list of a station.
const (
	LeftHours     LeftWhy = "hours"     // may at other hours, which a list of OCPP cannot say
	LeftPart      LeftWhy = "part"      // may at some EVSEs of the station, and the list is for all of them
	LeftForbidden LeftWhy = "forbidden" // by a written policy, now
)

// plugHorizon is how many days are looked ahead for the end of a permission.
const plugHorizon = 400

// Plugs makes the list of a station of the rows. A list of OCPP knows no hours and no
// single EVSEs, only an end for each card: somebody who may at hours is on it while
// they last, until their end, and somebody who may at a part of the station is left
// out. So the station never serves who would be refused here, but for what Online
// names.
func (b *Book) Plugs(r PlugRequest) Plugs {
	if r.Zone == nil {
		r.Zone = time.UTC
	}
	p := plugger{
		book: b, r: &r, ends: map[string]permission{},
		days: lister{book: b, r: &ListRequest{Zone: r.Zone}},
	}
	return p.compile()
}

type plugger struct {
	book *Book
	r    *PlugRequest
	days lister
	ends map[string]permission // of rows, by their ids
}

// permission is whether rows permit now, and until when.
type permission struct {
	now   bool
	until time.Time // zero: beyond the horizon
}

func (p *plugger) compile() Plugs {
	var out Plugs
	if len(p.r.Places) == 0 {
		return out
	}
	for _, id := range slices.Sorted(maps.Keys(p.book.written)) {
		if x := p.book.written[id]; len(x.Sites) == 0 || slices.Contains(x.Sites, p.r.Places[0].Site) {
			out.Online = append(out.Online, id)
		}
	}
	for i := range p.r.Holders {
		h := &p.r.Holders[i]
		plug, why, row := p.one(h, len(out.Online) > 0)
		switch {
		case why != "":
			out.Left = append(out.Left, Left{Credential: h.Credential.ID, Row: row, Why: why})
		case plug.Credential != nil:
			out.Allowed = append(out.Allowed, plug)
		}
	}
	slices.SortFunc(out.Allowed, func(a, b Plug) int { return strings.Compare(a.Credential.ID, b.Credential.ID) })
	slices.SortFunc(out.Left, func(a, b Left) int { return strings.Compare(a.Credential, b.Credential) })
	return out
}

// one says until when a holder may charge at every EVSE of the station, or why not
// although a row is about them.
func (p *plugger) one(h *Holder, written bool) (plug Plug, why LeftWhy, row string) {
	until, valid := p.valid(h)
	if !valid {
		return plug, "", ""
	}
	plug.Until = until
	served, coded, hours := 0, "", ""
	for _, place := range p.r.Places {
		if !p.entered(place, h) {
			continue
		}
		rows, pin, named := p.rows(place, h)
		if len(rows) == 0 {
			if pin != "" {
				coded = pin
			}
			continue
		}
		span := p.span(rows)
		if !span.now {
			hours = rows[0].ID
			continue
		}
		served++
		plug.Named = plug.Named || named
		plug.Until = sooner(plug.Until, span.until)
	}
	switch {
	case served == len(p.r.Places):
	case served > 0:
		return plug, LeftPart, ""
	case hours != "":
		return plug, LeftHours, hours
	case coded != "":
		return plug, LeftNoKeypad, coded
	default:
		return Plug{}, "", ""
	}
	if written && !p.allowed(h) {
		return plug, LeftForbidden, ""
	}
	plug.Credential = h.Credential
	return plug, "", ""
}

// valid reports whether a credential and its person are good now, and until when.
func (p *plugger) valid(h *Holder) (time.Time, bool) {
	c, who, now := h.Credential, h.Person, p.r.Now
	switch {
	case c.Status != Accepted, now.Before(c.From), !c.ExpiresAt.IsZero() && !now.Before(c.ExpiresAt):
		return time.Time{}, false
	case c.Person == "":
		return c.ExpiresAt, who == nil
	case who == nil || who.ID != c.Person || who.Suspended || !who.Until.IsZero() && !now.Before(who.Until):
		return time.Time{}, false
	}
	return sooner(c.ExpiresAt, who.Until), true
}

// entered reports whether no lockdown keeps a holder from a place.
func (p *plugger) entered(place Place, h *Holder) bool {
	for _, x := range p.book.scenarios {
		if x.Active && about(x.Kinds, x.Places, x.Sites, place) && !names(x.Except, h.Credential, h.Person) {
			return false
		}
	}
	return true
}

// rows are those that permit a holder at a place; pin is one that wants a code, which
// no station asks for.
func (p *plugger) rows(place Place, h *Holder) (rows []*Row, pin string, named bool) {
	for at := range p.book.slices(place.Site) {
		for _, x := range at.rows {
			switch {
			case !names(x.To, h.Credential, h.Person) || !about(x.Kinds, x.Places, x.Sites, place):
			case x.PIN:
				pin = x.ID
			default:
				rows = append(rows, x)
				named = named || !slices.ContainsFunc(x.To, func(to Principal) bool { return to.Anyone })
			}
		}
	}
	return rows, pin, named
}

// span says how long rows permit without a break.
func (p *plugger) span(rows []*Row) permission {
	always, key := false, strings.Builder{}
	for _, x := range rows {
		always = always || x.Schedule == "" && x.From.IsZero() && x.Until.IsZero()
		key.WriteString(x.ID)
		key.WriteByte('\n')
	}
	if always {
		return permission{now: true}
	}
	out, known := p.ends[key.String()]
	if !known {
		out = p.walk(rows)
		p.ends[key.String()] = out
	}
	return out
}

func (p *plugger) walk(rows []*Row) permission {
	local := p.r.Now.In(p.r.Zone)
	day, minute := dayOf(local), local.Hour()*60+local.Minute()
	for range plugHorizon {
		parts := p.days.on(day, rows, nil)
		i := slices.IndexFunc(parts, func(x part) bool { return x.from <= minute && minute < x.to })
		if i < 0 {
			return permission{now: minute == 0 && day.After(dayOf(local)), until: p.wall(day, minute)}
		}
		if parts[i].to < 24*60 {
			return permission{now: true, until: p.wall(day, parts[i].to)}
		}
		day, minute = day.AddDate(0, 0, 1), 0
	}
	return permission{now: true}
}

// wall is when the clock at the place shows a minute of a day.
func (p *plugger) wall(day time.Time, minute int) time.Time {
	y, m, d := day.Date()
	return week.Wall(y, m, d, minute, p.r.Zone)
}

// allowed asks all policies, as they are now.
func (p *plugger) allowed(h *Holder) bool {
	for _, place := range p.r.Places {
		d := p.book.Decide(Request{
			Now: p.r.Now, TokenID: h.Credential.TokenID, Credential: h.Credential, Person: h.Person, Action: Charge, Place: place, Zone: p.r.Zone,
		})
		if d.Status != Accepted {
			return false
		}
	}
	return true
}

// sooner is the earlier of two ends; zero is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Concerns is the same for places at which the same people may do the same: the rows,
// lockdowns and written policies that are about it.
func (b *Book) Concerns(p Place) string {
	var out strings.Builder
	for at := range b.slices(p.Site) {
		for _, x := range at.rows {
			if about(x.Kinds, x.Places, x.Sites, p) {
				out.WriteString(x.ID + " ")
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(b.scenarios)) {
		if x := b.scenarios[id]; x.Active && about(x.Kinds, x.Places, x.Sites, p) {
			out.WriteString(id + " ")
		}
	}
	for _, id := range slices.Sorted(maps.Keys(b.written)) {
		if x := b.written[id]; len(x.Sites) == 0 || slices.Contains(x.Sites, p.Site) {
			out.WriteString(id + " " + p.ID + p.Site + " ") // it may name the place itself
		}
	}
	return out.String()
}
