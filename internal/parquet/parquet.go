// Package parquet writes tables as Apache Parquet, the form in which DuckDB, Polars,
// Spark and pandas read them without asking.
//
// It writes what our exports need and no more: flat columns of texts, whole numbers,
// moments and floating-point numbers, each of which may be missing, in row groups of
// bounded size, compressed with Zstandard. A general library for the format adds four
// megabytes to the program.
//
// Rows go out as they come; memory holds one row group. A file is whole when Close has
// returned nil, and nothing reads one that is not: what names its parts stands at its
// end.
package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Kind is what a column holds.
type Kind uint8

// The kinds of columns.
const (
	Text   Kind = iota + 1 // UTF-8
	Int                    // 32 bits
	Moment                 // UTC, to the millisecond
	Float                  // 64 bits
)

// Column is a column of a table.
type Column struct {
	Name     string
	Kind     Kind
	Optional bool // it may be missing in a row
}

// rowGroup is how many rows are held before they are written.
const rowGroup = 50_000

const magic = "PAR1"

// ErrRow is returned for rows that lack a column or have one twice.
var ErrRow = errors.New("a row that does not fit its table")

// Writer writes one file. After an error nothing more is written.
type Writer struct {
	out     io.Writer
	zip     *zstd.Encoder
	columns []Column
	chunks  []chunk
	rows    int // of the group at hand
	all     int64
	at      int64
	groups  []group
	err     error
}

// chunk is what a column holds of a row group.
type chunk struct {
	data   []byte
	runs   []run // which rows have a value
	values int
}

type run struct {
	there bool
	n     int
}

// group is a row group that is written.
type group struct {
	rows   int64
	size   int64
	chunks []place
}

// place is where a column of a group stands.
type place struct {
	at, plain, packed int64
	values            int64
}

// New begins a file.
func New(out io.Writer, columns []Column) (*Writer, error) {
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("prepare compression: %w", err)
	}
	w := &Writer{out: out, zip: zip, columns: columns, chunks: make([]chunk, len(columns))}
	w.write([]byte(magic))
	return w, w.err
}

func (w *Writer) write(b []byte) {
	if w.err != nil {
		return
	}
	n, err := w.out.Write(b)
	w.at += int64(n)
	if err != nil {
		w.err = fmt.Errorf("write a table: %w", err)
	}
}

// mark notes that a column has a value in this row, or none.
func (w *Writer) mark(column int, there bool) *chunk {
	c := &w.chunks[column]
	if c.values != w.rows || !there && !w.columns[column].Optional {
		if w.err == nil {
			w.err = fmt.Errorf("column %s: %w", w.columns[column].Name, ErrRow)
		}
	}
	c.values++
	if n := len(c.runs); n > 0 && c.runs[n-1].there == there {
		c.runs[n-1].n++
	} else {
		c.runs = append(c.runs, run{there, 1})
	}
	return c
}

// Missing says that a column has no value in this row.
func (w *Writer) Missing(column int) { w.mark(column, false) }

// Text sets a column of this row.
func (w *Writer) Text(column int, v string) {
	c := w.mark(column, true)
	c.data = binary.LittleEndian.AppendUint32(c.data, uint32(len(v)))
	c.data = append(c.data, v...)
}

// Int sets a column of this row.
func (w *Writer) Int(column int, v int32) {
	c := w.mark(column, true)
	c.data = binary.LittleEndian.AppendUint32(c.data, uint32(v))
}

// Moment sets a column of this row.
func (w *Writer) Moment(column int, t time.Time) {
	c := w.mark(column, true)
	c.data = binary.LittleEndian.AppendUint64(c.data, uint64(t.UnixMilli()))
}

// Float sets a column of this row.
func (w *Writer) Float(column int, v float64) {
	c := w.mark(column, true)
	c.data = binary.LittleEndian.AppendUint64(c.data, math.Float64bits(v))
}

// End ends a row, of which every column has been said.
func (w *Writer) End() error {
	w.rows++
	for i := range w.chunks {
		if w.chunks[i].values != w.rows && w.err == nil {
			w.err = fmt.Errorf("column %s: %w", w.columns[i].Name, ErrRow)
		}
	}
	if w.rows == rowGroup {
		w.flush()
	}
	return w.err
}

// flush writes the row group at hand: a page for each column.
func (w *Writer) flush() {
	if w.rows == 0 || w.err != nil {
		return
	}
	g := group{rows: int64(w.rows)}
	for i := range w.chunks {
		c := &w.chunks[i]
		page := c.page(w.columns[i].Optional)
		packed := w.zip.EncodeAll(page, nil)
		var h compact
		h.int32(1, 0) // a data page
		h.int32(2, int32(len(page)))
		h.int32(3, int32(len(packed)))
		h.begin(5)
		h.int32(1, int32(c.values))
		h.int32(2, 0) // plain values
		h.int32(3, 3) // levels as runs
		h.int32(4, 3)
		h.end()
		h.end()
		p := place{at: w.at, values: int64(c.values), plain: int64(len(h.b) + len(page)), packed: int64(len(h.b) + len(packed))}
		w.write(h.b)
		w.write(packed)
		g.chunks = append(g.chunks, p)
		g.size += p.plain
		*c = chunk{data: c.data[:0], runs: c.runs[:0]}
	}
	w.groups = append(w.groups, g)
	w.all += g.rows
	w.rows = 0
}

// page is the content of a page before it is compressed: which rows have a value, then
// the values.
func (c *chunk) page(optional bool) []byte {
	if !optional {
		return c.data
	}
	levels := []byte{0, 0, 0, 0}
	for _, r := range c.runs {
		levels = binary.AppendUvarint(levels, uint64(r.n)<<1)
		there := byte(0)
		if r.there {
			there = 1
		}
		levels = append(levels, there)
	}
	binary.LittleEndian.PutUint32(levels, uint32(len(levels)-4))
	return append(levels, c.data...)
}

// Close ends the file. It does not close what it was written to.
func (w *Writer) Close() error {
	if w.rows > 0 && w.chunks[0].values != w.rows {
		return ErrRow
	}
	w.flush()
	var m compact
	m.int32(1, 1)
	m.list(2, typeStruct, len(w.columns)+1)
	m.enter()
	m.text(4, "table")
	m.int32(5, int32(len(w.columns)))
	m.end()
	for _, c := range w.columns {
		m.schema(c)
	}
	m.int64(3, w.all)
	m.list(4, typeStruct, len(w.groups))
	for _, g := range w.groups {
		m.enter()
		m.list(1, typeStruct, len(g.chunks))
		for i, p := range g.chunks {
			m.chunk(w.columns[i], p)
		}
		m.int64(2, g.size)
		m.int64(3, g.rows)
		m.end()
	}
	m.text(6, "chargewatch")
	m.end()
	w.write(m.b)
	w.write(binary.LittleEndian.AppendUint32(nil, uint32(len(m.b))))
	w.write([]byte(magic))
	return errors.Join(w.err, w.zip.Close())
}
