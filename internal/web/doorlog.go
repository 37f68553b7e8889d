package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// AccessEventShape says who showed what at a door and what came of it.
type AccessEventShape struct {
	Seq          uint64    `json:"seq"`
	At           time.Time `json:"at"`
	ReceivedAt   time.Time `json:"receivedAt"`
	DoorID       string    `json:"doorId"`
	SiteID       string    `json:"siteId"`
	CredentialID string    `json:"credentialId" doc:"empty: nobody knows it"`
	PersonID     string    `json:"personId"`
	Name         string    `json:"name" doc:"of the person, or the label of the credential"`
	Decision     string    `json:"decision" enum:"allow,deny"`
	DecidedBy    string    `json:"decidedBy" enum:"policy,controller,person"`
	Code         string    `json:"code" doc:"the kind of the reason"`
	Policy       string    `json:"policy"`
	Reason       string    `json:"reason"`
	Agrees       bool      `json:"agrees" doc:"false: the controller decided, and the policies say otherwise"`
	Why          string    `json:"why" doc:"what the policies say, where they do not agree"`
	Method       string    `json:"method" doc:"card, pin, button, remote, plate or pass"`
	WithID       string    `json:"withId" doc:"the other person where the door wants two"`
	WithName     string    `json:"withName"`
	Passback     string    `json:"passback" enum:",inside,unsure,outside" doc:"does not fit to who is inside of an area: came in and was inside, the same but may have left unseen, went out and had not come in"`
	Out          bool      `json:"out" doc:"it was the way out"`
	CameraID     *string   `json:"cameraId" doc:"the camera that sees the door"`
}

type accessEventsInput struct {
	Page
	Door     string    `query:"door" maxLength:"64"`
	Site     string    `query:"site" maxLength:"48"`
	Person   string    `query:"person" maxLength:"64"`
	Decision string    `query:"decision" enum:"allow,deny"`
	From     time.Time `query:"from"`
	To       time.Time `query:"to"`
}

func (s *Server) registerDoorLog() {
	add(s, filtered(PeopleRead), huma.Operation{
		OperationID: "listAccessEvents", Method: http.MethodGet, Path: "/access/events", Tags: []string{"doors"},
		Summary: "Who showed what at which door, newest first; a page may be short and yet go on",
	}, s.listAccessEvents)
	s.registerMuster()
}

func (s *Server) accessEventShape(ctx context.Context, e *event.Event, b *event.Access) AccessEventShape {
	out := AccessEventShape{
		Seq: e.Seq, At: e.At.UTC(), ReceivedAt: e.ReceivedAt.UTC(), DoorID: e.Subject.ID, SiteID: b.SiteID, CredentialID: b.CredentialID,
		PersonID: b.PersonID, Decision: "deny", DecidedBy: b.DecidedBy, Code: b.Code, Policy: b.Policy, Reason: b.Reason,
		Agrees: !b.Differs, Why: b.Why, Method: b.Method, Out: b.Out, Passback: b.Passback,
	}
	if b.Allowed {
		out.Decision = "allow"
	}
	if d, ok := s.o.Store.Door(e.Subject.ID); ok && d.CameraID != "" {
		out.CameraID = new(d.CameraID)
	}
	out.Name = s.holderName(ctx, b)
	if b.With != "" {
		out.WithID, out.WithName = b.With, s.holderName(ctx, &event.Access{PersonID: b.With})
	}
	return out
}

func (s *Server) listAccessEvents(ctx context.Context, in *accessEventsInput) (*listOutput[AccessEventShape], error) {
	before, err := decodeCursor("access", in.Cursor)
	if err != nil {
		return nil, err
	}
	q := journal.EventQuery{
		Kinds: []event.Kind{event.KindAccess}, From: in.From, To: in.To, Limit: in.Limit, Before: journal.Cursor(before), Among: []event.Subject{},
	}
	allowed := scope(ctx, PeopleRead).within(in.Site)
	for _, d := range s.o.Store.Doors() {
		if allowed.Allows(d.SiteID) && (in.Door == "" || d.ID == in.Door) {
			q.Among = append(q.Among, event.Door(d.ID))
		}
	}
	found, next, err := s.o.History.Events(ctx, q)
	if err != nil {
		return nil, err
	}
	out := make([]AccessEventShape, 0, len(found))
	for _, e := range found {
		b, ok := e.Body.(*event.Access)
		if !ok || in.Person != "" && b.PersonID != in.Person || in.Decision != "" && b.Allowed != (in.Decision == "allow") {
			continue
		}
		out = append(out, s.accessEventShape(ctx, e, b))
	}
	return listOf(out, encodeCursor("access", string(next))), nil
}

// passDoor tells what changed about a door, as it is now, and who was there; false when
// the feed has ended. Names are for those who may see people.
func (h *hub) passDoor(ctx context.Context, e *event.Event, site string) bool {
	topic, kind, shape := "doors", "door", any(nil)
	switch b := e.Body.(type) {
	case *event.DoorConfigured, *event.DoorState, *event.DoorCommand:
		if d, ok := h.s.o.Store.Door(e.Subject.ID); ok {
			shape = h.s.doorShape(ctx, d, nil)
		}
	case *event.DoorRemoved:
		kind, shape = "doorGone", map[string]string{"id": e.Subject.ID}
	case *event.DoorAlarm:
		if b.Alarm == event.AlarmDuress { // not for screens that whoever threatens may see
			topic = "access"
		}
		kind, shape = "doorAlarm", eventShape(e)
	case *event.Access:
		topic, kind, shape = "access", "access", h.s.accessEventShape(ctx, e, b)
	}
	if shape == nil {
		return true
	}
	return h.tellNow(ctx, topic, kind, site, shape)
}
