package expand

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Language is one in which a plan is told.
type Language string

// Languages.
const (
	English Language = "en"
	German  Language = "de"
)

// tongue are the words of one language.
type tongue struct {
	months                                           [12]string
	point, group                                     string
	needs, needsDays, needsSessions, day, days       string
	session, sessions                                string
	port, ports, addPort, addPorts                   string
	wait, more, moreMoney, payback, paybackTo, never string
	peak, neededNow, needed, neededRange, beyond     string
	kept, keptLater, none                            string
}

func words(l Language) tongue {
	if l == German {
		return tongue{
			months: [12]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
			point:  ",", group: ".",
			needs: "Dafür reichen die Daten noch nicht: es fehlen %s.", needsDays: "%d %s Beobachtung", needsSessions: "%d %s", day: "Tag", days: "Tage",
			session: "Ladevorgang", sessions: "Ladevorgänge",
			addPort: "1 Ladepunkt mehr", addPorts: "%d Ladepunkte mehr",
			wait: "die mittlere Wartezeit zu den vollsten Stunden sinkt von %s auf %s Minuten und der Anteil, der weiterfährt, von %s auf %s %%", more: "pro Woche laden %s Fahrer mehr und %s kWh mehr", moreMoney: "pro Woche laden %s Fahrer mehr",
			payback: "bezahlt nach %s Monaten", paybackTo: " (%s bis %s)", never: "nie", peak: "höchste Leistung %s kW",
			neededNow: "nötig ist das schon jetzt", needed: "nötig ab %s", neededRange: " (%s bis %s)", beyond: "später als in zehn Jahren",
			kept:      "Es braucht keinen weiteren Ladepunkt: zu den vollsten Stunden warten %s %% der Fahrer länger als %s Minuten oder fahren weiter, versprochen sind höchstens %s %%.",
			keptLater: " Mehr wird nötig ab %s%s.",
			none:      "Keine der Möglichkeiten hält das Versprechen: am nächsten kommt „%s“, dort warten zu den vollsten Stunden %s %% der Fahrer länger als %s Minuten oder fahren weiter, versprochen sind höchstens %s %%.",
			port:      "Ladepunkt", ports: "Ladepunkte",
		}
	}
	return tongue{
		months: [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		point:  ".", group: ",",
		needs: "Not enough data yet: needs %s.", needsDays: "%d more observed %s", needsSessions: "%d more %s", day: "day", days: "days",
		session: "session", sessions: "sessions",
		addPort: "Add 1 port", addPorts: "Add %d ports",
		wait: "mean wait at the busiest hours falls from %s to %s minutes and drivers who leave from %s to %s %%", more: "%s more sessions and %s kWh more a week", moreMoney: "%s more sessions a week",
		payback: "payback %s months", paybackTo: " (%s to %s)", never: "never", peak: "highest power %s kW",
		neededNow: "needed now", needed: "needed by %s", neededRange: " (%s to %s)", beyond: "beyond ten years",
		kept:      "No port is needed: at the busiest hours %s %% of drivers wait longer than %s minutes or leave, at most %s %% are promised.",
		keptLater: " More are needed by %s%s.",
		none:      "None of these keeps the promise. Closest is “%s”: at the busiest hours %s %% of drivers still wait longer than %s minutes or leave, at most %s %% are promised.",
		port:      "port", ports: "ports",
	}
}

// number writes a figure with at most three significant digits.
func (t tongue) number(v float64) string {
	a := math.Abs(v)
	digits := 0
	if a < 2.95 {
		digits = 1
	}
	s := fmt.Sprintf("%.*f", digits, v)
	if s == "-0" || s == "-0.0" || s == "0.0" {
		s = "0"
	}
	s = strings.TrimSuffix(s, ".0")
	whole, part, cut := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + t.group + whole[i:]
	}
	if cut {
		return whole + t.point + part
	}
	return whole
}

func (t tongue) month(at time.Time, without int) string {
	s := t.months[at.Month()-1]
	if at.Year() == without {
		return s
	}
	return fmt.Sprintf("%s %d", s, at.Year())
}

// Say tells a result in one or two sentences.
func (r *Result) Say(q *Question, l Language) string {
	t := words(l)
	if !r.Enough {
		return t.missing(r.Needs)
	}
	base := &r.Outcomes[0]
	promise := []any{t.number(*q.Assumptions.PromiseMinutes), t.number(q.Assumptions.PromisePercent)}
	switch {
	case r.Recommended == nil:
		best := 0
		for i := range r.Outcomes {
			if r.Outcomes[i].BrokenPercent.Mean < r.Outcomes[best].BrokenPercent.Mean {
				best = i
			}
		}
		o := &r.Outcomes[best]
		return fmt.Sprintf(t.none, append([]any{o.Scenario.Title(l), t.number(o.BrokenPercent.Mean)}, promise...)...)
	case r.Kept:
		s := fmt.Sprintf(t.kept, append([]any{t.number(base.BrokenPercent.Mean)}, promise...)...)
		if g := r.Trigger; g != nil && g.Middle != nil && !g.Now {
			s += fmt.Sprintf(t.keptLater, t.month(*g.Middle, 0), t.span(g))
		}
		return s
	}
	return t.advise(r, q)
}

