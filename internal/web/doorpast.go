package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// DoorMomentShape is one thing that happened at a door.
type DoorMomentShape struct {
	Seq      uint64    `json:"seq"`
	At       time.Time `json:"at"`
	DoorID   string    `json:"doorId"`
	What     string    `json:"what" enum:"granted,denied,state,alarm,command"`
	State    string    `json:"state" doc:"of state: locked, unlocked, open, held, forced, ..."`
	Alarm    string    `json:"alarm" doc:"of alarm: fire, emergency, tamper, duress; duress only for those who may see people"`
	Active   bool      `json:"active" doc:"of alarm: it began"`
	Command  string    `json:"command" doc:"of command: unlock, lockdown, release, unlockAsked, unlockDeclined"`
	Code     string    `json:"code" doc:"the kind of the reason"`
	Reason   string    `json:"reason"`
	Method   string    `json:"method"`
	Out      bool      `json:"out"`
	PersonID string    `json:"personId" doc:"for those who may see people"`
	Name     string    `json:"name" doc:"the same"`
	CameraID *string   `json:"cameraId" doc:"the camera that sees the door"`
}

type doorPastInput struct {
	Site string    `path:"site" maxLength:"48"`
	From time.Time `query:"from" required:"true"`
	To   time.Time `query:"to" required:"true"`
}

// mostDoorMoments of one answer; the oldest are left out.
const mostDoorMoments = 1000

func (s *Server) registerDoorPast() {
	add(s, atSite(DoorsRead), huma.Operation{
		OperationID: "listDoorMoments", Method: http.MethodGet, Path: "/sites/{site}/door-moments", Tags: []string{"doors"},
		Summary: "What happened at the doors of a site in a time, newest first: who was let in or refused, what was opened, forced or held, alarms, commands",
	}, s.listDoorMoments)
}

func (s *Server) listDoorMoments(ctx context.Context, in *doorPastInput) (*listOutput[DoorMomentShape], error) {
	q := journal.EventQuery{
		Kinds: []event.Kind{event.KindAccess, event.KindDoorState, event.KindDoorAlarm, event.KindDoorCommand},
		From:  in.From, To: in.To, Limit: mostDoorMoments, Among: []event.Subject{},
	}
	for _, d := range s.o.Store.Doors() {
		if d.SiteID == in.Site {
			q.Among = append(q.Among, event.Door(d.ID))
		}
	}
	if len(q.Among) == 0 {
		return listOf([]DoorMomentShape{}, ""), nil
	}
	found, _, err := s.o.History.Events(ctx, q)
	if err != nil {
		return nil, err
	}
	people := scope(ctx, PeopleRead).Allows(in.Site)
	out := make([]DoorMomentShape, 0, len(found))
	for _, e := range found {
		if one, ok := s.doorMoment(ctx, e, people); ok {
			out = append(out, one)
		}
	}
	return listOf(out, ""), nil
}

// doorMoment is what happened as somebody may see it. Duress is known to few:
// whoever threatens may look over a shoulder.
func (s *Server) doorMoment(ctx context.Context, e *event.Event, people bool) (DoorMomentShape, bool) {
	out := DoorMomentShape{Seq: e.Seq, At: e.At.UTC(), DoorID: e.Subject.ID}
	if d, ok := s.o.Store.Door(e.Subject.ID); ok && d.CameraID != "" {
		out.CameraID = new(d.CameraID)
	}
	const duress = string(event.AlarmDuress)
	switch b := e.Body.(type) {
	case *event.Access:
		out.What, out.Code, out.Reason, out.Method, out.Out = "denied", b.Code, b.Reason, b.Method, b.Out
		if b.Allowed {
			out.What = "granted"
		}
		if people {
			out.PersonID, out.Name = b.PersonID, s.holderName(ctx, b)
		} else if b.Code == duress {
			out.Code, out.Reason = "", ""
		}
	case *event.DoorState:
		out.What, out.State, out.Code = "state", string(b.State), b.Reason
		if !people && b.Reason == duress {
			out.Code = ""
		}
	case *event.DoorAlarm:
		if b.Alarm == event.AlarmDuress && !people {
			return out, false
		}
		out.What, out.Alarm, out.Active = "alarm", string(b.Alarm), b.Active
	case *event.DoorCommand:
		out.What, out.Command = "command", b.Command
		if people {
			out.Reason = b.Reason
		}
	default:
		return out, false
	}
	return out, true
}
