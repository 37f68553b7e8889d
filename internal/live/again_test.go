package live_test

import (
	"context"
	"database/sql"
	"iter"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/live"
)

// brief is a journal whose reader is stopped after a few events.
type brief struct {
	live.Journal
	few int
}

func (b brief) Watch(ctx context.Context, from journal.Cursor, every time.Duration) iter.Seq2[journal.Batch, error] {
	return func(yield func(journal.Batch, error) bool) {
		for batch, err := range b.Journal.Watch(ctx, from, every) {
			if err == nil && len(batch.Events) == 0 {
				continue
			}
			if len(batch.Events) > b.few {
				batch.Events = batch.Events[:b.few]
			}
			yield(batch, err)
			return
		}
	}
}

// forget makes the next start fold from the beginning, as another version of
// detection does.
func (p *place) forget() {
	p.t.Helper()
	db, err := coredb.Open(p.t.Context(), p.dir)
	if err != nil {
		p.t.Fatal(err)
	}
	defer db.Close()
	err = db.Write(p.t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM live_state; DELETE FROM live_checkpoint`)
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// A server that folds the past again and is stopped on the way has to know at
// the next start how far it had concluded before, or it says all of it twice.
func TestAServerStoppedWhileItFoldsAgainSaysNothingTwice(t *testing.T) {
	events := story()
	p := newPlace(t)
	r := p.start()
	r.tell(p, events)
	incidents, findings, notices := r.kept()
	r.end()
	if findings == 0 || len(notices) == 0 {
		t.Fatalf("the story tells nothing: %d findings, %d notices", findings, len(notices))
	}

	p.forget()
	p.wrap = func(j live.Journal) live.Journal { return brief{j, 4} }
	r = p.start()
	if err := r.Reached(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	r.end()

	p.forget()
	p.wrap = nil
	r = p.start()
	defer r.end()
	r.tell(p, []*event.Event{{Subject: event.Station("A"), At: p.clock(), ReceivedAt: p.clock(), Body: &event.Boot{Vendor: "v", Status: "Accepted"}}})
	got, n, told := r.kept()
	if len(got) != len(incidents) || n != findings || len(told) != len(notices) {
		t.Errorf("%d incidents, %d findings, %d notices; before it folded again %d, %d, %d", len(got), n, len(told), len(incidents), findings, len(notices))
	}
}
