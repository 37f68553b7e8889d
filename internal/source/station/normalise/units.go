package normalise

import (
	"strings"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Unit brings a sample into the unit of its measurand and returns the quirk of
// a unit that had to be read with good will: other letter case ("wh", "KWH"),
// the misspelt "Celcius" that OCPP 1.6 itself allows is none.
func Unit(s *event.Sample) string {
	if s.Unit == "" {
		return ""
	}
	known, factor, offset, ok := unit(s.Unit)
	if !ok {
		return "unknownUnit"
	}
	quirk := ""
	if !known {
		quirk = "unitSpelling"
	}
	s.Value = s.Value*factor + offset
	s.Unit = ""
	return quirk
}

// unit returns how a unit converts to the base one; exact tells whether it was
// spelt as OCPP spells it.
func unit(word string) (exact bool, factor, offset float64, ok bool) {
	switch word {
	case "Wh", "W", "A", "V", "VA", "var", "varh", "VAh", "Hz", "Percent", "Celsius", "Celcius", "RPM", "ASU", "B", "dB", "dBm", "Deg", "Km", "N", "lx", "m", "ms2", "Ohm", "kPa", "sec", "degree":
		return true, 1, 0, true
	case "kWh", "kW", "kVA", "kvar", "kvarh", "kVAh":
		return true, 1000, 0, true
	case "K":
		return true, 1, -273.15, true
	case "Fahrenheit":
		return true, 5.0 / 9, -32 * 5.0 / 9, true
	}
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "wh", "w", "a", "v", "va", "hz", "percent", "%", "celsius", "celcius", "c", "°c":
		return false, 1, 0, true
	case "kwh", "kw", "kva":
		return false, 1000, 0, true
	case "mwh", "mw":
		// "MW" could be meant as milli or mega; nobody can tell.
		return false, 0, 0, false
	}
	return false, 0, 0, false
}
