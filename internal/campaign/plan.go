package campaign

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/week"
)

// Plan says at which stations, what, and how carefully.
type Plan struct {
	Kind   string          `json:"kind" minLength:"1" maxLength:"32" doc:"of work, such as command"`
	Params json.RawMessage `json:"params,omitempty" doc:"what the kind of work needs; for command: action and payload"`
	Name   string          `json:"name,omitempty" maxLength:"100"`
	Cohort Cohort          `json:"cohort"`
	Canary Canary          `json:"canary,omitzero"`
	Pace   Pace            `json:"pace,omitzero"`
	StopOn StopOn          `json:"stopOn,omitzero"`
	// NotBefore and Window say when work may begin.
	NotBefore *time.Time `json:"notBefore,omitempty" doc:"nothing begins earlier"`
	Window    *Window    `json:"window,omitempty" doc:"of the day, by the clock of the site; work begins only within it"`
	WhenIdle  bool       `json:"whenIdle,omitempty" doc:"a station with a session is waited for"`
	Retries   int        `json:"retries,omitempty" minimum:"0" maximum:"10" doc:"further tries at a station where it failed"`
	// GiveUpAfterSeconds is how long stations that are away or busy are waited for.
	GiveUpAfterSeconds int `json:"giveUpAfterSeconds,omitempty" minimum:"0" maximum:"2592000" doc:"how long stations that are offline or busy are waited for, from the begin of the campaign; 0: an hour"`
	Expect             int `json:"expect,omitempty" minimum:"0" doc:"how many stations somebody confirmed; it is not started for more"`
}

// Cohort chooses stations: those that all of it fits.
type Cohort struct {
	Everything       bool      `json:"everything,omitempty" doc:"has to be said where nothing else narrows it"`
	Stations         []string  `json:"stations,omitempty" maxItems:"20000" doc:"ids"`
	Sites            []string  `json:"sites,omitempty" maxItems:"1000" doc:"at one of them"`
	Tags             []string  `json:"tags,omitempty" maxItems:"20" doc:"with all of them; case does not count"`
	Vendor           string    `json:"vendor,omitempty" maxLength:"100" doc:"case does not count"`
	Model            string    `json:"model,omitempty" maxLength:"100" doc:"begins so; case does not count"`
	Firmware         *Firmware `json:"firmware,omitempty"`
	Protocols        []string  `json:"protocols,omitempty" maxItems:"5" doc:"ocpp1.6, ocpp2.0.1, ocpp2.1"`
	SecurityProfiles []int     `json:"securityProfiles,omitempty" maxItems:"4" doc:"0 to 3"`
	Online           *bool     `json:"online,omitempty"`
}

// Firmware compares the firmware of a station with a version.
type Firmware struct {
	Is      string `json:"is" enum:"equal,not,below"`
	Version string `json:"version" minLength:"1" maxLength:"100"`
}

// Canary is how many go first and for how long they are watched.
type Canary struct {
	Count       int `json:"count,omitempty" minimum:"0" maximum:"1000" doc:"0: none"`
	WaitSeconds int `json:"waitSeconds,omitempty" minimum:"0" maximum:"604800"`
}

// Pace is how fast work begins.
type Pace struct {
	PerMinute float64 `json:"perMinute,omitempty" minimum:"0" maximum:"6000" doc:"stations; 0: 30"`
	AtOnce    int     `json:"atOnce,omitempty" minimum:"0" maximum:"500" doc:"stations; 0: 10"`
	PerSite   int     `json:"perSite,omitempty" minimum:"0" maximum:"500" doc:"of them at one site; 0: 1"`
}

// StopOn is when a campaign stops by itself. Stations of which the outcome is not
// known count as failed.
type StopOn struct {
	Failed        int     `json:"failed,omitempty" minimum:"0" maximum:"20000" doc:"so many stations; 0: no matter how many"`
	FailedPercent float64 `json:"failedPercent,omitempty" minimum:"0" maximum:"100" doc:"of those that were tried; 0: no matter how many"`
	After         int     `json:"after,omitempty" minimum:"0" maximum:"20000" doc:"the share counts from so many tried on; 0: 10"`
}

// Window is a time of each day; one that ends before its begin goes into the next.
type Window struct {
	From string `json:"from" pattern:"^[0-2][0-9]:[0-5][0-9]$"`
	To   string `json:"to" pattern:"^[0-2][0-9]:[0-5][0-9]$"`
}

const (
	giveUpUsual  = time.Hour
	maxParams    = 64 << 10
	examples     = 20
	leftExamples = 5
	groups       = 50
)

