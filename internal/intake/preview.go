package intake

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/usage/past"
)

// Settings is how a file is read and where its sites go.
type Settings struct {
	Mapping past.Mapping `json:"mapping"`
	// Sites says for a name in the file which site it is.
	Sites map[string]Place `json:"sites"`
	// Site is the place of rows that name none.
	Site Place `json:"site"`
}

// Place is where sessions of a file go.
type Place struct {
	SiteID string `json:"siteId,omitempty"`
	Create bool   `json:"create,omitempty"` // as a new site
	Leave  bool   `json:"leave,omitempty"`  // they are left out
}

func (p Place) said() bool { return p.SiteID != "" || p.Create || p.Leave }

// Counts is what a file comes to, or came to.
type Counts struct {
	Rows        int       `json:"rows"`
	Imported    int       `json:"imported" doc:"taken as they stand"`
	Repaired    int       `json:"repaired" doc:"taken with something mended"`
	Quarantined int       `json:"quarantined" doc:"not taken: they cannot be believed"`
	Duplicates  int       `json:"duplicates" doc:"there already"`
	Ports       int       `json:"ports"`
	From        time.Time `json:"from"`
	To          time.Time `json:"to"`
	EnergyWh    float64   `json:"energyWh"`
	WithEnergy  int       `json:"withEnergy" doc:"sessions whose energy is known"`
	Findings    []Found   `json:"findings"`
	Order       *Order    `json:"order,omitempty" doc:"what was found out about day and month"`
}

// Found is what was found in a file.
type Found struct {
	Kind     string         `json:"kind"`
	Class    string         `json:"class" enum:"repaired,quarantined,duplicate,flagged,note"`
	Count    int            `json:"count"`
	Examples []past.Example `json:"examples"`
}

// Order is how sure the order of day and month is.
type Order struct {
	Sure           string  `json:"sure" enum:"certain,likely,unclear,"`
	Ambiguous      int     `json:"ambiguous"`
	Swapped        int     `json:"swapped"`
	InOrderBefore  float64 `json:"inOrderBefore" doc:"share of neighbours in the order of the file as it is written"`
	InOrderAfter   float64 `json:"inOrderAfter"`
	InPeriodBefore float64 `json:"inPeriodBefore" doc:"share of rows in the time of those that can be read in one way only"`
	InPeriodAfter  float64 `json:"inPeriodAfter"`
	Pieces         int     `json:"pieces"`
}

// SiteRow is a site that the file names.
type SiteRow struct {
	Name     string   `json:"name" doc:"empty: rows without one"`
	Rows     int      `json:"rows"`
	Stations int      `json:"stations"`
	Alike    []string `json:"alike" doc:"other names in the file that may be the same place"`
	Place    Place    `json:"place" doc:"where it goes"`
	Guessed  bool     `json:"guessed" doc:"a site here is called so; nobody said it"`
}

// Preview is what a file would come to.
type Preview struct {
	Import   *store.PastImport
	Settings Settings
	Form     past.Form
	Counts   Counts
	Sites    []SiteRow
	// Decide is what a person has to say first: zone, dates, site, sites.
	Decide []string
	// Before is the import that brought this very file already; nil: none.
	Before *store.PastImport

	exam *past.Examination
}

// propose is how a file is read at first.
func (s *Service) propose(f past.Form) Settings {
	out := Settings{Mapping: f.Guess, Sites: map[string]Place{}}
	// Where all sites here are of one zone, a file is probably of it too.
	zone := ""
	for _, x := range s.o.Store.Sites() {
		if x.TimeZone == "" {
			continue
		}
		if zone != "" && zone != x.TimeZone {
			return out
		}
		zone = x.TimeZone
	}
	out.Mapping.Zone = zone
	return out
}

