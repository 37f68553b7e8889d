package access

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cedar-policy/cedar-go"

	"github.com/chargewatch/chargewatch/internal/week"
)

// Types of entities in policies.
const (
	credentialType = "Credential"
	personType     = "Person"
	groupType      = "Group"
	companyType    = "Company"
	actionType     = "Action"
	placeType      = "Place"
	siteType       = "Site"
	anyone         = "anyone" // the group that everybody is in
)

// Policy writes a row as a Cedar policy.
func (x *Row) Policy(s *Schedule) string {
	var b strings.Builder
	annotate(&b, x.ID, x.Name)
	b.WriteString("permit (\n  principal,\n  action,\n  resource\n)\n")
	when(&b, oneOf(x.To))
	when(&b, place(x.Kinds, x.Places, x.Sites))
	if s != nil {
		when(&b, s.condition())
	}
	if !x.From.IsZero() {
		when(&b, "context.now >= "+datetime(x.From))
	}
	if !x.Until.IsZero() {
		when(&b, "context.now < "+datetime(x.Until))
	}
	if x.PIN {
		when(&b, "context.pin")
	}
	b.WriteString(";\n")
	return b.String()
}

// Policy writes a scenario as a Cedar policy.
func (x *Scenario) Policy() string {
	var b strings.Builder
	annotate(&b, x.ID, x.Name)
	b.WriteString("forbid (\n  principal,\n  action,\n  resource\n)\n")
	when(&b, place(x.Kinds, x.Places, x.Sites))
	if len(x.Except) > 0 {
		b.WriteString("unless { " + oneOf(x.Except) + " }\n")
	}
	b.WriteString(";\n")
	return b.String()
}

func annotate(b *strings.Builder, id, name string) {
	fmt.Fprintf(b, "@id(%s)\n@name(%s)\n", text(id), text(name))
}

func when(b *strings.Builder, condition string) { b.WriteString("when { " + condition + " }\n") }

func oneOf(list []Principal) string {
	uids := make([]string, 0, len(list))
	for _, x := range list {
		kind, id := x.entity()
		uids = append(uids, kind+"::"+text(id))
	}
	return "principal in [" + strings.Join(uids, ", ") + "]"
}

// entity is what a principal is called in policies.
func (x Principal) entity() (kind, id string) {
	switch {
	case x.Anyone:
		return groupType, anyone
	case x.Person != "":
		return personType, x.Person
	case x.Group != "":
		return groupType, "g:" + x.Group
	case x.Company != "":
		return companyType, x.Company
	}
	return credentialType, x.Credential
}

func place(kinds []PlaceKind, places, sites []string) string {
	var at []string
	if len(kinds) > 0 {
		words := make([]string, 0, len(kinds))
		for _, k := range kinds {
			words = append(words, text(string(k)))
		}
		at = append(at, "["+strings.Join(words, ", ")+"].contains(resource.kind)")
	}
	if len(places) > 0 {
		at = append(at, "resource in ["+uids(placeType, places)+"]")
	}
	if len(at) == 0 {
		at = append(at, "resource.kind != "+text(string(EVSE)))
	}
	out := strings.Join(at, " || ")
	if len(sites) == 0 {
		return out
	}
	return "resource in [" + uids(siteType, sites) + "] && (" + out + ")"
}

func uids(kind string, ids []string) string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		out = append(out, kind+"::"+text(id))
	}
	return strings.Join(out, ", ")
}

// condition is a schedule by what the clock of the site shows: minute of the day,
// day of the week (0 is Sunday), the calendars by which today is a day off, and
// the same of the day before, to which a night belongs that is not over.
func (s *Schedule) condition() string {
	var parts []string
	for _, span := range s.Open {
		from, to := "context.minute >= "+strconv.Itoa(span.From), "context.minute < "+strconv.Itoa(span.To)
		today, before := s.days(span, "context.day", "context.off"), s.days(span, "context.dayBefore", "context.offBefore")
		if span.To > span.From {
			parts = append(parts, today+" && "+from+" && "+to)
		} else {
			parts = append(parts, today+" && "+from, before+" && "+to)
		}
	}
	if len(parts) == 0 {
		return "false"
	}
	for i := range parts {
		parts[i] = "(" + parts[i] + ")"
	}
	return strings.Join(parts, " || ")
}

func (s *Schedule) days(span week.Span, day, off string) string {
	var list []string
	for d := time.Sunday; d <= time.Saturday; d++ {
		if span.Days.Has(d) {
			list = append(list, strconv.Itoa(int(d)))
		}
	}
	usual := "[" + strings.Join(list, ", ") + "].contains(" + day + ")"
	if s.Calendar == "" || s.OnHoliday == AsUsual {
		return usual
	}
	free := off + ".contains(" + text(s.Calendar) + ")"
	if s.OnHoliday == AsSunday && span.Days.Has(time.Sunday) {
		return "(" + free + " || " + usual + ")"
	}
	return "!" + free + " && " + usual
}

func datetime(t time.Time) string {
	return "datetime(" + text(t.UTC().Format("2006-01-02T15:04:05.000Z")) + ")"
}

// text writes a string of the Cedar language.
func text(s string) string { return string(cedar.String(s).MarshalCedar()) }

// maxWritten bounds a policy that people write.
const maxWritten = 4 << 10

// CheckWritten says what is wrong with a policy that people wrote: it is one
// forbid that can be evaluated for whoever comes wherever.
func CheckWritten(source string) error {
	_, err := parseWritten(Written{ID: "x", Text: source})
	return err
}

func parseWritten(x Written) (*cedar.Policy, error) {
	if len(x.Text) > maxWritten {
		return nil, fmt.Errorf("has at most %d bytes", maxWritten)
	}
	list, err := cedar.NewPolicyListFromBytes(x.ID, []byte(x.Text))
	if err != nil {
		return nil, fmt.Errorf("is not Cedar: %w", err)
	}
	if len(list) != 1 {
		return nil, fmt.Errorf("is one policy, not %d", len(list))
	}
	p := list[0]
	if p.Effect() != cedar.Forbid {
		return nil, fmt.Errorf("can only forbid; what is permitted is written as rows")
	}
	for _, asked := range samples() {
		if _, told := cedar.Authorize(policies{{cedar.PolicyID(x.ID), p}}, asked.entities, asked.request); len(told.Errors) > 0 {
			return nil, fmt.Errorf("cannot be evaluated: %s", told.Errors[0].Message)
		}
	}
	return p, nil
}
