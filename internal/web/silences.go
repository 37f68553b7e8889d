package web

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
)

// SilenceBody is a silence or a maintenance window as it is written.
type SilenceBody struct {
	Type     string             `json:"type" enum:"silence,window" doc:"silence: somebody knows; window: planned work"`
	Reason   string             `json:"reason" minLength:"1" maxLength:"400"`
	Sites    []string           `json:"sites,omitempty" doc:"any of them; empty: every site"`
	Stations []string           `json:"stations,omitempty" doc:"any of them; empty: every station"`
	Matchers []incident.Matcher `json:"matchers,omitempty" doc:"all of them: labels, kind, severity or family of an incident"`
	Start    time.Time          `json:"start,omitzero" doc:"default: now"`
	End      time.Time          `json:"end,omitzero" doc:"needed unless there are weekly hours"`
	Weekly   []incident.Weekly  `json:"weekly,omitempty"`
	Zone     string             `json:"zone,omitempty" maxLength:"64" doc:"IANA time zone of the weekly hours; default UTC"`
	Safety   bool               `json:"safety,omitempty" doc:"safety incidents too"`
}

// SilenceShape is a silence or window and what it does.
type SilenceShape struct {
	ID string `json:"id"`
	SilenceBody
	Active    bool       `json:"active" doc:"it holds now"`
	Until     *time.Time `json:"until" doc:"when that changes; null: never"`
	Over      bool       `json:"over" doc:"it will not hold again"`
	Muting    int        `json:"muting" doc:"open incidents that it is about"`
	ChangedAt time.Time  `json:"changedAt"`
	ChangedBy string     `json:"changedBy"`
}

type (
	silenceInput   struct{ Body SilenceBody }
	silenceIDInput struct {
		ID string `path:"id" maxLength:"64"`
	}
	silenceOutput struct{ Body SilenceShape }
	previewOutput struct {
		Body struct {
			Active    bool          `json:"active" doc:"it would hold now"`
			Until     *time.Time    `json:"until"`
			Count     int           `json:"count" doc:"open incidents that it is about"`
			Incidents []IncidentRef `json:"incidents" doc:"the first 50 of them"`
		}
	}
)

func (s *Server) registerSilences() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"rules"}}
	}
	add(s, filtered(SilencesWrite), op("listSilences", http.MethodGet, "/silences", "Silences and maintenance windows", 0), s.listSilences)
	add(s, filtered(SilencesWrite), op("createSilence", http.MethodPost, "/silences", "Mute notices of some incidents for some time", http.StatusCreated), s.createSilence)
	add(s, filtered(SilencesWrite), op("previewSilence", http.MethodPost, "/silences/preview", "Say what a silence would mute now, without saving it", 0), s.previewSilence)
	add(s, filtered(SilencesWrite), op("deleteSilence", http.MethodDelete, "/silences/{id}", "End a silence or window", http.StatusNoContent), s.deleteSilence)
}

// mute checks a body and the caller's right to it. Whoever may not act
// everywhere names sites of their own.
func (s *Server) mute(ctx context.Context, b *SilenceBody) (*incident.Mute, error) {
	if b.Start.IsZero() {
		b.Start = s.now().UTC().Truncate(time.Second)
	}
	m := &incident.Mute{
		Reason: b.Reason, Sites: b.Sites, Stations: b.Stations, Matchers: b.Matchers, Start: b.Start, End: b.End, Weekly: b.Weekly, Zone: b.Zone, Safety: b.Safety,
	}
	faults := m.Check(time.LoadLocation)
	allowed := scope(ctx, SilencesWrite)
	if len(m.Sites) == 0 && !allowed.All() {
		faults["sites"] = "names at least one of your sites"
	}
	for i, site := range m.Sites {
		if _, ok := s.o.Store.Site(site); !ok || !allowed.Allows(site) {
			faults[fmt.Sprintf("sites.%d", i)] = "there is no such site"
		}
	}
	for i, id := range m.Stations {
		if site, ok := s.siteOf(id); !ok || !allowed.Allows(site) {
			faults[fmt.Sprintf("stations.%d", i)] = "there is no such station"
		}
	}
	if len(faults) > 0 {
		return nil, fieldProblem(faults)
	}
	return m, nil
}

// mayTouch reports whether all of a silence lies where the caller may act.
func mayTouch(allowed Scope, sites []string) bool {
	if allowed.All() {
		return true
	}
	return len(sites) > 0 && !slices.ContainsFunc(sites, func(site string) bool { return !allowed.Allows(site) })
}

