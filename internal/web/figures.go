package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/incident"
)

// Measures are incidents as figures are taken from them.
type Measures interface {
	Measures(ctx context.Context, q incident.Query) ([]incident.Measured, error)
	// Precision is how often rules were right, by detector.
	Precision(ctx context.Context, q incident.Verdicts) ([]incident.Precision, error)
}

// Bounds of an answer about figures.
const (
	figuresDefault = 30 * 24 * time.Hour
	figuresMost    = 400 * 24 * time.Hour
	worstStations  = 20
	mostGroups     = 500
)

// FiguresShape are the figures of some incidents. Those without anything to take
// them from are null.
type FiguresShape struct {
	Opened       int `json:"opened" doc:"in the span; children of a common cause are counted by it"`
	Closed       int `json:"closed" doc:"in the span, whenever they were opened"`
	Open         int `json:"open" doc:"of those opened, not repaired at its end"`
	Acknowledged int `json:"acknowledged"`
	Repaired     int `json:"repaired"`
	NotProven    int `json:"notProven" doc:"recovered, and no charge proved it within three days"`
	Repeated     int `json:"repeated" doc:"came back while open or within 24 h of their end"`

	MTTASeconds         *float64 `json:"mttaSeconds" doc:"mean time from opening to a person's acknowledgement"`
	MTTRSeconds         *float64 `json:"mttrSeconds" doc:"mean time to restoration (IEC 60050-192, 192-07-23): time that it was wrong, of those repaired"`
	MedianRepairSeconds *float64 `json:"medianRepairSeconds"`

	Failures           int      `json:"failures" doc:"of stations and their ports: incidents that took a port from drivers, children too"`
	DownSeconds        float64  `json:"downSeconds" doc:"that they lasted within the span, together"`
	MTBFStationSeconds *float64 `json:"mtbfStationSeconds" doc:"mean operating time between failures (192-05-13) of a station"`
	MTBFPortSeconds    *float64 `json:"mtbfPortSeconds" doc:"the same of a port; a failure of the station is one of each of its ports"`

	Healed       HealedShape   `json:"healed"`
	MachineShare *float64      `json:"machineShare" doc:"of those repaired, healed by a remedy; 0 to 1"`
	Acknowledge  PromisesShape `json:"acknowledge" doc:"promises to acknowledge"`
	Repair       PromisesShape `json:"repair" doc:"promises to repair"`
}

// HealedShape tells what ended incidents.
type HealedShape struct {
	Machine int `json:"machine" doc:"a remedy that the station accepted, and nobody had taken it"`
	Itself  int `json:"itself" doc:"nothing was done about it"`
	People  int `json:"people" doc:"somebody had taken it"`
}

// PromisesShape counts promises of the service level.
type PromisesShape struct {
	Kept     int      `json:"kept"`
	Breached int      `json:"breached"`
	Running  int      `json:"running" doc:"not due yet"`
	Share    *float64 `json:"keptShare" doc:"of those kept or breached; 0 to 1"`
}

// GroupShape are the figures of incidents that have something in common.
type GroupShape struct {
	Key  string `json:"key" doc:"severity, site, kind or station"`
	Name string `json:"name" doc:"of the site or station; else empty"`
	FiguresShape
}

// CourseShape are the figures of one part of the span.
type CourseShape struct {
	At time.Time `json:"at" doc:"its begin"`
	FiguresShape
}

// FiguresAnswer is how incidents of a span were handled.
type FiguresAnswer struct {
	From       time.Time     `json:"from"`
	To         time.Time     `json:"to" doc:"not included; never in the future"`
	Watched    *time.Time    `json:"watchedFrom" doc:"since when there was a station to watch, not before from; null: there is none"`
	Stations   int           `json:"stations" doc:"watched in the span"`
	Ports      int           `json:"ports"`
	All        FiguresShape  `json:"all"`
	BySeverity []GroupShape  `json:"bySeverity" doc:"S1 first"`
	BySite     []GroupShape  `json:"bySite" doc:"most incidents first, at most 500"`
	ByKind     []GroupShape  `json:"byKind" doc:"most incidents first, at most 500"`
	Worst      []GroupShape  `json:"worstStations" doc:"stations that failed most, at most 20"`
	Step       string        `json:"step" enum:"hour,day,week,month"`
	Course     []CourseShape `json:"course" doc:"the span in parts, the oldest first"`
}

