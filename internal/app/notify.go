package app

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/chargewatch/chargewatch/internal/notify"
	"github.com/chargewatch/chargewatch/internal/web"
)

// channelKinds are the ways to people and to other systems.
func channelKinds() []notify.Kind {
	return []notify.Kind{
		notify.Email(), notify.Webhook(), notify.Slack(), notify.Teams(), notify.Telegram(), notify.Ntfy(),
		notify.PagerDuty(), notify.MQTT(), notify.Alertmanager(), notify.WebPush(),
	}
}

// newNotifier makes the part that tells people.
func (s *Server) newNotifier(ctx context.Context) (*notify.Service, error) {
	n, err := notify.New(ctx, notify.Options{
		Store: s.Store, Kinds: channelKinds(), Logger: s.log,
		Reach:    s.reach,
		Pictures: illustrations{s},
		Well:     s.well, Incidents: handled{s.live, s.Journal},
	})
	if err != nil {
		return nil, fmt.Errorf("prepare notifications: %w", err)
	}
	return n, nil
}

// ownPorts are those that this server listens on.
func (s *Server) ownPorts() []int {
	var out []int
	for _, l := range s.listeners {
		if _, port, err := net.SplitHostPort(l.Addr().String()); err == nil {
			if n, err := strconv.Atoi(port); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}

// well says whether the server does its work: the journal commits, and what
// reads it keeps up.
func (s *Server) well() bool {
	if s.Journal.Ready() != nil {
		return false
	}
	const behind = 50_000 // events
	seq := s.Journal.Snapshot().Seq
	return s.Store.FollowedSeq()+behind >= seq && s.live.Stats().Seq+behind >= seq
}

// notifier is the service as the web sees it.
type notifier struct{ *notify.Service }

var _ web.Notifier = notifier{}

// Types lists what kinds of channels there are.
func (n notifier) Types() []web.ChannelTypeShape {
	var out []web.ChannelTypeShape
	for _, x := range n.Specs() {
		shape := web.ChannelTypeShape{Type: x.Type, Needs: x.Needs, Together: max(x.Together, 1), Fields: []web.ChannelFieldShape{}}
		for _, f := range x.Fields {
			shape.Fields = append(shape.Fields, web.ChannelFieldShape{
				Name: f.Name, Form: string(f.Form), Required: f.Required, Secret: f.Secret, Choices: append([]string{}, f.Choices...), Default: f.Default, Doc: f.Doc,
			})
		}
		out = append(out, shape)
	}
	return out
}

// Channels is how the channels do.
func (n notifier) Channels(ctx context.Context) (map[string]web.ChannelHealth, error) {
	h, err := n.Health(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[string]web.ChannelHealth, len(h.Channels))
	for _, c := range h.Channels {
		out[c.ID] = web.ChannelHealth{Waiting: c.Waiting, Failed: c.Failed, Resting: c.Resting}
	}
	return out, nil
}

// Link reads a token of a signed link.
func (n notifier) Link(token string) (web.AckLink, error) {
	l, err := n.Links().Read(token)
	return web.AckLink(l), err
}
