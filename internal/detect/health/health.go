// Package health knows the faults of charging stations: one file a detector,
// each with its thresholds, its guards against false alarms and the source of
// its rule.
//
// A detector is data and functions over the view of package detect. It says
// what it saw and why it matters, never what to do: that is for incidents.
package health

import (
	"fmt"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/knowledge"
)

// Detectors returns all detectors, in the order of their ids, with what is known
// of error codes without the packs of the operator.
func Detectors() []detect.Detector {
	k, err := knowledge.Open()
	if err != nil {
		panic(fmt.Sprintf("the embedded knowledge: %v", err)) // a test opens it
	}
	return Knowing(k)
}

// Knowing returns all detectors with what is known of error codes.
func Knowing(k *knowledge.Knowledge) []detect.Detector {
	return []detect.Detector{
		offline(),            // D01
		staleStatus(),        // D02
		fault(k),             // D03
		flapping(),           // D04
		startFailures(),      // D05
		successDrop(),        // D06
		zeroEnergy(),         // D07
		silentPort(),         // D08
		derated(),            // D09
		powerDrift(),         // D10
		moduleLost(),         // D11
		connectorHeat(),      // D12
		coolingLost(),        // D13
		wear(),               // D14
		lockOrCable(),        // D15
		groundTrend(),        // D16
		linkQuality(),        // D17
		meterCadence(),       // D18
		meterDrift(),         // D19
		phaseFault(),         // D21
		socStall(),           // D22
		stuckState(),         // D23
		clockSkew(),          // D24
		firmwareRegression(), // D25
		deadReader(),         // D26
		nextDoor(),           // D27
		localList(),          // D28
		settingsDrift(),      // D33
		certificateEnds(),    // D35
		weakerProof(),        // D36
		security(),           // what a station says of its own security
	}
}
