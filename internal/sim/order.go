package sim

import (
	"encoding/json"
	"time"
)

// Order is what came of a command that a station was given while its past was
// lived.
type Order struct {
	Station string
	Action  string
	At      time.Time
	Answer  json.RawMessage // nil: nobody answered
	// Cut is set where a transaction was running anywhere at the station.
	Cut bool
}

// Healing is a failure that a restart of its station ended.
type Healing struct {
	Station string
	EVSE    int // of the failure; 0: all of the station
	At      time.Time
	Ordered bool // by a command; else it restarted by itself
}

// Order gives a station a command between two slices of its past (Options.Slice),
// in the words of its OCPP. A station without network or with a hung application
// does not answer.
func (f *Fleet) Order(id, action string, payload json.RawMessage) Order {
	st := f.byID[id]
	if st == nil || st.past == nil {
		return Order{Station: id, Action: action}
	}
	out := Order{Station: id, Action: action, At: st.now}
	if !st.past.linked || st.hung || st.down {
		return out
	}
	for _, e := range st.evses {
		out.Cut = out.Cut || e.tx != nil
	}
	answer, err := st.past.real.serve(action, payload)
	if err != nil {
		return out
	}
	if out.Answer, err = json.Marshal(answer); err != nil {
		out.Answer = nil
		return out
	}
	st.ordered = st.ordered || action == "Reset"
	return out
}

// Healings lists the failures that restarts ended while Relive ran.
func (f *Fleet) Healings() []Healing { return f.healings }

// restarted ends what a restart ends.
func (st *station) restarted() {
	for i, f := range st.wrong {
		if !f.Restart || st.now.Before(f.From) || !st.now.Before(f.until()) {
			continue
		}
		over := *f // others may have the same
		over.For = st.now.Sub(f.From)
		st.wrong[i] = &over
		st.f.healings = append(st.f.healings, Healing{st.spec.ID, f.EVSE, st.now, st.ordered})
	}
	st.ordered = false
	if st.spec.Factory != nil { // what waited for a restart
		st.reconfigure()
	}
}
