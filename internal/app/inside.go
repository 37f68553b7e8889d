package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/source/door"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// inside is who is inside of areas, behind a lock: doors of an area may be at several
// controllers. It is made of the journal at the start; afterwards of what happens.
type inside struct {
	s *Server

	mu    sync.Mutex
	known *access.Inside
}

var (
	_ door.Inside = (*inside)(nil)
	_ web.Inside  = (*inside)(nil)
)

// load reads who went where in the time that any area thinks back.
func (x *inside) load(ctx context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.known = access.NewInside()
	st := x.s.Store
	pardons, err := st.Pardons(ctx)
	if err != nil {
		return err
	}
	for _, p := range pardons {
		x.known.Pardon(p.Area, p.Who, p.At)
	}
	areas, err := st.Areas(ctx)
	if err != nil {
		return err
	}
	q := journal.EventQuery{Kinds: []event.Kind{event.KindAccess, event.KindDoorAlarm}, Limit: journal.MaxLimit, Among: []event.Subject{}, From: time.Now()}
	for _, d := range st.Doors() {
		for _, a := range st.Book().Areas(d.Place().ID) {
			if from := time.Now().Add(-a.Forget()); from.Before(q.From) {
				q.From = from
			}
			q.Among = append(q.Among, event.Door(d.ID))
		}
	}
	for len(areas) > 0 && len(q.Among) > 0 {
		found, next, err := x.s.Journal.Events(ctx, q)
		if err != nil {
			return fmt.Errorf("read who is inside: %w", err)
		}
		for _, e := range found {
			x.past(e)
		}
		if next == "" {
			break
		}
		q.Before = next
	}
	return nil
}

// past takes in what happened before we began.
func (x *inside) past(e *event.Event) {
	place := event.Door(e.Subject.ID).String()
	for _, a := range x.s.Store.Book().Areas(place) {
		switch b := e.Body.(type) {
		case *event.Access:
			if who := door.Whose(b); b.Allowed && who != "" {
				x.known.Went(a, place, who, b.Out, e.At, x.leaky(a))
				x.known.Opened(place, e.At) // as far as is known
			}
		case *event.DoorAlarm:
			if b.Alarm == event.AlarmFire && b.Active {
				x.known.Pardon(a.ID, "", e.At)
			}
		}
	}
}

// leaky reports an area that somebody may have left unseen while we were away: one of its
// doors is at a broker, which keeps no records.
func (x *inside) leaky(a *access.Area) bool {
	for _, list := range [][]string{a.In, a.Out} {
		for _, place := range list {
			s, err := event.ParseSubject(place)
			if err != nil {
				continue
			}
			d, ok := x.s.Store.Door(s.ID)
			if !ok {
				continue
			}
			if c, ok := x.s.Store.Controller(d.Controller); !ok || c.Driver == store.DriverMQTT {
				return true
			}
		}
	}
	return false
}

// Judge says what is known of somebody; of several areas the worst.
func (x *inside) Judge(d door.DoorConfig, who string, out bool, at time.Time) access.Passage {
	x.mu.Lock()
	defer x.mu.Unlock()
	var worst access.Passage
	for _, a := range x.s.Store.Book().Areas(d.Place.ID) {
		p := x.known.Judge(a, d.Place.ID, who, out, at)
		if p.Refused() {
			return p
		}
		if worst.Kind == "" {
			worst = p
		}
	}
	return worst
}

// Went notes that somebody was let through.
func (x *inside) Went(d door.DoorConfig, who string, out bool, at time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, a := range x.s.Store.Book().Areas(d.Place.ID) {
		x.known.Went(a, d.Place.ID, who, out, at, false)
	}
}

// Opened notes that a door was opened.
func (x *inside) Opened(d door.DoorConfig, at time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.known.Opened(d.Place.ID, at)
}

// Emptied notes that everybody left.
func (x *inside) Emptied(d door.DoorConfig, at time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, a := range x.s.Store.Book().Areas(d.Place.ID) {
		x.known.Pardon(a.ID, "", at)
	}
}

// InsideOf is who is inside of an area.
func (x *inside) InsideOf(a *access.Area) []access.Someone {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.known.List(a, time.Now())
}

// Pardon forgets that somebody is inside, or anybody. A board that keeps it by itself
// begins anew: it cannot forget one.
func (x *inside) Pardon(ctx context.Context, by store.Actor, areas []string, who, reason string) error {
	at, err := x.s.Store.Pardon(ctx, by, areas, who, reason)
	if err != nil {
		return err
	}
	x.mu.Lock()
	for _, id := range areas {
		x.known.Pardon(id, who, at)
	}
	x.mu.Unlock()
	for _, id := range areas {
		a, ok := x.s.Store.Book().Area(id)
		if !ok || !a.Board {
			continue
		}
		s, err := event.ParseSubject(a.In[0])
		if err != nil {
			continue
		}
		if d, ok := x.s.Store.Door(s.ID); ok {
			if err := x.s.doors.Forgive(ctx, d.Controller); err != nil {
				return doorError(err)
			}
		}
	}
	return nil
}