type figuresInput struct {
	From     time.Time `query:"from" doc:"default: 30 days before to"`
	To       time.Time `query:"to" doc:"not included; default: now; at most 400 days after from"`
	Site     string    `query:"site" maxLength:"48"`
	Kind     string    `query:"kind" maxLength:"400" doc:"several by comma"`
	Severity string    `query:"severity" maxLength:"20" doc:"S1 to S4, several by comma"`
	Zone     string    `query:"zone" maxLength:"64" doc:"IANA time zone in which days begin; default UTC"`
}

type (
	figuresOutput struct{ Body FiguresAnswer }
	csvOutput     struct {
		Type        string `header:"Content-Type"`
		Disposition string `header:"Content-Disposition"`
		Body        []byte
	}
)

func (s *Server) registerFigures() {
	add(s, filtered(IncidentsRead), huma.Operation{
		OperationID: "getIncidentFigures", Method: http.MethodGet, Path: "/incidents/figures", Tags: []string{"incidents"},
		Summary: "How incidents of a span were handled: MTTA, MTTR, MTBF, repeats, who healed them, promises kept",
	}, s.incidentFigures)
	add(s, filtered(IncidentsRead), huma.Operation{
		OperationID: "exportIncidentFigures", Method: http.MethodGet, Path: "/incidents/figures.csv", Tags: []string{"incidents"},
		Summary: "The same as a table, a row for each group",
		Responses: map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
			"text/csv": {Schema: &huma.Schema{Type: "string"}},
		}}},
	}, s.exportFigures)
}

// span checks what is asked for; nothing is told of the future.
func (in *figuresInput) span(now time.Time) (incident.Span, *time.Location, error) {
	faults := make(map[string]string)
	to := in.To
	if to.IsZero() || to.After(now) {
		to = now
	}
	from := in.From
	if from.IsZero() {
		from = to.Add(-figuresDefault)
	}
	switch {
	case !from.Before(to):
		faults["from"] = "must be before to, and not in the future"
	case to.Sub(from) > figuresMost:
		faults["from"] = "must be at most 400 days before to"
	}
	for _, one := range split(in.Severity) {
		if !slices.Contains([]string{"S1", "S2", "S3", "S4"}, one) {
			faults["severity"] = "S1 to S4, several by comma"
		}
	}
	zone, err := time.LoadLocation(in.Zone)
	if err != nil || in.Zone == "Local" {
		faults["zone"] = "is no time zone of the IANA list"
	}
	if len(faults) > 0 {
		m := problemf(http.StatusUnprocessableEntity, "validation failed")
		for name, text := range faults {
			m.Errors = append(m.Errors, &huma.ErrorDetail{Message: text, Location: "query." + name})
		}
		return incident.Span{}, nil, m
	}
	return incident.Span{From: from.UTC(), To: to.UTC()}, zone, nil
}

func (s *Server) incidentFigures(ctx context.Context, in *figuresInput) (*figuresOutput, error) {
	if s.o.Measures == nil {
		return nil, errNoIncidents
	}
	span, zone, err := in.span(s.now())
	if err != nil {
		return nil, err
	}
	allowed := scope(ctx, IncidentsRead).within(in.Site)
	found, err := s.o.Measures.Measures(ctx, incident.Query{
		Sites: allowed.sitesOrNil(), Discreet: discreetSites(ctx), Kinds: split(in.Kind), Severities: split(in.Severity), From: span.From, To: span.To,
	})
	if err != nil {
		return nil, err
	}
	w := s.watched(allowed, span)
	for i := range found {
		w.ports(&found[i])
	}
	step, edges := stepsOf(span, zone)
	out := FiguresAnswer{
		From: span.From, To: span.To, Watched: instant(w.from), Stations: w.all.Stations, Ports: w.all.Ports, Step: step,
		All: figuresShape(incident.Measure(found, span, w.all)),
	}
	everywhere := func(string) incident.Watched { return w.all }
	out.BySeverity = groups(incident.MeasureBy(found, span, func(x *incident.Measured) string { return string(x.Severity) }, everywhere), mostGroups, nil)
	slices.SortFunc(out.BySeverity, func(a, b GroupShape) int { return strings.Compare(a.Key, b.Key) })
	out.ByKind = groups(incident.MeasureBy(found, span, func(x *incident.Measured) string { return x.Kind }, everywhere), mostGroups, nil)
	out.BySite = groups(incident.MeasureBy(found, span, func(x *incident.Measured) string { return x.SiteID }, w.site), mostGroups, s.siteName)
	worst := incident.MeasureBy(found, span, func(x *incident.Measured) string { return x.Station }, w.station)
	slices.SortStableFunc(worst, func(a, b incident.Group) int {
		if a.Failures != b.Failures {
			return b.Failures - a.Failures
		}
		return int(b.Down/time.Second) - int(a.Down/time.Second)
	})
	worst = slices.DeleteFunc(worst, func(g incident.Group) bool { return g.Failures == 0 })
	out.Worst = groups(worst, worstStations, s.stationLabel)
	out.Course = make([]CourseShape, 0, len(edges))
	for i, f := range incident.Course(found, edges) {
		out.Course = append(out.Course, CourseShape{At: edges[i].UTC(), FiguresShape: figuresShape(f)})
	}
	return &figuresOutput{Body: out}, nil
}

