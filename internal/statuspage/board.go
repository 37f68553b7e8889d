package statuspage

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/store"
)

// board is the network as drivers see it at one moment. All requests of a
// second share one, with the pages rendered from it.
type board struct {
	p         *Pages
	at        time.Time
	observing bool
	snap      *fleet.Snapshot
	sites     []*site // published ones, by name
	byID      map[string]*site
	all       map[string][]*fleet.Station // by site, hidden ones too; by id
	zone      *time.Location              // that of all sites, UTC if they differ
	index     func() *index
	pages     pageCache
}

// site is a site with what stands there.
type site struct {
	*store.Site
	zone      *time.Location // nil: nobody said
	hours     schedule
	hasHours  bool
	simulated bool
	counts    counts
	offers    []offer
	heard     time.Time // the online station that was silent longest; zero: none
	stations  []*fleet.Station
	ports     func() ([]port, []charger)
}

// charger is a station as drivers see it.
type charger struct{ label string }

// index finds ports by their public id.
type index struct {
	built []arrangement
	byID  map[string]place   // canonical form
	names map[portKey]string // public id of each port
}

// arrangement is what an index depends on of one station. A layout that did not
// change is the same in every snapshot.
type arrangement struct {
	site, station string
	layout        *event.EVSELayout
	ports, last   int
}

type portKey struct {
	station string
	evse    int
}

// place is where a public id is.
type place struct {
	portKey
	site string
	id   string
}

// now returns the board of this second.
func (p *Pages) now() *board {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.o.Now()
	if b := p.last; b != nil && now.Sub(b.at) < p.o.Every && !now.Before(b.at) {
		return b
	}
	p.last = p.build(now)
	return p.last
}

func (p *Pages) build(now time.Time) *board {
	b := &board{
		p: p, at: now, observing: p.o.Fleet.Ready() == nil, snap: p.o.Fleet.Snapshot(),
		byID: make(map[string]*site), all: make(map[string][]*fleet.Station), pages: newPageCache(),
	}
	b.index = sync.OnceValue(b.makeIndex)
	for st := range b.snap.Stations() {
		if st.Shown() && st.SiteID != "" {
			b.all[st.SiteID] = append(b.all[st.SiteID], st)
		}
	}
	for _, list := range b.all {
		slices.SortFunc(list, func(x, y *fleet.Station) int { return strings.Compare(x.ID, y.ID) })
	}
	zones := make(map[string]*time.Location)
	for _, x := range p.o.Store.Sites() {
		if !x.Public {
			continue
		}
		s := b.site(x, zones)
		b.sites = append(b.sites, s)
		b.byID[s.ID] = s
	}
	slices.SortFunc(b.sites, func(x, y *site) int {
		return cmp.Or(strings.Compare(strings.ToLower(x.DriversName()), strings.ToLower(y.DriversName())), strings.Compare(x.ID, y.ID))
	})
	b.zone = time.UTC
	if len(b.sites) > 0 && b.sites[0].zone != nil &&
		!slices.ContainsFunc(b.sites, func(s *site) bool { return s.TimeZone != b.sites[0].TimeZone }) {
		b.zone = b.sites[0].zone
	}
	return b
}

// site counts what stands at a site; its list of ports is made when asked for.
func (b *board) site(x *store.Site, zones map[string]*time.Location) *site {
	s := &site{Site: x, stations: b.all[x.ID]}
	s.ports = sync.OnceValues(func() ([]port, []charger) { return b.ports(s) })
	s.hours, s.hasHours = parseHours(x.OpeningHours)
	if x.TimeZone != "" {
		zone, known := zones[x.TimeZone]
		if !known {
			var err error
			if zone, err = time.LoadLocation(x.TimeZone); err != nil {
				zone = nil // an older system's database lacks it: then no claim about now
			}
			zones[x.TimeZone] = zone
		}
		s.zone = zone
	}
	offers := make(map[offer]counts)
	for _, st := range s.stations {
		s.simulated = s.simulated || st.Simulated
		if st.Online && len(st.EVSEs) > 0 {
			if heard := b.heard(st); s.heard.IsZero() || heard.Before(s.heard) {
				s.heard = heard
			}
		}
		for i := range st.EVSEs {
			v := &st.EVSEs[i]
			state := b.state(st, v)
			s.counts.add(state)
			for _, plug := range plugsOf(v) {
				key := offer{plug: plug, class: v.PowerClass()}
				c := offers[key]
				c.add(state)
				offers[key] = c
			}
		}
	}
	for key, c := range offers {
		key.counts = c
		s.offers = append(s.offers, key)
	}
	slices.SortFunc(s.offers, func(x, y offer) int {
		return cmp.Or(cmp.Compare(rank(x.class), rank(y.class)), strings.Compare(x.plug, y.plug))
	})
	return s
}

// rank orders classes by power, the unknown last.
func rank(c fleet.PowerClass) int {
	return slices.Index([]fleet.PowerClass{fleet.ClassHPC, fleet.ClassDC, fleet.ClassAC, fleet.ClassUnknown}, c)
}

// state is what can be said of a port now: what we cannot see is unknown, never
// a green of before.
func (b *board) state(st *fleet.Station, v *fleet.EVSE) State {
	if !b.observing || !st.Online {
		return Unknown
	}
	return told(st, v)
}

