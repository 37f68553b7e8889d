package normalise

import (
	"strings"

	"github.com/chargewatch/chargewatch/internal/event"
)

// blanks trims what firmware pads: fixed-width serials with blanks or zero
// bytes at their end.
func blanks(b *event.Boot) string {
	quirk := ""
	for _, field := range []*string{&b.Vendor, &b.Model, &b.Serial, &b.Firmware, &b.ICCID, &b.IMSI, &b.MeterSerial, &b.MeterType} {
		if t := strings.Trim(*field, " \t\r\n\x00"); t != *field {
			*field = t
			quirk = "paddedText"
		}
	}
	return quirk
}
