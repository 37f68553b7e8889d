package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
)

// DeliveryShape is one notice on its way through one channel.
type DeliveryShape struct {
	ID             string     `json:"id"`
	Key            string     `json:"key" doc:"idempotency key, sent along"`
	Channel        string     `json:"channel"`
	Incident       string     `json:"incident"`
	Change         string     `json:"change" doc:"opened, escalated, reminder, acknowledged, repaired, closed, reopened, flapping or calm"`
	Severity       string     `json:"severity"`
	SiteID         string     `json:"siteId"`
	Title          string     `json:"title"`
	Route          string     `json:"route"`
	State          string     `json:"state" enum:"waiting,sending,sent,failed,skipped"`
	Reason         string     `json:"reason" doc:"why it failed, was skipped or must be tried again"`
	Attempts       int        `json:"attempts"`
	MaybeDuplicate int        `json:"maybeDuplicate" doc:"attempts whose outcome a crash hid"`
	Batch          string     `json:"batch" doc:"deliveries that went out as one message share it"`
	DueAt          time.Time  `json:"dueAt"`
	CreatedAt      time.Time  `json:"createdAt"`
	SentAt         *time.Time `json:"sentAt"`
}

type deliveriesInput struct {
	Page
	Channel  string `query:"channel" maxLength:"64"`
	State    string `query:"state" enum:"waiting,sending,sent,failed,skipped,"`
	Incident string `query:"incident" maxLength:"128"`
	Severity string `query:"severity" enum:"S1,S2,S3,S4,"`
	Site     string `query:"site" maxLength:"128"`
}

type routingInput struct{ Body store.Routing }

type routingOutput struct{ Body store.Routing }

// OnCallShape is a schedule and who is on call now.
type OnCallShape struct {
	store.Schedule
	ChangedAt time.Time   `json:"changedAt"`
	Now       *ShiftShape `json:"now,omitempty" doc:"absent: nobody is on call"`
	Next      *ShiftShape `json:"next,omitempty" doc:"the shift after it within 60 days"`
}

// ShiftShape is who is on call from when to when.
type ShiftShape struct {
	From     time.Time    `json:"from"`
	To       time.Time    `json:"to"`
	Member   store.Member `json:"member"`
	Override bool         `json:"override"`
}

type newScheduleInput struct{ Body store.Schedule }

type scheduleInput struct {
	ID string `path:"id" maxLength:"64"`
}

type scheduleChangeInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Name      *string           `json:"name,omitempty"`
		TimeZone  *string           `json:"timeZone,omitempty"`
		Layers    *[]store.Layer    `json:"layers,omitempty"`
		Overrides *[]store.Override `json:"overrides,omitempty"`
	}
}

type shiftsInput struct {
	ID   string    `path:"id" maxLength:"64"`
	From time.Time `query:"from" doc:"default: now"`
	To   time.Time `query:"to" doc:"default: four weeks after from; at most a year"`
}

type scheduleOutput struct{ Body OnCallShape }

// EscalationShape is an escalation as the API shows it.
type EscalationShape struct {
	store.Escalation
	ChangedAt time.Time `json:"changedAt"`
}

type newEscalationInput struct{ Body store.Escalation }

type escalationChangeInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Name   *string       `json:"name,omitempty"`
		Steps  *[]store.Step `json:"steps,omitempty"`
		Rounds *int          `json:"rounds,omitempty"`
	}
}

type escalationOutput struct{ Body EscalationShape }

// HeartbeatShape is who is told that we are well.
type HeartbeatShape struct {
	Enabled      bool       `json:"enabled"`
	Host         string     `json:"host" doc:"of the address, which itself is not shown; empty: none is set"`
	Method       string     `json:"method" enum:"GET,POST"`
	EverySeconds int        `json:"everySeconds"`
	OKAt         *time.Time `json:"okAt" doc:"last taken"`
	Failure      string     `json:"failure"`
}

type heartbeatInput struct {
	Body struct {
		Enabled      bool    `json:"enabled"`
		URL          *string `json:"url,omitempty" maxLength:"2000" doc:"absent: as before"`
		Method       string  `json:"method,omitempty" enum:"GET,POST" default:"POST"`
		EverySeconds int     `json:"everySeconds,omitempty" minimum:"10" maximum:"86400" default:"60"`
	}
}

