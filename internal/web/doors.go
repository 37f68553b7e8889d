package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Doors drives doors and knows how they are.
type Doors interface {
	DoorStatus(id string) (DoorStatus, bool)
	// Unlock opens a door for a while; zero: as long as its controller does.
	Unlock(ctx context.Context, door string, d time.Duration) error
	// Lockdown keeps everybody out, by the controller itself where it can; Release
	// ends that.
	Lockdown(ctx context.Context, door string) error
	Release(ctx context.Context, door string) error
}

// DoorStatus is how a door is, as those know who drive it.
type DoorStatus struct {
	State  event.DoorCondition
	Since  time.Time
	Reason string
	// WhenOffline is what decides while we do not run: list (its controller knows who
	// may enter), system (another system does) or deny.
	WhenOffline string
	// Blind is set where nobody sees whether it stands open.
	Blind bool
}

// The errors of doors that callers hear of.
var (
	ErrDoorUnreachable = errors.New("the controller does not answer")
	ErrDoorAirlock     = errors.New("another door of the airlock is not shut")
	ErrDoorUnable      = errors.New("the controller of this door cannot do that")
)

// DoorShape is a door as the API shows it.
type DoorShape struct {
	ID          string           `json:"id"`
	SiteID      string           `json:"siteId"`
	Label       string           `json:"label"`
	Kind        access.PlaceKind `json:"kind" enum:"door,gate,barrier,cabinet"`
	Driver      string           `json:"driver" enum:",uhppote,mqtt,http" doc:"of its controller; empty: it has none"`
	Address     string           `json:"address" doc:"of its controller; only for those who set doors up"`
	Controller  string           `json:"controller"`
	Number      int              `json:"number" doc:"which door of its controller it is"`
	State       string           `json:"state" enum:"locked,unlocked,open,held,forced,lockdown,offline,unknown"`
	StateSince  *time.Time       `json:"stateSince"`
	Reason      string           `json:"reason" doc:"why it is in that state, as a code"`
	WhenOffline string           `json:"whenOffline" enum:"list,deny,system" doc:"who decides while the server is down: the list in its controller, nobody, or another system"`
	Contact     bool             `json:"contact" doc:"false: nobody sees whether it stands open"`
	Wiring      *DoorWiring      `json:"wiring,omitempty" doc:"what it is made of, where its controller is no board; only for those who set doors up"`
	Keypad      string           `json:"keypad" enum:"policy,on,off" doc:"whether a board asks for codes there; policy: where a policy wants one"`
	AsksPIN     bool             `json:"asksPin" doc:"codes are asked for"`
	WantsPIN    bool             `json:"wantsPin" doc:"a policy wants a code there: where none is asked for, it lets nobody in"`
	TwoPerson   bool             `json:"twoPerson" doc:"it opens for two people, also from afar"`
	Waits       bool             `json:"waits" doc:"somebody wants it open from afar, and waits for a second person"`
	Request     *DoorAskShape    `json:"request" doc:"what is waited for, for those who may open it"`
	CameraID    *string          `json:"cameraId" doc:"the camera that sees it"`
	EVSEs       []string         `json:"evses" doc:"what is behind it: station/ID or station/ID/EVSE"`
	HeldAfter   int              `json:"heldAfterSeconds"`
	Simulated   bool             `json:"simulated"`
}

