package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/week"
)

// PostureShape is whether a site is on its guard: after a raid thresholds about people
// are halved and it is armed by night, for 30 days.
type PostureShape struct {
	SiteID     string     `json:"siteId"`
	Heightened bool       `json:"heightened"`
	Incident   string     `json:"incident" doc:"id of the incident because of which; empty: none"`
	Code       string     `json:"code" doc:"what that was: cableTheft or doorForced"`
	Since      *time.Time `json:"since"`
	Until      *time.Time `json:"until"`
	ArmedFrom  string     `json:"armedFrom" doc:"HH:MM in the site's time zone; from then on it is armed while it is on its guard, unless a person decided otherwise"`
	ArmedTo    string     `json:"armedTo"`
}

type (
	postureOutput   struct{ Body PostureShape }
	endPostureInput struct {
		Site   string `path:"site" maxLength:"48"`
		Reason string `query:"reason" maxLength:"400" doc:"recorded"`
	}
)

func (s *Server) registerPosture() {
	op := func(id, method, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/sites/{site}/posture", Summary: summary, Tags: []string{"cameras"}}
	}
	add(s, atSite(CamerasRead), op("getPosture", http.MethodGet, "Whether the site is on its guard, and why"), s.getPosture)
	add(s, atSite(ArmingWrite), op("endPosture", http.MethodDelete, "End it: what has happened until now counts no more"), s.endPosture)
}

func (s *Server) postureShape(site string) PostureShape {
	out := PostureShape{SiteID: site, ArmedFrom: week.Clock(store.GuardedFrom), ArmedTo: week.Clock(store.GuardedTo)}
	if s.o.Rules.Posture == nil {
		return out
	}
	if p, ok := s.o.Rules.Posture(site); ok {
		out.Heightened, out.Incident, out.Code, out.Since, out.Until = true, p.Incident, p.Code, instant(p.Since), instant(p.Until)
	}
	return out
}

func (s *Server) getPosture(_ context.Context, in *siteInput) (*postureOutput, error) {
	return &postureOutput{Body: s.postureShape(in.Site)}, nil
}

// postureWait is how long is waited until detection has heard that a posture is over.
const postureWait = 5 * time.Second

func (s *Server) endPosture(ctx context.Context, in *endPostureInput) (*postureOutput, error) {
	if s.o.Rules.Posture == nil {
		return nil, errNoRules
	}
	if _, ok := s.o.Rules.Posture(in.Site); !ok {
		return &postureOutput{Body: s.postureShape(in.Site)}, nil
	}
	value, err := json.Marshal(map[string]string{"reason": in.Reason})
	if err != nil {
		return nil, fmt.Errorf("encode the end of a posture: %w", err)
	}
	if err := s.o.Store.SetPolicy(ctx, who(ctx).actor(), detect.PolicyPosture, in.Site, value); err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, postureWait)
	defer cancel()
	for limited.Err() == nil {
		changed := s.o.Rules.Guarded()
		if _, still := s.o.Rules.Posture(in.Site); !still {
			break
		}
		select {
		case <-changed:
		case <-limited.Done():
		}
	}
	return &postureOutput{Body: s.postureShape(in.Site)}, nil
}
