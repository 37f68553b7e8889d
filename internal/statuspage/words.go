package statuspage

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// language is every word of the page in one language.
type language struct {
	Tag   string // of the lang attribute
	Own   string // the language's name for itself
	Other string // tag of the language to switch to

	Title, Skip, AllSites, Chargers, Ports, Footer, Simulated string
	SearchLabel, SearchHint, PlugLabel, PowerLabel, Any       string
	Search, Reset, NoMatch, NoSites, Previous, Next           string
	Directions, Opening, Notices, Until, Offer                string
	AsOf, Oldest, NotObserving, NoConnection, NoPorts         string
	FreeOf, OutOf                                             string
	Plug, Power, Free, NotSure, Charger, Port, Report, About  string
	UpTo, PlugUnknown, PowerUnknown, Since, Heard, ScanHint   string
	OpenAlways, OpenNow, OpenUntil, ClosedNow, ClosedUntil    string
	EveryDay, AllDay, Closed, Holidays, HolidaysDiffer, To    string
	Today, Tomorrow, JustNow, Ago, Page                       string
	NotFound, NotFoundHint, Busy, BusyHint                    string
	ReportTitle, ReportIntro, ReportKind, ReportText          string
	ReportTextHint, ReportSend, ReportDone, ReportChoose      string
	ReportTooLong, ReportTooMany, ReportNotStored, Leave      string
	Emergency, Unheard, StickersHidden                        string
	BusyTimes, BusyOf, UsuallyNow, Quiet, Lively, VeryBusy    string
	InUse, NotKnown, Hour, AsTable, OnArrival, InMinutes      string
	VeryLikely, Likely, Perhaps, Unlikely                     string

	Days [7]string // Monday first

	ShortDays [7]string
	Classes   [4]string // by fleet.PowerClass
	States    map[State]string
	// LastSeen says "last seen free" and the like.
	LastSeen   map[State]string
	Categories map[string]string
	Plugs      map[string]string
	Zones      map[string]string // short names of time zones that read otherwise
	Comma      string            // of decimals
	Clock      string            // behind a time of day
	Date       string            // layout
}

// languages lists what the page speaks, the first for who asks for none of them.
func languages() []*language { return []*language{english(), german()} }

