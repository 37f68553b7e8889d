package knowledge

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Fault is one thing wrong with a pack, and where.
type Fault struct {
	File  string `json:"file"`
	Line  int    `json:"line,omitempty"`
	Entry string `json:"entry,omitempty"` // its id, or its number if it has none
	Field string `json:"field,omitempty"`
	Text  string `json:"text"`
}

func (f Fault) String() string {
	out := f.File
	if f.Line > 0 {
		out += ":" + strconv.Itoa(f.Line)
	}
	out += ": "
	if f.Entry != "" {
		out += "entry " + f.Entry + ": "
	}
	if f.Field != "" {
		out += f.Field + ": "
	}
	return out + f.Text
}

// Faults is why a pack was refused.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, x := range f {
		lines[i] = x.String()
	}
	return strings.Join(lines, "\n")
}

// Parse reads a pack. Unknown fields, missing ones and values outside their
// lists are faults; the error is a Faults with at most maxFaults of them.
// References to other entries are resolved when the packs come together.
func Parse(name string, data []byte) (Pack, error) {
	r := &reader{file: name}
	root, err := parseTree(data)
	if err != nil {
		var bad *syntaxError
		if errors.As(err, &bad) {
			return Pack{}, Faults{{File: name, Line: bad.line, Text: bad.text}}
		}
		return Pack{}, Faults{{File: name, Text: err.Error()}}
	}
	p := r.pack(root)
	p.Name = name
	if len(r.faults) > 0 {
		return Pack{}, r.faults
	}
	return p, nil
}

// reader turns a tree into a pack and notes what is wrong.
type reader struct {
	file   string
	entry  string
	faults Faults
}

func (r *reader) fault(n *node, field, format string, args ...any) {
	if len(r.faults) >= maxFaults {
		return
	}
	line := 0
	if n != nil {
		line = n.line
	}
	r.faults = append(r.faults, Fault{File: r.file, Line: line, Entry: r.entry, Field: field, Text: fmt.Sprintf(format, args...)})
}

