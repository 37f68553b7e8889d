package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/journaltest"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/telemetry"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// house is a real journal, real telemetry and a usage.db over it, with a clock
// that the test turns.
type house struct {
	t      testing.TB
	folder string
	usage  string // the folder of usage.db
	clock  *journaltest.Clock
	begin  time.Time // midnight
	db     *coredb.DB
	log    *journal.Journal
	curves *telemetry.Store
	store  *Store
	stop   func()
	seen   journal.Cursor
	keep   time.Duration
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, folder: t.TempDir(), clock: journaltest.NewClock()}
	h.usage = h.folder
	h.begin = h.clock.Now().Truncate(24 * time.Hour).Add(24 * time.Hour)
	h.clock.Set(h.begin)
	var err error
	coredbtest.In(t, h.folder)
	if h.db, err = coredb.Open(t.Context(), h.folder); err != nil {
		t.Fatal(err)
	}
	if h.curves, err = telemetry.Open(t.Context(), telemetry.Options{Folder: h.folder, Now: h.clock.Now}); err != nil {
		t.Fatal(err)
	}
	h.start()
	h.openUsage()
	t.Cleanup(func() {
		h.stop()
		if err := errors.Join(h.store.Close(context.Background()), h.curves.Close(context.Background()), h.db.Close()); err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h *house) start() {
	log, err := sqlite.Open(h.t.Context(), sqlite.Options{DB: h.db, Now: h.clock.Now, Journal: journal.Options{Tick: time.Millisecond, Keep: journal.Keep{History: h.keep}}})
	if err != nil {
		h.t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		if err := log.Run(context.Background()); err != nil {
			h.t.Error("journal:", err)
		}
	})
	h.log = log
	h.stop = func() {
		if err := log.Close(); err != nil {
			h.t.Error(err)
		}
		running.Wait()
	}
}