func (s *Server) listSilences(ctx context.Context, _ *struct{}) (*listOutput[SilenceShape], error) {
	allowed := scope(ctx, SilencesWrite)
	var out []SilenceShape
	for _, typ := range []string{"window", "silence"} {
		kept, err := s.o.Store.Policies(ctx, typ)
		if err != nil {
			return nil, err
		}
		for _, p := range kept {
			one, ok := s.silenceShape(ctx, p)
			if ok && mayTouch(allowed, one.Sites) {
				out = append(out, one)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b SilenceShape) int {
		if a.Over != b.Over {
			if b.Over {
				return -1
			}
			return 1
		}
		return b.ChangedAt.Compare(a.ChangedAt)
	})
	return listOf(out, ""), nil
}

func (s *Server) silenceShape(ctx context.Context, p store.Policy) (SilenceShape, bool) {
	out := SilenceShape{ID: p.ID, ChangedAt: p.ChangedAt.UTC(), ChangedBy: s.nameOf(ctx, string(p.By))}
	var m incident.Mute
	if json.Unmarshal(p.Value, &m) != nil || len(m.Check(time.LoadLocation)) > 0 {
		return out, false
	}
	out.SilenceBody = SilenceBody{
		Type: p.Type, Reason: m.Reason, Sites: list(m.Sites), Stations: list(m.Stations), Matchers: list(m.Matchers),
		Start: m.Start, End: m.End, Weekly: list(m.Weekly), Zone: m.Zone, Safety: m.Safety,
	}
	now := s.now()
	active, until := m.Holds(now)
	out.Active, out.Until, out.Over = active, instant(until), !active && until.IsZero()
	if !out.Over {
		out.Muting = len(s.covered(ctx, &m))
	}
	return out, true
}

// covered are the open incidents that a mute is about and the caller may see.
func (s *Server) covered(ctx context.Context, m *incident.Mute) []*incident.Incident {
	if s.o.Rules.Open == nil {
		return nil
	}
	allowed := scope(ctx, SilencesWrite)
	var out []*incident.Incident
	for _, one := range s.o.Rules.Open() {
		if (allowed.All() || allowed.Allows(one.SiteID)) && m.Covers(one) {
			out = append(out, one)
		}
	}
	return out
}

func (s *Server) createSilence(ctx context.Context, in *silenceInput) (*silenceOutput, error) {
	m, err := s.mute(ctx, &in.Body)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode a silence: %w", err)
	}
	id := strings.ToLower(rand.Text()[:10])
	if err := s.o.Store.SetPolicy(ctx, who(ctx).actor(), in.Body.Type, id, data); err != nil {
		return nil, err
	}
	p, err := s.o.Store.Policy(ctx, in.Body.Type, id)
	if err != nil {
		return nil, err
	}
	out := &silenceOutput{}
	out.Body, _ = s.silenceShape(ctx, p)
	return out, nil
}

func (s *Server) previewSilence(ctx context.Context, in *silenceInput) (*previewOutput, error) {
	m, err := s.mute(ctx, &in.Body)
	if err != nil {
		return nil, err
	}
	out := &previewOutput{}
	active, until := m.Holds(s.now())
	out.Body.Active, out.Body.Until, out.Body.Incidents = active, instant(until), []IncidentRef{}
	found := s.covered(ctx, m)
	out.Body.Count = len(found)
	slices.SortFunc(found, func(a, b *incident.Incident) int { return b.OpenedAt.Compare(a.OpenedAt) })
	for _, one := range found[:min(len(found), 50)] {
		out.Body.Incidents = append(out.Body.Incidents, IncidentRef{ID: one.ID, Title: one.Title, Severity: event.Severity(one.Severity), OpenedAt: one.OpenedAt})
	}
	return out, nil
}

func (s *Server) deleteSilence(ctx context.Context, in *silenceIDInput) (*noContent, error) {
	allowed := scope(ctx, SilencesWrite)
	for _, typ := range []string{"silence", "window"} {
		p, err := s.o.Store.Policy(ctx, typ, in.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var m incident.Mute
		if err := json.Unmarshal(p.Value, &m); err != nil && !allowed.All() || !mayTouch(allowed, m.Sites) {
			return nil, store.ErrNotFound
		}
		return &noContent{}, s.o.Store.SetPolicy(ctx, who(ctx).actor(), typ, in.ID, nil)
	}
	return nil, store.ErrNotFound
}
