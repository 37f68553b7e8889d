package detect

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// PolicyPosture is the type of the policies by which people end a heightened posture,
// by site.
const PolicyPosture = "posture"

// HeightenedFor is how long a site stays on its guard after a raid: they come again
// (2.5 hits a site, reference of security 3.1).
const HeightenedFor = 30 * 24 * time.Hour

// Posture is a site on its guard, and why.
type Posture struct {
	Incident string    `json:"incident"`
	Code     string    `json:"code"`
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until"`
}

// guards are the sites where something was taken or broken into.
type guards struct {
	// Hits are the incidents by site, Eased when a person ended it, Denied when an
	// incident turned out to be none.
	Hits    map[string][]hit  `json:"hits,omitempty"`
	Eased   map[string]Moment `json:"eased,omitempty"`
	Denied  map[string]Moment `json:"denied,omitempty"`
	changes uint64
}

type hit struct {
	Incident string `json:"incident"`
	Code     string `json:"code"`
	At       Moment `json:"at"`
}

const maxHits = 16

func newGuards() guards {
	return guards{Hits: make(map[string][]hit), Eased: make(map[string]Moment), Denied: make(map[string]Moment)}
}

func (g *guards) clone() guards {
	out := guards{Hits: make(map[string][]hit, len(g.Hits)), Eased: maps.Clone(g.Eased), Denied: maps.Clone(g.Denied)}
	for site, list := range g.Hits {
		out.Hits[site] = slices.Clone(list)
	}
	return out
}

// Hits reports whether an incident with a finding of a code puts its site on its guard.
func Hits(code string) bool { return code == "cableTheft" || code == "doorForced" }

// Handled says how an incident stands that puts its site on its guard: it happened, as
// far as is known, or it did not. Who handles incidents says it whenever one changes.
func (x *Engine) Handled(site, incident, code string, at time.Time, happened bool) {
	g := &x.Network.guards
	list := g.Hits[site]
	i := slices.IndexFunc(list, func(h hit) bool { return h.Incident == incident })
	switch {
	case site == "", !happened && i < 0, At(at) <= g.Eased[site]:
		return
	case !happened:
		if list = slices.Delete(list, i, i+1); len(list) == 0 {
			delete(g.Hits, site)
		} else {
			g.Hits[site] = list
		}
		g.Denied[site] = At(x.now)
	case i >= 0:
		if list[i].At == At(at) {
			return
		}
		list[i].At = At(at)
	default:
		list = slices.DeleteFunc(list, func(h hit) bool { return h.At.Ago(x.now) >= HeightenedFor })
		if len(list) == maxHits {
			list = slices.Delete(list, 0, 1)
		}
		g.Hits[site] = append(list, hit{incident, code, At(at)})
	}
	g.changes++
}

// eased takes in that a person ended the posture of a site.
func (x *Engine) eased(site string, value json.RawMessage) {
	if len(value) == 0 {
		return
	}
	g := &x.Network.guards
	g.Eased[site] = At(x.now)
	delete(g.Hits, site)
	g.changes++
}

// Posture is why and until when a site is on its guard; not ok if it is not.
func (n *Network) Posture(site string, now time.Time) (p Posture, ok bool) {
	for _, h := range n.guards.Hits[site] {
		if until := h.At.Add(HeightenedFor); until.After(now) && until.After(p.Until) {
			p, ok = Posture{Incident: h.Incident, Code: h.Code, Since: h.At.Time(), Until: until}, true
		}
	}
	return p, ok
}

// Reassured is when the site was last said to be safe again: a person ended its posture,
// or what happened turned out to be nothing.
func (n *Network) Reassured(site string) Moment {
	return max(n.guards.Eased[site], n.guards.Denied[site])
}

// Postures are the sites that are on their guard, and a number that changes with them.
func (n *Network) Postures(now time.Time) (bySite map[string]Posture, changes uint64) {
	bySite = make(map[string]Posture)
	for site := range n.guards.Hits {
		if p, ok := n.Posture(site, now); ok {
			bySite[site] = p
		}
	}
	return bySite, n.guards.changes
}

// PostureChanges is a number that changes with postures.
func (n *Network) PostureChanges() uint64 { return n.guards.changes }
