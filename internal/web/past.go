package web

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/intake"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/usage/past"
)

// Imports takes in files of past sessions.
type Imports interface {
	Stage(ctx context.Context, by store.Actor, name string, r io.Reader) (*intake.Preview, error)
	Preview(ctx context.Context, id int64) (*intake.Preview, error)
	Change(ctx context.Context, by store.Actor, id int64, to intake.Settings) (*intake.Preview, error)
	Run(ctx context.Context, by store.Actor, id int64) error
	Cancel(ctx context.Context, by store.Actor, id int64) error
	Undo(ctx context.Context, by store.Actor, id int64) error
	Forget(ctx context.Context, by store.Actor, id int64) error
	At(id int64) (intake.Progress, bool)
}

// uploadFor is how long a file may take to arrive.
const uploadFor = 15 * time.Minute

// PastImportShape is a file of past sessions that somebody brought.
type PastImportShape struct {
	ID       int64              `json:"id"`
	Name     string             `json:"name" doc:"of the file"`
	SHA256   string             `json:"sha256"`
	Bytes    int64              `json:"bytes"`
	MadeAt   time.Time          `json:"madeAt"`
	By       string             `json:"by" doc:"id of who brought it"`
	ByName   string             `json:"byName"`
	State    string             `json:"state" enum:"staged,queued,running,stopped,done,undoing,undone"`
	Sessions int64              `json:"sessions" doc:"of it that are here"`
	UndoneAt *time.Time         `json:"undoneAt"`
	Progress *PastProgressShape `json:"progress" doc:"null: nobody works on it"`
	Counts   *PastCountsShape   `json:"counts" doc:"null before it was run"`
}

// PastProgressShape is how far work on an import is.
type PastProgressShape struct {
	Phase     string    `json:"phase" enum:"reading,writing,undoing"`
	Done      int64     `json:"done" doc:"bytes while reading, else sessions"`
	Total     int64     `json:"total"`
	StartedAt time.Time `json:"startedAt"`
}

// PastCountsShape is what a file comes to. Imported, repaired, quarantined and
// duplicates are its rows.
type PastCountsShape struct {
	Rows        int                `json:"rows"`
	Imported    int                `json:"imported" doc:"taken as they stand"`
	Repaired    int                `json:"repaired" doc:"taken with something mended"`
	Quarantined int                `json:"quarantined" doc:"not taken: they cannot be believed"`
	Duplicates  int                `json:"duplicates" doc:"here already, or twice in the file"`
	Ports       int                `json:"ports"`
	From        *time.Time         `json:"from"`
	To          *time.Time         `json:"to"`
	EnergyWh    float64            `json:"energyWh"`
	WithEnergy  int                `json:"withEnergy" doc:"sessions whose energy is known"`
	Findings    []PastFindingShape `json:"findings"`
	Order       *PastOrderShape    `json:"order" doc:"what was found out about the order of day and month; null: no date can be read in two ways"`
}

// PastFindingShape is what was found in a file.
type PastFindingShape struct {
	Kind     string             `json:"kind"`
	Class    string             `json:"class" enum:"repaired,quarantined,duplicate,flagged,note"`
	Count    int                `json:"count"`
	Examples []PastExampleShape `json:"examples"`
}

