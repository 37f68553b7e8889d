package web

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/usage/pattern"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// Usage is what sites and their ports did, by quarter hours. A nil list of sites
// is all of them.
type Usage interface {
	// Known is the first and last day of which anything is known.
	Known(ctx context.Context, sites []string) (from, to time.Time, err error)
	Ports(ctx context.Context, sites []string) ([]rollup.Port, error)
	Days(ctx context.Context, sites []string, from, to time.Time, yield func(site string, d *rollup.PlaceDay) error) error
	// Waiting is how many days of stations are yet to be counted.
	Waiting() int64
	PortDays(ctx context.Context, ports []rollup.Port, from, to time.Time, yield func(p *rollup.Port, d *rollup.PortDay) error) error
}

//go:embed words/needs.json
var needsWords []byte

const (
	analyticsDefault = 28 * 24 * time.Hour
	analyticsMost    = 3 * 366 * 24 * time.Hour
	analyticsSites   = 500 // that one question may name
	// enoughObserved is how long a place must have been observed before its hours of
	// the week are compared: each of them twice.
	enoughObserved = 14 * 24 * time.Hour
)

// AnalyticsHead says what an answer about usage is of.
type AnalyticsHead struct {
	Zone   string    `json:"zone" doc:"in which hours and days are told"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to" doc:"not included; never in the future"`
	Enough bool      `json:"enough" doc:"false: what is there is told, and needs says what is missing for more"`
	Needs  string    `json:"needs" doc:"empty if there is enough; in the language asked for"`
	// Counting is of all sites: which days wait nobody knows before they are counted.
	Counting int64          `json:"counting" doc:"days of stations that are yet to be counted, at any site; 0: what is told is whole"`
	Known    *IntervalShape `json:"known" doc:"the days of which anything is known at these sites; null: none"`
}

// AnalyticsQuery is what every question about usage has.
type AnalyticsQuery struct {
	Site     string    `query:"site" maxLength:"25000" doc:"several by comma; default: all that the caller may see"`
	From     time.Time `query:"from" doc:"default: 28 days before to"`
	To       time.Time `query:"to" doc:"not included; default: now; at most three years after from"`
	Zone     string    `query:"zone" maxLength:"64" doc:"IANA time zone; default: that of the sites if they share one, else UTC"`
	Language string    `header:"Accept-Language" maxLength:"400"`
}

// inquiry is a question about usage that was checked.
type inquiry struct {
	sites    []string // nil: all
	from, to time.Time
	zone     *time.Location
	language string
	head     AnalyticsHead
}

func (s *Server) registerAnalytics() {
	op := func(id, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: "/analytics/" + path, Tags: []string{"analytics"}, Summary: summary}
	}
	table := func(id, path, summary string) huma.Operation {
		o := op(id, path+".csv", summary)
		o.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
			"text/csv": {Schema: &huma.Schema{Type: "string"}},
		}}}
		return o
	}
	add(s, filtered(AnalyticsRead), op("getOccupancy", "occupancy", "What ports did over time: charging, idle, blocked, broken, not observed"), s.occupancy)
	add(s, filtered(AnalyticsRead), table("exportOccupancy", "occupancy", "The same as a table"), s.exportOccupancy)
	add(s, filtered(AnalyticsRead), op("getHeatmap", "heatmap", "A measure of usage by hour of the day and day of the week"), s.heatmap)
	add(s, filtered(AnalyticsRead), table("exportHeatmap", "heatmap", "The same as a table"), s.exportHeatmap)
	add(s, filtered(AnalyticsRead), op("getPeaks", "peaks", "When most is used, and the highest power of each month"), s.peaks)
	add(s, filtered(AnalyticsRead), table("exportPeaks", "peaks", "The same as a table"), s.exportPeaks)
	add(s, filtered(AnalyticsRead), op("getUsageFigures", "kpis", "How well sites are used: shares, throughput, turnover, durations, tokens, tries"), s.usageFigures)
	add(s, filtered(AnalyticsRead), table("exportUsageFigures", "kpis", "The same as a table, a row for each site"), s.exportUsageFigures)
	add(s, filtered(AnalyticsRead), op("getUptime", "uptime", "For how long ports were fit to serve, by time and not by reports"), s.uptime)
	add(s, filtered(AnalyticsRead), table("exportUptime", "uptime", "The same as a table, a row for each station"), s.exportUptime)
}

