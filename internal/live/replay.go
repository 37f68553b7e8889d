package live

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/rule"
)

// Tail reads stored events after a sequence up to another, in order.
type Tail interface {
	Tail(ctx context.Context, after, upTo uint64, limit int) ([]*event.Event, error)
}

// Replayed is what a replay found.
type Replayed struct {
	Events    int
	Incidents int // concluded again
	Findings  int
	Intents   int // that it would have been; none is stored or performed
	// Differ names incidents that are stored differently, missing or too many.
	Differ []string
}

// Replay folds what a journal holds, from the first event on, as far as
// conclusions were committed, and compares the incidents with those that are
// stored. It writes nothing and acts on nothing. Where events are no longer
// retained, some are bound to differ.
func Replay(ctx context.Context, o Options, from Tail, batch int) (*Replayed, error) {
	p := NewPipeline(o.Detectors)
	if o.Language != nil {
		p.Rules = rule.New(o.Language)
	}
	var upTo uint64
	var clock int64
	if err := o.DB.Reader().QueryRowContext(ctx, `SELECT coalesce(max(seq), 0), coalesce(max(clock), 0) FROM live_progress`).Scan(&upTo, &clock); err != nil {
		return nil, fmt.Errorf("read how far detection is: %w", err)
	}
	r := &Replayed{}
	newest := make(map[string]*incident.Incident)
	take := func(out *Conclusions) {
		r.Findings, r.Intents = r.Findings+len(out.Findings), r.Intents+len(out.Intents)
		for _, in := range out.Changed {
			newest[in.ID] = in
		}
	}
	for after := uint64(0); ; {
		events, err := from.Tail(ctx, after, upTo, batch)
		if err != nil {
			return nil, fmt.Errorf("read events after %d: %w", after, err)
		}
		if len(events) == 0 {
			break
		}
		for _, e := range events {
			var out Conclusions
			p.Apply(e, &out)
			take(&out)
		}
		r.Events, after = r.Events+len(events), events[len(events)-1].Seq
	}
	var out Conclusions
	p.Advance(time.UnixMicro(clock).UTC(), &out)
	take(&out)
	r.Incidents = len(newest)
	return r, r.compare(ctx, o, newest)
}

func (r *Replayed) compare(ctx context.Context, o Options, newest map[string]*incident.Incident) error {
	rows, err := o.DB.Reader().QueryContext(ctx, `SELECT id, data FROM incidents ORDER BY id`)
	if err != nil {
		return fmt.Errorf("read incidents: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, stored string
		if err := rows.Scan(&id, &stored); err != nil {
			return fmt.Errorf("read an incident: %w", err)
		}
		in := newest[id]
		delete(newest, id)
		if in == nil {
			r.Differ = append(r.Differ, id)
			continue
		}
		again, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode incident %s: %w", id, err)
		}
		if string(again) != stored {
			r.Differ = append(r.Differ, id)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read incidents: %w", err)
	}
	for id := range newest {
		r.Differ = append(r.Differ, id)
	}
	return nil
}
