package web

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/fleet"
)

// maxEntries bounds the ports of one frame.
const maxEntries = 5000

// structureEvery bounds how often the set of ports is laid out anew, as when
// thousands of stations come for the first time.
const structureEvery = time.Second

// board is the network's ports in the feed's order, with the version at which
// each last changed. The hub owns it.
type board struct {
	snap      *fleet.Snapshot
	version   uint64 // of the values
	structure uint64 // of the set of ports
	dirty     bool   // the set must be laid out anew
	laidOut   time.Time
	ports     []port
	first     map[string]int // station -> its first port
	views     map[string]*view
}

// port is what the feed says of a port.
type port struct {
	station  string
	evse     int
	label    string
	site     string
	status   fleet.Status
	online   bool
	free     bool
	powerW   int64 // noPower: none reported
	ratedW   int64
	statusAt int64
	changed  uint64
}

func newBoard() *board {
	return &board{snap: &fleet.Snapshot{}, first: make(map[string]int), views: make(map[string]*view)}
}

func portOf(st *fleet.Station, v *fleet.EVSE) port {
	p := port{
		station: st.ID, evse: v.ID, label: st.Label, site: st.SiteID, status: v.Status, online: st.Online, free: st.Free(v),
	}
	if !v.StatusAt.IsZero() {
		p.statusAt = v.StatusAt.Unix()
	}
	p.powerW = feedPower(st.Power(v))
	if v.Layout != nil {
		p.ratedW = int64(v.Layout.RatedW)
	}
	return p
}

// noPower stands for a power nobody reports.
const noPower = -1

// feedPower is a power as the feed says it. A car may feed the grid with some
// watts less than nothing; that one of them means none costs a watt.
func feedPower(w *float64) int64 {
	if w == nil {
		return noPower
	}
	if watts := int64(*w); watts != noPower {
		return watts
	}
	return 0
}

// update takes over what changed since the last snapshot.
func (b *board) update(snap *fleet.Snapshot, now time.Time) {
	if snap != b.snap {
		b.version++
		for st := range snap.Changed(b.snap) {
			b.take(snap, st)
		}
		b.snap = snap
	}
	if b.dirty && now.Sub(b.laidOut) >= structureEvery {
		b.layOut(now)
	}
}

func (b *board) take(snap *fleet.Snapshot, st *fleet.Station) {
	at, known := b.first[st.ID]
	if _, still := snap.Station(st.ID); !still || !st.Shown() || len(st.EVSEs) == 0 {
		b.dirty = b.dirty || known
		return
	}
	if !known {
		b.dirty = true
		return
	}
	for i := range st.EVSEs {
		next := portOf(st, &st.EVSEs[i])
		if at+i >= len(b.ports) {
			b.dirty = true
			return
		}
		p := &b.ports[at+i]
		next.changed = p.changed
		if next == *p {
			continue
		}
		if next.station != p.station || next.evse != p.evse || next.label != p.label || next.site != p.site || next.ratedW != p.ratedW {
			b.dirty = true
			return
		}
		next.changed = b.version
		*p = next
	}
	if end := at + len(st.EVSEs); end < len(b.ports) && b.ports[end].station == st.ID {
		b.dirty = true // it has fewer ports than before
	}
}

func (b *board) layOut(now time.Time) {
	var stations []*fleet.Station
	for st := range b.snap.Stations() {
		if st.Shown() && len(st.EVSEs) > 0 {
			stations = append(stations, st)
		}
	}
	slices.SortFunc(stations, func(a, b *fleet.Station) int { return strings.Compare(a.ID, b.ID) })
	b.ports, b.first = b.ports[:0], make(map[string]int, len(stations))
	for _, st := range stations {
		b.first[st.ID] = len(b.ports)
		for i := range st.EVSEs {
			p := portOf(st, &st.EVSEs[i])
			p.changed = b.version
			b.ports = append(b.ports, p)
		}
	}
	b.structure++
	b.dirty, b.laidOut = false, now
}

// view is the board as one scope sees it. Clients of a scope share what is
// encoded.
type view struct {
	scope     Scope
	people    Scope // where people may be seen
	structure uint64
	index     []int // of board ports

	snapshotAt uint64
	snapshot   [][]byte
	deltaTo    uint64
	deltas     map[uint64][][]byte

	summary       json.RawMessage
	summarySerial uint64
	summaryOf     *fleet.Snapshot
	summaryAt     time.Time
	summaryTook   time.Duration
}

// view returns the view of a scope, in a part of which people may be seen, laid out
// for the current structure.
func (b *board) view(scope, people Scope) *view {
	key := viewKey(scope, people)
	v := b.views[key]
	if v == nil {
		v = &view{scope: scope, people: people.and(scope), structure: ^uint64(0)}
		b.views[key] = v
	}
	if v.structure != b.structure {
		v.structure, v.index = b.structure, v.index[:0]
		for i := range b.ports {
			if scope.Allows(b.ports[i].site) {
				v.index = append(v.index, i)
			}
		}
		v.snapshot, v.deltas = nil, nil
	}
	return v
}