func (p *Plan) check() error {
	bad := func(field, reason string) error { return &store.InvalidError{Field: field, Reason: reason} }
	c := &p.Cohort
	switch {
	case len(p.Params) > maxParams:
		return bad("params", "at most 64 KiB")
	case utf8.RuneCountInString(p.Name) > 100 || strings.ContainsFunc(p.Name, unicode.IsControl):
		return bad("name", "at most 100 printable characters")
	case !c.Everything && len(c.Stations)+len(c.Sites)+len(c.Tags)+len(c.Protocols)+len(c.SecurityProfiles) == 0 && c.Vendor == "" && c.Model == "" && c.Firmware == nil && c.Online == nil:
		return bad("cohort", "say everything if all stations are meant")
	case p.Window != nil && p.Window.spans() == nil:
		return bad("window", "two different times of the day like 22:00")
	case p.Canary.Count < 0 || p.Canary.WaitSeconds < 0 || p.Pace.PerMinute < 0 || p.Pace.AtOnce < 0 || p.Pace.PerSite < 0 || p.StopOn.Failed < 0 || p.StopOn.FailedPercent < 0 || p.StopOn.After < 0 || p.Retries < 0 || p.GiveUpAfterSeconds < 0:
		return bad("pace", "not below 0")
	}
	p.Pace.PerMinute = min(cmp.Or(p.Pace.PerMinute, 30), 6000)
	p.Pace.AtOnce = min(cmp.Or(p.Pace.AtOnce, 10), 500)
	p.Pace.PerSite = cmp.Or(p.Pace.PerSite, 1)
	p.StopOn.After = cmp.Or(p.StopOn.After, 10)
	p.GiveUpAfterSeconds = cmp.Or(p.GiveUpAfterSeconds, int(giveUpUsual/time.Second))
	return nil
}

func (w *Window) spans() []week.Span {
	from, ok := week.Minute(w.From)
	to, ok2 := week.Minute(w.To)
	if !ok || !ok2 || from == to || from >= week.MinutesOfDay {
		return nil
	}
	return []week.Span{{Days: week.Every, From: from, To: to}}
}

func (c *Cohort) matches(x *Station, named map[string]bool) bool {
	switch {
	case len(c.Stations) > 0 && !named[x.ID],
		len(c.Sites) > 0 && !slices.Contains(c.Sites, x.Site),
		c.Vendor != "" && !strings.EqualFold(c.Vendor, x.Vendor),
		c.Model != "" && !hasPrefixFold(x.Model, c.Model),
		c.Firmware != nil && !c.Firmware.matches(x.Firmware),
		len(c.Protocols) > 0 && !slices.Contains(c.Protocols, x.Protocol),
		len(c.SecurityProfiles) > 0 && !slices.Contains(c.SecurityProfiles, x.SecurityProfile),
		c.Online != nil && *c.Online != x.Online:
		return false
	}
	for _, tag := range c.Tags {
		if !slices.ContainsFunc(x.Tags, func(t string) bool { return strings.EqualFold(t, tag) }) {
			return false
		}
	}
	return true
}

func hasPrefixFold(text, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
}

func (f *Firmware) matches(version string) bool {
	switch f.Is {
	case "not":
		return version != f.Version
	case "below":
		return version != "" && compareVersions(version, f.Version) < 0
	}
	return version == f.Version
}

// compareVersions compares piece by piece, numbers as numbers: 1.9 is below 1.10.
func compareVersions(a, b string) int {
	for a != "" || b != "" {
		var x, y string
		x, a = piece(a)
		y, b = piece(b)
		if isDigit(x) && isDigit(y) {
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if n := cmp.Compare(len(x), len(y)); n != 0 {
				return n
			}
		}
		if n := strings.Compare(x, y); n != 0 {
			return n
		}
	}
	return 0
}

// piece cuts what is all digits, or has none, from the front of a version.
func piece(v string) (string, string) {
	if v == "" {
		return "", ""
	}
	n := 1
	for n < len(v) && isDigit(v[n:]) == isDigit(v) {
		n++
	}
	return v[:n], v[n:]
}

func isDigit(v string) bool { return v != "" && v[0] >= '0' && v[0] <= '9' }

// LeftOut counts stations of a cohort that are not worked on.
type LeftOut struct {
	Reason   string   `json:"reason" doc:"notPermitted, notAccepted, notFound, neverConnected, relayed, notSupported or a word of the kind of work"`
	Count    int      `json:"count"`
	Examples []string `json:"examples"`
}

// Group counts stations that have something in common.
type Group struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Preview is what a campaign would do if it were started now.
type Preview struct {
	Stations   int       `json:"stations" doc:"that would be worked on"`
	Online     int       `json:"online"`
	InSession  int       `json:"inSession" doc:"with a session now"`
	Disturbs   bool      `json:"disturbs" doc:"drivers may notice it"`
	ByModel    []Group   `json:"byModel" doc:"at most 50, the most frequent first"`
	ByFirmware []Group   `json:"byFirmware"`
	BySite     []Group   `json:"bySite" doc:"ids"`
	LeftOut    []LeftOut `json:"leftOut"`
	Examples   []string  `json:"examples" doc:"ids of the first 20, in the order of work"`
}

