package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// maxDevices is how many browsers one person has told to show incidents.
const maxDevices = 10

// webPushType is the kind of channel behind a device.
const webPushType = "webPush"

// DeviceShape is a browser of the caller that shows incidents.
type DeviceShape struct {
	ID        string     `json:"id" doc:"also of its channel"`
	Name      string     `json:"name"`
	Enabled   bool       `json:"enabled"`
	CreatedAt time.Time  `json:"createdAt"`
	OKAt      *time.Time `json:"okAt" doc:"last message that its push service took"`
	Failure   string     `json:"failure" doc:"why the last was not taken; empty: it was"`
	Routed    bool       `json:"routed" doc:"a route, an escalation or a schedule leads to it; without one it shows tests only"`
}

type devicesOutput struct {
	Body struct {
		Items   []DeviceShape `json:"items"`
		PushKey string        `json:"pushKey" doc:"applicationServerKey for the browser's subscription"`
	}
}

type newDeviceInput struct {
	Body struct {
		Name     string `json:"name" minLength:"1" maxLength:"256"`
		Endpoint string `json:"endpoint" minLength:"1" maxLength:"2000" doc:"of the browser's subscription"`
		P256dh   string `json:"p256dh" minLength:"1" maxLength:"200"`
		Auth     string `json:"auth" minLength:"1" maxLength:"100"`
		Language string `json:"language,omitempty" enum:"en,de" doc:"of what it shows; default en"`
	}
}

type deviceOutput struct{ Body DeviceShape }

func (s *Server) registerPush() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"me"}}
	}
	list := op("listMyDevices", http.MethodGet, "/me/devices", "Browsers of the caller that show incidents", 0)
	add(s, signedIn(), list, s.listDevices)
	create := op("addMyDevice", http.MethodPost, "/me/devices", "Have this browser show incidents (Web Push)", http.StatusCreated)
	create.Description = "Makes a channel of the caller's own. Routes, escalations and on-call schedules can lead to it; it shows incidents of the caller's sites only."
	add(s, signedIn(), create, s.addDevice)
	add(s, signedIn(), op("removeMyDevice", http.MethodDelete, "/me/devices/{id}", "Forget a browser; where a route leads to it, it is emptied and turned off", http.StatusNoContent), s.removeDevice)
	add(s, signedIn(), op("testMyDevice", http.MethodPost, "/me/devices/{id}/test", "Send a message that says it is a test, and wait for the result", 0), s.testDevice)
}

// person is who asks, if it is a person who takes care of incidents somewhere.
func person(ctx context.Context) (*Principal, error) {
	p := who(ctx)
	if p == nil || p.User == nil || p.Scope(IncidentsAct).Empty() {
		return nil, problemf(http.StatusForbidden, "only people who take care of incidents have devices")
	}
	return p, nil
}

func (s *Server) devicesOf(ctx context.Context, p *Principal) ([]store.Channel, error) {
	all, err := s.o.Store.Channels(ctx)
	if err != nil {
		return nil, err
	}
	var out []store.Channel
	for _, c := range all {
		if c.Owner == p.actor() && c.Type == webPushType {
			out = append(out, c)
		}
	}
	return out, nil
}

func (s *Server) deviceShape(ctx context.Context, c *store.Channel) (DeviceShape, error) {
	routed, err := s.o.Store.ChannelLedTo(ctx, c.ID)
	return DeviceShape{
		ID: c.ID, Name: c.Name, Enabled: c.Enabled, CreatedAt: c.CreatedAt, OKAt: instant(c.OKAt), Failure: c.Failure, Routed: routed,
	}, err
}

func (s *Server) listDevices(ctx context.Context, _ *struct{}) (*devicesOutput, error) {
	p, err := person(ctx)
	if err != nil {
		return nil, err
	}
	if s.o.Notifier == nil {
		return nil, errNoNotifier
	}
	found, err := s.devicesOf(ctx, p)
	if err != nil {
		return nil, err
	}
	out := &devicesOutput{}
	out.Body.Items = []DeviceShape{}
	for i := range found {
		shape, err := s.deviceShape(ctx, &found[i])
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, shape)
	}
	out.Body.PushKey, err = s.o.Notifier.PushKey(ctx)
	return out, err
}

// addDevice keeps a subscription. The same browser told again is the same device.
func (s *Server) addDevice(ctx context.Context, in *newDeviceInput) (*deviceOutput, error) {
	p, err := person(ctx)
	if err != nil {
		return nil, err
	}
	if s.o.Notifier == nil {
		return nil, errNoNotifier
	}
	found, err := s.devicesOf(ctx, p)
	if err != nil {
		return nil, err
	}
	host, _ := ctx.Value(hostKey{}).(string)
	secrets := store.Secrets{"endpoint": in.Body.Endpoint, "p256dh": in.Body.P256dh, "auth": in.Body.Auth}
	c := store.Channel{
		Name: in.Body.Name, Type: webPushType, Owner: p.actor(), Enabled: true, Settings: map[string]any{"contact": "https://" + host, "language": in.Body.Language}, Secrets: secrets,
	}
	if err := s.o.Notifier.Check(&c); err != nil {
		return nil, err
	}
	var made *store.Channel
	for _, old := range found {
		if old.Secrets["endpoint"] == in.Body.Endpoint {
			made, err = s.o.Store.UpdateChannel(ctx, p.actor(), old.ID, func(x *store.Channel) error {
				x.Name, x.Enabled, x.Settings, x.Secrets = c.Name, true, c.Settings, secrets
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
	}
	if made == nil {
		if len(found) >= maxDevices {
			return nil, problemf(http.StatusConflict, "you have 10 devices; remove one first")
		}
		if made, err = s.o.Store.CreateChannel(ctx, p.actor(), c); err != nil {
			return nil, err
		}
	}
	s.o.Notifier.Changed()
	shape, err := s.deviceShape(ctx, made)
	return &deviceOutput{Body: shape}, err
}

// device is one of the caller's own.
func (s *Server) device(ctx context.Context, id string) (*store.Channel, error) {
	p, err := person(ctx)
	if err != nil {
		return nil, err
	}
	if s.o.Notifier == nil {
		return nil, errNoNotifier
	}
	c, err := s.o.Store.Channel(ctx, id)
	if err != nil {
		return nil, err
	}
	if c.Owner != p.actor() || c.Type != webPushType {
		return nil, store.ErrNotFound
	}
	return c, nil
}

func (s *Server) removeDevice(ctx context.Context, in *channelInput) (*noContent, error) {
	c, err := s.device(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	err = s.o.Store.DeleteChannel(ctx, who(ctx).actor(), c.ID)
	if errors.Is(err, store.ErrInUse) { // a route leads there, which others decide
		_, err = s.o.Store.UpdateChannel(ctx, who(ctx).actor(), c.ID, func(x *store.Channel) error {
			x.Enabled, x.Secrets = false, nil
			return nil
		})
	}
	s.o.Notifier.Changed()
	return nil, err
}

func (s *Server) testDevice(ctx context.Context, in *channelInput) (*channelTestOutput, error) {
	c, err := s.device(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return s.tested(ctx, c)
}
