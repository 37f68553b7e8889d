package web

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"slices"
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/expand"
	"github.com/chargewatch/chargewatch/internal/store"
)

// RankShape is a site in the order of need.
type RankShape struct {
	expand.Rank
	SiteName string `json:"siteName"`
	Missing  string `json:"missing" doc:"what is missing for an answer, in words; empty: nothing"`
}

// RankingAnswer is the order in which sites need ports.
type RankingAnswer struct {
	AsOf    *time.Time  `json:"asOf" doc:"when the oldest of it was found"`
	Pending int         `json:"pending" doc:"sites that are still being placed"`
	Promise string      `json:"promise" doc:"what is promised to drivers, in words"`
	Items   []RankShape `json:"items" doc:"most need first; those without enough data last"`
}

type (
	rankingInput struct {
		Wait     string `query:"wait" maxLength:"10" default:"10s" doc:"how long to wait for sites that are not placed yet; at most 60s"`
		Language string `header:"Accept-Language"`
	}
	rankingOutput struct{ Body RankingAnswer }

	quickInput struct {
		Site            string  `query:"site" required:"true" maxLength:"48"`
		AddPorts        int     `query:"addPorts" minimum:"-50" maximum:"100"`
		PatienceMinutes float64 `query:"patienceMinutes" default:"10" minimum:"0" maximum:"1440"`
		PromiseMinutes  float64 `query:"promiseMinutes" default:"5" minimum:"0" maximum:"240"`
		GrowthPercent   float64 `query:"growthPercent" minimum:"-90" maximum:"900" doc:"more demand than now"`
		CapKW           float64 `query:"capKw" minimum:"0" maximum:"100000" doc:"0: not limited"`
		Language        string  `header:"Accept-Language"`
	}
	// QuickShape is what a formula says of a site at its busiest hours.
	QuickShape struct {
		Enough  bool                 `json:"enough"`
		Missing string               `json:"missing" doc:"what is missing for an answer, in words; empty: nothing"`
		Now     *expand.QuickAnswer  `json:"now" doc:"the site as it is; null: not enough is known"`
		Then    *expand.QuickAnswer  `json:"then" doc:"with the changes that are asked about"`
		Steps   []expand.QuickAnswer `json:"steps" doc:"the same with 0 to 8 more ports"`
	}
	quickOutput struct{ Body QuickShape }
)

func (s *Server) quickExpansion(ctx context.Context, in *quickInput) (*quickOutput, error) {
	if s.o.Studies == nil {
		return nil, errNoStudies
	}
	if !s.seesSite(ctx, AnalyticsRead, in.Site) {
		return nil, errNoSite
	}
	k, err := s.o.Studies.Quick(ctx, in.Site)
	if err != nil {
		return nil, err
	}
	out := &quickOutput{Body: QuickShape{Enough: k.Enough, Steps: []expand.QuickAnswer{}}}
	if !k.Enough {
		out.Body.Missing = missing(k.Needs, in.Language)
		return out, nil
	}
	ask := expand.Ask{PatienceMinutes: in.PatienceMinutes, PromiseMinutes: in.PromiseMinutes, CapKW: in.CapKW}
	now := k.Answer(ask)
	ask.GrowthPercent = in.GrowthPercent
	for n := range 9 {
		ask.AddPorts = n
		out.Body.Steps = append(out.Body.Steps, k.Answer(ask))
	}
	ask.AddPorts = in.AddPorts
	then := k.Answer(ask)
	out.Body.Now, out.Body.Then = &now, &then
	return out, nil
}

func missing(n *expand.Needs, language string) string {
	if n == nil {
		return ""
	}
	return n.Say(expand.Language(preferred(language)))
}

func (s *Server) expansionRanking(ctx context.Context, in *rankingInput) (*rankingOutput, error) {
	if s.o.Studies == nil {
		return nil, errNoStudies
	}
	wait, err := patience(in.Wait)
	if err != nil {
		return nil, err
	}
	limited, done := context.WithTimeout(ctx, wait)
	defer done()
	allowed := scope(ctx, AnalyticsRead)
	var sites []string
	for _, x := range s.o.Store.Sites() {
		if allowed.Allows(x.ID) {
			sites = append(sites, x.ID)
		}
	}
	places, asOf, left := s.o.Studies.Ranking(limited, sites)
	out := &rankingOutput{Body: RankingAnswer{AsOf: instant(asOf), Pending: left, Promise: expand.Promise(expand.Language(preferred(in.Language))), Items: make([]RankShape, 0, len(places))}}
	for _, r := range places {
		out.Body.Items = append(out.Body.Items, RankShape{Rank: r, SiteName: s.siteName(r.Site), Missing: missing(r.Needs, in.Language)})
	}
	slices.SortFunc(out.Body.Items, func(a, b RankShape) int { return cmp.Or(a.Before(&b.Rank), cmp.Compare(a.Site, b.Site)) })
	return out, nil
}

