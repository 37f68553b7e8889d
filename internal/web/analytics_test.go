package web

import (
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/usage/history"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// usage is a history that is opened when there is something to count.
type usage struct{ *history.Store }

func (u *usage) count(p *plant) {
	p.t.Helper()
	if u.Store == nil {
		var err error
		if u.Store, err = history.Open(p.t.Context(), history.Options{Folder: p.t.TempDir(), Journal: p.log, DB: p.db}); err != nil {
			p.t.Fatal(err)
		}
		p.t.Cleanup(func() {
			if err := u.Close(p.t.Context()); err != nil && p.t.Context().Err() == nil {
				p.t.Error(err)
			}
		})
	}
	if err := u.Settle(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

// quarterHours tells all cells of ports.
type quarterHours struct{ *usage }

func (q quarterHours) EachCell(ctx context.Context, sites []string, from, to time.Time, yield func(site, station string, evse int, at time.Time, c *rollup.Cell) error) error {
	ports, err := q.Ports(ctx, sites)
	if err != nil {
		return err
	}
	return q.PortDays(ctx, ports, from, to, func(p *rollup.Port, d *rollup.PortDay) error {
		for i, c := range d.Cells() {
			if err := yield(p.Site, p.Station, p.EVSE, d.Begin.Add(time.Duration(i)*rollup.CellLength), &c); err != nil {
				return err
			}
		}
		return nil
	})
}

// bygones are sessions of the past.
type bygones struct {
	*plant
	usage *usage
	n     int64
}

func newBygones(t *testing.T) *bygones {
	b := &bygones{usage: &usage{}}
	b.plant = newPlant(t, func(o *Options) { o.Usage = b.usage })
	return b
}

func berlin(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// place makes a site in Berlin with ports of the past.
func (b *bygones) place(id string, ports int, from, to time.Time) {
	b.t.Helper()
	if _, err := b.store.CreateSite(b.t.Context(), store.System, store.Site{ID: id, Name: "Site " + id, TimeZone: "Europe/Berlin"}); err != nil {
		b.t.Fatal(err)
	}
	b.n++
	b.write(`INSERT INTO past_import(id, name, file_sha256, bytes, made_at, by, state, changed_at) VALUES(?, 'f', 'x', 1, 1, 'u', 'done', 1)`, b.n)
	for port := range ports {
		b.write(`INSERT INTO past_evse(import_id, site_id, station_id, evse_id, first_at, last_at, rated_w) VALUES(?, ?, 'P', ?, ?, ?, 22000)`,
			b.n, id, port+1, from.UnixMilli(), to.UnixMilli())
	}
}

func (b *bygones) write(query string, args ...any) {
	b.t.Helper()
	if err := b.db.Write(b.t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bygones) stay(site string, port int, from, to time.Time, wh any, token string) {
	b.t.Helper()
	b.write(`INSERT INTO past_session(import_id, site_id, station_id, evse_id, start_at, end_at, energy_wh, token_ref) VALUES(?, ?, 'P', ?, ?, ?, ?, ?)`,
		b.n, site, port, from.UnixMilli(), to.UnixMilli(), wh, token)
}

// ask asks for the weeks from the 2nd of March 2026, a Monday, on.
func (b *bygones) ask(path string, into any, more ...string) {
	b.t.Helper()
	q := url.Values{"from": {"2026-03-01T23:00:00Z"}, "to": {"2026-04-12T22:00:00Z"}}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	status, text := b.script(store.RoleViewer).do("GET", base+"/analytics/"+path+"?"+q.Encode(), "")
	if status != http.StatusOK {
		b.t.Fatalf("%s: %d %s", path, status, text)
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		b.t.Fatal(err)
	}
}

// sixWeeks fills a site with two ports: on working days both are taken from 16 to
// 19 h by the clock there, on each of six weeks over which the clock changes.
func sixWeeks(t *testing.T) *bygones {
	b := newBygones(t)
	zone := berlin(t)
	monday := time.Date(2026, 3, 2, 0, 0, 0, 0, zone)
	b.place("a", 2, monday, monday.AddDate(0, 0, 42))
	for d := range 42 {
		day := monday.AddDate(0, 0, d)
		at := func(hour int) time.Time { return time.Date(day.Year(), day.Month(), day.Day(), hour, 0, 0, 0, zone) }
		if wd := day.Weekday(); wd != time.Saturday && wd != time.Sunday {
			b.stay("a", 1, at(16), at(19), 33_000, fmt.Sprint("t", d%7))
			b.stay("a", 2, at(16), at(19), 66_000, fmt.Sprint("n", d))
		}
		b.stay("a", 1, at(9), at(10), 1_000, "t0")
	}
	b.usage.count(b.plant)
	return b
}

func TestTheWeekIsToldByTheClockOfThePlace(t *testing.T) {
	b := sixWeeks(t)
	for measure, want := range map[string][2]float64{ // Tuesday 17 h and Sunday 9 h
		"occupied": {1, 0.5}, "allBusy": {1, 0}, "starts": {0, 1}, "charging": {0.75, 0.5 / 22}, "energy": {33_000, 1000},
	} {
		t.Run(measure, func(t *testing.T) {
			var got HeatmapAnswer
			b.ask("heatmap", &got, "measure", measure)
			if len(got.Cells) != 168 || !got.Enough || got.Zone != "Europe/Berlin" || got.Known == nil {
				t.Fatalf("%d cells, %+v", len(got.Cells), got.AnalyticsHead)
			}
			tuesday, sunday := got.Cells[24+17], got.Cells[6*24+9]
			if *sunday.Value != want[1] && math.Abs(*sunday.Value-want[1]) > 1e-6 || tuesday.Weeks != 6 || sunday.Weeks != 6 {
				t.Errorf("Sunday %+v %v, want %v", sunday, *sunday.Value, want[1])
			}
			if measure == "charging" || measure == "energy" { // one charges at 22 kW for an hour and a half, then three
				return
			}
			if *tuesday.Value != want[0] {
				t.Errorf("Tuesday %v, want %v", *tuesday.Value, want[0])
			}
			if night := got.Cells[3]; *night.Value != 0 {
				t.Errorf("night %v", *night.Value)
			}
		})
	}
	var got HeatmapAnswer
	b.ask("heatmap", &got, "from", "2026-03-20T00:00:00Z", "to", "2026-03-30T00:00:00Z")
	if got.Enough || !strings.Contains(got.Needs, "two weeks") || *got.Cells[24+17].Value != 1 {
		t.Errorf("ten days: %+v", got.AnalyticsHead)
	}
	if empty := got.Cells[0]; empty.Weeks != 2 {
		t.Errorf("the first hour of Monday was observed in %d weeks, want 2", empty.Weeks)
	}
}

func TestPeaksAreFound(t *testing.T) {
	b := sixWeeks(t)
	var got PeaksAnswer
	b.ask("peaks", &got, "rate", "10")
	if len(got.Windows) != 1 {
		t.Fatalf("%+v", got.Windows)
	}
	w := got.Windows[0]
	if !slices.Equal(w.Weekdays, []int{1, 2, 3, 4, 5}) || w.FromHour != 16 || w.ToHour != 19 || w.Occupied != 1 || w.Weeks != 6 || w.StableWeeks != 6 {
		t.Errorf("window %+v", w)
	}
	// All but the 42 kWh of the mornings.
	if want := 30 * 99.0 / (30*99 + 42); math.Abs(*w.EnergyShare-want) > 1e-9 {
		t.Errorf("energy share %v, want %v", *w.EnergyShare, want)
	}
	if p := got.PrimeTime; p == nil || p.FromHour > 16 || p.ToHour < 19 || math.Abs(p.Share-30*6.0/(42*12)) > 1e-9 {
		t.Errorf("prime time %+v", got.PrimeTime)
	}
	if len(got.Months) != 2 || got.Months[0].Month != "2026-03" || math.Abs(got.Months[0].PeakW-44_000) > 1 || math.Abs(*got.Months[0].Charge-440) > 0.01 {
		t.Errorf("months %+v", got.Months)
	}
}

func TestFiguresOfUsage(t *testing.T) {
	b := sixWeeks(t)
	zone := berlin(t)
	monday := time.Date(2026, 3, 2, 0, 0, 0, 0, zone)
	b.place("status-only", 1, monday, monday.AddDate(0, 0, 42))
	b.stay("status-only", 1, monday, monday.Add(10*time.Hour), nil, "")
	b.usage.count(b.plant)
	var got UsageFiguresAnswer
	b.ask("kpis", &got)
	if len(got.Sites) != 2 {
		t.Fatalf("%d sites", len(got.Sites))
	}
	a, blind := &got.Sites[0], &got.Sites[1]
	hours := 42*24.0 - 1 // the clock went forward
	occupied := (30*6 + 42) / (2 * hours)
	if a.Name != "Site a" || a.Sessions != 102 || a.Ports != 2 || *a.EnergyWh != 30*99_000+42_000 ||
		math.Abs(*a.Occupied.Operative-occupied) > 1e-9 || *a.Occupied.Calendar != *a.Occupied.Operative || *a.ObservedShare != 1 {
		t.Errorf("%+v", a.UsageFiguresShape)
	}
	if want := float64(30*99_000+42_000) / (2 * hours / 24); math.Abs(*a.ThroughputWhPerDay-want) > 1e-6 {
		t.Errorf("throughput %v, want %v", *a.ThroughputWhPerDay, want)
	}
	if d := a.Dwell; d == nil || d.N != 102 || d.P50 != 3*3600 || d.P25 != 3600 {
		t.Errorf("dwell %+v", d)
	}
	// t0 came on 6 Mondays and 42 mornings, four others on 6 days each, 30 once.
	if u := a.Tokens; u == nil || u.Tokens != 35 || u.Known != 102 || u.Once != 30 || u.Many != 5 || u.ManySessions != 72 || math.Abs(*u.TopTenthShare-66.0/102) > 1e-9 {
		t.Errorf("tokens %+v", u)
	}
	if a.Failed != nil {
		t.Error("imported sessions tell of tries")
	}
	if blind.EnergyWh != nil || blind.IdleShare != nil || blind.Charging.Calendar != nil || blind.Tokens != nil || math.Abs(*blind.Occupied.Operative-10/hours) > 1e-9 {
		t.Errorf("without energy: %+v", blind.UsageFiguresShape)
	}
}

func TestOccupancyAddsUp(t *testing.T) {
	b := sixWeeks(t)
	for _, step := range []string{"1h", "1d"} {
		for _, by := range []string{"all", "site", "station", "powerClass"} {
			var got OccupancyAnswer
			b.ask("occupancy", &got, "step", step, "by", by)
			if len(got.Series) != 1 {
				t.Fatalf("by %s: %d series", by, len(got.Series))
			}
			wh, busy, occupied, starts := 0.0, 0.0, 0.0, 0
			for _, p := range got.Series[0].Points {
				wh, busy, occupied, starts = wh+*p.EnergyWh, busy+p.AllBusySeconds, occupied+p.OccupiedSeconds, starts+p.Starts
				if all := p.FreeSeconds + p.OccupiedSeconds + p.UnobservedSeconds; step == "1h" && all != 7200 {
					t.Errorf("%s has %v s", p.At, all)
				}
			}
			if math.Abs(wh-(30*99_000+42_000)) > 1e-6 || busy != 30*3*3600 || occupied != (30*6+42)*3600 || starts != 102 {
				t.Errorf("%s by %s: %v Wh, %v s busy, %v s occupied, %d starts", step, by, wh, busy, occupied, starts)
			}
			if want := map[string]string{"all": "", "site": "a", "station": "a/P", "powerClass": "22"}[by]; got.Series[0].Key != want {
				t.Errorf("by %s: key %q", by, got.Series[0].Key)
			}
		}
	}
	status, text := b.script(store.RoleViewer).do("GET", base+"/analytics/occupancy?step=15m&from=2023-05-01T00:00:00Z&to=2026-04-12T00:00:00Z&by=station", "")
	if status != http.StatusOK {
		t.Errorf("three years of one station: %d %s", status, text)
	}
}

func TestTooLittleIsSaid(t *testing.T) {
	b := newBygones(t)
	b.usage.count(b.plant)
	for _, path := range []string{"occupancy", "heatmap", "peaks", "kpis", "uptime"} {
		var head AnalyticsHead
		b.ask(path, &head)
		if head.Enough || !strings.HasPrefix(head.Needs, "sessions: connect a station") || head.Known != nil {
			t.Errorf("%s: %+v", path, head)
		}
	}
	german := b.script(store.RoleViewer)
	german.header = http.Header{"Accept-Language": {"de"}}
	if _, text := german.do("GET", base+"/analytics/kpis", ""); !strings.Contains(text, "Ladevorgänge: eine Station verbinden") {
		t.Error(text)
	}
	var words map[string]map[string]string
	if err := json.Unmarshal(needsWords, &words); err != nil {
		t.Fatal(err)
	}
	for name, text := range words["en"] {
		if de := words["de"][name]; de == "" || strings.Count(de, "%s") != strings.Count(text, "%s") {
			t.Errorf("%s has no German", name)
		}
	}
}

func TestAnalyticsRefuseWhatTheyCannotAnswer(t *testing.T) {
	b := newBygones(t)
	b.usage.count(b.plant)
	c := b.script(store.RoleViewer)
	for query, where := range map[string]string{
		"kpis?zone=Nowhere": "query.zone", "heatmap?measure=luck": "query.measure", "peaks?from=2026-04-02T00:00:00Z&to=2026-04-01T00:00:00Z": "query.from",
		"occupancy?step=1m": "query.step", "uptime?from=2020-01-01T00:00:00Z": "query.from", "peaks?rate=-1": "query.rate",
		"kpis?site=" + strings.Repeat("a,", 501) + "a": "query.site",
	} {
		if status, text := c.do("GET", base+"/analytics/"+query, ""); status != http.StatusUnprocessableEntity || !strings.Contains(text, where) {
			t.Errorf("%s: %d %s", query[:min(len(query), 60)], status, text)
		}
	}
}

func TestUsageAsTables(t *testing.T) {
	b := sixWeeks(t)
	for path, rows := range map[string]int{"occupancy": 42 * 24, "heatmap": 168, "peaks": 4, "kpis": 2, "uptime": 1} {
		status, text := b.script(store.RoleViewer).do("GET", base+"/analytics/"+path+".csv?from=2026-03-01T23:00:00Z&to=2026-04-12T22:00:00Z", "")
		list, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if status != http.StatusOK || err != nil || len(list) < rows || len(list) > rows+2 {
			t.Errorf("%s: %d, %d rows, %v", path, status, len(list), err)
		}
	}
}

// What two askers see is what their sites hold.
func TestAnalyticsStayInsideTheGrant(t *testing.T) {
	b := sixWeeks(t)
	zone := berlin(t)
	monday := time.Date(2026, 3, 2, 0, 0, 0, 0, zone)
	b.place("other", 1, monday, monday.AddDate(0, 0, 42))
	b.stay("other", 1, monday, monday.Add(time.Hour), 5000, "x")
	b.usage.count(b.plant)
	ask := func(c *caller, site string) (got UsageFiguresAnswer) {
		status, text := c.do("GET", base+"/analytics/kpis?from=2026-03-01T23:00:00Z&to=2026-04-12T22:00:00Z&site="+site, "")
		if status != http.StatusOK {
			t.Fatal(status, text)
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	host := b.script(store.RoleHost, "other")
	if got := ask(host, ""); got.All.Sessions != 1 || len(got.Sites) != 1 {
		t.Errorf("%+v", got.All)
	}
	if got := ask(host, "a"); got.All.Sessions != 0 || got.Known != nil || got.Enough {
		t.Errorf("%+v", got.All)
	}
	if got := ask(host, "a,other"); !reflect.DeepEqual(got.All, ask(host, "").All) {
		t.Errorf("%+v", got.All)
	}
	if status, _ := b.script(store.RoleTechnician).do("GET", base+"/analytics/kpis", ""); status != http.StatusForbidden {
		t.Errorf("a technician: %d", status)
	}
}
