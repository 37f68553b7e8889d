package history

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

const (
	// Each day's tries are told from its events and those of so long before,
	// whatever else is counted at once, so that they are always the same.
	triesLead = 72 * time.Hour
	// triesMost bounds the events of one station that are read at once. A station
	// that tells more has none of its tries counted on these days.
	triesMost = 50_000
)

// tries counts the tries at the ports of a station by the day on which they
// ended. One that never came
// to a port counts at the first.
func (s *Store) tries(ctx context.Context, station string, first int, from, to, now time.Time) (map[int]map[int64]*rollup.Tries, error) {
	q := journal.EventQuery{
		Subject: event.Station(station), Kinds: attempt.Kinds(), From: from.Add(-triesLead), To: to, Limit: journal.MaxLimit,
	}
	if kept := now.Add(-s.o.Journal.Kept().History + time.Hour); q.From.Before(kept) {
		q.From = kept
	}
	var events []*event.Event
	for {
		page, next, err := s.o.Journal.Events(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read tries: %w", err)
		}
		events = append(events, page...)
		if len(events) > triesMost {
			return nil, nil
		}
		if q.Before = next; next == "" {
			break
		}
	}
	slices.Reverse(events)
	out := make(map[int]map[int64]*rollup.Tries)
	since := func(t time.Time) int {
		i, _ := slices.BinarySearchFunc(events, t, func(e *event.Event, t time.Time) int { return e.At.Compare(t) })
		return i
	}
	for day := from; day.Before(to); day = day.Add(rollup.Day) {
		end := day.Add(rollup.Day)
		until := end
		if now.Before(until) {
			until = now
		}
		lead := since(day.Add(-triesLead))
		for _, a := range attempt.Of(events[lead:max(lead, since(until))], until) {
			if a.EndsAt.Before(day) || !a.EndsAt.Before(end) {
				continue
			}
			evse := a.EVSE
			if evse <= 0 {
				evse = first
			}
			if out[evse] == nil {
				out[evse] = make(map[int64]*rollup.Tries)
			}
			t := out[evse][dayOf(day)]
			if t == nil {
				t = new(rollup.Tries)
				out[evse][dayOf(day)] = t
			}
			tell(t, &a)
		}
	}
	return out, nil
}

func tell(t *rollup.Tries, a *attempt.Attempt) {
	t.All++
	if !a.Failed {
		return
	}
	t.Failed++
	switch a.Reason {
	case attempt.NoToken:
		t.InVain++
		t.GaveUp++
	case attempt.NeverPlugged, attempt.UnpluggedEarly, attempt.PlugTimeout:
		t.GaveUp++
	}
}
