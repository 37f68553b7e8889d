package past

import (
	"slices"
	"strings"
)

// Column is a column of a file.
type Column struct {
	Name     string
	Examples []string // its first values
}

// Form is what the beginning of a file shows.
type Form struct {
	Delimiter string
	Columns   []Column
	Rows      [][]string // the first ones
	Guess     Mapping
	// Zones are names of zones that times without an offset would be of: a person has to
	// say when there are none and times have no offset.
	NeedsZone bool

	comma   byte
	preface int // lines before the one that names the columns
	head    []string
	sample  [][]string
}

// spoken are names of columns as they come, by field: the ones that mean it exactly,
// then words that are part of a name. Earlier ones count more.
func spoken() map[Field][2][]string {
	return map[Field][2][]string{
		Site: {
			{"site", "site name", "sitename", "site id", "siteid", "location", "location name", "location id", "standort", "standortname", "standort name", "garage", "ladepark", "park", "car park", "cdr location name", "cdr location id", "parking lot", "facility", "property", "lieu", "nom du site", "site de recharge", "address", "adresse", "ort"},
			{"standort", "location", "site", "address"},
		},
		Station: {
			{"station id", "stationid", "station", "cp id", "cpid", "charge point", "charge point id", "chargepoint", "chargepoint id", "charge box id", "chargebox id", "chargeboxid", "charger id", "chargerid", "charger", "charging station", "charging station id", "station name", "ladestation", "ladesaule", "ladesaeule", "ladepunkt", "ladepunkt id", "ladestation id", "evse uid", "evse id", "evse", "evseid", "space", "spaceid", "space id", "id borne", "borne", "device", "device id", "charger name", "cdr location evse uid", "cdr location evse id", "serial number", "seriennummer", "post", "unit", "wallbox", "stationnummer"},
			{"station", "charger", "charge point", "chargepoint", "ladesaule", "ladestation", "borne"},
		},
		Port: {
			{"connector", "connector id", "connectorid", "connector number", "connector no", "evse", "evse id", "evseid", "port", "port number", "port id", "outlet", "plug", "socket", "stecker", "anschluss", "ladepunkt", "ladepunkt nr", "steckdose", "connecteur", "id connecteur borne", "cdr location connector id"},
			{"connector", "port number", "outlet", "anschluss"},
		},
		Start: {
			{"start utc", "started at", "startedat", "start", "start time", "start date time", "start date and time", "start datetime", "starttime", "start date", "startdate", "start local", "start at", "connection time", "connectiontime", "plug in", "plugin", "plug in time", "start plugin", "plugged in at", "session start", "session start time", "begin", "beginn", "startzeit", "startzeitpunkt", "start der ladung", "ladebeginn", "von", "transaction start", "transaction start time", "date demarrage", "date de debut", "debut", "created", "date"},
			{"start date", "start time", "startzeit", "beginn", "start"},
		},
		StartTime: {{"start time", "starttime", "startzeit", "uhrzeit start", "heure de debut", "start uhrzeit", "time"}, {"start time", "startzeit"}},
		End: {
			{"end utc", "ended at", "endedat", "end", "end time", "end date time", "end date and time", "end datetime", "endtime", "end date", "enddate", "end local", "end at", "stop", "stop time", "disconnect time", "disconnecttime", "plug out", "plugout", "plug out time", "end plugout", "unplugged at", "session end", "session end time", "ende", "endzeit", "endzeitpunkt", "ladeende", "bis", "transaction end", "transaction stop time", "date fin", "date de fin", "fin", "stopped at"},
			{"end date", "end time", "endzeit", "stop", "ende"},
		},
		EndTime: {{"end time", "endtime", "endzeit", "uhrzeit ende", "heure de fin", "ende uhrzeit"}, {"end time", "endzeit"}},
		Duration: {
			{"duration", "total duration", "duration s", "park duration", "parking duration", "total time", "dauer", "standzeit", "verbindungsdauer", "session duration", "connected time", "plug in duration", "plugged in duration", "plugin duration", "duree", "duree totale", "duree sec", "gesamtdauer", "steckzeit", "parkdauer"},
			{"total duration", "session duration", "duree totale"},
		},
		ChargingEnd:  {{"charging ended at", "chargingendedat", "charging end", "charging end utc", "done charging time", "donechargingtime", "end of charging", "ladevorgang ende", "charge end", "charging stopped at"}, {"charging end", "done charging"}},
		ChargingTime: {{"charging time", "charge duration", "charging duration", "charge time", "ladezeit", "ladedauer", "active charging time", "total charging time", "nettoladezeit"}, {"charging time", "charge duration", "ladedauer"}},
		Energy: {
			{"energy", "energy kwh", "energy wh", "energywh", "energykwh", "kwh", "total kwh", "total energy", "kwh delivered", "kwhdelivered", "energy delivered", "energy consumed", "delivered energy", "energie", "energie kwh", "energiemenge", "energiemenge kwh", "verbrauch", "verbrauch kwh", "verbrauchte energie", "geladene energie", "geladene kwh", "strommenge", "lademenge", "menge kwh", "consumption", "consommation", "consommation totale", "el kwh", "wh", "charged energy", "energy used", "total consumption"},
			{"kwh", "energy", "energie", "consommation", "verbrauch"},
		},
		PeakPower:  {{"peak power", "peak power kw", "peak kw", "peak w", "peakw", "peak", "max power", "max power kw", "maximum power", "spitzenleistung", "maximale leistung", "max leistung", "hochstleistung"}, {"max power", "peak power", "spitzenleistung"}},
		RatedPower: {{"rated power", "rated kw", "rated w", "ratedw", "nennleistung", "ladeleistung", "power", "power kw", "max charger power", "charger power", "model", "charger type", "charger model", "typ", "puissance", "leistung kw"}, {"rated power", "nennleistung", "model"}},
		Token:      {{"token", "user id", "userid", "user", "rfid", "rfid id", "rfid tag", "id tag", "idtag", "driver", "driver id", "auth id", "authentication id", "cdr token uid", "token uid", "uid", "card", "card id", "card number", "karte", "kartennummer", "ladekarte", "nutzer", "nutzer id", "kunde", "badge", "uuid badge", "credential", "contract id", "emaid", "account", "user name"}, {"user id", "rfid", "card", "karte", "badge", "token"}},
	}
}

