package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/chargewatch/chargewatch/internal/app"
	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/usage/history"
	"github.com/chargewatch/chargewatch/internal/usage/pattern"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// agreement is how far the roll-ups of a published set are from a count of
// minutes. Shares are in points, of 100.
type agreement struct {
	Sites       int     `json:"sites"`
	Sessions    int     `json:"sessions"`
	From        string  `json:"from"`
	To          string  `json:"to"`
	Calendar    float64 `json:"worstPointsCalendar"`
	Operative   float64 `json:"worstPointsOperative"`
	Hour        float64 `json:"worstPointsHourOfWeek"`
	All         float64 `json:"occupiedShareOfAll"`
	AllCounted  float64 `json:"occupiedShareOfAllByMinutes"`
	EnergyWh    float64 `json:"energyWhInCells"`
	SessionsWh  float64 `json:"energyWhInSessions"`
	SecondsToDo float64 `json:"secondsToCount"`
}

// dundee imports the published sessions as a person would and compares.
func dundee(ctx context.Context, out io.Writer, data, folder string) (_ *agreement, err error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	db, err := coredb.Open(ctx, folder)
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	if code := app.Main(ctx, []string{"import", "sessions", filepath.Join(data, "dundee", "sessions.csv"), "--create-sites", "--zone", "Europe/London", "--data", folder}, io.Discard, os.Stderr); code != 0 {
		return nil, fmt.Errorf("the import ended with %d", code)
	}
	if db, err = coredb.Open(ctx, folder); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	j, err := sqlite.Open(ctx, sqlite.Options{DB: db})
	if err != nil {
		return nil, err
	}
	began := time.Now()
	h, err := history.Open(ctx, history.Options{Folder: folder, Journal: j, DB: db})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close(ctx)) }()
	if err := h.Settle(ctx); err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		return nil, err
	}
	// The unbroken half year.
	from, to := time.Date(2018, 3, 5, 0, 0, 0, 0, zone), time.Date(2018, 9, 6, 0, 0, 0, 0, zone)
	res := &agreement{From: from.Format(time.DateOnly), To: to.Format(time.DateOnly), SecondsToDo: time.Since(began).Seconds()}
	accounts := make(map[string]*pattern.Account)
	all := pattern.NewAccount(from, to)
	if err := h.Days(ctx, nil, from, to, func(site string, d *rollup.PlaceDay) error {
		if accounts[site] == nil {
			accounts[site] = pattern.NewAccount(from, to)
		}
		accounts[site].Add(d)
		all.Add(d)
		return nil
	}); err != nil {
		return nil, err
	}
	counted, whole, err := minutes(ctx, db, from, to, zone)
	if err != nil {
		return nil, err
	}
	apart := func(worst *float64, a, b float64) {
		if !math.IsNaN(a) || !math.IsNaN(b) {
			*worst = max(*worst, 100*math.Abs(a-b))
		}
	}
	for site, a := range accounts {
		f, m := a.Figures(), counted[site]
		if m == nil {
			return nil, fmt.Errorf("site %s has no minutes", site)
		}
		res.Sites++
		apart(&res.Calendar, f.Occupied.Calendar, m.calendar())
		apart(&res.Operative, f.Occupied.Operative, m.operative())
		for i, c := range pattern.Week(a.Grid, zone, pattern.Occupied) {
			apart(&res.Hour, c.Value, ratio(m.busyAt[i], m.seenAt[i]))
		}
	}
	f := all.Figures()
	res.Sessions, res.All, res.AllCounted = f.Sessions, f.Occupied.Operative, whole.operative()
	if err := wholeEnergy(ctx, h, db, res); err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "\n## Dundee\n\n%d sites, %d sessions from %s to %s, imported as a person would; days counted in %.1f s.\nOccupied of all observed time: %.3f %%, by minutes %.3f %%.\n\n"+
		"| farthest apart, points | |\n|---|---|\n| a site, of calendar time | %.4f |\n| a site, of operative time | %.4f |\n| an hour of the week of a site | %.4f |\n\n"+
		"Energy in quarter hours %.3f Wh, in sessions %.3f Wh (all that were imported).\n",
		res.Sites, res.Sessions, res.From, res.To, res.SecondsToDo, 100*res.All, 100*res.AllCounted, res.Calendar, res.Operative, res.Hour, res.EnergyWh, res.SessionsWh)
	return res, nil
}

