// Package event defines what can happen in a charging network.
//
// Everything upstream (OCPP of any version, later cameras and doors) is
// translated into these types and everything downstream (fleet, detect,
// incident, telemetry, screens) reads only them. The package has no IO, no
// clock and no goroutine, so a recorded journal always replays to the same
// state. Rows are kept for years: a body only gains fields; another meaning is
// another kind.
package event

import (
	"time"
)

// Event is one fact. The source fills everything except Seq and RecordedAt,
// which the journal's writer stamps.
type Event struct {
	Seq     uint64
	Subject Subject

	// At is the best estimate of when it happened; Quality says how it was
	// found. Windows, roll-ups and intervals use At.
	At time.Time
	// DeviceAt is the device's own statement, verbatim; zero when it made none.
	DeviceAt time.Time
	// ReceivedAt is our clock when the frame arrived.
	ReceivedAt time.Time
	// RecordedAt never goes back and is the only clock of detectors.
	RecordedAt time.Time
	Quality    TimeQuality

	Origin Origin
	// Cause is the observed sequence a derived event follows from; zero for
	// observed events.
	Cause uint64
	// Quirks name what was odd about the frame, as codes of the conformance
	// report ("tooLong:/chargePointSerialNumber", "retry").
	Quirks []string

	Body Body
}

// Late reports whether the event tells of the past rather than of now. Late
// events change history and never raise a live alarm.
func (e *Event) Late() bool { return e.ReceivedAt.Sub(e.At) > LateAfter }

// Derived reports whether the core concluded the event instead of hearing it.
func (e *Event) Derived() bool { return e.Cause != 0 }

// Acting is what a person does about an incident, now.
func Acting(incident string, now time.Time, body *IncidentAction) *Event {
	return &Event{Subject: OfIncident(incident), At: now, ReceivedAt: now, Origin: FromUs, Body: body}
}

// LateAfter is how old a report may be and still describe the present.
const LateAfter = 2 * time.Minute

// TimeQuality says where At came from.
type TimeQuality uint8

// The three ways to know when something happened.
const (
	TimeReceived  TimeQuality = iota // the device said nothing plausible
	TimeDevice                       // the device's clock, found right
	TimeCorrected                    // the device's clock less the offset seen on its connection
)

func (q TimeQuality) String() string {
	switch q {
	case TimeDevice:
		return "device"
	case TimeCorrected:
		return "corrected"
	default:
		return "received"
	}
}

// Origin says who spoke.
type Origin uint8

// The parties of a connection.
const (
	FromStation Origin = iota
	FromUpstream
	FromUs
)

func (o Origin) String() string {
	switch o {
	case FromUpstream:
		return "upstream"
	case FromUs:
		return "us"
	default:
		return "station"
	}
}
