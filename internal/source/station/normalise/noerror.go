package normalise

import (
	"strings"

	"github.com/chargewatch/chargewatch/internal/event"
)

// noError reads the many ways to say that nothing is wrong ("No Error",
// "noerror", "None", "0").
func noError(s *event.Status) string {
	switch s.ErrorCode {
	case "", "NoError":
		return ""
	}
	switch strings.ToLower(strings.ReplaceAll(s.ErrorCode, " ", "")) {
	case "noerror", "none", "ok", "0":
		s.ErrorCode = "NoError"
		return "noErrorSpelling"
	}
	return ""
}