// plain writes the name of a column so that spellings of it are the same.
func plain(name string) string {
	name = strings.NewReplacer("kWh", " kwh", "MWh", " mwh", "Wh", " wh", "kW", " kw").Replace(name)
	var b strings.Builder
	space := false
	put := func(c rune) {
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(c)
	}
	for i, c := range name {
		switch {
		case c >= 'A' && c <= 'Z':
			if i > 0 { // chargingEndedAt
				if prev := name[i-1]; prev >= 'a' && prev <= 'z' {
					space = true
				}
			}
			put(c + 32)
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			put(c)
		case strings.ContainsRune("äÄáàâÀ", c):
			put('a')
		case strings.ContainsRune("öÖóôø", c):
			put('o')
		case strings.ContainsRune("üÜúû", c):
			put('u')
		case strings.ContainsRune("éèêëÉ", c):
			put('e')
		case c == 'ß':
			put('s')
			put('s')
		case strings.ContainsRune("çÇ", c):
			put('c')
		case strings.ContainsRune("îíï", c):
			put('i')
		default:
			space = true
		}
	}
	return b.String()
}

// unitOf finds a unit in the name of a column.
func unitOf(name string, units func(string) (float64, bool)) (float64, bool) {
	words := strings.Fields(plain(name))
	for i := len(words) - 1; i > 0 || i == 0 && len(words) == 1; i-- {
		if u, ok := units(words[i]); ok {
			return u, true
		}
	}
	if strings.Contains(plain(name), "hh mm ss") {
		return 0, true
	}
	// energyWh, peakW
	low := strings.ToLower(name)
	for _, tail := range []string{"kwh", "mwh", "wh"} {
		if u, ok := units(tail); ok && strings.HasSuffix(low, tail) {
			return u, true
		}
	}
	return 0, false
}

