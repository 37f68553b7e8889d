package access

import (
	"cmp"
	"slices"
	"time"
)

// Passback says what is done when somebody comes in who is inside.
type Passback string

// What is done then.
const (
	PassbackSoft Passback = "soft" // they are let in, and it is told
	PassbackHard Passback = "hard" // they are not let in
)

// Area is a part of a site whose doors say who is inside. Nobody is kept in by it: whoever
// goes out goes out.
type Area struct {
	ID   string   `json:"-"`
	Name string   `json:"name"`
	Site string   `json:"site"`
	In   []string `json:"in"`            // places by which one comes in; a reader inside of one is a way out
	Out  []string `json:"out,omitempty"` // places by which one goes out
	Mode Passback `json:"mode"`
	// Board is set where the board keeps it by itself, also without us.
	Board bool `json:"board,omitempty"`
	// ForgetH is after how many hours nobody is thought to be inside any more.
	ForgetH int `json:"forgetH,omitempty"`
}

// forgetAfter is how long somebody is thought to be inside if nobody said.
const forgetAfter = 12 * time.Hour

// Forget is after how long somebody is not thought to be inside any more.
func (a *Area) Forget() time.Duration {
	return cmp.Or(time.Duration(a.ForgetH)*time.Hour, forgetAfter)
}

// Side says whether a place is a way in or out of an area; neither: it is no door of it.
func (a *Area) Side(place string, out bool) (in, exit bool) {
	switch {
	case slices.Contains(a.In, place):
		return !out, out
	case slices.Contains(a.Out, place):
		return false, true
	}
	return false, false
}

// Airlock is a group of doors of which only one opens at a time. The way out never waits
// for it.
type Airlock struct {
	ID    string   `json:"-"`
	Name  string   `json:"name"`
	Site  string   `json:"site"`
	Doors []string `json:"doors"` // places
	// Board is set where the board keeps it by itself, also without us.
	Board bool `json:"board,omitempty"`
}

// Areas are those that a place is a door of.
func (b *Book) Areas(place string) []*Area { return b.areas[place] }

// Area finds one by its id.
func (b *Book) Area(id string) (*Area, bool) {
	for _, list := range b.areas {
		for _, a := range list {
			if a.ID == id {
				return a, true
			}
		}
	}
	return nil, false
}

// Airlocks are those that a place is a door of.
func (b *Book) Airlocks(place string) []*Airlock { return b.airlocks[place] }

// NeedsServer reports whether only we can let in at a place of a board, because it is a way
// into an area with a hard rule, or a door of an airlock, that the board does not keep.
func (b *Book) NeedsServer(place string) bool {
	return slices.ContainsFunc(b.areas[place], func(a *Area) bool {
		in, _ := a.Side(place, false)
		return in && a.Mode == PassbackHard && !a.Board
	}) || slices.ContainsFunc(b.airlocks[place], func(x *Airlock) bool { return !x.Board })
}

// Passage is what is known of somebody who wants through a door of an area.
type Passage struct {
	Kind  PassageKind
	Area  *Area
	Since time.Time // when they came in
}

// PassageKind is the kind of a passage.
type PassageKind string

// Kinds of passages; the empty one is as it should be.
const (
	PassageInside  PassageKind = "inside"  // comes in, and is inside
	PassageUnsure  PassageKind = "unsure"  // the same, but somebody may have left unseen
	PassageOutside PassageKind = "outside" // goes out, and did not come in
)

// Refused reports whether somebody is not let in for it.
func (p Passage) Refused() bool { return p.Kind == PassageInside && p.Area.Mode == PassbackHard }

// move is the last that was seen of somebody at a door of an area.
type move struct {
	at     time.Time
	place  string
	in     bool
	unsure bool // while we were away they may have left by a door that keeps no records
	opened bool // the door was opened after it
}

// againWithin is how soon after being let in somebody may show the card at the same door
// once more, if nobody saw it open: they did not go through.
const againWithin = 20 * time.Second

