package lab

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/sim"
)

// Perform sends a command that detection or a remedy wants while a run is read,
// as the outbox would. What comes of it follows among the events.
func (r *Run) Perform(a detect.Asked, now time.Time) { r.desk.perform(a, now) }

// What somebody on duty does: looks, and says so; and once the repair has held,
// closes what waits for a person. The inbox is gone through every hour of office
// time, Monday to Friday, and what is a work order is taken on.
const (
	looksAfter  = 3 * time.Minute
	closesAfter = 4 * time.Hour
	officeFrom  = 7 // UTC, as the stations live
	officeUntil = 16
)

// Called has whoever is on duty acknowledge an incident.
func (r *Run) Called(incident string, now time.Time) {
	r.desk.person(incident, now.Add(looksAfter), &event.IncidentAction{Action: "acknowledge", By: "on-duty"})
}

// Listed has what nobody is called for taken on when the inbox is gone through.
func (r *Run) Listed(incident string, now time.Time) {
	if r.alone {
		return
	}
	at := now.Truncate(time.Hour).Add(time.Hour)
	for at.Weekday() == time.Saturday || at.Weekday() == time.Sunday || at.Hour() < officeFrom || at.Hour() > officeUntil {
		at = at.Add(time.Hour)
	}
	r.desk.person(incident, at, &event.IncidentAction{Action: "acknowledge", By: "dispatch"})
}

// Repaired has the same person close an incident that waits for one. Whoever
// reads the run leaves it out if the trouble is back by then.
func (r *Run) Repaired(incident string, now time.Time) {
	r.desk.person(incident, now.Add(closesAfter), &event.IncidentAction{Action: "close", By: "on-duty", Note: "seen to"})
}

func (d *desk) person(incident string, at time.Time, a *event.IncidentAction) {
	e := ours(at, a)
	e.Subject = event.OfIncident(incident)
	d.put(e)
}

// desk answers commands for the stations: it knows who is online, what each
// last said, and who is hung.
type desk struct {
	hung    map[string][]span
	unable  map[string][]span
	online  map[string]string              // by station: its connection
	said    map[event.Subject]*event.Event // the last status of each plug
	waiting []*event.Event                 // in order of ReceivedAt
	obey    bool
	orders  []detect.Asked // to be carried out when the stations have lived so far
}

type span struct{ from, to time.Time }

func within(list []span, t time.Time) bool {
	for _, s := range list {
		if !t.Before(s.from) && t.Before(s.to) {
			return true
		}
	}
	return false
}

func newDesk(c *cast) desk {
	d := desk{hung: make(map[string][]span), unable: c.unable, online: make(map[string]string), said: make(map[event.Subject]*event.Event)}
	for _, f := range c.failures {
		if f.Mode == sim.Hung {
			d.hung[f.Station] = append(d.hung[f.Station], span{f.From, f.From.Add(f.For)})
		}
	}
	return d
}

// hear keeps what the desk has to know.
func (d *desk) hear(e *event.Event) {
	switch b := e.Body.(type) {
	case *event.Connected:
		d.online[e.Subject.ID] = b.ConnID
	case *event.Disconnected:
		if d.online[e.Subject.ID] == b.ConnID { // else a newer one has replaced it
			delete(d.online, e.Subject.ID)
		}
	case *event.Status, *event.Component:
		if subject, ok := plug(e); ok {
			d.said[subject] = e
		}
	}
}

// plug is whose state an event tells.
func plug(e *event.Event) (event.Subject, bool) {
	switch b := e.Body.(type) {
	case *event.Status:
		return e.Subject, true
	case *event.Component:
		if x := b.Items[0]; x.Variable == "AvailabilityState" {
			return event.Port(e.Subject.ID, x.EVSE, x.Connector), true
		}
	}
	return event.Subject{}, false
}

// before takes what is due before a time.
func (d *desk) before(t time.Time) *event.Event {
	if len(d.waiting) == 0 || d.waiting[0].ReceivedAt.After(t) {
		return nil
	}
	e := d.waiting[0]
	d.waiting = d.waiting[1:]
	if subject, ok := plug(e); ok {
		e.Body = d.said[subject].Body // as it is by now
	}
	return e
}

func (d *desk) put(e *event.Event) {
	i := len(d.waiting)
	for i > 0 && d.waiting[i-1].ReceivedAt.After(e.ReceivedAt) {
		i--
	}
	d.waiting = append(d.waiting, nil)
	copy(d.waiting[i+1:], d.waiting[i:])
	d.waiting[i] = e
}

const (
	deskDelay   = 20 * time.Millisecond // until a command is on its way
	deskAnswer  = 400 * time.Millisecond
	deskTimeout = 30 * time.Second
)

// carriedOut tells what a station answered to an order.
func (d *desk) carriedOut(command string, o sim.Order) {
	e := ours(o.At.Add(deskAnswer), &event.CommandResult{CommandID: command, Status: "answered", Response: o.Answer})
	e.Subject, e.Origin = event.Station(o.Station), event.FromStation
	if o.Answer == nil {
		e = ours(o.At.Add(deskTimeout), &event.CommandResult{CommandID: command, Status: "timeout"})
		e.Subject = event.Station(o.Station)
	}
	d.put(e)
}

func (d *desk) perform(a detect.Asked, now time.Time) {
	tell := func(in time.Duration, subject event.Subject, from event.Origin, body event.Body) {
		e := ours(now.Add(in), body)
		e.Subject, e.Origin = subject, from
		d.put(e)
	}
	station := event.Station(a.Station)
	tell(deskDelay, station, event.FromUs, &event.Command{
		CommandID: a.Key, Action: a.Action, Payload: json.RawMessage(a.Payload), By: "chargewatch", Deadline: a.Expires,
	})
	answer := func(status string) {
		tell(deskAnswer, station, event.FromStation, &event.CommandResult{CommandID: a.Key, Status: "answered", Response: json.RawMessage(`{"status":` + strconv.Quote(status) + `}`)})
	}
	switch {
	case d.online[a.Station] == "":
		tell(2*deskDelay, station, event.FromUs, &event.CommandResult{CommandID: a.Key, Status: "offline"})
	case within(d.hung[a.Station], now):
		tell(deskTimeout, station, event.FromUs, &event.CommandResult{CommandID: a.Key, Status: "timeout"})
	case d.obey && (a.Action == "Reset" || a.Action == "ChangeAvailability"):
		d.orders = append(d.orders, a)
	case within(d.unable[a.Station], now) || a.Action != "TriggerMessage":
		answer("NotImplemented")
	default:
		answer("Accepted")
		var ask struct {
			Connector int `json:"connectorId"`
			EVSE      struct {
				ID int `json:"id"`
			} `json:"evse"`
		}
		if json.Unmarshal([]byte(a.Payload), &ask) != nil {
			return
		}
		for connector := range 9 {
			last := d.said[event.Port(a.Station, max(ask.Connector, ask.EVSE.ID), connector)]
			if last == nil {
				continue
			}
			again := *last
			again.At = now.Add(2 * deskAnswer)
			again.DeviceAt, again.ReceivedAt, again.Seq = again.At, again.At, 0
			d.put(&again)
		}
	}
}
