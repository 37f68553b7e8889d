package normalise

import (
	"strings"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// statusWord reads a status in other letter case or with blanks
// ("available", "Suspended EV"), and the word that 1.5 stations used for a
// port in use.
func statusWord(s *event.Status) string {
	if fleet.ParseStatus(s.Status) != fleet.Unknown || s.Status == "Occupied" || s.Status == "" {
		return ""
	}
	plain := strings.Map(func(r rune) rune {
		if r == ' ' || r == '_' || r == '-' {
			return -1
		}
		return r
	}, s.Status)
	for st := fleet.Available; st < fleet.Unknown; st++ {
		if strings.EqualFold(plain, st.String()) {
			s.Status = st.String()
			return "statusSpelling"
		}
	}
	if strings.EqualFold(plain, "occupied") {
		s.Status = "Occupied"
		return "statusSpelling"
	}
	return ""
}
