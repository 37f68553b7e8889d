package parquet_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	reader "github.com/parquet-go/parquet-go"

	"github.com/chargewatch/chargewatch/internal/parquet"
)

type row struct {
	Name  string    `parquet:"name"`
	Port  int32     `parquet:"port"`
	At    time.Time `parquet:"at,timestamp(millisecond)"`
	Power *float64  `parquet:"power,optional"`
	Note  *string   `parquet:"note,optional"`
}

func columns() []parquet.Column {
	return []parquet.Column{
		{Name: "name", Kind: parquet.Text}, {Name: "port", Kind: parquet.Int}, {Name: "at", Kind: parquet.Moment},
		{Name: "power", Kind: parquet.Float, Optional: true}, {Name: "note", Kind: parquet.Text, Optional: true},
	}
}

func table(n int) []row {
	begin := time.Date(2018, 3, 5, 8, 0, 0, 1e6, time.UTC)
	out := make([]row, n)
	for i := range out {
		out[i] = row{Name: fmt.Sprintf("Straße %d", i%7), Port: int32(i - 3), At: begin.Add(time.Duration(i) * time.Minute)}
		if i%3 != 0 {
			out[i].Power = new(float64(i) / 3)
		}
		if i%1000 > 900 {
			out[i].Note = new("")
		}
	}
	return out
}

func write(t *testing.T, rows []row) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := parquet.New(&out, columns())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		w.Text(0, r.Name)
		w.Int(1, r.Port)
		w.Moment(2, r.At)
		if r.Power != nil {
			w.Float(3, *r.Power)
		} else {
			w.Missing(3)
		}
		if r.Note != nil {
			w.Text(4, *r.Note)
		} else {
			w.Missing(4)
		}
		if err := w.End(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A reader by others sees what was written.
func TestAnotherProgramReadsWhatWeWrite(t *testing.T) {
	for name, n := range map[string]int{"no rows": 0, "one row": 1, "a few": 17, "more than a row group": 120_003} {
		t.Run(name, func(t *testing.T) {
			want := table(n)
			data := write(t, want)
			got, err := reader.Read[row](bytes.NewReader(data), int64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != n {
				t.Fatalf("%d rows, want %d", len(got), n)
			}
			for i := range want {
				g, w := got[i], want[i]
				if g.Name != w.Name || g.Port != w.Port || !g.At.Equal(w.At) || (g.Power == nil) != (w.Power == nil) || (g.Note == nil) != (w.Note == nil) {
					t.Fatalf("row %d: %+v, want %+v", i, g, w)
				}
				if w.Power != nil && *g.Power != *w.Power {
					t.Fatalf("row %d: power %v, want %v", i, *g.Power, *w.Power)
				}
			}
			f, err := reader.OpenFile(bytes.NewReader(data), int64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			if s := f.Schema().String(); !bytes.Contains([]byte(s), []byte("TIMESTAMP")) || f.NumRows() != int64(n) {
				t.Errorf("%d rows of %s", f.NumRows(), s)
			}
		})
	}
}

func TestRowsThatDoNotFitAreRefused(t *testing.T) {
	tests := map[string]func(*parquet.Writer){
		"a column is not said": func(w *parquet.Writer) { w.Text(0, "x") },
		"a column twice":       func(w *parquet.Writer) { w.Text(0, "x"); w.Text(0, "y") },
		"one that must be":     func(w *parquet.Writer) { w.Missing(1) },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			w, err := parquet.New(&bytes.Buffer{}, columns())
			if err != nil {
				t.Fatal(err)
			}
			spoil(w)
			if err := w.End(); !errors.Is(err, parquet.ErrRow) {
				t.Errorf("got %v", err)
			}
		})
	}
}
