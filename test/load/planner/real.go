package main

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/demand"
	"github.com/chargewatch/chargewatch/internal/planning/simulate"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// real is the time at which all posts of a group of a site were busy, 09 to 20 h.
type real struct {
	Group    string  `json:"group"`
	Posts    int     `json:"carsAtOnce"`
	Quarter  string  `json:"quarter"`
	Fit      string  `json:"fit"` // own: from the quarter itself; before: from what was before it
	Observed float64 `json:"observedPercent"`
	Says     float64 `json:"predictedPercent"`
	Off      float64 `json:"offPoints"`
	Bar      float64 `json:"barPoints"`
	Sessions int     `json:"sessions"`
}

// group is posts of one kind at one site.
type group struct {
	site, model string
	judged      bool // the groups that the bars speak of
}

type visit struct {
	site, model, post, connector string
	from, to                     time.Time
	kWh                          float64
}

func dundee(dir string) (out []visit, err error) {
	f, err := os.Open(filepath.Join(dir, "dundee", "sessions.csv"))
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r := csv.NewReader(f)
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("data: %w", err)
		}
		field := func(name string) string { return rec[slices.Index(head, name)] }
		switch field("flag") {
		case "no_end", "end_before_start", "no_station", "zero_duration":
			continue
		}
		v := visit{site: field("site"), model: field("model"), post: field("cp_id"), connector: field("connector")}
		var e1, e2, e3 error
		v.from, e1 = time.Parse(time.RFC3339, field("start_utc"))
		v.to, e2 = time.Parse(time.RFC3339, field("end_utc"))
		v.kWh, e3 = strconv.ParseFloat(field("energy_kwh"), 64)
		if err := errors.Join(e1, e2, e3); err != nil {
			return nil, fmt.Errorf("data: %w", err)
		}
		out = append(out, v)
	}
}

var quarters = []struct{ name, from, to string }{
	{"2018 Q2", "2018-04-01", "2018-07-01"},
	{"2018 Q3", "2018-07-01", "2018-09-06"},
}

func (res *result) predict(to io.Writer, dir string) error {
	all, err := dundee(dir)
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		return fmt.Errorf("zone: %w", err)
	}
	day := func(s string) time.Time {
		t, _ := time.ParseInLocation(time.DateOnly, s, zone) // constants
		return t
	}
	known := day("2018-03-05")
	fmt.Fprintf(to, "\n## All posts busy, Dundee, 09 to 20 h\n\nIn the first four groups, those of the notes that the bars come from, a busy plug counts against a post; in the others an outlet for two serves two. own: rates from the quarter itself; before: from 2018-03-05 up to it (Q2: four weeks). Bars: 3 points at four posts, 6 at one.\n\n| group | cars at once | quarter | rates | sessions | observed, %% | plan says, %% | off, points | |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, g := range groupsOf(all, known) {
		posts, visits := g.of(all)
		cars := len(posts)
		if !g.judged && strings.Contains(g.model, "Dual Outlet") {
			cars *= 2
		}
		for _, q := range quarters {
			from, until := day(q.from), day(q.to)
			observed := busyShare(visits, cars, from, until, zone)
			for _, fit := range []string{"own", "before"} {
				in := demand.Input{Zone: zone, From: from, To: until}
				if fit == "before" {
					in.From, in.To = known, from
				}
				x := real{Group: g.String(), Posts: cars, Quarter: q.name, Fit: fit, Observed: 100 * observed, Bar: 6}
				if x.Posts >= 4 {
					x.Bar = 3
				}
				if x.Says, x.Sessions, err = g.simulated(in, visits, cars); err != nil {
					return err
				}
				if x.Off = x.Says - x.Observed; x.Sessions == 0 {
					continue
				}
				res.Real = append(res.Real, x)
				note := "no bar"
				if g.judged {
					note = verdict(math.Abs(x.Off) <= x.Bar)
				}
				fmt.Fprintf(to, "| %s | %d | %s | %s | %d | %.1f | %.1f | %+.1f | %s |\n", x.Group, x.Posts, x.Quarter, x.Fit, x.Sessions, x.Observed, x.Says, x.Off, note)
			}
		}
	}
	return nil
}

func (g group) String() string {
	site, _, _ := strings.Cut(g.site, ",")
	return site + ", " + g.model
}

