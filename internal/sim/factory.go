package sim

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// Factory is how a station of which nobody has set anything takes what it is told.
type Factory struct {
	Refuses  []string // measurands that its firmware does not know
	Room     int      // measurands that a list can hold, though it does not say so; 0: enough
	Restarts bool     // how often it measures is another after a restart only
	Deaf     bool     // it says Accepted and goes on as before
	Fixed    bool     // how often it measures cannot be changed
}

// says is what a station says to a value that is another than it has; empty: what
// others say.
func (f *Factory) says(v *variable, value string) string {
	if f == nil {
		return ""
	}
	if f.Fixed && howOften(v.key) {
		return "Rejected"
	}
	if v.kind == measurandsVar {
		list, _ := measurandList(value)
		if f.Room > 0 && len(list) > f.Room || slices.ContainsFunc(list, func(m string) bool { return slices.Contains(f.Refuses, m) }) {
			return "Rejected"
		}
	}
	if f.Deaf {
		return "Accepted"
	}
	return ""
}

// howOften reports whether a variable says how often a station measures.
func howOften(key string) bool {
	return key == "MeterValueSampleInterval" || key == "SampledDataCtrlr/TxUpdatedInterval"
}

// readOnly reports whether a station says of a variable that nobody can change it.
func (st *station) readOnly(v *variable) bool {
	return v.readOnly || st.spec.Factory != nil && st.spec.Factory.Fixed && howOften(v.key)
}

// Sampling is how a station measures while a car charges: what its firmware goes by, not
// what it says of its settings.
type Sampling struct {
	Every      time.Duration
	Measurands []string
}

// Sampling tells how the station measures.
func (s Station) Sampling() (out Sampling) {
	s.st.do(func() { out = Sampling{s.st.set.sampleEvery, slices.Clone(s.st.set.sampled)} })
	return out
}

// Idle reports whether no car is plugged in anywhere at the station.
func (s Station) Idle() (idle bool) {
	s.st.do(func() {
		idle = !slices.ContainsFunc(s.st.evses, func(e *evse) bool { return e.visit != nil || e.tx != nil })
	})
	return idle
}

// Restarts counts what stations were told to do by a Reset.
type Restarts struct {
	Asked    int64
	Charging int64 // of them, while a session ran
	Plugged  int64 // of them, while a car was plugged in
}

type restartCounters struct{ asked, charging, plugged atomic.Int64 }

// Restarts returns how often stations were told to restart.
func (f *Fleet) Restarts() Restarts {
	return Restarts{f.restarts.asked.Load(), f.restarts.charging.Load(), f.restarts.plugged.Load()}
}

// told counts a Reset.
func (st *station) told() {
	st.f.restarts.asked.Add(1)
	if slices.ContainsFunc(st.evses, func(e *evse) bool { return e.tx != nil }) {
		st.f.restarts.charging.Add(1)
	}
	if slices.ContainsFunc(st.evses, func(e *evse) bool { return e.visit != nil }) {
		st.f.restarts.plugged.Add(1)
	}
}

// FactoryFleet returns n stations as they leave the works: they measure nothing but the
// energy at the end, and take settings each in the manner of its firmware. They speak
// all versions.
func FactoryFleet(n int, prefix string, seed uint64) Plan {
	p := Park(n, 0, prefix, seed)
	r := newRand(seed, "factory", "firmware")
	for i := range p.Stations {
		s := &p.Stations[i]
		s.Version = []Version{V16, V16, V16, V201, V21}[r.IntN(5)]
		m := &s.Model
		m.SampleSeconds, m.Measurands, m.Quirks, m.BootOnReconnect = 0, poorAC, 0, false
		switch r.IntN(5) {
		case 0:
			s.Factory = &Factory{Refuses: []string{"Current.Offered", "Temperature"}}
			m.Firmware += "-b"
		case 1:
			s.Factory = &Factory{Restarts: true}
			m.Firmware += "-c"
		case 2:
			s.Factory = &Factory{Refuses: []string{"Power.Offered"}, Room: 5}
			m.Firmware += "-d"
		default:
			s.Factory = &Factory{}
		}
	}
	for i := range p.Sites {
		p.Sites[i].Name = fmt.Sprintf("Site %d", i+1)
	}
	return p
}