// score is how well a name means a field; units and what stands in brackets count for
// nothing.
func score(name string, words [2][]string) int {
	forms := []string{plain(name)}
	for _, cut := range []string{" kwh", " wh", " kw", " s", " sec", " min", " hh mm ss", " h"} {
		if short, ok := strings.CutSuffix(forms[0], cut); ok {
			forms = append(forms, short)
		}
	}
	for _, f := range forms {
		if i := slices.Index(words[0], f); i >= 0 {
			return 1000 - i
		}
		if joined := strings.ReplaceAll(f, " ", ""); joined != f {
			if i := slices.IndexFunc(words[0], func(w string) bool { return strings.ReplaceAll(w, " ", "") == joined }); i >= 0 {
				return 990 - i
			}
		}
	}
	for i, w := range words[1] {
		if strings.Contains(" "+forms[0]+" ", " "+w+" ") {
			return 500 - i - len(forms[0])
		}
	}
	return 0
}

// guess finds which column holds what, by names and by what the first rows hold.
func guess(names []string, rows [][]string) map[Field]int {
	words := spoken()
	holds := func(column int, test func(string) bool) bool {
		all, good := 0, 0
		for _, r := range rows {
			if column >= len(r) || r[column] == "" {
				continue
			}
			if all++; test(r[column]) {
				good++
			}
		}
		return all > 0 && good*10 >= all*6 || len(rows) == 0
	}
	isDate := func(s string) bool { _, ok := parseStamp(s); return ok }
	isTime := func(s string) bool { _, ok := parseTimeOfDay(s); return ok }
	isNumber := func(s string) bool { v, _, ok := parseNumber(s, decimalOf([]string{s})); return ok && v == v }
	isDuration := func(s string) bool { _, ok := parseDuration(s, '.', 60); return ok }
	isPort := func(s string) bool { _, ok := portOf(s); return ok }
	fits := func(f Field, column int) bool {
		switch f {
		case Start, End, ChargingEnd:
			return holds(column, isDate)
		case StartTime, EndTime:
			return holds(column, isTime)
		case Duration, ChargingTime:
			return holds(column, isDuration) && !holds(column, isDate)
		case Energy, PeakPower:
			return holds(column, isNumber)
		case Port:
			return holds(column, isPort)
		case RatedPower, Site, Station, Token:
		}
		return holds(column, func(string) bool { return true })
	}
	out := make(map[Field]int)
	taken := make(map[int]bool)
	// Fields that are easily told apart come first, so that a column that could be two
	// things is the rarer one.
	for _, f := range []Field{Start, End, Energy, ChargingEnd, ChargingTime, Duration, Port, Station, Site, Token, PeakPower, RatedPower, StartTime, EndTime} {
		best, at := 0, -1
		for i, name := range names {
			if taken[i] || name == "" {
				continue
			}
			if s := score(name, words[f]); s > best && fits(f, i) {
				best, at = s, i
			}
		}
		if at < 0 {
			continue
		}
		if (f == StartTime || f == EndTime) && timed(rows, out, map[Field]Field{StartTime: Start, EndTime: End}[f]) {
			continue
		}
		out[f] = at
		taken[at] = true
	}
	unmix(out)
	return out
}

// timed reports whether the column of a field holds times of the day by itself.
func timed(rows [][]string, columns map[Field]int, f Field) bool {
	c, ok := columns[f]
	if !ok {
		return true
	}
	for _, r := range rows {
		if c < len(r) {
			if x, ok := parseStamp(r[c]); ok && x.timed && x.ms != 0 {
				return true
			}
		}
	}
	return false
}

// unmix puts right what names alone do not tell: what is called a port is the station,
// where nothing else is.
func unmix(out map[Field]int) {
	if p, ok := out[Port]; ok {
		if _, has := out[Station]; !has {
			out[Station] = p
			delete(out, Port)
		}
	}
}