func english() *language {
	return &language{
		Tag: "en", Own: "English", Other: "de",
		Title: "Charging status", Skip: "Skip to content", AllSites: "All sites", Chargers: "Charging sites", Ports: "Ports",
		Footer: "Public status of this charging network.", Simulated: "Demonstration: these chargers are simulated.",
		SearchLabel: "Search", SearchHint: "Town, street, name or number on the charger", PlugLabel: "Plug", PowerLabel: "Power", Any: "Any",
		Search: "Show", Reset: "Show all", NoMatch: "No site matches. Try fewer words or another plug.",
		NoSites: "No site is published yet.", Previous: "Previous", Next: "Next",
		Directions: "Directions", Opening: "Opening hours", Notices: "Notices", Until: "Until %s", Offer: "Free by plug and power",
		AsOf: "As of %s.", Oldest: "Data at most %s old.",
		NotObserving: "We cannot see the chargers right now. What stands here is from before and may have changed.",
		NoConnection: "No connection. What stands here is old.", FreeOf: "%d of %d free", OutOf: "%d of %d", NoPorts: "No ports yet",
		Plug: "Plug", Power: "Power", Free: "Free", NotSure: "%d not sure", Charger: "Charger %d", Port: "Port %d",
		Report: "Report a problem", About: "at %s", UpTo: "up to %s kW", PlugUnknown: "Plug unknown", PowerUnknown: "power unknown",
		Since: "since %s", Heard: "heard %s", ScanHint: "Scan for status and problems",
		OpenAlways: "Open now, around the clock", OpenNow: "Open now", OpenUntil: "Open now, closes %s",
		ClosedNow: "Closed now", ClosedUntil: "Closed now, opens %s",
		EveryDay: "Every day", AllDay: "24 hours", Closed: "closed", Holidays: "Public holidays", HolidaysDiffer: "May differ on public holidays.", To: "to",
		Today: "at %s", Tomorrow: "tomorrow at %s", JustNow: "just now", Ago: "%s ago", Page: "Page %d of %d",
		NotFound: "Nothing here", NotFoundHint: "This site or port does not exist, or is not published.",
		Busy: "Too many requests", BusyHint: "Please wait %s and try again.",
		ReportTitle: "Report a problem", ReportIntro: "Your report goes to the operator of this charger. Nobody can answer you here: please leave no name, number or address.",
		ReportKind: "What is wrong?", ReportText: "Anything to add? (optional)", ReportTextHint: "At most 500 characters.",
		ReportSend: "Send report", ReportDone: "Thank you. Your report has reached the operator.", ReportChoose: "Choose what is wrong.",
		ReportTooLong: "At most 500 characters, please.", ReportTooMany: "We have several reports from here already. Please wait %s before you send another.",
		ReportNotStored: "Your report could not be stored. Please try again in a minute.", Leave: "Leave this empty",
		Emergency: "Fire, smoke or bare wires? Keep away and call the emergency services first.", Unheard: "never heard from",
		StickersHidden: "This site is not published: the codes lead nowhere until it is.",
		BusyTimes:      "Busy times", BusyOf: "Share of ports usually in use on %s, by hour", UsuallyNow: "At this hour it is usually %s.",
		Quiet: "quiet", Lively: "moderately busy", VeryBusy: "busy", InUse: "usually %.0f %% in use", NotKnown: "not known yet",
		Hour: "Hour", AsTable: "As a table", OnArrival: "A free port when you arrive", InMinutes: "in %d min",
		VeryLikely: "very likely", Likely: "likely", Perhaps: "perhaps", Unlikely: "unlikely",
		ShortDays: [7]string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"},
		Days:      [7]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"},
		Classes:   [4]string{"up to 22 kW (AC)", "fast, below 150 kW", "very fast, 150 kW and more", "power unknown"},
		States: map[State]string{
			Free: "Free", Blocked: "In use next to it", Connected: "Car plugged in", Charging: "In use: charging", Paused: "In use: charging paused",
			Reserved: "Reserved", OutOfService: "Out of service", Faulted: "Out of order", Unknown: "Unknown",
		},
		LastSeen: map[State]string{
			Free: "last seen free %s", Blocked: "last seen in use %s", Connected: "last seen in use %s", Charging: "last seen in use %s",
			Paused: "last seen in use %s", Reserved: "last seen reserved %s", OutOfService: "last seen out of service %s",
			Faulted: "last seen out of order %s", Unknown: "last heard from %s",
		},
		Categories: map[string]string{
			"plug": "The plug does not fit", "start": "Charging does not start", "cable": "The cable or plug is damaged",
			"screen": "The screen is dead", "blocked": "A car blocks the place", "other": "Something else",
		},
		Plugs: map[string]string{
			"cCCS1": "CCS 1", "cCCS2": "CCS", "cG105": "CHAdeMO", "cTesla": "Tesla", "cType1": "Type 1 cable", "cType2": "Type 2 cable",
			"sType2": "Type 2 socket", "sType3": "Type 3 socket", "s309-1P-16A": "CEE blue 16 A", "s309-1P-32A": "CEE blue 32 A",
			"s309-3P-16A": "CEE red 16 A", "s309-3P-32A": "CEE red 32 A", "sBS1361": "UK socket", "sCEE-7-7": "Schuko",
			"wInductive": "Inductive", "wResonant": "Inductive",
		},
		Zones: map[string]string{"UTC": "UTC"}, Comma: ".", Clock: "%s", Date: "2 Jan 2006",
	}
}

