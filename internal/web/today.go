package web

import (
	"context"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
)

const (
	// todayBack reaches behind midnight of every time zone, also on the day
	// that has 25 hours.
	todayBack = 26 * time.Hour
	// todayMost bounds memory: 100 bytes for each of 50 sessions a day at 20,000
	// ports.
	todayMost = 1_000_000
	// todayAgain is how long to wait when the journal could not be read.
	todayAgain = 5 * time.Second
)

// today counts the sessions that started today, and their energy. Open ones
// are in the snapshot; for the others it reads the journal once and then follows
// it, so that a late report, a correction and an ended session that goes on
// after all count at once, however long the day was.
type today struct {
	s     *Server
	mu    sync.Mutex
	ended map[string]endedSession // what began within todayBack
	sites map[string]siteDay      // sums of ended
	zones map[string]*time.Location
	swept time.Time
}

type endedSession struct {
	site    string
	started time.Time
	energy  float64
}

// siteDay sums the sessions of a site that began since midnight there.
type siteDay struct {
	since  time.Time
	n      int
	energy float64
}

func newToday(s *Server) *today {
	return &today{
		s: s, ended: make(map[string]endedSession), sites: make(map[string]siteDay), zones: make(map[string]*time.Location),
	}
}

func (t *today) run(ctx context.Context) {
	from := journal.CursorAt(t.s.o.Fleet.Snapshot().Seq)
	for read := false; ctx.Err() == nil; {
		var err error
		if !read {
			err = t.read(ctx)
			read = err == nil
		}
		if read {
			err = t.follow(ctx, &from)
		}
		if err != nil && ctx.Err() == nil {
			t.s.log.WarnContext(ctx, "sessions of today not counted", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(todayAgain):
		}
	}
}

// read takes over all of today that has ended.
func (t *today) read(ctx context.Context) error {
	oldest := t.s.now().Add(-todayBack)
	q := journal.SessionQuery{Active: new(false), From: oldest, Limit: journal.MaxLimit}
	for {
		page, next, err := t.s.o.History.Sessions(ctx, q)
		if err != nil {
			return err
		}
		t.keep(page)
		if next == "" || len(page) == 0 || page[len(page)-1].StartedAt.Before(oldest) {
			return nil
		}
		q.Before = next
	}
}

// follow reads again the sessions of stations that had one change.
func (t *today) follow(ctx context.Context, from *journal.Cursor) error {
	for batch, err := range t.s.o.Log.Subscribe(ctx, *from) {
		if err != nil {
			return err
		}
		changed := make(map[string]bool)
		for _, e := range batch.Events {
			switch e.Body.(type) {
			case *event.Transaction, *event.SessionInferred:
				changed[e.Subject.ID] = true
			}
		}
		for station := range changed {
			page, _, err := t.s.o.History.Sessions(ctx, journal.SessionQuery{
				Station: station, From: t.s.now().Add(-todayBack), Limit: journal.MaxLimit,
			})
			if err != nil {
				return err
			}
			t.keep(page)
		}
		*from = batch.Next
	}
	return nil
}

// keep takes sessions over as they are now.
func (t *today) keep(page []*fleet.Session) {
	now := t.s.now()
	oldest := now.Add(-todayBack)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, x := range page {
		was, known := t.ended[x.ID]
		if known {
			t.sum(was, now, -1)
			delete(t.ended, x.ID)
		}
		if x.State == fleet.SessionActive || x.StartedAt.Before(oldest) || len(t.ended) >= todayMost {
			continue
		}
		one := endedSession{site: x.SiteID, started: x.StartedAt, energy: x.EnergyWh}
		t.ended[x.ID] = one
		t.sum(one, now, 1)
	}
}

// sum adds a session to its site, or takes it away.
func (t *today) sum(x endedSession, now time.Time, times int) {
	day, ok := t.sites[x.site]
	if !ok {
		day.since = t.midnight(x.site, now)
	}
	if !x.started.Before(day.since) {
		day.n += times
		day.energy += float64(times) * x.energy
	}
	t.sites[x.site] = day
}

// renew sums anew when a day began somewhere or a site's time zone changed, and
// forgets what is too old for any of them.
func (t *today) renew(now time.Time) {
	current := now.Sub(t.swept) < time.Hour
	for site, day := range t.sites {
		current = current && t.midnight(site, now).Equal(day.since)
	}
	if current {
		return
	}
	t.swept = now
	clear(t.sites)
	for id, x := range t.ended {
		if x.started.Before(now.Add(-todayBack)) {
			delete(t.ended, id)
			continue
		}
		t.sum(x, now, 1)
	}
}

// count sums what a scope sees: ended sessions and those open in a snapshot.
func (t *today) count(snap *fleet.Snapshot, allowed Scope) (n int, energyWh float64) {
	now := t.s.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.renew(now)
	for site, day := range t.sites {
		// What happened at a site that was removed is history and counts no more.
		if _, stands := t.s.o.Store.Site(site); allowed.Allows(site) && (stands || site == "") {
			n += day.n
			energyWh += day.energy
		}
	}
	midnights := make(map[string]time.Time)
	open := func(site string, x *fleet.Session) {
		if x == nil {
			return
		}
		since, ok := midnights[site]
		if !ok {
			since = t.midnight(site, now)
			midnights[site] = since
		}
		// It ended after the snapshot, or goes on after an end we had inferred.
		if was, ended := t.ended[x.ID]; ended && allowed.Allows(was.site) && !was.started.Before(t.sites[was.site].since) {
			n--
			energyWh -= was.energy
		}
		if !x.StartedAt.Before(since) {
			n++
			energyWh += x.EnergyWh
		}
	}
	for st := range snap.Stations() {
		if !allowed.Allows(st.SiteID) {
			continue
		}
		for i := range st.EVSEs {
			open(st.SiteID, st.EVSEs[i].Session)
		}
		for _, x := range st.Backlog {
			open(st.SiteID, x)
		}
	}
	return n, energyWh
}

// midnight is when the day began at a site; UTC where no time zone is set. It
// needs t.mu: time zones are read from disk once each.
func (t *today) midnight(site string, now time.Time) time.Time {
	zone := time.UTC
	if x, ok := t.s.o.Store.Site(site); ok && x.TimeZone != "" {
		known, ok := t.zones[x.TimeZone]
		if !ok {
			if known, _ = time.LoadLocation(x.TimeZone); known == nil {
				known = time.UTC
			}
			t.zones[x.TimeZone] = known // the store takes no name that is none, so they are few
		}
		zone = known
	}
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone)
}
