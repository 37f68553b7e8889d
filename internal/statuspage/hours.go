package statuspage

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// schedule is opening hours as OpenStreetMap writes them, as far as one can say
// from them whether a place is open now: weekdays, times, off, 24/7 and public
// holidays. Whatever else the text may say is not guessed at.
type schedule struct {
	days     [7][]span // Monday first, each sorted by its start
	always   bool
	holidays *[]span // nil: as on any day; empty: closed
}

// span is a time of a day in minutes; to may lie behind midnight.
type span struct{ from, to int }

const (
	dayMinutes = 24 * 60
	maxMinutes = 48 * 60
	// maxHours bounds what is parsed; the store allows 300.
	maxHours = 500
)

var dayNames = [7]string{"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"}

// parseHours reads opening hours; false means that they are to be shown as they
// are.
func parseHours(text string) (schedule, bool) {
	var s schedule
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxHours {
		return s, false
	}
	said := false
	for rule := range strings.SplitSeq(text, ";") {
		if rule = strings.TrimSpace(rule); rule == "" {
			continue
		}
		fresh := true // a rule replaces what earlier ones say of its days
		for _, part := range additions(rule) {
			if !s.rule(strings.TrimSpace(part), fresh) {
				return schedule{}, false
			}
			fresh = false
		}
		said = true
	}
	s.always = !slices.ContainsFunc(s.days[:], func(d []span) bool { return len(d) != 1 || d[0] != span{0, dayMinutes} })
	return s, said
}

// additions splits a rule at commas that begin another list of days behind
// times: "Mo-Fr 08:00-18:00, Sa 09:00-13:00".
func additions(rule string) []string {
	var out []string
	from, times := 0, false
	for i := 0; i < len(rule); i++ {
		switch c := rule[i]; {
		case c == ':':
			times = true
		case c == ',' && times:
			if next := strings.TrimLeft(rule[i+1:], " "); next != "" && (next[0] < '0' || next[0] > '9') {
				out = append(out, rule[from:i])
				from, times = i+1, false
			}
		}
	}
	return append(out, rule[from:])
}

// rule applies one list of days with its times.
func (s *schedule) rule(text string, fresh bool) bool {
	if text == "24/7" {
		for d := range s.days {
			s.days[d] = []span{{0, dayMinutes}}
		}
		return true
	}
	days, holidays, rest, ok := selectDays(text)
	if !ok {
		return false
	}
	var spans []span
	switch rest {
	case "off", "closed":
	case "":
		return false
	default:
		if spans, ok = parseTimes(rest); !ok {
			return false
		}
	}
	for d := range days {
		if !days[d] {
			continue
		}
		if fresh || len(spans) == 0 {
			s.days[d] = nil
		}
		s.days[d] = join(append(s.days[d], spans...))
	}
	if holidays {
		list := join(spans)
		s.holidays = &list
	}
	return true
}

// selectDays reads the days a rule begins with; none means every day.
func selectDays(text string) (days [7]bool, holidays bool, rest string, ok bool) {
	rest = text
	if rest == "" || rest[0] >= '0' && rest[0] <= '9' || rest == "off" || rest == "closed" {
		return [7]bool{true, true, true, true, true, true, true}, false, rest, true
	}
	for {
		name, after, found := cutDay(rest)
		switch {
		case !found && strings.HasPrefix(rest, "PH"):
			holidays, rest = true, rest[2:]
		case !found:
			return days, false, "", false
		default:
			last := name
			if to, more := strings.CutPrefix(after, "-"); more {
				if last, after, found = cutDay(to); !found {
					return days, false, "", false
				}
			}
			for d := name; ; d = (d + 1) % 7 {
				days[d] = true
				if d == last {
					break
				}
			}
			rest = after
		}
		next, more := strings.CutPrefix(strings.TrimLeft(rest, " "), ",")
		if !more {
			break
		}
		rest = strings.TrimLeft(next, " ")
	}
	if rest == "" || rest[0] != ' ' {
		return days, holidays, "", false
	}
	return days, holidays, strings.TrimSpace(rest), true
}

func cutDay(text string) (day int, rest string, ok bool) {
	if len(text) < 2 {
		return 0, "", false
	}
	day = slices.Index(dayNames[:], text[:2])
	return day, text[2:], day >= 0
}

// parseTimes reads "08:00-12:00,13:00-17:00".
func parseTimes(text string) ([]span, bool) {
	var out []span
	for part := range strings.SplitSeq(text, ",") {
		from, to, ok := strings.Cut(strings.TrimSpace(part), "-")
		if !ok {
			return nil, false
		}
		a, okFrom := parseClock(strings.TrimSpace(from))
		b, okTo := parseClock(strings.TrimSpace(to))
		if !okFrom || !okTo || a >= dayMinutes || b > maxMinutes {
			return nil, false
		}
		if b <= a {
			b += dayMinutes
		}
		out = append(out, span{a, b})
	}
	return out, true
}

func parseClock(text string) (minutes int, ok bool) {
	h, m, ok := strings.Cut(text, ":")
	if !ok || len(h) < 1 || len(h) > 2 || len(m) != 2 {
		return 0, false
	}
	hours, err := strconv.ParseUint(h, 10, 8)
	if err != nil {
		return 0, false
	}
	mins, err := strconv.ParseUint(m, 10, 8)
	if err != nil || mins > 59 {
		return 0, false
	}
	return int(hours*60 + mins), true
}

// join sorts spans and makes one of those that touch.
func join(list []span) []span {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b span) int { return a.from - b.from })
	var out []span
	for _, x := range list {
		if n := len(out); n > 0 && x.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, x.to)
			continue
		}
		out = append(out, x)
	}
	return out
}

// opening is whether a place is open at a moment and when that changes; a zero
// change is not within the next week.
type opening struct {
	open   bool
	change time.Time
}

// at says how things stand; t is in the zone of the place.
func (s *schedule) at(t time.Time) opening {
	if s.always {
		return opening{open: true}
	}
	y, m, d := t.Date()
	monday := (int(t.Weekday()) + 6) % 7
	const ahead = 8
	until := t // as far as open times reach without a gap
	var first time.Time
	for offset := -2; offset <= ahead; offset++ {
		for _, x := range s.days[((monday+offset)%7+7)%7] {
			from := time.Date(y, m, d+offset, 0, x.from, 0, 0, t.Location())
			to := time.Date(y, m, d+offset, 0, x.to, 0, 0, t.Location())
			if !from.After(until) && to.After(until) {
				until = to
			}
			if from.After(t) && (first.IsZero() || from.Before(first)) {
				first = from
			}
		}
	}
	switch {
	case until.After(t.AddDate(0, 0, ahead-1)):
		return opening{open: true}
	case until.After(t):
		return opening{open: true, change: until}
	}
	return opening{change: first}
}
