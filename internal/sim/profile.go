package sim

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"
)

const maxProfiles = 40

// profile is a charging profile of either family. Purposes use the 2.x names.
type profile struct {
	evse       int
	id, stack  int
	purpose    string
	kind       string // Absolute, Recurring, Relative
	recurrency string // Daily, Weekly
	from, to   time.Time
	tx         *tx
	txID       string
	unit       string // A or W
	start      time.Time
	duration   time.Duration
	periods    []period
	raw        json.RawMessage // 2.x: for ReportChargingProfiles
}

type period struct {
	at     time.Duration
	limit  float64
	phases int
}

// wireProfile reads a profile as both families write it.
type wireProfile struct {
	ID1       *int            `json:"chargingProfileId"`
	ID2       *int            `json:"id"`
	Stack     int             `json:"stackLevel"`
	Purpose   string          `json:"chargingProfilePurpose"`
	Kind      string          `json:"chargingProfileKind"`
	Recur     string          `json:"recurrencyKind"`
	ValidFrom *time.Time      `json:"validFrom"`
	ValidTo   *time.Time      `json:"validTo"`
	TxID      json.RawMessage `json:"transactionId"`
	Schedule  json.RawMessage `json:"chargingSchedule"`
}

type wireSchedule struct {
	Duration int        `json:"duration"`
	Start    *time.Time `json:"startSchedule"`
	Unit     string     `json:"chargingRateUnit"`
	Periods  []struct {
		Start  int     `json:"startPeriod"`
		Limit  float64 `json:"limit"`
		Phases int     `json:"numberPhases"`
	} `json:"chargingSchedulePeriod"`
}

// readProfile decodes a profile; nil means it cannot be used.
func readProfile(raw json.RawMessage, evse int) *profile {
	var w wireProfile
	if json.Unmarshal(raw, &w) != nil {
		return nil
	}
	var s wireSchedule
	if len(w.Schedule) > 0 && w.Schedule[0] == '[' {
		var list []wireSchedule
		if json.Unmarshal(w.Schedule, &list) != nil || len(list) == 0 {
			return nil
		}
		s = list[0]
	} else if json.Unmarshal(w.Schedule, &s) != nil {
		return nil
	}
	if len(s.Periods) == 0 || len(s.Periods) > 1024 || s.Unit != "A" && s.Unit != "W" {
		return nil
	}
	p := &profile{
		evse: evse, stack: w.Stack, purpose: w.Purpose, kind: w.Kind, recurrency: w.Recur, unit: s.Unit,
		duration: time.Duration(s.Duration) * time.Second, raw: raw, txID: strings.Trim(string(w.TxID), `"`),
	}
	if p.purpose == "ChargePointMaxProfile" {
		p.purpose = "ChargingStationMaxProfile"
	}
	for _, id := range []*int{w.ID1, w.ID2} {
		if id != nil {
			p.id = *id
		}
	}
	set := func(t *time.Time, from *time.Time) {
		if from != nil {
			*t = *from
		}
	}
	set(&p.from, w.ValidFrom)
	set(&p.to, w.ValidTo)
	set(&p.start, s.Start)
	for _, x := range s.Periods {
		p.periods = append(p.periods, period{time.Duration(x.Start) * time.Second, x.Limit, x.Phases})
	}
	return p
}

// install stores a profile, replacing the one it stands in for.
func (st *station) install(p *profile) bool {
	st.profiles = slices.DeleteFunc(st.profiles, func(o *profile) bool {
		return o.id == p.id || o.evse == p.evse && o.stack == p.stack && o.purpose == p.purpose && o.tx == p.tx
	})
	if len(st.profiles) >= maxProfiles {
		return false
	}
	st.profiles = append(st.profiles, p)
	st.step()
	st.share(st.now, time.Second)
	st.react()
	st.keepTicking()
	return true
}

// clearProfiles removes the profiles a filter matches and returns how many.
func (st *station) clearProfiles(match func(*profile) bool) int {
	n := len(st.profiles)
	st.profiles = slices.DeleteFunc(st.profiles, match)
	return n - len(st.profiles)
}

