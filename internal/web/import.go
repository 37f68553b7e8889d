package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
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
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	fault := func(line int, column, text string) *huma.ErrorDetail {
		return &huma.ErrorDetail{Location: fmt.Sprintf("body.line[%d].%s", line, column), Message: text}
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.TrimLeadingSpace, r.ReuseRecord = true, true
	head, _, _ := bytes.Cut(data, []byte("\n"))
	if bytes.Count(head, []byte(";")) > bytes.Count(head, []byte(",")) {
		r.Comma = ';'
	}
	first, err := r.Read()
	if err != nil {
		return nil, []*huma.ErrorDetail{fault(1, "id", "the first line must name the columns")}
	}
	var faults []*huma.ErrorDetail
	columns := make([]string, len(first))
	seen := make(map[string]bool)
	for i, name := range first {
		columns[i] = strings.TrimSpace(name)
		switch columns[i] {
		case "id", "siteId", "label", "profile", "password", "generate", "certSubject":
			if seen[columns[i]] {
				faults = append(faults, fault(1, columns[i], "named twice"))
			}
			seen[columns[i]] = true
		default:
			faults = append(faults, fault(1, "column"+strconv.Itoa(i+1), "no such column"))
		}
	}
	if !seen["id"] {
		faults = append(faults, fault(1, "id", "the column is missing"))
	}
	if len(faults) > 0 {
		return nil, faults
	}
	var out []importedStation
	ids := make(map[string]bool)
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, faults
		}
		if bad, ok := errors.AsType[*csv.ParseError](err); ok {
			return nil, append(faults, fault(bad.Line, "row", bad.Err.Error()))
		}
		if err != nil {
			return nil, append(faults, fault(1, "row", "cannot be read"))
		}
		line, _ := r.FieldPos(0)
		if len(out) >= maxImportRows || len(faults) >= maxImportFault {
			return nil, append(faults, fault(line, "row", fmt.Sprintf("more than %d rows or %d faults", maxImportRows, maxImportFault)))
		}
		x := importedStation{line: line}
		for i, value := range record {
			if text := x.set(columns[i], strings.TrimSpace(value)); text != "" {
				faults = append(faults, fault(line, columns[i], text))
			}
		}
		if err := store.ValidIdentity(x.station.ID); err != nil {
			faults = append(faults, fault(line, "id", reason(err)))
		} else if ids[x.station.ID] {
			faults = append(faults, fault(line, "id", "stands twice"))
		}
		ids[x.station.ID] = true
		out = append(out, x)
	}
}

func (x *importedStation) set(column, value string) (fault string) {
	n := &x.station
	switch column {
	case "id":
		n.ID = strings.Clone(value)
	case "siteId":
		n.SiteID = strings.Clone(value)
	case "label":
		n.Label = strings.Clone(value)
		if len(value) > 100 {
			return "at most 100 characters"
		}
	case "password":
		n.Auth.Password = strings.Clone(value)
	case "certSubject":
		n.Auth.CertSubject = strings.Clone(value)
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
		switch strings.ToLower(value) {
		case "", "false", "no", "0":
		case "true", "yes", "1":
			n.Auth.Generate = true
		default:
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
