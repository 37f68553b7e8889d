package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// Past is what the journal knows of former states.
type Past interface {
	States(ctx context.Context, q journal.StateQuery) ([]fleet.Point, error)
	Observed(ctx context.Context, from, to time.Time) ([]journal.Interval, error)
}

const (
	// maxStates is the longest time one question may be about.
	maxStates = 3 * 366 * 24 * time.Hour
	// statesWindow is how much is read at once, so that a station that changes
	// each second costs bounded memory.
	statesWindow = 7 * 24 * time.Hour
	// faultPages bounds how many pages of reports are searched for faults.
	faultPages = 20
	maxFaults  = 500
)

type statesInput struct {
	Station string    `path:"station" maxLength:"48"`
	EVSE    int       `query:"evse" minimum:"0" doc:"0: all"`
	From    time.Time `query:"from" doc:"default: 24 h before to"`
	To      time.Time `query:"to" doc:"not included; default: now"`
	Step    int       `query:"step" minimum:"0" maximum:"31622400" doc:"seconds that one interval may stand for; 0: exact while there are at most 2,000 for a port"`
}

// StatesShape is how a station's ports and connection stood over a time.
type StatesShape struct {
	From        time.Time           `json:"from"`
	To          time.Time           `json:"to" doc:"now, if that is earlier than what was asked for"`
	StepSeconds float64             `json:"stepSeconds" doc:"0: exact. Else each step shows the worst trouble in it (faulted, offline, not observed, out of service), or what held longest"`
	EVSEs       []EVSEStatesShape   `json:"evses"`
	Links       []LinkIntervalShape `json:"connectivity"`
	NotObserved []IntervalShape     `json:"notObserved" doc:"this server was not running"`
	Faults      []PastFaultShape    `json:"faults" doc:"oldest first, at most the newest 500"`
	FaultsFrom  time.Time           `json:"faultsFrom" doc:"faults from before are not in the list"`
}

// EVSEStatesShape is one port over the time.
type EVSEStatesShape struct {
	EVSE      int                  `json:"evse"`
	Intervals []StateIntervalShape `json:"intervals"`
}

// StateIntervalShape is a time in which a port's state did not change.
type StateIntervalShape struct {
	From     time.Time    `json:"from"`
	To       time.Time    `json:"to" doc:"not included"`
	Status   fleet.Status `json:"status" enum:"Available,Preparing,Charging,SuspendedEV,SuspendedEVSE,Finishing,Reserved,Unavailable,Faulted,Unknown"`
	Online   *bool        `json:"online" doc:"null: nobody knows"`
	Observed bool         `json:"observed" doc:"false: this server was not running, and the status is the one before unless it was told later"`
	Late     bool         `json:"late" doc:"nobody knew it then: the station told it more than 2 min after it began"`
}

// LinkIntervalShape is a time in which a station's connection did not change.
type LinkIntervalShape struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to" doc:"not included"`
	Online   *bool     `json:"online" doc:"null: nobody knows"`
	Observed bool      `json:"observed"`
}

// IntervalShape is a stretch of time.
type IntervalShape struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to" doc:"not included"`
}

// PastFaultShape is an error as a station reported it.
type PastFaultShape struct {
	At         time.Time  `json:"at"`
	ClearedAt  *time.Time `json:"clearedAt" doc:"null: not until the end of the time"`
	EVSE       int        `json:"evse" doc:"0: the station itself"`
	Code       string     `json:"code"`
	VendorCode string     `json:"vendorCode"`
	Info       string     `json:"info"`
	Warning    bool       `json:"warning" doc:"the port could still be used"`
	Late       bool       `json:"late"`
	Seq        uint64     `json:"seq" doc:"the event that says so"`
}

type statesOutput struct{ Body StatesShape }

func (s *Server) registerStates() {
	add(s, atStation(StationsRead), huma.Operation{
		OperationID: "getStates", Method: http.MethodGet, Path: "/stations/{station}/states", Tags: []string{"stations"},
		Summary: "The states of its ports and its connection over a time",
	}, s.getStates)
}

func (s *Server) getStates(ctx context.Context, in *statesInput) (*statesOutput, error) {
	if s.o.Past == nil {
		return nil, problemf(http.StatusNotImplemented, "this server keeps no states")
	}
	from, to, err := s.stretch(in.From, in.To)
	if err != nil {
		return nil, err
	}
	observed, err := s.o.Past.Observed(ctx, from, to)
	if err != nil {
		return nil, err
	}
	unseen := gaps(observed, from, to)
	step := time.Duration(in.Step) * time.Second
	if step > 0 {
		step = max(step, wholeStep(from, to))
	}
	tracks, step, err := s.tracks(ctx, in.Station, s.portsOf(in), unseen, from, to, step)
	if err != nil {
		return nil, err
	}
	out := StatesShape{
		From: from, To: to, StepSeconds: step.Seconds(), EVSEs: []EVSEStatesShape{}, Links: linkIntervals(tracks[0].list),
		NotObserved: intervalShapes(unseen, wholeStep(from, to)),
	}
	for _, l := range tracks[1:] {
		out.EVSEs = append(out.EVSEs, EVSEStatesShape{EVSE: l.evse, Intervals: stateIntervals(l.list)})
	}
	if out.Faults, out.FaultsFrom, err = s.faults(ctx, in, from, to); err != nil {
		return nil, err
	}
	return &statesOutput{Body: out}, nil
}

// stretch brings a time that was asked about into bounds.
func (s *Server) stretch(from, to time.Time) (time.Time, time.Time, error) {
	if now := s.now(); to.IsZero() || to.After(now) {
		to = now
	}
	if from.IsZero() {
		from = to.Add(-24 * time.Hour)
	}
	if !from.Before(to) || to.Sub(from) > maxStates {
		return from, to, problemf(http.StatusUnprocessableEntity, "validation failed",
			&huma.ErrorDetail{Message: "must be before to and before now, and at most three years of it", Location: "query.from"})
	}
	return from.UTC(), to.UTC(), nil
}

