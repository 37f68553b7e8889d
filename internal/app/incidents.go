package app

import (
	"context"
	"time"
	_ "time/tzdata" // calendars mean the same on a machine without a list of zones

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/live"
	"github.com/chargewatch/chargewatch/internal/notify"
	"github.com/chargewatch/chargewatch/internal/web"
)

// handled is incidents as those see them who tell people of them.
type handled struct {
	live    *live.Live
	journal *journal.Journal
}

var (
	_ notify.Incidents = handled{}
	_ web.Acknowledger = handled{}
)

// State says whether anybody still has to be told.
func (h handled) State(ctx context.Context, id string) (notify.State, error) {
	in, err := h.live.Incident(ctx, id)
	if err != nil {
		return notify.State{}, err
	}
	return notify.State{
		Acknowledged: in.State == incident.Acknowledged || in.ClaimedBy != nil && in.ClaimedUntil != nil && in.ClaimedUntil.After(time.Now()),
		Over:         in.State == incident.Closed || in.State == incident.Verifying || in.RepairedAt != nil,
	}, nil
}

// Acknowledge records that somebody pressed the button of a signed link.
func (h handled) Acknowledge(ctx context.Context, id, by string) error {
	in, err := h.live.Incident(ctx, id)
	if err != nil {
		return err
	}
	now := time.Now()
	act := &event.IncidentAction{Action: "acknowledge", By: by}
	if err := incident.Check(in, act, now); err != nil {
		return err
	}
	r, err := h.journal.Append(ctx, event.Acting(id, now, act))
	if err != nil {
		return err
	}
	return h.live.Reached(ctx, r.Seq)
}
