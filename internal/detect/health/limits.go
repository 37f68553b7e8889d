package health

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// limits is what a station was told to limit its power to. A profile counts
// from when the station accepted it until it is cleared or over.
type limits struct {
	Asked []limit `json:"asked,omitempty"` // and not answered yet
	Set   []limit `json:"set,omitempty"`
}

type limit struct {
	Command string    `json:"command,omitempty"`
	Clear   bool      `json:"clear,omitempty"`
	Profile *int      `json:"profile,omitempty"`
	EVSE    int       `json:"evse,omitempty"` // 0: all
	Purpose string    `json:"purpose,omitempty"`
	Once    bool      `json:"once,omitempty"` // for one transaction
	Until   time.Time `json:"until,omitzero"`
}

// Bounds of what one station can make us keep.
const (
	maxAsked = 8
	maxSet   = 16
)

// profileAsked is a charging profile as OCPP 1.6 and 2.x ask for one.
type profileAsked struct {
	ConnectorID int         `json:"connectorId"`
	EVSEID      int         `json:"evseId"`
	Profile16   *profileSet `json:"csChargingProfiles"`
	Profile     *profileSet `json:"chargingProfile"`

	// of a clear
	ID       *int   `json:"id"`
	ID2      *int   `json:"chargingProfileId"`
	Purpose  string `json:"chargingProfilePurpose"`
	Criteria *struct {
		EVSEID  int    `json:"evseId"`
		Purpose string `json:"chargingProfilePurpose"`
	} `json:"chargingProfileCriteria"`
}

type profileSet struct {
	ID16    *int      `json:"chargingProfileId"`
	ID      *int      `json:"id"`
	Purpose string    `json:"chargingProfilePurpose"`
	ValidTo time.Time `json:"validTo"`
}

// limiting reports whether a command can change a limit.
func limiting(b *event.Command) bool {
	switch b.Action {
	case "SetChargingProfile", "ClearChargingProfile", "RemoteStartTransaction", "RequestStartTransaction":
		return true
	}
	return false
}

// ask notes a command that sets or clears a profile.
func (l *limits) ask(b *event.Command) {
	var in profileAsked
	if json.Unmarshal(b.Payload, &in) != nil {
		return
	}
	x := limit{Command: b.CommandID, EVSE: max(in.ConnectorID, in.EVSEID)}
	set := in.Profile
	if set == nil {
		set = in.Profile16
	}
	switch {
	case b.Action == "ClearChargingProfile":
		x.Clear, x.Profile, x.Purpose = true, in.ID, in.Purpose
		if in.ID2 != nil {
			x.Profile = in.ID2
		}
		if in.Criteria != nil {
			x.EVSE, x.Purpose = in.Criteria.EVSEID, in.Criteria.Purpose
		}
	case set == nil:
		return
	default:
		x.Profile, x.Purpose, x.Until = set.ID, set.Purpose, set.ValidTo
		if set.ID16 != nil {
			x.Profile = set.ID16
		}
		x.Once = set.Purpose == "TxProfile"
	}
	l.Asked = keepLast(l.Asked, x, maxAsked)
}

// answer takes what became of a command.
func (l *limits) answer(b *event.CommandResult) {
	i := slices.IndexFunc(l.Asked, func(x limit) bool { return x.Command == b.CommandID })
	if i < 0 {
		return
	}
	x := l.Asked[i]
	l.Asked = slices.Delete(l.Asked, i, i+1)
	var out struct {
		Status string `json:"status"`
	}
	if b.Status != "answered" || json.Unmarshal(b.Response, &out) != nil || out.Status != "Accepted" {
		return
	}
	x.Command = ""
	if !x.Clear {
		l.Set = slices.DeleteFunc(l.Set, func(s limit) bool { return s.Profile != nil && x.Profile != nil && *s.Profile == *x.Profile })
		l.Set = keepLast(l.Set, x, maxSet)
		return
	}
	l.Set = slices.DeleteFunc(l.Set, func(s limit) bool {
		if x.Profile != nil {
			return s.Profile != nil && *s.Profile == *x.Profile
		}
		return (x.EVSE == 0 || x.EVSE == s.EVSE) && (x.Purpose == "" || x.Purpose == s.Purpose)
	})
}

// ended drops the profiles that were for the transaction at a port.
func (l *limits) ended(evse int) {
	l.Set = slices.DeleteFunc(l.Set, func(s limit) bool { return s.Once && (s.EVSE == evse || s.EVSE == 0) })
}

// holds reports whether a limit is in force at a port.
func (l *limits) holds(evse int, now time.Time) bool {
	return slices.ContainsFunc(l.Set, func(s limit) bool {
		return (s.EVSE == 0 || s.EVSE == evse) && (s.Until.IsZero() || now.Before(s.Until))
	})
}

func (l *limits) empty() bool { return len(l.Asked) == 0 && len(l.Set) == 0 }
