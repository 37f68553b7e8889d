package live

import (
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// events are the derived events of the conclusions.
func (c *Conclusions) events() []*event.Event {
	out := make([]*event.Event, 0, len(c.Findings)+len(c.Log))
	for i := range c.Findings {
		f := &c.Findings[i]
		body := f.Finding
		out = append(out, &event.Event{
			Subject: f.Subject, At: f.At, ReceivedAt: f.At, Origin: event.FromUs, Cause: max(f.Cause, 1), Body: &body,
		})
	}
	for i := range c.Log {
		g := &c.Log[i]
		out = append(out, &event.Event{
			Subject: event.OfIncident(g.Incident), At: g.At, ReceivedAt: g.At, Origin: event.FromUs,
			Cause: max(g.Cause, 1), Body: g.Event(),
		})
	}
	return out
}

// write stores the rows of the conclusions.
func (l *Live) write(tx *sql.Tx, out *Conclusions) error {
	newest := make(map[string]*incident.Incident, len(out.Changed))
	for _, in := range out.Changed {
		newest[in.ID] = in
	}
	for _, in := range newest {
		if err := l.writeIncident(tx, in); err != nil {
			return err
		}
	}
	for i := range out.Log {
		g := &out.Log[i]
		data, err := json.Marshal(g)
		if err != nil {
			return fmt.Errorf("encode what happened to an incident: %w", err)
		}
		if _, err := tx.Exec(`INSERT INTO incident_log (incident, at, data) VALUES (?, ?, ?)`, g.Incident, g.At.UnixMicro(), string(data)); err != nil {
			return fmt.Errorf("write what happened to an incident: %w", err)
		}
	}
	now := l.o.Now()
	for i := range out.Notices {
		n := &out.Notices[i]
		data, err := n.Encode()
		if err != nil {
			return err
		}
		if err := journal.WriteNotice(tx, n.Key, data, now); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(`INSERT INTO live_progress (id, seq, clock) VALUES (1, ?, ?)
		ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, clock = excluded.clock`, l.seq, l.clock.UnixMicro()); err != nil {
		return fmt.Errorf("write how far detection is: %w", err)
	}
	return nil
}

func (l *Live) writeIncident(tx *sql.Tx, in *incident.Incident) error {
	data, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode incident %s: %w", in.ID, err)
	}
	closed := int64(0)
	if in.ClosedAt != nil {
		closed = in.ClosedAt.UnixMicro()
	}
	_, err = tx.Exec(`INSERT INTO incidents (id, opened_at, closed_at, state, severity, kind, site, parent, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET closed_at = excluded.closed_at, state = excluded.state, severity = excluded.severity, kind = excluded.kind,
		site = excluded.site, parent = excluded.parent, data = excluded.data`,
		in.ID, in.OpenedAt.UnixMicro(), closed, string(in.State), string(in.Severity), in.Kind, in.SiteID, in.ParentID, string(data))
	if err != nil {
		return fmt.Errorf("write incident %s: %w", in.ID, err)
	}
	if err := writeVerdict(tx, in); err != nil {
		return err
	}
	return writeMeasure(tx, in)
}
