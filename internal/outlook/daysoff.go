package outlook

import (
	"sync"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/at"
	"github.com/rickar/cal/v2/au"
	"github.com/rickar/cal/v2/be"
	"github.com/rickar/cal/v2/bg"
	"github.com/rickar/cal/v2/br"
	"github.com/rickar/cal/v2/ca"
	"github.com/rickar/cal/v2/ch"
	"github.com/rickar/cal/v2/cz"
	"github.com/rickar/cal/v2/de"
	"github.com/rickar/cal/v2/dk"
	"github.com/rickar/cal/v2/es"
	"github.com/rickar/cal/v2/fr"
	"github.com/rickar/cal/v2/gb"
	"github.com/rickar/cal/v2/gr"
	"github.com/rickar/cal/v2/hr"
	"github.com/rickar/cal/v2/ie"
	"github.com/rickar/cal/v2/it"
	"github.com/rickar/cal/v2/lt"
	"github.com/rickar/cal/v2/lv"
	"github.com/rickar/cal/v2/nl"
	"github.com/rickar/cal/v2/no"
	"github.com/rickar/cal/v2/nz"
	"github.com/rickar/cal/v2/pl"
	"github.com/rickar/cal/v2/ro"
	"github.com/rickar/cal/v2/se"
	"github.com/rickar/cal/v2/si"
	"github.com/rickar/cal/v2/sk"
	"github.com/rickar/cal/v2/ua"
	"github.com/rickar/cal/v2/us"
	"github.com/rickar/cal/v2/za"
)

// holidays are those that a whole country keeps, found by the time zone of a
// place; of a federal country that writes its own zones, those of the state.
func holidays(zone string) []*cal.Holiday {
	switch zone {
	case "Europe/Vienna":
		return at.Holidays
	case "Australia/Sydney":
		return au.HolidaysNSW
	case "Australia/Melbourne":
		return au.HolidaysVIC
	case "Australia/Brisbane":
		return au.HolidaysQLD
	case "Australia/Perth":
		return au.HolidaysWA
	case "Australia/Adelaide":
		return au.HolidaysSA
	case "Australia/Hobart":
		return au.HolidaysTAS
	case "Europe/Brussels":
		return be.Holidays
	case "Europe/Sofia":
		return bg.Holidays
	case "America/Sao_Paulo":
		return br.Holidays
	case "America/Toronto", "America/Vancouver", "America/Edmonton", "America/Winnipeg", "America/Halifax", "America/Regina", "America/St_Johns":
		return ca.Holidays
	case "Europe/Zurich": // the rest is up to the cantons
		return []*cal.Holiday{ch.Neujahr, ch.Auffahrt, ch.Bundesfeiertag, ch.Weihnachtstag}
	case "Europe/Prague":
		return cz.Holidays
	case "Europe/Berlin", "Europe/Busingen":
		return de.Holidays
	case "Europe/Copenhagen":
		return dk.Holidays
	case "Europe/Madrid", "Atlantic/Canary":
		return es.Holidays
	case "Europe/Paris":
		return fr.Holidays
	case "Europe/London":
		return gb.Holidays
	case "Europe/Athens":
		return gr.Holidays
	case "Europe/Zagreb":
		return hr.Holidays
	case "Europe/Dublin":
		return ie.Holidays
	case "Europe/Rome":
		return it.Holidays
	case "Europe/Vilnius":
		return lt.Holidays
	case "Europe/Riga":
		return lv.Holidays
	case "Europe/Amsterdam":
		return nl.Holidays
	case "Europe/Oslo":
		return no.Holidays
	case "Pacific/Auckland":
		return nz.Holidays
	case "Europe/Warsaw":
		return pl.Holidays
	case "Europe/Bucharest":
		return ro.Holidays
	case "Europe/Stockholm":
		return se.Holidays
	case "Europe/Ljubljana":
		return si.Holidays
	case "Europe/Bratislava":
		return sk.Holidays
	case "Europe/Kyiv", "Europe/Kiev":
		return ua.Holidays
	case "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Phoenix", "America/Detroit",
		"America/Anchorage", "America/Indiana/Indianapolis", "America/Boise", "Pacific/Honolulu":
		return us.Holidays
	case "Africa/Johannesburg":
		return za.Holidays
	}
	return nil
}

// DaysOff says of a date whether it is a public holiday where a time zone is
// kept; nil if nobody knows.
func DaysOff(zone string) func(year int, month time.Month, day int) bool {
	list := holidays(zone)
	if list == nil {
		return nil
	}
	type date struct {
		month time.Month
		day   int
	}
	var mu sync.Mutex
	years := make(map[int]map[date]bool)
	return func(year int, month time.Month, day int) bool {
		mu.Lock()
		defer mu.Unlock()
		days, ok := years[year]
		if !ok {
			days = make(map[date]bool)
			for _, h := range list {
				if h.Type != cal.ObservancePublic && h.Type != cal.ObservanceBank {
					continue
				}
				actual, observed := h.Calc(year)
				for _, t := range []time.Time{actual, observed} {
					if t.Year() == year {
						days[date{t.Month(), t.Day()}] = true
					}
				}
			}
			years[year] = days
		}
		return days[date{month, day}]
	}
}
