package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/journaltest"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
)

// A full disk as SQLite itself reports it, in the middle of its transaction.
func TestAFullDiskHoldsAnswersAndHeals(t *testing.T) {
	dir := t.TempDir()
	db, err := coredb.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	j, err := sqlite.Open(t.Context(), sqlite.Options{DB: db, Journal: journal.Options{Unavailable: 700 * time.Millisecond, Tick: 10 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- j.Run(context.Background()) }()
	var pages int
	if err := db.Reader().QueryRow(`PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit := func(n int) {
		t.Helper()
		if _, err := db.Writer().Exec(fmt.Sprintf(`PRAGMA max_page_count(%d)`, n)); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages + 5)
	last := uint64(0)
	for n := range 100_000 {
		r, err := j.Append(t.Context(), status(fmt.Sprint("CP-", n), "Available"))
		if errors.Is(err, journal.ErrUnavailable) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		last = r.Seq
	}
	if err := j.Ready(); !errors.Is(err, journal.ErrUnavailable) {
		t.Fatalf("ready on a full disk: %v", err)
	}
	if seq := j.Snapshot().Seq; seq != last {
		t.Errorf("published up to %d, acknowledged up to %d", seq, last)
	}
	limit(1 << 30)
	for j.Ready() != nil {
		time.Sleep(time.Millisecond)
	}
	r, err := j.Append(t.Context(), status("CP-after", "Available"))
	// The append that met ErrUnavailable may have been stored by the last try.
	if err != nil || r.Seq != last+1 && r.Seq != last+2 {
		t.Errorf("after the disk has room: %+v, %v; %d was the last", r, err, last)
	}
	var stored uint64
	if err := db.Reader().QueryRow(`SELECT count(*) FROM events`).Scan(&stored); err != nil || stored != r.Seq {
		t.Errorf("%d events are stored up to number %d, %v", stored, r.Seq, err)
	}
	var verdict string
	if err := db.Reader().QueryRow(`PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity_check: %q, %v", verdict, err)
	}
	if err := errors.Join(j.Close(), <-ran); err != nil {
		t.Error(err)
	}
}

// A new version of the fold starts over from what is retained.
func TestACheckpointOfAnotherVersionIsNotTrusted(t *testing.T) {
	dir := t.TempDir()
	clock := journaltest.NewClock()
	r := journaltest.Start(t, folder(dir), journal.Options{Now: clock.Now, Tick: time.Hour})
	var stations []*journaltest.Station
	for n := range 3 {
		stations = append(stations, journaltest.NewStation(4, n))
	}
	for range 200 {
		for _, s := range stations {
			clock.Add(3 * time.Second)
			e := s.Next(clock.Now())
			receipt, err := r.Append(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			s.Answered(e, receipt)
		}
	}
	before := allSessions(t, r.Journal)
	r.Stop()

	db, err := coredb.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	// Spoilt as well, so that a fold that used it would be noticed.
	if _, err := db.Writer().Exec(`UPDATE checkpoint SET version = 0, meta = json_set(meta, '$.version', 0)`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Writer().Exec(`UPDATE checkpoint_stations SET data = json_set(data, '$.siteId', 'nonsense')`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	want := journaltest.Replay(t, folder(dir), true, 100)
	again := journaltest.Start(t, folder(dir), journal.Options{Now: clock.Now, Tick: time.Hour})
	for st := range again.Snapshot().Stations() {
		was, ok := want.Snapshot.Station(st.ID)
		if st.SiteID == "nonsense" || !ok || was.SiteID != st.SiteID {
			t.Errorf("station %s is of the other version's checkpoint", st.ID)
		}
	}
	after := allSessions(t, again.Journal)
	if len(after) != len(before) || len(before) == 0 {
		t.Fatalf("%d sessions, were %d", len(after), len(before))
	}
	for id, s := range before {
		if after[id] != s {
			t.Errorf("session %s\nis  %s\nwas %s", id, after[id], s)
		}
	}
	again.Stop()
	if got := journaltest.Replay(t, folder(dir), false, 100); got.Events != 0 || got.Snapshot.Len() != again.Snapshot().Len() {
		t.Errorf("the new version left no checkpoint of its own: %+v", got)
	}
}

func allSessions(t *testing.T, j *journal.Journal) map[string]string {
	t.Helper()
	list, _, err := j.Sessions(t.Context(), journal.SessionQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	m := make(map[string]string)
	for _, s := range list {
		m[s.ID] = fmt.Sprintf("%s %s %s %s %.1f %v", s.State, s.TransactionID, s.StartedAt, s.EndedAt, s.EnergyWh, s.Flags)
	}
	return m
}
