package journaltest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// text renders a value for a failed comparison.
func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%+v", v)
	}
	return string(data)
}

func tail(t testing.TB, store journal.Store, after uint64) []*event.Event {
	t.Helper()
	list, err := store.Tail(context.Background(), after, 1<<62, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return list
}
