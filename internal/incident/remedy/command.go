package remedy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/incident"
)

const (
	statusNotification = "StatusNotification"
	changeAvailability = "ChangeAvailability"
	triggerMessage     = "TriggerMessage"
	resetAction        = "Reset"
)

// life is how long a command may wait to be sent and answered. It is short: the
// guards looked at what was true when it was asked for.
const life = 45 * time.Second

// keyPrefix begins the keys of all intents of this package.
const keyPrefix = "rm-"

// key names a command by what it is for; it fits into an OCPP message id.
func key(parts ...any) string {
	sum := sha256.Sum256([]byte(fmt.Sprintln(parts...)))
	return keyPrefix + hex.EncodeToString(sum[:14])
}

// place is what a command is aimed at. In OCPP 1.6 a port is its connectors; in
// 2.x an EVSE.
type place struct {
	EVSE      int `json:"evse,omitempty"`
	Connector int `json:"connector,omitempty"`
}

// places are what has to be told that a port (0: the station) goes out of
// service.
func places(st *detect.Station, evse int) []place {
	if evse == 0 {
		return []place{{}}
	}
	if st.Is2x() {
		return []place{{EVSE: evse}}
	}
	var out []place
	for _, c := range st.Connectors(evse) {
		out = append(out, place{evse, c})
	}
	return out
}

type evseShape struct {
	ID        int `json:"id"`
	Connector int `json:"connectorId,omitempty"`
}

// availability asks for a place to be in or out of service.
func availability(st *detect.Station, p place, operative bool) (action, payload string) {
	word := "Inoperative"
	if operative {
		word = "Operative"
	}
	if !st.Is2x() {
		return changeAvailability, encode(struct {
			Connector int    `json:"connectorId"`
			Type      string `json:"type"`
		}{p.Connector, word})
	}
	var evse *evseShape
	if p.EVSE > 0 {
		evse = &evseShape{ID: p.EVSE}
	}
	return changeAvailability, encode(struct {
		Status string     `json:"operationalStatus"`
		EVSE   *evseShape `json:"evse,omitempty"`
	}{word, evse})
}

// trigger asks for a message about a port; 0 is the whole station.
func trigger(st *detect.Station, message string, evse int) (action, payload string) {
	connector := 0
	if list := st.Connectors(evse); evse > 0 && len(list) > 0 {
		connector = list[0]
	}
	if message == "Heartbeat" || message == "BootNotification" {
		evse, connector = 0, 0
	}
	if !st.Is2x() {
		return triggerMessage, encode(struct {
			Message   string `json:"requestedMessage"`
			Connector int    `json:"connectorId,omitempty"`
		}{message, connector})
	}
	var at *evseShape
	if evse > 0 {
		at = &evseShape{ID: evse}
		if message == statusNotification { // F06.FR.12 wants the connector
			at.Connector = connector
		}
	}
	return triggerMessage, encode(struct {
		Message string     `json:"requestedMessage"`
		EVSE    *evseShape `json:"evse,omitempty"`
	}{message, at})
}

func reset(st *detect.Station, d Do) (action, payload string) {
	word := "Soft"
	switch {
	case d == SoftReset && st.Is2x():
		word = "OnIdle"
	case d == HardReset && st.Is2x():
		word = "Immediate"
	case d == HardReset:
		word = "Hard"
	}
	return resetAction, encode(struct {
		Type string `json:"type"`
	}{word})
}

func unlock(st *detect.Station, p place) (action, payload string) {
	if st.Is2x() {
		return "UnlockConnector", encode(struct {
			EVSE      int `json:"evseId"`
			Connector int `json:"connectorId"`
		}{p.EVSE, p.Connector})
	}
	return "UnlockConnector", encode(struct {
		Connector int `json:"connectorId"`
	}{p.Connector})
}

// encode writes a payload: a struct of words and numbers cannot fail.
func encode(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return "{}"
	}
	return string(data)
}

// verdict is what a station's answer means for a step.
type verdict string

const (
	taken   verdict = incident.StepAccepted
	later   verdict = incident.StepScheduled
	denied  verdict = incident.StepRejected
	unknown verdict = incident.StepTimeout // it may have been heard
	unsent  verdict = "unsent"
)

// judge reads the result of a command. A connection that was lost after the
// command was sent leaves its outcome unknown.
func judge(r *event.CommandResult) (verdict, string) {
	switch r.Status {
	case "answered":
		var answer struct {
			Status string `json:"status"`
		}
		if err := json.Unmarshal(r.Response, &answer); err != nil {
			return unknown, "the answer cannot be read"
		}
		switch answer.Status {
		case "Accepted", "Unlocked":
			return taken, ""
		case "Scheduled":
			return later, ""
		case "":
			return unknown, "the answer has no status"
		}
		return denied, answer.Status
	case "error":
		switch r.ErrorCode {
		case "InternalError", "GenericError", "":
			return unknown, r.ErrorCode // it may have begun
		}
		return denied, r.ErrorCode
	case "refused":
		return unsent, r.Description
	}
	return unknown, r.Status
}

// ours reports whether a command came from here.
func ours(commandID string) bool {
	return strings.HasPrefix(commandID, keyPrefix) && len(commandID) == len(keyPrefix)+28
}

// asked is what a command about availability or a reset asks for.
type asked struct {
	Station   string    `json:"station"`
	Action    string    `json:"action"`
	Operative bool      `json:"operative,omitempty"`
	Hard      bool      `json:"hard,omitempty"`
	Place     place     `json:"place,omitzero"`
	At        time.Time `json:"at"`
}

// read says what a command asks for, if it is one that matters here.
func read(e *event.Event, c *event.Command) (asked, bool) {
	a := asked{Station: e.Subject.ID, Action: c.Action, At: e.RecordedAt}
	if c.Action != changeAvailability && c.Action != resetAction {
		return a, false
	}
	var p struct {
		Type      string     `json:"type"`
		Status    string     `json:"operationalStatus"`
		Connector int        `json:"connectorId"`
		EVSE      *evseShape `json:"evse"`
	}
	if err := json.Unmarshal(c.Payload, &p); err != nil {
		return a, false
	}
	a.Operative = p.Type == "Operative" || p.Status == "Operative"
	a.Hard = p.Type == "Hard" || p.Type == "Immediate"
	a.Place.Connector = p.Connector
	if p.EVSE != nil {
		a.Place = place{EVSE: p.EVSE.ID, Connector: p.EVSE.Connector}
	}
	return a, true
}

// covers reports whether what is said about a place holds for another: of the
// whole station for all, of a connector of 1.6 by its number.
func (p place) covers(o place) bool {
	switch {
	case p == place{}:
		return true
	case p.EVSE != 0 && o.EVSE != 0:
		return p.EVSE == o.EVSE && (p.Connector == 0 || o.Connector == 0 || p.Connector == o.Connector)
	}
	return p.Connector != 0 && p.Connector == o.Connector
}

func portKey(station string, evse int) string { return station + "/" + strconv.Itoa(evse) }

func intent(k, station, action, payload, reason string, due time.Time) fleet.Intent {
	return fleet.Intent{Key: k, Station: station, Action: action, Payload: payload, Due: due, Expires: due.Add(life), Reason: reason}
}
