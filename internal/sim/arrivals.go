package sim

import (
	"math/rand/v2"
	"time"
)

// Use is how people use a site: it fixes when they come and how long they
// stay.
type Use string

// The uses of simulated sites.
const (
	Motorway Use = "motorway" // travellers: fast, all day, more at weekends
	City     Use = "city"     // kerbside: evenings and nights
	Office   Use = "office"   // weekdays, mornings
	Retail   Use = "retail"   // shopping hours, Saturday peak, closed on Sunday
	Hotel    Use = "hotel"    // evenings, long
	Depot    Use = "depot"    // fleet vans: back at five, away at six
	Airport  Use = "airport"  // long stays, early arrivals
)

// habit is the arrival profile of a use.
type habit struct {
	perDay           float64 // arrivals per EVSE on a weekday
	weekend          float64 // factor on Saturday and Sunday
	hours            [24]float64
	stayMin, stayMax time.Duration // AC: how long the car stays; DC stays until charged
	sundayClosed     bool
}

var habits = map[Use]habit{
	Motorway: {11, 1.25, [24]float64{1, 1, 1, 1, 1, 2, 4, 6, 7, 8, 10, 11, 12, 11, 11, 12, 13, 13, 11, 9, 7, 5, 3, 2}, 25 * time.Minute, 2 * time.Hour, false},
	City:     {2.8, 1.1, [24]float64{2, 1, 1, 1, 1, 1, 2, 4, 6, 6, 5, 5, 6, 6, 6, 7, 9, 12, 14, 13, 10, 8, 6, 4}, time.Hour, 11 * time.Hour, false},
	Office:   {1.5, 0.08, [24]float64{0, 0, 0, 0, 0, 1, 5, 18, 22, 12, 6, 4, 5, 8, 4, 2, 1, 1, 0, 0, 0, 0, 0, 0}, 3 * time.Hour, 9 * time.Hour, false},
	Retail:   {5.5, 1.5, [24]float64{0, 0, 0, 0, 0, 0, 1, 3, 6, 9, 12, 12, 11, 11, 12, 13, 14, 14, 11, 7, 2, 1, 0, 0}, 25 * time.Minute, 100 * time.Minute, true},
	Hotel:    {1.1, 1.2, [24]float64{1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 5, 8, 11, 14, 14, 12, 9, 6, 4, 2}, 6 * time.Hour, 14 * time.Hour, false},
	Depot:    {1.2, 0.35, [24]float64{1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 3, 4, 4, 5, 9, 16, 18, 12, 6, 3, 2, 1, 1}, 5 * time.Hour, 13 * time.Hour, false},
	Airport:  {0.7, 1.1, [24]float64{1, 1, 2, 6, 10, 12, 10, 8, 7, 6, 6, 5, 5, 5, 6, 6, 6, 5, 4, 3, 2, 2, 1, 1}, 8 * time.Hour, 60 * time.Hour, false},
}

// rate is the arrivals per hour of one EVSE at a moment.
func (h *habit) rate(local time.Time, dc bool) float64 {
	day := local.Weekday()
	if h.sundayClosed && day == time.Sunday {
		return 0
	}
	sum := 0.0
	for _, v := range h.hours {
		sum += v
	}
	// Between two hours the rate moves linearly, as crowds do.
	hour, next := local.Hour(), (local.Hour()+1)%24
	f := float64(local.Minute()) / 60
	r := h.perDay * (h.hours[hour]*(1-f) + h.hours[next]*f) / sum
	if day == time.Saturday || day == time.Sunday {
		r *= h.weekend
	}
	if dc && h.perDay < 4 {
		r *= 3 // the one fast port of a slow site sees more cars
	}
	return r
}

// next draws the next arrival after from: a Poisson process whose rate follows
// the day, by thinning.
func (h *habit) next(r *rand.Rand, from time.Time, tz *time.Location, dc bool, traffic float64) time.Time {
	const top = 4.0 // arrivals per hour, above any rate in the table
	peak := top * max(traffic, 0.01)
	t := from
	for range 10_000 {
		t = t.Add(time.Duration(r.ExpFloat64() / peak * float64(time.Hour)))
		if r.Float64()*top < h.rate(t.In(tz), dc) {
			return t
		}
	}
	return t // nobody comes for weeks: look again then
}

// stay draws how long an AC driver leaves the car.
func (h *habit) stay(r *rand.Rand) time.Duration {
	u := (r.Float64() + r.Float64()) / 2
	return h.stayMin + time.Duration(u*float64(h.stayMax-h.stayMin))
}

// location resolves an IANA zone. Without zone data on the machine a fixed
// offset keeps the day in roughly the right place.
func location(name string) *time.Location {
	if tz, err := time.LoadLocation(name); err == nil {
		return tz
	}
	return time.FixedZone(name, 3600)
}
