package web

import (
	"context"
	"hash/fnv"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
)

const (
	powerStep    = 5 * time.Minute
	slotsPerHour = int(time.Hour / powerStep)
	// Hours that may still grow are computed again at most this often ...
	powerFresh = 15 * time.Second
	// ... and shown while that happens, but no older than this.
	powerStale = 2 * time.Minute
	// As many ports are read while somebody waits; more only behind their back.
	powerSync = 300
	// maxPowerHours bounds the book: about 250 bytes each.
	maxPowerHours = 250_000
	// What is kept warm: the Overview compares a day with that of a week before.
	powerWarmEvery = 5 * time.Minute
	powerWarmFor   = 25 * time.Hour
)

// powerSlot is the power of a site in one step. The ports of stations that
// were offline are not in it; Known says how many were, in parts of ports.
type powerSlot struct{ W, Known float32 }

type powerHour struct {
	slots [slotsPerHour]powerSlot
	late  uint64    // of the measurements, when it was computed
	at    time.Time // of the computing
	void  bool      // a connection turned out to have been otherwise
}

type powerSite struct {
	members uint64 // what the site was made of
	hours   map[int64]*powerHour
	links   map[string]contact // as they were when last looked at
	looked  time.Time
}

// contact is when a station last connected, and when it was last lost.
type contact struct{ since, until time.Time }

// linksFound is how long before it is noticed a connection may have broken.
const linksFound = 10 * time.Minute

