package web

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// OccupancyPointShape is what ports did in a step. Seconds are those of ports:
// two ports that are free for a minute make 120.
type OccupancyPointShape struct {
	At                 time.Time `json:"at"`
	Ports              int       `json:"ports"`
	Sites              int       `json:"sites" doc:"of which anything is known in the step"`
	FreeSeconds        float64   `json:"freeSeconds"`
	OccupiedSeconds    float64   `json:"occupiedSeconds" doc:"a car was plugged in: charging, idle and blocked"`
	ChargingSeconds    float64   `json:"chargingSeconds"`
	IdleSeconds        float64   `json:"idleSeconds" doc:"a session was open and no energy flowed"`
	BlockedSeconds     float64   `json:"blockedSeconds" doc:"a car without a session"`
	ReservedSeconds    float64   `json:"reservedSeconds"`
	FaultedSeconds     float64   `json:"faultedSeconds"`
	UnavailableSeconds float64   `json:"unavailableSeconds" doc:"taken out of service"`
	UnobservedSeconds  float64   `json:"unobservedSeconds" doc:"the station or this server was away"`
	OpenSeconds        float64   `json:"openSeconds" doc:"in which any port was operative: seconds of sites, not of ports"`
	AllBusySeconds     float64   `json:"allBusySeconds" doc:"of these, in which none of them was free"`
	OccupiedPorts      *float64  `json:"occupiedPorts" doc:"mean, of the time that was observed; null: none was"`
	Starts             int       `json:"starts"`
	EnergyWh           *float64  `json:"energyWh" doc:"null: no session of the time tells"`
	PeakW              *float64  `json:"peakW" doc:"highest mean of a quarter hour, of all ports together"`
}

// OccupancySeriesShape is one line of the answer.
type OccupancySeriesShape struct {
	Key    string                `json:"key" doc:"site, SITE/STATION, highest kW of the class, or empty for all"`
	Name   string                `json:"name"`
	Ports  int                   `json:"ports" doc:"at most at once"`
	Points []OccupancyPointShape `json:"points" doc:"steps of which nothing is known are absent"`
}

// OccupancyAnswer is what ports did over a time.
type OccupancyAnswer struct {
	AnalyticsHead
	Step   string                 `json:"step" enum:"15m,1h,1d"`
	Series []OccupancySeriesShape `json:"series"`
}

type occupancyInput struct {
	AnalyticsQuery
	Step string `query:"step" enum:"15m,1h,1d" default:"1h" doc:"days are those of the zone"`
	By   string `query:"by" enum:"all,site,powerClass,station" default:"all"`
}

type occupancyOutput struct{ Body OccupancyAnswer }

// occupancyPoints bounds an answer.
const occupancyPoints = 120_000

// line is one series as it is added up.
type line struct {
	key, name string
	grid      *rollup.Grid
	visits    int
	energy    int // of these, with energy
}

func (l *line) add(d *rollup.PlaceDay) {
	l.grid.Add(d)
	l.visits += len(d.Visits)
	for i := range d.Visits {
		if !math.IsNaN(d.Visits[i].EnergyWh) {
			l.energy++
		}
	}
}

