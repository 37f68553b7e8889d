package health

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// flapping is D04: a station that comes and goes, or a port that goes in and out
// of service. What a driver does at a port is no edge; nor is what followed from
// a command or from our own start.
func flapping() detect.Detector {
	return detect.Detector{
		ID: "D04", Code: "flapping",
		Params: []detect.Param{
			{Name: "startEdges", Default: 6, Doc: "changes within an hour from which on it flaps"},
			{Name: "stopEdges", Default: 2, Doc: "changes within an hour below which it is over"},
			{Name: "commandMinutes", Default: 10, Unit: "min", Doc: "how long after a command of ours changes do not count"},
		},
		Kinds: []event.Kind{
			event.KindConnected, event.KindDisconnected, event.KindStatus, event.KindComponent, event.KindCommand, event.KindServerStarted,
		},
		On:     flappingOn,
		Due:    func(c *detect.Context, key string) { flappingOver(c) },
		Hourly: flappingForget,
		New:    func() any { return new(edges) },
	}
}

// edges are the last changes of a port, or of the link (EVSE 0).
type edges struct {
	At   []detect.Moment `json:"at,omitempty"`
	Out  bool            `json:"out,omitempty"`  // of service, when last told
	Ours detect.Moment   `json:"ours,omitempty"` // until when changes are expected; of EVSE 0
}

const keptEdges = 21

func flappingOn(c *detect.Context, e *event.Event) {
	st := c.Station
	switch b := e.Body.(type) {
	case *event.Command:
		switch b.Action {
		case "Reset", "ChangeAvailability", "UpdateFirmware", "SignedUpdateFirmware":
			detect.Memory[edges](c, 0).Ours = detect.At(c.Now.Add(c.Minutes("commandMinutes")))
		}
	case *event.ServerStarted:
		if !st.BootAt.IsZero() {
			detect.Memory[edges](c, 0).Ours = detect.At(c.Now.Add(settleFor))
		}
	case *event.Disconnected:
		if !st.Online && st.LinkAt == detect.At(c.Now) {
			edge(c, 0)
		}
	case *event.Connected:
		if b.Replaced == "" && st.LinkAt == detect.At(c.Now) && !st.BootAt.IsZero() {
			edge(c, 0)
		}
	case *event.Status, *event.Component:
		for i := range st.Ports {
			p := &st.Ports[i]
			if p.HeardAt != detect.At(c.Now) {
				continue
			}
			out := p.Status == fleet.Faulted || p.Status == fleet.Unavailable
			m := detect.Recall[edges](c, p.EVSE)
			if m == nil {
				if out {
					m = detect.Memory[edges](c, p.EVSE)
					m.Out = out
					edge(c, p.EVSE)
				}
				continue
			}
			if m.Out != out {
				m.Out = out
				edge(c, p.EVSE)
			}
		}
	}
}

// settleFor is how long after our own start stations may take to come back.
const settleFor = 15 * time.Minute

func edge(c *detect.Context, evse int) {
	if own := detect.Recall[edges](c, 0); own != nil && detect.At(c.Now) < own.Ours {
		return
	}
	m := detect.Memory[edges](c, evse)
	m.At = append(m.At, detect.At(c.Now))
	if n := len(m.At); n > keptEdges {
		m.At = slices.Delete(m.At, 0, n-keptEdges)
	}
	n := m.lately(c.Now)
	if float64(n) < c.Param("startEdges") || c.Station.IsOpen("flapping", evse) {
		return
	}
	text := c.Say("The port has gone in and out of service %s within the last hour.", detect.Count{N: float64(n), Unit: "time"})
	if evse == 0 {
		text = c.Say("The station has lost or regained its connection %s within the last hour.", detect.Count{N: float64(n), Unit: "time"})
	}
	first := m.At[len(m.At)-n]
	c.Raise(evse, event.Finding{
		Severity: event.S3, Since: first.Time(),
		Text:  text,
		Facts: []event.Fact{detect.Value("changesPerHour", float64(n), "/h"), {Name: "firstChange", At: first.Time()}},
	})
	c.Wake("over", c.Now.Add(flapLook))
}

// flapLook is how often it is asked whether flapping is over.
const flapLook = 10 * time.Minute

func (m *edges) lately(now time.Time) int {
	n := 0
	for _, at := range m.At {
		if at.Ago(now) < time.Hour {
			n++
		}
	}
	return n
}

func flappingOver(c *detect.Context) {
	for _, o := range slices.Clone(c.Station.Open) {
		if o.Code != "flapping" {
			continue
		}
		n := 0
		if m := detect.Recall[edges](c, o.EVSE); m != nil {
			n = m.lately(c.Now)
		}
		if float64(n) < c.Param("stopEdges") {
			c.Clear("flapping", o.EVSE, detect.Value("changesPerHour", float64(n), "/h"))
		} else {
			c.Wake("over", c.Now.Add(flapLook))
		}
	}
}

// flappingForget lets go of what is over.
func flappingForget(c *detect.Context) {
	forget := func(evse int) {
		m := detect.Recall[edges](c, evse)
		if m == nil || m.lately(c.Now) > 0 || m.Ours > detect.At(c.Now) || c.Station.IsOpen("flapping", evse) {
			return
		}
		if p := c.Station.Port(evse); p == nil || p.Status != fleet.Faulted && p.Status != fleet.Unavailable {
			c.Forget(evse)
		}
	}
	forget(0)
	for i := range c.Station.Ports {
		forget(c.Station.Ports[i].EVSE)
	}
}
