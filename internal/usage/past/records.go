package past

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// records reads the records of a file one by one. What a record may be is bounded; a
// quote that nobody closes costs its own line only.
type records struct {
	r     io.Reader
	comma byte
	buf   []byte
	at    int // of the next record in buf
	eof   bool
	line  int // of the next record
	read  int64
	limit int64
	cells [][]byte
	text  []byte // of quoted cells
}

// record is one record; it is valid until the next.
type record struct {
	line  int
	cells [][]byte
	// bad says what is wrong with it, if anything.
	bad Kind
}

func newRecords(r io.Reader, comma byte) *records {
	return &records{r: r, comma: comma, line: 1, limit: MaxBytes + 1}
}

// fill reads more behind what is there.
func (x *records) fill() error {
	if x.at > 0 {
		x.buf = append(x.buf[:0], x.buf[x.at:]...)
		x.at = 0
	}
	const step = 32 << 10
	have := len(x.buf)
	if cap(x.buf)-have < step {
		x.buf = append(make([]byte, 0, 2*cap(x.buf)+4*step), x.buf...)
	}
	n, err := x.r.Read(x.buf[have : have+step])
	x.buf = x.buf[:have+n]
	if x.read += int64(n); x.read > x.limit {
		return ErrBytes
	}
	if errors.Is(err, io.EOF) {
		x.eof = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	return nil
}

// next returns the next record, or io.EOF.
func (x *records) next() (record, error) {
	size, lines, bad := x.measure()
	for size == 0 {
		switch {
		case !x.eof:
			if err := x.fill(); err != nil {
				return record{}, err
			}
			size, lines, bad = x.measure()
		case x.at == len(x.buf):
			return record{}, io.EOF
		default:
			size, lines, bad = x.rest()
		}
	}
	rec := record{line: x.line, bad: bad}
	x.line += lines
	if bad == LineTooLong {
		rec.cells = [][]byte{slices.Clone(x.buf[x.at : x.at+maxCell])}
		return rec, x.skipLine()
	}
	raw := bytes.TrimRight(x.buf[x.at:x.at+size], "\r\n")
	x.at += size
	x.split(raw, bad == KindNone)
	rec.cells = x.cells
	if len(rec.cells) > maxColumns {
		return record{}, ErrColumns
	}
	return rec, nil
}

// skipLine throws the rest of a line away.
func (x *records) skipLine() error {
	for {
		if i := bytes.IndexByte(x.buf[x.at:], '\n'); i >= 0 {
			x.at += i + 1
			return nil
		}
		if x.at = len(x.buf); x.eof {
			return nil
		}
		if err := x.fill(); err != nil {
			return err
		}
	}
}

// measure says how long the record at hand is, with its line end, and how many lines
// it has; 0 where its end is not read yet.
func (x *records) measure() (size, lines int, bad Kind) {
	quoted, start, closed, first := false, true, -2, -1
	rest := x.buf[x.at:]
	for i, b := range rest {
		if i >= maxRecord {
			if first >= 0 { // an open quote has swallowed other lines: it is none
				return first + 1, 1, WrongColumns
			}
			return i, 1, LineTooLong
		}
		if b == '"' {
			switch {
			case quoted:
				quoted, closed = false, i
			case start || closed == i-1: // the second of a doubled one opens again
				quoted = true
			}
			start = false
			continue
		}
		if b == '\n' {
			lines++
			if !quoted {
				return i + 1, lines, KindNone
			}
			if first < 0 {
				first = i
			}
		}
		start = b == x.comma
	}
	return 0, 0, KindNone
}

// rest is the last record of a file, which no line end ends.
func (x *records) rest() (size, lines int, bad Kind) {
	rest := x.buf[x.at:]
	if i := bytes.IndexByte(rest, '\n'); i >= 0 { // a quote was open up to the end
		return i + 1, 1, WrongColumns
	}
	return len(rest), 1, KindNone
}

// split makes cells of a record.
func (x *records) split(raw []byte, quotes bool) {
	x.cells, x.text = x.cells[:0], x.text[:0]
	if !quotes || bytes.IndexByte(raw, '"') < 0 {
		for {
			i := bytes.IndexByte(raw, x.comma)
			if i < 0 || len(x.cells) > maxColumns {
				x.cells = append(x.cells, raw)
				return
			}
			x.cells = append(x.cells, raw[:i])
			raw = raw[i+1:]
		}
	}
	if cap(x.text) < len(raw) {
		x.text = make([]byte, 0, len(raw)+256)
	}
	for len(x.cells) <= maxColumns {
		from := len(x.text)
		i, quoted := 0, false
		if len(raw) > 0 && raw[0] == '"' {
			i, quoted = 1, true
		}
		for ; i < len(raw); i++ {
			b := raw[i]
			if quoted && b == '"' {
				if i+1 < len(raw) && raw[i+1] == '"' {
					i++
				} else {
					quoted = false
					continue
				}
			} else if !quoted && b == x.comma {
				break
			}
			x.text = append(x.text, b)
		}
		x.cells = append(x.cells, x.text[from:len(x.text):len(x.text)])
		if i >= len(raw) {
			return
		}
		raw = raw[i+1:]
	}
}

// comma finds what separates the cells: what stands as often in most lines.
func comma(head []byte) byte {
	best, score := byte(','), 0
	for _, c := range []byte{',', ';', '\t', '|'} {
		counts := make(map[int]int)
		n := 0
		for line := range bytes.Lines(head) {
			if n++; n > 30 {
				break
			}
			quoted, in := false, 0
			for _, b := range line {
				if b == '"' {
					quoted = !quoted
				} else if b == c && !quoted {
					in++
				}
			}
			if in > 0 {
				counts[in]++
			}
		}
		most := 0
		for in, lines := range counts {
			most = max(most, lines*1000+in)
		}
		if most > score {
			best, score = c, most
		}
	}
	return best
}
