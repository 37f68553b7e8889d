package access

import (
	"fmt"
	"maps"
	"slices"
)

// listIDs gives numbers to times of the week, a chain of profiles for each.
type listIDs struct {
	have  Lists
	taken map[uint8]bool // on the controller and had by a card, or given
	heads map[string]uint8
	given map[uint8]Profile
}

func (l *lister) ids() *listIDs {
	ids := &listIDs{have: l.r.Have, taken: map[uint8]bool{}, heads: map[string]uint8{}, given: map[uint8]Profile{}}
	for _, c := range ids.have.Cards {
		for _, right := range c.Rights {
			for id := right; id >= firstProfile && id <= lastProfile && !ids.taken[id]; id = ids.have.Profiles[id].Linked {
				ids.taken[id] = true
			}
		}
	}
	return ids
}

// of is the right that some times are; not ok: there is no room for them.
func (ids *listIDs) of(times []Profile) (right uint8, ok bool) {
	switch {
	case len(times) == 0:
		return Never, true
	case times[0].Linked == Always:
		return Always, true
	}
	key := fmt.Sprint(times)
	if id, known := ids.heads[key]; known {
		return id, true
	}
	chain := ids.find(times)
	if chain == nil {
		chain = ids.room(len(times))
	}
	if chain == nil {
		return Never, false
	}
	for i, p := range times {
		if i+1 < len(chain) {
			p.Linked = chain[i+1]
		}
		ids.taken[chain[i]], ids.given[chain[i]] = true, p
	}
	ids.heads[key] = chain[0]
	return chain[0], true
}

// find looks for times that are on the controller already.
func (ids *listIDs) find(times []Profile) []uint8 {
	for _, head := range slices.Sorted(maps.Keys(ids.have.Profiles)) {
		var chain []uint8
		for id := head; len(chain) < len(times); {
			p, there := ids.have.Profiles[id]
			next := p.Linked
			p.Linked = 0
			_, used := ids.given[id]
			if !there || used || p != times[len(chain)] {
				break
			}
			chain = append(chain, id)
			if len(chain) == len(times) && next == 0 {
				return chain
			}
			id = next
		}
	}
	return nil
}

// room finds ids that no card has; and if there are not enough, some that one has
// which is changed with them.
func (ids *listIDs) room(n int) []uint8 {
	for _, free := range []func(uint8) bool{
		func(id uint8) bool { return !ids.taken[id] },
		func(id uint8) bool { _, used := ids.given[id]; return !used },
	} {
		var out []uint8
		for id := uint8(firstProfile); id <= lastProfile && len(out) < n; id++ {
			if free(id) {
				out = append(out, id)
			}
		}
		if len(out) == n {
			return out
		}
	}
	return nil
}
