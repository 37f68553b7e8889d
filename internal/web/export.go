package web

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/parquet"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// Cells are the quarter hours of ports.
type Cells interface {
	// EachCell tells the cells of ports of sites (nil: all), of which anything is known.
	EachCell(ctx context.Context, sites []string, from, to time.Time, yield func(site, station string, evse int, at time.Time, c *rollup.Cell) error) error
}

// exportedSession is a session in a file. The names of its columns are those that the
// import knows.
type exportedSession struct {
	siteID, site, station   string
	port                    int
	start, end, chargingEnd time.Time
	energyWh, peakW         float64 // NaN: unknown
	token, source, flags    string
}

func sessionColumns() []parquet.Column {
	return []parquet.Column{
		{Name: "siteId", Kind: parquet.Text}, {Name: "site", Kind: parquet.Text}, {Name: "station", Kind: parquet.Text}, {Name: "port", Kind: parquet.Int},
		{Name: "startUtc", Kind: parquet.Moment}, {Name: "endUtc", Kind: parquet.Moment}, {Name: "chargingEndUtc", Kind: parquet.Moment, Optional: true},
		{Name: "energyWh", Kind: parquet.Float, Optional: true}, {Name: "peakW", Kind: parquet.Float, Optional: true},
		{Name: "token", Kind: parquet.Text, Optional: true}, {Name: "source", Kind: parquet.Text}, {Name: "flags", Kind: parquet.Text, Optional: true},
	}
}

func (x *exportedSession) row() []any {
	return []any{x.siteID, x.site, x.station, x.port, x.start, x.end, x.chargingEnd, x.energyWh, x.peakW, x.token, x.source, x.flags}
}

func cellColumns() []parquet.Column {
	out := []parquet.Column{
		{Name: "siteId", Kind: parquet.Text}, {Name: "station", Kind: parquet.Text}, {Name: "port", Kind: parquet.Int}, {Name: "fromUtc", Kind: parquet.Moment},
	}
	for _, name := range []string{"freeS", "chargingS", "idleS", "blockedS", "reservedS", "faultedS", "unavailableS", "unobservedS"} {
		out = append(out, parquet.Column{Name: name, Kind: parquet.Float})
	}
	return append(out, parquet.Column{Name: "starts", Kind: parquet.Int}, parquet.Column{Name: "energyWh", Kind: parquet.Float}, parquet.Column{Name: "meanW", Kind: parquet.Float})
}

// exportTable writes rows as they come, as CSV or as Parquet.
type exportTable struct {
	columns []parquet.Column
	csv     *csv.Writer
	parquet *parquet.Writer
	cells   []string
}

func newExport(w http.ResponseWriter, name, form string, columns []parquet.Column) (*exportTable, error) {
	h := w.Header()
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s.%s"`, name, form))
	h.Set("Cache-Control", "no-store")
	t := &exportTable{columns: columns}
	if form == "parquet" {
		h.Set("Content-Type", "application/vnd.apache.parquet")
		var err error
		t.parquet, err = parquet.New(w, columns)
		return t, err
	}
	h.Set("Content-Type", "text/csv; charset=utf-8")
	t.csv = csv.NewWriter(w)
	t.csv.UseCRLF = true
	for _, c := range columns {
		t.cells = append(t.cells, c.Name)
	}
	return t, t.csv.Write(t.cells)
}

// write writes a row: texts, numbers and moments in the order of the columns. What is
// not known is an empty text, a NaN or a zero time.
func (t *exportTable) write(row []any) error {
	t.cells = t.cells[:0]
	for i, v := range row {
		missing := t.columns[i].Optional && absent(v)
		if t.parquet == nil {
			t.cells = append(t.cells, cellOf(v, missing))
			continue
		}
		if missing {
			t.parquet.Missing(i)
			continue
		}
		switch x := v.(type) {
		case string:
			t.parquet.Text(i, x)
		case int:
			t.parquet.Int(i, int32(x))
		case time.Time:
			t.parquet.Moment(i, x)
		case float64:
			t.parquet.Float(i, x)
		}
	}
	if t.parquet != nil {
		return t.parquet.End()
	}
	return t.csv.Write(t.cells)
}

