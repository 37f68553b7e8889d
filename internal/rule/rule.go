package rule

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/event"
)

// PolicyType is what the journal calls the decision to have a rule.
const PolicyType = "rule"

// KindAttempt is what a rule follows that is about tries to charge: it is
// evaluated for each that ends.
const KindAttempt event.Kind = "attempt"

// Bounds of one rule and of all.
const (
	MaxRules     = 500
	MaxBytes     = 32 << 10
	maxName      = 80
	maxTitle     = 160
	maxText      = 2000 // of an expression
	maxCount     = 100
	maxDay       = 24 * 60 * 60
	maxFor       = 7 * maxDay
	maxClear     = 30 * maxDay
	maxFacts     = 12
	maxLabels    = 10
	maxLabelText = 60
	maxSites     = 200
	maxModels    = 100
)

// What a condition is about.
const (
	ByPort    = "port"
	ByStation = "station"
	BySite    = "site"
)

// Rule is a condition that people want to hear of.
type Rule struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
	// On are the kinds of events after which Where is asked.
	On    []event.Kind `json:"on"`
	Where string       `json:"where"`
	// ForSeconds is how long Where has to hold; Count is how often within a time.
	ForSeconds int    `json:"forSeconds,omitempty"`
	Count      *Count `json:"count,omitempty"`
	By         string `json:"by"`
	// ClearWhen ends the condition. Without it the next event of these kinds after
	// which Where is false does. ClearAfterSeconds without Where holding end it too.
	ClearWhen         string            `json:"clearWhen,omitempty"`
	ClearAfterSeconds int               `json:"clearAfterSeconds,omitempty"`
	Severity          event.Severity    `json:"severity"`
	Title             string            `json:"title"`
	Facts             []string          `json:"facts,omitempty"` // names of values that stand in the finding
	Labels            map[string]string `json:"labels,omitempty"`
	Sites             []string          `json:"sites,omitempty"`  // empty: all
	Models            []string          `json:"models,omitempty"` // VENDOR/MODEL; empty: all
}

// Count is k of n: so many times within a time.
type Count struct {
	N             int `json:"n"`
	WithinSeconds int `json:"withinSeconds"`
}

// Fault is what is wrong with a rule. Line and Column count from 1; they are 0
// where the field is no expression.
type Fault struct {
	Field  string `json:"field"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Text   string `json:"text"`
}

// errDecode is what Decode says of what is no rule.
var errDecode = errors.New("not a rule")

// Decode reads a rule; fields it does not know are an error.
func Decode(data []byte) (Rule, error) {
	var r Rule
	if len(data) > MaxBytes {
		return r, fmt.Errorf("%d bytes, at most %d: %w", len(data), MaxBytes, errDecode)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return Rule{}, fmt.Errorf("%w: %w", errDecode, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Rule{}, fmt.Errorf("something follows it: %w", errDecode)
	}
	return r, nil
}

// Code is what the findings of the rule are called.
func (r *Rule) Code() string { return "rule/" + r.ID }

// same reports whether two rules hold of the same things: what they call them
// and how bad they find them may differ.
func (r *Rule) same(o *Rule) bool {
	count := func(c *Count) Count {
		if c == nil {
			return Count{}
		}
		return *c
	}
	return r.Enabled == o.Enabled && r.Where == o.Where && r.ForSeconds == o.ForSeconds && count(r.Count) == count(o.Count) &&
		r.By == o.By && r.ClearWhen == o.ClearWhen && r.ClearAfterSeconds == o.ClearAfterSeconds &&
		slices.Equal(r.On, o.On) && slices.Equal(r.Sites, o.Sites) && slices.Equal(r.Models, o.Models)
}

// shape says what is wrong with everything but the expressions.
func (r *Rule) shape() []Fault {
	var out []Fault
	bad := func(field, format string, args ...any) {
		out = append(out, Fault{Field: field, Text: fmt.Sprintf(format, args...)})
	}
	if !validID(r.ID) {
		bad("id", "has 1 to 48 small letters, digits and hyphens")
	}
	if why := line(r.Name, maxName, true); why != "" {
		bad("name", "%s", why)
	}
	if why := line(r.Title, maxTitle, true); why != "" {
		bad("title", "%s", why)
	}
	if len(r.On) == 0 {
		bad("on", "names at least one kind of event")
	}
	for i, k := range r.On {
		switch {
		case !slices.Contains(Kinds(), k):
			bad("on."+strconv.Itoa(i), "%s cannot be followed", cmp.Or(string(k), "an empty kind"))
		case slices.Contains(r.On[:i], k):
			bad("on."+strconv.Itoa(i), "stands there twice")
		}
	}
	switch r.By {
	case ByPort, ByStation, BySite:
	default:
		bad("by", "is port, station or site")
	}
	switch r.Severity {
	case event.S1, event.S2, event.S3, event.S4:
	default:
		bad("severity", "is S1, S2, S3 or S4")
	}
	if r.ForSeconds < 0 || r.ForSeconds > maxFor {
		bad("forSeconds", "is between 0 and %d", maxFor)
	}
	if r.ClearAfterSeconds < 0 || r.ClearAfterSeconds > maxClear {
		bad("clearAfterSeconds", "is between 0 and %d", maxClear)
	}
	if c := r.Count; c != nil {
		if c.N < 2 || c.N > maxCount {
			bad("count.n", "is between 2 and %d", maxCount)
		}
		if c.WithinSeconds < 1 || c.WithinSeconds > maxFor {
			bad("count.withinSeconds", "is between 1 and %d", maxFor)
		}
		if r.ForSeconds > 0 {
			bad("count", "cannot stand beside forSeconds")
		}
	}
	return append(out, r.lists()...)
}

func (r *Rule) lists() []Fault {
	var out []Fault
	bad := func(field, text string) { out = append(out, Fault{Field: field, Text: text}) }
	if len(r.Facts) > maxFacts {
		bad("facts", fmt.Sprintf("has at most %d", maxFacts))
	}
	for i, name := range r.Facts {
		if f := fieldOf(name); f == nil || f.list() {
			bad("facts."+strconv.Itoa(i), "is no value that a finding can carry")
		}
	}
	if len(r.Labels) > maxLabels {
		bad("labels", fmt.Sprintf("has at most %d", maxLabels))
	}
	for name, text := range r.Labels {
		if why := line(name, maxLabelText, true); why != "" {
			bad("labels", "a name "+why)
		}
		if why := line(text, maxLabelText, false); why != "" {
			bad("labels."+name, why)
		}
	}
	if len(r.Sites) > maxSites {
		bad("sites", fmt.Sprintf("has at most %d", maxSites))
	}
	for i, site := range r.Sites {
		if why := line(site, 64, true); why != "" {
			bad("sites."+strconv.Itoa(i), why)
		}
	}
	if len(r.Models) > maxModels {
		bad("models", fmt.Sprintf("has at most %d", maxModels))
	}
	for i, model := range r.Models {
		if vendor, name, ok := strings.Cut(model, "/"); !ok || vendor == "" || name == "" || line(model, 120, true) != "" {
			bad("models."+strconv.Itoa(i), "is VENDOR/MODEL")
		}
	}
	return out
}

func validID(id string) bool {
	if id == "" || len(id) > 48 || id[0] == '-' {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// line says what is wrong with one line of text.
func line(text string, most int, needed bool) string {
	switch {
	case needed && strings.TrimSpace(text) == "":
		return "must not be empty"
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return "must be one line of plain text"
	case utf8.RuneCountInString(text) > most:
		return fmt.Sprintf("has at most %d characters", most)
	}
	return ""
}