// wholeStep is the step that keeps a lane within its bound.
func wholeStep(from, to time.Time) time.Duration {
	return max(time.Second, (to.Sub(from)/maxIntervals + time.Second - 1).Truncate(time.Second))
}

// portsOf lists the EVSEs that a question is about.
func (s *Server) portsOf(in *statesInput) []int {
	if in.EVSE != 0 {
		return []int{in.EVSE}
	}
	st, ok := s.o.Fleet.Snapshot().Station(in.Station)
	if !ok { // enrolled a moment ago
		return nil
	}
	var out []int
	for i := range st.EVSEs {
		out = append(out, st.EVSEs[i].ID)
	}
	return out
}

// track is the lane of a port; of EVSE 0, of the connection.
type track struct {
	lane
	evse int
}

// tracks reads the connection and the ports of a station, window by window, and
// says in which steps.
func (s *Server) tracks(ctx context.Context, station string, ports []int, unseen []journal.Interval,
	from, to time.Time, step time.Duration) ([]*track, time.Duration, error) {
	all := make([]*track, 0, 1+len(ports))
	for _, evse := range append([]int{0}, ports...) {
		all = append(all, &track{evse: evse, lane: lane{from: from, step: step}})
	}
	for start := from; start.Before(to); start = start.Add(statesWindow) {
		end := start.Add(statesWindow)
		if end.After(to) {
			end = to
		}
		q := journal.StateQuery{Station: station, From: start, To: end}
		links, err := s.o.Past.States(ctx, q)
		if err != nil {
			return nil, 0, err
		}
		for _, l := range all {
			var states []fleet.Point
			if l.evse != 0 {
				q.EVSE = l.evse
				if states, err = s.o.Past.States(ctx, q); err != nil {
					return nil, 0, err
				}
			}
			walk(states, links, unseen, start, end, func(x segment) {
				if l.add(x); l.full {
					step = wholeStep(from, to)
					l.coarsen(step)
				}
			})
		}
	}
	for _, l := range all {
		l.coarsen(step)
		l.close()
	}
	return all, step, nil
}

func stateIntervals(list []segment) []StateIntervalShape {
	out := make([]StateIntervalShape, 0, len(list))
	for _, x := range list {
		out = append(out, StateIntervalShape{
			From: x.from, To: x.to, Status: x.status, Online: x.online(), Observed: !x.unseen, Late: x.late,
		})
	}
	return out
}

func linkIntervals(list []segment) []LinkIntervalShape {
	out := make([]LinkIntervalShape, 0, len(list))
	for _, x := range list {
		out = append(out, LinkIntervalShape{From: x.from, To: x.to, Online: x.online(), Observed: !x.unseen})
	}
	return out
}

// intervalShapes joins what is closer together than a step if there are many.
func intervalShapes(all []journal.Interval, step time.Duration) []IntervalShape {
	out := make([]IntervalShape, 0, min(len(all), maxIntervals))
	for _, x := range all {
		if n := len(out); n > 0 && len(all) > maxIntervals && x.From.Sub(out[n-1].To) < step {
			out[n-1].To = x.To
			continue
		}
		out = append(out, IntervalShape(x))
	}
	return out
}

// faults lists what a station reported as an error, and from when on the list
// is whole.
func (s *Server) faults(ctx context.Context, in *statesInput, from, to time.Time) ([]PastFaultShape, time.Time, error) {
	q := journal.EventQuery{
		Subject: event.Station(in.Station), Kinds: []event.Kind{event.KindStatus, event.KindComponent},
		From: from, To: to, Limit: journal.MaxLimit,
	}
	var reports []report
	whole := from
	for range faultPages {
		page, next, err := s.o.History.Events(ctx, q)
		if err != nil {
			return nil, whole, err
		}
		for _, e := range page {
			reports = append(reports, reportsOf(e)...)
		}
		if q.Before = next; next == "" {
			whole = from
			break
		}
		whole = page[len(page)-1].At
	}
	slices.Reverse(reports)
	all := s.standing(in, from)
	for _, f := range foldFaults(reports, in.EVSE) {
		repeated := func(x PastFaultShape) bool { // while it stands
			return f.ClearedAt == nil && x.EVSE == f.EVSE && x.Code == f.Code && x.VendorCode == f.VendorCode
		}
		if !slices.ContainsFunc(all, repeated) {
			all = append(all, f)
		}
	}
	if n := len(all); n > maxFaults {
		all = all[n-maxFaults:]
		whole = all[0].At
	}
	return all, whole.UTC(), nil
}

// standing lists the faults of now that began before a time.
func (s *Server) standing(in *statesInput, from time.Time) []PastFaultShape {
	out := []PastFaultShape{}
	st, ok := s.o.Fleet.Snapshot().Station(in.Station)
	if !ok {
		return out
	}
	note := func(evse int, status fleet.Status, f *fleet.Fault) {
		shape := faultShape(f)
		if shape.FaultShape == nil || f.Since.IsZero() || !f.Since.Before(from) {
			return
		}
		out = append(out, PastFaultShape{
			At: f.Since.UTC(), EVSE: evse, Code: f.Code, VendorCode: f.VendorCode, Info: f.Info, Warning: status != fleet.Faulted,
		})
	}
	note(0, st.Own.Status, st.Own.Fault)
	for i := range st.EVSEs {
		if v := &st.EVSEs[i]; in.EVSE == 0 || in.EVSE == v.ID {
			note(v.ID, v.Status, v.Fault)
		}
	}
	return out
}
