package sim

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

func (d *v16) setProfile(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Connector int             `json:"connectorId"`
		Profile   json.RawMessage `json:"csChargingProfiles"`
	}](raw)
	if err != nil {
		return nil, err
	}
	at := 0
	var e *evse
	if r.Connector != 0 {
		c := d.st.connector(r.Connector)
		if c == nil {
			return answer("Rejected")
		}
		e, at = c.e, c.e.id
	}
	p := readProfile(r.Profile, at)
	switch {
	case p == nil, p.purpose == "ChargingStationMaxProfile" && at != 0:
		return answer("Rejected")
	case p.purpose == "TxProfile":
		if e == nil || e.tx == nil || p.txID != "" && p.txID != strconv.Itoa(e.tx.id) {
			return answer("Rejected")
		}
		p.tx = e.tx
	}
	if !d.st.install(p) {
		return answer("Rejected")
	}
	return answer("Accepted")
}

func (d *v16) clearProfile(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		ID        *int    `json:"id"`
		Connector *int    `json:"connectorId"`
		Purpose   *string `json:"chargingProfilePurpose"`
		Stack     *int    `json:"stackLevel"`
	}](raw)
	if err != nil {
		return nil, err
	}
	n := d.st.clearProfiles(func(p *profile) bool {
		if r.ID != nil {
			return p.id == *r.ID
		}
		purpose := p.purpose
		if purpose == "ChargingStationMaxProfile" {
			purpose = "ChargePointMaxProfile"
		}
		if r.Connector != nil {
			if c := d.st.connector(*r.Connector); c == nil && p.evse != 0 || c != nil && p.evse != c.e.id {
				return false
			}
		}
		return (r.Purpose == nil || *r.Purpose == purpose) && (r.Stack == nil || *r.Stack == p.stack)
	})
	if n == 0 {
		return answer("Unknown")
	}
	return answer("Accepted")
}

type period16 struct {
	Start int     `json:"startPeriod"`
	Limit float64 `json:"limit"`
}

func (d *v16) compositeSchedule(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Connector int    `json:"connectorId"`
		Duration  int    `json:"duration"`
		Unit      string `json:"chargingRateUnit"`
	}](raw)
	if err != nil {
		return nil, err
	}
	evseID := 0
	if r.Connector != 0 {
		c := d.st.connector(r.Connector)
		if c == nil {
			return answer("Rejected")
		}
		evseID = c.e.id
	}
	if r.Unit == "" {
		r.Unit = "W"
	}
	return struct {
		Status    string `json:"status"`
		Connector int    `json:"connectorId"`
		Start     string `json:"scheduleStart"`
		Schedule  any    `json:"chargingSchedule"`
	}{"Accepted", r.Connector, d.st.stamp(d.st.now), struct {
		Duration int        `json:"duration"`
		Unit     string     `json:"chargingRateUnit"`
		Periods  []period16 `json:"chargingSchedulePeriod"`
	}{r.Duration, r.Unit, periods16(d.st.composite(evseID, time.Duration(r.Duration)*time.Second, r.Unit))}}, nil
}

func periods16(list []period) []period16 {
	out := make([]period16, 0, len(list))
	for p := range slices.Values(list) {
		out = append(out, period16{int(p.at.Seconds()), round1(p.limit)})
	}
	return out
}
