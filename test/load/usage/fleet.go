package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/telemetry"
	"github.com/chargewatch/chargewatch/internal/usage/history"
	"github.com/chargewatch/chargewatch/internal/usage/pattern"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// answered is how long one question took.
type answered struct {
	Question string  `json:"question"`
	First    float64 `json:"firstMs"`
	Median   float64 `json:"medianMs"`
	Worst    float64 `json:"worstMs"`
}

const portsOfSite = 10

// fleetOf fills a file with the days of a large fleet and asks what pages ask.
func fleetOf(ctx context.Context, out io.Writer, folder string, sites, days int) (_ []answered, err error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	db, err := coredb.Open(ctx, folder)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	h, err := history.Open(ctx, history.Options{Folder: folder, DB: db})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close(ctx)) }()
	to := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	from := to.AddDate(0, 0, -days)
	if err := fill(ctx, filepath.Join(folder, history.FileName), sites, days, from); err != nil {
		return nil, err
	}
	info, err := os.Stat(filepath.Join(folder, history.FileName))
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "\n## Fleet\n\n%d sites with %d ports, %d days: %.0f MB (days of sites only).\n\n| question | first ms | median ms | worst ms |\n|---|---|---|---|\n",
		sites, sites*portsOfSite, days, float64(info.Size())/1e6)
	x := rand.New(rand.NewPCG(5, 5))
	var all []answered
	ask := func(question string, times int, answer func(site string) error) error {
		var took []float64
		for range times {
			site := fmt.Sprintf("s%04d", x.IntN(sites))
			began := time.Now()
			if err := answer(site); err != nil {
				return err
			}
			took = append(took, float64(time.Since(began).Microseconds())/1000)
		}
		a := answered{Question: question, First: took[0]}
		slices.Sort(took)
		a.Median, a.Worst = took[len(took)/2], took[len(took)-1]
		all = append(all, a)
		fmt.Fprintf(out, "| %s | %.1f | %.1f | %.1f |\n", question, a.First, a.Median, a.Worst)
		return nil
	}
	account := func(sites []string, from time.Time) (*pattern.Account, error) {
		a := pattern.NewAccount(from, to)
		err := h.Days(ctx, sites, from, to, func(_ string, d *rollup.PlaceDay) error {
			a.Add(d)
			return nil
		})
		return a, err
	}
	return all, errors.Join(
		ask("heat map of a site's year", 40, func(site string) error {
			a, err := account([]string{site}, from)
			pattern.Week(a.Grid, zone, pattern.Occupied)
			return err
		}),
		ask("figures of a site's year", 20, func(site string) error {
			a, err := account([]string{site}, from)
			a.Figures()
			pattern.PrimeTime(a.Grid, zone)
			return err
		}),
		ask("peaks of a site's year", 20, func(site string) error {
			a, err := account([]string{site}, from)
			pattern.Windows(a.Grid, zone)
			pattern.Peaks(a.Grid, zone)
			return err
		}),
		ask("hours of a site's year", 20, func(site string) error {
			_, err := h.Series(ctx, site, from, to, time.Hour)
			return err
		}),
		ask("heat map of all sites' last four weeks", 5, func(string) error {
			a, err := account(nil, to.AddDate(0, 0, -28))
			pattern.Week(a.Grid, zone, pattern.Occupied)
			return err
		}),
		ask("sessions of a site's year", 10, func(site string) error {
			_, err := h.Sessions(ctx, site, from, to)
			return err
		}),
	)
}

// fill writes days of sites as they would be counted: twenty different ones, in
// turn.
func fill(ctx context.Context, path string, sites, days int, from time.Time) (err error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	const kinds = 20
	first := from.Unix() / 86_400
	for kind := range kinds {
		year := siteYear(uint64(kind), days, from)
		for s := kind; s < sites; s += kinds {
			site := fmt.Sprintf("s%04d", s)
			for p := range portsOfSite {
				if _, err := tx.ExecContext(ctx, `INSERT INTO port(id, owner, station, evse, site, rated_w) VALUES(?, '', ?, ?, ?, 22000)`,
					s*portsOfSite+p+1, fmt.Sprintf("%s-%d", site, p/2), p%2+1, site); err != nil {
					return err
				}
			}
			for d, data := range year {
				if _, err := tx.ExecContext(ctx, `INSERT INTO site_day(site, day, data) VALUES(?, ?, ?)`, site, first+int64(d), data); err != nil {
					return err
				}
			}
		}
	}
	return tx.Commit()
}

// siteYear makes the days of a site whose ports see three sessions a day each.
func siteYear(seed uint64, days int, from time.Time) [][]byte {
	x := rand.New(rand.NewPCG(seed, 9))
	tracks := make([]rollup.Track, portsOfSite)
	end := from.AddDate(0, 0, days)
	for p := range tracks {
		tracks[p] = rollup.Track{Now: end, RatedW: 22_000, Covered: []rollup.Span{{From: from, To: end}}}
		for at := from; at.Before(end); {
			at = at.Add(time.Duration(x.ExpFloat64() * float64(6*time.Hour)))
			for at.Hour() < 6 {
				at = at.Add(time.Hour)
			}
			stay := rollup.Stay{Session: rollup.Session{
				Start: at, End: at.Add(time.Duration((0.2 + x.ExpFloat64()) * float64(2*time.Hour))).Truncate(time.Second), EnergyWh: 40_000 * x.Float64(), Imported: true,
				Token: fmt.Sprintf("%016x", x.Uint64N(500)),
			}}
			tracks[p].Stays = append(tracks[p].Stays, stay)
			at = stay.End
		}
	}
	folded := make([][]rollup.PortDay, len(tracks))
	for p := range tracks {
		folded[p] = rollup.Fold(&tracks[p], from, end)
	}
	out := make([][]byte, days)
	for d := range out {
		var ports []*rollup.PortDay
		for p := range folded {
			ports = append(ports, &folded[p][d])
		}
		out[d] = rollup.Together(ports).Append(nil)
	}
	return out
}

// costOfADay is what counting costs.
type costOfADay struct {
	PortDays   uint64  `json:"portDays"`
	Seconds    float64 `json:"seconds"`
	PerPortDay float64 `json:"msPerPortDay"`
	FleetDay   float64 `json:"secondsForADayOf35000Ports"`
}

// cost counts the whole past of a demo again.
func cost(ctx context.Context, out io.Writer, demo, folder string) (_ *costOfADay, err error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	db, err := coredb.Open(ctx, demo)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	j, err := sqlite.Open(ctx, sqlite.Options{DB: db})
	if err != nil {
		return nil, err
	}
	curves, err := telemetry.Open(ctx, telemetry.Options{Folder: demo})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, curves.Close(ctx)) }()
	h, err := history.Open(ctx, history.Options{Folder: folder, Journal: j, DB: db, Curves: curves})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close(ctx)) }()
	began := time.Now()
	if err := h.Settle(ctx); err != nil {
		return nil, err
	}
	res := &costOfADay{PortDays: h.Stats().Recounted, Seconds: time.Since(began).Seconds()}
	res.PerPortDay = res.Seconds * 1000 / float64(max(1, res.PortDays))
	res.FleetDay = res.PerPortDay * 35
	fmt.Fprintf(out, "\n## Cost\n\n%d days of ports of a demo counted from nothing in %.1f s: %.2f ms each, with states, sessions, measured power, tries and the sums of sites. A day of 35,000 ports costs %.0f s of one core.\n",
		res.PortDays, res.Seconds, res.PerPortDay, res.FleetDay)
	return res, nil
}
