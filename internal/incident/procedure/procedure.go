// Package procedure holds what has to be done about an incident, step by step, by
// what it is about. The lists shipped here can be replaced by an organisation and
// by a site. A list is never changed: each change is another version, and an
// incident keeps the version that it began with, so that what somebody ticked at
// three in the morning can be read a year later as it stood there.
package procedure

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Class is what an incident is about, as far as it decides what people do.
type Class string

// The classes.
const (
	CableTheft     Class = "cableTheft"
	Intrusion      Class = "intrusion" // forced doors too
	CameraTampered Class = "cameraTampered"
	Duress         Class = "duress" // and calls for help
	Fire           Class = "fire"
	Vandalism      Class = "vandalism"
	Electrical     Class = "electrical" // a fault of a station that may hurt somebody
	Other          Class = "other"
)

// Classes lists them.
func Classes() []Class {
	return []Class{CableTheft, Intrusion, CameraTampered, Duress, Fire, Vandalism, Electrical, Other}
}

// Known reports a class that there is.
func Known(c Class) bool { return slices.Contains(Classes(), c) }

// Bounds of a list.
const (
	MaxSteps = 30
	maxText  = 300
)

// Policy is the type of the decision by which people replace a list.
const Policy = "procedure"

// Wording is said in both languages; a list of one's own may have only one.
type Wording struct {
	EN string `json:"en,omitempty"`
	DE string `json:"de,omitempty"`
}

// Instruction is one thing to do.
type Instruction struct {
	ID       string  `json:"id" doc:"stays the same from version to version: what was done stays done"`
	Text     Wording `json:"text"`
	Required bool    `json:"required,omitempty" doc:"has to be done, or said why not, before a grave incident is closed"`
}

// List is what has to be done about incidents of one class.
type List struct {
	Class   Class         `json:"class"`
	Site    string        `json:"site,omitempty"` // empty: everywhere
	Version int           `json:"version"`        // of those shipped: their revision
	Shipped bool          `json:"shipped,omitempty"`
	Steps   []Instruction `json:"steps"`
}

// ID is what the policy of a list is called.
func ID(c Class, site string) string {
	if site == "" {
		return string(c)
	}
	return string(c) + "@" + site
}

// Ref names one version of one list.
func Ref(id string, version int, shipped bool) string {
	if shipped {
		return id + "#s" + strconv.Itoa(version)
	}
	return id + "#" + strconv.Itoa(version)
}

// Ref names the list.
func (l *List) Ref() string { return Ref(ID(l.Class, l.Site), l.Version, l.Shipped) }

// ParseRef takes a name of a version apart.
func ParseRef(ref string) (id string, version int, shipped, ok bool) {
	id, rest, found := strings.Cut(ref, "#")
	rest, shipped = strings.CutPrefix(rest, "s")
	version, err := strconv.Atoi(rest)
	return id, version, shipped, found && id != "" && err == nil && version > 0
}

var stepID = regexp.MustCompile(`^[a-z][a-zA-Z0-9]{0,39}$`)

// ValidStep reports a text that can name a step.
func ValidStep(id string) bool { return stepID.MatchString(id) }

// Check says what is wrong with a list, by field.
func (l *List) Check() map[string]string {
	faults := make(map[string]string)
	if !Known(l.Class) {
		faults["class"] = fmt.Sprintf("is one of %v", Classes())
	}
	if len(l.Steps) == 0 || len(l.Steps) > MaxSteps {
		faults["steps"] = fmt.Sprintf("1 to %d steps", MaxSteps)
	}
	seen := make(map[string]bool)
	for i, s := range l.Steps {
		at := fmt.Sprintf("steps.%d.", i)
		switch {
		case !ValidStep(s.ID):
			faults[at+"id"] = "begins with a small letter and has at most 40 letters and digits"
		case seen[s.ID]:
			faults[at+"id"] = "stands in the list twice"
		}
		seen[s.ID] = true
		if strings.TrimSpace(s.Text.EN+s.Text.DE) == "" {
			faults[at+"text"] = "says what to do, in one language at least"
		}
		for name, text := range map[string]string{"en": s.Text.EN, "de": s.Text.DE} {
			if utf8.RuneCountInString(text) > maxText || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
				faults[at+"text."+name] = fmt.Sprintf("one line of at most %d characters", maxText)
			}
		}
	}
	return faults
}

//go:embed shipped.json
var shipped []byte

// Shipped are the lists that hold where nobody decided. They are part of the
// program; a broken one is a defect that its test finds.
func Shipped() map[Class]List {
	all, err := read(shipped)
	if err != nil {
		panic(err)
	}
	out := make(map[Class]List, len(all))
	for _, l := range all {
		l.Shipped = true
		out[l.Class] = l
	}
	return out
}

func read(data []byte) ([]List, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var all []List
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("read the lists of steps that are shipped: %w", err)
	}
	return all, nil
}

// VersionOf reads of which version a decision is.
func VersionOf(value []byte) (int, bool) {
	var l List
	if len(value) == 0 || json.Unmarshal(value, &l) != nil || l.Version <= 0 {
		return 0, false
	}
	return l.Version, true
}