func ratio(part, of float64) float64 {
	if of == 0 {
		return math.NaN()
	}
	return part / of
}

// tally counts minutes of ports.
type tally struct {
	busy, seen, all float64
	busyAt, seenAt  [168]float64
}

func (t *tally) calendar() float64  { return ratio(t.busy, t.all) }
func (t *tally) operative() float64 { return ratio(t.busy, t.seen) }

// minutes counts each minute of each port: whether an import covers it or a
// session lies in it, and whether a session lies in it. A day on which neither is
// the case does not count.
func minutes(ctx context.Context, db *coredb.DB, from, to time.Time, zone *time.Location) (map[string]*tally, *tally, error) {
	type port struct {
		site, station string
		evse          int
	}
	n := int(to.Sub(from) / time.Minute)
	covered, busy := make(map[port][]float64), make(map[port][]float64)
	mark := func(into map[port][]float64, p port, a, b int64) {
		if into[p] == nil {
			into[p] = make([]float64, n)
		}
		first, last := float64(a-from.UnixMilli())/60_000, float64(b-from.UnixMilli())/60_000
		for m := max(0, int(first)); m < n && float64(m) < last; m++ {
			into[p][m] = min(1, into[p][m]+min(float64(m+1), last)-max(float64(m), first))
		}
	}
	for _, q := range []struct {
		query string
		into  map[port][]float64
	}{
		{`SELECT site_id, station_id, evse_id, first_at, last_at FROM past_evse`, covered},
		{`SELECT site_id, station_id, evse_id, start_at, end_at FROM past_session`, busy},
	} {
		rows, err := db.Reader().QueryContext(ctx, q.query)
		if err != nil {
			return nil, nil, err
		}
		for rows.Next() {
			var p port
			var a, b int64
			if err := rows.Scan(&p.site, &p.station, &p.evse, &a, &b); err != nil {
				return nil, nil, err
			}
			mark(q.into, p, a, b)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, nil, err
		}
	}
	sites, whole := make(map[string]*tally), new(tally)
	local := make([]int, n) // hour of the week
	day := make([]int64, n)
	for m := range local {
		at := from.Add(time.Duration(m) * time.Minute)
		l := at.In(zone)
		local[m], day[m] = (int(l.Weekday())+6)%7*24+l.Hour(), at.Unix()/86_400
	}
	for p, seen := range covered {
		if sites[p.site] == nil {
			sites[p.site] = new(tally)
		}
		known := make(map[int64]bool)
		for m := range n {
			if seen[m] > 0 || busy[p] != nil && busy[p][m] > 0 {
				known[day[m]] = true
			}
		}
		for m := range n {
			if !known[day[m]] {
				continue
			}
			b := 0.0
			if busy[p] != nil {
				b = busy[p][m]
			}
			for _, t := range []*tally{sites[p.site], whole} {
				t.all++
				t.busy += b
				t.seen += max(b, seen[m])
				t.busyAt[local[m]] += b
				t.seenAt[local[m]] += max(b, seen[m])
			}
		}
	}
	return sites, whole, nil
}

// wholeEnergy compares all cells with all sessions, to the milliwatt-hour.
func wholeEnergy(ctx context.Context, h *history.Store, db *coredb.DB, res *agreement) error {
	var mwh int64
	if err := h.Days(ctx, nil, time.Unix(0, 0), time.Now(), func(_ string, d *rollup.PlaceDay) error {
		for k := range d.Cells {
			mwh += d.Cells[k].MilliWh
		}
		return nil
	}); err != nil {
		return err
	}
	var told sql.NullInt64
	if err := db.Reader().QueryRowContext(ctx, `SELECT sum(CAST(round(energy_wh * 1000) AS INTEGER)) FROM past_session WHERE energy_wh > 0`).Scan(&told); err != nil {
		return err
	}
	res.EnergyWh, res.SessionsWh = float64(mwh)/1000, float64(told.Int64)/1000
	return nil
}