func (s *Server) siteName(id string) string {
	if site, ok := s.o.Store.Site(id); ok {
		return site.Name
	}
	return ""
}

func (s *Server) stationLabel(id string) string {
	if st, ok := s.o.Fleet.Snapshot().Station(id); ok {
		return st.Label
	}
	return ""
}

// stepsOf cuts a span into hours, days, weeks or months of a zone: as many as a
// small chart has room for.
func stepsOf(span incident.Span, zone *time.Location) (step string, edges []time.Time) {
	local := span.From.In(zone)
	day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone)
	var next func(time.Time) time.Time
	switch d := span.To.Sub(span.From); {
	case d <= 49*time.Hour:
		step, day = "hour", span.From.Truncate(time.Hour)
		next = func(t time.Time) time.Time { return t.Add(time.Hour) }
	case d <= 62*24*time.Hour:
		step = "day"
		next = func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }
	case d <= 200*24*time.Hour:
		step, day = "week", day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
		next = func(t time.Time) time.Time { return t.AddDate(0, 0, 7) }
	default:
		step, day = "month", day.AddDate(0, 0, 1-day.Day())
		next = func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }
	}
	edges = []time.Time{span.From}
	for t := next(day); t.Before(span.To); t = next(t) {
		edges = append(edges, t)
	}
	return step, append(edges, span.To)
}

// population is what could have failed in a span, by site and station.
type population struct {
	all      incident.Watched
	from     time.Time
	sites    map[string]incident.Watched
	stations map[string]incident.Watched
}

func (w *population) site(id string) incident.Watched    { return w.sites[id] }
func (w *population) station(id string) incident.Watched { return w.stations[id] }

// ports notes how many ports an incident takes.
func (w *population) ports(x *incident.Measured) {
	x.Ports = 1
	if x.EVSE == 0 {
		x.Ports = max(w.stations[x.Station].Ports, 1)
	}
}

// watched counts the stations of now, from when they were commissioned.
func (s *Server) watched(allowed Scope, in incident.Span) *population {
	w := &population{sites: make(map[string]incident.Watched), stations: make(map[string]incident.Watched)}
	for st := range s.o.Fleet.Snapshot().Stations() {
		from := in.From
		if st.CommissionAt.After(from) {
			from = st.CommissionAt
		}
		if !allowed.Allows(st.SiteID) || !from.Before(in.To) {
			continue
		}
		n, d := max(len(st.EVSEs), 1), in.To.Sub(from)
		one := incident.Watched{Ports: n, Stations: 1, PortTime: d * time.Duration(n), StationTime: d}
		w.stations[st.ID] = one
		if w.from.IsZero() || from.Before(w.from) {
			w.from = from
		}
		w.all = sum(w.all, one)
		w.sites[st.SiteID] = sum(w.sites[st.SiteID], one)
	}
	return w
}

func sum(a, b incident.Watched) incident.Watched {
	return incident.Watched{
		Ports: a.Ports + b.Ports, Stations: a.Stations + b.Stations, PortTime: a.PortTime + b.PortTime, StationTime: a.StationTime + b.StationTime,
	}
}

