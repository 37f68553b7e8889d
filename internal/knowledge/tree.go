package knowledge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits of a pack. They are checked before anything is built from it.
const (
	maxSize    = 1 << 20
	maxDepth   = 8
	maxEntries = 5000
	maxList    = 20
	maxText    = 2000
	maxWord    = 200
	maxFaults  = 20
)

// node is a JSON value with its place.
type node struct {
	line    int
	kind    byte // o, a, s, n, b, or 0 for null
	text    string
	truth   bool
	items   []*node
	members []member
}

type member struct {
	name  string
	value *node
}

func (n *node) get(name string) *node {
	for _, m := range n.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// syntaxError is a fault of JSON itself.
type syntaxError struct {
	line int
	text string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.text) }

// parseTree reads one JSON document. Nesting and repeated names are faults.
func parseTree(data []byte) (*node, error) {
	if len(data) > maxSize {
		return nil, &syntaxError{1, fmt.Sprintf("larger than %d bytes", maxSize)}
	}
	if !utf8.Valid(data) {
		return nil, &syntaxError{1, "not UTF-8"}
	}
	t := &treeReader{data: data, dec: json.NewDecoder(bytes.NewReader(data)), line: 1}
	t.dec.UseNumber()
	root, err := t.value(0)
	if err != nil {
		return nil, t.wrap(err)
	}
	if _, err := t.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, &syntaxError{t.at(), "something follows the end"}
	}
	return root, nil
}

type treeReader struct {
	data []byte
	dec  *json.Decoder
	line int // of offset
	done int // the offset up to which lines are counted
}

// at is the line that was read last.
func (t *treeReader) at() int {
	to := min(int(t.dec.InputOffset()), len(t.data))
	if to > t.done {
		t.line += bytes.Count(t.data[t.done:to], []byte("\n"))
		t.done = to
	}
	return t.line
}

func (t *treeReader) wrap(err error) error {
	var known *syntaxError
	if errors.As(err, &known) {
		return err
	}
	line := t.at()
	var bad *json.SyntaxError
	if errors.As(err, &bad) {
		line = 1 + bytes.Count(t.data[:min(int(bad.Offset), len(t.data))], []byte("\n"))
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &syntaxError{line, "it ends too early"}
	}
	return &syntaxError{line, strings.TrimPrefix(err.Error(), "json: ")}
}

func (t *treeReader) value(depth int) (*node, error) {
	if depth > maxDepth {
		return nil, &syntaxError{t.at(), fmt.Sprintf("nested deeper than %d", maxDepth)}
	}
	token, err := t.dec.Token()
	if err != nil {
		return nil, err
	}
	n := &node{line: t.at()}
	switch v := token.(type) {
	case json.Delim:
		if v == '[' {
			n.kind = 'a'
			for t.dec.More() {
				item, err := t.value(depth + 1)
				if err != nil {
					return nil, err
				}
				n.items = append(n.items, item)
			}
		} else {
			n.kind = 'o'
			seen := make(map[string]bool)
			for t.dec.More() {
				key, err := t.dec.Token()
				if err != nil {
					return nil, err
				}
				name, _ := key.(string)
				if seen[name] {
					return nil, &syntaxError{t.at(), fmt.Sprintf("%.60q stands twice", name)}
				}
				seen[name] = true
				item, err := t.value(depth + 1)
				if err != nil {
					return nil, err
				}
				n.members = append(n.members, member{name, item})
			}
		}
		_, err := t.dec.Token() // the closing one
		return n, err
	case string:
		n.kind, n.text = 's', v
	case json.Number:
		n.kind, n.text = 'n', v.String()
	case bool:
		n.kind, n.truth = 'b', v
	}
	return n, nil
}
