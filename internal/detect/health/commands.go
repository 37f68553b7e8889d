package health

import (
	"encoding/json"

	"github.com/chargewatch/chargewatch/internal/event"
)

// asked is what detectors read of the payload of a command, in the words of all
// versions of OCPP.
type asked struct {
	ConnectorID       int    `json:"connectorId"`
	EVSEID            int    `json:"evseId"`
	Type              string `json:"type"`              // of ChangeAvailability, 1.6
	OperationalStatus string `json:"operationalStatus"` // the same, 2.x
	EVSE              *struct {
		ID int `json:"id"`
	} `json:"evse"`
}

func readCommand(b *event.Command) (a asked) {
	if len(b.Payload) > 0 && json.Unmarshal(b.Payload, &a) != nil {
		return asked{}
	}
	return a
}

// unlockPort is the port that a command wants unlocked.
func unlockPort(b *event.Command) int {
	if b.Action != "UnlockConnector" {
		return 0
	}
	a := readCommand(b)
	if a.EVSEID > 0 {
		return a.EVSEID
	}
	return a.ConnectorID
}

// availability is what a command wants a port (0: the whole station) to be.
func availability(b *event.Command) (evse int, inoperative, ok bool) {
	if b.Action != "ChangeAvailability" {
		return 0, false, false
	}
	a := readCommand(b)
	evse = a.ConnectorID
	if a.EVSE != nil {
		evse = a.EVSE.ID
	}
	word := a.Type
	if word == "" {
		word = a.OperationalStatus
	}
	return evse, word == "Inoperative", word != ""
}
