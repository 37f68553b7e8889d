package app

import (
	"encoding/json"
	"slices"

	"github.com/chargewatch/chargewatch/internal/fleet"
)

// disturbs says why a command that the core wanted is not to be sent any more:
// between the decision and the wire a driver may have begun to charge.
func (c commander) disturbs(in fleet.Intent) string {
	if c.fleet == nil {
		return ""
	}
	st, ok := c.fleet.Snapshot().Station(in.Station)
	if !ok {
		return ""
	}
	var p struct {
		Type      string `json:"type"`
		Status    string `json:"operationalStatus"`
		Connector int    `json:"connectorId"`
		EVSEID    int    `json:"evseId"`
		EVSE      struct {
			ID int `json:"id"`
		} `json:"evse"`
	}
	if json.Unmarshal([]byte(in.Payload), &p) != nil {
		return ""
	}
	at := func(*fleet.EVSE) bool { return true }
	switch in.Action {
	case "Reset":
	case "ChangeAvailability", "UnlockConnector":
		if p.Type == "Operative" || p.Status == "Operative" {
			return ""
		}
		if evse := max(p.EVSE.ID, p.EVSEID); evse > 0 {
			at = func(v *fleet.EVSE) bool { return v.ID == evse }
		} else if p.Connector > 0 {
			at = func(v *fleet.EVSE) bool {
				return slices.ContainsFunc(v.Connectors, func(x fleet.Connector) bool { return x.ID == p.Connector })
			}
		}
	default:
		return ""
	}
	for i := range st.EVSEs {
		if v := &st.EVSEs[i]; at(v) && v.InUse() {
			return "a session began meanwhile"
		}
	}
	if in.Action == "Reset" && len(st.Backlog) > 0 {
		return "a session that was reported late may still run"
	}
	return ""
}
