package access

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/week"
)

// ListDoor is a door of a controller; one without a place is not used.
type ListDoor struct {
	Place  Place
	Keypad bool
	// Online is set where only the server lets in: cards are known there, and have no right.
	Online bool
}

// Holder is somebody whose card a controller can read.
type Holder struct {
	Number     uint32
	PIN        uint32 // 0: none
	Credential *Credential
	Person     *Person // nil: nobody's by name
}

// ListRequest is what lists are made of, beside the rows.
type ListRequest struct {
	Now     time.Time
	Zone    *time.Location // nil: UTC
	Doors   [ListDoors]ListDoor
	Holders []Holder
	// Have is what is on the controller. What holds already keeps the ids of its
	// profiles, and no profile changes its meaning while a card has it, if there is room.
	Have Lists
}

// Compiled is what a controller is to have.
type Compiled struct {
	Lists
	// Locked says of each door whether a lockdown that leaves out nobody holds there,
	// which is a mode of the door and changes no list.
	Locked [ListDoors]bool
	// Online are, for each door, the ids of policies that only the server knows: the
	// controller lets in whom they forbid.
	Online [ListDoors][]string
	Left   []Left
}

// Left is somebody who may enter, and whom the controller will refuse.
type Left struct {
	Credential string
	Door       int    // from 1
	Row        string // that permits it; empty: more than one may
	Why        LeftWhy
}

// LeftWhy is why somebody is not on the lists.
type LeftWhy string

// Why somebody is not on the lists.
const (
	LeftNoKeypad LeftWhy = "noKeypad" // the row wants a code, and the door cannot ask for it
	LeftNoPIN    LeftWhy = "noPin"    // the row wants a code, and the person has none
	LeftFull     LeftWhy = "full"     // the controller has no room for more times
	LeftTwice    LeftWhy = "twice"    // two credentials have the number of the card
)

// Lists makes the lists of a controller of the rows. It never lets in who would
// not be let in here, but for what Online names.
//
// Controllers know neither days off nor rows that begin or end at an hour: both are
// written as profiles of the days between.
func (b *Book) Lists(r ListRequest) Compiled {
	if r.Zone == nil {
		r.Zone = time.UTC
	}
	var out Compiled
	for _, from := range horizons(r.Now.In(r.Zone)) {
		l := lister{book: b, r: &r, from: from[0], to: from[1], times: map[string][]Profile{}}
		out = l.compile()
		if !slices.ContainsFunc(out.Left, func(x Left) bool { return x.Why == LeftFull }) {
			break
		}
	}
	return out
}

// horizons are the times for which lists are made: as long as there is room for.
// They begin and end with years and months, so that lists stay as they are.
func horizons(now time.Time) [][2]time.Time {
	y, m, d := now.Date()
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	return [][2]time.Time{
		{day(y, 1, 1), day(y+1, 12, 31)},
		{day(y, m, 1), day(y, m+4, 0)},
		{day(y, m, d), day(y, m, d+13)},
	}
}

type lister struct {
	book     *Book
	r        *ListRequest
	from, to time.Time            // days, at midnight UTC
	times    map[string][]Profile // of some rows, by what makes them; none: never
}

// always stands for every time there is.
func always() []Profile { return []Profile{{Linked: Always}} }

func (l *lister) compile() Compiled {
	out := Compiled{Lists: Lists{Cards: map[uint32]ListCard{}, Profiles: map[uint8]Profile{}}}
	shut := [ListDoors]bool{}
	for i, d := range l.r.Doors {
		if d.Place.ID == "" {
			continue
		}
		out.Locked[i], shut[i] = l.locked(d.Place)
		for _, id := range slices.Sorted(maps.Keys(l.book.written)) {
			if x := l.book.written[id]; len(x.Sites) == 0 || slices.Contains(x.Sites, d.Place.Site) {
				out.Online[i] = append(out.Online[i], id)
			}
		}
	}
	twice := map[uint32]int{}
	for i := range l.r.Holders {
		twice[l.r.Holders[i].Number]++
	}
	ids := l.ids()
	holders := slices.Clone(l.r.Holders)
	slices.SortFunc(holders, func(a, b Holder) int { return strings.Compare(a.Credential.ID, b.Credential.ID) })
	for i := range holders {
		h := &holders[i]
		card, valid := l.card(h)
		if !valid {
			continue
		}
		if twice[h.Number] > 1 {
			out.Left = append(out.Left, Left{Credential: h.Credential.ID, Why: LeftTwice})
			continue
		}
		some := false
		for n, d := range l.r.Doors {
			if d.Place.ID == "" || shut[n] && !l.spared(d.Place, h) {
				continue
			}
			times := l.permitted(h, n, &out)
			if d.Online {
				some = some || len(times) > 0
				continue
			}
			right, ok := ids.of(times)
			if !ok {
				out.Left = append(out.Left, Left{Credential: h.Credential.ID, Door: n + 1, Why: LeftFull})
				continue
			}
			card.Rights[n] = right
			some = some || right != Never
		}
		if some {
			out.Cards[h.Number] = card
		}
	}
	maps.Copy(out.Profiles, ids.given)
	return out
}

