package onvif

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds of a document.
const (
	maxDocument = 1 << 20
	maxDepth    = 32
	maxElements = 20_000
	maxText     = 4096 // of an element
	maxAttrs    = 32   // of an element
)

var (
	errTooLarge = errors.New("the answer is too large")
	errDocType  = errors.New("the answer has a document type, which no camera needs")
	errNoXML    = errors.New("the answer is no SOAP message")
)

// element is a part of a document. Prefixes and namespaces are left out: devices
// mix them up, and no two names here differ in them alone.
type element struct {
	name     string
	text     string
	attrs    []xml.Attr
	children []*element
}

// parse reads a document within the bounds.
func parse(data []byte) (*element, error) {
	if len(data) > maxDocument {
		return nil, errTooLarge
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = func(charset string, input io.Reader) (io.Reader, error) {
		switch strings.ToLower(charset) {
		case "utf-8", "us-ascii", "iso-8859-1", "gb2312", "gbk": // what cameras say over ASCII
			return input, nil
		}
		return nil, fmt.Errorf("charset %q: %w", charset, errNoXML)
	}
	root := &element{}
	stack := []*element{root}
	count := 0
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errNoXML, err)
		}
		top := stack[len(stack)-1]
		switch t := t.(type) {
		case xml.Directive:
			return nil, errDocType
		case xml.StartElement:
			if count++; count > maxElements || len(stack) > maxDepth || len(t.Attr) > maxAttrs {
				return nil, errTooLarge
			}
			e := &element{name: t.Name.Local, attrs: t.Attr}
			top.children = append(top.children, e)
			stack = append(stack, e)
		case xml.EndElement:
			if len(stack) == 1 || top.name != t.Name.Local {
				return nil, fmt.Errorf("%w: elements do not nest", errNoXML)
			}
			top.text = strings.TrimSpace(top.text)
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if room := maxText - len(top.text); len(stack) > 1 && room > 0 {
				top.text += string(t[:min(room, len(t))])
			}
		}
	}
	if len(stack) != 1 || len(root.children) != 1 {
		return nil, fmt.Errorf("%w: it is cut off", errNoXML)
	}
	return root.children[0], nil
}

// child is the first element of a name right below.
func (e *element) child(name string) *element {
	if e == nil {
		return nil
	}
	for _, c := range e.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// at walks down a path of names; nil if it does not lead anywhere.
func (e *element) at(path ...string) *element {
	for _, name := range path {
		e = e.child(name)
	}
	return e
}

// all are the elements of a name right below.
func (e *element) all(name string) []*element {
	if e == nil {
		return nil
	}
	var list []*element
	for _, c := range e.children {
		if c.name == name {
			list = append(list, c)
		}
	}
	return list
}

// value is the text of an element; of none it is empty.
func (e *element) value() string {
	if e == nil {
		return ""
	}
	return e.text
}

func (e *element) attr(name string) string {
	if e == nil {
		return ""
	}
	for _, a := range e.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// find is the first element of a name anywhere below, or itself.
func (e *element) find(name string) *element {
	if e == nil || e.name == name {
		return e
	}
	for _, c := range e.children {
		if f := c.find(name); f != nil {
			return f
		}
	}
	return nil
}

// escape makes text of a value.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder does not fail
	return b.String()
}
