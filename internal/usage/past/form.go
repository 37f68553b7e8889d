package past

import (
	"errors"
	"io"
	"slices"
	"strings"
)

// headBytes is how much of a file the guess looks at.
const headBytes = 256 << 10

// Look reads the beginning of a file: what separates its cells, what its columns are
// called and what they probably hold.
func Look(r io.Reader) (Form, error) {
	head := make([]byte, headBytes)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return Form{}, err
	}
	whole := n < len(head)
	return look(head[:n], whole)
}

func look(head []byte, whole bool) (Form, error) {
	text, skip := decode(strings.NewReader(string(head)), head)
	if skip > 0 {
		text, _ = decode(strings.NewReader(string(head[skip:])), head)
	}
	plain, err := io.ReadAll(io.LimitReader(text, 2*headBytes))
	if err != nil {
		return Form{}, err
	}
	if len(strings.TrimSpace(string(plain))) == 0 {
		return Form{}, ErrEmpty
	}
	f := Form{comma: comma(plain)}
	f.Delimiter = string(f.comma)
	x := newRecords(strings.NewReader(string(plain)), f.comma)
	var rows [][]string
	for len(rows) < headRows+20 {
		rec, err := x.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Form{}, err
		}
		if !whole && x.eof && x.at == len(x.buf) { // cut in the middle
			break
		}
		cells := make([]string, len(rec.cells))
		for i, c := range rec.cells {
			cells[i], _ = clean(c)
		}
		rows = append(rows, cells)
	}
	// Titles may stand above the names of the columns.
	best, at, columns := 1, -1, map[Field]int(nil)
	for i := range min(len(rows), 20) {
		if strings.Join(rows[i], "") == "" {
			continue
		}
		rest := rows[i+1:]
		if len(rest) > 50 {
			rest = rest[:50]
		}
		if got := guess(rows[i], rest); len(got) > best {
			best, at, columns = len(got), i, got
		}
		if at >= 0 && i > at+3 {
			break
		}
	}
	if at < 0 {
		// Names that nobody knows: a person maps them. The first line that is as wide as
		// those behind it has them.
		for i := range min(len(rows), 20) {
			if filled(rows[i]) >= 2 {
				at, columns = i, guess(rows[i], rows[i+1:])
				break
			}
		}
	}
	if at < 0 {
		return Form{}, ErrHeader
	}
	f.preface, f.head = at, rows[at]
	body := rows[at+1:]
	for i, name := range f.head {
		c := Column{Name: name}
		for _, r := range body {
			if i < len(r) && r[i] != "" && len(c.Examples) < 3 && !slices.Contains(c.Examples, r[i]) {
				c.Examples = append(c.Examples, r[i])
			}
		}
		f.Columns = append(f.Columns, c)
	}
	f.Rows, f.sample = body[:min(len(body), 10)], body
	f.Guess = Mapping{Columns: columns}
	f.NeedsZone = needsZone(body, columns)
	return f, nil
}

func filled(cells []string) int {
	n := 0
	for _, c := range cells {
		if c != "" {
			n++
		}
	}
	return n
}

// needsZone reports whether there are times that do not say how far from UTC they are.
func needsZone(rows [][]string, columns map[Field]int) bool {
	for _, f := range []Field{Start, End} {
		c, ok := columns[f]
		if !ok {
			continue
		}
		for _, r := range rows {
			if c < len(r) {
				if x, ok := parseStamp(r[c]); ok && !x.offset {
					return true
				}
			}
		}
	}
	return false
}

// open stands a file at its first row.
func (f Form) open(r io.Reader) (*records, error) {
	head := make([]byte, 4096)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	head = head[:n]
	_, skip := decode(nil, head)
	text, _ := decode(io.MultiReader(strings.NewReader(string(head[skip:])), r), head)
	x := newRecords(text, f.comma)
	for range f.preface + 1 {
		if _, err := x.next(); err != nil {
			return nil, err
		}
	}
	return x, nil
}