// locked reports whether a lockdown holds at a place that leaves out nobody, and
// whether one does that leaves out some.
func (l *lister) locked(p Place) (all, most bool) { return l.book.locked(p) }

// Locked reports whether a lockdown that leaves out nobody holds at a place.
func (b *Book) Locked(p Place) bool {
	all, _ := b.locked(p)
	return all
}

func (b *Book) locked(p Place) (all, most bool) {
	for _, x := range b.scenarios {
		if x.Active && about(x.Kinds, x.Places, x.Sites, p) {
			all = all || len(x.Except) == 0
			most = most || len(x.Except) > 0
		}
	}
	return all, most
}

// spared reports whether every lockdown with exceptions leaves somebody out.
func (l *lister) spared(p Place, h *Holder) bool {
	for _, x := range l.book.scenarios {
		if x.Active && len(x.Except) > 0 && about(x.Kinds, x.Places, x.Sites, p) && !names(x.Except, h.Credential, h.Person) {
			return false
		}
	}
	return true
}

// card is somebody's without rights; not valid is who may enter nowhere.
func (l *lister) card(h *Holder) (ListCard, bool) {
	c, p := h.Credential, h.Person
	if h.Number == 0 || c.Status != Accepted || c.Person != "" && (p == nil || p.ID != c.Person) || p != nil && p.Suspended {
		return ListCard{}, false
	}
	from, to := l.from, l.to
	for _, b := range l.bounds(h) {
		if !b.from.IsZero() {
			from = later(from, dayOf(b.from.In(l.r.Zone)))
		}
		if !b.until.IsZero() {
			to = earlier(to, dayOf(b.until.Add(-time.Nanosecond).In(l.r.Zone)))
		}
	}
	if to.Before(from) {
		return ListCard{}, false
	}
	return ListCard{From: DateOf(from), To: DateOf(to), PIN: h.PIN}, true
}

// bound is a time in which something holds; zero is no limit.
type bound struct{ from, until time.Time }

func (l *lister) bounds(h *Holder) []bound {
	out := []bound{{h.Credential.From, h.Credential.ExpiresAt}}
	if h.Person != nil {
		out = append(out, bound{until: h.Person.Until})
	}
	return out
}

