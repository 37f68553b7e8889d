// Package evaluate says how good detection is on a run whose truth is known.
//
// The truth is a list of labels: what was wrong, where, from when to when, or
// what only looked so. Against it stand the findings of detectors and the
// people who were called. What a figure means is decided here once, so that two
// runs, or two versions of a detector, can be compared.
package evaluate

import (
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Label is one thing that was wrong in a run, or only looked so.
type Label struct {
	Scenario string
	About    string
	// NearMiss is set where nothing is wrong: whatever is raised about it is
	// false, but for what Also lists.
	NearMiss bool
	// Detectors are those that find it; any of them will do.
	Detectors []string
	// Also are those that may speak up beside them without being wrong.
	Also     []string
	Subjects []event.Subject // stations and ports
	Site     string          // set where it is the whole site
	Group    string          // set where it is what stations share: carrier or model
	From, To time.Time
	// Tail is how long after To it may still be found: by detectors that wait for
	// enough evidence.
	Tail     time.Duration
	Severity string
	Safety   bool
	// Restart is set where a restart of the station ends it.
	Restart bool
}

// Finding is one raise of a detector.
type Finding struct {
	Detector, Code, Severity string
	Subject                  event.Subject
	Shared                   []string  // what others may have in common with it, if it is about that
	At                       time.Time // RecordedAt of the event that raised it
	Update                   bool      // only the severity changed
	Facts                    string    // its evidence, for who reads the list
}

// Notice is one time that people were called.
type Notice struct {
	Subject  event.Subject
	Shared   []string // of a common cause: what its stations share
	Severity string
	At       time.Time
	Change   string // why: opened, escalated, reopened, a reminder
	Kind     string
	Title    string
	// Label is the scenario that it is about, set by Judge; empty: ordinary life.
	Label string
	// Again is set where that cause had called before.
	Again bool
}

// Harm is a driver who went without a charge.
type Harm struct {
	Station string
	EVSE    int
	At      time.Time
}

// Order is a command that can cost a driver something.
type Order struct {
	Station, Action string
	At              time.Time
	Taken           bool // the station accepted it
	Cut             bool // a session was running at the station
	// Why is what asked for it, for who reads the list.
	Why string
}

// Healing is a failure that a restart ended.
type Healing struct {
	Subject event.Subject
	At      time.Time
	Ordered bool // by a command of ours; else the station restarted by itself
}

// Run is what an evaluation is made of.
type Run struct {
	StationDays float64
	Labels      []Label
	Findings    []Finding
	Notices     []Notice
	Taken       []Notice // what became urgent when somebody had it: nobody was called
	Harmed      []Harm
	Orders      []Order
	Healings    []Healing
	// Site tells where a station stands, Peers what else shares its group.
	Site func(station string) string
}

// about reports whether a subject is part of what a label is about. A finding
// about a station is about each of its ports and the other way round: who
// reads it goes to the same place.
func (l *Label) about(s event.Subject, shared []string, site func(string) string) bool {
	switch s.Type {
	case event.SiteSubject:
		if l.Site == s.ID {
			return true
		}
		return slices.ContainsFunc(l.Subjects, func(x event.Subject) bool { return site != nil && site(x.ID) == s.ID })
	case event.StationSubject:
		return slices.ContainsFunc(l.Subjects, func(x event.Subject) bool {
			return x.ID == s.ID && (x.EVSE == 0 || s.EVSE == 0 || x.EVSE == s.EVSE)
		})
	}
	// Of what stations share, or of the whole fleet.
	if l.Site != "" && slices.Contains(shared, "site/"+l.Site) || l.Group != "" && site != nil &&
		slices.ContainsFunc(l.Subjects, func(x event.Subject) bool { return slices.Contains(shared, "site/"+site(x.ID)) }) {
		return true
	}
	return l.Group != "" && slices.ContainsFunc(shared, func(x string) bool { return strings.Contains(x, l.Group) })
}

func (l *Label) during(at time.Time) bool {
	return !at.Before(l.From.Add(-time.Second)) && !at.After(l.To.Add(l.Tail))
}

func (l *Label) expects(detector string) bool { return slices.Contains(l.Detectors, detector) }

func (l *Label) explains(detector string) bool {
	return l.expects(detector) || slices.Contains(l.Also, detector) || slices.Contains(l.Also, "*")
}
