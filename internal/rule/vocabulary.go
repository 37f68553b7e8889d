package rule

import (
	"github.com/chargewatch/chargewatch/internal/event"
)

// Vocabulary is what rules may say, for editors.
type Vocabulary struct {
	Variables []Variable `json:"variables"`
	Functions []Function `json:"functions"`
	Kinds     []Followed `json:"kinds"`
	Limits    Limits     `json:"limits"`
}

// Variable is one thing that a rule can look at.
type Variable struct {
	Name   string  `json:"name"`
	Fields []Value `json:"fields"`
}

// Value is one value of it.
type Value struct {
	Name  string       `json:"name" doc:"as an expression names it: port.status"`
	Type  string       `json:"type"`
	Unit  string       `json:"unit"`
	Kinds []event.Kind `json:"kinds" doc:"known after these only; empty: always, as far as anybody knows"`
	Fact  bool         `json:"fact" doc:"a finding can carry it"`
	Words Words        `json:"words"`
}

// Words say what something is, by language.
type Words struct {
	EN string `json:"en"`
	DE string `json:"de"`
}

// Function is something that an expression can do.
type Function struct {
	Example string `json:"example"`
	Words   Words  `json:"words"`
}

// Followed is a kind of event that a rule can follow.
type Followed struct {
	Kind  event.Kind `json:"kind"`
	Words Words      `json:"words"`
}

// Limits bound a rule.
type Limits struct {
	Characters int `json:"characters" doc:"of an expression"`
	Cost       int `json:"cost" doc:"steps of one evaluation"`
	Rules      int `json:"rules"`
	Facts      int `json:"facts"`
}

// Vocabulary tells what rules may say.
func (l *Language) Vocabulary() Vocabulary {
	v := Vocabulary{Functions: functions(), Kinds: followed(), Limits: Limits{Characters: maxText, Cost: maxCost, Rules: MaxRules, Facts: maxFacts}}
	for _, name := range objects() {
		one := Variable{Name: name}
		for i := range l.fields {
			f := &l.fields[i]
			if f.of != name {
				continue
			}
			kinds := f.kinds
			if kinds == nil {
				kinds = []event.Kind{}
			}
			one.Fields = append(one.Fields, Value{Name: f.path(), Type: f.typ.String(), Unit: f.unit, Kinds: kinds, Fact: !f.list(), Words: Words{f.en, f.de}})
		}
		v.Variables = append(v.Variables, one)
	}
	return v
}

func functions() []Function {
	return []Function{
		{`port.status == "Faulted" && !port.free`, Words{"equal, and, not; also !=, ||, <, <=, >, >=", "gleich, und, nicht; auch !=, ||, <, <=, >, >="}},
		{`event.status in ["Faulted", "Unavailable"]`, Words{"is one of a list", "steht in einer Liste"}},
		{`event.info.contains("relay")`, Words{"contains a text; also startsWith, endsWith, size", "enthält einen Text; auch startsWith, endsWith, size"}},
		{`event.vendorCode.matches("^E[0-9]+$")`, Words{"fits a pattern (RE2), which stands in the rule", "passt zu einem Muster (RE2), das in der Regel steht"}},
		{`has(port.socPercent)`, Words{"the value is known", "der Wert ist bekannt"}},
		{`event.values["Temperature"] > 80.0`, Words{"a measured value by its name", "ein Messwert nach seinem Namen"}},
		{`"D01" in station.conditions`, Words{"a list contains it", "eine Liste enthält es"}},
		{`port.conditions.exists(c, c.startsWith("D0"))`, Words{"one of a list does; also all", "eines der Liste tut es; auch all"}},
		{`port.powerW < 0.3 * port.ratedW`, Words{"arithmetic; numbers with a unit are written as decimals", "Rechnen; Zahlen mit Einheit als Dezimalzahl schreiben"}},
		{`double(event.value) > 70.0`, Words{"text as a number; also int, string", "Text als Zahl; auch int, string"}},
		{`event.at.getHours("Europe/Berlin") < 6`, Words{"the hour in a time zone; also getDayOfWeek", "die Stunde in einer Zeitzone; auch getDayOfWeek"}},
		{`port.charging ? session.seconds > 60.0 : false`, Words{"if, then, else", "wenn, dann, sonst"}},
	}
}

func followed() []Followed {
	words := map[event.Kind]Words{
		event.KindStatus: {"a connector told its state", "ein Stecker meldete seinen Zustand"}, event.KindMeter: {"measurements", "Messwerte"},
		event.KindTransaction: {"a transaction began, went on or ended", "eine Transaktion begann, lief weiter oder endete"},
		KindAttempt:           {"a try to charge ended", "ein Ladeversuch endete"}, event.KindAuthorize: {"a token was shown", "ein Token wurde gezeigt"},
		event.KindComponent: {"a component of OCPP 2.x told something", "eine Komponente nach OCPP 2.x meldete etwas"},
		event.KindConnected: {"a station connected", "eine Station verband sich"}, event.KindDisconnected: {"a station was disconnected", "eine Station wurde getrennt"},
		event.KindBoot: {"a station booted", "eine Station startete"}, event.KindSecurity: {"a security event", "ein Sicherheitsereignis"},
		event.KindFirmware: {"a step of a firmware update", "ein Schritt einer Firmware-Aktualisierung"}, event.KindLog: {"a step of a log upload", "ein Schritt eines Protokoll-Uploads"},
		event.KindDataTransfer: {"a vendor's own message", "eine herstellereigene Nachricht"}, event.KindReservation: {"a reservation changed", "eine Reservierung änderte sich"},
		event.KindMessage: {"any other OCPP message", "eine andere OCPP-Nachricht"}, event.KindCommand: {"a command was sent", "ein Befehl wurde gesendet"},
		event.KindCommandResult: {"a command was answered", "ein Befehl wurde beantwortet"}, event.KindSessionInferred: {"a session ended without being told", "ein Ladevorgang endete ungemeldet"},
		event.KindFinding: {"the server noted something odd about a station", "der Server bemerkte etwas Auffälliges an einer Station"}, event.KindDriverReport: {"a driver told of a problem", "ein Fahrer meldete ein Problem"},
		event.KindConfigured: {"a station's settings in the network changed", "die Einstellungen einer Station im Netz änderten sich"}, event.KindServerStarted: {"this server started", "dieser Server startete"},
	}
	out := make([]Followed, 0, len(words))
	for _, k := range Kinds() {
		out = append(out, Followed{k, words[k]})
	}
	return out
}
