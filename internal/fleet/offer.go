package fleet

import "github.com/chargewatch/chargewatch/internal/event"

// Shown reports whether the station counts: what waits for approval or was
// rejected is in no figure.
func (st *Station) Shown() bool { return st.Onboarding == event.OnboardingAccepted }

// Free reports whether a driver could start a session: the port is Available,
// its station online, accepted and in order, and no other port of its group
// keeps it from charging. Whatever counts free ports asks here.
func (st *Station) Free(v *EVSE) bool {
	return st.Online && st.FreeButForLink(v)
}

// FreeButForLink is Free as far as is known of a station that may be offline.
func (st *Station) FreeButForLink(v *EVSE) bool {
	if v.Status != Available || !st.Shown() || st.Closed() {
		return false
	}
	return st.KeptBy(v) == 0
}

// Closed reports that the station itself takes no cars, whatever its ports say.
func (st *Station) Closed() bool {
	return !st.Own.At.IsZero() && (st.Own.Status == Unavailable || st.Own.Status == Faulted)
}

// KeptBy is the EVSE in use that keeps v from charging because only one of
// their group can, 0 if none does.
func (st *Station) KeptBy(v *EVSE) int {
	if v.Layout == nil || v.Layout.Group == "" || !v.Layout.Exclusive {
		return 0
	}
	for i := range st.EVSEs {
		o := &st.EVSEs[i]
		if o.ID != v.ID && o.Layout != nil && o.Layout.Group == v.Layout.Group && o.busy() {
			return o.ID
		}
	}
	return 0
}

// busy reports that a car charges at the port or is about to.
func (v *EVSE) busy() bool { return v.InUse() || v.Status == Preparing }

// PowerClass is how ports are sorted by what they can deliver.
type PowerClass uint8

// The classes of power: up to 22 kW or an AC plug, below 150 kW, from there on.
const (
	ClassAC PowerClass = iota
	ClassDC
	ClassHPC
	ClassUnknown
)

// PowerClasses is the number of classes.
const PowerClasses = int(ClassUnknown) + 1

func (c PowerClass) String() string {
	switch c {
	case ClassAC:
		return "ac"
	case ClassDC:
		return "dc"
	case ClassHPC:
		return "hpc"
	}
	return "unknown"
}

// PowerClass sorts the port by its rated power and kind of current.
func (v *EVSE) PowerClass() PowerClass {
	l := v.Layout
	switch {
	case l == nil || l.Current == "" && l.RatedW <= 0:
		return ClassUnknown
	case l.Current == "AC":
		return ClassAC
	case l.RatedW >= 150_000:
		return ClassHPC
	case l.Current == "DC" || l.RatedW > 22_000:
		return ClassDC
	}
	return ClassAC
}
