package health

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// zeroEnergy is D07: sessions begin and nothing flows. Who stops or unplugs soon
// changed their mind, a car that ends it wanted nothing, and one driver alone
// points at their car. It is urgent when nobody charges any more; a port that
// gives power to some is a work order.
func zeroEnergy() detect.Detector {
	return detect.Detector{
		ID: "D07", Code: "zeroEnergy",
		Params: []detect.Param{
			{Name: "sessions", Default: 3, Doc: "empty sessions among the last ones"},
			{Name: "of", Default: 5, Doc: "how many last sessions are looked at"},
			{Name: "energyWh", Default: 100, Unit: "Wh", Doc: "energy below which a session is empty"},
			{Name: "goodInRow", Default: 5, Doc: "charges in a row after which it is over when it came back within three days; the first time two are enough"},
			{Name: "minutes", Default: 5, Unit: "min", Doc: "a longer session is a slow car, not an empty session"},
			{Name: "changedMindSeconds", Default: 60, Unit: "s", Doc: "a stop at the station within this time does not count"},
			{Name: "unplugSeconds", Default: 150, Unit: "s", Doc: "nor does pulling the plug within this time: power may take that long to flow"},
		},
		Ended: zeroEnded,
		New:   func() any { return new(lastSessions) },
	}
}

// lastSessions are the newest of a port, as far as one of them was empty.
type lastSessions struct {
	List  []lastSession `json:"list,omitempty"`
	Row   int           `json:"row,omitempty"` // empty ones since the last that was not
	Bouts bouts         `json:"bouts,omitzero"`
}

const boutsWithin = 72 * time.Hour

type lastSession struct {
	At    detect.Moment `json:"at"`
	Empty bool          `json:"empty,omitempty"`
	Token string        `json:"token,omitempty"`
}

func zeroEnded(c *detect.Context, t *detect.Ended) {
	lasted := t.At.Sub(t.StartedAt)
	seconds := func(name string) time.Duration { return time.Duration(c.Param(name) * float64(time.Second)) }
	switch {
	case t.Inferred || t.FirstWh == nil || t.Reason == "DeAuthorized" || t.Reason == "Deauthorized":
		return
	case t.Reason == "Local" && lasted < seconds("changedMindSeconds"), t.Reason == "EVDisconnected" && lasted < seconds("unplugSeconds"):
		return
	case t.EnergyWh < c.Param("energyWh") && (t.Reason == "StoppedByEV" || t.State == "SuspendedEV"):
		return // the car wanted nothing
	}
	evse := t.Port.EVSE
	empty := t.EnergyWh < c.Param("energyWh") && lasted < c.Minutes("minutes")
	m := detect.Recall[lastSessions](c, evse)
	if m == nil && !empty {
		return
	}
	m = detect.Memory[lastSessions](c, evse)
	m.List = append(m.List, lastSession{detect.At(t.At), empty, t.Token})
	if n, keep := len(m.List), int(c.Param("of")); n > max(keep, 1) {
		m.List = slices.Delete(m.List, 0, n-max(keep, 1))
	}
	tokens := make(map[string]bool)
	n := 0
	for _, s := range m.List {
		if s.Empty {
			n++
			tokens[s.Token] = true
		}
	}
	m.Row++
	if !empty {
		m.Row = 0
	}
	if t.EnergyWh < provenWh {
		m.Bouts.Good = 0
	} else if c.Station.IsOpen("zeroEnergy", evse) && m.Bouts.worked(c.Now, 2, c.Param("goodInRow")) {
		m.List = nil
		c.Clear("zeroEnergy", evse, detect.Value("chargedSince", t.EnergyWh/1000, "kWh"), detect.Value("goodInRow", float64(m.Bouts.Good), ""))
	}
	if n == 0 && !c.Station.IsOpen("zeroEnergy", evse) && m.Bouts.past(c.Now, boutsWithin) {
		c.Forget(evse)
		return
	}
	if !empty || float64(n) < c.Param("sessions") {
		return
	}
	f := event.Finding{
		Severity: event.S2,
		Text:     c.Say("%d of the last %d sessions ended within %.0f minutes and with less than %.0f Wh.", n, len(m.List), c.Param("minutes"), c.Param("energyWh")),
		Facts: []event.Fact{
			detect.Value("empty", float64(n), ""), detect.Value("sessions", float64(len(m.List)), ""), detect.Value("drivers", float64(len(tokens)), ""),
			detect.Value("inRow", float64(m.Row), ""), detect.Word("lastReason", t.Reason),
		},
	}
	switch sessions := c.Param("sessions"); {
	case len(tokens) < 2:
		f.Severity = event.S4
		f.Text += " " + c.Say("All were of one driver; their car may be the reason.")
	case c.Station.OpenAt("zeroEnergy", evse) == event.S2: // it was certain already
	case float64(m.Row) < deadAfter(c, evse, m.Row, sessions):
		f.Severity = event.S3
	}
	m.Bouts.raised(c.Now, boutsWithin)
	c.Raise(evse, f)
}