func (h *house) openUsage() {
	h.t.Helper()
	var err error
	if h.store, err = Open(h.t.Context(), Options{Folder: h.usage, Journal: h.log, DB: h.db, Curves: h.curves, Now: h.clock.Now}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) at(hours float64) time.Time {
	return h.begin.Add(time.Duration(hours * float64(time.Hour))).Truncate(time.Millisecond)
}

// say appends what a station tells at an hour of something that happened then or
// earlier.
func (h *house) say(hour, happened float64, subject event.Subject, body event.Body) {
	h.t.Helper()
	if h.clock.Now().Before(h.at(hour)) {
		h.clock.Set(h.at(hour))
	}
	if _, err := h.log.Append(h.t.Context(), &event.Event{
		Subject: subject, At: h.at(happened), DeviceAt: h.at(happened), ReceivedAt: h.at(hour), Quality: event.TimeDevice, Body: body,
	}); err != nil {
		h.t.Fatal(err)
	}
}

func port(station string) event.Subject { return event.Port(station, 1, 1) }

func (h *house) connect(hour float64, station, site string) {
	h.say(hour, hour, event.Station(station), &event.StationConfigured{SiteID: site, Onboarding: event.OnboardingAccepted, Layout: []event.EVSELayout{
		{EVSE: 1, RatedW: 22_000, Current: "AC", Connectors: []event.ConnectorLayout{{Connector: 1, Type: "sType2"}}}}})
	h.say(hour, hour, event.Station(station), &event.Connected{ConnID: fmt.Sprint(station, hour), Protocol: "ocpp1.6"})
	h.say(hour, hour, event.Station(station), &event.Boot{Vendor: "Acme", Model: "One", Status: "Accepted"})
	h.say(hour, hour, port(station), &event.Status{Status: "Available"})
}

// charge tells of a session as it happens, or all of it at once later.
func (h *house) charge(station, id string, from, to, wh float64, told ...float64) {
	at := func(x float64) float64 {
		if len(told) > 0 {
			return told[0]
		}
		return x
	}
	h.say(at(from), from, port(station), &event.Transaction{Stage: event.TransactionStarted, TransactionID: id, MeterWh: new(1000.0), TokenID: "T" + station})
	h.say(at(from), from, port(station), &event.Status{Status: "Charging"})
	h.say(at(to), to, port(station), &event.Transaction{Stage: event.TransactionEnded, TransactionID: id, MeterWh: new(1000 + wh)})
	h.say(at(to), to, port(station), &event.Status{Status: "Available"})
}

// follow lets telemetry and usage read what was appended since.
func (h *house) follow() {
	h.t.Helper()
	after, err := h.seen.Seq()
	if err != nil {
		h.t.Fatal(err)
	}
	for head := h.log.Snapshot().Seq; after < head; {
		for b, err := range h.log.Subscribe(h.t.Context(), h.seen) {
			if err != nil {
				h.t.Fatal(err)
			}
			if err := h.curves.Consume(h.t.Context(), b.Events, string(b.Next)); err != nil {
				h.t.Fatal(err)
			}
			if err := h.store.Consume(h.t.Context(), b.Events, b.Next); err != nil {
				h.t.Fatal(err)
			}
			h.seen = b.Next
			break
		}
		if after, err = h.seen.Seq(); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *house) settle() {
	h.t.Helper()
	h.follow()
	for alive := int64(0); alive < h.clock.Now().Add(-time.Minute).UnixMicro(); { // a run at work says so now and then
		if err := h.db.Reader().QueryRowContext(h.t.Context(), `SELECT max(alive_at) FROM server_runs`).Scan(&alive); err != nil {
			h.t.Fatal(err)
		}
	}
	if err := h.store.Settle(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) series(site string, from, to float64, step time.Duration) []rollup.Point {
	h.t.Helper()
	out, err := h.store.Series(h.t.Context(), site, h.at(from), h.at(to), step)
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

// everything is all that is stored of days.
func (h *house) everything() map[string]string {
	h.t.Helper()
	out := make(map[string]string)
	for _, q := range []string{
		`SELECT 'port ' || site || ' ' || station || ' ' || evse || ' ' || day, hex(data) FROM port JOIN port_day ON port_day.port = port.id`,
		// Ids of ports are told by the order in which they were found.
		`SELECT 'site ' || site || ' ' || day, '' FROM site_day`,
	} {
		rows, err := h.store.db.read.QueryContext(h.t.Context(), q)
		if err != nil {
			h.t.Fatal(err)
		}
		if err := each(rows, func() error {
			var name, data string
			err := rows.Scan(&name, &data)
			out[name] = data
			return err
		}); err != nil {
			h.t.Fatal(err)
		}
	}
	return out
}

// rebuild makes the file again and compares.
func (h *house) rebuild() {
	h.t.Helper()
	had := h.everything()
	if err := h.store.Close(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	for _, name := range []string{FileName, FileName + "-wal", FileName + "-shm"} {
		if err := os.Remove(filepath.Join(h.usage, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			h.t.Fatal(err)
		}
	}
	h.openUsage()
	if err := h.store.Settle(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	got := h.everything()
	for name, data := range had {
		if got[name] != data {
			h.t.Errorf("%s is not the same when made again:\n%s\n%s", name, data, got[name])
		}
	}
	if len(got) != len(had) {
		h.t.Errorf("%d days, had %d", len(got), len(had))
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-6 }

func TestADayIsCountedAsItHappened(t *testing.T) {
	h := newHouse(t)
	h.connect(0.5, "A", "S")
	h.charge("A", "1", 2, 4, 20_000)
	h.say(5, 5, event.Station("A"), &event.Disconnected{ConnID: "A0.5", Reason: "gone", LastFrameAt: h.at(5)})
	h.clock.Set(h.at(6))
	h.settle()
	got := h.series("S", 0, 6, time.Hour)
	if len(got) != 6 {
		t.Fatalf("%d hours, want 6", len(got))
	}
	for i, want := range []rollup.Point{
		{Unobserved: 1800, Free: 1800}, {Free: 3600}, {Charging: 3600, Occupied: 3600, EnergyWh: 10_000, PeakW: 10_000, Starts: 1, AllBusy: 3600},
		{Charging: 3600, Occupied: 3600, EnergyWh: 10_000, PeakW: 10_000, AllBusy: 3600}, {Free: 3600}, {Unobserved: 3600},
	} {
		if i < 5 {
			want.Open = 3600
		}
		if i == 0 {
			want.Open = 1800
		}
		want.From, want.Ports, want.Places = h.at(float64(i)), 1, 1
		if !reflect.DeepEqual(got[i], want) {
			t.Errorf("hour %d:\n%+v, want\n%+v", i, got[i], want)
		}
	}
	sessions, err := h.store.Sessions(t.Context(), "S", h.at(0), h.at(6))
	if err != nil || len(sessions) != 1 {
		t.Fatalf("%d sessions, %v", len(sessions), err)
	}
	if s := sessions[0]; s.Station != "A" || s.EVSE != 1 || s.EnergyWh != 20_000 || !s.Start.Equal(h.at(2)) || !s.End.Equal(h.at(4)) || len(s.Token) != 16 || strings.Contains(s.Token, "TA") {
		t.Errorf("session %+v", s)
	}
}

// What the operator says of a model is known to analytics and plans, of ports at which
// nothing happens too.
func TestAnOwnModelSaysWhatPortsDeliver(t *testing.T) {
	h := newHouse(t)
	h.say(0.5, 0.5, event.Station("A"), &event.StationConfigured{SiteID: "S", Onboarding: event.OnboardingAccepted})
	h.say(0.5, 0.5, event.Station("A"), &event.Connected{ConnID: "1", Protocol: "ocpp1.6"})
	h.say(0.5, 0.5, event.Station("A"), &event.Boot{Vendor: "Acme", Model: "Rapid", Status: "Accepted"})
	h.say(0.5, 0.5, port("A"), &event.Status{Status: "Available"})
	h.clock.Set(h.at(1))
	h.settle()
	rated := func() (w float64, current string) {
		t.Helper()
		list, err := h.store.Ports(t.Context(), []string{"S"})
		if err != nil || len(list) != 1 {
			t.Fatalf("%d ports, %v", len(list), err)
		}
		return list[0].RatedW, list[0].Current
	}
	if w, current := rated(); w != 0 || current != "" {
		t.Fatalf("before: %v W %s", w, current)
	}
	h.say(2, 2, event.Self(), &event.Policy{Type: fleet.PolicyModel, ID: "mo-1", Value: []byte(`{"vendor":"ACME","model":"rap","source":"a test of usage",
		"evses":[{"evse":1,"current":"DC","ratedW":160000,"connectors":[{"connector":1}]}]}`)})
	h.settle()
	if w, current := rated(); w != 160_000 || current != "DC" {
		t.Errorf("described: %v W %s", w, current)
	}
	h.say(3, 3, event.Self(), &event.Policy{Type: fleet.PolicyModel, ID: "mo-1"})
	h.settle()
	if w, _ := rated(); w != 0 {
		t.Errorf("taken back: %v W", w)
	}
}

func TestMeasuredPowerSaysWhenACarCharged(t *testing.T) {
	h := newHouse(t)
	h.connect(0, "A", "S")
	h.say(1, 1, port("A"), &event.Transaction{Stage: event.TransactionStarted, TransactionID: "1", MeterWh: new(0.0)})
	h.say(1, 1, port("A"), &event.Status{Status: "Charging"})
	for m := range 180 {
		w := 6000.0
		if m >= 60 {
			w = 0
		}
		x := 1 + float64(m)/60
		h.say(x, x, port("A"), &event.Meter{TransactionID: "1", Samples: event.Samples{{At: h.at(x), Values: []event.Sample{{Measurand: "Power.Active.Import", Value: w}}}}})
	}
	h.say(4, 4, port("A"), &event.Transaction{Stage: event.TransactionEnded, TransactionID: "1", MeterWh: new(6000.0)})
	h.say(4, 4, port("A"), &event.Status{Status: "Available"})
	h.clock.Set(h.at(5))
	h.settle()
	got := h.series("S", 1, 4, time.Hour)
	if got[0].Charging != 3600 || got[1].Charging != 0 || got[1].Idle != 3600 || got[2].Idle != 3600 {
		t.Errorf("the port says it charges, the meter stands: %+v", got)
	}
	if got[0].EnergyWh != 6000 {
		t.Errorf("%v Wh in the hour of charging, want 6000", got[0].EnergyWh)
	}
}

func TestRegistersTellWherePowerDoesNot(t *testing.T) {
	h := newHouse(t)
	h.connect(0, "A", "S")
	h.say(1, 1, port("A"), &event.Transaction{Stage: event.TransactionStarted, TransactionID: "1", MeterWh: new(100.0)})
	for i, wh := range []float64{100, 3100, 6100, 6100, 6100} {
		x := 1 + float64(i)/2
		h.say(x, x, port("A"), &event.Meter{TransactionID: "1", Samples: event.Samples{{At: h.at(x), Values: []event.Sample{{Measurand: register, Value: wh}}}}})
	}
	h.say(3, 3, port("A"), &event.Transaction{Stage: event.TransactionEnded, TransactionID: "1", MeterWh: new(6100.0)})
	h.clock.Set(h.at(4))
	h.settle()
	got := h.series("S", 1, 3, time.Hour)
	if got[0].EnergyWh != 6000 || got[1].EnergyWh != 0 || got[1].Idle < 3500 {
		t.Errorf("%+v, want all energy in the first hour", got)
	}
}

// What comes late, twice, behind a restart or is counted from nothing gives the
// same days.
func TestLateDataRewritesItsDays(t *testing.T) {
	h := newHouse(t)
	h.connect(0, "A", "S")
	h.connect(0.1, "B", "S")
	h.settle()
	h.charge("A", "1", 1, 3, 9000)
	h.clock.Set(h.at(30))
	h.settle()
	if got := h.series("S", 0, 48, 24*time.Hour); len(got) != 2 || got[0].EnergyWh != 9000 || got[1].Unobserved != 0 {
		t.Fatalf("before: %+v", got)
	}
	h.charge("B", "2", 20, 26, 12_000, 70) // told two days later
	h.clock.Set(h.at(71))
	h.settle()
	got := h.series("S", 0, 72, 24*time.Hour)
	if len(got) != 3 || !near(got[0].EnergyWh+got[1].EnergyWh, 21_000) || got[0].EnergyWh <= 9000 || got[1].EnergyWh == 0 {
		t.Errorf("after: %+v", got)
	}
	h.rebuild()
}

func TestALongSessionIsSpreadAgainWhenItEnds(t *testing.T) {
	h := newHouse(t)
	h.connect(0, "A", "S")
	h.say(10, 10, port("A"), &event.Transaction{Stage: event.TransactionStarted, TransactionID: "1", MeterWh: new(0.0)})
	h.say(10, 10, port("A"), &event.Status{Status: "Charging"})
	h.clock.Set(h.at(26))
	h.settle()
	h.clock.Set(h.at(60))
	h.settle()
	h.say(60, 60, port("A"), &event.Transaction{Stage: event.TransactionEnded, TransactionID: "1", MeterWh: new(50_000.0)})
	h.say(60, 60, port("A"), &event.Status{Status: "Available"})
	h.clock.Set(h.at(61))
	h.settle()
	got := h.series("S", 0, 72, 24*time.Hour)
	for i, want := range []float64{14_000, 24_000, 12_000} {
		if !near(got[i].EnergyWh, want) {
			t.Errorf("day %d has %v Wh, want %v", i, got[i].EnergyWh, want)
		}
	}
	h.rebuild()
}

func TestTimeInWhichWeWereDownIsNotObserved(t *testing.T) {
	h := newHouse(t)
	h.connect(0, "A", "S")
	h.clock.Set(h.at(3))
	h.settle()
	h.stop()
	h.clock.Set(h.at(30))
	h.start()
	h.store.o.Journal = h.log
	h.connect(30, "A", "S")
	h.clock.Set(h.at(31))
	h.settle()
	got := h.series("S", 0, 31, time.Hour)
	for i, p := range got {
		if want := 3600.0; i >= 3 && i < 30 && p.Unobserved != want || i > 30 && p.Free != want {
			t.Errorf("hour %d: %+v", i, p)
		}
	}
	h.rebuild()
}

func TestAStationTakesItsPastAlong(t *testing.T) {
	h := newHouse(t)
	h.connect(0, "A", "S")
	h.charge("A", "1", 1, 2, 5000)
	h.clock.Set(h.at(30))
	h.settle()
	h.connect(30, "A", "other")
	h.clock.Set(h.at(31))
	h.settle()
	if got := h.series("S", 0, 48, 24*time.Hour); len(got) != 0 {
		t.Errorf("the old site keeps %+v", got)
	}
	if got := h.series("other", 0, 48, 24*time.Hour); len(got) != 2 || got[0].EnergyWh != 5000 {
		t.Errorf("the new site has %+v", got)
	}
	h.say(50, 50, event.Station("A"), &event.StationRemoved{})
	h.clock.Set(h.at(100))
	h.settle()
	got := h.series("other", 0, 120, 24*time.Hour)
	if len(got) != 3 || got[0].EnergyWh != 5000 {
		t.Errorf("a station that is gone ends with its last day: %+v", got)
	}
}

// importPast writes what an import writes.
func (h *house) importPast(id int64, state string, changed int64, sessions [][4]float64) {
	h.t.Helper()
	err := h.db.Write(h.t.Context(), func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO past_import(id, name, file_sha256, bytes, made_at, by, state, changed_at) VALUES(?, 'f', 'x', 1, 1, 'u', ?, ?)
			ON CONFLICT(id) DO UPDATE SET state = excluded.state, changed_at = excluded.changed_at`, id, state, changed); err != nil {
			return err
		}
		for _, table := range []string{"past_session", "past_evse"} {
			if _, err := tx.Exec(`DELETE FROM `+table+` WHERE import_id = ?`, id); err != nil {
				return err
			}
		}
		for _, x := range sessions {
			if _, err := tx.Exec(`INSERT INTO past_session(import_id, site_id, station_id, evse_id, start_at, end_at, energy_wh, token_ref) VALUES(?, 'S', 'A', 1, ?, ?, ?, ?)`,
				id, h.at(x[0]).UnixMilli(), h.at(x[1]).UnixMilli(), x[2], fmt.Sprint(x[3])); err != nil {
				return err
			}
		}
		if len(sessions) > 0 {
			_, err := tx.Exec(`INSERT INTO past_evse(import_id, site_id, station_id, evse_id, first_at, last_at, rated_w) VALUES(?, 'S', 'A', 1, ?, ?, 10000)`,
				id, h.at(-1000).UnixMilli(), h.at(-500).UnixMilli())
			return err
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func TestImportedSessionsAreCountedAndUndone(t *testing.T) {
	h := newHouse(t)
	h.settle()
	h.importPast(1, "running", 5, [][4]float64{{-900, -899, 3000, 1}})
	h.settle()
	if got := h.series("S", -1100, 0, 24*time.Hour); len(got) != 0 {
		t.Errorf("an import at work shows %+v", got)
	}
	h.importPast(1, "done", 6, [][4]float64{{-900, -896, 30_000, 1}, {-700, -699, 5000, 2}})
	h.clock.Set(h.at(0.1))
	h.settle()
	sum := func() (wh, free, unseen float64, starts int) {
		for _, p := range h.series("S", -1100, 0, 24*time.Hour) {
			wh, free, unseen, starts = wh+p.EnergyWh, free+p.Free, unseen+p.Unobserved, starts+p.Starts
		}
		return
	}
	wh, free, unseen, starts := sum()
	if wh != 35_000 || starts != 2 || free != (500-5)*3600 || unseen >= 48*3600 {
		t.Errorf("%v Wh, %v s free, %v s not observed, %d starts", wh, free, unseen, starts)
	}
	// The station comes to us later: what was imported becomes its past.
	h.connect(1, "A", "S")
	h.charge("A", "9", 2, 3, 1000)
	h.clock.Set(h.at(4))
	h.settle()
	if got, _, _, n := sum(); got != 35_000 || n != 2 {
		t.Errorf("%v Wh and %d starts after the station was enrolled", got, n)
	}
	ports, err := h.store.Ports(t.Context(), []string{"S"})
	if err != nil || len(slices.DeleteFunc(ports, func(p rollup.Port) bool { return p.Past })) != 1 {
		t.Errorf("ports %+v, %v", ports, err)
	}
	h.rebuild()
	h.importPast(1, "undone", 7, nil)
	h.clock.Set(h.at(5))
	h.settle()
	if got, _, _, n := sum(); got != 0 || n != 0 {
		t.Errorf("%v Wh and %d starts after undoing", got, n)
	}
	if got := h.series("S", 0, 5, 24*time.Hour); len(got) != 1 || got[0].EnergyWh != 1000 {
		t.Errorf("what we heard stays: %+v", got)
	}
}

func TestDaysWhoseSourcesAreGoneStay(t *testing.T) {
	h := newHouse(t)
	h.connect(0, "A", "S")
	h.charge("A", "1", 1, 2, 5000)
	h.clock.Set(h.at(30))
	h.settle()
	had := h.series("S", 0, 24, 15*time.Minute)
	h.stop()
	h.keep = 10 * 24 * time.Hour
	h.clock.Set(h.at(24 * 40))
	h.start()
	h.store.o.Journal = h.log
	if err := h.store.db.tx(t.Context(), func(tx *sql.Tx) error {
		return mark{unit{station: "A"}, dayOf(h.at(0)), dayOf(h.at(48))}.store(t.Context(), tx)
	}); err != nil {
		t.Fatal(err)
	}
	h.settle()
	if got := h.series("S", 0, 24, 15*time.Minute); !reflect.DeepEqual(got, had) {
		t.Errorf("a day beyond retention changed: %+v", got)
	}
}

// A store that follows the journal by itself ends with the same days as one that
// is made afterwards.
func TestFollowingIsRebuilding(t *testing.T) {
	h := newHouse(t)
	if err := h.store.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	x := rand.New(rand.NewPCG(7, 7))
	hour, n := 0.0, 0
	for _, id := range []string{"A", "B", "C"} {
		h.connect(0, id, "S")
	}
	for range 120 {
		hour += 3 * x.Float64()
		id := string("ABC"[x.IntN(3)])
		switch x.IntN(4) {
		case 0, 1:
			n++
			back := 40 * x.Float64() * float64(x.IntN(2))
			from := max(0.1, hour-back)
			h.charge(id, fmt.Sprint("t", n), from, from+min(back, 6*x.Float64()), 30_000*x.Float64(), hour+0.01)
		case 2:
			h.say(hour, hour, port(id), &event.Status{Status: []string{"Faulted", "Available", "Unavailable", "Preparing"}[x.IntN(4)]})
		case 3:
			h.connect(hour, id, "S")
		}
		if x.IntN(5) == 0 {
			h.settle()
		}
	}
	h.clock.Set(h.at(hour + 1))
	h.settle()
	h.rebuild()
	var wh float64
	for _, site := range []string{"S", "S1", "S2"} {
		for _, p := range h.series(site, 0, hour+24, time.Hour) {
			wh += p.EnergyWh
		}
	}
	list, _, err := h.log.Sessions(t.Context(), journal.SessionQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	want := 0.0
	for _, s := range list {
		want += math.Round(s.EnergyWh*1000) / 1000
	}
	if !near(wh, want) || want == 0 {
		t.Errorf("%v Wh in cells, %v in %d sessions", wh, want, len(list))
	}
}

func TestOldDaysAreForgotten(t *testing.T) {
	h := newHouse(t)
	h.connect(0, "A", "S")
	h.charge("A", "1", 1, 2, 5000)
	h.clock.Set(h.at(24*5 + 0.5))
	h.settle()
	if got := h.series("S", 0, 24*6, 24*time.Hour); len(got) != 6 {
		t.Fatalf("%d days, want 6", len(got))
	}
	h.store.o.KeepDays = 3
	h.clock.Set(h.at(24*5 + 1))
	h.settle()
	if got := h.series("S", 0, 24*6, 24*time.Hour); len(got) != 4 || !got[0].From.Equal(h.at(48)) {
		t.Errorf("%d days are left, want 4", len(got))
	}
}

// What detection concludes of the past is no news of it.
func TestFindingsMarkNoDays(t *testing.T) {
	h := newHouse(t)
	h.connect(0, "A", "S")
	h.clock.Set(h.at(24 * 3))
	h.settle()
	e := &event.Event{Subject: event.Station("A"), At: h.at(1), Body: &event.Finding{}}
	late := &event.Event{Seq: 1, Subject: port("A"), At: h.at(1), Body: &event.Status{Status: "Faulted"}}
	for _, c := range []struct {
		event *event.Event
		marks int
	}{{e, 0}, {late, 1}} {
		if err := h.store.Consume(t.Context(), []*event.Event{c.event}, h.store.cursor); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := h.store.db.read.QueryRowContext(t.Context(), `SELECT count(*) FROM dirty`).Scan(&n); err != nil || n != c.marks {
			t.Errorf("%s: %d marks, %v", c.event.Body.Kind(), n, err)
		}
	}
}
