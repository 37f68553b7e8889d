package plug

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// made is what lists are made of, as of a minute.
type made struct {
	version    uint64
	minute     time.Time
	now        time.Time
	generation int
	book       *access.Book
	holders    []Holder
	plain      []access.Holder
	byID       map[string]*Holder
	lists      map[string]*list // by what they depend on
}

// list is what a station is to have.
type list struct {
	entries map[string]string // token id to the information sent along
	types   map[string]string // token id to its type
	sum     string
	allowed int // who may charge there
	left    map[access.LeftWhy]int
	online  []string
}

// Beside those of access: why somebody is not on the list of a station.
const (
	LeftLong access.LeftWhy = "long" // the number of the card is longer than the protocol allows
	LeftRoom access.LeftWhy = "room" // the station has room for fewer
)

// longest is how long a token can be.
func longest(modern bool) int {
	if modern {
		return 36
	}
	return 20
}

// list makes the list of a station, or takes that of one that is alike.
func (s *Service) list(ctx context.Context, t *task, sc *scene, room int) (*list, error) {
	m := s.made
	if c := &t.last; c.list != nil && c.generation == m.generation && c.room == room && c.modern == sc.st.Is2x() && c.site == sc.site && c.evses == len(sc.st.EVSEs) {
		return c.list, nil
	}
	l, err := s.compile(ctx, sc, room)
	if err == nil {
		t.last = lastList{l, m.generation, room, len(sc.st.EVSEs), sc.st.Is2x(), sc.site}
	}
	return l, err
}

// lastList is the list that was made for a station last, and what it was made of.
type lastList struct {
	list                    *list
	generation, room, evses int
	modern                  bool
	site                    string
}

func (s *Service) compile(ctx context.Context, sc *scene, room int) (*list, error) {
	m := s.made
	places := make([]access.Place, 0, len(sc.st.EVSEs))
	alike := fmt.Sprintf("%s %t %d", sc.zone, sc.st.Is2x(), room)
	within := event.Station(sc.st.ID).String()
	for i := range sc.st.EVSEs {
		p := access.Place{ID: event.Port(sc.st.ID, sc.st.EVSEs[i].ID, 0).String(), Kind: access.EVSE, Site: sc.site, Within: within}
		places = append(places, p)
		alike += "\n" + m.book.Concerns(p)
	}
	if len(places) == 0 { // it has not said what it has: what holds for any of its EVSEs
		p := access.Place{ID: event.Port(sc.st.ID, 1, 0).String(), Kind: access.EVSE, Site: sc.site, Within: within}
		places, alike = append(places, p), alike+"\n"+m.book.Concerns(p)
	}
	if l, ok := m.lists[alike]; ok {
		return l, nil
	}
	found := m.book.Plugs(access.PlugRequest{Now: m.now, Zone: sc.zone, Places: places, Holders: m.plain})
	l := &list{
		entries: make(map[string]string), types: make(map[string]string), left: make(map[access.LeftWhy]int), online: found.Online, allowed: len(found.Allowed),
	}
	for _, x := range found.Left {
		l.left[x.Why]++
	}
	fit := slices.DeleteFunc(found.Allowed, func(x access.Plug) bool { return m.byID[x.Credential.ID].Length > longest(sc.st.Is2x()) })
	if n := l.allowed - len(fit); n > 0 {
		l.left[LeftLong] = n
	}
	full := room > 0 && len(fit) > room
	if full {
		seen, err := s.o.Memory.Seen(ctx, sc.st.ID)
		if err != nil {
			return nil, err
		}
		l.left[LeftRoom] = len(fit) - room
		fit = needed(fit, seen, room)
	}
	for _, x := range fit {
		h := m.byID[x.Credential.ID]
		l.entries[x.Credential.TokenID] = information(x, h, sc.st.Is2x())
		l.types[x.Credential.TokenID] = h.Type
	}
	l.sum = sumOf(l.entries)
	if !full { // with too many it is each station's own
		m.lists[alike] = l
	}
	return l, nil
}

// needed chooses whom a station is to serve that has no room for all: who charged
// there last, with a quarter kept for those whom rows name (staff, technicians), then
// whoever is left.
func needed(all []access.Plug, seen []string, room int) []access.Plug {
	rank := make(map[string]int, len(seen))
	for i, token := range seen {
		if _, known := rank[token]; !known {
			rank[token] = len(seen) - i
		}
	}
	slices.SortStableFunc(all, func(a, b access.Plug) int {
		return cmp.Compare(rank[b.Credential.TokenID], rank[a.Credential.TokenID])
	})
	out := make([]access.Plug, 0, room)
	taken := make(map[string]bool, room)
	take := func(most int, want func(access.Plug) bool) {
		for _, x := range all {
			if len(out) < most && !taken[x.Credential.ID] && want(x) {
				taken[x.Credential.ID] = true
				out = append(out, x)
			}
		}
	}
	take(room-room/4, func(x access.Plug) bool { return rank[x.Credential.TokenID] > 0 })
	take(room, func(x access.Plug) bool { return x.Named })
	take(room, func(access.Plug) bool { return true })
	return out
}

// information is what is sent of a token, in the words of the version. Values of
// tokens are references: they are put in on the way out.
func information(x access.Plug, h *Holder, modern bool) string {
	until := ""
	if !x.Until.IsZero() {
		until = x.Until.UTC().Format(time.RFC3339)
	}
	parent := ""
	if h.Parent > 0 && h.Parent <= longest(modern) {
		parent = reference(x.Credential.ParentTokenID)
	}
	var out any
	if modern {
		i := &info2{Status: "Accepted", Until: until}
		if parent != "" {
			i.Group = &token2{ID: parent, Type: "Central"}
		}
		out = i
	} else {
		out = &info16{"Accepted", until, parent}
	}
	b, err := json.Marshal(out)
	if err != nil {
		return "" // it holds nothing that JSON refuses
	}
	return string(b)
}

// ReferencePrefix marks a token in a payload: what follows is its opaque id.
const ReferencePrefix = "idToken:"

func reference(id string) string { return ReferencePrefix + id }

type info16 struct {
	Status string `json:"status"`
	Until  string `json:"expiryDate,omitempty"`
	Parent string `json:"parentIdTag,omitempty"`
}

type info2 struct {
	Status string  `json:"status"`
	Until  string  `json:"cacheExpiryDateTime,omitempty"`
	Group  *token2 `json:"groupIdToken,omitempty"`
}

type token2 struct {
	ID   string `json:"idToken"`
	Type string `json:"type"`
}

// sumOf is the same for the same entries.
func sumOf(entries map[string]string) string {
	h := sha256.New()
	for _, id := range slices.Sorted(maps.Keys(entries)) {
		fmt.Fprintf(h, "%d %s%d %s", len(id), id, len(entries[id]), entries[id])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// scene is a station as a round finds it.
type scene struct {
	st   *fleet.Station
	site string
	zone *time.Location
	kept bool
	now  time.Time
}

// begins reports that a driver stands there: what the station has to do now is for
// them. A car that waits for longer is no reason to wait.
func (sc *scene) begins() bool {
	for i := range sc.st.EVSEs {
		if v := &sc.st.EVSEs[i]; v.Status == fleet.Preparing && sc.now.Sub(v.StatusAt) < waitsAtMost {
			return true
		}
	}
	return false
}

const waitsAtMost = 5 * time.Minute