// DoorBody is what people decide about a door.
type DoorBody struct {
	SiteID     string           `json:"siteId" minLength:"1" maxLength:"48"`
	Label      string           `json:"label,omitempty" maxLength:"200"`
	Kind       access.PlaceKind `json:"kind" enum:"door,gate,barrier,cabinet"`
	Controller string           `json:"controller,omitempty" maxLength:"64" doc:"id of a controller of the site"`
	Number     int              `json:"number,omitempty" minimum:"0" maximum:"64"`
	Keypad     string           `json:"keypad,omitempty" enum:"policy,on,off" default:"policy" doc:"whether a board asks for codes there; policy: where a policy wants one"`
	TwoPerson  bool             `json:"twoPerson,omitempty" doc:"it opens for two different people by name within 30 s, and from afar when a second person agrees; only the server lets in then"`
	CameraID   string           `json:"cameraId,omitempty" maxLength:"64"`
	EVSEs      []string         `json:"evses,omitempty" maxItems:"100"`
	HeldAfter  int              `json:"heldAfterSeconds,omitempty" minimum:"0" maximum:"86400" doc:"how long it may stand open; default 60"`
	Wiring     *DoorWiring      `json:"wiring,omitempty" doc:"what it is made of, where its controller is no board"`
}

func (b *DoorBody) to(d *store.Door) {
	d.SiteID, d.Label, d.Kind, d.Controller, d.Number = b.SiteID, b.Label, b.Kind, b.Controller, b.Number
	d.TwoPerson, d.Keypad = b.TwoPerson, store.Keypad(b.Keypad)
	if b.Keypad == keypadByPolicy {
		d.Keypad = store.KeypadByPolicy
	}
	d.CameraID, d.Ports, d.HeldAfterS, d.Wiring = b.CameraID, b.EVSEs, b.HeldAfter, b.Wiring.stored()
}

// keypadByPolicy is what the API calls a keypad that is on where a policy wants a code.
const keypadByPolicy = "policy"

type (
	doorInput struct {
		Door string `path:"door" maxLength:"64"`
	}
	doorOutput struct{ Body DoorShape }
	doorsInput struct {
		Page
		Site  string `query:"site" maxLength:"48"`
		State string `query:"state" enum:"locked,unlocked,open,held,forced,lockdown,offline,unknown"`
	}
	newDoorInput struct {
		Body struct {
			ID string `json:"id,omitempty" maxLength:"48" doc:"one is given if missing"`
			DoorBody
		}
	}
	doorChangeInput struct {
		Door string `path:"door" maxLength:"64"`
		Body DoorBody
	}
	unlockInput struct {
		Door string `path:"door" maxLength:"64"`
		Body struct {
			Reason  string  `json:"reason" minLength:"3" maxLength:"500"`
			Seconds float64 `json:"seconds,omitempty" minimum:"0" maximum:"600" doc:"0: as long as its controller opens"`
		}
	}
	doorReasonInput struct {
		Door string `path:"door" maxLength:"64"`
		Body struct {
			Reason string `json:"reason" minLength:"3" maxLength:"500"`
		}
	}
)

func (s *Server) registerDoors() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"doors"}}
	}
	add(s, filtered(DoorsRead), op("listDoors", http.MethodGet, "/doors", "List doors, gates, barriers and cabinet doors", 0), s.listDoors)
	add(s, global(DoorsWrite), op("createDoor", http.MethodPost, "/doors", "Add a door", http.StatusCreated), s.createDoor)
	add(s, atDoor(DoorsRead), op("getDoor", http.MethodGet, "/doors/{door}", "One door", 0), s.getDoor)
	add(s, atDoor(DoorsWrite), op("putDoor", http.MethodPut, "/doors/{door}", "Change a door", 0), s.putDoor)
	add(s, atDoor(DoorsWrite), op("deleteDoor", http.MethodDelete, "/doors/{door}", "Remove a door", http.StatusNoContent), s.deleteDoor)
	add(s, atDoor(DoorsCommand).reauthenticated(), op("unlockDoor", http.MethodPost, "/doors/{door}/unlock", "Open a door for a while; where it wants two people, ask for the second", 0), s.unlockDoor)
	add(s, atDoor(DoorsCommand).reauthenticated(), op("lockDoorDown", http.MethodPost, "/doors/{door}/lockdown",
		"Let nobody in; the way out stays open", 0), s.lockDoorDown)
	add(s, atDoor(DoorsCommand).reauthenticated(), op("releaseDoor", http.MethodPost, "/doors/{door}/release", "End the lockdown of a door", 0), s.releaseDoor)
	s.registerDoorSecond()
	s.registerAreas()
	s.registerDoorLog()
	s.registerControllers()
}