func absent(v any) bool {
	switch x := v.(type) {
	case string:
		return x == ""
	case time.Time:
		return x.IsZero()
	case float64:
		return math.IsNaN(x)
	}
	return false
}

// cellOf is a value as a cell of CSV.
func cellOf(v any, missing bool) string {
	if missing {
		return ""
	}
	switch x := v.(type) {
	case string:
		return guarded(x)
	case int:
		return strconv.Itoa(x)
	case time.Time:
		return x.UTC().Format("2006-01-02T15:04:05.000Z")
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return ""
}

func (t *exportTable) end() error {
	if t.parquet != nil {
		return t.parquet.Close()
	}
	t.csv.Flush()
	return t.csv.Error()
}

func (s *Server) registerExport() {
	need := filtered(AnalyticsRead)
	for _, form := range []string{"csv", "parquet"} {
		s.raw(http.MethodGet, base+"/analytics/export/sessions."+form, need, func(w http.ResponseWriter, r *http.Request) { s.exportSessions(w, r, form) })
		s.raw(http.MethodGet, base+"/analytics/export/rollups."+form, need, func(w http.ResponseWriter, r *http.Request) { s.exportCells(w, r, form) })
	}
}

// span is what somebody wants to have.
type exportSpan struct {
	sites    []string // nil: all there are
	from, to time.Time
}

// exportSpan reads a request. Sites that the caller may not see are as if they were not
// there.
func (s *Server) exportSpan(r *http.Request) (exportSpan, error) {
	q, out := r.URL.Query(), exportSpan{}
	var faults []*huma.ErrorDetail
	for name := range q {
		if !slices.Contains([]string{"site", "from", "to"}, name) {
			faults = append(faults, &huma.ErrorDetail{Message: "unexpected", Location: "query." + name})
		}
	}
	for name, at := range map[string]*time.Time{"from": &out.from, "to": &out.to} {
		if q.Get(name) == "" {
			continue
		}
		var err error
		if *at, err = time.Parse(time.RFC3339, q.Get(name)); err != nil {
			faults = append(faults, &huma.ErrorDetail{Message: "a time like 2026-05-01T00:00:00Z", Location: "query." + name})
		}
	}
	if len(faults) > 0 {
		return out, problemf(http.StatusUnprocessableEntity, "validation failed", faults...)
	}
	seen := scope(r.Context(), AnalyticsRead)
	if list := q.Get("site"); list != "" {
		out.sites = []string{}
		for id := range strings.SplitSeq(list, ",") {
			if _, ok := s.o.Store.Site(id); ok && seen.Allows(id) && !slices.Contains(out.sites, id) {
				out.sites = append(out.sites, id)
			}
		}
		if len(out.sites) == 0 {
			return out, problemf(http.StatusNotFound, "no such site")
		}
		return out, nil
	}
	if !seen.All() {
		out.sites = []string{}
		for _, x := range s.o.Store.Sites() {
			if seen.Allows(x.ID) {
				out.sites = append(out.sites, x.ID)
			}
		}
	}
	return out, nil
}

// brokeOff ends an export that cannot go on: half a file must not look like a whole
// one.
func (s *Server) brokeOff(ctx context.Context, err error) {
	if ctx.Err() == nil {
		s.log.ErrorContext(ctx, "an export broke off", "err", err)
	}
	panic(http.ErrAbortHandler)
}

// exportSessions writes all sessions that are over: ours, and those that were imported.
func (s *Server) exportSessions(w http.ResponseWriter, r *http.Request, form string) {
	ctx := r.Context()
	span, err := s.exportSpan(r)
	if err != nil {
		writeProblem(w, s.problem(ctx, err))
		return
	}
	anonymous, err := s.o.Store.PastTokens(ctx)
	if err != nil {
		writeProblem(w, s.problem(ctx, err))
		return
	}
	t, err := newExport(w, "sessions", form, sessionColumns())
	if err != nil {
		s.brokeOff(ctx, err)
	}
	names := make(map[string]string)
	for _, x := range s.o.Store.Sites() {
		names[x.ID] = x.Name
	}
	places := span.sites
	if places == nil {
		places = []string{""}
	}
	for _, site := range places {
		err := s.o.Store.PastSessions(ctx, site, span.from, span.to, func(x *store.PastSession) error {
			out := exportedSession{
				siteID: x.Site, site: names[x.Site], station: x.Station, port: x.EVSE, start: x.Start, end: x.End, chargingEnd: x.ChargingEnd,
				energyWh: x.EnergyWh, peakW: x.PeakW, token: x.Token, source: "import", flags: x.Flag,
			}
			return t.write(out.row())
		})
		if err != nil {
			s.brokeOff(ctx, err)
		}
	}
	if err := s.ownSessions(ctx, span, func(x exportedSession) error { x.site = names[x.siteID]; return t.write(x.row()) }, anonymous); err != nil {
		s.brokeOff(ctx, err)
	}
	if err := t.end(); err != nil {
		s.brokeOff(ctx, err)
	}
}

// ownSessions tells the sessions that we recorded, newest first.
func (s *Server) ownSessions(ctx context.Context, span exportSpan, each func(exportedSession) error, anonymous func(string) string) error {
	over := false
	q := journal.SessionQuery{Sites: span.sites, Active: &over, From: span.from, To: span.to, Limit: journal.MaxLimit}
	for {
		list, next, err := s.o.History.Sessions(ctx, q)
		if err != nil {
			return err
		}
		for _, x := range list {
			if x.EndedAt.IsZero() || x.EndedAt.Before(x.StartedAt) {
				continue
			}
			out := exportedSession{
				siteID: x.SiteID, station: x.Station, port: x.EVSE, start: x.StartedAt, end: x.EndedAt, source: "recorded",
				energyWh: x.EnergyWh, peakW: math.NaN(),
			}
			if x.PeakPowerW > 0 {
				out.peakW = x.PeakPowerW
			}
			if x.TokenID != "" {
				out.token = anonymous(x.TokenID)
			}
			flags := make([]string, len(x.Flags))
			for i, f := range x.Flags {
				flags[i] = string(f)
			}
			out.flags = strings.Join(flags, ",")
			if err := each(out); err != nil {
				return err
			}
		}
		if next == "" || len(list) == 0 {
			return nil
		}
		q.Before = next
	}
}

// exportCells writes the quarter hours of ports.
func (s *Server) exportCells(w http.ResponseWriter, r *http.Request, form string) {
	ctx := r.Context()
	if s.o.Cells == nil {
		writeProblem(w, problemf(http.StatusNotImplemented, "this server counts no quarter hours"))
		return
	}
	span, err := s.exportSpan(r)
	if err != nil {
		writeProblem(w, s.problem(ctx, err))
		return
	}
	if span.to.IsZero() {
		span.to = s.now()
	}
	t, err := newExport(w, "rollups", form, cellColumns())
	if err != nil {
		s.brokeOff(ctx, err)
	}
	err = s.o.Cells.EachCell(ctx, span.sites, span.from, span.to, func(site, station string, evse int, at time.Time, c *rollup.Cell) error {
		if at.Before(span.from) || !at.Before(span.to) {
			return nil
		}
		row := []any{site, station, evse, at}
		for _, state := range []rollup.State{rollup.Free, rollup.Charging, rollup.Idle, rollup.Blocked, rollup.Reserved, rollup.Faulted, rollup.Unavailable, rollup.Unobserved} {
			row = append(row, float64(c.Millis[state])/1000)
		}
		return t.write(append(row, int(c.Starts), float64(c.MilliWh)/1000, c.PowerW()))
	})
	if err = errors.Join(err, ctx.Err()); err == nil {
		err = t.end()
	}
	if err != nil {
		s.brokeOff(ctx, err)
	}
}