type heartbeatOutput struct{ Body HeartbeatShape }

func (s *Server) registerNotify() {
	op := func(tag, id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{tag}}
	}
	read, write := global(ChannelsRead), global(ChannelsWrite)
	add(s, read, op("channels", "listDeliveries", http.MethodGet, "/deliveries", "What was told to whom, newest first", 0), s.listDeliveries)
	add(s, read, op("channels", "getRouting", http.MethodGet, "/routing", "Who hears of what", 0), s.getRouting)
	add(s, write, op("channels", "putRouting", http.MethodPut, "/routing", "Decide who hears of what", 0), s.putRouting)
	add(s, read, op("channels", "getHeartbeat", http.MethodGet, "/heartbeat", "Who is told that this server is well", 0), s.getHeartbeat)
	add(s, write, op("channels", "putHeartbeat", http.MethodPut, "/heartbeat", "Decide who is told that this server is well", 0), s.putHeartbeat)

	add(s, read, op("oncall", "listSchedules", http.MethodGet, "/oncall", "On-call schedules and who is on call now", 0), s.listSchedules)
	add(s, write, op("oncall", "createSchedule", http.MethodPost, "/oncall", "Add a schedule", http.StatusCreated), s.createSchedule)
	add(s, read, op("oncall", "getSchedule", http.MethodGet, "/oncall/{id}", "A schedule and who is on call now", 0), s.getSchedule)
	add(s, read, op("oncall", "listShifts", http.MethodGet, "/oncall/{id}/shifts", "Who is on call from when to when", 0), s.listShifts)
	add(s, write, op("oncall", "changeSchedule", http.MethodPatch, "/oncall/{id}", "Change a schedule", 0), s.changeSchedule)
	add(s, write, op("oncall", "deleteSchedule", http.MethodDelete, "/oncall/{id}", "Remove a schedule that no escalation leads to", http.StatusNoContent), s.deleteSchedule)

	add(s, read, op("oncall", "listEscalations", http.MethodGet, "/escalations", "Who is told one after the other", 0), s.listEscalations)
	add(s, write, op("oncall", "createEscalation", http.MethodPost, "/escalations", "Add an escalation", http.StatusCreated), s.createEscalation)
	add(s, read, op("oncall", "getEscalation", http.MethodGet, "/escalations/{id}", "An escalation", 0), s.getEscalation)
	add(s, write, op("oncall", "changeEscalation", http.MethodPatch, "/escalations/{id}", "Change an escalation", 0), s.changeEscalation)
	add(s, write, op("oncall", "deleteEscalation", http.MethodDelete, "/escalations/{id}", "Remove an escalation that no route leads to", http.StatusNoContent), s.deleteEscalation)
}

// decided tells the notifier that people changed their mind.
func (s *Server) decided() {
	if s.o.Notifier != nil {
		s.o.Notifier.Changed()
	}
}

func (s *Server) listDeliveries(ctx context.Context, in *deliveriesInput) (*listOutput[DeliveryShape], error) {
	place, err := decodeCursor("deliveries", in.Cursor)
	if err != nil {
		return nil, err
	}
	before := int64(0)
	if place != "" {
		if before, err = strconv.ParseInt(place, 10, 64); err != nil || before <= 0 {
			return nil, errCursor
		}
	}
	found, err := s.o.Store.Deliveries(ctx, store.DeliveryQuery{
		Channel: in.Channel, State: in.State, Incident: in.Incident, Severity: in.Severity, Site: in.Site, Before: before, Limit: in.Limit + 1,
	})
	if err != nil {
		return nil, err
	}
	id := func(d store.Delivery) string { return strconv.FormatInt(d.ID, 10) }
	return listed("deliveries", in.Limit, found, id, deliveryShape), nil
}

func deliveryShape(d store.Delivery) DeliveryShape {
	var n incident.Notice
	_ = json.Unmarshal(d.Data, &n) // a row without a title is still a row
	return DeliveryShape{
		ID: strconv.FormatInt(d.ID, 10), Key: d.Key, Channel: d.Channel, Incident: d.Incident, Change: d.Change, Severity: d.Severity,
		SiteID: d.Site, Title: n.Title, Route: d.Route, State: d.State, Reason: d.Reason, Attempts: d.Attempts,
		MaybeDuplicate: d.MaybeDuplicate, Batch: d.Batch, DueAt: d.DueAt, CreatedAt: d.CreatedAt, SentAt: instant(d.SentAt),
	}
}