// doorStatus is how a door is; one that nobody drives is unknown.
func (s *Server) doorStatus(id string) DoorStatus {
	if s.o.Doors != nil {
		if x, ok := s.o.Doors.DoorStatus(id); ok {
			return x
		}
	}
	return DoorStatus{State: event.DoorUnknown, WhenOffline: "deny"}
}

// doorShape shows a door; addresses are for those who set doors up.
func (s *Server) doorShape(ctx context.Context, d *store.Door, p *Principal) DoorShape {
	x := s.doorStatus(d.ID)
	out := DoorShape{
		ID: d.ID, SiteID: d.SiteID, Label: d.Label, Kind: d.Kind, Controller: d.Controller, Number: d.Number, State: string(x.State),
		StateSince: instant(x.Since), Reason: x.Reason, WhenOffline: x.WhenOffline, EVSEs: list(d.Ports), HeldAfter: d.HeldAfterS, Simulated: d.Simulated,
		Contact: !x.Blind, Keypad: cmp.Or(string(d.Keypad), keypadByPolicy), WantsPIN: s.o.Store.Book().WantsPIN(d.Place()),
	}
	out.TwoPerson = d.TwoPerson
	if a := s.doorAsks.of(d.ID, s.now()); a != nil {
		out.Waits = true
		if p != nil && p.Scope(DoorsCommand).Allows(d.SiteID) {
			out.Request = s.doorAskShape(ctx, a)
		}
	}
	out.AsksPIN = d.Keypad.Asks(out.WantsPIN)
	if d.CameraID != "" {
		out.CameraID = new(d.CameraID)
	}
	if c, ok := s.o.Store.Controller(d.Controller); ok {
		out.Driver = string(c.Driver)
		if p != nil && p.Scope(DoorsWrite).Allows(d.SiteID) {
			out.Address, out.Wiring = c.Address, wiringShape(d.Wiring)
		}
	}
	return out
}

func (s *Server) listDoors(ctx context.Context, in *doorsInput) (*listOutput[DoorShape], error) {
	after, err := decodeCursor("doors", in.Cursor)
	if err != nil {
		return nil, err
	}
	p, allowed := who(ctx), scope(ctx, DoorsRead)
	var out []DoorShape
	for _, d := range s.o.Store.Doors() {
		if d.ID <= after || !allowed.Allows(d.SiteID) || in.Site != "" && d.SiteID != in.Site {
			continue
		}
		if in.State != "" && string(s.doorStatus(d.ID).State) != in.State {
			continue
		}
		if len(out) == in.Limit {
			return listOf(out, encodeCursor("doors", out[len(out)-1].ID)), nil
		}
		out = append(out, s.doorShape(ctx, d, p))
	}
	return listOf(out, ""), nil
}

func (s *Server) getDoor(ctx context.Context, in *doorInput) (*doorOutput, error) {
	d, ok := s.o.Store.Door(in.Door)
	if !ok {
		return nil, store.ErrNotFound
	}
	return &doorOutput{Body: s.doorShape(ctx, d, who(ctx))}, nil
}

func (s *Server) createDoor(ctx context.Context, in *newDoorInput) (*doorOutput, error) {
	if err := s.checkWiring(&in.Body.DoorBody); err != nil {
		return nil, err
	}
	d := store.Door{ID: in.Body.ID}
	in.Body.to(&d)
	made, err := s.o.Store.CreateDoor(ctx, who(ctx).actor(), d)
	if err != nil {
		return nil, err
	}
	return &doorOutput{Body: s.doorShape(ctx, made, who(ctx))}, nil
}