// heard is when a station was last heard; while nothing can be stored, what was
// heard since does not count.
func (b *board) heard(st *fleet.Station) time.Time {
	at := st.LastFrameAt
	if at.IsZero() {
		at = st.DisconnectedAt
	}
	if st.Online {
		if live, ok := b.p.o.Links.LastFrame(st.ID); ok && live.After(at) {
			at = live
		}
	}
	if !b.observing && at.After(b.snap.RecordedAt) {
		at = b.snap.RecordedAt
	}
	return at
}

// plugsOf lists the connector types of a port; one that nobody named is "".
func plugsOf(v *fleet.EVSE) []string {
	var out []string
	add := func(kind string) {
		if !slices.Contains(out, kind) {
			out = append(out, kind)
		}
	}
	if v.Layout != nil {
		for _, c := range v.Layout.Connectors {
			add(c.Type)
		}
	}
	if len(out) == 0 {
		for _, c := range v.Connectors {
			add(c.Type)
		}
	}
	if len(out) > 1 {
		out = slices.DeleteFunc(out, func(kind string) bool { return kind == "" })
	}
	if len(out) == 0 {
		out = []string{""}
	}
	return out
}

func (b *board) ports(s *site) ([]port, []charger) {
	names := b.index().names
	var out []port
	var chargers []charger
	for _, st := range s.stations {
		if len(st.EVSEs) == 0 {
			continue
		}
		chargers = append(chargers, charger{label: publicLabel(st)})
		for i := range st.EVSEs {
			v := &st.EVSEs[i]
			x := port{
				id: names[portKey{st.ID, v.ID}], number: len(out) + 1, charger: len(chargers) - 1,
				state: b.state(st, v), since: v.StatusAt, seen: b.heard(st), class: v.PowerClass(), plugs: plugsOf(v),
			}
			if x.state == Unknown {
				x.last = told(st, v)
			}
			if l := v.Layout; l != nil {
				x.ratedW = l.RatedW
				if canonical(l.PublicID) != "" && canonical(x.id) == canonical(l.PublicID) {
					x.name = l.PublicID
				}
			}
			out = append(out, x)
		}
	}
	return out, chargers
}

// publicLabel is the label of a station unless it gives the OCPP identity away.
func publicLabel(st *fleet.Station) string {
	if id := canonical(st.ID); id != "" && strings.Contains(canonical(st.Label), id) {
		return ""
	}
	return st.Label
}

// canonical is how public ids compare: letters and digits, without case. What
// is on a sticker may be typed with or without its stars.
func canonical(id string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		case r < 0x80:
			return -1
		}
		return r
	}, id)
}

// escape writes a public id for a path. A star may stand there as it is: most
// ids have three, and a shorter address makes a coarser code.
func escape(id string) string { return strings.ReplaceAll(url.PathEscape(id), "%2A", "*") }

// makeIndex gives every port its public id: the one people gave it, or where
// there is none or another port has it, an opaque one that stays the same. The
// index of the last board stands while nobody rebuilt anything.
func (b *board) makeIndex() *index {
	sites := slices.Sorted(maps.Keys(b.all))
	x := &index{byID: make(map[string]place), names: make(map[portKey]string)}
	for _, site := range sites {
		for _, st := range b.all[site] {
			if n := len(st.EVSEs); n > 0 {
				a := arrangement{site: site, station: st.ID, ports: n, last: st.EVSEs[n-1].ID}
				if len(st.Layout) > 0 {
					a.layout = &st.Layout[0]
				}
				x.built = append(x.built, a)
			}
		}
	}
	if old := b.p.index.Load(); old != nil && slices.Equal(old.built, x.built) {
		return old
	}
	for _, named := range []bool{true, false} { // names that people gave come first
		for _, site := range sites {
			for _, st := range b.all[site] {
				for i := range st.EVSEs {
					x.add(b.p, site, st, &st.EVSEs[i], named)
				}
			}
		}
	}
	b.p.index.Store(x)
	return x
}

func (x *index) add(p *Pages, site string, st *fleet.Station, v *fleet.EVSE, named bool) {
	key, id := portKey{st.ID, v.ID}, ""
	switch {
	case named && v.Layout != nil:
		id = v.Layout.PublicID
	case !named && x.names[key] == "":
		id = p.opaque(key)
	}
	form := canonical(id)
	if _, taken := x.byID[form]; form == "" || taken {
		return
	}
	x.byID[form], x.names[key] = place{portKey: key, site: site, id: id}, id
}

// opaque names a port without saying which it is.
func (p *Pages) opaque(key portKey) string {
	h := hmac.New(sha256.New, p.o.Key)
	h.Write([]byte(key.station + "\x00" + strconv.Itoa(key.evse))) //nolint:errcheck // documented never to fail
	return "X" + base32.StdEncoding.EncodeToString(h.Sum(nil)[:10])
}

// find returns the published port of a public id.
func (b *board) find(id string) (*site, port, bool) {
	form := canonical(id)
	if form == "" || len(id) > maxID {
		return nil, port{}, false
	}
	at, ok := b.index().byID[form]
	if !ok {
		return nil, port{}, false
	}
	s, ok := b.byID[at.site]
	if !ok {
		return nil, port{}, false
	}
	ports, _ := s.ports()
	i := slices.IndexFunc(ports, func(x port) bool { return x.id == at.id })
	if i < 0 {
		return nil, port{}, false
	}
	return s, ports[i], true
}
