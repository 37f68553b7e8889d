package web

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// maxImportSites bounds the rows of one file: each is a commit of its own.
const maxImportSites = 5000

type importSitesInput struct {
	DryRun  bool   `query:"dryRun" doc:"check only"`
	Update  bool   `query:"update" doc:"change sites that exist already, in the columns that the file has"`
	RawBody []byte `contentType:"text/csv"`
}

// ImportSitesResult says what became of each row.
type ImportSitesResult struct {
	Created int             `json:"created"`
	Changed int             `json:"changed"`
	Exist   int             `json:"exist" doc:"there already; left as they are"`
	Failed  int             `json:"failed"`
	Rows    []ImportSiteRow `json:"rows"`
}

// ImportSiteRow is one row of an import. A dry run says what would become of it.
type ImportSiteRow struct {
	Line   int    `json:"line"`
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status" enum:"created,changed,exists,failed"`
	Reason string `json:"reason"`
}

type importSitesOutput struct{ Body ImportSitesResult }

func (s *Server) registerSiteImport() {
	add(s, global(SitesWrite), huma.Operation{
		OperationID: "importSites", Method: http.MethodPost, Path: "/sites/import", Tags: []string{"sites"},
		Summary: "Add many sites from CSV",
		Description: "Columns by name in the first line, separated by comma or semicolon: id, name, address, latitude, longitude, " +
			"timeZone, openingHours, gridLimitW, freeVend, public. A row without id is given one. If a row cannot be read nothing is " +
			"imported; sites that are there already are left as they are unless update is set.",
		MaxBodyBytes: maxImportBytes, BodyReadTimeout: time.Minute,
	}, s.importSites)
}

// importedSite is a row, kept as what it does to a site, so that an update
// touches only the columns of the file.
type importedSite struct {
	line   int
	id     string
	change []func(*store.Site)
}

func (x *importedSite) apply(to *store.Site) {
	for _, f := range x.change {
		f(to)
	}
}

// set notes what a cell does; it returns what is wrong with it.
func (x *importedSite) set(column, value string) (fault string) {
	note := func(f func(*store.Site)) { x.change = append(x.change, f) }
	text := func(limit int, field func(*store.Site) *string) string {
		if len(value) > limit {
			return fmt.Sprintf("at most %d characters", limit)
		}
		note(func(s *store.Site) { *field(s) = value })
		return ""
	}
	yes := func(field func(*store.Site) *bool) string {
		v, ok := yesNo(value)
		if !ok {
			return "must be true or false"
		}
		note(func(s *store.Site) { *field(s) = v })
		return ""
	}
	position := func(field func(*store.Site) **float64) string {
		if value == "" {
			note(func(s *store.Site) { *field(s) = nil })
			return ""
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return "must be degrees, like 53.5511"
		}
		note(func(s *store.Site) { *field(s) = &v })
		return ""
	}
	switch column {
	case "id":
		x.id = value
	case "name":
		return text(100, func(s *store.Site) *string { return &s.Name })
	case "address":
		return text(300, func(s *store.Site) *string { return &s.Address })
	case "timeZone":
		return text(64, func(s *store.Site) *string { return &s.TimeZone })
	case "openingHours":
		return text(300, func(s *store.Site) *string { return &s.OpeningHours })
	case "latitude":
		return position(func(s *store.Site) **float64 { return &s.Latitude })
	case "longitude":
		return position(func(s *store.Site) **float64 { return &s.Longitude })
	case "gridLimitW":
		v := 0.0
		if value != "" {
			var err error
			if v, err = strconv.ParseFloat(value, 64); err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				return "must be a power in watts"
			}
		}
		note(func(s *store.Site) { s.GridLimitW = v })
	case "freeVend":
		return yes(func(s *store.Site) *bool { return &s.FreeVend })
	case "public":
		return yes(func(s *store.Site) *bool { return &s.Public })
	}
	return ""
}

func (s *Server) parseSites(data []byte, update bool) ([]importedSite, []*huma.ErrorDetail) {
	var out []importedSite
	ids := make(map[string]bool)
	faults := readCSV(data, csvForm{
		columns:  []string{"id", "name", "address", "latitude", "longitude", "timeZone", "openingHours", "gridLimitW", "freeVend", "public"},
		required: []string{"id", "name"}, rows: maxImportSites,
	}, func(r csvRow) {
		x := importedSite{line: r.line}
		sound := true
		for column, value := range r.values {
			if text := x.set(column, value); text != "" {
				r.fault(column, text)
				sound = false
			}
		}
		if x.id != "" && ids[x.id] {
			r.fault("id", "stands twice")
		}
		ids[x.id] = true
		result := store.Site{ID: x.id}
		if old, ok := s.o.Store.Site(x.id); ok && update {
			result = *old
		}
		x.apply(&result)
		if bad, ok := errors.AsType[*store.InvalidError](result.Valid()); sound && ok {
			r.fault(bad.Field, bad.Reason)
		}
		out = append(out, x)
	})
	return out, faults
}

func (s *Server) importSites(ctx context.Context, in *importSitesInput) (*importSitesOutput, error) {
	sites, faults := s.parseSites(in.RawBody, in.Update)
	if len(faults) > 0 {
		return nil, problemf(http.StatusUnprocessableEntity, "nothing was imported", faults...)
	}
	out := ImportSitesResult{Rows: make([]ImportSiteRow, 0, len(sites))}
	for i := range sites {
		row := s.importSite(ctx, &sites[i], in.DryRun, in.Update)
		switch row.Status {
		case "created":
			out.Created++
		case "changed":
			out.Changed++
		case "exists":
			out.Exist++
		default:
			out.Failed++
		}
		out.Rows = append(out.Rows, row)
	}
	return &importSitesOutput{Body: out}, nil
}

func (s *Server) importSite(ctx context.Context, x *importedSite, dry, update bool) ImportSiteRow {
	shown := store.Site{ID: x.id}
	x.apply(&shown)
	row := ImportSiteRow{Line: x.line, ID: x.id, Name: shown.Name, Status: "created"}
	by := who(ctx).actor()
	var err error
	_, there := s.o.Store.Site(x.id)
	switch {
	case there && !update:
		row.Status = "exists"
	case there:
		row.Status = "changed"
		if !dry {
			_, err = s.o.Store.UpdateSite(ctx, by, x.id, x.apply)
		}
	case !dry:
		var made *store.Site
		if made, err = s.o.Store.CreateSite(ctx, by, shown); err == nil {
			row.ID = made.ID
		}
	}
	switch {
	case errors.Is(err, store.ErrFull):
		row.Status, row.Reason = "failed", "there is no room for more sites"
	case err != nil:
		row.Status, row.Reason = "failed", reason(err)
	}
	return row
}