// Preview says what a campaign would do if it were started now.
func (s *Service) Preview(ctx context.Context, by By, plan Plan) (*Preview, error) {
	if err := s.check(&plan); err != nil {
		return nil, err
	}
	chosen, left, err := s.choose(ctx, by, &plan)
	if err != nil {
		return nil, err
	}
	out := &Preview{Stations: len(chosen), LeftOut: left, Examples: []string{}}
	if d, ok := s.kinds[plan.Kind].(Disturbing); ok {
		out.Disturbs = d.Disturbs(plan.Params)
	}
	models, versions, sites := make(map[string]int), make(map[string]int), make(map[string]int)
	for i, x := range spread(chosen) {
		models[strings.TrimSpace(x.Vendor+" "+x.Model)]++
		versions[x.Firmware]++
		sites[x.Site]++
		if x.Online {
			out.Online++
		}
		if x.InSession {
			out.InSession++
		}
		if i < examples {
			out.Examples = append(out.Examples, x.ID)
		}
	}
	out.ByModel, out.ByFirmware, out.BySite = ranked(models), ranked(versions), ranked(sites)
	return out, nil
}

func ranked(counts map[string]int) []Group {
	out := make([]Group, 0, len(counts))
	for name, n := range counts {
		out = append(out, Group{name, n})
	}
	slices.SortFunc(out, func(a, b Group) int { return cmp.Or(b.Count-a.Count, strings.Compare(a.Name, b.Name)) })
	return out[:min(len(out), groups)]
}

// choose is who is worked on, by id, and who of the cohort is not.
func (s *Service) choose(ctx context.Context, by By, plan *Plan) (chosen []Station, left []LeftOut, err error) {
	named := make(map[string]bool, len(plan.Cohort.Stations))
	for _, id := range plan.Cohort.Stations {
		named[id] = true
	}
	found := make(map[string]bool, len(named))
	out := make(map[string]*LeftOut)
	leave := func(reason, id string) {
		l := out[reason]
		if l == nil {
			l = &LeftOut{Reason: reason, Examples: []string{}}
			out[reason] = l
		}
		if l.Count++; len(l.Examples) < leftExamples {
			l.Examples = append(l.Examples, id)
		}
	}
	k := s.kinds[plan.Kind]
	for x := range s.o.Fleet.Stations() {
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		if !by.Sees(x.Site) || !plan.Cohort.matches(&x, named) {
			continue
		}
		found[x.ID] = true
		reason := ""
		switch {
		case !by.May(x.Site):
			reason = "notPermitted"
		case !x.Accepted:
			reason = "notAccepted"
		default:
			reason = k.Fits(ctx, x.ID, plan.Params)
		}
		if reason != "" {
			leave(reason, x.ID)
			continue
		}
		if chosen = append(chosen, x); len(chosen) > store.MaxCampaignStations {
			return nil, nil, &store.InvalidError{Field: "cohort", Reason: "at most 20000 stations"}
		}
	}
	for _, id := range plan.Cohort.Stations {
		if !found[id] && named[id] && len(plan.Cohort.Stations) > 0 && !s.narrowed(by, plan, id) {
			leave("notFound", id)
		}
		named[id] = false // counted once
	}
	left = make([]LeftOut, 0, len(out))
	for _, l := range out {
		slices.Sort(l.Examples)
		left = append(left, *l)
	}
	slices.SortFunc(left, func(a, b LeftOut) int { return cmp.Or(b.Count-a.Count, strings.Compare(a.Reason, b.Reason)) })
	slices.SortFunc(chosen, func(a, b Station) int { return strings.Compare(a.ID, b.ID) })
	return chosen, left, nil
}

// narrowed reports whether a station that was named is there, and something else of the
// cohort does not fit it.
func (s *Service) narrowed(by By, plan *Plan, id string) bool {
	x, ok := s.o.Fleet.Station(id)
	return ok && by.Sees(x.Site) && !plan.Cohort.matches(&x, map[string]bool{id: true})
}

// spread orders stations so that those of a site stand far from each other.
func spread(by []Station) []Station {
	ofSite := make(map[string][]Station)
	var sites []string
	for _, x := range by {
		if _, ok := ofSite[x.Site]; !ok {
			sites = append(sites, x.Site)
		}
		ofSite[x.Site] = append(ofSite[x.Site], x)
	}
	slices.Sort(sites)
	out := make([]Station, 0, len(by))
	for round := 0; len(out) < len(by); round++ {
		for _, site := range sites {
			if list := ofSite[site]; round < len(list) {
				out = append(out, list[round])
			}
		}
	}
	return out
}
