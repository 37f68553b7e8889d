package sim

import (
	"fmt"
	"strings"
)

// Quirks is a set of bad habits seen on real stations. Each one made some
// central system lose data or lock a charger out.
type Quirks uint32

// The habits, one bit each.
const (
	LongSerial       Quirks = 1 << iota // 26-character serial number
	KWhAsWh                             // energy register in kWh, labelled Wh
	Clock1970                           // device clock at 1970 until the boot answer
	NoStop                              // never sends StopTransaction
	StopMinusOne                        // Stop with transactionId -1 after an offline start
	ResendStop                          // sends each Stop twice, with a new message id
	StatusBeforeBoot                    // StatusNotification before the boot answer
	StringConnector                     // connectorId as a string
	LowerCaseUnits                      // "wh", "kw", "v"
	TwoInFlight                         // two CALLs outstanding
	BootOnce                            // never boots again after a reconnect
	StaleFault                          // at boot re-sends a cleared fault with its old time
	NoMeterValues                       // accepts the configuration, sends no MeterValues
	RegisterReset                       // energy register starts at 0 after a reboot
	NumericValues                       // sampled values as numbers
	SpacedErrorCode                     // "No Error" for NoError
	LongInfo                            // info of 80 characters
	NoZone                              // timestamps without a zone
	OrphanMeter                         // after offline starts, MeterValues with an unknown transactionId
)

var quirkNames = []string{
	"long-serial", "kwh-as-wh", "clock-1970", "no-stop", "stop-minus-one", "resend-stop", "status-before-boot", "string-connector",
	"lower-case-units", "two-in-flight", "boot-once", "stale-fault", "no-meter-values", "register-reset", "numeric-values",
	"spaced-error-code", "long-info", "no-zone", "orphan-meter",
}

func (q Quirks) has(x Quirks) bool { return q&x != 0 }

// String lists the habits by name.
func (q Quirks) String() string {
	var names []string
	for i, n := range quirkNames {
		if q.has(1 << i) {
			names = append(names, n)
		}
	}
	return strings.Join(names, ",")
}

// ParseQuirks reads a comma-separated list of names; "all" is every habit.
func ParseQuirks(s string) (Quirks, error) {
	var q Quirks
	for name := range strings.SplitSeq(s, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if name == "all" {
			q |= 1<<len(quirkNames) - 1
			continue
		}
		found := false
		for i, n := range quirkNames {
			if n == name {
				q |= 1 << i
				found = true
			}
		}
		if !found {
			return 0, fmt.Errorf("unknown quirk %q: want all or some of %s", name, strings.Join(quirkNames, ", "))
		}
	}
	return q, nil
}
