package incident

import "time"

// Covers reports that a checked mute is about an incident, whenever it holds.
func (m *Mute) Covers(in *Incident) bool { return m.matches(&entry{Incident: *in}) }

// Holds reports whether a checked mute holds at a time, and until when that stays
// so; zero: for good.
func (m *Mute) Holds(at time.Time) (active bool, until time.Time) { return m.span(at) }