func groups(found []incident.Group, most int, name func(string) string) []GroupShape {
	out := make([]GroupShape, 0, min(len(found), most))
	for i := range found[:min(len(found), most)] {
		g := &found[i]
		one := GroupShape{Key: g.Key, FiguresShape: figuresShape(g.Figures)}
		if name != nil {
			one.Name = name(g.Key)
		}
		out = append(out, one)
	}
	return out
}

func figuresShape(f incident.Figures) FiguresShape {
	return FiguresShape{
		Opened: f.Opened, Closed: f.Closed, Open: f.Open, Acknowledged: f.Acknowledged, Repaired: f.Repaired, NotProven: f.NotProven, Repeated: f.Repeated,
		MTTASeconds: seconds(f.MTTA), MTTRSeconds: seconds(f.MTTR), MedianRepairSeconds: seconds(f.MedianRepair),
		Failures: f.Failures, DownSeconds: f.Down.Seconds(), MTBFStationSeconds: seconds(f.MTBFStation), MTBFPortSeconds: seconds(f.MTBFPort),
		Healed:       HealedShape(f.Healed),
		MachineShare: share(f.Healed.Machine, f.Healed.Machine+f.Healed.Itself+f.Healed.People),
		Acknowledge:  promisesShape(f.Ack), Repair: promisesShape(f.Repair),
	}
}

func promisesShape(p incident.Promises) PromisesShape {
	return PromisesShape{Kept: p.Kept, Breached: p.Breached, Running: p.Running, Share: share(p.Kept, p.Judged())}
}

func seconds(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	return new(d.Seconds())
}

func share(part, of int) *float64 {
	if of == 0 {
		return nil
	}
	return new(float64(part) / float64(of))
}

// exportFigures answers the same for a spreadsheet.
func (s *Server) exportFigures(ctx context.Context, in *figuresInput) (*csvOutput, error) {
	answer, err := s.incidentFigures(ctx, in)
	if err != nil {
		return nil, err
	}
	a := &answer.Body
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	_ = w.Write([]string{ // a buffer takes everything
		"group", "key", "name", "from", "to", "opened", "closed", "open", "acknowledged", "repaired", "notProven", "repeated", "mttaSeconds", "mttrSeconds",
		"medianRepairSeconds", "failures", "downSeconds", "mtbfStationSeconds", "mtbfPortSeconds", "healedMachine", "healedItself", "healedPeople",
		"acknowledgeKept", "acknowledgeBreached", "repairKept", "repairBreached",
	})
	row := func(group, key, name string, from, to time.Time, f *FiguresShape) {
		n := strconv.Itoa
		_ = w.Write([]string{
			group, cell(key), cell(name), from.Format(time.RFC3339), to.Format(time.RFC3339), n(f.Opened), n(f.Closed), n(f.Open), n(f.Acknowledged), n(f.Repaired),
			n(f.NotProven), n(f.Repeated), number(f.MTTASeconds), number(f.MTTRSeconds), number(f.MedianRepairSeconds), n(f.Failures), number(&f.DownSeconds),
			number(f.MTBFStationSeconds), number(f.MTBFPortSeconds), n(f.Healed.Machine), n(f.Healed.Itself), n(f.Healed.People),
			n(f.Acknowledge.Kept), n(f.Acknowledge.Breached), n(f.Repair.Kept), n(f.Repair.Breached),
		})
	}
	row("all", "", "", a.From, a.To, &a.All)
	for _, part := range []struct {
		group string
		list  []GroupShape
	}{{"severity", a.BySeverity}, {"site", a.BySite}, {"kind", a.ByKind}, {"station", a.Worst}} {
		for i := range part.list {
			row(part.group, part.list[i].Key, part.list[i].Name, a.From, a.To, &part.list[i].FiguresShape)
		}
	}
	for i := range a.Course {
		end := a.To
		if i+1 < len(a.Course) {
			end = a.Course[i+1].At
		}
		row(a.Step, "", "", a.Course[i].At, end, &a.Course[i].FiguresShape)
	}
	w.Flush()
	return &csvOutput{
		Type:        "text/csv; charset=utf-8",
		Disposition: `attachment; filename="incident-figures-` + a.From.Format(time.DateOnly) + `.csv"`,
		Body:        buf.Bytes(),
	}, nil
}

// cell keeps a spreadsheet from taking a name for a formula.
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

func number(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', 0, 64)
}
