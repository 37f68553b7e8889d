package live

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/chargewatch/chargewatch/internal/incident"
)

// writeVerdict stores what people judged of an incident. One that came back and is
// not judged yet keeps what was said before.
func writeVerdict(tx *sql.Tx, in *incident.Incident) error {
	if in.MergedInto == nil && in.Verdict == nil {
		return nil
	}
	if _, err := tx.Exec(`DELETE FROM incident_verdicts WHERE incident = ?`, in.ID); err != nil {
		return fmt.Errorf("write the verdict on incident %s: %w", in.ID, err)
	}
	if in.MergedInto != nil { // the other one is judged
		return nil
	}
	for _, detector := range in.Detectors {
		if _, err := tx.Exec(`INSERT OR IGNORE INTO incident_verdicts (incident, detector, opened_at, site, verdict, false_reason) VALUES (?,?,?,?,?,?)`,
			in.ID, detector, in.OpenedAt.UnixMicro(), in.SiteID, *in.Verdict, in.FalseReason); err != nil {
			return fmt.Errorf("write the verdict on incident %s: %w", in.ID, err)
		}
	}
	return nil
}

// Precision returns how often each rule was right, by detector.
func (l *Live) Precision(ctx context.Context, q incident.Verdicts) ([]incident.Precision, error) {
	if q.Sites != nil && len(q.Sites) == 0 {
		return nil, nil
	}
	text := `SELECT detector, verdict, false_reason, count(*) FROM incident_verdicts WHERE opened_at >= ? AND opened_at < ?`
	args := []any{micros(q.From), micros(q.To)}
	for _, part := range []struct {
		column string
		values []string
	}{{"site", q.Sites}, {"detector", q.Detectors}} {
		if len(part.values) == 0 {
			continue
		}
		text += " AND " + part.column + " IN (?" + strings.Repeat(",?", len(part.values)-1) + ")"
		for _, v := range part.values {
			args = append(args, v)
		}
	}
	rows, err := l.o.DB.Reader().QueryContext(ctx, text+` GROUP BY detector, verdict, false_reason`, args...)
	if err != nil {
		return nil, fmt.Errorf("count verdicts: %w", err)
	}
	defer rows.Close()
	by := make(map[string]*incident.Precision)
	for rows.Next() {
		var detector, verdict, reason string
		var n int
		if err := rows.Scan(&detector, &verdict, &reason, &n); err != nil {
			return nil, fmt.Errorf("count verdicts: %w", err)
		}
		p := by[detector]
		if p == nil {
			p = &incident.Precision{Detector: detector, Reasons: make(map[string]int)}
			by[detector] = p
		}
		switch verdict {
		case incident.VerdictReal:
			p.Real += n
		case incident.VerdictFalse:
			p.False += n
			p.Reasons[cmp.Or(reason, "unknown")] += n
		case incident.VerdictTest:
			p.Tests += n
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("count verdicts: %w", err)
	}
	out := make([]incident.Precision, 0, len(by))
	for _, id := range slices.Sorted(maps.Keys(by)) {
		out = append(out, *by[id])
	}
	return out, nil
}
