package spec

import (
	"fmt"
	"strconv"
	"strings"
)

// The tables are lines; a line that starts with a tab continues the one before.
//
//	all FIELD TYPE             every object may have this field, unless it says -
//	enum NAME: WORD ...        a list of words
//	type NAME: FIELDS          an object
//	from ACTION: FIELDS -> FIELDS
//	to   ACTION: FIELDS -> FIELDS      request and response of an action that
//	both ACTION: FIELDS -> FIELDS      is sent from or to the station, or both
//	send ACTION: FIELDS                sent from the station, without answer
//
// FIELDS is "none" or a list of "name TYPE" parted by commas; name! is required,
// * alone allows fields that are not listed, - alone leaves out what all have.
// TYPE is text, text/MAXLENGTH, time, uri, bool, any, int, number, a name, and
// int[MIN..MAX], number*STEP, TYPE{MIN..MAX} for an array; bounds may be left out.

type kind uint8

const (
	kindAny kind = iota
	kindText
	kindTime
	kindURI
	kindBool
	kindInt
	kindNumber
	kindEnum
	kindObject
	kindArray
)

// typ is what a value must be.
type typ struct {
	kind     kind
	max      int // characters of a text, elements of an array; 0 is no limit
	min      int // elements of an array
	low, top *float64
	step     bool // at most one decimal
	words    map[string]bool
	list     string // the words, for people
	object   *shape
	element  *typ
}

// shape is what an object must be. It is built when all names are known.
type shape struct {
	name   string
	fields []field
	need   uint64
	open   bool
}

type field struct {
	name string
	typ
}

// find looks a field up, beginning where the order of the specification has the
// next one: stations mostly keep to it.
func (s *shape) find(key []byte, from int) int {
	for i := from; i < len(s.fields); i++ {
		if string(key) == s.fields[i].name {
			return i
		}
	}
	for i := range min(from, len(s.fields)) {
		if string(key) == s.fields[i].name {
			return i
		}
	}
	return -1
}

type reader struct {
	enums  map[string]*typ
	shapes map[string]*shape
	all    string
}

// parseTable reads a table. It is compiled into the program and read by a test,
// so a fault in it is a fault of the program.
func parseTable(text string) map[string]*message {
	r := &reader{enums: map[string]*typ{}, shapes: map[string]*shape{}}
	messages := map[string]*message{}
	lines := strings.Split(strings.ReplaceAll(text, "\n\t", " "), "\n")
	// Names may be used before their line.
	for _, line := range lines {
		word, rest, _ := strings.Cut(line, " ")
		name, body, _ := strings.Cut(rest, ": ")
		switch word {
		case "all":
			r.all = rest
		case "enum":
			t := &typ{kind: kindEnum, words: map[string]bool{}, list: strings.ReplaceAll(body, " ", ", ")}
			for w := range strings.FieldsSeq(body) {
				t.words[w] = true
			}
			r.enums[name] = t
		case "type":
			r.shapes[name] = &shape{name: name}
		}
	}
	for _, line := range lines {
		word, rest, _ := strings.Cut(line, " ")
		name, body, _ := strings.Cut(rest, ": ")
		switch word {
		case "type":
			r.fill(r.shapes[name], body)
		case "from", "to", "both", "send":
			messages[name] = r.message(word, name, body)
		}
	}
	return messages
}

func (r *reader) message(word, name, body string) *message {
	m := &message{name: name, from: FromStation, request: &shape{name: name}}
	switch word {
	case "to":
		m.from = ToStation
	case "both":
		m.from = FromStation | ToStation
	}
	request, response, answered := strings.Cut(body, " -> ")
	r.fill(m.request, request)
	if answered != (word != "send") {
		panic("spec: " + name + ": a CALL has a response, a SEND has none")
	}
	if answered {
		m.response = &shape{name: name + " response"}
		r.fill(m.response, response)
	}
	return m
}

func (r *reader) fill(s *shape, body string) {
	common := r.all
	for part := range strings.SplitSeq(body, ", ") {
		switch part {
		case "none":
		case "*":
			s.open = true
		case "-":
			common = ""
		default:
			r.field(s, part)
		}
	}
	if common != "" {
		r.field(s, common)
	}
	if len(s.fields) > 64 {
		panic("spec: " + s.name + " has more than 64 fields")
	}
}

func (r *reader) field(s *shape, part string) {
	name, notation, ok := strings.Cut(part, " ")
	if !ok {
		panic(fmt.Sprintf("spec: %s: field %q has no type", s.name, part))
	}
	name, required := strings.CutSuffix(name, "!")
	if required {
		s.need |= 1 << len(s.fields)
	}
	s.fields = append(s.fields, field{name, r.typ(notation)})
}

func (r *reader) typ(notation string) typ {
	if element, ok := strings.CutSuffix(notation, "}"); ok {
		element, bounds, _ := strings.Cut(element, "{")
		low, top, _ := strings.Cut(bounds, "..")
		t := typ{kind: kindArray, element: new(r.typ(element))}
		t.min, _ = strconv.Atoi(low)
		t.max, _ = strconv.Atoi(top)
		return t
	}
	if word, limit, ok := strings.Cut(notation, "/"); ok && word == "text" {
		n, _ := strconv.Atoi(limit)
		return typ{kind: kindText, max: n}
	}
	if word, bounds, ok := strings.Cut(notation, "["); ok {
		t := r.typ(word)
		low, top, _ := strings.Cut(strings.TrimSuffix(bounds, "]"), "..")
		t.low, t.top = bound(low), bound(top)
		return t
	}
	switch notation {
	case "any":
		return typ{}
	case "text":
		return typ{kind: kindText}
	case "time":
		return typ{kind: kindTime}
	case "uri":
		return typ{kind: kindURI}
	case "bool":
		return typ{kind: kindBool}
	case "int":
		return typ{kind: kindInt}
	case "number":
		return typ{kind: kindNumber}
	case "number*0.1":
		return typ{kind: kindNumber, step: true}
	}
	if t := r.enums[notation]; t != nil {
		return *t
	}
	if s := r.shapes[notation]; s != nil {
		return typ{kind: kindObject, object: s}
	}
	panic(fmt.Sprintf("spec: no type %q", notation))
}

func bound(s string) *float64 {
	if s == "" {
		return nil
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic("spec: no bound: " + s)
	}
	return &v
}
