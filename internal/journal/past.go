package journal

import (
	"cmp"

	"github.com/chargewatch/chargewatch/internal/fleet"
)

// past answers a replay's questions about closed sessions as they were at the
// event being folded: the sessions the replay changed, else the store as of
// the checkpoint.
//
// It remembers at most pastSessions changed ones and forgets the oldest: a
// repeated stop that old is folded as a new session, as it would be without
// any history.
type past struct {
	before   fleet.History
	sessions map[string]*fleet.Session
	byKey    map[pastKey]string // newest session id of a key
	order    []string
}

const pastSessions = 500_000

type pastKey struct {
	what, station, key string
}

func newPast(before fleet.History) *past {
	return &past{before: before, sessions: make(map[string]*fleet.Session), byKey: make(map[pastKey]string)}
}

func keysOf(s *fleet.Session) [3]pastKey {
	return [3]pastKey{
		{"start", s.Station, s.StartKey}, {"stop", s.Station, s.StopKey}, {"transaction", s.Station, s.TransactionID},
	}
}

func (p *past) keep(list []*fleet.Session) {
	for _, s := range list {
		if s.State == fleet.SessionActive {
			continue
		}
		if _, known := p.sessions[s.ID]; !known {
			p.order = append(p.order, s.ID)
		}
		p.sessions[s.ID] = s
		for _, k := range keysOf(s) {
			if k.key != "" && !newer(p.byKey[k], s.ID) {
				p.byKey[k] = s.ID
			}
		}
	}
	for len(p.order) > pastSessions {
		old := p.sessions[p.order[0]]
		for _, k := range keysOf(old) {
			if p.byKey[k] == old.ID {
				delete(p.byKey, k)
			}
		}
		delete(p.sessions, old.ID)
		p.order = p.order[1:]
	}
}

// newer reports whether session id a was made after b. Ids count up.
func newer(a, b string) bool {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) > 0
}

func (p *past) find(k pastKey, stored func(station, key string) (*fleet.Session, bool)) (*fleet.Session, bool) {
	if id, ok := p.byKey[k]; ok {
		return p.sessions[id], true
	}
	if stored == nil {
		return nil, false
	}
	s, ok := stored(k.station, k.key)
	if !ok {
		return nil, false
	}
	if _, changed := p.sessions[s.ID]; changed { // and has that key no more
		return nil, false
	}
	return s, true
}

func (p *past) stored() fleet.History {
	if p.before == nil {
		return noHistory{}
	}
	return p.before
}

func (p *past) SessionByStart(station, key string) (*fleet.Session, bool) {
	return p.find(pastKey{"start", station, key}, p.stored().SessionByStart)
}

func (p *past) SessionByStop(station, key string) (*fleet.Session, bool) {
	return p.find(pastKey{"stop", station, key}, p.stored().SessionByStop)
}

func (p *past) SessionByTransaction(station, id string) (*fleet.Session, bool) {
	return p.find(pastKey{"transaction", station, id}, p.stored().SessionByTransaction)
}

// noHistory is the past of an empty journal.
type noHistory struct{}

func (noHistory) SessionByStart(string, string) (*fleet.Session, bool)       { return nil, false }
func (noHistory) SessionByStop(string, string) (*fleet.Session, bool)        { return nil, false }
func (noHistory) SessionByTransaction(string, string) (*fleet.Session, bool) { return nil, false }
