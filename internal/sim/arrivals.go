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
	Motorway: {6.5, 1.25, [24]float64{1, 1, 1, 1, 1, 2, 4, 6, 7, 8, 10, 11, 12, 11, 11, 12, 13, 13, 11, 9, 7, 5, 3, 2}, 25 * time.Minute, 2 * time.Hour, false},
	City:     {2.4, 1.1, [24]float64{2, 1, 1, 1, 1, 1, 2, 4, 6, 6, 5, 5, 6, 6, 6, 7, 9, 12, 14, 13, 10, 8, 6, 4}, time.Hour, 11 * time.Hour, false},
	Office:   {1.5, 0.08, [24]float64{0, 0, 0, 0, 0, 1, 5, 18, 22, 12, 6, 4, 5, 8, 4, 2, 1, 1, 0, 0, 0, 0, 0, 0}, 3 * time.Hour, 9 * time.Hour, false},
	Retail:   {4.5, 1.5, [24]float64{0, 0, 0, 0, 0, 0, 1, 3, 6, 9, 12, 12, 11, 11, 12, 13, 14, 14, 11, 7, 2, 1, 0, 0}, 25 * time.Minute, 100 * time.Minute, true},
	Hotel:    {1.1, 1.2, [24]float64{1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 5, 8, 11, 14, 14, 12, 9, 6, 4, 2}, 6 * time.Hour, 14 * time.Hour, false},
	Depot:    {1.2, 0.35, [24]float64{1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 3, 4, 4, 5, 9, 16, 18, 12, 6, 3, 2, 1, 1}, 5 * time.Hour, 13 * time.Hour, false},
	Airport:  {0.7, 1.1, [24]float64{1, 1, 2, 6, 10, 12, 10, 8, 7, 6, 6, 5, 5, 5, 6, 6, 6, 5, 4, 3, 2, 2, 1, 1}, 8 * time.Hour, 60 * time.Hour, false},
}

// demand is how many drivers look for one port in the course of a week and a
// year.
type demand struct {
	use   Use
	tz    *time.Location
	hours [7][24]float64 // arrivals per hour at the full hour
	top   float64        // above any rate of any season
}

// newDemand is the demand for a port of a site; share says how this port
// compares with its neighbours.
func newDemand(site *Site, tz *time.Location, dc bool, share float64) *demand {
	h := habits[site.Use]
	if h.perDay == 0 {
		h = habits[City]
	}
	sum := 0.0
	for _, v := range h.hours {
		sum += v
	}
	if site.Popular > 0 {
		share *= site.Popular
	}
	if dc && h.perDay < 4 {
		share *= 3 // the one fast port of a slow site sees more cars
	}
	d := &demand{use: site.Use, tz: tz}
	for day := range d.hours {
		factor := share
		switch time.Weekday(day) {
		case time.Sunday:
			factor *= h.weekend
			if h.sundayClosed {
				factor = 0
			}
		case time.Saturday:
			factor *= h.weekend
		}
		for hour := range d.hours[day] {
			d.hours[day][hour] = h.perDay * h.hours[hour] / sum * factor
			d.top = max(d.top, d.hours[day][hour])
		}
	}
	d.top = max(d.top*seasonTop, 1e-4)
	return d
}

// rate is the arrivals per hour at a moment.
func (d *demand) rate(local time.Time) float64 {
	day := local.Weekday()
	if holiday(local) {
		day = time.Sunday
	}
	// Between two hours the rate moves linearly, as crowds do.
	hour, next := local.Hour(), (local.Hour()+1)%24
	f := float64(local.Minute()) / 60
	return (d.hours[day][hour]*(1-f) + d.hours[day][next]*f) * season(d.use, local)
}

// next draws the next arrival after from: a Poisson process whose rate follows
// the day, by thinning.
func (d *demand) next(r *rand.Rand, from time.Time, traffic float64) time.Time {
	peak := d.top * max(traffic, 0.01)
	t := from
	for range 10_000 {
		t = t.Add(time.Duration(r.ExpFloat64() / peak * float64(time.Hour)))
		if r.Float64()*d.top < d.rate(t.In(d.tz)) {
			return t
		}
	}
	return t // nobody comes for weeks: look again then
}

// seasonTop is above what season returns.
const seasonTop = 1.5

// season is how much a time of the year changes demand: holiday traffic in
// summer, shopping before Christmas, empty offices between the years.
func season(u Use, local time.Time) float64 {
	month, day := local.Month(), local.Day()
	yearsEnd := month == time.December && day >= 22 || month == time.January && day <= 6
	switch u {
	case Motorway:
		switch {
		case month == time.July || month == time.August || yearsEnd:
			return 1.3
		case month == time.January || month == time.February:
			return 0.85
		}
	case Office:
		switch {
		case yearsEnd:
			return 0.25
		case month == time.August:
			return 0.8
		}
	case Retail:
		switch {
		case month == time.December && day < 24, month == time.November && day >= 24:
			return 1.4
		case month == time.January:
			return 0.85
		}
	case Hotel:
		switch {
		case month == time.September || month == time.October: // trade fairs
			return 1.25
		case yearsEnd:
			return 0.7
		}
	case Depot:
		switch {
		case month == time.December && day < 24, month == time.November && day >= 15:
			return 1.3 // parcels
		case yearsEnd:
			return 0.6
		}
	case City:
		if month == time.December || month == time.January || month == time.February {
			return 1.12 // cold batteries fill up more often
		}
	}
	return 1
}

// holiday reports the public holidays that all of Germany shares: they look
// like a Sunday.
func holiday(local time.Time) bool {
	year, month, day := local.Date()
	switch {
	case month == time.January && day == 1, month == time.May && day == 1, month == time.October && day == 3,
		month == time.December && (day == 25 || day == 26):
		return true
	case month < time.March || month > time.June:
		return false
	}
	switch local.YearDay() - easter(year).YearDay() {
	case -2, 1, 39, 50: // Good Friday, Easter Monday, Ascension, Whit Monday
		return true
	}
	return false
}

// easter is the Sunday of Easter, by Butcher's algorithm.
func easter(year int) time.Time {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 19*l) / 433
	month := (h + l - 7*m + 90) / 25
	day := (h + l - 7*m + 33*month + 19) % 32
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
}

// stay draws how long an AC driver leaves the car.
func (h *habit) stay(r *rand.Rand) time.Duration {
	u := (r.Float64() + r.Float64()) / 2
	return h.stayMin + time.Duration(u*float64(h.stayMax-h.stayMin))
}

// regulars is how many drivers come back to a station.
const regulars = 40

// driver is who comes: mostly one of the regulars.
func (st *station) driver() Token {
	all := st.f.o.Plan.Tokens
	if st.life.IntN(10) < 3 {
		return pick(st.life, all)
	}
	return all[(st.number*regulars+st.life.IntN(regulars))%len(all)]
}

// carOf is the car of a driver, the other one where it does not fit the plug.
func carOf(t Token, dc bool, other *carModel) *carModel {
	own := pickCar(newRand(0, t.ID, "car"), false)
	if dc && own.maxDCW == 0 {
		return other
	}
	return own
}

// location resolves an IANA zone. Without zone data on the machine a fixed
// offset keeps the day in roughly the right place.
func location(name string) *time.Location {
	if tz, err := time.LoadLocation(name); err == nil {
		return tz
	}
	return time.FixedZone(name, 3600)
}