func viewKey(scope, people Scope) string { return scope.key() + "\x00" + people.and(scope).key() }

// forget drops views that no client has.
func (b *board) forget(used map[string]bool) {
	for key := range b.views {
		if !used[key] {
			delete(b.views, key)
		}
	}
}

// snapshotTails encodes all ports of a view, in frames of at most maxEntries.
func (b *board) snapshotTails(v *view) [][]byte {
	if v.snapshot != nil && v.snapshotAt == b.version {
		return v.snapshot
	}
	v.snapshotAt, v.snapshot = b.version, nil
	for offset := 0; offset == 0 || offset < len(v.index); offset += maxEntries {
		part := v.index[offset:min(offset+maxEntries, len(v.index))]
		v.snapshot = append(v.snapshot, b.snapshotTail(part, offset, len(v.index)))
	}
	return v.snapshot
}

func (b *board) snapshotTail(part []int, offset, total int) []byte {
	out := make([]byte, 0, 200+80*len(part))
	out = append(out, `,"snapshot":true,"total":`...)
	out = strconv.AppendInt(out, int64(total), 10)
	out = append(out, `,"offset":`...)
	out = strconv.AppendInt(out, int64(offset), 10)
	sites, place := make([]string, 0, 16), make(map[string]int)
	column := func(name string, value func(dst []byte, p *port) []byte) {
		out = append(out, `,"`...)
		out = append(out, name...)
		out = append(out, `":[`...)
		for n, i := range part {
			if n > 0 {
				out = append(out, ',')
			}
			out = value(out, &b.ports[i])
		}
		out = append(out, ']')
	}
	column("ids", func(dst []byte, p *port) []byte { return appendText(dst, p.station+"/"+strconv.Itoa(p.evse)) })
	column("labels", func(dst []byte, p *port) []byte { return appendText(dst, p.label) })
	column("site", func(dst []byte, p *port) []byte {
		at, ok := place[p.site]
		if !ok {
			at = len(sites)
			place[p.site] = at
			sites = append(sites, p.site)
		}
		return strconv.AppendInt(dst, int64(at), 10)
	})
	column("ratedW", func(dst []byte, p *port) []byte { return strconv.AppendInt(dst, p.ratedW, 10) })
	out = b.values(out, part)
	out = append(out, `,"sites":[`...)
	for i, site := range sites {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendText(out, site)
	}
	return append(out, ']', '}')
}

// deltaTails encodes the ports of a view that changed after a version.
func (b *board) deltaTails(v *view, since uint64) [][]byte {
	if since == b.version {
		return nil
	}
	if v.deltaTo != b.version || v.deltas == nil {
		v.deltaTo, v.deltas = b.version, make(map[uint64][][]byte)
	}
	if tails, ok := v.deltas[since]; ok {
		return tails
	}
	var places, part []int
	for n, i := range v.index {
		if b.ports[i].changed > since {
			places, part = append(places, n), append(part, i)
		}
	}
	var tails [][]byte
	for from := 0; from < len(part); from += maxEntries {
		to := min(from+maxEntries, len(part))
		out := append(make([]byte, 0, 100+40*(to-from)), `,"index":[`...)
		for n, place := range places[from:to] {
			if n > 0 {
				out = append(out, ',')
			}
			out = strconv.AppendInt(out, int64(place), 10)
		}
		out = append(out, ']')
		tails = append(tails, append(b.values(out, part[from:to]), '}'))
	}
	v.deltas[since] = tails
	return tails
}

// values appends the columns that change.
func (b *board) values(out []byte, part []int) []byte {
	column := func(name string, value func(p *port) int64) {
		out = append(out, `,"`...)
		out = append(out, name...)
		out = append(out, `":[`...)
		for n, i := range part {
			if n > 0 {
				out = append(out, ',')
			}
			out = strconv.AppendInt(out, value(&b.ports[i]), 10)
		}
		out = append(out, ']')
	}
	column("status", func(p *port) int64 { return int64(p.status) })
	column("online", func(p *port) int64 { return bit(p.online) })
	column("powerW", func(p *port) int64 { return p.powerW })
	column("statusAt", func(p *port) int64 { return p.statusAt })
	column("free", func(p *port) int64 { return bit(p.free) })
	return out
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// appendText appends a JSON string.
func appendText(dst []byte, text string) []byte {
	data, err := json.Marshal(text)
	if err != nil { // strings always encode
		return append(dst, `""`...)
	}
	return append(dst, data...)
}
