package study

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/expand"
)

const (
	quickFor  = 10 * time.Minute
	littleFor = 15 * time.Second // where not enough is known: more may come at once, by an import
	mostQuick = 64
	rankFor   = 6 * time.Hour
)

// quicks are estimates of sites that somebody looked at lately.
type quicks struct {
	turn chan struct{} // one estimate is made at a time
	mu   sync.Mutex
	of   map[string]kept
}

type kept struct {
	quick *expand.Quick
	at    time.Time
}

func newQuicks() quicks {
	return quicks{turn: make(chan struct{}, 1), of: make(map[string]kept)}
}

func (q *quicks) get(site string, now time.Time) *expand.Quick {
	q.mu.Lock()
	defer q.mu.Unlock()
	k, ok := q.of[site]
	if !ok || now.Sub(k.at) >= quickFor || !k.quick.Enough && now.Sub(k.at) >= littleFor {
		return nil
	}
	return k.quick
}

// Quick returns what answers at once about a site.
func (d *Desk) Quick(ctx context.Context, site string) (*expand.Quick, error) {
	if k := d.quick.get(site, d.o.Now()); k != nil {
		return k, nil
	}
	select {
	case d.quick.turn <- struct{}{}:
		defer func() { <-d.quick.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if k := d.quick.get(site, d.o.Now()); k != nil { // made while we waited
		return k, nil
	}
	known, err := d.o.Sites.Known(ctx, site)
	if err != nil {
		return nil, err
	}
	k := expand.NewQuick(known)
	d.quick.mu.Lock()
	defer d.quick.mu.Unlock()
	if len(d.quick.of) >= mostQuick {
		oldest := ""
		for s, v := range d.quick.of {
			if oldest == "" || v.at.Before(d.quick.of[oldest].at) {
				oldest = s
			}
		}
		delete(d.quick.of, oldest)
	}
	d.quick.of[site] = kept{k, d.o.Now()}
	return k, nil
}

// ranks are the places of sites in the order of need.
type ranks struct {
	mu     sync.Mutex
	of     map[string]ranked
	wanted time.Time // when somebody last asked
	change chan struct{}
}

type ranked struct {
	rank expand.Rank
	at   time.Time
}

func newRanks() ranks { return ranks{of: make(map[string]ranked), change: make(chan struct{})} }

// Ranking returns the places of sites that are known, by site, when the oldest of
// them was found, and how many are still being placed. It waits for them as long
// as ctx does.
func (d *Desk) Ranking(ctx context.Context, sites []string) (places map[string]expand.Rank, asOf time.Time, left int) {
	for {
		d.ranks.mu.Lock()
		d.ranks.wanted = d.o.Now()
		places, asOf, left = make(map[string]expand.Rank), time.Time{}, 0
		for _, s := range sites {
			r, ok := d.ranks.of[s]
			if !ok {
				left++
				continue
			}
			places[s] = r.rank
			if asOf.IsZero() || r.at.Before(asOf) {
				asOf = r.at
			}
		}
		change := d.ranks.change
		d.ranks.mu.Unlock()
		if left == 0 || ctx.Err() != nil {
			return places, asOf, left
		}
		d.wake()
		select {
		case <-change:
		case <-ctx.Done():
		}
	}
}

// rank places the site whose place is oldest, if somebody asked within a day and
// it is not fresh. It reports whether there may be more to do.
func (d *Desk) rank(ctx context.Context) bool {
	now := d.o.Now()
	d.ranks.mu.Lock()
	wanted := !d.ranks.wanted.IsZero() && now.Sub(d.ranks.wanted) < 24*time.Hour
	next, found := "", false
	var oldest time.Time
	if wanted {
		names := d.o.Sites.Names()
		there := make(map[string]bool, len(names))
		for _, s := range names {
			there[s] = true
			r, ok := d.ranks.of[s]
			if age := now.Sub(r.at); ok && (r.rank.Enough && age < rankFor || age < quickFor) {
				continue
			}
			if !found || r.at.Before(oldest) {
				next, oldest, found = s, r.at, true
			}
		}
		for s := range d.ranks.of {
			if !there[s] {
				delete(d.ranks.of, s)
			}
		}
	}
	d.ranks.mu.Unlock()
	if !found {
		return false
	}
	pace := d.pace(ctx)
	place := expand.Rank{Site: next}
	known, err := d.o.Sites.Known(ctx, next)
	switch {
	case err == nil:
		place = expand.NewQuick(known).Rank(next)
	case ctx.Err() != nil:
		return false
	case !errors.Is(err, ErrNoSite):
		d.o.Logger.WarnContext(ctx, "site not ranked", "site", next, "err", err)
	}
	d.ranks.mu.Lock()
	d.ranks.of[next] = ranked{place, now}
	close(d.ranks.change)
	d.ranks.change = make(chan struct{})
	d.ranks.mu.Unlock()
	return pace()
}