// inquire checks a question.
func (s *Server) inquire(ctx context.Context, in *AnalyticsQuery) (*inquiry, error) {
	if s.o.Usage == nil {
		return nil, problemf(http.StatusNotImplemented, "this server keeps no history of usage")
	}
	faults := make(map[string]string)
	q := &inquiry{from: in.From.UTC(), to: in.To.UTC(), language: preferred(in.Language)}
	if now := s.now().UTC(); in.To.IsZero() || in.To.After(now) {
		q.to = now
	}
	if in.From.IsZero() {
		q.from = q.to.Add(-analyticsDefault)
	}
	switch {
	case !q.from.Before(q.to):
		faults["from"] = "must be before to, and not in the future"
	case q.to.Sub(q.from) > analyticsMost:
		faults["from"] = "must be at most three years before to"
	}
	allowed := scope(ctx, AnalyticsRead)
	if asked := split(in.Site); len(asked) > analyticsSites {
		faults["site"] = "at most 500 sites"
	} else if len(asked) > 0 {
		q.sites = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(asked))), func(id string) bool { return !allowed.Allows(id) })
		if q.sites == nil {
			q.sites = []string{}
		}
	} else {
		q.sites = allowed.sitesOrNil()
	}
	zone := cmp.Or(in.Zone, s.zoneOf(q.sites))
	var err error
	if q.zone, err = time.LoadLocation(zone); err != nil || zone == "Local" {
		faults["zone"] = "is no time zone of the IANA list"
	}
	if len(faults) > 0 {
		m := problemf(http.StatusUnprocessableEntity, "validation failed")
		for name, text := range faults {
			m.Errors = append(m.Errors, &huma.ErrorDetail{Message: text, Location: "query." + name})
		}
		return nil, m
	}
	q.head = AnalyticsHead{Zone: cmp.Or(zone, "UTC"), From: q.from, To: q.to, Enough: true, Counting: s.o.Usage.Waiting()}
	first, last, err := s.o.Usage.Known(ctx, q.sites)
	if err != nil {
		return nil, err
	}
	switch {
	case first.IsZero():
		q.lacks("anything")
	case !first.Before(q.to) || !last.After(q.from):
		q.lacks("known")
	}
	if !first.IsZero() {
		if now := s.now(); last.After(now) {
			last = now
		}
		q.head.Known = &IntervalShape{From: first, To: last.UTC()}
	}
	return q, nil
}

// zoneOf is the zone that sites share, empty if there is none.
func (s *Server) zoneOf(sites []string) string {
	zone := ""
	if sites == nil {
		for i, site := range s.o.Store.Sites() {
			if i > 0 && site.TimeZone != zone {
				return ""
			}
			zone = site.TimeZone
		}
		return zone
	}
	for i, id := range sites {
		site, _ := s.o.Store.Site(id)
		if site == nil || i > 0 && site.TimeZone != zone {
			return ""
		}
		zone = site.TimeZone
	}
	return zone
}

// lacks says what is missing, unless something else was.
func (q *inquiry) lacks(what string, args ...any) {
	if !q.head.Enough {
		return
	}
	var words map[string]map[string]string
	if err := json.Unmarshal(needsWords, &words); err != nil {
		panic("web: the embedded words cannot be read: " + err.Error()) // a test reads them
	}
	text := words[q.language][what]
	if text == "" {
		text = words["en"][what]
	}
	if len(args) > 0 {
		text = fmt.Sprintf(text, args...)
	}
	q.head.Enough, q.head.Needs = false, text
}

// observed says whether the hours of the week can be compared.
func (q *inquiry) observed(g *rollup.Grid) {
	if d := pattern.Observed(g); d < enoughObserved {
		q.lacks("days", strconv.Itoa(int(d/(24*time.Hour))))
	}
}

// account adds up the days of all sites asked for.
func (s *Server) account(ctx context.Context, q *inquiry) (*pattern.Account, error) {
	a := pattern.NewAccount(q.from, q.to)
	err := s.o.Usage.Days(ctx, q.sites, q.from, q.to, func(_ string, d *rollup.PlaceDay) error {
		a.Add(d)
		return nil
	})
	return a, err
}

// known is a number, null where it is not.
func known(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// figure writes a number for a spreadsheet, to so many digits behind the point.
func figure(v *float64, digits int) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', digits, 64)
}

// usageSite is a site's name, empty for what has no site.
func (s *Server) usageSite(id string) string { return cmp.Or(s.siteName(id), id) }

// usageStation is a station's label, or the name an import has for it.
func (s *Server) usageStation(id string) string { return cmp.Or(s.stationLabel(id), id) }

// stationKey names a station of a site; those of imports are named by their site
// only.
func stationKey(p *rollup.Port) string { return p.Site + "/" + p.Station }

// powerClass sorts ports by what they deliver.
func powerClass(w float64) (key, name string) {
	for _, kw := range []float64{3.7, 7.4, 11, 22, 50, 150, 350} {
		if w > 0 && w <= kw*1000+1 {
			text := strconv.FormatFloat(kw, 'f', -1, 64)
			return text, "≤ " + text + " kW"
		}
	}
	if w > 0 {
		return "more", "> 350 kW"
	}
	return "unknown", ""
}

// csvFile is a table to save.
func csvFile(name string, q *AnalyticsHead, body []byte) *csvOutput {
	return &csvOutput{
		Type:        "text/csv; charset=utf-8",
		Disposition: `attachment; filename="` + strings.Join([]string{name, q.From.Format(time.DateOnly), q.To.Format(time.DateOnly)}, "-") + `.csv"`,
		Body:        body,
	}
}
