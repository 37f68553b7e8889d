package live

import (
	"cmp"
	"slices"

	"github.com/chargewatch/chargewatch/internal/incident"
)

// pageSize is how many incidents stand on a page at most: a change copies one.
const pageSize = 128

// openSet is an immutable set of the open incidents, in the order of their ids.
// Sets that follow from one another share the pages that did not change.
type openSet struct {
	pages [][]*incident.Incident // none is empty
	count int
}

// newOpenSet makes a set of incidents in the order of their ids.
func newOpenSet(list []*incident.Incident) openSet {
	return openSet{pages: slices.Collect(slices.Chunk(slices.Clone(list), pageSize)), count: len(list)}
}

// with is the set after changes, the newest of each incident last. Those that
// are closed leave it.
func (s openSet) with(changed []*incident.Incident) openSet {
	if len(changed) == 0 {
		return s
	}
	out := openSet{pages: slices.Clone(s.pages), count: s.count}
	ours := make(map[*incident.Incident]struct{}) // first of the pages that were copied
	for _, in := range changed {
		out.put(in, ours)
	}
	return out
}

func (s *openSet) put(in *incident.Incident, ours map[*incident.Incident]struct{}) {
	// The page that holds the id, or would: the last that begins at or before it.
	p, found := slices.BinarySearchFunc(s.pages, in.ID, func(page []*incident.Incident, id string) int { return cmp.Compare(page[0].ID, id) })
	if !found && p > 0 {
		p--
	}
	if len(s.pages) == 0 {
		if in.ClosedAt == nil {
			s.pages, s.count = [][]*incident.Incident{{in}}, 1
			ours[in] = struct{}{}
		}
		return
	}
	page := s.pages[p]
	i, held := slices.BinarySearchFunc(page, in.ID, func(x *incident.Incident, id string) int { return cmp.Compare(x.ID, id) })
	if !held && in.ClosedAt != nil {
		return
	}
	if _, own := ours[page[0]]; own {
		delete(ours, page[0])
	} else {
		page = append(make([]*incident.Incident, 0, len(page)+1), page...)
	}
	switch {
	case in.ClosedAt != nil:
		page = slices.Delete(page, i, i+1)
		s.count--
	case held:
		page[i] = in
	default:
		page = slices.Insert(page, i, in)
		s.count++
	}
	switch {
	case len(page) == 0:
		s.pages = slices.Delete(s.pages, p, p+1)
		return
	case len(page) > pageSize:
		half := len(page) / 2
		rest := slices.Clone(page[half:])
		page = slices.Clip(page[:half])
		s.pages = slices.Insert(s.pages, p+1, rest)
		ours[rest[0]] = struct{}{}
	}
	s.pages[p] = page
	ours[page[0]] = struct{}{}
}

// all are the incidents in one list, which is the caller's.
func (s openSet) all() []*incident.Incident {
	out := make([]*incident.Incident, 0, s.count)
	for _, page := range s.pages {
		out = append(out, page...)
	}
	return out
}