func (s *Server) getRouting(ctx context.Context, _ *struct{}) (*routingOutput, error) {
	x, err := s.o.Store.Routing(ctx)
	return &routingOutput{Body: wholeRouting(x)}, err
}

// wholeRouting has lists instead of nulls.
func wholeRouting(x store.Routing) store.Routing {
	x.Routes = list(x.Routes)
	for i := range x.Routes {
		r := &x.Routes[i]
		r.Channels, r.GroupBy, r.Quiet = list(r.Channels), list(r.GroupBy), list(r.Quiet)
		m := &r.Match
		m.Severities, m.Kinds, m.Sites, m.Stations = list(m.Severities), list(m.Kinds), list(m.Sites), list(m.Stations)
		if m.Labels == nil {
			m.Labels = map[string]string{}
		}
		for k := range r.Quiet {
			r.Quiet[k].Days = list(r.Quiet[k].Days)
		}
	}
	return x
}

func (s *Server) putRouting(ctx context.Context, in *routingInput) (*routingOutput, error) {
	x, err := s.o.Store.PutRouting(ctx, who(ctx).actor(), in.Body)
	if err != nil {
		return nil, err
	}
	s.decided()
	return &routingOutput{Body: wholeRouting(*x)}, nil
}

func (s *Server) getHeartbeat(ctx context.Context, _ *struct{}) (*heartbeatOutput, error) {
	h, err := s.o.Store.Heartbeat(ctx)
	if err != nil {
		return nil, err
	}
	out := &heartbeatOutput{Body: HeartbeatShape{Enabled: h.Enabled, Method: h.Method, EverySeconds: h.EverySeconds}}
	if u, err := url.Parse(h.URL); err == nil {
		out.Body.Host = u.Host
	}
	if s.o.Notifier != nil {
		at, failure := s.o.Notifier.Heard()
		out.Body.OKAt, out.Body.Failure = instant(at), failure
	}
	return out, nil
}

func (s *Server) putHeartbeat(ctx context.Context, in *heartbeatInput) (*heartbeatOutput, error) {
	h, err := s.o.Store.Heartbeat(ctx)
	if err != nil {
		return nil, err
	}
	put(&h.URL, in.Body.URL)
	h.Enabled, h.Method, h.EverySeconds = in.Body.Enabled, in.Body.Method, in.Body.EverySeconds
	if err := s.o.Store.PutHeartbeat(ctx, who(ctx).actor(), h); err != nil {
		return nil, err
	}
	return s.getHeartbeat(ctx, nil)
}

// onCallAhead is how far the next shift is looked for.
const onCallAhead = 60 * 24 * time.Hour

func (s *Server) onCallShape(x *store.Schedule) OnCallShape {
	now := s.now()
	out := OnCallShape{Schedule: *x, ChangedAt: x.ChangedAt}
	out.Layers, out.Overrides = list(x.Layers), list(x.Overrides)
	for i := range out.Layers {
		out.Layers[i].Hours = list(out.Layers[i].Hours)
		for k := range out.Layers[i].Hours {
			out.Layers[i].Hours[k].Days = list(out.Layers[i].Hours[k].Days)
		}
	}
	for _, shift := range x.Shifts(now, now.Add(onCallAhead)) {
		if !shift.From.After(now) {
			out.Now = new(shiftShape(shift))
		} else {
			out.Next = new(shiftShape(shift))
			break
		}
	}
	return out
}

func shiftShape(x store.Shift) ShiftShape {
	return ShiftShape{From: x.From.UTC(), To: x.To.UTC(), Member: x.Member, Override: x.Override}
}

func (s *Server) listSchedules(ctx context.Context, _ *struct{}) (*listOutput[OnCallShape], error) {
	found, err := s.o.Store.Schedules(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]OnCallShape, 0, len(found))
	for i := range found {
		out = append(out, s.onCallShape(&found[i]))
	}
	return listOf(out, ""), nil
}