// moved forgets the hours from the first change of a connection on.
func (x *powerSite) moved(members []member, now time.Time) {
	first := now
	for _, m := range members {
		is := contact{m.connected, m.lost}
		was, known := x.links[m.id]
		x.links[m.id] = is
		if !known || was == is {
			continue
		}
		first = earlier(first, x.looked.Add(-linksFound))
		if is.since != was.since {
			first = earlier(first, is.since)
		}
		if is.until != was.until {
			first = earlier(first, is.until)
		}
	}
	x.looked = now
	if first.Equal(now) {
		return
	}
	from := first.Unix() / 3600
	for h, hour := range x.hours {
		if h >= from {
			hour.void = true
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// member is a station of a site as the book needs it.
type member struct {
	id     string
	ports  []int
	silent map[int]time.Time // ports that charge and report no power, since when
	online bool
	// When it last connected, and when it last was lost.
	connected, lost time.Time
}

// powerBook keeps the power of each site by the hour. Summing a network's ports
// from what they measured takes seconds; an hour that is over changes only when
// a late report comes, so it is summed once.
type powerBook struct {
	flows Flows
	past  Past
	now   func() time.Time

	mu    sync.Mutex
	sites map[string]*powerSite
	count int

	work chan struct{} // one computes; the others wait and find it done
	wake chan struct{}
	want map[string]span // to be computed again behind the scenes; guarded by mu
}

// span is a half-open range of hours since the Unix epoch.
type span struct{ from, to int64 }

func newPowerBook(o Options) *powerBook {
	return &powerBook{
		flows: o.Flows, past: o.Past, now: o.Now, sites: make(map[string]*powerSite),
		work: make(chan struct{}, 1), wake: make(chan struct{}, 1), want: make(map[string]span),
	}
}

// membersOf groups the stations that count by site.
func membersOf(snap *fleet.Snapshot, wanted func(site string) bool) map[string][]member {
	out := make(map[string][]member)
	for st := range snap.Stations() {
		if !st.Shown() || len(st.EVSEs) == 0 || !wanted(st.SiteID) {
			continue
		}
		m := member{
			id: st.ID, ports: make([]int, 0, len(st.EVSEs)), online: st.Online, connected: st.ConnectedAt, lost: st.DisconnectedAt,
		}
		for i := range st.EVSEs {
			v := &st.EVSEs[i]
			m.ports = append(m.ports, v.ID)
			if v.Session != nil && v.Live.PowerW == nil {
				if m.silent == nil {
					m.silent = make(map[int]time.Time)
				}
				m.silent[v.ID] = v.Session.StartedAt
			}
		}
		out[st.SiteID] = append(out[st.SiteID], m)
	}
	return out
}

func portsOf(members []member) int {
	n := 0
	for _, m := range members {
		n += len(m.ports)
	}
	return n
}

// sign tells one composition of a site from another, whatever the order.
func sign(members []member) uint64 {
	total := uint64(len(members))
	for _, m := range members {
		h := fnv.New64a()
		h.Write([]byte(m.id))
		for _, p := range m.ports {
			h.Write([]byte{0, byte(p), byte(p >> 8)})
		}
		total += h.Sum64()
	}
	return total
}

// hours returns the slots of the sites between two hours, those of all sites
// summed: index 0 is the first step of the first hour.
func (b *powerBook) hours(ctx context.Context, sites map[string][]member, in span) ([]powerSlot, error) {
	if err := b.ensure(ctx, sites, in); err != nil {
		return nil, err
	}
	out := make([]powerSlot, int(in.to-in.from)*slotsPerHour)
	b.mu.Lock()
	defer b.mu.Unlock()
	for site := range sites {
		x := b.sites[site]
		if x == nil {
			continue
		}
		for h := in.from; h < in.to; h++ {
			hour := x.hours[h]
			if hour == nil {
				continue
			}
			at := int(h-in.from) * slotsPerHour
			for i, slot := range hour.slots {
				out[at+i].W += slot.W
				out[at+i].Known += slot.Known
			}
		}
	}
	return out, nil
}

// ensure computes what is missing, and what may have changed unless that would
// make the caller wait for long.
func (b *powerBook) ensure(ctx context.Context, sites map[string][]member, in span) error {
	missing, stale := b.lacking(sites, in)
	ports := 0
	for site := range stale {
		ports += portsOf(sites[site])
	}
	if ports <= powerSync {
		for site, s := range stale {
			missing[site] = join(missing[site], s)
		}
	} else if ports > 0 {
		b.later(stale)
	}
	if len(missing) == 0 {
		return nil
	}
	select {
	case b.work <- struct{}{}:
		defer func() { <-b.work }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return b.compute(ctx, sites, missing)
}

// lacking lists by site what has to be computed and what is merely old.
func (b *powerBook) lacking(sites map[string][]member, in span) (missing, stale map[string]span) {
	missing, stale = make(map[string]span), make(map[string]span)
	now := b.now()
	running := now.Unix() / 3600
	b.mu.Lock()
	defer b.mu.Unlock()
	for site, members := range sites {
		x := b.sites[site]
		if x == nil || x.members != sign(members) {
			missing[site] = in
			continue
		}
		x.moved(members, now)
		for h := in.from; h < in.to; h++ {
			hour := x.hours[h]
			switch {
			case hour == nil:
				missing[site] = join(missing[site], span{h, h + 1})
			case hour.void || hour.late != b.flows.Late(time.Unix(h*3600, 0)), h >= running-1 && now.Sub(hour.at) > powerFresh:
				if now.Sub(hour.at) > powerStale {
					missing[site] = join(missing[site], span{h, h + 1})
				} else {
					stale[site] = join(stale[site], span{h, h + 1})
				}
			}
		}
	}
	return missing, stale
}

func join(a, b span) span {
	if a == (span{}) {
		return b
	}
	return span{min(a.from, b.from), max(a.to, b.to)}
}

func (b *powerBook) later(stale map[string]span) {
	b.mu.Lock()
	for site, s := range stale {
		b.want[site] = join(b.want[site], s)
	}
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// run computes what was asked for and keeps the last day warm.
func (b *powerBook) run(ctx context.Context, members func() map[string][]member, failed func(error)) {
	tick := time.NewTicker(powerWarmEvery)
	defer tick.Stop()
	warm := true
	for {
		all := members()
		if warm {
			now := b.now()
			for _, to := range []time.Time{now, now.Add(-7 * 24 * time.Hour)} {
				missing, _ := b.lacking(all, hoursOf(to.Add(-powerWarmFor), to))
				if err := b.behind(ctx, all, missing); err != nil && ctx.Err() == nil {
					failed(err)
				}
			}
		}
		b.mu.Lock()
		want := b.want
		b.want = make(map[string]span)
		b.mu.Unlock()
		if err := b.behind(ctx, all, want); err != nil && ctx.Err() == nil {
			failed(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-b.wake:
			warm = false
		case <-tick.C:
			warm = true
		}
	}
}

// behind computes site by site, so that whoever waits comes in between.
func (b *powerBook) behind(ctx context.Context, all map[string][]member, want map[string]span) error {
	for site, s := range want {
		if all[site] == nil {
			continue
		}
		select {
		case b.work <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		err := b.compute(ctx, map[string][]member{site: all[site]}, map[string]span{site: s})
		<-b.work
		if err != nil {
			return err
		}
	}
	return nil
}

func hoursOf(from, to time.Time) span {
	return span{from.Unix() / 3600, (to.Unix() + 3599) / 3600}
}

// compute sums sites; the caller holds work. Another may have done it while
// the caller waited.
func (b *powerBook) compute(ctx context.Context, sites map[string][]member, what map[string]span) error {
	for site, s := range what {
		if s == (span{}) {
			continue
		}
		at := b.now()
		late := make([]uint64, s.to-s.from)
		for i := range late {
			late[i] = b.flows.Late(time.Unix((s.from+int64(i))*3600, 0))
		}
		slots, err := b.sum(ctx, sites[site], time.Unix(s.from*3600, 0).UTC(), powerStep, int(s.to-s.from)*slotsPerHour)
		if err != nil {
			return err
		}
		b.keep(site, sign(sites[site]), s, slots, late, at)
	}
	return nil
}

func (b *powerBook) keep(site string, members uint64, s span, slots []powerSlot, late []uint64, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.count > maxPowerHours {
		b.sites, b.count = make(map[string]*powerSite), 0
	}
	x := b.sites[site]
	if x == nil || x.members != members {
		if x != nil {
			b.count -= len(x.hours)
		}
		x = &powerSite{members: members, hours: make(map[int64]*powerHour), links: make(map[string]contact), looked: at}
		b.sites[site] = x
	}
	for i := range late {
		hour := &powerHour{late: late[i], at: at}
		copy(hour.slots[:], slots[i*slotsPerHour:])
		if x.hours[s.from+int64(i)] == nil {
			b.count++
		}
		x.hours[s.from+int64(i)] = hour
	}
}

// sum adds the ports of a site up. A port counts with what it measured and, for
// the rest of the time in which its station was online, with nothing: who is
// online and idle draws nothing, and who is offline is unknown.
func (b *powerBook) sum(ctx context.Context, members []member, from time.Time, step time.Duration, n int) ([]powerSlot, error) {
	out := make([]powerSlot, n)
	now := b.now()
	for _, m := range members {
		online, err := b.online(ctx, m, from, step, n, now)
		if err != nil {
			return nil, err
		}
		for _, port := range m.ports {
			f, err := b.flows.Flow(ctx, m.id, port, from, step, n)
			if err != nil {
				return nil, err
			}
			silent := n
			if since, ok := m.silent[port]; ok {
				silent = int(max(0, since.Sub(from)) / step)
			}
			for i := range n {
				known := f.Millis[i]
				if i < silent {
					known = max(known, online[i])
				}
				length := min(step, now.Sub(from.Add(time.Duration(i)*step))).Milliseconds()
				if known <= 0 || length <= 0 {
					continue
				}
				out[i].W += float32(f.WattMillis[i] / float64(known))
				out[i].Known += float32(min(1, float64(known)/float64(length)))
			}
		}
	}
	return out, nil
}

// online returns for how many milliseconds of each step a station was online.
func (b *powerBook) online(ctx context.Context, m member, from time.Time, step time.Duration, n int, now time.Time) ([]int64, error) {
	out := make([]int64, n)
	to := from.Add(time.Duration(n) * step)
	if to.After(now) {
		to = now
	}
	if m.online && !m.connected.IsZero() && !m.connected.After(from) {
		spread(out, from, step, from, to)
		return out, nil
	}
	points, err := b.past.States(ctx, journal.StateQuery{Station: m.id, From: from, To: to})
	if err != nil {
		return nil, err
	}
	for i, p := range points {
		if p.State != "online" {
			continue
		}
		until := to
		if i+1 < len(points) {
			until = points[i+1].ValidFrom
		}
		spread(out, from, step, p.ValidFrom, until)
	}
	return out, nil
}

// spread adds the time between two instants to the steps it falls into.
func spread(out []int64, from time.Time, step time.Duration, a, b time.Time) {
	start, width := from.UnixMilli(), step.Milliseconds()
	at, until := max(a.UnixMilli(), start), min(b.UnixMilli(), start+int64(len(out))*width)
	for at < until {
		k := (at - start) / width
		end := min(start+(k+1)*width, until)
		out[k] += end - at
		at = end
	}
}
