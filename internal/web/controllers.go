package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Controllers knows how controllers of doors are and finds them.
type Controllers interface {
	ControllerStatus(id string) (ControllerStatus, bool)
	// ReachController says why an address that people typed in may not be reached.
	ReachController(ctx context.Context, driver store.Driver, address string) error
	// FindControllers asks the networks of this machine who is there.
	FindControllers(ctx context.Context) ([]FoundController, error)
	// SyncController gives a controller its lists anew.
	SyncController(ctx context.Context, id string) error
	// TryController asks a controller how it is, now; the error says why it does not say.
	TryController(ctx context.Context, id string) error
	// CheckWiring says what is wrong with what a door is made of at a controller, as a
	// store.InvalidError of a field of it.
	CheckWiring(driver store.Driver, w store.Wiring) error
	// TakeDoorEvent records what a bridge tells.
	TakeDoorEvent(ctx context.Context, controller string, e DoorEvent) error
}

// DoorEvent is what another system tells of its doors.
type DoorEvent struct {
	ID     string    `json:"id" minLength:"1" maxLength:"64" doc:"by which it is told once, however often it is sent"`
	At     time.Time `json:"at,omitempty" doc:"when it happened; at most 7 days ago. Missing: now"`
	Door   string    `json:"door,omitempty" maxLength:"64" doc:"as it is called there; missing for online, fire and tamper of the whole system"`
	Kind   string    `json:"kind" enum:"granted,denied,opened,closed,forced,held,duress,fire,tamper,online" doc:"online says nothing else than that it is there; at least every 5 minutes"`
	Card   string    `json:"card,omitempty" maxLength:"64" pattern:"^[0-9A-Za-z:_-]*$"`
	Reason string    `json:"reason,omitempty" maxLength:"64" doc:"why it was denied: wrongPin, antiPassback, lockedDown, interlock, outsideHours, unknownCard, or anything else"`
}

// The errors of what other systems tell.
var (
	ErrDoorUnknownThere = errors.New("no door of this controller is called so")
	ErrDoorEventOld     = errors.New("at most 7 days old")
	ErrDoorEventsMany   = errors.New("more at once than is taken in")
)

// ControllerStatus is how a controller is.
type ControllerStatus struct {
	Online    bool
	Since     time.Time
	Firmware  string
	OffsetS   float64 // its clock less ours
	Faults    []ControllerFaultShape
	Cards     int // in its list, as read back
	SyncedAt  time.Time
	LastIndex uint32 // of its records
}

// ControllerFaultShape is something wrong with a controller.
type ControllerFaultShape struct {
	Fault  event.ControllerFaultKind `json:"fault" enum:"offline,clock,listener,unrecorded,drift,foreign,lost,keypad,policy"`
	Detail string                    `json:"detail"`
	Since  *time.Time                `json:"since"`
}

// FoundController is one that answered.
type FoundController struct {
	Serial   uint32 `json:"serial"`
	Address  string `json:"address"`
	MAC      string `json:"mac"`
	Firmware string `json:"firmware"`
	Known    string `json:"known" doc:"id, if it is one of ours"`
}

// ControllerShape is a controller as the API shows it. Secrets are written, never read.
type ControllerShape struct {
	ID        string                 `json:"id"`
	SiteID    string                 `json:"siteId"`
	Label     string                 `json:"label"`
	Driver    store.Driver           `json:"driver" enum:"uhppote,mqtt,http"`
	Address   string                 `json:"address"`
	Serial    uint32                 `json:"serial"`
	User      string                 `json:"user"`
	Authority string                 `json:"authority"`
	HasSecret bool                   `json:"hasSecret"`
	Events    string                 `json:"events" doc:"path to which another system tells what happens; empty: it tells nothing"`
	Decides   string                 `json:"decides" enum:"controller,server,system" doc:"who lets people in"`
	Simulated bool                   `json:"simulated"`
	Online    bool                   `json:"online"`
	Since     *time.Time             `json:"since"`
	Firmware  string                 `json:"firmware"`
	OffsetS   float64                `json:"clockOffsetSeconds" doc:"its clock less ours"`
	Faults    []ControllerFaultShape `json:"faults"`
	Cards     int                    `json:"cards" doc:"in its list, as read back"`
	SyncedAt  *time.Time             `json:"syncedAt" doc:"when its lists were last found right"`
	Record    uint32                 `json:"record" doc:"index of its newest record"`
}