// advise tells what the ports that keep the promise would bring today, which is
// what the wait of today is compared with.
func (t tongue) advise(r *Result, q *Question) string {
	o := &r.Outcomes[*r.Recommended]
	for i := range r.Outcomes {
		same := r.Outcomes[i].Scenario
		same.AtHorizon = true
		if o.Scenario.AtHorizon && !r.Outcomes[i].Scenario.AtHorizon && same == o.Scenario {
			o = &r.Outcomes[i]
		}
	}
	was := &r.Outcomes[o.Against]
	parts := []string{fmt.Sprintf(t.wait, t.number(was.WaitMinutes.Mean), t.number(o.WaitMinutes.Mean), t.number(was.LostPercent.Mean), t.number(o.LostPercent.Mean))}
	if o.MoreServed != nil {
		if r.Demand.MeanKWh != nil {
			parts = append(parts, fmt.Sprintf(t.more, t.number(o.MoreServed.Mean), t.number(o.MoreKWh.Mean)))
		} else {
			parts = append(parts, fmt.Sprintf(t.moreMoney, t.number(o.MoreServed.Mean)))
		}
	}
	if p := o.Payback; p != nil {
		s := fmt.Sprintf(t.payback, t.orNever(p.Months))
		if p.Months != nil {
			s += fmt.Sprintf(t.paybackTo, t.orNever(p.Low), t.orNever(p.High))
		}
		parts = append(parts, s)
	}
	if r.Demand.MeanKWh != nil {
		parts = append(parts, fmt.Sprintf(t.peak, t.number(o.PeakKW.Mean)))
	}
	switch g := r.Trigger; {
	case g == nil:
	case g.Now:
		parts = append(parts, t.neededNow)
	case g.Middle != nil:
		parts = append(parts, fmt.Sprintf(t.needed, t.month(*g.Middle, 0))+t.span(g))
	}
	head := t.addPort
	if n := o.Scenario.AddPorts; n != 1 {
		head = fmt.Sprintf(t.addPorts, n)
	}
	return head + ": " + strings.Join(parts, ", ") + "."
}

func (t tongue) orNever(v *float64) string {
	if v == nil {
		return t.never
	}
	return t.number(math.Round(*v))
}

// span is the interval of a trigger.
func (t tongue) span(g *Trigger) string {
	if g.Early == nil {
		return ""
	}
	early, late := t.month(*g.Early, 0), t.beyond
	if g.Late != nil {
		late = t.month(*g.Late, 0)
		early = t.month(*g.Early, g.Late.Year())
	}
	if early == late || g.Late != nil && g.Early.Year() == g.Late.Year() && g.Early.Month() == g.Late.Month() {
		return ""
	}
	return fmt.Sprintf(t.neededRange, early, late)
}

func (t tongue) missing(n *Needs) string {
	var parts []string
	count := func(format string, n int, one, many string) {
		if n == 1 {
			many = one
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf(format, n, many))
		}
	}
	count(t.needsDays, n.Days, t.day, t.days)
	count(t.needsSessions, n.Sessions, t.session, t.sessions)
	return fmt.Sprintf(t.needs, strings.Join(parts, map[bool]string{true: " und ", false: " and "}[t.point == ","]))
}

// Say tells what is missing.
func (n *Needs) Say(l Language) string { return words(l).missing(n) }

// Title is the name of a scenario, or what it changes.
func (s *Scenario) Title(l Language) string {
	if s.Name != "" {
		return s.Name
	}
	de := l == German
	pick := func(en, german string) string {
		if de {
			return german
		}
		return en
	}
	t := words(l)
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	switch n := s.AddPorts; {
	case n == 1:
		add("+1 %s", t.port)
	case n != 0:
		add("%+d %s", n, t.ports)
	}
	if s.Kind != "" && s.AddPorts != 0 {
		add("%s", strings.ToUpper(s.Kind))
	}
	if s.PortKW > 0 {
		add("%s kW", t.number(s.PortKW))
	}
	if s.AllKW > 0 {
		add(pick("all ports %s kW", "alle Ladepunkte %s kW"), t.number(s.AllKW))
	}
	if s.CapKW != nil {
		if *s.CapKW == 0 {
			parts = append(parts, pick("no power limit", "ohne Leistungsgrenze"))
		} else {
			add(pick("at most %s kW", "höchstens %s kW"), t.number(*s.CapKW))
		}
	}
	switch s.Rule {
	case "first":
		parts = append(parts, pick("first come first served", "wer zuerst kommt"))
	case "laxity":
		parts = append(parts, pick("least time first", "wer am wenigsten Zeit hat"))
	case "equal":
		parts = append(parts, pick("equal shares", "gleiche Teile"))
	}
	if s.GrowthPercent != 0 {
		add(pick("demand %s%s %%", "Nachfrage %s%s %%"), map[bool]string{true: "+"}[s.GrowthPercent > 0], t.number(s.GrowthPercent))
	}
	if s.PatienceMinutes != nil {
		add(pick("patience %s min", "Geduld %s min"), t.number(*s.PatienceMinutes))
	}
	if s.Overstay != nil {
		add(pick("leave %s min after full", "%s min nach Ladeende weg"), t.number(s.Overstay.AfterMinutes))
	}
	if x := s.Window; x != nil {
		add(pick("other price %d–%d h", "anderer Preis %d–%d Uhr"), x.FromHour, x.ToHour)
	}
	if o := s.Outage; o != nil {
		add(pick("ports fail every %s days", "Ausfall alle %s Tage"), t.number(o.BetweenDays))
	}
	if len(parts) == 0 {
		parts = append(parts, pick("As it is", "Wie er ist"))
	}
	title := strings.Join(parts, ", ")
	if s.AtHorizon {
		title += pick(", at the horizon", ", am Horizont")
	}
	return title
}

// Promise says what is usually promised to drivers.
func Promise(l Language) string {
	if l == German {
		return fmt.Sprintf("zu den vollsten Stunden warten höchstens %.0f %% der Fahrer länger als %.0f Minuten oder fahren weiter", defaultPercent, defaultPromise)
	}
	return fmt.Sprintf("at the busiest hours at most %.0f %% of drivers wait longer than %.0f minutes or leave", defaultPercent, defaultPromise)
}
