package incident

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/week"
)

// Mute is a silence (somebody knows and wants no notice) or a maintenance window
// (planned work): it says which incidents, and when. It mutes notices; incidents
// are kept and marked. Safety incidents are muted only if it says so.
type Mute struct {
	Reason   string    `json:"reason"`
	Sites    []string  `json:"sites,omitempty"`    // any of them; empty: every site
	Stations []string  `json:"stations,omitempty"` // any of them
	Matchers []Matcher `json:"matchers,omitempty"` // all of them
	Start    time.Time `json:"start,omitzero"`
	End      time.Time `json:"end,omitzero"`
	// Weekly are the hours of a week, in Zone, within Start and End. Without them
	// it holds all the time between the two.
	Weekly []Weekly `json:"weekly,omitempty"`
	Zone   string   `json:"zone,omitempty"` // IANA; UTC if empty
	Safety bool     `json:"safety,omitempty"`

	window   bool
	location *time.Location
}

// Matcher compares a label of an incident: =, != with a text, =~ with a whole
// RE2 expression. Beside its labels an incident has kind, severity and family.
type Matcher struct {
	Label string `json:"label"`
	Op    string `json:"op"`
	Value string `json:"value"`
	re    *regexp.Regexp
}

// Weekly is a span of hours on some days. One that ends at or before its begin
// goes into the next day.
type Weekly struct {
	Days []string `json:"days"` // mo, tu, we, th, fr, sa, su
	From string   `json:"from"` // 22:00
	To   string   `json:"to"`   // 06:00
	span week.Span
}

// Bounds of a mute.
const (
	maxMatchers = 20
	maxPattern  = 200
	maxListOf   = 500
	maxWeekly   = 50
	maxMutes    = 2000
)

// Check compiles a mute and says what is wrong with it, by field. zone finds a
// time zone; nil knows UTC only.
func (m *Mute) Check(zone func(string) (*time.Location, error)) map[string]string {
	faults := make(map[string]string)
	if len(m.Sites) > maxListOf {
		faults["sites"] = fmt.Sprintf("has at most %d entries", maxListOf)
	}
	if len(m.Stations) > maxListOf {
		faults["stations"] = fmt.Sprintf("has at most %d entries", maxListOf)
	}
	if len(m.Matchers) > maxMatchers {
		faults["matchers"] = fmt.Sprintf("has at most %d entries", maxMatchers)
	}
	for i := range m.Matchers {
		m.Matchers[i].check(fmt.Sprintf("matchers.%d", i), faults)
	}
	if !m.End.IsZero() && !m.End.After(m.Start) {
		faults["end"] = "must be after the start"
	}
	if m.End.IsZero() && len(m.Weekly) == 0 {
		faults["end"] = "is needed unless there is a weekly calendar"
	}
	m.location = time.UTC
	if m.Zone != "" && m.Zone != "UTC" {
		if zone == nil {
			faults["zone"] = "is not known"
		} else if l, err := zone(m.Zone); err != nil || m.Zone == "Local" {
			faults["zone"] = "is no time zone of the IANA list"
		} else {
			m.location = l
		}
	}
	if len(m.Weekly) > maxWeekly {
		faults["weekly"] = fmt.Sprintf("has at most %d entries", maxWeekly)
	}
	for i := range m.Weekly {
		m.Weekly[i].check(fmt.Sprintf("weekly.%d", i), faults)
	}
	return faults
}

func (m *Matcher) check(at string, faults map[string]string) {
	if m.Label == "" {
		faults[at+".label"] = "is needed"
	}
	switch m.Op {
	case "=", "!=":
	case "=~":
		if len(m.Value) > maxPattern {
			faults[at+".value"] = fmt.Sprintf("has at most %d characters", maxPattern)
			return
		}
		re, err := regexp.Compile("^(?:" + m.Value + ")$")
		if err != nil {
			faults[at+".value"] = "is no regular expression: " + strings.TrimPrefix(err.Error(), "error parsing regexp: ")
			return
		}
		m.re = re
	default:
		faults[at+".op"] = "is =, != or =~"
	}
}

