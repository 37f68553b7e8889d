package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
)

// maxScored bounds how many incidents that are over count in one answer.
const maxScored = 5000

// StationScoreShape is the health of a station: that of its worst port.
type StationScoreShape struct {
	Station      string           `json:"station"`
	StationLabel string           `json:"stationLabel"`
	SiteID       string           `json:"siteId"`
	SiteName     string           `json:"siteName"`
	Score        float64          `json:"score" doc:"0 to 100"`
	Ports        []PortScoreShape `json:"ports" doc:"the worst first"`
}

// PortScoreShape is the health of a port.
type PortScoreShape struct {
	EVSE      int            `json:"evse" doc:"0: the station itself, which has no known port"`
	Score     float64        `json:"score" doc:"100 less its penalties, 0 at least"`
	Penalties []PenaltyShape `json:"penalties" doc:"the greatest first"`
}

// PenaltyShape is what an incident takes from a port's health, and why.
type PenaltyShape struct {
	Incident    string                `json:"incident"`
	Title       string                `json:"title"`
	Kind        string                `json:"kind"`
	Severity    event.Severity        `json:"severity" enum:"S1,S2,S3,S4"`
	Points      float64               `json:"points"`
	State       incident.PenaltyState `json:"state" enum:"open,recovered,release" doc:"recovered: it halves every five days; release: a danger stays until a person closes its incident"`
	Repeats     int                   `json:"repeats" doc:"each adds a quarter, at most double"`
	Since       time.Time             `json:"since"`
	RecoveredAt *time.Time            `json:"recoveredAt"`
}

// InspectShape is an early warning that lasts.
type InspectShape struct {
	Incident     string              `json:"incident"`
	Station      string              `json:"station"`
	StationLabel string              `json:"stationLabel"`
	SiteID       string              `json:"siteId"`
	SiteName     string              `json:"siteName"`
	EVSE         int                 `json:"evse" doc:"0: the whole station"`
	Detector     string              `json:"detector" doc:"D09 to D19"`
	Code         string              `json:"code"`
	Severity     event.Severity      `json:"severity" enum:"S1,S2,S3,S4"`
	Text         string              `json:"text"`
	Since        time.Time           `json:"since"`
	LastAt       time.Time           `json:"lastAt"`
	Count        int                 `json:"count"`
	Evidence     []incident.Evidence `json:"evidence"`
}

type scoresInput struct {
	Page
	Site    string `query:"site" maxLength:"48"`
	Station string `query:"station" maxLength:"48"`
}

func (s *Server) registerScores() {
	op := func(id, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{"workorders"}}
	}
	add(s, filtered(IncidentsRead), op("listHealthScores", "/health-scores", "Health of stations and their ports, the worst first, with what takes from it"), s.listScores)
	add(s, filtered(IncidentsRead), op("listInspect", "/inspect", "Early warnings that last, with their evidence: what to look at before it fails"), s.listInspect)
}

func (s *Server) listScores(ctx context.Context, in *scoresInput) (*listOutput[StationScoreShape], error) {
	if s.o.Incidents == nil || s.o.OpenIncidents == nil {
		return nil, errNoIncidents
	}
	place, err := decodeCursor("scores", in.Cursor)
	if err != nil {
		return nil, err
	}
	allowed := scope(ctx, IncidentsRead).within(in.Site)
	now := s.now()
	list := s.o.OpenIncidents.Open()
	q := incident.Query{States: []string{string(incident.Closed)}, Sites: allowed.sitesOrNil(), From: now.Add(-incident.ScoreSpan), Limit: 1000}
	if in.Station != "" {
		q.Subject = event.Station(in.Station).String()
	}
	for len(list) < maxScored {
		page, next, err := s.o.Incidents.Incidents(ctx, q)
		if err != nil {
			return nil, err
		}
		list = append(list, page...)
		if q.Before = next; next == "" {
			break
		}
	}
	scores := incident.NewScores(list, now)
	var out []StationScoreShape
	for st := range s.o.Fleet.Snapshot().Stations() {
		if !allowed.Allows(st.SiteID) || in.Station != "" && st.ID != in.Station {
			continue
		}
		one := StationScoreShape{Station: st.ID, StationLabel: st.Label, SiteID: st.SiteID, Score: 100}
		for _, v := range st.EVSEs {
			one.Ports = append(one.Ports, portScore(scores, st.ID, v.ID))
		}
		if len(one.Ports) == 0 {
			one.Ports = append(one.Ports, portScore(scores, st.ID, 0))
		}
		slices.SortStableFunc(one.Ports, func(a, b PortScoreShape) int { return cmp.Compare(a.Score, b.Score) })
		one.Score = one.Ports[0].Score
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b StationScoreShape) int {
		return cmp.Or(cmp.Compare(a.Score, b.Score), strings.Compare(a.Station, b.Station))
	})
	out, next, err := after(out, place, in.Limit, func(x *StationScoreShape) string {
		return strconv.FormatFloat(x.Score, 'f', 0, 64) + " " + x.Station
	}, func(x *StationScoreShape, place string) bool {
		score, station, _ := strings.Cut(place, " ")
		was, err := strconv.ParseFloat(score, 64)
		return err == nil && (x.Score > was || x.Score == was && x.Station > station)
	})
	if err != nil {
		return nil, err
	}
	for i := range out {
		if site, ok := s.o.Store.Site(out[i].SiteID); ok {
			out[i].SiteName = site.Name
		}
	}
	return listOf(out, encodeCursor("scores", next)), nil
}

