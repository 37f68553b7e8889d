package knowledge

import (
	"slices"
	"strings"
)

// asked is a query made ready for comparison: lower case and bounded.
type asked struct {
	vendor, model, protocol, vendorID, code, vendorCode, info, component, variable, security, finding, detector string

	codes []string // the words of the vendor's code
	words []string // those and the words of the info
	keys  []string
}

// maxAsked bounds what a station's words cost.
const maxAsked = 512

// maxWords bounds how many codes one report may hold.
const maxWords = 32

func lower(s string) string {
	return strings.ToLower(strings.TrimSpace(s[:min(len(s), maxAsked)]))
}

func words(s string) []string {
	out := strings.FieldsFunc(s, func(c rune) bool {
		return c == ',' || c == ';' || c == '|' || c == ' ' || c == '\t' || c == '/' || c == ':' || c == '(' || c == ')' || c == '[' || c == ']'
	})
	return out[:min(len(out), maxWords)]
}

func ask(q Query) asked {
	a := asked{
		vendor: lower(q.Vendor), model: lower(q.Model), protocol: lower(q.Protocol), vendorID: lower(q.VendorID), code: lower(q.Code),
		vendorCode: lower(q.VendorCode), info: lower(q.Info), component: lower(q.Component), variable: lower(q.Variable),
		security: lower(q.SecurityEvent), finding: lower(q.Finding), detector: lower(q.Detector),
	}
	a.codes = words(a.vendorCode)
	a.words = slices.Concat(a.codes, words(a.info))
	key := func(kind, value string) {
		if value != "" && !slices.Contains(a.keys, kind+value) {
			a.keys = append(a.keys, kind+value)
		}
	}
	key("v ", a.vendorCode)
	for _, w := range a.codes {
		key("v ", w)
	}
	for _, w := range a.words {
		key("t ", w)
	}
	key("c ", a.code)
	key("o ", a.component)
	key("r ", a.variable)
	key("s ", a.security)
	key("f ", a.finding)
	key("f ", a.detector)
	return a
}

// key is what a query has to hold for an entry to fit; empty if that is only
// part of an info.
func (m *Match) key() string {
	for _, x := range [...]struct{ kind, value string }{
		{"v ", m.VendorCode}, {"t ", m.Token}, {"s ", m.Security}, {"f ", m.Finding}, {"c ", m.Code}, {"o ", m.Component}, {"r ", m.Variable},
	} {
		if x.value != "" {
			return x.kind + x.value
		}
	}
	return ""
}

func (m *Match) lower() Match {
	return Match{
		Vendor: lower(m.Vendor), Model: lower(m.Model), Protocol: lower(m.Protocol), VendorID: lower(m.VendorID), Code: lower(m.Code),
		VendorCode: lower(m.VendorCode), Token: lower(m.Token), Info: lower(m.Info), Component: lower(m.Component), Variable: lower(m.Variable),
		Security: lower(m.Security), Finding: lower(m.Finding),
	}
}

// fits compares a match in lower case.
func (m *Match) fits(a asked) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	return is(m.VendorID, a.vendorID) && is(m.Code, a.code) && is(m.Component, a.component) && is(m.Variable, a.variable) && is(m.Security, a.security) &&
		(m.Finding == "" || m.Finding == a.finding || m.Finding == a.detector) &&
		(m.VendorCode == "" || m.VendorCode == a.vendorCode || slices.Contains(a.codes, m.VendorCode)) &&
		(m.Token == "" || slices.Contains(a.words, m.Token)) &&
		(m.Info == "" || strings.Contains(a.info, m.Info)) &&
		strings.HasPrefix(a.protocol, m.Protocol) && glob(m.Vendor, a.vendor) && glob(m.Model, a.model)
}

// weight says how much an entry names: what stands for one fault counts more
// than where it happens.
func (m *Match) weight() int {
	w := 0
	for _, x := range [...]struct {
		value string
		worth int
	}{
		{m.VendorCode, 64}, {m.Token, 64}, {m.Info, 32}, {m.Security, 32}, {m.Component, 16}, {m.Code, 8}, {m.Variable, 8},
		{m.VendorID, 4}, {m.Model, 4}, {m.Vendor, 2}, {m.Protocol, 1},
	} {
		if x.value != "" {
			w += x.worth
		}
	}
	if m.Finding != "" {
		w += 16
		if !isDetector(m.Finding) { // a code says more than who found it
			w += 8
		}
	}
	return w
}

func isDetector(finding string) bool {
	return len(finding) == 3 && (finding[0] == 'D' || finding[0] == 'd') && finding[1] >= '0' && finding[1] <= '9' && finding[2] >= '0' && finding[2] <= '9'
}

// glob matches a pattern in which "*" stands for any text; an empty one matches
// all. It takes time in proportion to both lengths at most.
func glob(pattern, text string) bool {
	if pattern == "" {
		return true
	}
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && pattern[p] == text[t]:
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
