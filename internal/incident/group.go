package incident

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// When trouble of several has a common cause (D20).
const (
	groupSpan  = 5 * time.Minute  // between the onsets
	groupPast  = 30 * time.Minute // older onsets are no longer grouped
	decideWait = 10 * time.Second // for the rest of a burst
	background = 0.1              // losses a station and day that just happen
	ownShare   = 0.3              // of the network that has to be lost before we doubt ourselves
)

// groups finds incidents that have a label and the time of their onset in common
// without comparing each with each: ids by label and minute.
type groups struct {
	labels map[string]map[int64]map[string]string // to station
}

func newGroups() groups { return groups{labels: make(map[string]map[int64]map[string]string)} }

func minute(t time.Time) int64 { return t.Unix() / 60 }

func (g *groups) put(en *entry) {
	at := minute(en.Onset)
	for _, label := range en.Shared {
		by := g.labels[label]
		if by == nil {
			by = make(map[int64]map[string]string)
			g.labels[label] = by
		}
		if by[at] == nil {
			by[at] = make(map[string]string)
		}
		by[at][en.ID] = en.Station
	}
	en.grouped = at
}

func (g *groups) drop(en *entry) {
	if en.grouped == 0 {
		return
	}
	for _, label := range en.Shared {
		by := g.labels[label]
		delete(by[en.grouped], en.ID)
		if len(by[en.grouped]) == 0 {
			delete(by, en.grouped)
		}
		if len(by) == 0 {
			delete(g.labels, label)
		}
	}
	en.grouped = 0
}

// near reports whether so many stations have incidents of a label around a
// minute.
func (g *groups) near(label string, at int64, enough int) bool {
	n, by := 0, g.labels[label]
	for m := at - 5; m <= at+5; m++ {
		n += len(by[m])
	}
	if n < enough {
		return false
	}
	stations := make(map[string]struct{}, enough)
	for m := at - 5; m <= at+5; m++ {
		for _, station := range by[m] {
			stations[station] = struct{}{}
			if len(stations) >= enough {
				return true
			}
		}
	}
	return false
}

// regroup keeps the index in step with an incident: it holds open incidents that a common cause
// may still explain.
func (f *Fold) regroup(en *entry) {
	f.groups.drop(en)
	if len(en.Shared) == 0 || !en.open() || en.Family == Common || en.SilencedBy != nil {
		return
	}
	if en.ParentID != nil {
		parent := f.entries[*en.ParentID]
		if parent == nil || parent.Kind != KindSite {
			return
		}
	}
	f.groups.put(en)
}

// group offers new trouble to common causes: one that is open takes it at once,
// else enough of them are looked at together when the burst is over.
func (f *Fold) group(en *entry, d *detect.Finding) {
	f.regroup(en)
	if en.Severity == event.S4 || en.Station == "" || en.SilencedBy != nil || !grouped(d.Detector) {
		return
	}
	for _, label := range d.Shared {
		if slices.Contains([]string{"site", "firmware"}, kindOf(label)) || en.Family == Connectivity {
			f.share(en, label)
		}
	}
	f.labelShared(en, en.Family == Connectivity)
	for _, label := range en.Shared {
		parent := f.entries[f.slots[slot{Family: Common, Code: label}]]
		if parent == nil || !parent.open() || en.ParentID != nil {
			continue
		}
		if !en.Onset.Before(parent.First.Add(-groupSpan)) && !en.Onset.After(parent.Last.Add(groupSpan)) {
			f.inherit(parent, en)
			f.weigh(parent)
			return
		}
	}
	if f.crossing(en, 0) {
		if _, waiting := f.timers["decide"]; !waiting {
			f.setOwn("decide", f.now.Add(decideWait))
		}
	}
}

// grouped names the detectors whose findings come in bursts when many fail
// together; what is found over days does not.
func grouped(detector string) bool {
	return detector == "D01" || detector == "D02" || detector == "D03"
}