func (s *Server) exportRanking(ctx context.Context, in *rankingInput) (*csvOutput, error) {
	answer, err := s.expansionRanking(ctx, in)
	if err != nil {
		return nil, err
	}
	return table("ranking-"+s.now().UTC().Format(time.DateOnly), func(row func(...string)) {
		row("place", "site", "name", "enough", "missing", "ports", "lostPerWeek", "censoredPercent", "allBusyHoursPerWeek", "brokenPercent", "addPorts",
			"perWeek", "utilisationPercent", "formulaHolds", "neededNow", "neededEarly", "needed", "neededLate")
		for i := range answer.Body.Items {
			r := &answer.Body.Items[i]
			add, now, early, middle, late := "", "", "", "", ""
			if r.AddPorts != nil {
				add = strconv.Itoa(*r.AddPorts)
			}
			if t := r.Trigger; t != nil {
				now, early, middle, late = strconv.FormatBool(t.Now), day(t.Early), day(t.Middle), day(t.Late)
			}
			row(strconv.Itoa(i+1), r.Site, cell(r.SiteName), strconv.FormatBool(r.Enough), r.Missing, strconv.Itoa(r.Ports), fine(r.LostPerWeek), fine(r.CensoredPercent),
				fine(r.AllBusyHours), fine(r.BrokenPercent), add, fine(r.PerWeek), fine(r.Utilisation), strconv.FormatBool(r.InRange), now, early, middle, late)
		}
	}), nil
}

func (s *Server) exportExpansion(ctx context.Context, in *expansionInput) (*csvOutput, error) {
	x, err := s.study(ctx, AnalyticsRead, in.ID)
	if err != nil {
		return nil, err
	}
	return s.outcomes(ctx, x, in.Language)
}

func (s *Server) exportSiteExpansion(ctx context.Context, in *siteExpansionInput) (*csvOutput, error) {
	out, err := s.siteExpansion(ctx, in)
	if err != nil {
		return nil, err
	}
	x, err := s.study(ctx, AnalyticsRead, out.Body.ID)
	if err != nil {
		return nil, err
	}
	return s.outcomes(ctx, x, in.Language)
}

// outcomes is a plan as a table: a row for each scenario, with intervals.
func (s *Server) outcomes(ctx context.Context, x *store.Study, language string) (*csvOutput, error) {
	shape, err := s.expansionShape(who(ctx), x, language)
	if err != nil {
		return nil, err
	}
	return table("plan-"+x.ID, func(row func(...string)) {
		head := []string{"scenario", "comparedWith", "ports", "waitP95Minutes"}
		for _, name := range []string{
			"waitMinutes", "brokenPercent", "lostPercent", "lostPerWeek", "servedPerWeek", "kwhPerWeek", "unservedKwhPerWeek", "utilisationPercent",
			"allBusyHoursPerWeek", "peakKw", "moreServedPerWeek", "moreKwhPerWeek", "revenuePerMonth", "gainPerMonth", "gainPerPortMonth",
		} {
			head = append(head, name, name+"Low", name+"High")
		}
		row(append(head, "paybackMonths", "paybackMonthsLow", "paybackMonthsHigh")...)
		if shape.Result == nil {
			return
		}
		for i := range shape.Result.Outcomes {
			o := &shape.Result.Outcomes[i]
			line := []string{cell(shape.Titles[i]), cell(shape.Titles[o.Against]), strconv.Itoa(o.Ports), fine(o.WaitP95)}
			for _, v := range []*expand.Interval{
				&o.WaitMinutes, &o.BrokenPercent, &o.LostPercent, &o.LostPerWeek, &o.ServedPerWeek, &o.KWhPerWeek, &o.UnservedKWh, &o.Utilisation,
				&o.AllBusyHours, &o.PeakKW, o.MoreServed, o.MoreKWh, o.Revenue, o.Gain, o.GainPerPort,
			} {
				if v == nil {
					line = append(line, "", "", "")
				} else {
					line = append(line, fine(v.Mean), fine(v.Low), fine(v.High))
				}
			}
			if p := o.Payback; p != nil {
				line = append(line, fineOrNone(p.Months), fineOrNone(p.Low), fineOrNone(p.High))
			} else {
				line = append(line, "", "", "")
			}
			row(line...)
		}
	}), nil
}

// table writes rows for a spreadsheet.
func table(name string, write func(row func(...string))) *csvOutput {
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	write(func(cells ...string) { _ = w.Write(cells) }) // a buffer takes everything
	w.Flush()
	return &csvOutput{Type: "text/csv; charset=utf-8", Disposition: `attachment; filename="` + name + `.csv"`, Body: buf.Bytes()}
}

func fine(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }

func fineOrNone(v *float64) string {
	if v == nil {
		return ""
	}
	return fine(*v)
}

func day(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.DateOnly)
}