// object checks that a value is one and has no field beside those named.
func (r *reader) object(n *node, field string, names ...string) bool {
	if n.kind != 'o' {
		r.fault(n, field, "must be an object")
		return false
	}
	for _, m := range n.members {
		if !slices.Contains(names, m.name) {
			r.fault(m.value, join(field, fmt.Sprintf("%.60s", m.name)), "there is no such field")
		}
	}
	return true
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// word reads a text of one line; required ones may not be empty.
func (r *reader) word(parent *node, path, name string, limit int, required bool) string {
	n, field := parent.get(name), join(path, name)
	switch {
	case n == nil:
		if required {
			r.fault(parent, field, "is missing")
		}
		return ""
	case n.kind != 's':
		r.fault(n, field, "must be text")
		return ""
	case len(n.text) > limit:
		r.fault(n, field, "is longer than %d bytes", limit)
		return ""
	case strings.TrimSpace(n.text) == "":
		r.fault(n, field, "is empty")
		return ""
	case strings.ContainsFunc(n.text, func(c rune) bool { return c < ' ' || c == 0x7f }):
		r.fault(n, field, "holds a control character")
		return ""
	}
	return n.text
}

func choice[T ~string](r *reader, parent *node, name string, required bool, of ...T) T {
	v := T(r.word(parent, "", name, maxWord, required))
	if v != "" && !slices.Contains(of, v) {
		r.fault(parent.get(name), name, "must be one of %s", strings.Trim(fmt.Sprint(of), "[]"))
		return ""
	}
	return v
}

func (r *reader) truth(parent *node, name string) bool {
	n := parent.get(name)
	if n == nil {
		return false
	}
	if n.kind != 'b' {
		r.fault(n, name, "must be true or false")
	}
	return n.truth
}

func (r *reader) text(parent *node, name string, required bool) Text {
	n := parent.get(name)
	if n == nil {
		if required {
			r.fault(parent, name, "is missing")
		}
		return Text{}
	}
	return r.sentence(n, name)
}

// sentence reads a text in both languages. Operators write packs in one
// language: the other is then the same.
func (r *reader) sentence(n *node, field string) Text {
	if n.kind == 's' {
		both := r.word(&node{line: n.line, members: []member{{field, n}}}, "", field, maxText, true)
		return Text{both, both}
	}
	if !r.object(n, field, "en", "de") {
		return Text{}
	}
	return Text{r.word(n, field, "en", maxText, true), r.word(n, field, "de", maxText, true)}
}

func (r *reader) list(parent *node, name string) []Text {
	n := parent.get(name)
	if n == nil {
		return nil
	}
	if n.kind != 'a' {
		r.fault(n, name, "must be a list")
		return nil
	}
	if len(n.items) > maxList {
		r.fault(n, name, "has more than %d items", maxList)
		return nil
	}
	out := make([]Text, 0, len(n.items))
	for i, item := range n.items {
		out = append(out, r.sentence(item, fmt.Sprintf("%s[%d]", name, i)))
	}
	return out
}

func (r *reader) pack(n *node) Pack {
	if !r.object(n, "", "format", "title", "version", "layer", "source", "entries") {
		return Pack{}
	}
	if f := n.get("format"); f == nil {
		r.fault(n, "format", "is missing")
	} else if f.kind != 'n' || f.text != "1" {
		r.fault(f, "format", "must be 1")
	}
	p := Pack{
		Title: r.text(n, "title", true), Version: r.word(n, "", "version", maxWord, false), Source: r.word(n, "", "source", maxWord, false),
		Layer: choice(r, n, "layer", false, LayerProtocol, LayerPublic, LayerVendor, LayerUser),
	}
	list := n.get("entries")
	switch {
	case list == nil:
		r.fault(n, "entries", "is missing")
		return p
	case list.kind != 'a':
		r.fault(list, "entries", "must be a list")
		return p
	case len(list.items) > maxEntries:
		r.fault(list, "entries", "has more than %d items", maxEntries)
		return p
	}
	seen := make(map[string]bool)
	for i, item := range list.items {
		r.entry = strconv.Itoa(i + 1)
		e := r.readEntry(item)
		if e.ID != "" && seen[e.ID] {
			r.fault(item, "id", "stands twice")
		}
		seen[e.ID] = true
		if e.Source == "" {
			e.Source = p.Source
		}
		p.Entries = append(p.Entries, e)
	}
	r.entry = ""
	return p
}

// identifier is what an id may be: it stands in addresses and in work orders.
var identifier = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$`)

func (r *reader) readEntry(n *node) Entry {
	if !r.object(n, "", "id", "like", "match", "title", "meaning", "acts", "severity", "safety", "reset", "remedy", "parts", "checks", "source", "verified") {
		return Entry{}
	}
	var e Entry
	if id := r.word(n, "", "id", maxWord, true); id != "" {
		if !identifier.MatchString(id) {
			r.fault(n.get("id"), "id", "must be letters, digits and . _ : -")
		} else {
			e.ID, r.entry = id, id
		}
	}
	e.like, e.line = r.word(n, "", "like", maxWord, false), n.line
	whole := e.like == "" // else the other entry has what is not given here
	e.Match = r.match(n)
	e.Title, e.Meaning = r.text(n, "title", whole), r.text(n, "meaning", whole)
	e.Acts = choice(r, n, "acts", whole, Driver, Operator, Technician, Installer, GridOperator, Vendor)
	e.Severity = choice(r, n, "severity", whole, event.S1, event.S2, event.S3, event.S4)
	e.Reset = choice(r, n, "reset", whole, ResetYes, ResetNo, ResetNever)
	e.Safety, e.safetyGiven = r.truth(n, "safety"), n.get("safety") != nil
	e.Verified = r.truth(n, "verified")
	if e.Safety && e.Reset == ResetYes {
		r.fault(n.get("reset"), "reset", "a danger is never reset away: no or never")
	}
	if m := n.get("remedy"); m == nil {
		if whole {
			r.fault(n, "remedy", "is missing")
		}
	} else if r.object(m, "remedy", "playbook", "en", "de") {
		e.Remedy = Remedy{Playbook: r.word(m, "remedy", "playbook", maxWord, false)}
		if e.Remedy.Playbook != "" && !identifier.MatchString(e.Remedy.Playbook) {
			r.fault(m, "remedy.playbook", "must be letters, digits and . _ : -")
		}
		e.Remedy.EN, e.Remedy.DE = r.word(m, "remedy", "en", maxText, true), r.word(m, "remedy", "de", maxText, true)
	}
	e.Parts, e.Checks = r.list(n, "parts"), r.list(n, "checks")
	e.Source = r.word(n, "", "source", maxText, false)
	return e
}

func (r *reader) match(n *node) Match {
	m := n.get("match")
	if m == nil {
		r.fault(n, "match", "is missing")
		return Match{}
	}
	fields := []string{"vendor", "model", "protocol", "vendorId", "code", "vendorCode", "token", "info", "component", "variable", "securityEvent", "finding"}
	if !r.object(m, "match", fields...) {
		return Match{}
	}
	get := func(name string) string { return r.word(m, "match", name, maxWord, false) }
	out := Match{
		Vendor: get("vendor"), Model: get("model"), Protocol: get("protocol"), VendorID: get("vendorId"), Code: get("code"),
		VendorCode: get("vendorCode"), Token: get("token"), Info: get("info"), Component: get("component"), Variable: get("variable"),
		Security: get("securityEvent"), Finding: get("finding"),
	}
	if out.Code == "" && out.VendorCode == "" && out.Token == "" && out.Info == "" && out.Component == "" && out.Variable == "" && out.Security == "" && out.Finding == "" {
		r.fault(m, "match", "names no code, component, variable, info, security event or finding")
	}
	return out
}
