package sim

import "encoding/json"

// dialect spells what happens at a station in the words of one protocol
// family, and answers the central system in them.
type dialect interface {
	boot(reason string) (action string, payload any)
	online()
	stationStatus()
	status(c *connector, again bool)
	oldFault(e *evse, f *fault)
	authorize(token Token, done func(accepted bool))
	pluggedIn(e *evse)
	authorized(t *tx)
	chargingState(e *evse, state string)
	sampled(t *tx, list []sample)
	metered(e *evse, list []sample, context string)
	ended(t *tx, why stopReason)
	unplugged(e *evse)
	faulted(e *evse, f *fault, cleared bool)
	reservationEnded(b *booking, status string)
	security(kind, info string)
	logStatus(request int, status string)
	firmwareStatus(request int, status string)
	serve(action string, payload json.RawMessage) (any, error)
}

// statusAnswer is the most common answer of both families.
type statusAnswer struct {
	Status string `json:"status"`
}

func answer(status string) (any, error) { return statusAnswer{status}, nil }

// decode reads a request of the central system.
func decode[T any](raw json.RawMessage) (T, error) {
	var v T
	err := json.Unmarshal(raw, &v)
	return v, err
}

func notImplemented(action string) error {
	return &callError{"NotImplemented", "this station does not know " + action}
}
