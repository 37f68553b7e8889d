package web

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// csvForm says what a CSV may hold.
type csvForm struct {
	columns  []string
	required []string // one of these must be there
	rows     int      // at most
}

// csvRow is one row of a CSV: what its columns hold, in their order.
type csvRow struct {
	line   int
	values iter.Seq2[string, string]
	// fault notes what is wrong with a column.
	fault func(column, text string)
}

// readCSV reads a file whose first line names the columns, separated by comma
// or semicolon, and calls row with each further line. Faults name line and
// column; beyond maxImportFault of them reading ends.
func readCSV(data []byte, form csvForm, row func(csvRow)) []*huma.ErrorDetail {
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	var faults []*huma.ErrorDetail
	fault := func(line int, column, text string) {
		faults = append(faults, &huma.ErrorDetail{Location: fmt.Sprintf("body.line[%d].%s", line, column), Message: text})
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.TrimLeadingSpace, r.ReuseRecord = true, true
	head, _, _ := bytes.Cut(data, []byte("\n"))
	if bytes.Count(head, []byte(";")) > bytes.Count(head, []byte(",")) {
		r.Comma = ';'
	}
	first, err := r.Read()
	if err != nil {
		fault(1, form.required[0], "the first line must name the columns")
		return faults
	}
	columns := make([]string, len(first))
	seen := make(map[string]bool)
	for i, name := range first {
		columns[i] = strings.TrimSpace(name)
		switch {
		case len(faults) >= maxImportFault:
		case !slices.Contains(form.columns, columns[i]):
			fault(1, "column"+strconv.Itoa(i+1), "no such column")
		case seen[columns[i]]:
			fault(1, columns[i], "named twice")
		}
		seen[columns[i]] = true
	}
	if !slices.ContainsFunc(form.required, func(c string) bool { return seen[c] }) {
		fault(1, form.required[0], "the column is missing")
	}
	if len(faults) > 0 {
		return faults
	}
	for n := 0; ; n++ {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return faults
		}
		if bad, ok := errors.AsType[*csv.ParseError](err); ok {
			fault(bad.Line, "row", bad.Err.Error())
			return faults
		}
		if err != nil {
			fault(1, "row", "cannot be read")
			return faults
		}
		line, _ := r.FieldPos(0)
		if n >= form.rows || len(faults) >= maxImportFault {
			fault(line, "row", fmt.Sprintf("more than %d rows or %d faults", form.rows, maxImportFault))
			return faults
		}
		row(csvRow{
			line: line,
			values: func(yield func(string, string) bool) {
				for i, value := range record {
					if !yield(columns[i], strings.Clone(strings.TrimSpace(value))) {
						return
					}
				}
			},
			fault: func(column, text string) { fault(line, column, text) },
		})
	}
}

// yesNo reads a cell that is true or false; an empty one is false.
func yesNo(value string) (yes, ok bool) {
	switch strings.ToLower(value) {
	case "", "false", "no", "0":
		return false, true
	case "true", "yes", "1":
		return true, true
	}
	return false, false
}
