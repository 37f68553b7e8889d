package servertest_test

import (
	"encoding/json"
	"reflect"
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