func german() *language {
	return &language{
		Tag: "de", Own: "Deutsch", Other: "en",
		Title: "Ladestatus", Skip: "Zum Inhalt", AllSites: "Alle Standorte", Chargers: "Ladestandorte", Ports: "Ladepunkte",
		Footer: "Öffentlicher Status dieses Ladenetzes.", Simulated: "Vorführung: Diese Ladesäulen sind simuliert.",
		SearchLabel: "Suche", SearchHint: "Ort, Straße, Name oder Nummer auf der Säule", PlugLabel: "Stecker", PowerLabel: "Leistung", Any: "Alle",
		Search: "Anzeigen", Reset: "Alle anzeigen", NoMatch: "Kein Standort passt. Weniger Wörter oder einen anderen Stecker versuchen.",
		NoSites: "Noch ist kein Standort veröffentlicht.", Previous: "Zurück", Next: "Weiter",
		Directions: "Route", Opening: "Öffnungszeiten", Notices: "Hinweise", Until: "Bis %s", Offer: "Frei nach Stecker und Leistung",
		AsOf: "Stand %s.", Oldest: "Daten höchstens %s alt.",
		NotObserving: "Die Ladesäulen sind gerade nicht zu sehen. Was hier steht, ist von vorher und kann sich geändert haben.",
		NoConnection: "Keine Verbindung. Was hier steht, ist alt.", FreeOf: "%d von %d frei", OutOf: "%d von %d", NoPorts: "Noch keine Ladepunkte",
		Plug: "Stecker", Power: "Leistung", Free: "Frei", NotSure: "%d unsicher", Charger: "Ladesäule %d", Port: "Ladepunkt %d",
		Report: "Problem melden", About: "an %s", UpTo: "bis %s kW", PlugUnknown: "Stecker unbekannt", PowerUnknown: "Leistung unbekannt",
		Since: "seit %s", Heard: "gehört %s", ScanHint: "Scannen: Status und Probleme",
		OpenAlways: "Jetzt offen, rund um die Uhr", OpenNow: "Jetzt offen", OpenUntil: "Jetzt offen, schließt %s",
		ClosedNow: "Jetzt geschlossen", ClosedUntil: "Jetzt geschlossen, öffnet %s",
		EveryDay: "Täglich", AllDay: "rund um die Uhr", Closed: "geschlossen", Holidays: "Feiertage", HolidaysDiffer: "An Feiertagen eventuell anders.", To: "bis",
		Today: "um %s", Tomorrow: "morgen um %s", JustNow: "gerade eben", Ago: "vor %s", Page: "Seite %d von %d",
		NotFound: "Hier ist nichts", NotFoundHint: "Diesen Standort oder Ladepunkt gibt es nicht, oder er ist nicht veröffentlicht.",
		Busy: "Zu viele Anfragen", BusyHint: "Bitte %s warten und noch einmal versuchen.",
		ReportTitle: "Problem melden", ReportIntro: "Die Meldung geht an den Betreiber dieser Ladesäule. Antworten kann hier niemand: bitte keinen Namen, keine Nummer und keine Adresse hinterlassen.",
		ReportKind: "Was stimmt nicht?", ReportText: "Noch etwas dazu? (freiwillig)", ReportTextHint: "Höchstens 500 Zeichen.",
		ReportSend: "Meldung senden", ReportDone: "Danke. Die Meldung ist beim Betreiber angekommen.", ReportChoose: "Bitte auswählen, was nicht stimmt.",
		ReportTooLong: "Bitte höchstens 500 Zeichen.", ReportTooMany: "Von hier liegen schon mehrere Meldungen vor. Bitte %s warten, dann geht die nächste.",
		ReportNotStored: "Die Meldung konnte nicht gespeichert werden. Bitte in einer Minute noch einmal versuchen.", Leave: "Dieses Feld leer lassen",
		Emergency: "Feuer, Rauch oder blanke Drähte? Abstand halten und zuerst den Notruf wählen.", Unheard: "noch nie gehört",
		StickersHidden: "Dieser Standort ist nicht veröffentlicht: Die Codes führen bis dahin ins Leere.",
		BusyTimes:      "Stoßzeiten", BusyOf: "Anteil der Ladepunkte, die am %s üblicherweise belegt sind, nach Stunde", UsuallyNow: "Um diese Zeit ist hier meist %s.",
		Quiet: "wenig los", Lively: "einiges los", VeryBusy: "viel los", InUse: "meist %.0f %% belegt", NotKnown: "noch nicht bekannt",
		Hour: "Stunde", AsTable: "Als Tabelle", OnArrival: "Freier Ladepunkt bei Ankunft", InMinutes: "in %d min",
		VeryLikely: "sehr wahrscheinlich", Likely: "wahrscheinlich", Perhaps: "vielleicht", Unlikely: "unwahrscheinlich",
		ShortDays: [7]string{"Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"},
		Days:      [7]string{"Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"},
		Classes:   [4]string{"bis 22 kW (AC)", "schnell, unter 150 kW", "sehr schnell, ab 150 kW", "Leistung unbekannt"},
		States: map[State]string{
			Free: "Frei", Blocked: "Nebenan belegt", Connected: "Auto angesteckt", Charging: "Belegt: lädt", Paused: "Belegt: Laden pausiert",
			Reserved: "Reserviert", OutOfService: "Außer Betrieb", Faulted: "Defekt", Unknown: "Unbekannt",
		},
		LastSeen: map[State]string{
			Free: "zuletzt %s frei", Blocked: "zuletzt %s belegt", Connected: "zuletzt %s belegt", Charging: "zuletzt %s belegt",
			Paused: "zuletzt %s belegt", Reserved: "zuletzt %s reserviert", OutOfService: "zuletzt %s außer Betrieb",
			Faulted: "zuletzt %s defekt", Unknown: "zuletzt %s gehört",
		},
		Categories: map[string]string{
			"plug": "Der Stecker passt nicht", "start": "Das Laden startet nicht", "cable": "Kabel oder Stecker ist beschädigt",
			"screen": "Der Bildschirm ist dunkel", "blocked": "Ein Auto blockiert den Platz", "other": "Etwas anderes",
		},
		Plugs: map[string]string{
			"cCCS1": "CCS 1", "cCCS2": "CCS", "cG105": "CHAdeMO", "cTesla": "Tesla", "cType1": "Typ 1 Kabel", "cType2": "Typ 2 Kabel",
			"sType2": "Typ 2 Dose", "sType3": "Typ 3 Dose", "s309-1P-16A": "CEE blau 16 A", "s309-1P-32A": "CEE blau 32 A",
			"s309-3P-16A": "CEE rot 16 A", "s309-3P-32A": "CEE rot 32 A", "sBS1361": "Britische Steckdose", "sCEE-7-7": "Schuko",
			"wInductive": "Induktiv", "wResonant": "Induktiv",
		},
		Zones: map[string]string{"CET": "MEZ", "CEST": "MESZ", "UTC": "UTC"}, Comma: ",", Clock: "%s Uhr", Date: "2.1.2006",
	}
}

