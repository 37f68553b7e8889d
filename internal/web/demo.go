package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// Simulation is a simulated network that people can look at before they have
// one of their own.
type Simulation interface {
	// Remembers is how much of the time before they were turned on the stations
	// tell as what nobody heard.
	Remembers() time.Duration
	// Switch makes the network and lets it live, or ends and removes it.
	Switch(ctx context.Context, by store.Actor, on bool) error
}

// DemoShape says whether simulated stations are enrolled.
type DemoShape struct {
	On           bool    `json:"on"`
	Stations     int     `json:"stations" doc:"simulated ones"`
	Sites        int     `json:"sites" doc:"sites that they stand on"`
	HistoryHours float64 `json:"historyHours" doc:"how far back the stations told what they remember when they were turned on here; chargewatch demo makes 90 days, which a running journal cannot take"`
}

type demoOutput struct{ Body DemoShape }

type demoInput struct {
	Body struct {
		On bool `json:"on" doc:"true: make simulated sites, stations and cards; false: remove them again. What they recorded stays until it is too old"`
	}
}

func (s *Server) registerDemo() {
	add(s, global(SitesWrite), huma.Operation{
		OperationID: "getDemo", Method: http.MethodGet, Path: "/demo", Summary: "Whether a simulated network is on", Tags: []string{"network"},
	}, func(context.Context, *struct{}) (*demoOutput, error) { return s.demoState() })
	add(s, global(SitesWrite), huma.Operation{
		OperationID: "switchDemo", Method: http.MethodPost, Path: "/demo", Summary: "Turn a simulated network on or off", Tags: []string{"network"},
	}, func(ctx context.Context, in *demoInput) (*demoOutput, error) {
		if s.o.Simulation == nil {
			return nil, errNoSimulation
		}
		// What was begun is finished though the caller hangs up: half a network
		// helps nobody.
		if err := s.o.Simulation.Switch(context.WithoutCancel(ctx), who(ctx).actor(), in.Body.On); err != nil {
			return nil, err
		}
		return s.demoState()
	})
}

var errNoSimulation = problemf(http.StatusNotImplemented, "this server has no simulated network")

func (s *Server) demoState() (*demoOutput, error) {
	if s.o.Simulation == nil {
		return nil, errNoSimulation
	}
	var out DemoShape
	out.Stations, out.Sites = s.o.Store.Simulated()
	if out.On = out.Stations > 0; out.On {
		out.HistoryHours = s.o.Simulation.Remembers().Hours()
	}
	return &demoOutput{Body: out}, nil
}

// simulated reports whether what people see is simulated, in part or in whole.
func (s *Server) simulated() bool {
	stations, _ := s.o.Store.Simulated()
	return stations > 0
}
