package telemetry

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/telemetry/block"
)

func TestHistoryExpiresInWholeDaysWithAHorizon(t *testing.T) {
	p := Port{"A", 1}
	dir := t.TempDir()
	s := openStore(t, Options{Folder: dir, KeepFor: 3 * 24 * time.Hour, KeepDays: 5 * 24 * time.Hour})
	for d := range 10 {
		consume(t, s, meter(p, noon.Add(time.Duration(d)*24*time.Hour), watt(float64(d))))
	}
	now := noon.Add(9*24*time.Hour + 2*time.Hour)
	if err := s.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Tick(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	horizon := time.Date(2026, 6, 7, 0, 0, 0, 0, time.UTC)
	check := func() {
		t.Helper()
		if h := s.Horizon(); !h.Equal(horizon) {
			t.Errorf("horizon %v", h)
		}
		q := Query{Port: p, Measurand: powerImport, From: horizon, To: now}
		if got, err := s.Range(t.Context(), q); err != nil || len(got.Points) != 4 {
			t.Errorf("behind the horizon: %+v, %v", got, err)
		}
		q.From = horizon.Add(-time.Second)
		if _, err := s.Range(t.Context(), q); !errors.Is(err, ErrBeforeHorizon) {
			t.Errorf("before the horizon: %v", err)
		}
		days, err := s.Days(t.Context(), []Port{p}, horizon.Add(-2*24*time.Hour), now)
		if err != nil || len(days) != 6 {
			t.Errorf("days outlive curves: %d, %v", len(days), err)
		}
		if _, err := s.Days(t.Context(), []Port{p}, noon, now); !errors.Is(err, ErrBeforeHorizon) {
			t.Errorf("before the horizon of days: %v", err)
		}
	}
	check()
	consume(t, s, meter(p, noon, watt(1)))
	if st := s.Stats(); st.TooOld != 1 {
		t.Errorf("%+v", st)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, Options{Folder: dir})
	check()
}

func TestHistoryExpiresBySize(t *testing.T) {
	s := openStore(t, Options{KeepBytes: 1 << 20})
	now := noon
	for d := range 30 {
		var events []*event.Event
		for i := range 4000 {
			at := noon.Add(time.Duration(d)*24*time.Hour + time.Duration(i)*10*time.Second)
			events = append(events, meter(Port{"A", i % 3}, at, watt(math.Sqrt(float64(i*i+d))), event.Sample{Measurand: "Voltage", Value: math.Sin(float64(i))}))
		}
		consume(t, s, events...)
		now = noon.Add(time.Duration(d)*24*time.Hour + 30*time.Hour)
		if err := s.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := s.Tick(t.Context(), now); err != nil {
				t.Fatal(err)
			}
		}
	}
	used, err := s.db.usedBytes(t.Context())
	if err != nil || used > 3<<19 {
		t.Errorf("%d bytes used, %v", used, err)
	}
	if h := s.Horizon(); h.IsZero() || h.After(now.Add(-24*time.Hour)) {
		t.Errorf("horizon %v at %v", h, now)
	}
}

func TestABackupOpensAsItWas(t *testing.T) {
	p := Port{"A", 1}
	s := openStore(t, Options{})
	consume(t, s, meter(p, noon, watt(1)))
	if err := s.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	consume(t, s, meter(p, noon.Add(time.Hour), watt(2)))
	dir := t.TempDir()
	if err := s.Backup(t.Context(), filepath.Join(dir, FileName)); err != nil {
		t.Fatal(err)
	}
	consume(t, s, meter(p, noon.Add(2*time.Hour), watt(3)))
	b := openStore(t, Options{Folder: dir})
	got, err := b.Range(t.Context(), Query{Port: p, Measurand: powerImport, From: noon, To: noon.Add(5 * time.Hour)})
	if err != nil || len(got.Points) != 2 || b.Cursor() != "1" {
		t.Errorf("%+v, cursor %q, %v", got, b.Cursor(), err)
	}
	if err := s.Backup(t.Context(), filepath.Join(dir, FileName)); err == nil {
		t.Error("a backup wrote over an existing file")
	}
}