func (s *Server) putDoor(ctx context.Context, in *doorChangeInput) (*doorOutput, error) {
	p := who(ctx)
	if !p.Scope(DoorsWrite).Allows(in.Body.SiteID) {
		return nil, &store.InvalidError{Field: "siteId", Reason: "no such site"}
	}
	if err := s.checkWiring(&in.Body); err != nil {
		return nil, err
	}
	d, err := s.o.Store.ChangeDoor(ctx, p.actor(), in.Door, in.Body.to)
	if err != nil {
		return nil, err
	}
	return &doorOutput{Body: s.doorShape(ctx, d, p)}, nil
}

func (s *Server) deleteDoor(ctx context.Context, in *doorInput) (*struct{}, error) {
	return nil, s.o.Store.DeleteDoor(ctx, who(ctx).actor(), in.Door)
}

func (s *Server) unlockDoor(ctx context.Context, in *unlockInput) (*doorOutput, error) {
	c := event.DoorCommand{Command: "unlock", Reason: in.Body.Reason, Seconds: in.Body.Seconds}
	if d, ok := s.o.Store.Door(in.Door); ok && d.TwoPerson {
		return s.askToUnlock(ctx, d, c)
	}
	return s.commandDoor(ctx, who(ctx).actor(), in.Door, c, func(d Doors) error {
		return d.Unlock(ctx, in.Door, time.Duration(in.Body.Seconds*float64(time.Second)))
	})
}

func (s *Server) lockDoorDown(ctx context.Context, in *doorReasonInput) (*doorOutput, error) {
	return s.commandDoor(ctx, who(ctx).actor(), in.Door, event.DoorCommand{Command: "lockdown", Reason: in.Body.Reason}, func(d Doors) error { return d.Lockdown(ctx, in.Door) })
}

func (s *Server) releaseDoor(ctx context.Context, in *doorReasonInput) (*doorOutput, error) {
	return s.commandDoor(ctx, who(ctx).actor(), in.Door, event.DoorCommand{Command: "release", Reason: in.Body.Reason}, func(d Doors) error { return d.Release(ctx, in.Door) })
}

// commandDoor does what by, a person, wants and records it, also when it could not be done.
func (s *Server) commandDoor(ctx context.Context, by store.Actor, id string, c event.DoorCommand, do func(Doors) error) (*doorOutput, error) {
	d, ok := s.o.Store.Door(id)
	if !ok {
		return nil, store.ErrNotFound
	}
	if s.o.Doors == nil {
		return nil, problemf(http.StatusNotImplemented, "doors are not driven by this server")
	}
	failed := do(s.o.Doors)
	c.SiteID, c.Done = d.SiteID, failed == nil
	switch {
	case failed == nil:
	case errors.Is(failed, ErrDoorUnreachable):
		failed, c.Error = problemf(http.StatusBadGateway, ErrDoorUnreachable.Error()), "unreachable"
	case errors.Is(failed, ErrDoorAirlock):
		failed, c.Error = problemf(http.StatusConflict, ErrDoorAirlock.Error()), "airlock"
	case errors.Is(failed, ErrDoorUnable):
		failed, c.Error = problemf(http.StatusConflict, ErrDoorUnable.Error()), "unable"
	default:
		c.Error = "failed"
	}
	if err := s.o.Store.NoteDoorCommand(context.WithoutCancel(ctx), by, id, c); err != nil {
		return nil, errors.Join(failed, err)
	}
	if failed != nil {
		return nil, failed
	}
	return &doorOutput{Body: s.doorShape(ctx, d, who(ctx))}, nil
}

// countDoors counts the doors of a scope.
func (s *Server) countDoors(allowed Scope) DoorSummary {
	out := DoorSummary{ByState: make(map[string]int)}
	for _, d := range s.o.Store.Doors() {
		if allowed.Allows(d.SiteID) {
			out.Total++
			out.ByState[string(s.doorStatus(d.ID).State)]++
		}
	}
	return out
}