func (s *Server) getSchedule(ctx context.Context, in *scheduleInput) (*scheduleOutput, error) {
	x, err := s.o.Store.Schedule(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &scheduleOutput{Body: s.onCallShape(x)}, nil
}

func (s *Server) listShifts(ctx context.Context, in *shiftsInput) (*listOutput[ShiftShape], error) {
	x, err := s.o.Store.Schedule(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	from, to := in.From, in.To
	if from.IsZero() {
		from = s.now()
	}
	if to.IsZero() {
		to = from.AddDate(0, 0, 28)
	}
	if to.Before(from) || to.Sub(from) > 366*24*time.Hour {
		return nil, problemf(http.StatusUnprocessableEntity, "validation failed", &huma.ErrorDetail{Message: "must be after from, by at most a year", Location: "query.to"})
	}
	out := []ShiftShape{}
	for _, shift := range x.Shifts(from, to) {
		out = append(out, shiftShape(shift))
	}
	return listOf(out, ""), nil
}

func (s *Server) createSchedule(ctx context.Context, in *newScheduleInput) (*scheduleOutput, error) {
	in.Body.ID = ""
	return s.saveSchedule(ctx, in.Body)
}

func (s *Server) saveSchedule(ctx context.Context, x store.Schedule) (*scheduleOutput, error) {
	saved, err := s.o.Store.SaveSchedule(ctx, who(ctx).actor(), x)
	if err != nil {
		return nil, err
	}
	s.decided()
	return &scheduleOutput{Body: s.onCallShape(saved)}, nil
}

func (s *Server) changeSchedule(ctx context.Context, in *scheduleChangeInput) (*scheduleOutput, error) {
	x, err := s.o.Store.Schedule(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	put(&x.Name, in.Body.Name)
	put(&x.TimeZone, in.Body.TimeZone)
	put(&x.Layers, in.Body.Layers)
	put(&x.Overrides, in.Body.Overrides)
	return s.saveSchedule(ctx, *x)
}

func (s *Server) deleteSchedule(ctx context.Context, in *scheduleInput) (*noContent, error) {
	return nil, s.o.Store.DeleteSchedule(ctx, who(ctx).actor(), in.ID)
}

func escalationShape(x *store.Escalation) EscalationShape {
	out := EscalationShape{Escalation: *x, ChangedAt: x.ChangedAt}
	out.Steps = list(x.Steps)
	for i := range out.Steps {
		out.Steps[i].Channels, out.Steps[i].Schedules = list(out.Steps[i].Channels), list(out.Steps[i].Schedules)
	}
	return out
}

func (s *Server) listEscalations(ctx context.Context, _ *struct{}) (*listOutput[EscalationShape], error) {
	found, err := s.o.Store.Escalations(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]EscalationShape, 0, len(found))
	for i := range found {
		out = append(out, escalationShape(&found[i]))
	}
	return listOf(out, ""), nil
}

func (s *Server) getEscalation(ctx context.Context, in *scheduleInput) (*escalationOutput, error) {
	x, err := s.o.Store.Escalation(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &escalationOutput{Body: escalationShape(x)}, nil
}

func (s *Server) createEscalation(ctx context.Context, in *newEscalationInput) (*escalationOutput, error) {
	in.Body.ID = ""
	return s.saveEscalation(ctx, in.Body)
}

func (s *Server) saveEscalation(ctx context.Context, x store.Escalation) (*escalationOutput, error) {
	saved, err := s.o.Store.SaveEscalation(ctx, who(ctx).actor(), x)
	if err != nil {
		return nil, err
	}
	s.decided()
	return &escalationOutput{Body: escalationShape(saved)}, nil
}

func (s *Server) changeEscalation(ctx context.Context, in *escalationChangeInput) (*escalationOutput, error) {
	x, err := s.o.Store.Escalation(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	put(&x.Name, in.Body.Name)
	put(&x.Steps, in.Body.Steps)
	put(&x.Rounds, in.Body.Rounds)
	return s.saveEscalation(ctx, *x)
}

func (s *Server) deleteEscalation(ctx context.Context, in *scheduleInput) (*noContent, error) {
	return nil, s.o.Store.DeleteEscalation(ctx, who(ctx).actor(), in.ID)
}