// kindOf is what a label is about.
func kindOf(label string) string {
	kind, _, _ := strings.Cut(label, "/")
	return kind
}

// crossing reports that others share a label and the time with an incident, so
// that they may be one.
func (f *Fold) crossing(en *entry, least int) bool {
	if en.ParentID != nil || en.grouped == 0 || f.now.Sub(en.Onset) > groupPast {
		return false
	}
	return slices.ContainsFunc(en.Shared, func(label string) bool {
		return f.groups.near(label, en.grouped, max(least, atLeast(label)))
	})
}

// atLeast is the smallest number that can be a common cause: two can be half of
// a site.
func atLeast(label string) int {
	if strings.HasPrefix(label, "site/") {
		return 2
	}
	return 3
}

// labelShared adds what the station has in common with others. Carriers and our
// own connection explain lost stations, not faults.
func (f *Fold) labelShared(en *entry, offline bool) {
	st := f.n.Station(en.Station)
	if st == nil {
		return
	}
	if st.SiteID != "" {
		f.share(en, "site/"+st.SiteID)
	}
	if offline {
		if st.Carrier != "" {
			f.share(en, "carrier/"+st.Carrier)
		}
		f.share(en, "us")
	}
	if st.Firmware != "" {
		f.share(en, firmwareOf(st))
	}
}

// fireOwn does what a timer of the fold's own waited for.
func (f *Fold) fireOwn(name string) {
	if name == "decide" {
		f.decide()
		return
	}
	if key, ok := strings.CutPrefix(name, "mute|"); ok && f.mutes[key] != nil {
		f.watchMute(key)
		f.remute()
	}
}

// hypothesis is a common cause and what it would explain.
type hypothesis struct {
	label    string
	members  []*entry
	stations int
	sites    int
	all      int // stations that have the label
	gain     float64
}

// decide looks at a burst and finds the fewest common causes that explain it.
// Each cause explains stations, costs a little because causes are rare, and costs
// for stations that have the label and are well: a site that has lost its power
// has lost all of it, a carrier may have lost one region.
func (f *Fold) decide() {
	people := f.population()
	list := make(map[string]*hypothesis)
	for label := range f.groups.labels {
		if h := f.consider(label, people); h != nil {
			list[label] = h
		}
	}
	var done []*entry
	for len(list) > 0 {
		var best *hypothesis
		for _, h := range list {
			if best == nil || better(h, best) {
				best = h
			}
		}
		taken := make(map[string]struct{})
		f.conclude(best)
		for _, en := range best.members {
			for _, label := range en.Shared {
				taken[label] = struct{}{}
			}
			en.decided = true
		}
		done = append(done, best.members...)
		delete(list, best.label)
		for label := range taken {
			if list[label] == nil {
				continue
			}
			if h := f.consider(label, people); h != nil {
				list[label] = h
			} else {
				delete(list, label)
			}
		}
	}
	for _, en := range done {
		en.decided = false
	}
}

// better orders hypotheses: by gain, then the narrower, then by name.
func better(a, b *hypothesis) bool {
	if a.gain != b.gain {
		return a.gain > b.gain
	}
	if a.all != b.all {
		return a.all < b.all
	}
	order := func(label string) int {
		return slices.Index([]string{"site", "us", "carrier", "firmware"}, kindOf(label))
	}
	if c := cmp.Compare(order(a.label), order(b.label)); c != 0 {
		return c < 0
	}
	return a.label < b.label
}

