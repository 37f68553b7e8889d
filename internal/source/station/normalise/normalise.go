// Package normalise knows how stations stray from the words of OCPP and brings
// what they mean into the one form that the core reads.
//
// Each quirk has a file of its own, saying who is known to do it. A rule
// changes an event and returns the name under which the conformance report
// counts it, or nothing. No rule guesses: what is not known stays as it is.
package normalise

import "github.com/chargewatch/chargewatch/internal/event"

// Event applies the rules to one event and returns the quirks found. The rules
// of a body stand in the order in which they are applied.
func Event(e *event.Event) []string {
	switch body := e.Body.(type) {
	case *event.Status:
		return apply(body, statusWord, noError, vendorFault)
	case *event.Boot:
		return apply(body, blanks)
	}
	return nil
}

func apply[B any](body *B, rules ...func(*B) string) (found []string) {
	for _, rule := range rules {
		if q := rule(body); q != "" {
			found = append(found, q)
		}
	}
	return found
}
