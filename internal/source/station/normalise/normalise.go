// Package normalise knows how stations stray from the words of OCPP and brings
// what they mean into the one form that the core reads.
//
// Each quirk has a file of its own, saying who is known to do it. A rule
// changes an event and returns the name under which the conformance report
// counts it, or nothing. No rule guesses: what is not known stays as it is.
package normalise

import "github.com/chargewatch/chargewatch/internal/event"

// Event applies the rules to one event and returns the quirks found.
func Event(e *event.Event) []string {
	var found []string
	switch body := e.Body.(type) {
	case *event.Status:
		for _, rule := range []func(*event.Status) string{statusWord, noError, vendorFault} {
			if q := rule(body); q != "" {
				found = append(found, q)
			}
		}
	case *event.Boot:
		if q := blanks(body); q != "" {
			found = append(found, q)
		}
	}
	return found
}
