package app

import (
	"context"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/telemetry"
)

// made builds a past of some days of a part of the demo network.
func made(t *testing.T, days int) (folder string, plan sim.Plan, p *past) {
	t.Helper()
	folder = t.TempDir()
	plan = sim.Network(1)
	plan.Stations = append(plan.Stations[:30:30], plan.Stations[55:70]...)
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	// What a kill left of an earlier one is no hindrance.
	if err := root.MkdirAll(building, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := root.WriteFile(filepath.Join(building, coredb.FileName), []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err = newPast(config.Default(), plan, 1, 1, days, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if err := p.make(t.Context(), root, folder); err != nil {
		t.Fatal(err)
	}
	if _, err := root.Stat(building); err == nil {
		t.Error("the scaffolding still stands")
	}
	return folder, plan, p
}

// What a replay of the made past concludes is what is stored, from the
// checkpoint as from the first event; the server was down twice.
func TestTheMadePastReplays(t *testing.T) {
	folder, _, p := made(t, 63)
	db, err := coredb.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	log := slog.New(slog.DiscardHandler)
	rows, err := sqlite.New(t.Context(), db, log)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var digests [2]string
	for i, fromStart := range []bool{false, true} {
		r, err := journal.Replay(t.Context(), rows, fromStart, 100, log)
		if err != nil {
			t.Fatal(err)
		}
		if r.Mismatches > 0 {
			t.Errorf("%d conclusions differ", r.Mismatches)
		}
		if fromStart && r.Events < p.stats.events {
			t.Errorf("%d events, %d were told", r.Events, p.stats.events)
		}
		if digests[i], err = journal.Digest(r.Snapshot); err != nil {
			t.Fatal(err)
		}
	}
	if digests[0] != digests[1] {
		t.Error("the replay from the first event gives another state")
	}
	now := time.Now()
	up, err := rows.Observed(t.Context(), now.Add(-70*24*time.Hour), now)
	if err != nil {
		t.Fatal(err)
	}
	if len(up) != 3 || up[0].To.Sub(up[0].From) < 24*time.Hour {
		t.Errorf("the server was up %v", up)
	}
	var indexes int
	if err := db.Reader().QueryRow(`SELECT count(*) FROM sqlite_master WHERE type = 'index' AND tbl_name IN ('events', 'sessions') AND sql IS NOT NULL`).Scan(&indexes); err != nil || indexes < 9 {
		t.Errorf("%d indexes, %v", indexes, err)
	}
	var mode string
	if err := db.Writer().QueryRow(`PRAGMA journal_mode`).Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("the journal mode is %q, %v", mode, err)
	}
}

// A server that opens the made past shows what happened: sessions that follow
// each other at a port, energy that the registers agree with, curves under it.
func TestAServerShowsTheMadePast(t *testing.T) {
	folder, plan, p := made(t, 10)
	c := config.Default()
	c.Data, c.HTTP, c.OCPP, c.WebRTC = folder, "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	srv, err := New(t.Context(), c, Options{Logger: slog.New(slog.DiscardHandler), Demo: true, past: p})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	snap := srv.Journal.Snapshot()
	if snap.Len() != len(plan.Stations) {
		t.Errorf("%d stations, %d are planned", snap.Len(), len(plan.Stations))
	}
	total := 0
	for i := range plan.Stations {
		st, ok := snap.Station(plan.Stations[i].ID)
		if !ok || !st.Simulated || st.Serial == "" || st.Online || len(st.EVSEs) != len(plan.Stations[i].Model.EVSEs) {
			t.Fatalf("%s: %+v", plan.Stations[i].ID, st)
		}
		sessions := sessionsOf(t, srv, st.ID)
		total += len(sessions)
		checkSessions(t, sessions, time.Now())
		if len(sessions) > 0 {
			checkCurve(t, srv, sessions[0])
		}
	}
	if total < 1000 {
		t.Errorf("only %d sessions", total)
	}
	if srv.Telemetry.Cursor() == "" {
		t.Error("telemetry would read the journal again")
	}
	report, err := srv.Telemetry.Verify(t.Context())
	if err != nil || len(report.Faults) > 0 || report.Rows > 0 {
		t.Errorf("telemetry: %+v, %v", report, err)
	}
}

// sessionsOf returns the sessions of a station that ended, oldest first.
func sessionsOf(t *testing.T, srv *Server, station string) []*fleet.Session {
	t.Helper()
	var all []*fleet.Session
	q := journal.SessionQuery{Station: station, Active: new(false), Limit: journal.MaxLimit}
	for {
		page, next, err := srv.Journal.Sessions(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page...)
		if next == "" {
			break
		}
		q.Before = next
	}
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	return all
}

func checkSessions(t *testing.T, sessions []*fleet.Session, now time.Time) {
	t.Helper()
	free := make(map[int]time.Time)
	for _, s := range sessions {
		if s.StartedAt.Before(free[s.EVSE]) {
			t.Errorf("%s/%d: a session starts at %s, the one before ends at %s", s.Station, s.EVSE, s.StartedAt, free[s.EVSE])
		}
		free[s.EVSE] = s.EndedAt
		if s.State != fleet.SessionEnded || s.EndedAt.Before(s.StartedAt) || s.EndedAt.After(now) || s.SiteID == "" {
			t.Errorf("%+v", s)
		}
		for _, f := range s.Flags {
			if f != fleet.FlagOffline {
				t.Errorf("%s/%d: %s", s.Station, s.EVSE, f)
			}
		}
		if s.MeterStartWh == nil || s.MeterStopWh == nil || math.Abs(*s.MeterStopWh-*s.MeterStartWh-s.EnergyWh) > 0.5 {
			t.Errorf("%s/%d: %v Wh between the registers %v and %v", s.Station, s.EVSE, s.EnergyWh, s.MeterStartWh, s.MeterStopWh)
		}
		if s.TokenID == "" && s.EnergyWh > 0 || s.TokenStatus != "Accepted" && s.EnergyWh > 0 {
			t.Errorf("%s/%d: %v Wh for nobody, status %q", s.Station, s.EVSE, s.EnergyWh, s.TokenStatus)
		}
	}
}

// checkCurve compares what telemetry says of a session with its energy.
func checkCurve(t *testing.T, srv *Server, s *fleet.Session) {
	t.Helper()
	series, err := srv.Telemetry.Range(t.Context(), telemetry.Query{
		Port: telemetry.Port{Station: s.Station, EVSE: s.EVSE}, Measurand: "Energy.Active.Import.Register",
		From: s.StartedAt, To: s.EndedAt.Add(time.Second),
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(series.Points); n > 1 && series.Points[n-1].Mean-*s.MeterStartWh > s.EnergyWh+1 {
		t.Errorf("%s/%d: the curve counts %v Wh, the session %v", s.Station, s.EVSE, series.Points[n-1].Mean-*s.MeterStartWh, s.EnergyWh)
	}
}

func TestAFolderInUseKeepsItsPast(t *testing.T) {
	folder := t.TempDir()
	db, err := coredb.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	p, err := newPast(config.Default(), sim.Network(1), 1, 1, 90, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.make(t.Context(), root, folder); err != nil {
		t.Fatal(err)
	}
	if p.stations() != nil {
		t.Error("a past was made over another")
	}
}

// A past that is given up leaves a folder that no server has used.
func TestAPastThatIsGivenUpLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	p, err := newPast(config.Default(), sim.Network(1), 1, 1, 90, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	if err := p.make(ctx, root, folder); err == nil {
		t.Fatal("it was made within 0.3 s")
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
