package web

import (
	"context"
	"maps"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// ChannelTypeShape says what a type of channel must be told.
type ChannelTypeShape struct {
	Type     string              `json:"type"`
	Needs    string              `json:"needs" doc:"what it cannot do without; empty: nothing special"`
	Together int                 `json:"together" doc:"how many notices one message can carry"`
	Fields   []ChannelFieldShape `json:"fields"`
}

// ChannelFieldShape is one setting of a type of channel.
type ChannelFieldShape struct {
	Name     string   `json:"name"`
	Form     string   `json:"form" enum:"text,url,number,choice,list,pem,boolean"`
	Required bool     `json:"required"`
	Secret   bool     `json:"secret" doc:"stands under secrets, is written and never read"`
	Choices  []string `json:"choices"`
	Default  any      `json:"default" doc:"null: none"`
	Doc      string   `json:"doc"`
}

// ChannelHealth is how a channel does.
type ChannelHealth struct {
	Waiting, Failed int // failed in the last day
	Resting         bool
}

// AckLink is what the token of a signed link says.
type AckLink struct {
	ID       string
	Incident string
	Expires  time.Time
}

// Notifier is the part that tells people.
type Notifier interface {
	// Types lists what kinds of channels there are.
	Types() []ChannelTypeShape
	// Check brings a channel's settings into their form, or names the fault.
	Check(c *store.Channel) error
	// Test sends a message that says it is a test.
	Test(ctx context.Context, c store.Channel) error
	// Changed says that what people decided about telling changed.
	Changed()
	// Channels is how the channels do, by id.
	Channels(ctx context.Context) (map[string]ChannelHealth, error)
	// Link reads a token; an error says that it is not good.
	Link(token string) (AckLink, error)
	// Heard is when the heartbeat was last taken, and why the last was not.
	Heard() (time.Time, string)
	// PushKey is the public key by which push services know us.
	PushKey(ctx context.Context) (string, error)
}

// Acknowledger records that somebody takes care of an incident.
type Acknowledger interface {
	Acknowledge(ctx context.Context, incident, by string) error
}

// ChannelShape is a way to people or to another system.
type ChannelShape struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Type       string         `json:"type"`
	Enabled    bool           `json:"enabled"`
	Owner      string         `json:"owner" doc:"opaque id of whose browser it is; empty: nobody's"`
	OwnerName  string         `json:"ownerName" doc:"empty: nobody's, or forgotten"`
	Settings   map[string]any `json:"settings" doc:"as GET /channels/types describes them"`
	SecretsSet []string       `json:"secretsSet" doc:"secrets that are set; they are never shown"`
	CreatedAt  time.Time      `json:"createdAt"`
	ChangedAt  time.Time      `json:"changedAt"`
	State      string         `json:"state" enum:"unused,ok,failing,resting,disabled" doc:"resting: it failed so often that it is left alone for a while"`
	Waiting    int            `json:"waiting" doc:"deliveries"`
	Failed     int            `json:"failed" doc:"deliveries given up in the last 24 h"`
	OKAt       *time.Time     `json:"okAt" doc:"last message that was taken"`
	FailedAt   *time.Time     `json:"failedAt"`
	Failure    string         `json:"failure" doc:"why the last message was not taken; empty: it was"`
}

type newChannelInput struct {
	Body struct {
		Name     string            `json:"name" minLength:"1" maxLength:"256"`
		Type     string            `json:"type" maxLength:"32"`
		Enabled  bool              `json:"enabled,omitempty" default:"true"`
		Settings map[string]any    `json:"settings,omitempty"`
		Secrets  map[string]string `json:"secrets,omitempty"`
	}
}

type channelInput struct {
	ID string `path:"id" maxLength:"64"`
}

type channelChangeInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Name     *string           `json:"name,omitempty" maxLength:"256"`
		Enabled  *bool             `json:"enabled,omitempty"`
		Settings *map[string]any   `json:"settings,omitempty" doc:"replaces all settings"`
		Secrets  map[string]string `json:"secrets,omitempty" doc:"replaces those named; empty removes one"`
	}
}

type channelOutput struct{ Body ChannelShape }

type channelTypesOutput struct {
	Body struct {
		Items   []ChannelTypeShape `json:"items"`
		PushKey string             `json:"pushKey" doc:"applicationServerKey for a browser's subscription to Web Push"`
	}
}

type channelTestOutput struct {
	Body struct {
		OK         bool   `json:"ok"`
		DurationMS int64  `json:"durationMs"`
		Error      string `json:"error" doc:"why it was not taken; empty: it was"`
	}
}

func (s *Server) registerChannels() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"channels"}}
	}
	add(s, global(ChannelsRead), op("listChannelTypes", http.MethodGet, "/channels/types", "What kinds of channels there are and what they must be told", 0), s.channelTypes)
	add(s, global(ChannelsRead), op("listChannels", http.MethodGet, "/channels", "Ways to people and to other systems", 0), s.listChannels)
	add(s, global(ChannelsWrite), op("createChannel", http.MethodPost, "/channels", "Add a channel", http.StatusCreated), s.createChannel)
	add(s, global(ChannelsRead), op("getChannel", http.MethodGet, "/channels/{id}", "A channel", 0), s.getChannel)
	add(s, global(ChannelsWrite), op("changeChannel", http.MethodPatch, "/channels/{id}", "Change a channel", 0), s.changeChannel)
	add(s, global(ChannelsWrite), op("deleteChannel", http.MethodDelete, "/channels/{id}", "Remove a channel that nothing leads to", http.StatusNoContent), s.deleteChannel)
	add(s, global(ChannelsWrite), op("testChannel", http.MethodPost, "/channels/{id}/test", "Send a message that says it is a test, and wait for the result", 0), s.testChannel)
}

