package sim

import "math/rand/v2"

// carModel is what a charger notices of a car.
type carModel struct {
	name       string
	batteryKWh float64
	maxDCW     float64 // 0: no DC inlet
	maxACW     float64
	phases     int
	volts      float64 // pack voltage at half charge
	holdUntil  float64 // SoC (0-1) up to which the car takes its DC maximum
	weight     int     // how common it is
}

// cars are typical of European roads; figures are rounded from public data
// sheets and only have to be plausible.
var cars = []carModel{
	{"compact 58 kWh", 58, 120_000, 11_000, 3, 360, 0.32, 18},
	{"compact 77 kWh", 77, 135_000, 11_000, 3, 380, 0.36, 14},
	{"saloon 60 kWh", 60, 170_000, 11_000, 3, 350, 0.25, 14},
	{"saloon 82 kWh", 79, 250_000, 11_000, 3, 360, 0.22, 12},
	{"800 V crossover", 77, 235_000, 11_000, 3, 690, 0.52, 9},
	{"800 V sports saloon", 93, 270_000, 11_000, 3, 720, 0.40, 3},
	{"luxury SUV", 106, 195_000, 22_000, 3, 400, 0.48, 4},
	{"city car 39 kWh", 39, 46_000, 6_600, 1, 350, 0.55, 6},
	{"small hatch 52 kWh", 52, 50_000, 22_000, 3, 370, 0.50, 8},
	{"older city car", 23, 0, 3_600, 1, 350, 0.80, 3},
	{"plug-in hybrid", 11, 0, 3_600, 1, 330, 0.85, 14},
	{"electric van", 75, 115_000, 11_000, 3, 390, 0.45, 6},
	{"heavy van 113 kWh", 113, 115_000, 11_000, 3, 400, 0.60, 3},
}

// pickCar draws a car that can use the plug: a car without a DC inlet does not
// drive to a fast charger.
func pickCar(r *rand.Rand, dc bool) *carModel {
	total := 0
	for i := range cars {
		if !dc || cars[i].maxDCW > 0 {
			total += cars[i].weight
		}
	}
	n := r.IntN(total)
	for i := range cars {
		if dc && cars[i].maxDCW == 0 {
			continue
		}
		if n -= cars[i].weight; n < 0 {
			return new(cars[i])
		}
	}
	return new(cars[0])
}

// wantsDC is the power the car asks for at a state of charge: a short rise on
// a cold battery, a plateau, then the taper that makes the last fifth slow.
func (c *carModel) wantsDC(soc float64) float64 {
	switch {
	case soc >= 1:
		return 0
	case soc < 0.06:
		return c.maxDCW * (0.70 + 5*soc)
	case soc <= c.holdUntil:
		return c.maxDCW
	case soc <= 0.80:
		return c.maxDCW * (1 - 0.62*(soc-c.holdUntil)/(0.80-c.holdUntil))
	default:
		return c.maxDCW * max(0.05, 0.38-1.6*(soc-0.80))
	}
}

// wantsAC is the power the on-board charger takes: constant, with a short
// constant-voltage tail.
func (c *carModel) wantsAC(soc float64, phases int, rated float64) float64 {
	if soc >= 1 {
		return 0
	}
	p := min(c.maxACW, rated)
	if phases < c.phases {
		p = min(p, c.maxACW/float64(c.phases)*float64(phases))
	} else if c.phases == 1 && phases == 3 {
		p = min(p, rated/3)
	}
	if soc > 0.97 {
		p *= max(0.25, (1-soc)/0.03)
	}
	return p
}

// packVolts is the battery voltage under charge.
func (c *carModel) packVolts(soc float64) float64 { return c.volts * (0.94 + 0.12*soc) }