// Inside is who is inside of areas. It belongs to one goroutine.
type Inside struct {
	moves  map[string]map[string]move      // by area and who
	pardon map[string]map[string]time.Time // the same; who is empty for all
}

// NewInside knows of nobody.
func NewInside() *Inside {
	return &Inside{moves: make(map[string]map[string]move), pardon: make(map[string]map[string]time.Time)}
}

// Judge says what is known of somebody who wants through a door of an area.
func (x *Inside) Judge(a *Area, place, who string, out bool, at time.Time) Passage {
	in, exit := a.Side(place, out)
	last, seen := x.of(a, who, at)
	switch {
	case who == "" || !in && !exit:
	case exit && (!seen || !last.in):
		if !x.forgotten(a, who, at) {
			return Passage{Kind: PassageOutside, Area: a}
		}
	case in && seen && last.in:
		if last.place == place && !last.opened && at.Sub(last.at).Abs() <= againWithin {
			break // they did not go through
		}
		kind := PassageInside
		if last.unsure {
			kind = PassageUnsure
		}
		return Passage{Kind: kind, Area: a, Since: last.at}
	}
	return Passage{Area: a}
}

// of is the last that was seen of somebody, if it still counts.
func (x *Inside) of(a *Area, who string, at time.Time) (move, bool) {
	m, ok := x.moves[a.ID][who]
	return m, ok && at.Sub(m.at) < a.Forget()
}

// forgotten reports that somebody who was seen long ago, or was pardoned, may well be
// inside: that they leave says nothing.
func (x *Inside) forgotten(a *Area, who string, at time.Time) bool {
	_, seen := x.moves[a.ID][who]
	_, counts := x.of(a, who, at)
	return seen && !counts || at.Sub(x.pardoned(a.ID, who)) < a.Forget()
}

func (x *Inside) pardoned(area, who string) time.Time {
	at, all := x.pardon[area][who], x.pardon[area][""]
	if all.After(at) {
		return all
	}
	return at
}

// Went notes that somebody was let through a door. What is heard late changes nothing that
// came after it. Unsure: others may have left unseen since.
func (x *Inside) Went(a *Area, place, who string, out bool, at time.Time, unsure bool) {
	in, exit := a.Side(place, out)
	if who == "" || !in && !exit || !at.After(x.pardoned(a.ID, who)) {
		return
	}
	if last, seen := x.moves[a.ID][who]; seen && at.Before(last.at) {
		return
	}
	if x.moves[a.ID] == nil {
		x.moves[a.ID] = make(map[string]move)
	}
	x.moves[a.ID][who] = move{at: at, place: place, in: in, unsure: unsure}
}

// Opened notes that a door was opened: whoever was let in there went through.
func (x *Inside) Opened(place string, at time.Time) {
	for _, all := range x.moves {
		for who, m := range all {
			if m.place == place && !m.opened && !at.Before(m.at) {
				m.opened = true
				all[who] = m
			}
		}
	}
}

// Pardon forgets that somebody is inside, or that anybody is.
func (x *Inside) Pardon(area, who string, at time.Time) {
	if x.pardon[area] == nil {
		x.pardon[area] = make(map[string]time.Time)
	}
	if at.After(x.pardon[area][who]) {
		x.pardon[area][who] = at
	}
	for id, m := range x.moves[area] {
		if (who == "" || id == who) && !m.at.After(at) {
			delete(x.moves[area], id)
		}
	}
}

// Someone is inside of an area.
type Someone struct {
	Who    string
	Place  string
	Since  time.Time
	Unsure bool
}

// List is who is inside of an area, the longest first.
func (x *Inside) List(a *Area, now time.Time) []Someone {
	out := []Someone{}
	for who := range x.moves[a.ID] {
		if m, counts := x.of(a, who, now); counts && m.in {
			out = append(out, Someone{who, m.place, m.at, m.unsure})
		}
	}
	slices.SortFunc(out, func(a, b Someone) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Who, b.Who)) })
	return out
}
