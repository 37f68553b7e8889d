package sim

import (
	"math"
	"strings"
)

// sample is one measured value before a protocol spells it.
type sample struct {
	measurand string
	phase     string
	unit      string
	location  string
	context   string
	value     float64
}

// known lists the measurands the simulated meters have.
func knownMeasurand(m string) bool {
	switch m {
	case "Energy.Active.Import.Register", "Power.Active.Import", "Current.Import", "Current.Offered", "Power.Offered",
		"Voltage", "SoC", "Temperature", "Frequency", "Power.Factor", "Energy.Active.Import.Interval":
		return true
	}
	return false
}

// measurandList splits a configured list; ok is false when one is unknown.
func measurandList(s string) (list []string, ok bool) {
	for m := range strings.SplitSeq(s, ",") {
		if m = strings.TrimSpace(m); m == "" {
			continue
		}
		if !knownMeasurand(m) {
			return nil, false
		}
		list = append(list, m)
	}
	return list, true
}

// register is the energy register as the display shows it. 1.6 counts whole Wh
// at start and stop, so its meter values do too: a register must not go back.
func (e *evse) register() float64 {
	switch {
	case e.st.quirks.has(KWhAsWh):
		return math.Floor(e.reg) / 1000
	case e.st.version == V16:
		return math.Floor(e.reg)
	}
	return math.Floor(e.reg*10) / 10
}

// registerWh is the register as the integer that 1.6 wants at start and stop.
func (e *evse) registerWh() int {
	if e.st.quirks.has(KWhAsWh) {
		return int(e.reg / 1000)
	}
	return int(e.reg)
}

// samples measures the port.
func (e *evse) samples(what []string, context string) []sample {
	st := e.st
	list := make([]sample, 0, 12)
	add := func(measurand, phase, unit string, v float64) {
		location := "Outlet"
		switch measurand {
		case "SoC":
			location = "EV"
		case "Temperature":
			location = "Body"
		}
		list = append(list, sample{measurand, phase, unit, location, context, v})
	}
	power := e.powerW
	phases := e.phasesInUse()
	if power > 0 {
		power = max(0, noisy(st.noise, power, 0.004))
	}
	volts := noisy(st.noise, mains, 0.004)
	lost := 0
	if size, ok := st.failing(PhaseLost, e); ok && !e.dc() && e.model.Phases == 3 {
		lost = int(size)
	}
	sag, _ := st.failing(Imbalance, e)
	if e.dc() {
		volts = 0
		if v := e.visit; v != nil && power > 0 {
			volts = noisy(st.noise, v.car.packVolts(v.soc), 0.002)
		}
	}
	for _, m := range what {
		switch m {
		case "Energy.Active.Import.Register":
			add(m, "", "Wh", e.register())
		case "Power.Active.Import":
			add(m, "", "W", round1(power))
		case "Power.Offered":
			add(m, "", "W", round1(e.offeredW))
		case "Current.Offered":
			add(m, "", "A", round1(e.offeredW/(mains*float64(max(1, e.model.Phases)))))
		case "Current.Import":
			switch {
			case e.dc():
				amps := 0.0
				if volts > 0 {
					amps = power / volts
				}
				add(m, "", "A", round1(amps))
			default:
				for i := range e.model.Phases {
					amps := 0.0
					switch {
					case i+1 == lost:
					case i < phases && lost > 0 && lost <= phases:
						amps = power / max(1, float64(phases-1)) / mains
					case i < phases:
						amps = power / float64(phases) / mains
					}
					add(m, phaseName[i], "A", max(0, noisy(st.noise, amps, 0.003)))
				}
			}
		case "Voltage":
			if e.dc() {
				add(m, "", "V", volts)
				break
			}
			for i := range e.model.Phases {
				v := mains
				switch {
				case i+1 == lost:
					v = 4
				case i == 2:
					v *= 1 - sag
				}
				add(m, phaseName[i]+"-N", "V", noisy(st.noise, v, 0.004))
			}
		case "SoC":
			if v := e.visit; v != nil && e.dc() {
				if _, ok := st.failing(SoCFrozen, e); ok {
					if v.frozen == 0 {
						v.frozen = v.soc
					}
					add(m, "", "Percent", math.Floor(v.frozen*100))
					break
				}
				add(m, "", "Percent", math.Floor(v.soc*100))
			}
		case "Temperature":
			add(m, "", "Celsius", noisy(st.noise, max(e.tempC, st.warmth()-6), 0.01))
			if st.past != nil && st.past.detail { // the plug has a sensor of its own
				location := "Outlet"
				if st.version != V16 {
					location = "Cable"
				}
				list = append(list, sample{m, "", "Celsius", location, context, noisy(st.noise, e.plugC, 0.01)})
			}
		case "Frequency":
			add(m, "", "Hz", math.Round(100*(50+0.02*st.noise.NormFloat64()))/100)
		case "Power.Factor":
			add(m, "", "", 0.99)
		case "Energy.Active.Import.Interval":
			add(m, "", "Wh", round1(power*st.set.sampleEvery.Hours()))
		}
	}
	return list
}

var phaseName = [3]string{"L1", "L2", "L3"}
