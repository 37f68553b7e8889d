package sim

import "fmt"

// Version is an OCPP version a station speaks. The zero value leaves the
// choice to the hardware model.
type Version uint8

// The versions a simulated station can speak.
const (
	V16 Version = iota + 1
	V201
	V21
)

// ParseVersion reads 1.6, 2.0.1 or 2.1; the empty string is the zero Version.
func ParseVersion(s string) (Version, error) {
	switch s {
	case "":
		return 0, nil
	case "1.6", "1.6J", "ocpp1.6":
		return V16, nil
	case "2.0.1", "ocpp2.0.1":
		return V201, nil
	case "2.1", "ocpp2.1":
		return V21, nil
	}
	return 0, fmt.Errorf("unknown OCPP version %q: want 1.6, 2.0.1 or 2.1", s)
}

// String returns the version as OCPP writes it.
func (v Version) String() string {
	switch v {
	case V16:
		return "1.6"
	case V201:
		return "2.0.1"
	case V21:
		return "2.1"
	}
	return "any"
}

// Subprotocol returns the WebSocket subprotocol of the version.
func (v Version) Subprotocol() string { return "ocpp" + v.String() }