var errNoNotifier = problemf(http.StatusNotImplemented, "this server tells nobody")

func (s *Server) channelTypes(ctx context.Context, _ *struct{}) (*channelTypesOutput, error) {
	out := &channelTypesOutput{}
	if s.o.Notifier == nil {
		return nil, errNoNotifier
	}
	out.Body.Items = s.o.Notifier.Types()
	var err error
	out.Body.PushKey, err = s.o.Notifier.PushKey(ctx)
	return out, err
}

// channelShape needs how the channel does.
func channelShape(c *store.Channel, h ChannelHealth, names map[string]string) ChannelShape {
	out := ChannelShape{
		ID: c.ID, Name: c.Name, Type: c.Type, Enabled: c.Enabled, Owner: string(c.Owner), OwnerName: names[string(c.Owner)], Settings: maps.Clone(c.Settings), SecretsSet: c.Secrets.Names(),
		CreatedAt: c.CreatedAt, ChangedAt: c.ChangedAt, Waiting: h.Waiting, Failed: h.Failed, OKAt: instant(c.OKAt), FailedAt: instant(c.FailedAt),
		Failure: c.Failure,
	}
	switch {
	case !c.Enabled:
		out.State = "disabled"
	case h.Resting:
		out.State = "resting"
	case c.Failure != "":
		out.State = "failing"
	case c.OKAt.IsZero():
		out.State = "unused"
	default:
		out.State = "ok"
	}
	return out
}

func (s *Server) channelHealth(ctx context.Context) (map[string]ChannelHealth, error) {
	if s.o.Notifier == nil {
		return nil, errNoNotifier
	}
	return s.o.Notifier.Channels(ctx)
}

func (s *Server) shownChannel(ctx context.Context, c *store.Channel) (*channelOutput, error) {
	health, err := s.channelHealth(ctx)
	if err != nil {
		return nil, err
	}
	names, err := s.o.Store.UserNames(ctx, []string{string(c.Owner)})
	if err != nil {
		return nil, err
	}
	return &channelOutput{Body: channelShape(c, health[c.ID], names)}, nil
}

func (s *Server) listChannels(ctx context.Context, _ *struct{}) (*listOutput[ChannelShape], error) {
	found, err := s.o.Store.Channels(ctx)
	if err != nil {
		return nil, err
	}
	health, err := s.channelHealth(ctx)
	if err != nil {
		return nil, err
	}
	var owners []string
	for i := range found {
		owners = append(owners, string(found[i].Owner))
	}
	names, err := s.o.Store.UserNames(ctx, owners)
	if err != nil {
		return nil, err
	}
	out := make([]ChannelShape, 0, len(found))
	for i := range found {
		out = append(out, channelShape(&found[i], health[found[i].ID], names))
	}
	return listOf(out, ""), nil
}

func (s *Server) getChannel(ctx context.Context, in *channelInput) (*channelOutput, error) {
	c, err := s.o.Store.Channel(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return s.shownChannel(ctx, c)
}

func (s *Server) createChannel(ctx context.Context, in *newChannelInput) (*channelOutput, error) {
	if s.o.Notifier == nil {
		return nil, errNoNotifier
	}
	c := store.Channel{Name: in.Body.Name, Type: in.Body.Type, Enabled: in.Body.Enabled, Settings: in.Body.Settings, Secrets: in.Body.Secrets}
	if err := s.o.Notifier.Check(&c); err != nil {
		return nil, err
	}
	made, err := s.o.Store.CreateChannel(ctx, who(ctx).actor(), c)
	if err != nil {
		return nil, err
	}
	s.o.Notifier.Changed()
	return s.shownChannel(ctx, made)
}

func (s *Server) changeChannel(ctx context.Context, in *channelChangeInput) (*channelOutput, error) {
	if s.o.Notifier == nil {
		return nil, errNoNotifier
	}
	c, err := s.o.Store.UpdateChannel(ctx, who(ctx).actor(), in.ID, func(c *store.Channel) error {
		put(&c.Name, in.Body.Name)
		put(&c.Enabled, in.Body.Enabled)
		if in.Body.Settings != nil {
			c.Settings = *in.Body.Settings
		}
		for name, value := range in.Body.Secrets {
			if c.Secrets == nil {
				c.Secrets = make(store.Secrets)
			}
			if c.Secrets[name] = value; value == "" {
				delete(c.Secrets, name)
			}
		}
		return s.o.Notifier.Check(c)
	})
	if err != nil {
		return nil, err
	}
	s.o.Notifier.Changed()
	return s.shownChannel(ctx, c)
}

func (s *Server) deleteChannel(ctx context.Context, in *channelInput) (*noContent, error) {
	if err := s.o.Store.DeleteChannel(ctx, who(ctx).actor(), in.ID); err != nil {
		return nil, err
	}
	if s.o.Notifier != nil {
		s.o.Notifier.Changed()
	}
	return nil, nil
}

func (s *Server) testChannel(ctx context.Context, in *channelInput) (*channelTestOutput, error) {
	if s.o.Notifier == nil {
		return nil, errNoNotifier
	}
	c, err := s.o.Store.Channel(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return s.tested(ctx, c)
}

// tested sends a test through a channel, for those who may.
func (s *Server) tested(ctx context.Context, c *store.Channel) (*channelTestOutput, error) {
	if err := s.o.Store.Record(ctx, who(ctx).actor(), "channel.test", "channel/"+c.ID, nil); err != nil {
		return nil, err
	}
	out, began := &channelTestOutput{}, s.now()
	err := s.o.Notifier.Test(ctx, *c)
	out.Body.OK, out.Body.DurationMS = err == nil, s.now().Sub(began).Milliseconds()
	if err != nil {
		out.Body.Error = err.Error()
	}
	return out, nil
}