// choose picks the language of a request: what its address says, else what the
// browser prefers. chosen reports that the address said so.
func choose(all []*language, asked, accept string) (l *language, chosen bool) {
	for _, l := range all {
		if l.Tag == asked {
			return l, true
		}
	}
	best, weight := all[0], 0.0
	if len(accept) > 1000 {
		accept = accept[:1000]
	}
	for item := range strings.SplitSeq(accept, ",") {
		tag, params, _ := strings.Cut(item, ";")
		q := 1.0
		if value, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(value, 64); err != nil {
				continue
			}
		}
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		for _, l := range all {
			if l.Tag == primary && q > weight {
				best, weight = l, q
			}
		}
	}
	return best, false
}

// plug names a connector type; one without a word stays as it is written.
func (l *language) plug(kind string) string {
	if word, ok := l.Plugs[kind]; ok {
		return word
	}
	if kind == "" || strings.EqualFold(kind, "Unknown") || strings.EqualFold(kind, "Undetermined") {
		return l.PlugUnknown
	}
	return cut(kind, 30)
}

// kilowatts is a power in words.
func (l *language) kilowatts(w float64) string {
	text := strconv.FormatFloat(w/1000, 'f', 1, 64)
	return fmt.Sprintf(l.UpTo, strings.ReplaceAll(strings.TrimSuffix(text, ".0"), ".", l.Comma))
}

// long is a length of time: the greatest unit, as people say it.
func (l *language) long(d time.Duration) string {
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(max(d, 0)/time.Second)) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	default:
		return strconv.Itoa(int(d/time.Hour)) + " h"
	}
}

