package station

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"slices"
	"sync"
)

// hidden are the passwords of a station. One that it says in free text goes no further
// than its connection.
type hidden struct {
	mu sync.Mutex
	of [][]byte // in each form in which they can stand in a message
}

// shortestSecret is the least that OCPP asks for: what is shorter stands in messages by
// chance, and cutting it out would spoil them.
const shortestSecret = 16

var masked = []byte("(secret)")

// add has a password hidden, as it is, as hexadecimal digits and as JSON writes it.
func (h *hidden) add(secret []byte) {
	if len(secret) < shortestSecret {
		return
	}
	digits := hex.EncodeToString(secret)
	forms := [][]byte{secret, []byte(digits), bytes.ToUpper([]byte(digits)), bytes.ToLower(secret), bytes.ToUpper(secret)}
	if text, err := json.Marshal(string(secret)); err == nil {
		forms = append(forms, bytes.Trim(text, `"`))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range forms {
		if !slices.ContainsFunc(h.of, func(x []byte) bool { return bytes.Equal(x, f) }) {
			h.of = append(h.of, bytes.Clone(f))
		}
	}
}

// in returns a message without the passwords; mostly it is the same.
func (h *hidden) in(message []byte) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, secret := range h.of {
		if bytes.Contains(message, secret) {
			message = bytes.ReplaceAll(message, secret, masked)
		}
	}
	return message
}

// Hide has a password that a connected station is about to get go no further when the
// station says it.
func (ep *Endpoint) Hide(station, secret string) {
	ep.mu.Lock()
	l := ep.links[station]
	ep.mu.Unlock()
	if l != nil {
		l.hidden.add([]byte(secret))
	}
}