// checkSettings refuses what could not be meant.
func (s *Service) checkSettings(x *Settings) error {
	m := &x.Mapping
	if m.Zone != "" {
		if _, err := zoneOf(m.Zone); err != nil {
			return &store.InvalidError{Field: "mapping.zone", Reason: "not a time zone of the IANA database"}
		}
	}
	switch {
	case !slices.Contains([]past.DateOrder{past.DatesAuto, past.DayFirst, past.MonthFirst, past.DatesSwap, past.DatesAsISO}, m.Dates):
		return &store.InvalidError{Field: "mapping.dates", Reason: "dayFirst, monthFirst, swapped, asWritten or empty"}
	case m.Decimal != "" && m.Decimal != "." && m.Decimal != ",":
		return &store.InvalidError{Field: "mapping.decimal", Reason: ". or , or empty"}
	case !slices.Contains([]string{"", "Wh", "kWh", "MWh"}, m.EnergyUnit):
		return &store.InvalidError{Field: "mapping.energyUnit", Reason: "Wh, kWh, MWh or empty"}
	case !slices.Contains([]string{"", "s", "min", "h"}, m.TimeUnit):
		return &store.InvalidError{Field: "mapping.timeUnit", Reason: "s, min, h or empty"}
	case m.LongDays < 0 || m.LongDays > 92:
		return &store.InvalidError{Field: "mapping.longDays", Reason: "0 to 92"}
	case !(m.MaxKWh >= 0 && m.MaxKWh <= 10_000):
		return &store.InvalidError{Field: "mapping.maxKWh", Reason: "0 to 10,000"}
	}
	places := map[string]Place{"site": x.Site}
	for name, p := range x.Sites {
		places["sites."+name] = p
	}
	for field, p := range places {
		if p.SiteID == "" {
			continue
		}
		if _, ok := s.o.Store.Site(p.SiteID); !ok {
			return &store.InvalidError{Field: field, Reason: "no such site"}
		}
	}
	return nil
}

func zoneOf(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("zone %q: %w", name, errors.ErrUnsupported)
	}
	return time.LoadLocation(name)
}