func TestDamageIsSkippedCountedAndNamed(t *testing.T) {
	p := Port{"A", 1}
	dir := t.TempDir()
	s := openStore(t, Options{Folder: dir})
	for h := range 3 {
		consume(t, s, meter(p, noon.Add(time.Duration(h)*time.Hour), watt(1)))
	}
	if err := s.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	consume(t, s, meter(p, noon.Add(time.Minute), watt(4)))
	if _, err := s.db.write.Exec(`UPDATE block SET data = substr(data, 1, 5) || x'ff' || substr(data, 7) WHERE hour = ?`, noon.Unix()/3600+1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.write.Exec(`INSERT INTO hot(seq, cursor, data) VALUES(1, '', x'0102')`); err != nil {
		t.Fatal(err)
	}
	r, err := s.Verify(t.Context())
	if err != nil || len(r.Faults) != 2 || r.Faults[0].Port != p || !r.Faults[0].Hour.Equal(noon.Add(time.Hour)) || !errors.Is(r.Faults[0].Err, block.ErrCorrupt) {
		t.Errorf("%+v, %v", r, err)
	}
	got, err := s.Range(t.Context(), Query{Port: p, Measurand: powerImport, From: noon, To: noon.Add(5 * time.Hour)})
	if err != nil || len(got.Points) != 3 || s.Stats().Corrupt != 1 {
		t.Errorf("%+v, %v, %+v", got, err, s.Stats())
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, Options{Folder: dir})
	if got, err := s.Latest(t.Context(), p, powerImport, "", noon, noon.Add(time.Hour), 1); err != nil || len(got) != 1 || got[0].Value != 4 {
		t.Errorf("the rest of the tail: %v, %v", got, err)
	}
}

func TestSealedFollowsTheOldestOpenHour(t *testing.T) {
	now := noon
	s := openStore(t, Options{Now: func() time.Time { return now }})
	at := func(n int, seq uint64, p Port) *event.Event {
		e := meter(p, noon.Add(time.Duration(n)*time.Minute), watt(float64(n)))
		e.Seq = seq
		return e
	}
	step := func(cursor string, e ...*event.Event) {
		t.Helper()
		if err := s.Consume(t.Context(), e, cursor); err != nil {
			t.Fatal(err)
		}
	}
	step("a", at(0, 1, Port{"A", 1}))
	step("b", at(61, 2, Port{"B", 1}))
	step("c", at(62, 3, Port{"A", 1}))
	if err := s.Tick(t.Context(), noon.Add(119*time.Minute+59*time.Second)); err != nil {
		t.Fatal(err)
	}
	if m := s.Sealed(); m.Cursor == "b" || m.Cursor == "c" {
		t.Errorf("sealed %+v while the hour runs", m)
	}
	for m := range 61 {
		if err := s.Tick(t.Context(), noon.Add(time.Duration(120+m)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if m := s.Sealed(); m != (Mark{"c", 3}) {
		t.Errorf("sealed %+v", m)
	}
	step("d", &event.Event{Seq: 4, Subject: event.Station("A"), Body: &event.Status{Status: "Available"}})
	if err := s.Tick(t.Context(), noon.Add(4*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if m := s.Sealed(); m != (Mark{"d", 4}) {
		t.Errorf("with an empty tail sealed %+v", m)
	}
}

func TestAFileOfANewerVersionIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, Options{Folder: dir})
	if _, err := s.db.write.Exec(`INSERT INTO goose_db_version(version_id, is_applied) VALUES(99999, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Folder: dir}); !errors.Is(err, ErrNewer) {
		t.Errorf("opened: %v", err)
	}
	if _, err := Open(t.Context(), Options{Folder: filepath.Join(os.DevNull, "x")}); err == nil {
		t.Error("opened below a file")
	}
}

func TestARewoundStoreTakesTheJournalAgainAndDoublesNothing(t *testing.T) {
	p := Port{"A", 1}
	dir := t.TempDir()
	s := openStore(t, Options{Folder: dir})
	batch := func(from, to int) []*event.Event {
		var out []*event.Event
		for m := from; m < to; m++ {
			e := meter(p, noon.Add(time.Duration(m)*time.Minute), watt(float64(m)))
			e.Seq = uint64(m + 1)
			out = append(out, e)
		}
		return out
	}
	for _, at := range []int{0, 60} {
		if err := s.Consume(t.Context(), batch(at, at+60), "ahead"); err != nil {
			t.Fatal(err)
		}
		if at == 0 {
			if err := s.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Rewind(t.Context()); err != nil {
		t.Fatal(err)
	}
	check := func(s *Store) {
		t.Helper()
		if s.Cursor() != "" || s.Sealed() != (Mark{}) {
			t.Errorf("rewound to %q, sealed %+v", s.Cursor(), s.Sealed())
		}
	}
	check(s)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, Options{Folder: dir})
	check(s)
	if err := s.Consume(t.Context(), batch(0, 90), "again"); err != nil {
		t.Fatal(err)
	}
	if err := s.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m := s.Sealed(); m != (Mark{"again", 90}) {
		t.Errorf("sealed %+v", m)
	}
	r, err := s.Verify(t.Context())
	if err != nil || r.Samples != 120 || len(r.Faults) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
}
