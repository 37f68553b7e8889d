package sim

import (
	"encoding/json"
	"slices"
	"time"
)

func (d *v2) setProfile(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		EVSE    int             `json:"evseId"`
		Profile json.RawMessage `json:"chargingProfile"`
	}](raw)
	if err != nil {
		return nil, err
	}
	e := d.st.evse(r.EVSE)
	p := readProfile(r.Profile, r.EVSE)
	switch {
	case p == nil, r.EVSE != 0 && e == nil, p.purpose == "ChargingStationMaxProfile" && r.EVSE != 0:
		return answer("Rejected")
	case p.purpose == "TxProfile":
		if e == nil || e.tx == nil || p.txID != "" && p.txID != e.tx.uid {
			return answer("Rejected")
		}
		p.tx = e.tx
	}
	if !d.st.install(p) {
		return answer("Rejected")
	}
	return answer("Accepted")
}

func (d *v2) clearProfile(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		ID       *int `json:"chargingProfileId"`
		Criteria struct {
			EVSE    *int    `json:"evseId"`
			Purpose *string `json:"chargingProfilePurpose"`
			Stack   *int    `json:"stackLevel"`
		} `json:"chargingProfileCriteria"`
	}](raw)
	if err != nil {
		return nil, err
	}
	n := d.st.clearProfiles(func(p *profile) bool {
		if r.ID != nil {
			return p.id == *r.ID
		}
		c := r.Criteria
		return (c.EVSE == nil || *c.EVSE == p.evse) && (c.Purpose == nil || *c.Purpose == p.purpose) && (c.Stack == nil || *c.Stack == p.stack)
	})
	if n == 0 {
		return answer("Unknown")
	}
	return answer("Accepted")
}

func (d *v2) getProfiles(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Request  int  `json:"requestId"`
		EVSE     *int `json:"evseId"`
		Criteria struct {
			IDs     []int   `json:"chargingProfileId"`
			Purpose *string `json:"chargingProfilePurpose"`
			Stack   *int    `json:"stackLevel"`
		} `json:"chargingProfile"`
	}](raw)
	if err != nil {
		return nil, err
	}
	st := d.st
	found := make(map[int][]json.RawMessage)
	for _, p := range st.profiles {
		c := r.Criteria
		if r.EVSE != nil && *r.EVSE != p.evse || c.Purpose != nil && *c.Purpose != p.purpose || c.Stack != nil && *c.Stack != p.stack ||
			len(c.IDs) > 0 && !slices.Contains(c.IDs, p.id) {
			continue
		}
		found[p.evse] = append(found[p.evse], p.raw)
	}
	if len(found) == 0 {
		return answer("NoProfiles")
	}
	st.after(time.Second, func() {
		left := len(found)
		for evse := range len(st.evses) + 1 {
			list, ok := found[evse]
			if !ok {
				continue
			}
			left--
			st.say(&call{action: "ReportChargingProfiles", payload: struct {
				Request  int               `json:"requestId"`
				Source   string            `json:"chargingLimitSource"`
				EVSE     int               `json:"evseId"`
				Profiles []json.RawMessage `json:"chargingProfile"`
				More     bool              `json:"tbc,omitempty"`
			}{r.Request, "CSO", evse, list, left > 0}})
		}
	})
	return answer("Accepted")
}

func (d *v2) compositeSchedule(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Duration int    `json:"duration"`
		Unit     string `json:"chargingRateUnit"`
		EVSE     int    `json:"evseId"`
	}](raw)
	if err != nil {
		return nil, err
	}
	if r.EVSE != 0 && d.st.evse(r.EVSE) == nil {
		return answer("Rejected")
	}
	if r.Unit == "" {
		r.Unit = "W"
	}
	return struct {
		Status   string `json:"status"`
		Schedule any    `json:"schedule"`
	}{"Accepted", struct {
		EVSE     int        `json:"evseId"`
		Duration int        `json:"duration"`
		Start    string     `json:"scheduleStart"`
		Unit     string     `json:"chargingRateUnit"`
		Periods  []period16 `json:"chargingSchedulePeriod"`
	}{r.EVSE, r.Duration, d.st.stamp(d.st.now), r.Unit, periods16(d.st.composite(r.EVSE, time.Duration(r.Duration)*time.Second, r.Unit))}}, nil
}
