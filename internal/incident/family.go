package incident

import (
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// Family is what an incident is about. Findings of one family at one place have
// one cause.
type Family string

// The families.
const (
	Connectivity Family = "connectivity"
	Electrical   Family = "electrical"
	Starting     Family = "starting"
	Stuck        Family = "stuck"
	Power        Family = "power"
	Metering     Family = "metering"
	Clock        Family = "clock"
	Firmware     Family = "firmware"
	Security     Family = "security"
	Protocol     Family = "protocol"
	Reported     Family = "reported"
	Rule         Family = "rule"
	Occupied     Family = "occupied"  // a vehicle stands where others want to charge
	External     Family = "external"  // told by another monitoring system
	Recording    Family = "recording" // pictures are not kept as decided
	Common       Family = "common"    // cause of many
)

// proof is what shows that a repair holds.
type proof int

const (
	byTime   proof = iota // it stays away for stableFor
	byCharge              // a driver charges
	byPerson              // somebody looks at it
)

// Times of the life of an incident (issue of incidents; reference section 3).
const (
	stableFor    = 15 * time.Minute // of connectivity, and of a child after its parent
	chargeWithin = 72 * time.Hour   // else recovered, not proven
	repeatWithin = 24 * time.Hour   // of its end it is the same incident again
	keepClosed   = 72 * time.Hour   // closed ones can be reopened by a person so long
	groupWait    = 30 * time.Second // of a notice
	remedyWait   = 10 * time.Minute // of a notice of S2, for the first safe remedy
	claimFor     = 30 * time.Minute // if no end is said
	showEvery    = time.Second      // incidents that change all the time
	flapWindow   = time.Hour
	flapStart    = 6 // edges in the window
	flapStop     = 2
	fewAtOnce    = 4 // safety incidents of a burst are told at once up to the third
)

// detectors maps what the detectors of the product find to families.
var detectorFamily = map[string]Family{
	"D01": Connectivity, "D02": Connectivity, "D17": Connectivity,
	"D03": Electrical, "D12": Electrical, "D13": Electrical, "D14": Electrical, "D16": Electrical, "D21": Electrical,
	"D05": Starting, "D06": Starting, "D07": Starting, "D15": Starting, "D26": Starting, "D27": Starting,
	"D08": Stuck, "D23": Stuck,
	"D09": Power, "D10": Power, "D11": Power, "D22": Power,
	"D18": Metering, "D19": Metering,
	"V01": Connectivity, "V02": Security, "V03": Security, "V04": Security, "V05": Security,
	"C02": Security, "C03": Security, "C05": Security, "C06": Security, "C10": Security, "C11": Security, "C12": Security, "C13": Security, "C18": Security,
	"C08": Occupied, "C09": Occupied,
	"A01": Security, "A02": Security, "A03": Security, "A04": Security, "A05": Security, "A06": Security, "A07": Security, "A08": Security,
	"V10": Recording, "V11": Recording,
	"D24": Clock, "D25": Firmware, "D28": Protocol, "D33": Protocol, "D35": Connectivity, "D36": Protocol,
}

// familyOf says what a finding is about. Findings without a detector come from
// the endpoint and the fleet's fold.
func familyOf(evse int, f *event.Finding) Family {
	if strings.HasPrefix(f.Detector, "rule/") {
		return Rule
	}
	if f.Detector == detect.ExternalID {
		return External
	}
	if f.Detector == "D04" { // edges of the connection or of a status
		if evse == 0 {
			return Connectivity
		}
		return Electrical
	}
	if family, ok := detectorFamily[f.Detector]; ok {
		return family
	}
	switch {
	case f.Code == "twoDevices", f.Code == "hostileFrame", strings.HasPrefix(f.Code, "security"):
		return Security
	case f.Code == "driverReport":
		return Reported
	case f.Detector == "":
		return Protocol
	}
	return Electrical
}

// proof of a family.
func (f Family) proof() proof {
	switch f {
	case Electrical, Starting, Reported:
		return byCharge
	case Security:
		return byPerson
	}
	return byTime
}

// explains reports that an incident of family f at a port is reason enough for
// findings of the other: drivers who fail at a broken port are no second cause.
func (f Family) explains(other Family) bool {
	rank := func(f Family) int {
		switch f {
		case Electrical:
			return 1
		case Starting:
			return 2
		case Stuck:
			return 3
		case Reported:
			return 4
		}
		return 0
	}
	return rank(f) > 0 && rank(other) > 0
}

// slot is the place where one incident stands at a time.
type slot struct {
	Place  string `json:"place,omitempty"`
	EVSE   int    `json:"evse,omitempty"`
	Family Family `json:"family"`
	Code   string `json:"code,omitempty"` // of families where each code is its own cause; label of a common cause
}

func slotOf(s event.Subject, f *event.Finding) slot {
	out := slot{Place: placeOf(s), EVSE: s.EVSE, Family: familyOf(s.EVSE, f)}
	switch out.Family {
	case Rule:
		out.Code = f.Detector
	case Security, Protocol, External:
		out.Code = f.Code
	}
	return out
}

// rank orders severities, the worst first; 0 is none.
func rank(s event.Severity) int {
	switch s {
	case event.S1:
		return 1
	case event.S2:
		return 2
	case event.S3:
		return 3
	case event.S4:
		return 4
	}
	return 5
}

func worse(a, b event.Severity) bool { return rank(a) < rank(b) }
