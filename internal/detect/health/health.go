// Package health knows the faults of charging stations: one file a detector,
// each with its thresholds, its guards against false alarms and the source of
// its rule.
//
// A detector is data and functions over the view of package detect. It says
// what it saw and why it matters, never what to do: that is for incidents.
package health

import "github.com/chargewatch/chargewatch/internal/detect"

// Detectors returns all detectors, in the order of their ids.
func Detectors() []detect.Detector {
	return []detect.Detector{
		offline(),
		fault(),
		flapping(),
		derated(),
		powerDrift(),
		moduleLost(),
		connectorHeat(),
		coolingLost(),
		groundTrend(),
		meterCadence(),
		meterDrift(),
		phaseFault(),
		socStall(),
	}
}
