package normalise

import (
	"strings"

	"github.com/chargewatch/chargewatch/internal/event"
)

// vendorFault drops vendor codes that say "no error": stations that fill the
// field always would otherwise show a fault that is none.
func vendorFault(s *event.Status) string {
	if s.VendorErrorCode == "" || s.Status == "Faulted" {
		return ""
	}
	if s.ErrorCode != "" && s.ErrorCode != "NoError" {
		return ""
	}
	switch code := strings.ToLower(strings.Trim(s.VendorErrorCode, " ")); code {
	case "", "0", "00", "0x0", "0x00", "0x0000", "0000", "none", "noerror", "no error", "ok", "n/a", "-":
		s.VendorErrorCode = ""
		return "vendorErrorCodeWithoutError"
	}
	return ""
}
