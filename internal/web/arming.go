package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/week"
)

// ArmingBody is when what moves at a site matters.
type ArmingBody struct {
	Armed  *bool             `json:"armed,omitempty" doc:"comes before the weekly times; missing: only they count"`
	Until  *time.Time        `json:"until,omitempty" doc:"how long armed holds; missing: for good"`
	Weekly []ArmedHoursShape `json:"weekly,omitempty" maxItems:"50" doc:"armed at these times, in the site's time zone"`
}

// ArmedHoursShape is a time of the week.
type ArmedHoursShape struct {
	Days []int  `json:"days" minItems:"1" maxItems:"7" doc:"0 is Sunday"`
	From string `json:"from" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" doc:"HH:MM"`
	To   string `json:"to" pattern:"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$" doc:"at or before from: on the next day"`
}

// ArmingShape is a site's arming and what it means now.
type ArmingShape struct {
	SiteID string `json:"siteId"`
	ArmingBody
	Now       bool       `json:"now" doc:"armed now"`
	Schedule  bool       `json:"schedule" doc:"the weekly times say so"`
	ChangedAt *time.Time `json:"changedAt"`
	ChangedBy string     `json:"changedBy" doc:"opaque id"`
}

type (
	armingInput struct {
		Site string `path:"site" maxLength:"48"`
		Body struct {
			ArmingBody
			Reason string `json:"reason,omitempty" maxLength:"400" doc:"recorded"`
		}
	}
	armingOutput struct{ Body ArmingShape }
)

func (s *Server) registerArming() {
	op := func(id, method, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/sites/{site}/arming", Summary: summary, Tags: []string{"cameras"}}
	}
	add(s, atSite(CamerasRead), op("getArming", http.MethodGet, "When the site is armed"), s.getArming)
	add(s, atSite(ArmingWrite), op("setArming", http.MethodPut, "Decide when the site is armed"), s.setArming)
}

func (s *Server) armingShape(site string) ArmingShape {
	out := ArmingShape{SiteID: site}
	x, ok := s.o.Store.Arming(site)
	if !ok {
		return out
	}
	out.Armed, out.Until = x.Armed, instant(x.Until)
	for _, w := range x.Weekly {
		shape := ArmedHoursShape{From: week.Clock(w.From), To: week.Clock(w.To)}
		for _, d := range w.Days {
			shape.Days = append(shape.Days, int(d))
		}
		out.Weekly = append(out.Weekly, shape)
	}
	out.ChangedAt, out.ChangedBy = instant(x.At), string(x.By)
	out.Now, out.Schedule = s.o.Store.ArmedNow(site)
	return out
}

func (s *Server) getArming(_ context.Context, in *siteInput) (*armingOutput, error) {
	return &armingOutput{Body: s.armingShape(in.Site)}, nil
}

func (s *Server) setArming(ctx context.Context, in *armingInput) (*armingOutput, error) {
	x := store.Arming{SiteID: in.Site, Armed: in.Body.Armed}
	if in.Body.Until != nil {
		x.Until = in.Body.Until.UTC()
	}
	for _, w := range in.Body.Weekly {
		var hours store.ArmedHours
		hours.From, _ = week.Minute(w.From) // the pattern let only times through
		hours.To, _ = week.Minute(w.To)
		for _, d := range w.Days {
			hours.Days = append(hours.Days, time.Weekday(d))
		}
		x.Weekly = append(x.Weekly, hours)
	}
	if _, err := s.o.Store.SetArming(ctx, who(ctx).actor(), x, in.Body.Reason); err != nil {
		return nil, err
	}
	return &armingOutput{Body: s.armingShape(in.Site)}, nil
}