func (s *Server) occupancy(ctx context.Context, in *occupancyInput) (*occupancyOutput, error) {
	q, err := s.inquire(ctx, &in.AnalyticsQuery)
	if err != nil {
		return nil, err
	}
	from, step, next := q.steps(in.Step)
	n := int(q.to.Sub(from)/step) + 1
	tooMany := problemf(http.StatusUnprocessableEntity, "validation failed",
		&huma.ErrorDetail{Message: "so many steps are too much for one answer; take longer ones, a shorter time or fewer sites", Location: "query.step"})
	lines := make(map[string]*line)
	of := func(key, name string) (*line, error) {
		l := lines[key]
		if l == nil {
			if (len(lines)+1)*n > occupancyPoints {
				return nil, tooMany
			}
			l = &line{key: key, name: name, grid: rollup.NewGrid(from, q.to)}
			lines[key] = l
		}
		return l, nil
	}
	switch in.By {
	case "station", "powerClass":
		err = s.occupancyOfPorts(ctx, q, from, in.By, of)
	default:
		err = s.o.Usage.Days(ctx, q.sites, from, q.to, func(site string, d *rollup.PlaceDay) error {
			key, name := "", ""
			if in.By == "site" {
				key, name = site, s.usageSite(site)
			}
			l, err := of(key, name)
			if err == nil {
				l.add(d)
			}
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	out := OccupancyAnswer{AnalyticsHead: q.head, Step: in.Step, Series: []OccupancySeriesShape{}}
	for _, l := range lines {
		one := OccupancySeriesShape{Key: l.key, Name: l.name, Points: []OccupancyPointShape{}}
		knows := l.energy > 0 || l.visits == 0
		for _, p := range l.grid.Points(next) {
			one.Ports = max(one.Ports, p.Ports)
			one.Points = append(one.Points, occupancyPoint(&p, knows))
		}
		out.Series = append(out.Series, one)
	}
	slices.SortFunc(out.Series, func(a, b OccupancySeriesShape) int {
		if in.By == "powerClass" {
			return cmp.Compare(classOrder(a.Key), classOrder(b.Key))
		}
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Key, b.Key))
	})
	return &occupancyOutput{Body: out}, nil
}

func classOrder(key string) float64 {
	if kw, err := strconv.ParseFloat(key, 64); err == nil {
		return kw
	}
	if key == "more" {
		return 1e6
	}
	return 1e9
}

// steps begins a series where a step of the place begins.
func (q *inquiry) steps(word string) (from time.Time, step time.Duration, next func(time.Time) time.Time) {
	l := q.from.In(q.zone)
	switch word {
	case "1d":
		return time.Date(l.Year(), l.Month(), l.Day(), 0, 0, 0, 0, q.zone).UTC(), 24 * time.Hour, rollup.Daily(q.zone)
	case "1h":
		return q.from.Truncate(rollup.CellLength).Add(-time.Duration(l.Minute()/15) * rollup.CellLength), time.Hour, rollup.Every(time.Hour)
	}
	return q.from.Truncate(rollup.CellLength), rollup.CellLength, rollup.Every(rollup.CellLength)
}

// occupancyOfPorts adds up the days of ports by station or class of power.
func (s *Server) occupancyOfPorts(ctx context.Context, q *inquiry, from time.Time, by string, of func(key, name string) (*line, error)) error {
	ports, err := s.o.Usage.Ports(ctx, q.sites)
	if err != nil {
		return err
	}
	// Ports of one line at one site tell together when none was free.
	groups := make(map[string][]rollup.Port)
	for i := range ports {
		key := stationKey(&ports[i])
		if by == "powerClass" {
			class, _ := powerClass(ports[i].RatedW)
			key = ports[i].Site + "\n" + class
		}
		groups[key] = append(groups[key], ports[i])
	}
	for _, group := range groups {
		days := make(map[time.Time][]*rollup.PortDay)
		if err := s.o.Usage.PortDays(ctx, group, from, q.to, func(_ *rollup.Port, d *rollup.PortDay) error {
			days[d.Begin] = append(days[d.Begin], d)
			return nil
		}); err != nil {
			return err
		}
		if len(days) == 0 {
			continue
		}
		key, name := stationKey(&group[0]), s.usageStation(group[0].Station)
		if by == "powerClass" {
			key, name = powerClass(group[0].RatedW)
		}
		l, err := of(key, name)
		if err != nil {
			return err
		}
		for _, d := range days {
			l.add(rollup.Together(d))
		}
	}
	return nil
}

func occupancyPoint(p *rollup.Point, energy bool) OccupancyPointShape {
	out := OccupancyPointShape{
		At: p.From.UTC(), Ports: p.Ports, Sites: p.Places, FreeSeconds: p.Free, OccupiedSeconds: p.Occupied, ChargingSeconds: p.Charging, IdleSeconds: p.Idle,
		BlockedSeconds: p.Blocked, ReservedSeconds: p.Reserved, FaultedSeconds: p.Faulted, UnavailableSeconds: p.Unavailable,
		UnobservedSeconds: p.Unobserved, OpenSeconds: p.Open, AllBusySeconds: p.AllBusy, Starts: p.Starts,
	}
	if seen := p.Calendar() - p.Unobserved; seen > 0 {
		out.OccupiedPorts = known(p.Occupied / seen * float64(p.Ports))
	}
	if energy {
		out.EnergyWh, out.PeakW = known(p.EnergyWh), known(p.PeakW)
	}
	return out
}

func (s *Server) exportOccupancy(ctx context.Context, in *occupancyInput) (*csvOutput, error) {
	answer, err := s.occupancy(ctx, in)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	_ = w.Write([]string{ // a buffer takes everything
		"key", "name", "at", "ports", "sites", "freeSeconds", "occupiedSeconds", "chargingSeconds", "idleSeconds", "blockedSeconds", "reservedSeconds", "faultedSeconds",
		"unavailableSeconds", "unobservedSeconds", "openSeconds", "allBusySeconds", "occupiedPorts", "starts", "energyWh", "peakW",
	})
	f := func(v float64) string { return figure(&v, 3) }
	for _, l := range answer.Body.Series {
		for i := range l.Points {
			p := &l.Points[i]
			_ = w.Write([]string{
				cell(l.Key), cell(l.Name), p.At.Format(time.RFC3339), strconv.Itoa(p.Ports), strconv.Itoa(p.Sites), f(p.FreeSeconds), f(p.OccupiedSeconds), f(p.ChargingSeconds),
				f(p.IdleSeconds), f(p.BlockedSeconds), f(p.ReservedSeconds), f(p.FaultedSeconds), f(p.UnavailableSeconds), f(p.UnobservedSeconds),
				f(p.OpenSeconds), f(p.AllBusySeconds), figure(p.OccupiedPorts, 4), strconv.Itoa(p.Starts), figure(p.EnergyWh, 3), figure(p.PeakW, 0),
			})
		}
	}
	w.Flush()
	return csvFile("occupancy", &answer.Body.AnalyticsHead, buf.Bytes()), nil
}
