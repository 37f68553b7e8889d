package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// Bounds of an import.
const (
	maxImportBytes = 8 << 20
	maxImportRows  = 20_000
	maxImportFault = 100
	importWorkers  = 32
)

type importInput struct {
	DryRun  bool   `query:"dryRun" doc:"check only"`
	RawBody []byte `contentType:"text/csv"`
}

// ImportResult says what became of each row.
type ImportResult struct {
	Created int         `json:"created"`
	Exist   int         `json:"exist" doc:"enrolled already; left as they are"`
	Failed  int         `json:"failed"`
	Rows    []ImportRow `json:"rows"`
}

// ImportRow is one row of an import.
type ImportRow struct {
	Line     int    `json:"line"`
	ID       string `json:"id"`
	Status   string `json:"status" enum:"created,exists,failed,checked"`
	Reason   string `json:"reason"`
	Password string `json:"password,omitempty" doc:"generated; it cannot be read again"`
}

type importOutput struct{ Body ImportResult }

func (s *Server) registerImport() {
	add(s, filtered(StationsWrite), huma.Operation{
		OperationID: "importStations", Method: http.MethodPost, Path: "/stations/import", Tags: []string{"stations"},
		Summary:      "Enrol many stations from CSV",
		Description:  "Columns by name in the first line, separated by comma or semicolon: id, siteId, label, profile, password, generate, certSubject. If a row cannot be read nothing is imported; stations that are enrolled already are left as they are.",
		MaxBodyBytes: maxImportBytes, BodyReadTimeout: time.Minute,
	}, s.importStations)
}

type importedStation struct {
	line    int
	station store.NewStation
}

// parseStations reads the CSV of an import. Faults name line and column.
func parseStations(data []byte) ([]importedStation, []*huma.ErrorDetail) {
	var out []importedStation
	ids := make(map[string]bool)
	faults := readCSV(data, csvForm{
		columns: []string{"id", "siteId", "label", "profile", "password", "generate", "certSubject"}, required: []string{"id"}, rows: maxImportRows,
	}, func(r csvRow) {
		x := importedStation{line: r.line}
		for column, value := range r.values {
			if text := x.set(column, value); text != "" {
				r.fault(column, text)
			}
		}
		if err := store.ValidIdentity(x.station.ID); err != nil {
			r.fault("id", reason(err))
		} else if ids[x.station.ID] {
			r.fault("id", "stands twice")
		}
		ids[x.station.ID] = true
		out = append(out, x)
	})
	return out, faults
}

func (x *importedStation) set(column, value string) (fault string) {
	n := &x.station
	switch column {
	case "id":
		n.ID = value
	case "siteId":
		n.SiteID = value
	case "label":
		n.Label = value
		if len(value) > 100 {
			return "at most 100 characters"
		}
	case "password":
		n.Auth.Password = value
	case "certSubject":
		n.Auth.CertSubject = value
	case "profile":
		if value == "" {
			return ""
		}
		profile, err := strconv.Atoi(value)
		if err != nil || profile < 0 || profile > 3 {
			return "must be 0, 1, 2 or 3"
		}
		n.Auth.Profile = profile
	case "generate":
		var ok bool
		if n.Auth.Generate, ok = yesNo(value); !ok {
			return "must be true or false"
		}
	}
	return ""
}

func reason(err error) string {
	if bad, ok := errors.AsType[*store.InvalidError](err); ok {
		return bad.Field + " " + bad.Reason
	}
	return "cannot be stored"
}

func (s *Server) importStations(ctx context.Context, in *importInput) (*importOutput, error) {
	stations, faults := parseStations(in.RawBody)
	for i := range stations {
		x := &stations[i]
		if len(faults) >= maxImportFault {
			break
		}
		where := fmt.Sprintf("body.line[%d].siteId", x.line)
		if _, ok := s.o.Store.Site(x.station.SiteID); x.station.SiteID != "" && !ok {
			faults = append(faults, &huma.ErrorDetail{Location: where, Message: "no such site"})
		} else if !scope(ctx, StationsWrite).Allows(x.station.SiteID) {
			faults = append(faults, &huma.ErrorDetail{Location: where, Message: "your role does not reach that site"})
		}
	}
	if len(faults) > 0 {
		return nil, problemf(http.StatusUnprocessableEntity, "nothing was imported", faults...)
	}
	out := ImportResult{Rows: make([]ImportRow, len(stations))}
	next := make(chan int)
	var wg sync.WaitGroup
	for range importWorkers {
		wg.Go(func() {
			for i := range next {
				out.Rows[i] = s.importOne(ctx, stations[i], in.DryRun)
			}
		})
	}
	for i := range stations {
		next <- i
	}
	close(next)
	wg.Wait()
	for _, r := range out.Rows {
		switch r.Status {
		case "created":
			out.Created++
		case "exists":
			out.Exist++
		case "failed":
			out.Failed++
		}
	}
	return &importOutput{Body: out}, nil
}

func (s *Server) importOne(ctx context.Context, x importedStation, dry bool) ImportRow {
	row := ImportRow{Line: x.line, ID: x.station.ID, Status: "checked"}
	if e, ok := s.o.Store.Station(x.station.ID); ok && e.Onboarding == "accepted" {
		row.Status = "exists"
		return row
	}
	if dry {
		return row
	}
	_, password, err := s.o.Store.EnrolStation(ctx, who(ctx).actor(), x.station)
	switch {
	case err == nil:
		row.Status, row.Password = "created", password
		s.o.Store.ForgetHandshakes(x.station.ID)
	case errors.Is(err, store.ErrExists):
		row.Status = "exists"
	default:
		row.Status, row.Reason = "failed", reason(err)
	}
	return row
}
