package web

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Flow is what one port drew in equal steps: power times the milliseconds it
// held, and those milliseconds.
type Flow struct {
	WattMillis []float64
	Millis     []int64
}

// Flows answers for the power of single ports, of which sums are made.
type Flows interface {
	// Flow is the power of a port in n steps from a time on.
	Flow(ctx context.Context, station string, evse int, from time.Time, step time.Duration, n int) (Flow, error)
	// Late tells how often something came for an hour that was over long before.
	Late(hour time.Time) uint64
	// Horizon is the time before which nothing is kept; zero if all is.
	Horizon() time.Time
}

type powerInput struct {
	Site string    `query:"site" maxLength:"48" doc:"default: all sites"`
	From time.Time `query:"from" doc:"default: 24 h before to"`
	To   time.Time `query:"to" doc:"not included; default: now"`
	Step int       `query:"step" minimum:"0" maximum:"86400" doc:"seconds, at least 60 for a site and 300 for several; 0: as suits about 300 points"`
}

// PowerShape is the power of the network or of a site over time. Points come as
// in SeriesShape: min and max are of the shorter steps within a step.
type PowerShape struct {
	SeriesShape
	Known []float64  `json:"known" doc:"beside each point: the share of the ports that are in it; the others were offline, so what they drew is not known"`
	Ports int        `json:"ports" doc:"there now"`
	Peak  *PowerPeak `json:"peak,omitempty" doc:"of the shortest steps; missing where nothing is known"`
}

// PowerPeak is the highest power of the time that was asked for.
type PowerPeak struct {
	At     time.Time `json:"at"`
	PowerW float64   `json:"powerW"`
}

type powerOutput struct{ Body PowerShape }

const (
	// Finer steps than the book's are computed for one site and some days.
	siteStep = time.Minute
	siteFine = 8 * 24 * time.Hour
	// The longest stretch of several sites and of one.
	networkMost = 8*24*time.Hour + time.Hour
	siteMost    = 3 * 366 * 24 * time.Hour
	powerPoints = 300
	maxPoints   = 10_000
)

func (s *Server) registerPower() {
	add(s, filtered(TelemetryRead), huma.Operation{
		OperationID: "getPower", Method: http.MethodGet, Path: "/power", Tags: []string{"telemetry"},
		Summary: "The power of the network or of a site over time",
	}, s.getPower)
}

func (s *Server) getPower(ctx context.Context, in *powerInput) (*powerOutput, error) {
	if s.o.Flows == nil || s.o.Past == nil {
		return nil, problemf(http.StatusNotImplemented, "this server keeps no series")
	}
	to, from := in.To, in.From
	if to.IsZero() {
		to = s.now()
	}
	if from.IsZero() {
		from = to.Add(-24 * time.Hour)
	}
	most := networkMost
	if in.Site != "" {
		most = siteMost
	}
	switch {
	case !from.Before(to):
		return nil, problemf(http.StatusUnprocessableEntity, "validation failed",
			&huma.ErrorDetail{Message: "must be before to", Location: "query.from"})
	case to.Sub(from) > most:
		return nil, problemf(http.StatusUnprocessableEntity, "validation failed",
			&huma.ErrorDetail{Message: "at most 8 days for several sites and three years for one", Location: "query.from"})
	}
	allowed := scope(ctx, TelemetryRead)
	sites := membersOf(s.o.Fleet.Snapshot(), func(site string) bool {
		return allowed.Allows(site) && (in.Site == "" || site == in.Site)
	})
	step, base := powerSteps(time.Duration(in.Step)*time.Second, to.Sub(from), in.Site != "")
	out := PowerShape{Known: []float64{}, SeriesShape: SeriesShape{Unit: "W", StepSeconds: step.Seconds(), Points: []pointShape{}}}
	for _, members := range sites {
		out.Ports += portsOf(members)
	}
	horizon := s.o.Flows.Horizon()
	if nothing := time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC); horizon.Before(nothing) {
		horizon = nothing
	}
	if from.Before(horizon) {
		from = horizon
	}
	if now := s.now(); to.After(now) {
		to = now
	}
	if out.Ports == 0 || !from.Before(to) {
		return &powerOutput{Body: out}, nil
	}
	first := from.Truncate(step)
	if first.Before(horizon) {
		first = first.Add(step)
	}
	slots, err := s.powerSlots(ctx, sites, first, to, base)
	if err != nil {
		return nil, err
	}
	out.fold(slots, first, base, step)
	return &powerOutput{Body: out}, nil
}

// powerSteps chooses the step of the answer and the shorter one it is made of.
func powerSteps(asked, length time.Duration, single bool) (step, base time.Duration) {
	if asked == 0 {
		asked = length / powerPoints
	}
	asked = max(asked, length/maxPoints)
	base = powerStep
	if single && asked < powerStep && length <= siteFine {
		base = siteStep
	}
	return max(base, (asked+base-1)/base*base), base
}

// powerSlots sums the sites in steps of base from a time on.
func (s *Server) powerSlots(ctx context.Context, sites map[string][]member, first, to time.Time, base time.Duration) ([]powerSlot, error) {
	n := int((to.Sub(first) + base - 1) / base)
	if base == siteStep {
		for _, members := range sites {
			return s.power.sum(ctx, members, first, base, n)
		}
	}
	in := hoursOf(first, to)
	slots, err := s.power.hours(ctx, sites, in)
	if err != nil {
		return nil, err
	}
	skip := int(first.Sub(time.Unix(in.from*3600, 0)) / base)
	return slots[skip:min(len(slots), skip+n)], nil
}

// fold joins slots into the points of the answer. A step in which no port is
// known is left out.
func (p *PowerShape) fold(slots []powerSlot, first time.Time, base, step time.Duration) {
	per := int(step / base)
	for i := 0; i < len(slots); i += per {
		point := pointShape{At: first.Add(time.Duration(i) * base), Min: math.Inf(1), Max: math.Inf(-1)}
		n, known := 0, 0.0
		for k, slot := range slots[i:min(i+per, len(slots))] {
			if slot.Known <= 0 {
				continue
			}
			w := math.Round(float64(slot.W))
			point.Min, point.Max, point.Mean = min(point.Min, w), max(point.Max, w), point.Mean+w
			known += float64(slot.Known)
			n++
			if p.Peak == nil || w > p.Peak.PowerW {
				p.Peak = &PowerPeak{At: first.Add(time.Duration(i+k) * base), PowerW: w}
			}
		}
		if n == 0 {
			continue
		}
		point.Mean = math.Round(point.Mean / float64(n))
		p.Points = append(p.Points, point)
		p.Known = append(p.Known, math.Round(min(1, known/float64(n)/float64(p.Ports))*1000)/1000)
	}
}
