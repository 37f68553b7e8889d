package health

import (
	"slices"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
)

// lockOrCable is D15: plugs that do not lock or cables that do not pass their
// check, too often or several times in a row. One car with a bent inlet is not
// the port's fault, so there have to be two.
func lockOrCable() detect.Detector {
	return detect.Detector{
		ID: "D15", Code: "lockOrCable",
		Params: []detect.Param{
			{Name: "percent", Default: 3, Unit: "%", Doc: "share of plug-ins that fail at lock or cable"},
			{Name: "plugIns", Default: 30, Doc: "plug-ins needed to judge the share"},
			{Name: "row", Default: 3, Doc: "failures in a row that are enough"},
			{Name: "drivers", Default: 2, Doc: "different drivers among the failures"},
			{Name: "goodInRow", Default: 10, Doc: "plug-ins that work in a row after which it is over"},
		},
		Kinds: []event.Kind{event.KindCommand, event.KindCommandResult},
		On:    lockOn,
		Tried: lockTried,
		New:   func() any { return new(plugIns) },
	}
}

// plugIns are counted per port; both are halved now and then, so that the last
// hundred weigh most.
type plugIns struct {
	N       float64  `json:"n,omitempty"`
	Failed  float64  `json:"failed,omitempty"`
	Row     int      `json:"row,omitempty"`
	Good    int      `json:"good,omitempty"`
	Drivers []string `json:"drivers,omitempty"` // of the last failures
	Unlock  string   `json:"unlock,omitempty"`  // the command that asks for it
}

const (
	weighPlugIns = 200
	plainly      = 6 // times the share
)

func lockTried(c *detect.Context, a *attempt.Attempt) {
	if a.EVSE == 0 || a.Stage == attempt.Presented {
		return
	}
	bad := a.Failed && a.Side == attempt.Charger && lockCode(a.Code)
	if a.Failed && !bad && a.Stage != attempt.Energy {
		return // it says nothing about lock or cable
	}
	m := detect.Memory[plugIns](c, a.EVSE)
	if m.N >= weighPlugIns {
		m.N, m.Failed = m.N/2, m.Failed/2
	}
	m.N++
	if !bad {
		m.Row, m.Good = 0, m.Good+1
		if float64(m.Good) >= c.Param("goodInRow") {
			m.Drivers = nil
			if c.Station.IsOpen("lockOrCable", a.EVSE) {
				m.N, m.Failed = 0, 0
				c.Clear("lockOrCable", a.EVSE, detect.Value("goodInRow", float64(m.Good), ""))
			}
		}
		return
	}
	lockFailed(c, a.EVSE, m, a.Token, a.Code)
}

// lockCode reports whether a code of OCPP 1.6 or of the ChargeX set tells of the
// lock or of the test of the cable.
func lockCode(code string) bool {
	switch code {
	case "ConnectorLockFailure", "CX001", "CX025", "BrokenLatch", "CX011", "CableCheckFault", "CX020", "PartialInsertion", "CX022", "ResistanceFault",
		"CX023", "ProximityFault", "CX014", "PilotFault":
		return true
	}
	return false
}

func lockFailed(c *detect.Context, evse int, m *plugIns, driver, code string) {
	m.Failed++
	m.Row, m.Good = m.Row+1, 0
	if !slices.Contains(m.Drivers, driver) && len(m.Drivers) < 4 {
		m.Drivers = append(m.Drivers, driver)
	}
	share := 100 * m.Failed / m.N
	// Where it fails many times as often as allowed, three failures are enough.
	often := m.N >= c.Param("plugIns") && share > c.Param("percent") || m.Failed >= c.Param("row") && share > plainly*c.Param("percent")
	row := float64(m.Row) >= c.Param("row")
	if float64(len(m.Drivers)) < c.Param("drivers") || !often && !row {
		return
	}
	c.Raise(evse, event.Finding{
		Severity: event.S3,
		Text:     c.Say("Lock or cable failed at %.0f of the last %.0f plug-ins, %d in a row, with %s.", m.Failed, m.N, m.Row, detect.Count{N: float64(len(m.Drivers)), Unit: "driver"}),
		Facts: []event.Fact{
			detect.Value("failed", m.Failed, ""), detect.Value("plugIns", m.N, ""), detect.Value("share", share, "%"), detect.Value("inRow", float64(m.Row), ""),
			detect.Value("drivers", float64(len(m.Drivers)), ""), detect.Word("lastCode", code),
		},
	})
}

// lockOn counts plugs that stayed locked when they were to be released.
func lockOn(c *detect.Context, e *event.Event) {
	switch b := e.Body.(type) {
	case *event.Command:
		if evse := unlockPort(b); evse > 0 && c.Station.Port(evse) != nil {
			detect.Memory[plugIns](c, evse).Unlock = b.CommandID
		}
	case *event.CommandResult:
		for i := range c.Station.Ports {
			evse := c.Station.Ports[i].EVSE
			m := detect.Recall[plugIns](c, evse)
			if m == nil || m.Unlock == "" || m.Unlock != b.CommandID {
				continue
			}
			m.Unlock = ""
			c.Station.Touch()
			if answer(b) == "UnlockFailed" {
				m.N++
				lockFailed(c, evse, m, "unlock/"+b.CommandID, "UnlockFailed")
			}
		}
	}
}
