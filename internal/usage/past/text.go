package past

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decode gives a file as bytes that are UTF-8, or where they are not Windows-1252.
func decode(r io.Reader, head []byte) (io.Reader, int) {
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return r, 3
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return &wide{r: r, low: 0, high: 1}, 2
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return &wide{r: r, low: 1, high: 0}, 2
	}
	// UTF-16 without a mark: every other byte of a file of mostly Latin letters is zero.
	var zero [2]int
	for i, b := range head {
		if b == 0 {
			zero[i%2]++
		}
	}
	switch n := len(head) / 2; {
	case n > 8 && zero[1] > n*3/4 && zero[0] < n/4:
		return &wide{r: r, low: 0, high: 1}, 0
	case n > 8 && zero[0] > n*3/4 && zero[1] < n/4:
		return &wide{r: r, low: 1, high: 0}, 0
	}
	return r, 0
}

// wide reads UTF-16 as UTF-8.
type wide struct {
	r         io.Reader
	low, high int
	in        [4096]byte
	have      int
	out       []byte
	first     rune // of a pair
	err       error
}

func (w *wide) Read(p []byte) (int, error) {
	for len(w.out) == 0 {
		if w.err != nil {
			return 0, w.err
		}
		n, err := w.r.Read(w.in[w.have:])
		w.have += n
		w.err = err
		whole := w.have &^ 1
		for i := 0; i < whole; i += 2 {
			w.take(rune(w.in[i+w.low]) | rune(w.in[i+w.high])<<8)
		}
		w.have = copy(w.in[:], w.in[whole:w.have])
	}
	n := copy(p, w.out)
	w.out = w.out[n:]
	return n, nil
}

func (w *wide) take(c rune) {
	if w.first != 0 {
		whole := utf16.DecodeRune(w.first, c)
		w.first = 0
		if whole != utf8.RuneError {
			w.out = utf8.AppendRune(w.out, whole)
			return
		}
		w.out = utf8.AppendRune(w.out, utf8.RuneError)
	}
	if c >= 0xd800 && c < 0xdc00 {
		w.first = c
		return
	}
	w.out = utf8.AppendRune(w.out, c)
}

// windows are the characters of Windows-1252 that are others in Latin-1.
var windows = [32]rune{
	0x20ac, '?', 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, '?', 0x017d, '?',
	'?', 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, '?', 0x017e, 0x0178,
}

// clean gives a cell as text: UTF-8, without control characters, bounded.
func clean(cell []byte) (text string, latin bool) {
	cell = bytes.TrimSpace(cell)
	if len(cell) > 4*maxCell {
		cell = cell[:4*maxCell]
	}
	plain := true
	for _, b := range cell {
		if b < 0x20 || b >= 0x7f {
			plain = false
			break
		}
	}
	if plain {
		if len(cell) > maxCell {
			cell = cell[:maxCell]
		}
		return string(cell), false
	}
	var s strings.Builder
	if !utf8.Valid(cell) {
		latin = true
		for _, b := range cell {
			switch {
			case b >= 0x80 && b < 0xa0:
				s.WriteRune(windows[b-0x80])
			default:
				s.WriteRune(rune(b))
			}
		}
		cell = []byte(s.String())
		s.Reset()
	}
	n := 0
	for _, c := range string(cell) {
		if n++; n > maxCell {
			break
		}
		switch {
		case c < 0x20, c >= 0x7f && c < 0xa0, c == 0xa0, c == 0x202f, c == 0xfeff, c == utf8.RuneError:
			s.WriteByte(' ')
		case c >= 0x200b && c <= 0x200f, c >= 0x202a && c <= 0x202e, c >= 0x2066 && c <= 0x2069: // turns the direction of what follows
		default:
			s.WriteRune(c)
		}
	}
	return strings.TrimSpace(s.String()), latin
}
