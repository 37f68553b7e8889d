package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chargewatch/chargewatch/internal/campaign"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
	"github.com/chargewatch/chargewatch/internal/usage/contrast"
)

const (
	// compareMost is how many updated stations are read, and how many of the control.
	compareMost = 250
	// compareLead is how long before a side its tries may have begun.
	compareLead = 72 * time.Hour
	// compareEvents bounds what is read of one station; one that tells more is left out.
	compareEvents = 50_000
	// compareKeep is how long a comparison is shown before it is made again.
	compareKeep = 10 * time.Minute
	// compareKept is how many are remembered.
	compareKept = 32
)

// comparisons tell what changed at the stations of firmware campaigns. They read much, so
// one is made at a time, in the background, and kept for some minutes.
type comparisons struct {
	log   journalReader
	rows  campaign.Rows
	now   func() time.Time
	queue chan *comparison

	mu   sync.Mutex
	kept map[string]*comparison
}

// journalReader is what comparisons read.
type journalReader interface {
	Snapshot() *fleet.Snapshot
	States(ctx context.Context, q journal.StateQuery) ([]fleet.Point, error)
	Observed(ctx context.Context, from, to time.Time) ([]journal.Interval, error)
	Events(ctx context.Context, q journal.EventQuery) ([]*event.Event, journal.Cursor, error)
	Kept() journal.Keep
}

// comparison is one that is made, or was.
type comparison struct {
	campaign *campaign.Campaign
	sees     func(site string) bool
	asked    time.Time
	read, of atomic.Int64
	done     chan struct{}
	report   *contrast.Report // both when done is closed
	err      error
}

func newComparisons(log journalReader, rows campaign.Rows, now func() time.Time) *comparisons {
	if now == nil {
		now = time.Now
	}
	return &comparisons{log: log, rows: rows, now: now, queue: make(chan *comparison, compareKept), kept: make(map[string]*comparison)}
}

// Compare tells what changed at the stations of a campaign, or how far it is with finding
// out when ctx ends. Stations that may not be seen are in no control; scope names those
// that may.
func (c *comparisons) Compare(ctx context.Context, of *campaign.Campaign, scope string, sees func(site string) bool) (r *contrast.Report, read, all int, err error) {
	x, err := c.ask(of, scope, sees)
	if err != nil {
		return nil, 0, 0, err
	}
	select {
	case <-x.done:
		return x.report, int(x.read.Load()), int(x.of.Load()), x.err
	case <-ctx.Done():
		return nil, int(x.read.Load()), int(x.of.Load()), nil
	}
}

func (c *comparisons) ask(of *campaign.Campaign, scope string, sees func(site string) bool) (*comparison, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := of.ID + "\x00" + scope
	now := c.now()
	if x := c.kept[key]; x != nil && (x.err == nil || !over(x)) && now.Sub(x.asked) < compareKeep {
		return x, nil
	}
	x := &comparison{campaign: of, sees: sees, asked: now, done: make(chan struct{})}
	select {
	case c.queue <- x:
	default:
		return nil, &store.InUseError{Reason: "too many comparisons are being made: ask again in a minute"}
	}
	for len(c.kept) >= compareKept {
		oldest := ""
		for k, o := range c.kept {
			if oldest == "" || o.asked.Before(c.kept[oldest].asked) {
				oldest = k
			}
		}
		delete(c.kept, oldest)
	}
	c.kept[key] = x
	return x, nil
}

func over(x *comparison) bool {
	select {
	case <-x.done:
		return true
	default:
		return false
	}
}

// Run makes comparisons until ctx ends.
func (c *comparisons) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case x := <-c.queue:
			report, err := c.make(ctx, x)
			c.mu.Lock()
			x.report, x.err = report, err
			close(x.done)
			c.mu.Unlock()
		}
	}
}

// updated is a station that got new firmware, or has the old one still.
type updated struct {
	contrast.Subject
	before, after string
}

func (c *comparisons) make(ctx context.Context, x *comparison) (*contrast.Report, error) {
	done, others, err := c.choose(ctx, x)
	if err != nil {
		return nil, err
	}
	now := c.now()
	r := &contrast.Report{At: now, Of: len(done), ControlOf: len(others)}
	done, others = evenly(done, compareMost), evenly(others, compareMost)
	x.of.Store(int64(len(done) + len(others)))
	up, err := c.up(ctx, done, now)
	if err != nil {
		return nil, err
	}
	var lengths time.Duration
	for i := range done {
		before, after, err := c.sides(ctx, &done[i], up, now)
		if err != nil {
			return nil, err
		}
		x.read.Add(1)
		r.Stations++
		if before.Stations == 0 {
			r.Early++
			continue
		}
		length := after.length
		lengths += length
		r.Most = max(r.Most, length)
		if r.Least == 0 || length < r.Least {
			r.Least = length
		}
		r.Done.Add(before.Half, after.Half)
	}
	if n := r.Stations - r.Early; n > 0 {
		r.Length = lengths / time.Duration(n)
	}
	for i := range others {
		before, after, err := c.sides(ctx, &others[i], up, now)
		if err != nil {
			return nil, err
		}
		x.read.Add(1)
		if before.Stations > 0 {
			r.Control++
			r.Nothing.Add(before.Half, after.Half)
		}
	}
	r.Changes = contrast.Compare(&r.Done, &r.Nothing, r.Length)
	return r, nil
}

