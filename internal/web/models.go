package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/store"
)

// ModelEVSEShape is a port of a model.
type ModelEVSEShape struct {
	EVSE       int                   `json:"evse" minimum:"1" maximum:"16" doc:"counts up from 1"`
	Current    string                `json:"current" enum:"AC,DC," doc:"empty only where nobody knows yet"`
	RatedW     float64               `json:"ratedW,omitempty" doc:"at the port; missing: not known"`
	Phases     int                   `json:"phases,omitempty" doc:"of AC; missing: the installation decides"`
	Group      string                `json:"group,omitempty" maxLength:"20" doc:"ports of a group share power"`
	GroupW     float64               `json:"groupW,omitempty"`
	Exclusive  bool                  `json:"exclusive,omitempty" doc:"only one port of the group can charge at a time"`
	Connectors []ModelConnectorShape `json:"connectors" maxItems:"8"`
}

// ModelConnectorShape is a plug of a model.
type ModelConnectorShape struct {
	Connector int    `json:"connector" minimum:"1" maximum:"32" doc:"as OCPP 1.6 counts: over the whole station"`
	Type      string `json:"type,omitempty" maxLength:"20" doc:"ConnectorEnumType of OCPP 2.0.1; missing: not known"`
}

// ModelConfigurationShape is how a model takes configuration, as far as anybody saw it.
type ModelConfigurationShape struct {
	Unsupported   []string `json:"unsupported,omitempty" maxItems:"64" doc:"measurands that it refuses"`
	RebootAfter   []string `json:"rebootAfter,omitempty" maxItems:"100" doc:"settings whose change it answers with RebootRequired"`
	MaxMeasurands int      `json:"maxMeasurands,omitempty" doc:"the longest list of measurands that it takes"`
}

// ModelShape is an entry of the model catalogue.
type ModelShape struct {
	ID            string                  `json:"id" doc:"of an entry of yours; empty: it comes along"`
	Own           bool                    `json:"own" doc:"an entry of yours counts more than what comes along"`
	Vendor        string                  `json:"vendor" doc:"as stations report it"`
	Model         string                  `json:"model" doc:"with which the reported model begins"`
	Source        string                  `json:"source" doc:"where the facts were read"`
	EVSEs         []ModelEVSEShape        `json:"evses"`
	Configuration ModelConfigurationShape `json:"configuration"`
	Quirks        []string                `json:"quirks" doc:"habits in what it sends, by the names under which they are counted"`
	Stations      int                     `json:"stations" doc:"for which it is the entry that counts"`
	Otherwise     int                     `json:"otherwise" doc:"of them, built as a person or they themselves said"`
	ReplacedBy    string                  `json:"replacedBy" doc:"the entry of yours that counts instead; empty: none"`
	ChangedAt     *time.Time              `json:"changedAt" doc:"null: it comes along"`
}

// UnmatchedModelShape is a model that stations report and no entry is about.
type UnmatchedModelShape struct {
	Vendor     string                `json:"vendor"`
	Model      string                `json:"model"`
	Stations   int                   `json:"stations"`
	Examples   []string              `json:"examples" doc:"stations of it, at most 5"`
	Protocols  []string              `json:"protocols"`
	Suggestion *ModelSuggestionShape `json:"suggestion" doc:"an entry as far as it can be told from them; null: they told nothing of their ports"`
}

// ModelSuggestionShape is an entry as far as stations or people told of it.
type ModelSuggestionShape struct {
	Model    string           `json:"model" doc:"the reported one, cut to what an entry can hold"`
	Source   string           `json:"source"`
	From     string           `json:"from" enum:"report,person,status" doc:"report: stations told how they are built; person: people said so of one; status: only which ports were heard"`
	Complete bool             `json:"complete" doc:"it can be added as it is"`
	Stations int              `json:"stations" doc:"that say the same"`
	EVSEs    []ModelEVSEShape `json:"evses"`
}

