package access

import "slices"

// BoardRules are what a board keeps by itself, in the words of its doors: before the colon
// is where one comes in and behind it where one goes out, or the other way around.
type BoardRules struct {
	Passback string // one of BoardPassbacks; empty: none
	Airlock  string // one of BoardAirlocks; empty: none
}

// BoardPassbacks are the forms of anti-passback that boards know.
func BoardPassbacks() []string { return []string{"1:2,3:4", "13:24", "1:23", "1:234"} }

// BoardAirlocks are the forms of interlock that boards know.
func BoardAirlocks() []string { return []string{"12", "34", "12,34", "123", "1234"} }

// BoardRules finds the form in which a board keeps what it is to keep by itself at its
// doors, and whether there is one for each area and airlock. A form that concerns a door
// of which nobody wanted it is none.
func (b *Book) BoardRules(doors [ListDoors]Place) (rules BoardRules, whole bool) {
	at := func(place string) byte {
		i := slices.IndexFunc(doors[:], func(p Place) bool { return p.ID == place && place != "" })
		if i < 0 {
			return 0
		}
		return byte('1' + i)
	}
	named := func(places []string) (out string, all bool) {
		var list []byte
		for _, p := range places {
			n := at(p)
			if n == 0 {
				return "", false
			}
			list = append(list, n)
		}
		slices.Sort(list)
		return string(slices.Compact(list)), len(list) > 0
	}
	whole = true
	var pairs, locks []string
	for _, p := range doors {
		for _, a := range b.areas[p.ID] {
			if !a.Board {
				continue
			}
			in, ok1 := named(a.In)
			out, ok2 := named(a.Out)
			if whole = whole && ok1 && ok2; !whole {
				return BoardRules{}, false
			}
			if in > out {
				in, out = out, in
			}
			pairs = append(pairs, in+":"+out)
		}
		for _, x := range b.airlocks[p.ID] {
			if !x.Board {
				continue
			}
			list, ok := named(x.Doors)
			if whole = whole && ok; !whole {
				return BoardRules{}, false
			}
			locks = append(locks, list)
		}
	}
	used := func(n int) bool { return doors[n-1].ID != "" }
	var ok bool
	if rules.Passback, ok = form(pairs, func(p string) string {
		switch { // one form is about both pairs of doors
		case p == "1:2" && !used(3) && !used(4), p == "3:4" && !used(1) && !used(2):
			return "1:2,3:4"
		case p == "1:23" && used(4):
			return ""
		}
		return p
	}, BoardPassbacks()); !ok {
		return BoardRules{}, false
	}
	if rules.Airlock, ok = form(locks, func(p string) string { return p }, BoardAirlocks()); !ok {
		return BoardRules{}, false
	}
	return rules, true
}

// form joins what is wanted to one of the forms that there are.
func form(wanted []string, alone func(string) string, known []string) (string, bool) {
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	var out string
	switch len(wanted) {
	case 0:
		return "", true
	case 1:
		out = alone(wanted[0])
	case 2:
		out = wanted[0] + "," + wanted[1]
	}
	return out, slices.Contains(known, out)
}