// ago is how long something is past: relative within a day, absolute after.
func (l *language) ago(now, then time.Time) string {
	d := now.Sub(then)
	switch {
	case d < time.Second:
		return l.JustNow
	case d < 24*time.Hour:
		return fmt.Sprintf(l.Ago, l.long(d))
	}
	return l.day(then.In(now.Location()))
}

// clock is a time of day with its zone.
func (l *language) clock(t time.Time, layout string) string {
	return fmt.Sprintf(l.Clock, t.Format(layout)) + " " + l.zone(t)
}

func (l *language) zone(t time.Time) string {
	name, _ := t.Zone()
	if word, ok := l.Zones[name]; ok {
		return word
	}
	if name == "" || name[0] == '+' || name[0] == '-' {
		return "UTC" + name
	}
	return name
}

// day is a date with the time of day.
func (l *language) day(t time.Time) string { return t.Format(l.Date + " 15:04") }

// since is when something began: the time alone if that was within a day.
func (l *language) since(now, then time.Time) string {
	if now.Sub(then) < 24*time.Hour {
		return fmt.Sprintf(l.Since, then.In(now.Location()).Format("15:04")) + " (" + l.long(now.Sub(then)) + ")"
	}
	return fmt.Sprintf(l.Since, l.day(then.In(now.Location())))
}

// opens says in words whether a place is open.
func (l *language) opens(s *schedule, now time.Time) (text string, open bool) {
	x := s.at(now)
	switch {
	case x.open && x.change.IsZero():
		return l.OpenAlways, true
	case x.open:
		return fmt.Sprintf(l.OpenUntil, l.closes(now, x.change)), true
	case x.change.IsZero():
		return l.ClosedNow, false
	}
	return fmt.Sprintf(l.ClosedUntil, l.when(now, x.change)), false
}

// closes names the moment a place closes; midnight belongs to the day before.
func (l *language) closes(now, t time.Time) string {
	if t.Hour() != 0 || t.Minute() != 0 {
		return l.when(now, t)
	}
	return strings.Replace(l.when(now, t.Add(-time.Minute)), "23:59", "24:00", 1)
}

// when names a moment of the next days.
func (l *language) when(now, t time.Time) string {
	at := fmt.Sprintf(l.Clock, t.Format("15:04"))
	y, m, d := now.Date()
	switch ty, tm, td := t.Date(); {
	case ty == y && tm == m && td == d:
		return fmt.Sprintf(l.Today, at)
	case t.Before(time.Date(y, m, d+2, 0, 0, 0, 0, now.Location())):
		return fmt.Sprintf(l.Tomorrow, at)
	}
	return l.Days[(int(t.Weekday())+6)%7] + " " + at
}

// hoursRow is one line of a week.
type hoursRow struct{ Days, Times string }

// hours writes a week with days of the same hours together.
func (l *language) hours(s *schedule) []hoursRow {
	times := func(spans []span) string {
		if len(spans) == 0 {
			return l.Closed
		}
		if len(spans) == 1 && spans[0] == (span{0, dayMinutes}) {
			return l.AllDay
		}
		var parts []string
		for _, x := range spans {
			to := x.to
			if to > dayMinutes {
				to -= dayMinutes
			}
			parts = append(parts, fmt.Sprintf("%02d:%02d–%02d:%02d", x.from/60, x.from%60, to/60, to%60))
		}
		return fmt.Sprintf(l.Clock, strings.Join(parts, ", "))
	}
	var rows []hoursRow
	for d := 0; d < 7; {
		from, same := d, times(s.days[d])
		for d < 7 && times(s.days[d]) == same {
			d++
		}
		days := l.Days[from]
		switch {
		case from == 0 && d == 7:
			days = l.EveryDay
		case d-from == 2:
			days += ", " + l.Days[d-1]
		case d-from > 2:
			days += " " + l.To + " " + l.Days[d-1]
		}
		rows = append(rows, hoursRow{days, same})
	}
	if s.holidays != nil {
		rows = append(rows, hoursRow{l.Holidays, times(*s.holidays)})
	}
	return rows
}

// cut shortens a text to so many characters.
func cut(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}