type (
	modelInput struct {
		ID string `path:"id" maxLength:"48"`
	}
	modelOutput   struct{ Body ModelShape }
	newModelInput struct {
		Body struct {
			Vendor        string                  `json:"vendor" minLength:"1" maxLength:"50" doc:"as stations report it; letter case does not count"`
			Model         string                  `json:"model" minLength:"1" maxLength:"50" doc:"with which the reported model begins; the longest that fits counts"`
			Source        string                  `json:"source" minLength:"8" maxLength:"500" doc:"where the facts were read, so that anybody can look"`
			EVSEs         []ModelEVSEShape        `json:"evses" minItems:"1" maxItems:"16"`
			Configuration ModelConfigurationShape `json:"configuration,omitempty"`
			Quirks        []string                `json:"quirks,omitempty" maxItems:"32"`
		}
	}
	modelChangeInput struct {
		ID   string `path:"id" maxLength:"48"`
		Body struct {
			Vendor        *string                  `json:"vendor,omitempty" maxLength:"50"`
			Model         *string                  `json:"model,omitempty" maxLength:"50"`
			Source        *string                  `json:"source,omitempty" maxLength:"500"`
			EVSEs         *[]ModelEVSEShape        `json:"evses,omitempty" minItems:"1" maxItems:"16"`
			Configuration *ModelConfigurationShape `json:"configuration,omitempty" doc:"replaces all of it"`
			Quirks        *[]string                `json:"quirks,omitempty" maxItems:"32"`
		}
	}
	unmatchedModelsOutput struct {
		Body struct {
			Items []UnmatchedModelShape `json:"items" doc:"the most frequent first, at most 200"`
		}
	}
)

func (s *Server) registerModels() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"models"}}
	}
	add(s, filtered(StationsRead), op("listModels", http.MethodGet, "/models", "What makers' models are built of: your entries, then those that come along", 0), s.listModels)
	add(s, filtered(StationsRead), op("listUnmatchedModels", http.MethodGet, "/models/unmatched", "Models that stations report and no entry is about", 0), s.listUnmatchedModels)
	add(s, global(StationsWrite), op("createModel", http.MethodPost, "/models", "Say what a model is built of; its stations are built so at once", http.StatusCreated), s.createModel)
	add(s, global(StationsRead), op("getModel", http.MethodGet, "/models/{id}", "One entry of yours", 0), s.getModel)
	add(s, global(StationsWrite), op("changeModel", http.MethodPatch, "/models/{id}", "Change an entry of yours", 0), s.changeModel)
	add(s, global(StationsWrite), op("deleteModel", http.MethodDelete, "/models/{id}", "Take an entry of yours back", http.StatusNoContent), s.deleteModel)
}

func modelEVSEs(layout []event.EVSELayout) []ModelEVSEShape {
	out := make([]ModelEVSEShape, 0, len(layout))
	for i := range layout {
		l := &layout[i]
		x := ModelEVSEShape{
			EVSE: l.EVSE, Current: l.Current, RatedW: l.RatedW, Phases: l.Phases, Group: l.Group, GroupW: l.GroupW, Exclusive: l.Exclusive,
			Connectors: []ModelConnectorShape{},
		}
		for _, c := range l.Connectors {
			x.Connectors = append(x.Connectors, ModelConnectorShape{Connector: c.Connector, Type: c.Type})
		}
		out = append(out, x)
	}
	return out
}

func modelLayout(in []ModelEVSEShape) []event.EVSELayout {
	out := make([]event.EVSELayout, 0, len(in))
	for _, v := range in {
		l := event.EVSELayout{
			EVSE: v.EVSE, Current: v.Current, RatedW: v.RatedW, Phases: v.Phases, Group: v.Group, GroupW: v.GroupW, Exclusive: v.Exclusive,
		}
		for _, c := range v.Connectors {
			l.Connectors = append(l.Connectors, event.ConnectorLayout{Connector: c.Connector, Type: c.Type})
		}
		out = append(out, l)
	}
	return out
}

