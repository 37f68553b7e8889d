package live

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
)

// writeMeasure stores what figures take from an incident.
func writeMeasure(tx *sql.Tx, in *incident.Incident) error {
	m := incident.MeasuredOf(in)
	_, err := tx.Exec(`INSERT INTO incident_measures (opened_at, id, closed_at, acknowledged, began_at, repaired_at, down_since, down, kind, family,
			severity, site, station, evse, child, aside, repeats, not_proven, healed_by, ack_due, repair_due, ack_late, repair_late)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (opened_at, id) DO UPDATE SET closed_at = excluded.closed_at, acknowledged = excluded.acknowledged, began_at = excluded.began_at,
			repaired_at = excluded.repaired_at, down_since = excluded.down_since, down = excluded.down, kind = excluded.kind, family = excluded.family,
			severity = excluded.severity, site = excluded.site, child = excluded.child, aside = excluded.aside, repeats = excluded.repeats,
			not_proven = excluded.not_proven, healed_by = excluded.healed_by, ack_due = excluded.ack_due, repair_due = excluded.repair_due,
			ack_late = excluded.ack_late, repair_late = excluded.repair_late`,
		micros(m.OpenedAt), m.ID, micros(m.ClosedAt), micros(m.AcknowledgedAt), micros(m.BeganAt), micros(m.RepairedAt), micros(m.DownSince), m.Down.Microseconds(),
		m.Kind, string(m.Family), string(m.Severity), m.SiteID, m.Station, m.EVSE, m.Child, m.Aside, m.Repeats, m.NotProven, m.HealedBy,
		micros(m.AckDueAt), micros(m.RepairDueAt), m.AckLate, m.RepairLate)
	if err != nil {
		return fmt.Errorf("write the measures of incident %s: %w", in.ID, err)
	}
	return nil
}

// Measures yields what figures of a span are taken from: what was opened in it,
// and what was not over when it began. Of a query Severities, Kinds, Sites, Discreet,
// From and To count.
func (l *Live) Measures(ctx context.Context, q incident.Query) ([]incident.Measured, error) {
	if q.Sites != nil && len(q.Sites) == 0 {
		return nil, nil
	}
	var where strings.Builder
	var some []any
	for _, part := range []struct {
		column string
		values []string
	}{{"severity", q.Severities}, {"kind", q.Kinds}, {"site", q.Sites}} {
		if len(part.values) == 0 {
			continue
		}
		where.WriteString(" AND " + part.column + " IN (?" + strings.Repeat(",?", len(part.values)-1) + ")")
		for _, v := range part.values {
			some = append(some, v)
		}
	}
	if q.Discreet != nil {
		shown, of := discreet(`kind <> '`+incident.CodeDuress+`'`, q.Discreet)
		where.WriteString(" AND " + shown)
		some = append(some, of...)
	}
	const columns = `SELECT opened_at, id, closed_at, acknowledged, began_at, repaired_at, down_since, down, kind, family, severity, site, station, evse,
		child, aside, repeats, not_proven, healed_by, ack_due, repair_due, ack_late, repair_late FROM incident_measures `
	var out []incident.Measured
	for _, part := range []struct {
		where string
		args  []any
	}{
		{`WHERE opened_at >= ? AND opened_at < ?`, []any{micros(q.From), micros(q.To)}},
		{`WHERE closed_at = 0 AND opened_at < ?`, []any{micros(q.From)}},
		{`WHERE closed_at >= ? AND opened_at < ?`, []any{max(micros(q.From), 1), micros(q.From)}},
	} {
		rows, err := l.o.DB.Reader().QueryContext(ctx, columns+part.where+where.String(), append(part.args, some...)...)
		if err != nil {
			return nil, fmt.Errorf("read measures of incidents: %w", err)
		}
		if out, err = measured(rows, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func measured(rows *sql.Rows, out []incident.Measured) ([]incident.Measured, error) {
	defer rows.Close()
	words := make(map[string]string) // kinds and places come again and again
	same := func(text string) string {
		if have, ok := words[text]; ok {
			return have
		}
		words[text] = text
		return text
	}
	for rows.Next() {
		var m incident.Measured
		var opened, closed, acked, began, repaired, since, down, ackDue, repairDue int64
		var family, severity string
		if err := rows.Scan(&opened, &m.ID, &closed, &acked, &began, &repaired, &since, &down, &m.Kind, &family, &severity, &m.SiteID, &m.Station, &m.EVSE,
			&m.Child, &m.Aside, &m.Repeats, &m.NotProven, &m.HealedBy, &ackDue, &repairDue, &m.AckLate, &m.RepairLate); err != nil {
			return nil, fmt.Errorf("read a measure of an incident: %w", err)
		}
		m.OpenedAt, m.ClosedAt, m.AcknowledgedAt, m.BeganAt, m.RepairedAt, m.DownSince = moment(opened), moment(closed), moment(acked), moment(began), moment(repaired), moment(since)
		m.AckDueAt, m.RepairDueAt, m.Down = moment(ackDue), moment(repairDue), time.Duration(down)*time.Microsecond
		m.Kind, m.SiteID, m.Station, m.HealedBy = same(m.Kind), same(m.SiteID), same(m.Station), same(m.HealedBy)
		m.Family, m.Severity = incident.Family(same(family)), event.Severity(same(severity))
		out = append(out, m)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read measures of incidents: %w", err)
	}
	return out, nil
}

// micros is a time as it is stored; none is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func moment(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
