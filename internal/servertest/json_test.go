package servertest_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"sync"
	"testing"
)

// sameJSON compares what two texts mean.
func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	for text, into := range map[string]*any{a: &x, b: &y} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Errorf("%q is no JSON: %v", text, err)
			return false
		}
	}
	if a == b {
		return true
	}
	return reflect.DeepEqual(x, y)
}

// notes are what a station was asked, as its library understood it.
type notes struct {
	mu    sync.Mutex
	heard map[string][]string
}

func (n *notes) note(action string, request any) {
	text, err := json.Marshal(request)
	if err != nil {
		text = []byte(err.Error())
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.heard == nil {
		n.heard = make(map[string][]string)
	}
	n.heard[action] = append(n.heard[action], string(text))
}

func (n *notes) all(action string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.heard[action])
}

// read reports whether the station understood such a request.
func (n *notes) read(t *testing.T, action, payload string) bool {
	t.Helper()
	return slices.ContainsFunc(n.all(action), func(text string) bool { return sameJSON(t, text, payload) })
}