type (
	controllerInput struct {
		Controller string `path:"controller" maxLength:"64"`
	}
	controllerOutput struct{ Body ControllerShape }
	controllersInput struct {
		Page
		Site string `query:"site" maxLength:"48"`
	}
	newControllerInput struct {
		Body struct {
			ID        string       `json:"id,omitempty" maxLength:"48" doc:"one is given if missing"`
			SiteID    string       `json:"siteId" minLength:"1" maxLength:"48"`
			Label     string       `json:"label,omitempty" maxLength:"200"`
			Driver    store.Driver `json:"driver" enum:"uhppote,mqtt,http"`
			Address   string       `json:"address,omitempty" maxLength:"300" doc:"HOST:PORT of a UHPPOTE controller, mqtts://HOST of a broker, https://HOST/PATH for orders to another system"`
			Serial    uint32       `json:"serial,omitempty" doc:"of a UHPPOTE controller"`
			User      string       `json:"user,omitempty" maxLength:"200" doc:"at a broker"`
			Authority string       `json:"authority,omitempty" maxLength:"32768" doc:"certificate, as PEM, of who signed that of the other side, if it is your own"`
			Secret    string       `json:"secret,omitempty" maxLength:"200" doc:"password at a broker; kept sealed, never shown"`
		}
	}
	controllerChangeInput struct {
		Controller string `path:"controller" maxLength:"64"`
		Body       struct {
			SiteID    *string `json:"siteId,omitempty" maxLength:"48"`
			Label     *string `json:"label,omitempty" maxLength:"200"`
			Address   *string `json:"address,omitempty" maxLength:"300"`
			Serial    *uint32 `json:"serial,omitempty"`
			User      *string `json:"user,omitempty" maxLength:"200"`
			Authority *string `json:"authority,omitempty" maxLength:"32768"`
			Secret    *string `json:"secret,omitempty" maxLength:"200" doc:"empty: none any more; needed when the address changes"`
		}
	}
)

func (s *Server) registerControllers() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"doors"}}
	}
	add(s, filtered(DoorsWrite), op("listControllers", http.MethodGet, "/controllers", "List what drives doors", 0), s.listControllers)
	add(s, global(DoorsWrite), op("createController", http.MethodPost, "/controllers", "Add a controller", http.StatusCreated), s.createController)
	add(s, global(DoorsWrite), op("findControllers", http.MethodPost, "/controllers/find", "Ask the networks of the server for controllers", 0), s.findControllers)
	add(s, atController(DoorsWrite), op("getController", http.MethodGet, "/controllers/{controller}", "One controller", 0), s.getController)
	add(s, atController(DoorsWrite), op("changeController", http.MethodPatch, "/controllers/{controller}", "Change a controller", 0), s.changeController)
	add(s, atController(DoorsWrite), op("deleteController", http.MethodDelete, "/controllers/{controller}", "Remove a controller", http.StatusNoContent), s.deleteController)
	add(s, atController(DoorsWrite), op("tryController", http.MethodPost, "/controllers/{controller}/test", "Ask a controller how it is, now", 0), s.tryController)
	add(s, atController(DoorsWrite), op("makeControllerSecret", http.MethodPost, "/controllers/{controller}/secret",
		"Make the secret that another system and this server sign with; one of before is void", http.StatusCreated), s.makeControllerSecret)
	take := op("takeDoorEvent", http.MethodPost, "/controllers/{controller}/events", "Tell what happened at a door of another system (webhook); answered once it is recorded", http.StatusNoContent)
	take.MaxBodyBytes = maxDoorEvent
	add(s, bySignature(), take, s.takeDoorEvent)
	add(s, atController(DoorsWrite), op("syncController", http.MethodPost, "/controllers/{controller}/sync", "Give a controller its lists anew", http.StatusNoContent), s.syncController)
}

func (s *Server) controllerShape(c *store.Controller) ControllerShape {
	out := ControllerShape{
		ID: c.ID, SiteID: c.SiteID, Label: c.Label, Driver: c.Driver, Address: c.Address, Serial: c.Serial, HasSecret: c.HasSecret, Simulated: c.Simulated, User: c.User, Authority: c.Authority,
		Decides: "controller", Faults: []ControllerFaultShape{},
	}
	switch c.Driver {
	case store.DriverMQTT:
		out.Decides = "server"
	case store.DriverHTTP:
		out.Decides, out.Events = "system", base+"/controllers/"+c.ID+"/events"
	}
	if s.o.Controllers == nil {
		return out
	}
	if x, ok := s.o.Controllers.ControllerStatus(c.ID); ok {
		out.Online, out.Since, out.Firmware, out.OffsetS, out.Faults = x.Online, instant(x.Since), x.Firmware, x.OffsetS, list(x.Faults)
		out.Cards, out.SyncedAt, out.Record = x.Cards, instant(x.SyncedAt), x.LastIndex
	}
	return out
}