func (w *Weekly) check(at string, faults map[string]string) {
	var span week.Span
	if len(w.Days) == 0 {
		faults[at+".days"] = "is needed"
	}
	for _, name := range w.Days {
		d, ok := week.Day(name)
		if !ok || len(name) != 2 {
			faults[at+".days"] = "are of mo, tu, we, th, fr, sa, su"
		}
		span.Days |= week.On(d)
	}
	var ok bool
	if span.From, ok = week.Minute(w.From); !ok {
		faults[at+".from"] = "is a time like 22:00"
	}
	if span.To, ok = week.Minute(w.To); !ok {
		faults[at+".to"] = "is a time like 06:00"
	}
	w.span = span
}

// matches reports that a mute is about an incident.
func (m *Mute) matches(en *entry) bool {
	if en.Safety && !m.Safety {
		return false
	}
	if len(m.Sites) > 0 && !slices.Contains(m.Sites, en.SiteID) {
		return false
	}
	if len(m.Stations) > 0 && !slices.Contains(m.Stations, en.Station) {
		return false
	}
	for i := range m.Matchers {
		if !m.Matchers[i].matches(en) {
			return false
		}
	}
	return true
}

func (m *Matcher) matches(en *entry) bool {
	value := en.Labels[m.Label]
	switch m.Label {
	case "kind":
		value = en.Kind
	case "severity":
		value = string(en.Severity)
	case "family":
		value = string(en.Family)
	}
	switch m.Op {
	case "=":
		return value == m.Value
	case "!=":
		return value != m.Value
	}
	return m.re != nil && m.re.MatchString(value)
}

// span is the time around t in which the mute keeps holding or not holding, up
// to when that changes; zero if it never does.
func (m *Mute) span(t time.Time) (active bool, until time.Time) {
	switch {
	case t.Before(m.Start):
		return false, m.Start
	case !m.End.IsZero() && !t.Before(m.End):
		return false, time.Time{}
	case len(m.Weekly) == 0:
		return true, m.End
	}
	spans := make([]week.Span, 0, len(m.Weekly))
	for i := range m.Weekly {
		spans = append(spans, m.Weekly[i].span)
	}
	active, until = week.Around(spans, t, m.location)
	if !m.End.IsZero() && (until.IsZero() || m.End.Before(until)) {
		until = m.End
	}
	return active, until.UTC()
}

// muteOf is the mute that holds for an incident now; a window goes before a
// silence.
func (f *Fold) muteOf(en *entry) (id *string, planned bool) {
	if len(f.mutes) == 0 {
		return nil, false
	}
	for _, key := range sorted(f.mutes) {
		m := f.mutes[key]
		if active, _ := m.span(f.now); active && m.matches(en) {
			if m.window {
				return word(key), true
			}
			if id == nil {
				id = word(key)
			}
		}
	}
	return id, false
}

// decideMute takes a silence or a window, or takes it back. What is broken
// mutes nothing.
func (f *Fold) decideMute(p *event.Policy) {
	key := p.Type + "/" + p.ID
	delete(f.mutes, key)
	f.stopOwn("mute|" + key)
	var m Mute
	if len(p.Value) > 0 && json.Unmarshal(p.Value, &m) == nil && len(f.mutes) < maxMutes && len(m.Check(f.Zone)) == 0 {
		m.window = p.Type == "window"
		f.mutes[key] = &m
		f.watchMute(key)
	}
	f.remute()
}

// watchMute waits for the next time that a mute begins or ends.
func (f *Fold) watchMute(key string) {
	if _, until := f.mutes[key].span(f.now); !until.IsZero() {
		f.setOwn("mute|"+key, until)
	}
}

// remute looks again at what is muted.
func (f *Fold) remute() {
	for _, en := range f.inOrder() {
		if !en.open() {
			continue
		}
		id, planned := f.muteOf(en)
		was := en.SilencedBy
		if was == nil && id == nil || was != nil && id != nil && *was == *id {
			continue
		}
		en.SilencedBy = id
		f.regroup(en)
		if planned != en.Planned {
			en.Planned = planned
			f.clocks(en)
		}
		if id == nil {
			f.log(en, ChangeUnmuted, "", "")
			f.unmuted(en)
		} else {
			f.log(en, ChangeMuted, "", *id)
		}
		f.touch(en)
	}
}