// after cuts a page out of a sorted list.
func after[T any](list []T, place string, limit int, name func(*T) string, behind func(*T, string) bool) ([]T, string, error) {
	if place != "" {
		i := slices.IndexFunc(list, func(x T) bool { return behind(&x, place) })
		if i < 0 {
			return nil, "", nil
		}
		list = list[i:]
	}
	if len(list) <= limit {
		return list, "", nil
	}
	return list[:limit], name(&list[limit-1]), nil
}

func portScore(scores *incident.Scores, station string, evse int) PortScoreShape {
	out := PortScoreShape{EVSE: evse, Penalties: []PenaltyShape{}}
	var why []incident.Penalty
	out.Score, why = scores.Port(station, evse)
	for _, p := range why {
		out.Penalties = append(out.Penalties, PenaltyShape{
			Incident: p.Incident.ID, Title: p.Incident.Title, Kind: p.Incident.Kind, Severity: p.Incident.Severity, Points: p.Points,
			State: p.State, Repeats: p.Incident.Repeats, Since: p.Since, RecoveredAt: p.RecoveredAt,
		})
	}
	return out
}

// early reports a detector that warns before a port fails.
func early(detector string) bool { return detector >= "D09" && detector <= "D19" && len(detector) == 3 }

func (s *Server) listInspect(ctx context.Context, in *scoresInput) (*listOutput[InspectShape], error) {
	if s.o.OpenIncidents == nil {
		return nil, errNoIncidents
	}
	place, err := decodeCursor("inspect", in.Cursor)
	if err != nil {
		return nil, err
	}
	allowed := scope(ctx, IncidentsRead).within(in.Site)
	var out []InspectShape
	for _, one := range s.o.OpenIncidents.Open() {
		if allowed.Allows(one.SiteID) {
			out = s.warnings(out, one, in.Station)
		}
	}
	key := func(x *InspectShape) string {
		return strings.Join([]string{string(x.Severity), strconv.FormatInt(x.Since.UnixMicro(), 10), x.Incident, x.Detector, x.Station, strconv.Itoa(x.EVSE)}, " ")
	}
	slices.SortFunc(out, func(a, b InspectShape) int { return strings.Compare(key(&a), key(&b)) })
	out, next, err := after(out, place, in.Limit, key, func(x *InspectShape, place string) bool { return key(x) > place })
	if err != nil {
		return nil, err
	}
	return listOf(out, encodeCursor("inspect", next)), nil
}

// warnings adds what warns in an incident: what lasts, with the facts it stands on.
func (s *Server) warnings(out []InspectShape, one *incident.Incident, station string) []InspectShape {
	for _, f := range one.Findings {
		subject, err := event.ParseSubject(f.Subject)
		if err != nil || !early(f.Detector) || f.Until != nil || station != "" && subject.ID != station {
			continue
		}
		x := InspectShape{
			Incident: one.ID, Station: subject.ID, SiteID: one.SiteID, EVSE: subject.EVSE, Detector: f.Detector, Code: f.Code,
			Severity: f.Severity, Text: f.Text, Since: f.Since.UTC(), LastAt: f.LastAt.UTC(), Count: f.Count, Evidence: []incident.Evidence{},
		}
		for _, e := range one.Evidence {
			if e.Detector == f.Detector && e.Subject == f.Subject {
				x.Evidence = append(x.Evidence, e)
			}
		}
		if st, ok := s.o.Fleet.Snapshot().Station(x.Station); ok {
			x.StationLabel = st.Label
		}
		if site, ok := s.o.Store.Site(x.SiteID); ok {
			x.SiteName = site.Name
		}
		out = append(out, x)
	}
	return out
}