func (s *Server) listControllers(ctx context.Context, in *controllersInput) (*listOutput[ControllerShape], error) {
	after, err := decodeCursor("controllers", in.Cursor)
	if err != nil {
		return nil, err
	}
	allowed := scope(ctx, DoorsWrite)
	var out []ControllerShape
	for _, c := range s.o.Store.Controllers() {
		if c.ID <= after || !allowed.Allows(c.SiteID) || in.Site != "" && c.SiteID != in.Site {
			continue
		}
		if len(out) == in.Limit {
			return listOf(out, encodeCursor("controllers", out[len(out)-1].ID)), nil
		}
		out = append(out, s.controllerShape(c))
	}
	return listOf(out, ""), nil
}

func (s *Server) getController(_ context.Context, in *controllerInput) (*controllerOutput, error) {
	c, ok := s.o.Store.Controller(in.Controller)
	if !ok {
		return nil, store.ErrNotFound
	}
	return &controllerOutput{Body: s.controllerShape(c)}, nil
}

// reachController looks whether an address may be reached at all, before it is kept.
func (s *Server) reachController(ctx context.Context, driver store.Driver, address string) error {
	if s.o.Controllers == nil {
		return nil
	}
	if err := s.o.Controllers.ReachController(ctx, driver, address); err != nil {
		return &store.InvalidError{Field: "address", Reason: err.Error()}
	}
	return nil
}

func (s *Server) createController(ctx context.Context, in *newControllerInput) (*controllerOutput, error) {
	b := &in.Body
	if err := s.reachController(ctx, b.Driver, b.Address); err != nil {
		return nil, err
	}
	if b.Driver == store.DriverHTTP && b.Secret != "" {
		return nil, &store.InvalidError{Field: "secret", Reason: "it is made by this server"}
	}
	c, err := s.o.Store.CreateController(ctx, who(ctx).actor(), store.Controller{
		ID: b.ID, SiteID: b.SiteID, Label: b.Label, Driver: b.Driver, Address: b.Address, Serial: b.Serial, User: b.User, Authority: b.Authority,
	}, b.Secret)
	if err != nil {
		return nil, err
	}
	return &controllerOutput{Body: s.controllerShape(c)}, nil
}

func (s *Server) changeController(ctx context.Context, in *controllerChangeInput) (*controllerOutput, error) {
	b, p := &in.Body, who(ctx)
	if b.SiteID != nil && !p.Scope(DoorsWrite).Allows(*b.SiteID) {
		return nil, &store.InvalidError{Field: "siteId", Reason: "no such site"}
	}
	old, ok := s.o.Store.Controller(in.Controller)
	if !ok {
		return nil, store.ErrNotFound
	}
	if b.Secret != nil && *b.Secret != "" && old.Driver == store.DriverHTTP {
		return nil, &store.InvalidError{Field: "secret", Reason: "it is made by this server"}
	}
	if b.Address != nil {
		if err := s.reachController(ctx, old.Driver, *b.Address); err != nil {
			return nil, err
		}
	}
	c, err := s.o.Store.ChangeController(ctx, p.actor(), in.Controller, b.Secret, func(c *store.Controller) {
		set(&c.SiteID, b.SiteID)
		set(&c.Label, b.Label)
		set(&c.Address, b.Address)
		set(&c.Serial, b.Serial)
		set(&c.User, b.User)
		set(&c.Authority, b.Authority)
	})
	if err != nil {
		return nil, err
	}
	return &controllerOutput{Body: s.controllerShape(c)}, nil
}

func (s *Server) deleteController(ctx context.Context, in *controllerInput) (*struct{}, error) {
	return nil, s.o.Store.DeleteController(ctx, who(ctx).actor(), in.Controller)
}

func (s *Server) findControllers(ctx context.Context, _ *struct{}) (*listOutput[FoundController], error) {
	if s.o.Controllers == nil {
		return nil, problemf(http.StatusNotImplemented, "doors are not driven by this server")
	}
	found, err := s.o.Controllers.FindControllers(ctx)
	if err != nil {
		return nil, err
	}
	return listOf(found, ""), nil
}

func (s *Server) syncController(ctx context.Context, in *controllerInput) (*struct{}, error) {
	if s.o.Controllers == nil {
		return nil, problemf(http.StatusNotImplemented, "doors are not driven by this server")
	}
	return nil, s.o.Controllers.SyncController(ctx, in.Controller)
}