func dayOf(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// permitted are the times at which rows let somebody in at a door.
func (l *lister) permitted(h *Holder, n int, out *Compiled) []Profile {
	d := l.r.Doors[n]
	var rows []*Row
	for at := range l.book.slices(d.Place.Site) {
		for _, x := range at.rows {
			if !names(x.To, h.Credential, h.Person) || !about(x.Kinds, x.Places, x.Sites, d.Place) {
				continue
			}
			why := LeftWhy("")
			switch {
			case x.PIN && !d.Keypad:
				why = LeftNoKeypad
			case x.PIN && h.PIN == 0:
				why = LeftNoPIN
			}
			if why != "" {
				out.Left = append(out.Left, Left{h.Credential.ID, n + 1, x.ID, why})
				continue
			}
			rows = append(rows, x)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	// Days at which somebody's own time begins or ends are cut like rows are.
	var own []bound
	for _, b := range l.bounds(h) {
		if l.midnight(b.from) {
			b.from = time.Time{}
		}
		if l.midnight(b.until) {
			b.until = time.Time{}
		}
		if b != (bound{}) {
			own = append(own, b)
		}
	}
	key := fmt.Sprint(own)
	for _, x := range rows {
		key += "\n" + x.ID
	}
	times, known := l.times[key]
	if !known {
		times = l.profiles(rows, own)
		l.times[key] = times
	}
	return times
}

// midnight reports a time that the dates of a card say already.
func (l *lister) midnight(t time.Time) bool {
	h, m, s := t.In(l.r.Zone).Clock()
	return t.IsZero() || h+m+s+t.Nanosecond() == 0
}

// part is a part of a day: minutes from the first, and before the last.
type part struct{ from, to int }

// profiles writes the times of some rows as time profiles, from the first day to
// the last. A time between two dates goes on while each day is as its weekday was.
func (l *lister) profiles(rows []*Row, own []bound) []Profile {
	var out []Profile
	var week [7][]part
	var seen [7]bool
	whole := true
	begin := l.from
	end := func(last time.Time) {
		out = append(out, weekly(week, seen, begin, last)...)
		week, seen = [7][]part{}, [7]bool{}
	}
	for day := l.from; !day.After(l.to); day = day.AddDate(0, 0, 1) {
		parts := l.on(day, rows, own)
		whole = whole && len(parts) == 1 && parts[0] == part{0, 24 * 60}
		if d := day.Weekday(); seen[d] && !slices.Equal(week[d], parts) {
			end(day.AddDate(0, 0, -1))
			begin = day
		}
		week[day.Weekday()], seen[day.Weekday()] = parts, true
	}
	if whole {
		return always()
	}
	end(l.to)
	return out
}

// weekly makes profiles of a week: those of days that are alike, three parts each.
func weekly(days [7][]part, seen [7]bool, from, to time.Time) []Profile {
	var out []Profile
	var done [7]bool
	for d := range days {
		if done[d] || !seen[d] || len(days[d]) == 0 {
			continue
		}
		var alike week.Days
		for o := d; o < 7; o++ {
			if seen[o] && slices.Equal(days[o], days[d]) {
				done[o] = true
				alike |= week.On(time.Weekday(o))
			}
		}
		for parts := range slices.Chunk(days[d], 3) {
			p := Profile{From: DateOf(from), To: DateOf(to), Days: alike}
			for i, x := range parts {
				p.Segments[i] = Segment{x.from, x.to - 1}
			}
			out = append(out, p)
		}
	}
	return out
}

// on are the parts of a day in which rows let in.
func (l *lister) on(day time.Time, rows []*Row, own []bound) []part {
	var list []part
	for _, x := range rows {
		var of []part
		if x.Schedule == "" {
			of = []part{{0, 24 * 60}}
		} else {
			s := l.book.schedules[x.Schedule]
			of = s.parts(day, l.book.calendars[s.Calendar])
		}
		from, to := l.clip(day, append([]bound{{x.From, x.Until}}, own...))
		for _, p := range of {
			if p = (part{max(p.from, from), min(p.to, to)}); p.from < p.to {
				list = append(list, p)
			}
		}
	}
	slices.SortFunc(list, func(a, b part) int { return a.from - b.from })
	out := list[:0]
	for _, p := range list {
		if n := len(out); n > 0 && p.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, p.to)
		} else {
			out = append(out, p)
		}
	}
	return slices.Clip(out)
}

// parts are those of a day by a schedule.
func (s *Schedule) parts(day time.Time, c *Calendar) []part {
	var out []part
	for _, span := range s.Open {
		overnight := span.To <= span.From
		if s.begins(span, day, c) {
			to := span.To
			if overnight {
				to = 24 * 60
			}
			out = append(out, part{span.From, to})
		}
		if overnight && s.begins(span, day.AddDate(0, 0, -1), c) {
			out = append(out, part{0, span.To})
		}
	}
	return out
}

// begins reports whether a span of a schedule begins on a day.
func (s *Schedule) begins(span week.Span, day time.Time, c *Calendar) bool {
	switch {
	case !c.off(day) || s.OnHoliday == AsUsual:
		return span.Days.Has(day.Weekday())
	case s.OnHoliday == AsSunday:
		return span.Days.Has(time.Sunday)
	}
	return false
}

// clip are the minutes of a day within bounds: whole ones only, and where the
// clock is put back and shows an hour twice, those that are within both times.
func (l *lister) clip(day time.Time, bounds []bound) (from, to int) {
	to = 24 * 60
	y, m, d := day.Date()
	wall := func(minute int) time.Time { return week.Wall(y, m, d, minute, l.r.Zone) }
	for _, b := range bounds {
		if !b.from.IsZero() {
			at := b.from.In(l.r.Zone)
			switch on := dayOf(at); {
			case on.After(day):
				return 0, 0
			case on.Equal(day):
				minute := at.Hour()*60 + at.Minute()
				for minute < 24*60 && wall(minute).Before(b.from) {
					minute++
				}
				from = max(from, minute)
			}
		}
		if b.until.IsZero() {
			continue
		}
		at := b.until.In(l.r.Zone)
		switch on := dayOf(at); {
		case on.Before(day):
			return 0, 0
		case on.Equal(day):
			minute := at.Hour()*60 + at.Minute()
			if at.Add(time.Hour).Hour() == at.Hour() {
				minute = at.Hour() * 60
			}
			to = min(to, minute)
		}
	}
	return from, to
}
