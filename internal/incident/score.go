package incident

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// ScoreSpan is how long an incident that is over still counts.
const ScoreSpan = 30 * 24 * time.Hour

// halfLife is how fast a penalty fades once its fault is over.
const halfLife = 5 * 24 * time.Hour

// Penalty is what one incident takes from the health of a port, and why.
type Penalty struct {
	Incident *Incident `json:"-"`
	Points   float64   `json:"points"`
	// State is open while the fault lasts, recovered while it fades, and release
	// for a danger that no person has closed.
	State PenaltyState `json:"state"`
	Since time.Time    `json:"since"`
	// RecoveredAt is when it began to fade.
	RecoveredAt *time.Time `json:"recoveredAt"`
}

// PenaltyState is why a penalty stands.
type PenaltyState string

// The states of penalties.
const (
	PenaltyOpen      PenaltyState = "open"
	PenaltyRecovered PenaltyState = "recovered"
	PenaltyRelease   PenaltyState = "release"
)

// Scores sorts incidents by the ports they are about.
type Scores struct {
	now      time.Time
	stations map[string][]*Incident // what is about a station as a whole
	ports    map[port][]*Incident
}

type port struct {
	station string
	evse    int
}

// NewScores reads incidents once. What does not speak about the health of a port
// is left out: planned work, what another cause explains, what a person called
// false or a test, and what was over more than ScoreSpan ago.
func NewScores(list []*Incident, now time.Time) *Scores {
	s := &Scores{now: now, stations: make(map[string][]*Incident), ports: make(map[port][]*Incident)}
	seen := make(map[string]bool, len(list))
	for _, in := range list {
		if seen[in.ID] || !bears(in) {
			continue
		}
		seen[in.ID] = true
		at := make(map[port]bool)
		if in.Station != "" {
			at[port{in.Station, in.EVSE}] = true
		}
		for _, subject := range in.Subjects {
			if p, ok := portOf(subject); ok {
				at[p] = true
			}
		}
		for p := range at {
			if p.evse == 0 {
				s.stations[p.station] = append(s.stations[p.station], in)
			} else {
				s.ports[p] = append(s.ports[p], in)
			}
		}
	}
	return s
}

func bears(in *Incident) bool {
	return in.Family != Common && in.Family != Occupied && in.ParentID == nil && in.MergedInto == nil && in.Inhibitor == nil && !in.Planned &&
		(in.Verdict == nil || *in.Verdict == "real")
}

// portOf reads station/ID and station/ID/EVSE.
func portOf(subject string) (port, bool) {
	rest, ok := strings.CutPrefix(subject, "station/")
	if !ok || rest == "" {
		return port{}, false
	}
	id, evse, _ := strings.Cut(rest, "/")
	evse, _, _ = strings.Cut(evse, "/")
	n, err := strconv.Atoi(evse)
	if evse != "" && err != nil {
		return port{}, false
	}
	return port{id, n}, id != ""
}

// Port returns the health of a port from 0 to 100: 100 less its penalties, which
// come with it, the greatest first. EVSE 0 is the station without its ports.
func (s *Scores) Port(station string, evse int) (float64, []Penalty) {
	var out []Penalty
	seen := make(map[string]bool)
	add := func(list []*Incident) {
		for _, in := range list {
			if p, ok := s.penalty(in); ok && !seen[in.ID] {
				seen[in.ID] = true
				out = append(out, p)
			}
		}
	}
	add(s.stations[station])
	if evse > 0 {
		add(s.ports[port{station, evse}])
	}
	slices.SortFunc(out, func(a, b Penalty) int {
		switch {
		case a.Points != b.Points:
			return int(math.Copysign(1, b.Points-a.Points))
		case !a.Since.Equal(b.Since):
			return b.Since.Compare(a.Since)
		}
		return strings.Compare(a.Incident.ID, b.Incident.ID)
	})
	score := 100.0
	for _, p := range out {
		score -= p.Points
	}
	return math.Round(max(0, score)), out
}

// penalty is what an incident takes now; false: nothing that one would notice.
func (s *Scores) penalty(in *Incident) (Penalty, bool) {
	p := Penalty{Incident: in, Points: weight(in), State: PenaltyOpen, Since: in.OpenedAt}
	over := in.ClosedAt
	if in.RepairedAt != nil && (over == nil || in.RepairedAt.Before(*over)) {
		over = in.RepairedAt
	}
	released := in.State == Closed && in.CloseReason == "person"
	switch {
	case in.Safety && !released:
		if over != nil {
			p.State = PenaltyRelease
		}
	case over != nil:
		if in.Safety { // a danger fades from its release on
			over = in.ClosedAt
		}
		age := s.now.Sub(*over)
		if age > ScoreSpan {
			return p, false
		}
		p.State, p.RecoveredAt = PenaltyRecovered, over
		p.Points *= math.Exp2(-float64(max(0, age)) / float64(halfLife))
	}
	p.Points = math.Round(p.Points*10) / 10
	return p, p.Points >= 0.5
}

// weight is what an incident takes while it lasts: by its severity, more for what
// comes back, at most double.
func weight(in *Incident) float64 {
	base := map[event.Severity]float64{event.S1: 60, event.S2: 35, event.S3: 15, event.S4: 4}[in.Severity]
	return min(base*(1+0.25*float64(in.Repeats)), 2*base, 100)
}