// PastExampleShape shows a finding at one row.
type PastExampleShape struct {
	Line   int    `json:"line" doc:"0: of no line"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// PastOrderShape says how sure the order of day and month is.
type PastOrderShape struct {
	Sure           string  `json:"sure" enum:"certain,likely,unclear"`
	Ambiguous      int     `json:"ambiguous"`
	Swapped        int     `json:"swapped"`
	InOrderBefore  float64 `json:"inOrderBefore" doc:"share of neighbours in the order of the file, as written"`
	InOrderAfter   float64 `json:"inOrderAfter"`
	InPeriodBefore float64 `json:"inPeriodBefore" doc:"share of rows in the time of those that can be read in one way only, as written"`
	InPeriodAfter  float64 `json:"inPeriodAfter"`
	Pieces         int     `json:"pieces"`
}

// PastPlace says where sessions of a file go.
type PastPlace struct {
	SiteID string `json:"siteId,omitempty" maxLength:"48"`
	Create bool   `json:"create,omitempty" doc:"a new site of that name"`
	Leave  bool   `json:"leave,omitempty" doc:"they are left out"`
}

// PastMapping says which column (from 0) holds what, and how it is read.
type PastMapping struct {
	Columns       map[string]int    `json:"columns" doc:"fields: site, station, port, start, startTime, end, endTime, duration, chargingEnd, chargingTime, energy, peakPower, ratedPower, token"`
	Zone          string            `json:"zone,omitempty" maxLength:"64" doc:"IANA time zone of times without an offset"`
	IgnoreOffsets bool              `json:"ignoreOffsets,omitempty" doc:"times are of the zone though they carry an offset"`
	Dates         string            `json:"dates,omitempty" enum:",dayFirst,monthFirst,swapped,asWritten" doc:"empty: as the file shows"`
	Decimal       string            `json:"decimal,omitempty" maxLength:"1"`
	EnergyUnit    string            `json:"energyUnit,omitempty" maxLength:"3"`
	TimeUnit      string            `json:"timeUnit,omitempty" maxLength:"3"`
	LongDays      int               `json:"longDays,omitempty" doc:"stays of more days are flagged; 0: 7"`
	MaxKWh        float64           `json:"maxKWh,omitempty" doc:"more energy than that of a session is not believed; 0: 300"`
	Quiet         bool              `json:"quiet,omitempty" doc:"times without any session are no holes of the file"`
	Merge         map[string]string `json:"merge,omitempty" doc:"spellings of sites, and the one that counts"`
}

// PastSettings is how a file is read and where its sites go.
type PastSettings struct {
	Mapping PastMapping          `json:"mapping"`
	Sites   map[string]PastPlace `json:"sites" doc:"by the name in the file"`
	Site    PastPlace            `json:"site" doc:"of rows that name none"`
}

// PastColumnShape is a column of a file.
type PastColumnShape struct {
	Name     string   `json:"name"`
	Examples []string `json:"examples"`
}

// PastSiteShape is a site that a file names.
type PastSiteShape struct {
	Name     string    `json:"name" doc:"empty: rows that name none"`
	Rows     int       `json:"rows"`
	Stations int       `json:"stations"`
	Alike    []string  `json:"alike" doc:"other names in the file that may be the same place"`
	Place    PastPlace `json:"place"`
	Guessed  bool      `json:"guessed" doc:"a site here is called so"`
}

// PastPreviewShape is what a file would come to.
type PastPreviewShape struct {
	Import    PastImportShape   `json:"import"`
	Settings  PastSettings      `json:"settings"`
	Delimiter string            `json:"delimiter"`
	Columns   []PastColumnShape `json:"columns"`
	Rows      [][]string        `json:"rows" doc:"the first ones, as they stand"`
	Counts    *PastCountsShape  `json:"counts" doc:"null while the mapping lacks something"`
	Sites     []PastSiteShape   `json:"sites"`
	Decide    []string          `json:"decide" doc:"what has to be said before it is run: mapping, zone, dates, sites"`
	Before    *int64            `json:"before" doc:"the import that brought this very file already; null: none"`
}

type (
	pastInput struct {
		ID int64 `path:"id"`
	}
	pastListInput struct {
		Cursor string `query:"cursor" maxLength:"32"`
		Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	pastChangeInput struct {
		ID   int64 `path:"id"`
		Body PastSettings
	}
	pastOutput        struct{ Body PastImportShape }
	pastPreviewOutput struct{ Body PastPreviewShape }
)

const pastPath = "/analytics/imports"

func (s *Server) registerPast() {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: pastPath + path, Summary: summary, Tags: []string{"analytics"}}
	}
	need := global(AnalyticsWrite)
	s.raw(http.MethodPost, base+pastPath, need, s.stagePast)
	add(s, need, op("listPastImports", http.MethodGet, "", "Imports of past sessions, newest first"), s.listPast)
	add(s, need, op("getPastImport", http.MethodGet, "/{id}", "One import"), s.getPast)
	add(s, need, op("previewPastImport", http.MethodGet, "/{id}/preview", "What a file that waits would come to"), s.previewPast)
	change := op("changePastImport", http.MethodPatch, "/{id}", "Set how a file is read and where its sites go, and see what it comes to")
	change.MaxBodyBytes = 2 << 20
	add(s, need, change, s.changePast)
	for _, x := range []struct {
		id, path, summary string
		do                func(Imports, context.Context, store.Actor, int64) error
	}{
		{"runPastImport", "/run", "Import a file, or go on where it stopped", Imports.Run},
		{"cancelPastImport", "/cancel", "Stop an import; what is written stays until it is undone", Imports.Cancel},
		{"undoPastImport", "/undo", "Take an import back", Imports.Undo},
	} {
		o := op(x.id, http.MethodPost, "/{id}"+x.path, x.summary)
		o.DefaultStatus = http.StatusAccepted
		add(s, need, o, func(ctx context.Context, in *pastInput) (*pastOutput, error) {
			if s.o.Imports == nil {
				return nil, errNoImports
			}
			if err := x.do(s.o.Imports, ctx, who(ctx).actor(), in.ID); err != nil {
				return nil, pastProblem(err)
			}
			return s.getPast(ctx, in)
		})
	}
	forget := op("deletePastImport", http.MethodDelete, "/{id}", "Delete a file that was not imported, or the trace of an import that was undone")
	forget.DefaultStatus = http.StatusNoContent
	add(s, need, forget, func(ctx context.Context, in *pastInput) (*struct{}, error) {
		if s.o.Imports == nil {
			return nil, errNoImports
		}
		return nil, pastProblem(s.o.Imports.Forget(ctx, who(ctx).actor(), in.ID))
	})
	s.raw(http.MethodGet, base+pastPath+"/{id}/rows.csv", need, s.pastRows)
}

var errNoImports = problemf(http.StatusNotImplemented, "this server takes no imports")

// pastProblem says what a person can mend about a file.
func pastProblem(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, past.ErrBytes) {
		return problemf(http.StatusRequestEntityTooLarge, past.ErrBytes.Error())
	}
	for _, known := range []error{past.ErrEmpty, past.ErrHeader, past.ErrColumns, past.ErrRows, past.ErrNames} {
		if errors.Is(err, known) {
			return problemf(http.StatusUnprocessableEntity, known.Error(), &huma.ErrorDetail{Message: known.Error(), Location: "body"})
		}
	}
	switch {
	case errors.Is(err, past.ErrMapping):
		return problemf(http.StatusUnprocessableEntity, past.ErrMapping.Error(), &huma.ErrorDetail{Message: past.ErrMapping.Error(), Location: "body.mapping.columns"})
	case errors.Is(err, intake.ErrUndecided):
		return problemf(http.StatusUnprocessableEntity, err.Error(), &huma.ErrorDetail{Message: err.Error(), Location: "body"})
	case errors.Is(err, intake.ErrGone):
		return problemf(http.StatusGone, intake.ErrGone.Error())
	case errors.Is(err, intake.ErrFull):
		return problemf(http.StatusConflict, intake.ErrFull.Error())
	case errors.Is(err, store.ErrPastState), errors.Is(err, intake.ErrBusy):
		return problemf(http.StatusConflict, "the import is not at the point at which that can be done with it")
	}
	return err
}

// stagePast takes a file as the body of the request.
func (s *Server) stagePast(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if s.o.Imports == nil {
		writeProblem(w, errNoImports)
		return
	}
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); !slices.Contains([]string{"text/csv", "text/plain", "application/octet-stream", "application/vnd.ms-excel"}, strings.TrimSpace(strings.ToLower(kind))) {
		writeProblem(w, problemf(http.StatusUnsupportedMediaType, "send the file as text/csv"))
		return
	}
	if r.ContentLength > past.MaxBytes {
		writeProblem(w, problemf(http.StatusRequestEntityTooLarge, past.ErrBytes.Error()))
		return
	}
	// Servers without a deadline have nothing to move.
	_ = http.NewResponseController(w).SetReadDeadline(s.now().Add(uploadFor))
	p, err := s.o.Imports.Stage(ctx, who(ctx).actor(), r.URL.Query().Get("name"), http.MaxBytesReader(w, r.Body, past.MaxBytes+1))
	if err != nil {
		writeProblem(w, s.problem(ctx, pastProblem(err)))
		return
	}
	shape, err := s.previewShape(ctx, p)
	if err != nil {
		writeProblem(w, s.problem(ctx, err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(shape) // the caller may have gone
}

func (s *Server) listPast(ctx context.Context, in *pastListInput) (*listOutput[PastImportShape], error) {
	before := int64(0)
	if in.Cursor != "" {
		var err error
		if before, err = strconv.ParseInt(in.Cursor, 10, 64); err != nil || before < 1 {
			return nil, errCursor
		}
	}
	list, err := s.o.Store.PastImports(ctx, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(list) > in.Limit {
		list = list[:in.Limit]
		next = strconv.FormatInt(list[len(list)-1].ID, 10)
	}
	out, err := s.pastShapes(ctx, list)
	if err != nil {
		return nil, err
	}
	return listOf(out, next), nil
}

func (s *Server) getPast(ctx context.Context, in *pastInput) (*pastOutput, error) {
	x, err := s.o.Store.PastImport(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out, err := s.pastShapes(ctx, []*store.PastImport{x})
	if err != nil {
		return nil, err
	}
	return &pastOutput{out[0]}, nil
}

func (s *Server) previewPast(ctx context.Context, in *pastInput) (*pastPreviewOutput, error) {
	if s.o.Imports == nil {
		return nil, errNoImports
	}
	x, err := s.o.Store.PastImport(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if x.State != store.PastStaged {
		return nil, pastProblem(store.ErrPastState)
	}
	p, err := s.o.Imports.Preview(ctx, in.ID)
	if err != nil {
		return nil, pastProblem(err)
	}
	out, err := s.previewShape(ctx, p)
	return &pastPreviewOutput{out}, err
}

func (s *Server) changePast(ctx context.Context, in *pastChangeInput) (*pastPreviewOutput, error) {
	if s.o.Imports == nil {
		return nil, errNoImports
	}
	set, fault := in.Body.settings()
	if fault != nil {
		return nil, problemf(http.StatusUnprocessableEntity, "validation failed", fault)
	}
	p, err := s.o.Imports.Change(ctx, who(ctx).actor(), in.ID, set)
	if err != nil {
		return nil, pastProblem(err)
	}
	out, err := s.previewShape(ctx, p)
	return &pastPreviewOutput{out}, err
}

// settings are what a person wants, as the import knows it.
func (x *PastSettings) settings() (intake.Settings, *huma.ErrorDetail) {
	m := &x.Mapping
	out := intake.Settings{
		Mapping: past.Mapping{
			Columns: make(map[past.Field]int), Zone: m.Zone, IgnoreOffsets: m.IgnoreOffsets, Dates: past.DateOrder(m.Dates), Decimal: m.Decimal,
			EnergyUnit: m.EnergyUnit, TimeUnit: m.TimeUnit, LongDays: m.LongDays, MaxKWh: m.MaxKWh, Quiet: m.Quiet, Merge: m.Merge,
		},
		Sites: make(map[string]intake.Place), Site: intake.Place(x.Site),
	}
	for f, c := range m.Columns {
		if !slices.Contains(past.Fields(), past.Field(f)) {
			return out, &huma.ErrorDetail{Message: "no such field", Location: "body.mapping.columns." + f}
		}
		out.Mapping.Columns[past.Field(f)] = c
	}
	for name, p := range x.Sites {
		out.Sites[name] = intake.Place(p)
	}
	return out, nil
}

// pastRows writes the rows that were not taken as they stand, as CSV.
func (s *Server) pastRows(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		writeProblem(w, s.problem(ctx, store.ErrNotFound))
		return
	}
	x, err := s.o.Store.PastImport(ctx, id)
	if err != nil {
		writeProblem(w, s.problem(ctx, err))
		return
	}
	outcome := r.URL.Query().Get("outcome")
	if !slices.Contains([]string{"", "quarantined", "repaired", "duplicate"}, outcome) {
		writeProblem(w, problemf(http.StatusUnprocessableEntity, "validation failed", &huma.ErrorDetail{Message: "quarantined, repaired or duplicate", Location: "query.outcome"}))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="import-%d-rows.csv"`, x.ID))
	h.Set("Cache-Control", "no-store")
	out := csv.NewWriter(w)
	out.UseCRLF = true
	head := []string{"line", "outcome", "reason"}
	for _, f := range past.Fields() {
		head = append(head, string(f))
	}
	_ = out.Write(head) // errors are those of Flush
	for after := 0; ; {
		const page = 1000
		rows, err := s.o.Store.PastRows(ctx, id, outcome, after, page)
		if err != nil {
			s.log.ErrorContext(ctx, "rows of an import broke off", "err", err)
			panic(http.ErrAbortHandler) // half a file must not look like a whole one
		}
		for _, x := range rows {
			cells := []string{strconv.Itoa(x.Line), x.Outcome, x.Reason}
			text, err := csv.NewReader(strings.NewReader(x.Text)).Read()
			if err != nil {
				text = nil // nothing of it could be read
			}
			for _, c := range text {
				cells = append(cells, guarded(c))
			}
			_ = out.Write(cells)
			after = x.Line
		}
		if len(rows) < page {
			break
		}
	}
	out.Flush()
}
