package web

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/chargewatch/chargewatch/internal/intake"
	"github.com/chargewatch/chargewatch/internal/store"
)

// pastShapes are imports as they are told, with who brought them.
func (s *Server) pastShapes(ctx context.Context, list []*store.PastImport) ([]PastImportShape, error) {
	ids := make([]string, 0, len(list))
	for _, x := range list {
		ids = append(ids, string(x.By))
	}
	names, err := s.o.Store.UserNames(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]PastImportShape, 0, len(list))
	for _, x := range list {
		shape := PastImportShape{
			ID: x.ID, Name: x.Name, SHA256: x.SHA256, Bytes: x.Bytes, MadeAt: x.MadeAt, By: string(x.By), ByName: names[string(x.By)],
			State: string(x.State), Sessions: x.Written, UndoneAt: instant(x.UndoneAt),
		}
		if s.o.Imports != nil {
			if p, ok := s.o.Imports.At(x.ID); ok {
				shape.Progress = &PastProgressShape{Phase: p.Phase, Done: p.Done, Total: p.Total, StartedAt: p.Started}
			}
		}
		var c intake.Counts
		if err := json.Unmarshal(x.Counts, &c); err != nil {
			return nil, fmt.Errorf("counts of import %d: %w", x.ID, err)
		}
		if c.Rows > 0 {
			shape.Counts = countsShape(c)
		}
		// Sessions that were here already were gone through, and are not of this one.
		if x.State == store.PastDone {
			shape.Sessions = int64(c.Imported + c.Repaired)
		}
		out = append(out, shape)
	}
	return out, nil
}

func countsShape(c intake.Counts) *PastCountsShape {
	out := &PastCountsShape{
		Rows: c.Rows, Imported: c.Imported, Repaired: c.Repaired, Quarantined: c.Quarantined, Duplicates: c.Duplicates, Ports: c.Ports,
		From: instant(c.From), To: instant(c.To), EnergyWh: c.EnergyWh, WithEnergy: c.WithEnergy, Findings: []PastFindingShape{},
	}
	for _, f := range c.Findings {
		x := PastFindingShape{Kind: f.Kind, Class: f.Class, Count: f.Count, Examples: []PastExampleShape{}}
		for _, e := range f.Examples {
			x.Examples = append(x.Examples, PastExampleShape{Line: e.Line, Before: e.Before, After: e.After})
		}
		out.Findings = append(out.Findings, x)
	}
	if o := c.Order; o != nil {
		out.Order = &PastOrderShape{
			Sure: o.Sure, Ambiguous: o.Ambiguous, Swapped: o.Swapped, InOrderBefore: o.InOrderBefore, InOrderAfter: o.InOrderAfter,
			InPeriodBefore: o.InPeriodBefore, InPeriodAfter: o.InPeriodAfter, Pieces: o.Pieces,
		}
	}
	return out
}

func (s *Server) previewShape(ctx context.Context, p *intake.Preview) (PastPreviewShape, error) {
	rows, err := s.pastShapes(ctx, []*store.PastImport{p.Import})
	if err != nil {
		return PastPreviewShape{}, err
	}
	out := PastPreviewShape{
		Import: rows[0], Delimiter: p.Form.Delimiter, Rows: p.Form.Rows, Columns: []PastColumnShape{}, Sites: []PastSiteShape{}, Decide: p.Decide,
		Settings: settingsShape(p.Settings),
	}
	if out.Rows == nil {
		out.Rows = [][]string{}
	}
	if out.Decide == nil {
		out.Decide = []string{}
	}
	for _, c := range p.Form.Columns {
		x := PastColumnShape{Name: c.Name, Examples: c.Examples}
		if x.Examples == nil {
			x.Examples = []string{}
		}
		out.Columns = append(out.Columns, x)
	}
	if p.Counts.Rows > 0 {
		out.Counts = countsShape(p.Counts)
	}
	for _, x := range p.Sites {
		out.Sites = append(out.Sites, PastSiteShape{Name: x.Name, Rows: x.Rows, Stations: x.Stations, Alike: x.Alike, Place: PastPlace(x.Place), Guessed: x.Guessed})
	}
	if p.Before != nil {
		out.Before = &p.Before.ID
	}
	return out, nil
}

func settingsShape(x intake.Settings) PastSettings {
	m := &x.Mapping
	out := PastSettings{
		Mapping: PastMapping{
			Columns: make(map[string]int), Zone: m.Zone, IgnoreOffsets: m.IgnoreOffsets, Dates: string(m.Dates), Decimal: m.Decimal,
			EnergyUnit: m.EnergyUnit, TimeUnit: m.TimeUnit, LongDays: m.LongDays, MaxKWh: m.MaxKWh, Quiet: m.Quiet, Merge: m.Merge,
		},
		Sites: make(map[string]PastPlace), Site: PastPlace(x.Site),
	}
	for f, c := range m.Columns {
		out.Mapping.Columns[string(f)] = c
	}
	for name, p := range x.Sites {
		out.Sites[name] = PastPlace(p)
	}
	return out
}