// Preview reads the whole file and says what it would come to.
func (s *Service) Preview(ctx context.Context, id int64) (*Preview, error) {
	row, err := s.o.Store.PastImport(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.examine(ctx, row, nil)
}

// examine reads the file of an import.
func (s *Service) examine(ctx context.Context, row *store.PastImport, progress func(int64) error) (*Preview, error) {
	settings, err := settingsOf(row)
	if err != nil {
		return nil, err
	}
	form, err := s.look(file(row.ID))
	if err != nil {
		return nil, err
	}
	p := &Preview{Import: row, Settings: settings, Form: form}
	if p.Before, err = s.before(ctx, row); err != nil {
		return nil, err
	}
	tokens, err := s.o.Store.PastTokens(ctx)
	if err != nil {
		return nil, err
	}
	var zone *time.Location
	if settings.Mapping.Zone != "" {
		if zone, err = zoneOf(settings.Mapping.Zone); err != nil {
			return nil, fmt.Errorf("zone of import %d: %w", row.ID, err)
		}
	}
	var open *os.File
	shut := func() error {
		if open == nil {
			return nil
		}
		f := open
		open = nil
		return f.Close()
	}
	p.exam, err = past.Examine(form, settings.Mapping, past.Options{
		Open: func() (io.Reader, error) {
			if err := shut(); err != nil {
				return nil, err
			}
			f, err := s.o.Data.Open(file(row.ID))
			if errors.Is(err, fs.ErrNotExist) {
				return nil, ErrGone
			}
			if err != nil {
				return nil, err
			}
			open = f
			return bufio.NewReaderSize(f, 64<<10), nil
		},
		Zone: zone, Now: s.o.Now(), Token: tokens, SiteOf: s.siteOf, Watched: s.watched(ctx),
		Leave: func(name string) bool {
			if name == "" {
				return settings.Site.Leave
			}
			return settings.Sites[name].Leave
		},
		Progress: func(n int64) error {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			if progress != nil {
				return progress(n)
			}
			return nil
		},
	})
	if err = errors.Join(err, shut()); err != nil {
		if errors.Is(err, past.ErrMapping) { // a person has to map it
			p.Decide = []string{"mapping"}
			return p, nil
		}
		return nil, err
	}
	p.Counts = counted(p.exam)
	p.Sites = s.sites(p)
	p.Decide = slices.Clone(p.exam.Decide)
	p.Decide = slices.DeleteFunc(p.Decide, func(w string) bool { return w == "site" })
	for _, x := range p.Sites {
		if !x.Place.said() {
			p.Decide = append(p.Decide, "sites")
			break
		}
	}
	s.remember(p)
	return p, nil
}

func (s *Service) before(ctx context.Context, row *store.PastImport) (*store.PastImport, error) {
	b, err := s.o.Store.PastImportOfFile(ctx, row.SHA256)
	if errors.Is(err, store.ErrNotFound) || err == nil && b.ID == row.ID {
		return nil, nil
	}
	return b, err
}

// siteOf is where a station that is enrolled here stands.
func (s *Service) siteOf(station string) string {
	e, ok := s.o.Store.Station(station)
	if !ok {
		return ""
	}
	if x, ok := s.o.Store.Site(e.SiteID); ok {
		return x.Name
	}
	return ""
}

// watched looks up what we recorded ourselves, once for each station.
func (s *Service) watched(ctx context.Context) func(string, int, time.Time, time.Time) bool {
	type span struct{ from, to int64 }
	type port struct {
		station string
		evse    int
	}
	known := make(map[string]bool)
	spans := make(map[port][]span)
	return func(station string, evse int, start, end time.Time) bool {
		if !known[station] {
			known[station] = true
			if _, ok := s.o.Store.Station(station); ok {
				err := s.o.Store.Watched(ctx, station, func(evse int, from, to time.Time) {
					at := port{station, evse}
					spans[at] = append(spans[at], span{from.UnixMilli(), to.UnixMilli()})
				})
				if err != nil {
					s.log.WarnContext(ctx, "own sessions of a station cannot be read", "station", station, "err", err)
				}
			}
		}
		from, to := start.UnixMilli(), end.UnixMilli()
		for _, x := range spans[port{station, evse}] {
			if x.from < to && x.to > from {
				return true
			}
		}
		return false
	}
}

func counted(x *past.Examination) Counts {
	out := Counts{
		Rows: x.Rows, Imported: x.Outcomes[past.Imported], Repaired: x.Outcomes[past.Repaired], Quarantined: x.Outcomes[past.Quarantined],
		Duplicates: x.Outcomes[past.Duplicate], Ports: x.Ports, From: x.First, To: x.Last, EnergyWh: x.EnergyWh, WithEnergy: x.WithEnergy, Findings: []Found{},
	}
	for _, f := range x.Findings {
		examples := f.Examples
		if examples == nil {
			examples = []past.Example{}
		}
		out.Findings = append(out.Findings, Found{Kind: f.Kind.String(), Class: f.Kind.Class(), Count: f.Count, Examples: examples})
	}
	if w := x.Swap; w.Ambiguous > 0 {
		out.Order = &Order{
			Sure: w.Sure, Ambiguous: w.Ambiguous, Swapped: w.Swapped, InOrderBefore: w.InOrder[0], InOrderAfter: w.InOrder[1],
			InPeriodBefore: w.InPeriod[0], InPeriodAfter: w.InPeriod[1], Pieces: w.Pieces,
		}
	}
	return out
}

// sites says where each site of the file goes: as a person said, else to the site here
// that is called so.
func (s *Service) sites(p *Preview) []SiteRow {
	byName := make(map[string]string)
	fold := func(name string) string { return strings.ToLower(strings.Join(strings.Fields(name), " ")) }
	for _, x := range s.o.Store.Sites() {
		byName[fold(x.Name)] = x.ID
		byName[fold(x.ID)] = x.ID
	}
	out := []SiteRow{}
	for _, x := range p.exam.Sites {
		row := SiteRow{Name: x.Name, Rows: x.Rows, Stations: x.Stations, Alike: x.Alike, Place: p.Settings.Sites[x.Name]}
		if row.Alike == nil {
			row.Alike = []string{}
		}
		if x.Name == "" {
			row.Place = p.Settings.Site
		} else if !row.Place.said() {
			if id, ok := byName[fold(x.Name)]; ok {
				row.Place, row.Guessed = Place{SiteID: id}, true
			}
		}
		out = append(out, row)
	}
	return out
}

// Lines are the rows that are not taken as they stand.
func (p *Preview) Lines() []past.Line {
	if p.exam == nil {
		return nil
	}
	return p.exam.Lines
}
