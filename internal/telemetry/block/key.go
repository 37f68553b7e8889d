package block

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
)

// Key names a column in the words of OCPP. An empty Location is the outlet, an
// empty Unit the one that belongs to the measurand.
type Key struct {
	Measurand string
	Phase     string
	Location  string
	Unit      string
}

// Compare orders keys.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Measurand, o.Measurand), cmp.Compare(k.Phase, o.Phase),
		cmp.Compare(k.Location, o.Location), cmp.Compare(k.Unit, o.Unit))
}

// Clip shortens names that no table knows to what a block can hold.
func (k Key) Clip() Key {
	for _, s := range []*string{&k.Measurand, &k.Phase, &k.Location, &k.Unit} {
		if len(*s) > MaxText {
			*s = (*s)[:MaxText]
		}
	}
	return k
}

func (k Key) check() error {
	for _, s := range []string{k.Measurand, k.Phase, k.Location, k.Unit} {
		if len(s) > MaxText {
			return fmt.Errorf("name of %d bytes: %w", len(s), ErrLimit)
		}
	}
	return nil
}

// The tables are storage format: entries are added at the end, never changed.
// A code is the position counted from 1.
var (
	measurands = [...]string{
		"Energy.Active.Import.Register", "Power.Active.Import", "Power.Offered", "Current.Import", "Current.Offered",
		"Voltage", "SoC", "Temperature", "Frequency", "Power.Factor",
		"Current.Export", "Energy.Active.Export.Register", "Energy.Reactive.Export.Register", "Energy.Reactive.Import.Register",
		"Energy.Active.Export.Interval", "Energy.Active.Import.Interval", "Energy.Reactive.Export.Interval",
		"Energy.Reactive.Import.Interval", "Power.Active.Export", "Power.Reactive.Export", "Power.Reactive.Import", "RPM",
		// OCPP 2.0.1
		"Energy.Active.Net", "Energy.Reactive.Net", "Energy.Apparent.Net", "Energy.Apparent.Import", "Energy.Apparent.Export",
		// OCPP 2.1
		"Current.Export.Offered", "Current.Export.Minimum", "Current.Import.Offered", "Current.Import.Minimum",
		"Display.PresentSOC", "Display.MinimumSOC", "Display.TargetSOC", "Display.MaximumSOC",
		"Display.RemainingTimeToMinimumSOC", "Display.RemainingTimeToTargetSOC", "Display.RemainingTimeToMaximumSOC",
		"Display.ChargingComplete", "Display.BatteryEnergyCapacity", "Display.InletHot",
		"Energy.Active.Import.CableLoss", "Energy.Active.Import.LocalGeneration.Register", "Energy.Active.Setpoint.Interval",
		"EnergyRequest.Target", "EnergyRequest.Minimum", "EnergyRequest.Maximum", "EnergyRequest.Minimum.V2X",
		"EnergyRequest.Maximum.V2X", "EnergyRequest.Bulk", "Power.Active.Setpoint", "Power.Active.Residual",
		"Power.Export.Minimum", "Power.Export.Offered", "Power.Import.Offered", "Power.Import.Minimum",
		"Voltage.Minimum", "Voltage.Maximum",
	}
	phases    = [...]string{"L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1"}
	locations = [...]string{"Inlet", "Body", "Cable", "EV", "Upstream"}
)

const (
	phaseText    = 15 // the phase follows as text
	locationText = 7  // the location follows as text
	unitText     = 0x80
)

// Append appends the key: one byte for the measurand (0 = text follows), one
// for phase (low 4 bits), location (next 3) and "a unit follows" (the last),
// then the texts in the order of the fields.
func (k Key) Append(dst []byte) []byte {
	measurand := slices.Index(measurands[:], k.Measurand) + 1
	phase, location := 0, 0
	if k.Phase != "" {
		if phase = slices.Index(phases[:], k.Phase) + 1; phase == 0 {
			phase = phaseText
		}
	}
	if k.Location != "" {
		if location = slices.Index(locations[:], k.Location) + 1; location == 0 {
			location = locationText
		}
	}
	second := byte(phase | location<<4)
	if k.Unit != "" {
		second |= unitText
	}
	dst = append(dst, byte(measurand), second)
	if measurand == 0 {
		dst = appendText(dst, k.Measurand)
	}
	if phase == phaseText {
		dst = appendText(dst, k.Phase)
	}
	if location == locationText {
		dst = appendText(dst, k.Location)
	}
	if k.Unit != "" {
		dst = appendText(dst, k.Unit)
	}
	return dst
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// ReadKey reads what Append wrote and returns the rest.
func ReadKey(data []byte) (Key, []byte, error) {
	r := reader{data: data}
	k := r.key()
	if r.bad {
		return Key{}, nil, ErrCorrupt
	}
	return k, r.data, nil
}

func (r *reader) key() Key {
	var k Key
	measurand, second := int(r.byte()), r.byte()
	switch {
	case measurand == 0:
		k.Measurand = r.text()
	case measurand <= len(measurands):
		k.Measurand = measurands[measurand-1]
	default:
		r.bad = true
	}
	switch phase := int(second & 0x0f); {
	case phase == phaseText:
		k.Phase = r.text()
	case phase > len(phases):
		r.bad = true
	case phase > 0:
		k.Phase = phases[phase-1]
	}
	switch location := int(second >> 4 & 7); {
	case location == locationText:
		k.Location = r.text()
	case location > len(locations):
		r.bad = true
	case location > 0:
		k.Location = locations[location-1]
	}
	if second&unitText != 0 {
		k.Unit = r.text()
	}
	return k
}

func (r *reader) text() string {
	n := r.count(MaxText)
	if r.bad || n > len(r.data) {
		r.bad = true
		return ""
	}
	s := string(r.data[:n])
	r.data = r.data[n:]
	return s
}
