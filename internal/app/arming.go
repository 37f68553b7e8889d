package app

import (
	"context"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// armingLook is how late a calendar may be told.
const armingLook = 10 * time.Second

// tellArming tells the journal when a site's calendar arms or disarms it, so that
// detection knows and a replay knows the same. What people decide is told when
// they do.
func (s *Server) tellArming(ctx context.Context) error {
	told := make(map[string]bool)              // by site that has a calendar
	for _, site := range s.live.ArmedSites() { // by what may be over since we were away
		told[site] = true
	}
	t := time.NewTicker(armingLook)
	defer t.Stop()
	for {
		for _, x := range s.Store.Sites() {
			armed, bySchedule := s.Store.ArmedNow(x.ID)
			if !turned(told, x.ID, armed, bySchedule) {
				continue
			}
			now := time.Now()
			if _, err := s.Journal.Append(ctx, &event.Event{
				Subject: event.Site(x.ID), At: now, ReceivedAt: now, Origin: event.FromUs,
				Body: &event.Arming{Armed: armed, Schedule: bySchedule},
			}); err != nil {
				if ctx.Err() == nil {
					s.log.WarnContext(ctx, "the arming of a site is not in the journal", "site", x.ID, "err", err)
				}
				delete(told, x.ID) // again at the next look
			}
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// turned notes how a site's calendar stands and reports whether that is news. Where
// a person decided there is no calendar, and where there is none any more (a site is no
// longer on its guard) the end of it is news.
func turned(told map[string]bool, site string, armed, bySchedule bool) bool {
	was, known := told[site]
	if !bySchedule {
		delete(told, site)
		return known && was != armed
	}
	told[site] = armed
	return !known || was != armed
}