// groupsOf are posts of one model at one site with at least six sessions a week.
func groupsOf(all []visit, from time.Time) []group {
	count := make(map[group]int)
	for _, v := range all {
		if v.from.After(from) {
			count[group{site: v.site, model: v.model}]++
		}
	}
	var out []group
	for g, n := range count {
		if n < 6*26 {
			continue
		}
		// The groups of the notes that the bars come from.
		for _, judged := range []group{
			{site: "Lochee Charging Hub", model: "APT 50kW Raption"}, {site: "Lochee Charging Hub", model: "APT 22kW Dual Outlet"},
			{site: "Queen Street Car Park", model: "APT Triple Rapid Charger"}, {site: "Greenmarket Multi", model: "APT Dual Rapid Charger"},
		} {
			g.judged = g.judged || strings.HasPrefix(g.site, judged.site) && g.model == judged.model
		}
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b group) int {
		if a.judged != b.judged {
			return map[bool]int{true: -1, false: 1}[a.judged]
		}
		return cmp.Or(strings.Compare(a.site, b.site), strings.Compare(a.model, b.model))
	})
	return out
}

func (g group) of(all []visit) (posts []string, visits []visit) {
	for _, v := range all {
		if v.site == g.site && v.model == g.model {
			visits = append(visits, v)
			if !slices.Contains(posts, v.post) {
				posts = append(posts, v.post)
			}
		}
	}
	return posts, visits
}

// peak reports whether an hour is one in which busy time is compared.
func peak(hour int) bool { return hour >= 9 && hour < 20 }

// busyShare is the share of time at which at least as many plugs were busy as
// there are posts, minute by minute.
func busyShare(visits []visit, posts int, from, to time.Time, zone *time.Location) float64 {
	minutes := int(to.Sub(from).Minutes())
	change := make([]int, minutes+1)
	for _, v := range visits {
		a, b := int(v.from.Sub(from).Minutes()), int(v.to.Sub(from).Minutes())
		if a, b = max(0, a), min(minutes, b); a < b {
			change[a]++
			change[b]--
		}
	}
	busy, all, n := 0, 0, 0
	for m := range minutes {
		n += change[m]
		if peak(from.Add(time.Duration(m) * time.Minute).In(zone).Hour()) {
			all++
			if n >= posts {
				busy++
			}
		}
	}
	return float64(busy) / float64(all)
}

// simulated is what a plan of the group says of the same hours, with what is
// usually assumed of drivers.
func (g group) simulated(in demand.Input, visits []visit, posts int) (share float64, sessions int, err error) {
	kind := simulate.AC
	for _, name := range []string{"50kW", "Rapid"} {
		if strings.Contains(g.model, name) {
			kind = simulate.DC
		}
	}
	for _, v := range visits {
		n, err := strconv.Atoi(v.connector)
		if err != nil {
			return 0, 0, fmt.Errorf("data: %w", err)
		}
		s := rollup.Session{Station: v.post, EVSE: n, Start: v.from, End: v.to, EnergyWh: 1000 * v.kWh, Imported: true}
		in.Sessions = append(in.Sessions, s)
		if !slices.ContainsFunc(in.Ports, func(p demand.Port) bool { return p.Station == s.Station && p.EVSE == s.EVSE }) {
			in.Ports = append(in.Ports, demand.Port{Station: s.Station, EVSE: s.EVSE, Kind: kind, Shared: "posts", Serves: posts})
		}
	}
	for t := in.From; t.Before(in.To); t = t.Add(time.Hour) {
		in.Points = append(in.Points, rollup.Point{From: t, Ports: len(in.Ports)})
	}
	e := demand.New(in)
	run := simulate.Run{
		Demand: simulate.Demand{DayVariance: e.DayVariance, HourVariance: e.HourVariance}, Hours: 40 * demand.Week, WarmUp: 168, Seed: 5,
		Scenario: simulate.Scenario{
			Site:      simulate.Site{Modules: []simulate.Module{{Cars: posts}}},
			Behaviour: simulate.Behaviour{Patience: 10.0 / 60},
		},
	}
	for range in.Ports {
		run.Scenario.Site.Ports = append(run.Scenario.Site.Ports, simulate.Port{Kind: kind})
	}
	if e.Wishes[0].Empty() {
		return 0, 0, nil
	}
	run.Demand.Classes = []simulate.Class{{Kind: kind, Rate: e.Rates[0].PerHour, Draw: e.Wishes[0].Draw}}
	var busy, all float64
	for rep := range uint64(5) {
		out, err := run.Replicate(rep)
		if err != nil {
			return 0, 0, fmt.Errorf("simulate %s: %w", g, err)
		}
		for h := range out.ByHour {
			if peak(h % 24) {
				busy += out.ByHour[h].AllBusy
				all += out.ByHour[h].Hours
			}
		}
	}
	return 100 * busy / all, e.Sessions, nil
}