func modelShape(m *fleet.Model) ModelShape {
	return ModelShape{
		Vendor: m.Vendor, Model: m.Model, Source: m.Source, EVSEs: modelEVSEs(m.EVSEs), Configuration: ModelConfigurationShape(m.Configuration), Quirks: list(m.Quirks),
	}
}

// modelUse is for how many stations of the caller an entry counts.
type modelUse struct{ stations, otherwise int }

// modelName tells entries apart: no two of one kind are about the same.
type modelName struct {
	own           string // id
	vendor, model string // in small letters
}

func nameOf(own string, m *fleet.Model) modelName {
	return modelName{own, strings.ToLower(m.Vendor), strings.ToLower(m.Model)}
}

// modelUses counts for each entry the stations that the caller may see.
func (s *Server) modelUses(ctx context.Context) map[modelName]modelUse {
	snap, allowed := s.o.Fleet.Snapshot(), scope(ctx, StationsRead)
	c := snap.Catalogue()
	type reported struct{ vendor, model string }
	names := make(map[reported]modelName)
	out := make(map[modelName]modelUse)
	for st := range snap.Stations() {
		if !allowed.Allows(st.SiteID) {
			continue
		}
		of := reported{st.Vendor, st.Model}
		name, known := names[of]
		if !known {
			if m, ok := c.LookupOwn(of.vendor, of.model); ok {
				name = nameOf(m.ID, &m.Model)
			} else if m, ok := c.Lookup(of.vendor, of.model); ok {
				name = nameOf("", &m)
			}
			names[of] = name
		}
		if name == (modelName{}) {
			continue
		}
		use := out[name]
		use.stations++
		if st.LayoutSource != "catalogue" {
			use.otherwise++
		}
		out[name] = use
	}
	return out
}

func (s *Server) ownModelShape(m *store.Model, uses map[modelName]modelUse) ModelShape {
	out := modelShape(&m.Model)
	use := uses[nameOf(m.ID, &m.Model)]
	out.ID, out.Own, out.ChangedAt, out.Stations, out.Otherwise = m.ID, true, instant(m.ChangedAt), use.stations, use.otherwise
	return out
}

func (s *Server) models(ctx context.Context) ([]ModelShape, error) {
	own, err := s.o.Store.Models(ctx)
	if err != nil {
		return nil, err
	}
	uses := s.modelUses(ctx)
	c := s.o.Fleet.Snapshot().Catalogue()
	out := make([]ModelShape, 0, len(own)+len(c.Models()))
	for i := range own {
		out = append(out, s.ownModelShape(&own[i], uses))
	}
	for i := range c.Models() {
		m := &c.Models()[i]
		x, use := modelShape(m), uses[nameOf("", m)]
		x.Stations, x.Otherwise = use.stations, use.otherwise
		if instead, ok := c.LookupOwn(m.Vendor, m.Model); ok {
			x.ReplacedBy = instead.ID
		}
		out = append(out, x)
	}
	slices.SortStableFunc(out, func(a, b ModelShape) int { return strings.Compare(a.place(), b.place()) })
	return out, nil
}

// place is where an entry stands in the list.
func (m *ModelShape) place() string {
	first := "1"
	if m.Own {
		first = "0"
	}
	return first + strings.ToLower(m.Vendor) + "\x00" + strings.ToLower(m.Model)
}

func (s *Server) listModels(ctx context.Context, in *Page) (*listOutput[ModelShape], error) {
	after, err := decodeCursor("models", in.Cursor)
	if err != nil {
		return nil, err
	}
	all, err := s.models(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(m ModelShape) bool { return m.place() <= after })
	if len(all) > in.Limit {
		return listOf(all[:in.Limit], encodeCursor("models", all[in.Limit-1].place())), nil
	}
	return listOf(all, ""), nil
}

