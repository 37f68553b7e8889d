package journal

import (
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// changedSessions leaves out open sessions of which only readings changed:
// their state is in the fleet, their row follows when something else changes.
func (w *writer) changedSessions(list []*fleet.Session) []*fleet.Session {
	kept := list[:0]
	for _, s := range list {
		if s.State == fleet.SessionActive && w.rowIsGood(s) {
			continue
		}
		kept = append(kept, s)
	}
	return kept
}

func (w *writer) rowIsGood(s *fleet.Session) bool {
	st, ok := w.state.Snapshot().Station(s.Station)
	if !ok {
		return false
	}
	o := openSession(st, s.ID)
	return o != nil && o.TransactionID == s.TransactionID && o.TokenID == s.TokenID && o.EVSE == s.EVSE &&
		o.StartedAt.Equal(s.StartedAt) && o.StartKey == s.StartKey && o.StopKey == s.StopKey && o.State == s.State
}

// recall remembers which stored sessions the fold was given, so that their
// former state can be kept until the next checkpoint.
type recall struct {
	fleet.History
	given map[string]*fleet.Session
}

func (h *recall) note(s *fleet.Session, ok bool) (*fleet.Session, bool) {
	if ok {
		if h.given == nil {
			h.given = make(map[string]*fleet.Session)
		}
		h.given[s.ID] = s
	}
	return s, ok
}

func (h *recall) SessionByStart(station, key string) (*fleet.Session, bool) {
	return h.note(h.History.SessionByStart(station, key))
}

func (h *recall) SessionByStop(station, key string) (*fleet.Session, bool) {
	return h.note(h.History.SessionByStop(station, key))
}

func (h *recall) SessionByTransaction(station, id string) (*fleet.Session, bool) {
	return h.note(h.History.SessionByTransaction(station, id))
}

func (h *recall) changed(list []*fleet.Session) []*fleet.Session {
	var before []*fleet.Session
	if len(h.given) == 0 {
		return nil
	}
	for _, s := range list {
		if old, ok := h.given[s.ID]; ok {
			before = append(before, old)
		}
	}
	return before
}
