package access

import (
	"maps"
	"slices"

	"github.com/chargewatch/chargewatch/internal/week"
)

// ListDoors is how many doors a controller has at most.
const ListDoors = 4

// Lists are what a controller decides by while nobody else can be asked.
type Lists struct {
	Cards    map[uint32]ListCard
	Profiles map[uint8]Profile
}

// ListCard is whom a controller lets in, from the begin of From to the end of To.
type ListCard struct {
	From, To Date
	Rights   [ListDoors]uint8 // Never, Always or the id of a profile
	PIN      uint32           // asked for where there is a keypad; 0: none
}

// Rights of a card at a door; what lies between is a profile.
const (
	Never        uint8 = 0
	Always       uint8 = 1
	firstProfile       = 2
	lastProfile        = 254
)

// Profile is a time of the week between two dates; or that of the profile it is
// linked to.
type Profile struct {
	From, To Date
	Days     week.Days
	Segments [3]Segment
	Linked   uint8 // 0: none
}

// Segment is a part of a day by its first and last minute; both zero: none.
type Segment struct{ First, Last int }

// WantsPIN reports whether a row wants a code at a place.
func (b *Book) WantsPIN(p Place) bool {
	for at := range b.slices(p.Site) {
		for _, x := range at.rows {
			if x.PIN && about(x.Kinds, x.Places, x.Sites, p) {
				return true
			}
		}
	}
	return false
}

// Difference is what must be done on a controller.
type Difference struct {
	Put      []uint32 // cards to be added or changed
	Delete   []uint32
	Profiles []uint8 // to be set
}

// None reports whether there is nothing to do.
func (d Difference) None() bool { return len(d.Put)+len(d.Delete)+len(d.Profiles) == 0 }

// Size is how many things it is.
func (d Difference) Size() int { return len(d.Put) + len(d.Delete) + len(d.Profiles) }

// To is what makes other lists of these. A profile that no card has is no
// difference: controllers do not forget single ones.
func (l Lists) To(want Lists) Difference {
	var d Difference
	for _, n := range slices.Sorted(maps.Keys(want.Cards)) {
		if have, ok := l.Cards[n]; !ok || have != want.Cards[n] {
			d.Put = append(d.Put, n)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(l.Cards)) {
		if _, ok := want.Cards[n]; !ok {
			d.Delete = append(d.Delete, n)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(want.Profiles)) {
		if have, ok := l.Profiles[id]; !ok || have != want.Profiles[id] {
			d.Profiles = append(d.Profiles, id)
		}
	}
	return d
}
