package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"slices"

	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
)

// month is 30 days of 10,000 stations, thinned: each station tells 8 things a
// day instead of 40, and measurements of the last two hours instead of 48. What
// decides a search is how many rows one station or one kind has, and that a
// search must not meet the others.
const (
	monthStations = 10_000
	monthEvents   = 2_400_000
	monthMeters   = 1_000_000
)

func buildMonth(b *testing.B) *journal.Journal {
	b.Helper()
	dir := b.TempDir()
	db, err := coredb.Open(b.Context(), dir)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	s, err := sqlite.New(b.Context(), db, slog.New(slog.DiscardHandler)) // names the kinds
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	now := time.Now().Truncate(time.Second)
	start := now.Add(-30 * 24 * time.Hour).UnixMicro()
	step := (now.UnixMicro() - start) / (monthEvents + monthMeters)
	begun := time.Now()
	err = db.Write(b.Context(), func(tx *sql.Tx) error {
		for _, q := range []string{
			`INSERT INTO subjects (type, name) WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ` + fmt.Sprint(monthStations-1) + `)
				SELECT 'station', printf('CP-%05d', i) FROM n`,
			// The stations in an order that looks random; kinds as often as they come.
			`INSERT INTO events (seq, kind, subject, evse, connector, at, device_at, received_at, recorded_at, quality, origin, body)
				WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ` + fmt.Sprint(monthEvents+monthMeters) + `),
				t(i, at, k, st) AS (SELECT i, ` + fmt.Sprint(start) + ` + i * ` + fmt.Sprint(step) + `,
					CASE WHEN i > ` + fmt.Sprint(monthEvents) + ` THEN 1 WHEN i % 1000 = 0 THEN (SELECT id FROM kinds WHERE name = 'security')
						WHEN i % 3 = 0 THEN (SELECT id FROM kinds WHERE name = 'transaction') ELSE (SELECT id FROM kinds WHERE name = 'status') END,
					1 + (i * 7919) % ` + fmt.Sprint(monthStations) + ` FROM n)
				SELECT i, k, st, 1, 1, at, at, at, at, 1, 0,
					CASE k WHEN 1 THEN '{"samples":"1795300000000 E=123456 P=11000 I=16 U/L1=230 U/L2=231 U/L3=229 S=55 T=31"}'
					ELSE '{"status":"Available","errorCode":"NoError","stage":"updated","type":"SettingSystemTime"}' END FROM t`,
		} {
			if _, err := tx.Exec(q); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d rows in %s", monthEvents+monthMeters, time.Since(begun).Round(time.Second))
	if _, err := db.Writer().Exec(`INSERT INTO checkpoint (id, version, seq, recorded_at, meta) VALUES (1, 1, ?, ?, ?)`,
		monthEvents+monthMeters, now.UnixMicro(), fmt.Sprintf(`{"version":1,"seq":%d,"nextTransaction":1,"recordedAt":%q}`, monthEvents+monthMeters, now.Format(time.RFC3339))); err != nil {
		b.Fatal(err)
	}
	j, err := sqlite.Open(b.Context(), sqlite.Options{DB: db})
	if err != nil {
		b.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- j.Run(context.Background()) }()
	b.Cleanup(func() { j.Close(); <-ran })
	return j
}

func BenchmarkSearch(b *testing.B) {
	j := buildMonth(b)
	now := time.Now()
	i := 0
	station := func() event.Subject { i++; return event.Station(fmt.Sprintf("CP-%05d", i*131%monthStations)) }
	for _, c := range []struct {
		name string
		q    func() journal.EventQuery
	}{
		{"newest 100 of a station", func() journal.EventQuery { return journal.EventQuery{Subject: station()} }},
		{"newest 100 of a station before a time", func() journal.EventQuery {
			return journal.EventQuery{Subject: station(), To: now.Add(-time.Duration(i%25) * 24 * time.Hour)}
		}},
		{"rare kind of a station", func() journal.EventQuery {
			return journal.EventQuery{Subject: station(), Kinds: []event.Kind{event.KindSecurity}}
		}},
		{"newest 100 of all", func() journal.EventQuery { return journal.EventQuery{} }},
		{"one day of all, first page", func() journal.EventQuery {
			i++
			to := now.Add(-time.Duration(i%29) * 24 * time.Hour)
			return journal.EventQuery{From: to.Add(-24 * time.Hour), To: to}
		}},
		{"rare kind of all", func() journal.EventQuery {
			return journal.EventQuery{Kinds: []event.Kind{event.KindSecurity}, Limit: 200}
		}},
		{"no such station", func() journal.EventQuery { return journal.EventQuery{Subject: event.Station("none")} }},
		{"measurements of a station", func() journal.EventQuery {
			return journal.EventQuery{Subject: station(), Kinds: []event.Kind{event.KindMeter}, Limit: 20}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				begun := time.Now()
				if _, _, err := j.Events(b.Context(), c.q()); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(begun))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "worst-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}
