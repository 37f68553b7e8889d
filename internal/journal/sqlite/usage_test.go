package sqlite

import (
	"context"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// fill writes n events of a kind, one each step, and returns when the next is due.
func fill(t *testing.T, db *coredb.DB, kind string, n int, from time.Time, step time.Duration, late time.Duration) time.Time {
	t.Helper()
	ctx := t.Context()
	if _, err := db.Writer().ExecContext(ctx, `INSERT OR IGNORE INTO kinds (name) VALUES (?)`, kind); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Writer().ExecContext(ctx, `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1 - 1)
		INSERT INTO events (kind, subject, evse, connector, at, received_at, recorded_at, quality, origin, body)
		SELECT (SELECT id FROM kinds WHERE name = ?2), 1, 1, 1, ?3 + i * ?4 - ?5, ?3 + i * ?4, ?3 + i * ?4, 0, 0, printf('%.*c', 100, 'x') FROM n`,
		n, kind, from.UnixMicro(), step.Microseconds(), late.Microseconds()); err != nil {
		t.Fatal(err)
	}
	return from.Add(time.Duration(n) * step)
}

func usageOf(t *testing.T, ctx context.Context, db *coredb.DB, folder string, now time.Time) map[journal.Class]ClassUsage {
	t.Helper()
	u, err := Measure(ctx, db, folder, now)
	if err != nil {
		t.Fatal(err)
	}
	if u.Bytes <= 0 {
		t.Error("the file has no size")
	}
	out := make(map[journal.Class]ClassUsage)
	for _, c := range u.Classes {
		out[c.Class] = c
	}
	return out
}

func near(got, want float64) bool { return got > 0.9*want && got < 1.1*want }

func TestUsageIsMeasuredFromASample(t *testing.T) {
	folder := t.TempDir()
	db, err := coredb.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	start := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	if u := usageOf(t, t.Context(), db, folder, start); u[journal.ClassMeter].Rows != 0 || u[journal.ClassMeter].Over != 0 {
		t.Errorf("an empty file: %+v", u)
	}
	// A history of 90 days that was brought in at once, then half an hour of work.
	now := fill(t, db, "status", 10_000, start, time.Microsecond, 90*24*time.Hour)
	if u := usageOf(t, t.Context(), db, folder, now); u[journal.ClassHistory].Rows != 10_000 || u[journal.ClassHistory].Over != 0 {
		t.Errorf("too early to tell: %+v", u[journal.ClassHistory])
	}
	for range 30 {
		now = fill(t, db, "meter", 900, now, 30*time.Second/900, 0)
		now = fill(t, db, "status", 100, now, 30*time.Second/100, 0)
	}
	u := usageOf(t, t.Context(), db, folder, now)
	m, h := u[journal.ClassMeter], u[journal.ClassHistory]
	if !near(float64(m.Rows), 27_000) || !near(float64(h.Rows), 13_000) || !near(float64(m.Bytes), 27_000*156) {
		t.Errorf("meter %+v, history %+v", m, h)
	}
	if want := 27_000.0 * 156 * 48; !near(m.PerDay, want) || m.Over < 29*time.Minute {
		t.Errorf("meter grows by %.0f a day over %s, want %.0f", m.PerDay, m.Over, want)
	}
	if want := 3000.0 * 216 * 48; !near(h.PerDay, want) {
		t.Errorf("history grows by %.0f a day, want %.0f: what was brought in is no growth", h.PerDay, want)
	}
	// Retention took the first half of the measurements.
	horizon := now.Add(-15 * time.Minute)
	if _, err := db.Writer().ExecContext(t.Context(), `DELETE FROM events WHERE kind = 1 AND recorded_at < ?`, horizon.UnixMicro()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Writer().ExecContext(t.Context(), `INSERT INTO horizons (class, seq, at) VALUES ('meter', 1, ?)`, horizon.UnixMicro()); err != nil {
		t.Fatal(err)
	}
	after := usageOf(t, t.Context(), db, folder, now)[journal.ClassMeter]
	if !near(after.PerDay, m.PerDay) || !near(float64(after.Rows), 13_500) || !after.OldestAt.Equal(horizon) {
		t.Errorf("after retention %+v, before %+v", after, m)
	}
}