func (s *Server) getModel(ctx context.Context, in *modelInput) (*modelOutput, error) {
	m, err := s.o.Store.Model(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &modelOutput{Body: s.ownModelShape(&m, s.modelUses(ctx))}, nil
}

func (s *Server) createModel(ctx context.Context, in *newModelInput) (*modelOutput, error) {
	b := &in.Body
	m, err := s.o.Store.CreateModel(ctx, who(ctx).actor(), fleet.Model{
		Vendor: b.Vendor, Model: b.Model, Source: b.Source, EVSEs: modelLayout(b.EVSEs), Configuration: fleet.Configuration(b.Configuration), Quirks: b.Quirks,
	})
	if err != nil {
		return nil, err
	}
	return &modelOutput{Body: s.ownModelShape(&m, s.modelUses(ctx))}, nil
}

func (s *Server) changeModel(ctx context.Context, in *modelChangeInput) (*modelOutput, error) {
	b := &in.Body
	m, err := s.o.Store.ChangeModel(ctx, who(ctx).actor(), in.ID, func(m *fleet.Model) {
		put(&m.Vendor, b.Vendor)
		put(&m.Model, b.Model)
		put(&m.Source, b.Source)
		put(&m.Quirks, b.Quirks)
		if b.EVSEs != nil {
			m.EVSEs = modelLayout(*b.EVSEs)
		}
		if b.Configuration != nil {
			m.Configuration = fleet.Configuration(*b.Configuration)
		}
	})
	if err != nil {
		return nil, err
	}
	return &modelOutput{Body: s.ownModelShape(&m, s.modelUses(ctx))}, nil
}

func (s *Server) deleteModel(ctx context.Context, in *modelInput) (*noContent, error) {
	return nil, s.o.Store.DeleteModel(ctx, who(ctx).actor(), in.ID)
}

const (
	maxUnmatched = 200
	maxExamples  = 5
)

func (s *Server) listUnmatchedModels(ctx context.Context, _ *struct{}) (*unmatchedModelsOutput, error) {
	snap, allowed := s.o.Fleet.Snapshot(), scope(ctx, StationsRead)
	type reported struct{ vendor, model string }
	of := make(map[reported][]*fleet.Station)
	for st := range snap.Stations() {
		if allowed.Allows(st.SiteID) && st.Vendor != "" && st.Model != "" {
			r := reported{st.Vendor, st.Model}
			of[r] = append(of[r], st)
		}
	}
	out := &unmatchedModelsOutput{}
	out.Body.Items = []UnmatchedModelShape{}
	c := snap.Catalogue()
	for r, stations := range of {
		if _, ok := c.Lookup(r.vendor, r.model); ok {
			continue
		}
		slices.SortFunc(stations, func(a, b *fleet.Station) int { return strings.Compare(a.ID, b.ID) })
		x := UnmatchedModelShape{Vendor: r.vendor, Model: r.model, Stations: len(stations), Examples: []string{}, Protocols: []string{}, Suggestion: suggest(stations)}
		for _, st := range stations {
			if len(x.Examples) < maxExamples {
				x.Examples = append(x.Examples, st.ID)
			}
			if st.Protocol != "" && !slices.Contains(x.Protocols, st.Protocol) {
				x.Protocols = append(x.Protocols, st.Protocol)
			}
		}
		slices.Sort(x.Protocols)
		out.Body.Items = append(out.Body.Items, x)
	}
	slices.SortFunc(out.Body.Items, func(a, b UnmatchedModelShape) int {
		return cmp.Or(b.Stations-a.Stations, strings.Compare(a.Vendor, b.Vendor), strings.Compare(a.Model, b.Model))
	})
	if len(out.Body.Items) > maxUnmatched {
		out.Body.Items = out.Body.Items[:maxUnmatched]
	}
	return out, nil
}

// suggest makes an entry of what stations of one model told of themselves, else of what
// people said of them, else of which ports were heard. Most of them decide.
func suggest(stations []*fleet.Station) *ModelSuggestionShape {
	for _, way := range []struct {
		from, source string
		layout       func(st *fleet.Station) []event.EVSELayout
	}{
		{"report", "NotifyReport of ", func(st *fleet.Station) []event.EVSELayout { return st.Reported }},
		{"person", "as entered for ", func(st *fleet.Station) []event.EVSELayout {
			if st.LayoutSource == "person" {
				return st.Layout
			}
			return nil
		}},
		{"status", "BootNotification of ", heardPorts},
	} {
		if best, layout, n := mostTold(stations, way.layout); best != nil {
			m := fleet.Model{Vendor: best.Vendor, Model: best.Model, Source: way.source + best.ID, EVSEs: layout}
			if r := []rune(m.Model); len(r) > maxModelPrefix {
				m.Model = string(r[:maxModelPrefix])
			}
			return &ModelSuggestionShape{
				Model: m.Model, Source: m.Source, From: way.from, Complete: m.Check() == nil && whole(layout), Stations: n, EVSEs: modelEVSEs(layout),
			}
		}
	}
	return nil
}

const maxModelPrefix = 50 // of an entry

// mostTold returns the layout that most stations told, as an entry writes it.
func mostTold(stations []*fleet.Station, of func(*fleet.Station) []event.EVSELayout) (best *fleet.Station, layout []event.EVSELayout, n int) {
	type told struct {
		st     *fleet.Station
		layout []event.EVSELayout
		n      int
	}
	var all []*told
	for _, st := range stations {
		l := asEntry(of(st))
		if len(l) == 0 {
			continue
		}
		if i := slices.IndexFunc(all, func(t *told) bool { return event.SameLayout(t.layout, l) }); i >= 0 {
			all[i].n++
		} else if len(all) < 100 { // stations of one model are not built in so many ways
			all = append(all, &told{st, l, 1})
		}
	}
	for _, t := range all {
		if t.n > n {
			best, layout, n = t.st, t.layout, t.n
		}
	}
	return best, layout, n
}

// asEntry writes a layout as entries of the catalogue do: ports from 1, connectors over
// the whole station, nothing that is of one station alone.
func asEntry(layout []event.EVSELayout) []event.EVSELayout {
	out := slices.Clone(layout)
	slices.SortFunc(out, func(a, b event.EVSELayout) int { return a.EVSE - b.EVSE })
	var numbers []int
	for i := range out {
		l := &out[i]
		l.EVSE, l.PublicID = i+1, ""
		if l.Current == "DC" {
			l.Phases = 0 // of its supply
		}
		if l.Connectors = slices.Clone(l.Connectors); len(l.Connectors) == 0 {
			l.Connectors = []event.ConnectorLayout{{}}
		}
		slices.SortFunc(l.Connectors, func(a, b event.ConnectorLayout) int { return a.Connector - b.Connector })
		for j := range l.Connectors {
			c := &l.Connectors[j]
			numbers = append(numbers, c.Connector)
			if !slices.Contains(fleet.ConnectorTypes(), c.Type) {
				c.Type = ""
			}
		}
	}
	slices.Sort(numbers)
	if len(numbers) > 0 && numbers[0] > 0 && len(slices.Compact(slices.Clone(numbers))) == len(numbers) {
		return out // they count over the whole station already
	}
	n := 0
	for i := range out {
		for j := range out[i].Connectors {
			n++
			out[i].Connectors[j].Connector = n
		}
	}
	return out
}

// whole reports that nothing is left to be found out.
func whole(layout []event.EVSELayout) bool {
	return !slices.ContainsFunc(layout, func(l event.EVSELayout) bool {
		return l.RatedW == 0 || slices.ContainsFunc(l.Connectors, func(c event.ConnectorLayout) bool { return c.Type == "" })
	})
}

// heardPorts are the ports that a station was heard of.
func heardPorts(st *fleet.Station) []event.EVSELayout {
	var out []event.EVSELayout
	for i := range st.EVSEs {
		l := event.EVSELayout{EVSE: st.EVSEs[i].ID}
		for _, c := range st.EVSEs[i].Connectors {
			l.Connectors = append(l.Connectors, event.ConnectorLayout{Connector: c.ID})
		}
		out = append(out, l)
	}
	return out
}