// choose finds the stations that were updated, and those of the same kinds that were not.
func (c *comparisons) choose(ctx context.Context, x *comparison) (done, others []updated, err error) {
	rows, err := c.rows.CampaignStations(ctx, x.campaign.Seq, store.CampaignStationQuery{After: -1, Limit: store.MaxCampaignStations})
	if err != nil {
		return nil, nil, err
	}
	snap := c.log.Snapshot()
	touched := make(map[string]bool)
	var subjects []contrast.Subject
	versions := make(map[string]updated)
	for i := range rows {
		row := &rows[i]
		touched[row.Station] = row.Attempts > 0
		st, ok := snap.Station(row.Station)
		var to struct{ Firmware string }
		if !ok || row.State != campaign.Done || json.Unmarshal(row.After, &to) != nil || to.Firmware == "" {
			continue
		}
		s := contrast.Subject{Station: row.Station, Kind: kindOf(st, row.Firmware), From: row.BeganAt, To: row.At}
		subjects = append(subjects, s)
		done = append(done, updated{s, row.Firmware, to.Firmware})
		versions[s.Kind] = updated{before: row.Firmware, after: row.Firmware}
	}
	var alike []contrast.Subject
	for st := range snap.Stations() {
		kind := kindOf(st, st.Firmware)
		if _, ok := versions[kind]; ok && !touched[st.ID] && x.sees(st.SiteID) {
			alike = append(alike, contrast.Subject{Station: st.ID, Kind: kind})
		}
	}
	for _, s := range contrast.Paired(subjects, alike) {
		v := versions[s.Kind]
		v.Subject = s
		others = append(others, v)
	}
	return done, others, nil
}

func kindOf(st *fleet.Station, firmware string) string {
	return st.Vendor + "\x00" + st.Model + "\x00" + firmware
}

// evenly picks at most so many of a list, from all over it.
func evenly[T any](list []T, most int) []T {
	if len(list) <= most {
		return list
	}
	out := make([]T, 0, most)
	for i := range most {
		out = append(out, list[i*len(list)/most])
	}
	return out
}

// up is when we listened, in the time around all that was done.
func (c *comparisons) up(ctx context.Context, done []updated, now time.Time) ([]contrast.Span, error) {
	if len(done) == 0 {
		return nil, nil
	}
	first := slices.MinFunc(done, func(a, b updated) int { return a.From.Compare(b.From) }).From
	// A run is found by its last sign of life, which is some seconds old.
	list, err := c.log.Observed(ctx, first.Add(-contrast.Most-time.Hour), now)
	if err != nil {
		return nil, fmt.Errorf("read when we were up: %w", err)
	}
	out := make([]contrast.Span, len(list))
	for i, x := range list {
		out[i] = contrast.Span{From: x.From, To: x.To}
	}
	return out, nil
}

type side struct {
	contrast.Half
	length time.Duration
}

// sides reads what a station did before and after. Without anything on one of the sides
// both are empty.
func (c *comparisons) sides(ctx context.Context, x *updated, up []contrast.Span, now time.Time) (before, after side, err error) {
	st, ok := c.log.Snapshot().Station(x.Station)
	if !ok {
		return before, after, nil
	}
	from, to := x.From.Add(-contrast.Most), x.From.Add(contrast.Aside+contrast.Most)
	if x.To.Add(contrast.Most).After(to) {
		to = x.To.Add(contrast.Most)
	}
	if to.After(now) {
		to = now
	}
	if kept := now.Add(-c.log.Kept().History + time.Hour); from.Before(kept) {
		from = kept
	}
	if !from.Before(x.From) {
		return before, after, nil
	}
	events, whole, err := c.events(ctx, x.Station, from.Add(-compareLead), to, now)
	if err != nil || !whole {
		return before, after, err
	}
	seen := contrast.Seen{Up: up}
	if seen.Links, err = c.log.States(ctx, journal.StateQuery{Station: x.Station, From: from, To: to}); err != nil {
		return before, after, fmt.Errorf("read connections: %w", err)
	}
	if len(seen.Links) == 0 {
		return before, after, nil
	}
	if first := seen.Links[0].ValidFrom; first.After(from) { // it was not there before
		from = first
	}
	from, to = contrast.Runs(events, &x.Subject, x.before, x.after, from, to)
	one, other, ok := x.Halves(from, to)
	if !ok {
		return before, after, nil
	}
	for i := range st.EVSEs {
		states, err := c.log.States(ctx, journal.StateQuery{Station: x.Station, EVSE: st.EVSEs[i].ID, From: one.From, To: other.To})
		if err != nil {
			return before, after, fmt.Errorf("read states: %w", err)
		}
		seen.Ports = append(seen.Ports, states)
	}
	seen.Tries = attempt.Of(events, now)
	length := other.To.Sub(other.From)
	return side{seen.During(one), length}, side{seen.During(other), length}, nil
}

// events reads what tries and boots of a station are told by, in the order of their time.
func (c *comparisons) events(ctx context.Context, station string, from, to, now time.Time) (list []*event.Event, whole bool, err error) {
	q := journal.EventQuery{Subject: event.Station(station), Kinds: attempt.Kinds(), From: from, To: to, Limit: journal.MaxLimit}
	if kept := now.Add(-c.log.Kept().History + time.Hour); q.From.Before(kept) {
		q.From = kept
	}
	for {
		page, next, err := c.log.Events(ctx, q)
		if err != nil {
			return nil, false, fmt.Errorf("read tries: %w", err)
		}
		list = append(list, page...)
		if len(list) > compareEvents {
			return nil, false, nil
		}
		if q.Before = next; next == "" {
			break
		}
	}
	slices.SortStableFunc(list, func(a, b *event.Event) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Seq, b.Seq)) })
	return list, true, nil
}