// consider finds the densest five minutes of a label, and nil if that is no more
// than chance.
func (f *Fold) consider(label string, people map[string]int) *hypothesis {
	var all []*entry
	oldest := f.now.Add(-groupPast)
	for _, ids := range f.groups.labels[label] {
		for id := range ids {
			if en := f.entries[id]; !en.decided && !en.Onset.Before(oldest) {
				all = append(all, en)
			}
		}
	}
	if len(all) < atLeast(label) {
		return nil
	}
	slices.SortFunc(all, func(a, b *entry) int {
		return cmp.Or(a.Onset.Compare(b.Onset), cmp.Compare(a.ID, b.ID))
	})
	h := &hypothesis{label: label, all: people[label]}
	h.members, h.stations = densest(all)
	where := make(map[string]struct{})
	for _, en := range h.members {
		site := en.SiteID
		if site == "" {
			site = "station/" + en.Station
		}
		where[site] = struct{}{}
	}
	h.sites = len(where)
	return h.judge(people["us"])
}

// densest is the window that holds most stations.
func densest(all []*entry) (members []*entry, stations int) {
	count := make(map[string]int)
	from := 0
	for to, en := range all {
		count[en.Station]++
		for en.Onset.Sub(all[from].Onset) > groupSpan {
			if count[all[from].Station]--; count[all[from].Station] == 0 {
				delete(count, all[from].Station)
			}
			from++
		}
		if len(count) > stations {
			stations, members = len(count), all[from:to+1]
		}
	}
	return members, stations
}

// judge applies the rule of D20 and weighs what is above it.
func (h *hypothesis) judge(network int) *hypothesis {
	hits, missed := float64(h.stations), float64(max(h.all-h.stations, 0))
	kind := kindOf(h.label)
	if kind == "site" {
		if h.stations < 3 && (h.stations < 2 || 2*h.stations < h.all) {
			return nil
		}
		h.gain = hits - 0.1*missed - 2
		return h
	}
	// So many are lost within five minutes by chance, with five deviations.
	chance := float64(h.all) * background / (24 * 12)
	if hits < 3 || hits < math.Ceil(chance+5*math.Sqrt(chance)+1) || h.sites < 2 {
		return nil
	}
	if kind == "us" && hits < ownShare*float64(network) {
		return nil
	}
	h.gain = hits - 0.004*missed - 4
	if kind == "firmware" {
		h.gain -= 0.5
	}
	return h
}

// conclude puts what a hypothesis explains under one incident. Site outages that
// turn out to be part of something wider are folded into it.
func (f *Fold) conclude(h *hypothesis) {
	at := slot{Family: Common, Code: h.label}
	parent := f.entries[f.slots[at]]
	fresh := parent == nil || !parent.open()
	if !fresh && !slices.ContainsFunc(h.members, func(en *entry) bool { return en.ParentID == nil || *en.ParentID != parent.ID }) {
		return
	}
	parent = f.causeOf(h.label)
	emptied := make(map[string]*entry)
	for _, en := range h.members {
		if en.ParentID != nil {
			if *en.ParentID == parent.ID {
				continue
			}
			if was := f.entries[*en.ParentID]; was != nil {
				emptied[was.ID] = was
			}
		}
		f.inherit(parent, en)
	}
	f.describe(parent)
	if fresh {
		f.mark(parent)
		parent.Counted = f.now
		f.log(parent, ChangeOpened, "", "", parent.Kind)
		f.touch(parent)
		f.clocks(parent)
		f.plan(parent, ChangeOpened)
	} else {
		f.log(parent, ChangeGrew, "", "")
		f.touch(parent)
	}
	f.weigh(parent)
	for _, id := range sorted(emptied) {
		if was := emptied[id]; was.open() && was.ChildrenCount == 0 {
			was.MergedInto = word(parent.ID)
			f.close(was, "merged", "", "")
		}
	}
}

// population counts the stations of each label.
func (f *Fold) population() map[string]int {
	out := make(map[string]int)
	for st := range f.n.Stations() {
		out["us"]++
		if st.SiteID != "" {
			out["site/"+st.SiteID]++
		}
		if st.Carrier != "" {
			out["carrier/"+st.Carrier]++
		}
		if st.Firmware != "" {
			out[firmwareOf(st)]++
		}
	}
	return out
}
