package journal

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/fleet"
)

// Intent is something the core wants done, as it stands in the outbox.
type Intent struct {
	fleet.Intent
	Cause uint64 // sequence of the event it follows from
	State IntentState
}

// IntentState is how far an intent has come.
type IntentState string

// The states of an intent. A started one is never performed again.
const (
	IntentWaiting IntentState = "waiting"
	IntentStarted IntentState = "started"
	IntentDone    IntentState = "done"
	IntentExpired IntentState = "expired"
	IntentTimeout IntentState = "timeout" // a crash hid the outcome
)

// Intents returns waiting intents that are due, oldest first.
func (j *Journal) Intents(ctx context.Context, due time.Time, limit int) ([]Intent, error) {
	return j.store.Intents(ctx, due, limit)
}

// StartedIntents returns intents that were begun and have no outcome: after a
// start, those of which a crash hid it.
func (j *Journal) StartedIntents(ctx context.Context, limit int) ([]Intent, error) {
	return j.store.StartedIntents(ctx, limit)
}

// MoveIntent changes an intent's state inside the transaction of AppendWith.
// It fails when the intent is not in the state that from says, so that two
// executors cannot both have it.
func MoveIntent(tx *sql.Tx, key string, from, to IntentState, outcome string, at time.Time) error {
	r, err := tx.Exec(`UPDATE outbox SET state = ?, outcome = ?, changed_at = ? WHERE key = ? AND state = ?`,
		string(to), outcome, at.UnixMicro(), key, string(from))
	if err != nil {
		return fmt.Errorf("mark intent %s: %w", to, err)
	}
	if n, err := r.RowsAffected(); err != nil {
		return fmt.Errorf("mark intent %s: %w", to, err)
	} else if n != 1 {
		return fmt.Errorf("intent %q is not %s: %w", key, from, ErrNotFound)
	}
	return nil
}