func (st *station) dropTxProfiles(t *tx) {
	st.clearProfiles(func(p *profile) bool { return p.purpose == "TxProfile" && p.tx == t })
}

// limitW is what the profile allows at a moment, in watts.
func (p *profile) limitW(at, txStart time.Time, phases int) (float64, bool) {
	if !p.from.IsZero() && at.Before(p.from) || !p.to.IsZero() && at.After(p.to) {
		return 0, false
	}
	start := p.start
	switch {
	case p.kind == "Relative" || start.IsZero():
		start = txStart
		if start.IsZero() {
			return 0, false
		}
	case p.kind == "Recurring":
		cycle := 24 * time.Hour
		if p.recurrency == "Weekly" {
			cycle *= 7
		}
		if at.After(start) {
			start = start.Add(at.Sub(start) / cycle * cycle)
		}
	}
	into := at.Sub(start)
	if into < 0 || p.duration > 0 && into >= p.duration {
		return 0, false
	}
	var hit *period
	for i := range p.periods {
		if p.periods[i].at <= into {
			hit = &p.periods[i]
		}
	}
	if hit == nil {
		return 0, false
	}
	if p.unit == "W" {
		return hit.limit, true
	}
	n := cmp.Or(hit.phases, phases, 3)
	return hit.limit * mains * float64(n), true
}

// stationLimit is the ceiling for all ports together.
func (st *station) stationLimit(at time.Time) (float64, bool) {
	return st.strictest(at, func(p *profile) bool {
		return p.evse == 0 && (p.purpose == "ChargingStationMaxProfile" || p.purpose == "ChargingStationExternalConstraints")
	}, time.Time{}, 3)
}

// limit is the ceiling of one port: the transaction's own profile stands above
// the default one.
func (e *evse) limit(at time.Time) (float64, bool) {
	start := time.Time{}
	if e.tx != nil {
		start = e.tx.started
	}
	phases := e.phasesInUse()
	if w, ok := e.st.strictest(at, func(p *profile) bool { return p.purpose == "TxProfile" && p.tx == e.tx && e.tx != nil }, start, phases); ok {
		return w, true
	}
	return e.st.strictest(at, func(p *profile) bool {
		return p.purpose == "TxDefaultProfile" && (p.evse == 0 || p.evse == e.id)
	}, start, phases)
}

// strictest evaluates the highest stack level that says something.
func (st *station) strictest(at time.Time, match func(*profile) bool, txStart time.Time, phases int) (float64, bool) {
	best, level, found := math.Inf(1), -1, false
	for _, p := range st.profiles {
		if !match(p) {
			continue
		}
		w, ok := p.limitW(at, txStart, phases)
		if !ok {
			continue
		}
		switch {
		case p.stack > level:
			best, level, found = w, p.stack, true
		case p.stack == level:
			best = min(best, w)
		}
	}
	return best, found
}

// composite is the schedule that results from all profiles for a port (0: the
// station), as periods of constant limit.
func (st *station) composite(evseID int, duration time.Duration, unit string) []period {
	var out []period
	rated := 0.0
	phases := 3
	var e *evse
	if evseID > 0 && evseID <= len(st.evses) {
		e = st.evses[evseID-1]
		rated = e.model.RatedW
		phases = max(1, e.model.Phases)
	} else {
		for _, x := range st.evses {
			rated += x.model.RatedW
		}
		if s := st.spec.Model.SharedW; s > 0 {
			rated = min(rated, s)
		}
	}
	steps := min(int(duration/time.Minute)+1, 24*60)
	for i := range steps {
		at := st.now.Add(time.Duration(i) * time.Minute)
		w := rated
		if x, ok := st.stationLimit(at); ok {
			w = min(w, x)
		}
		if e != nil {
			if x, ok := e.limit(at); ok {
				w = min(w, x)
			}
		}
		if unit == "A" {
			w = round1(w / mains / float64(phases))
		}
		if len(out) == 0 || out[len(out)-1].limit != w {
			out = append(out, period{at: time.Duration(i) * time.Minute, limit: w})
		}
	}
	return out
}
