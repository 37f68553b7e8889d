package rule

import (
	"slices"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
)

func atStation(get func(*scene, *detect.Station) (any, bool)) func(*scene) (any, bool) {
	return func(s *scene) (any, bool) {
		if s.st == nil {
			return nil, false
		}
		return get(s, s.st)
	}
}

func atPort(get func(*scene, *detect.Port) (any, bool)) func(*scene) (any, bool) {
	return func(s *scene) (any, bool) {
		if s.port == nil {
			return nil, false
		}
		return get(s, s.port)
	}
}

func inSession(get func(*scene, *detect.Transaction) (any, bool)) func(*scene) (any, bool) {
	return func(s *scene) (any, bool) {
		if s.port == nil || s.port.Tx == nil {
			return nil, false
		}
		return get(s, s.port.Tx)
	}
}

func tried(get func(*attempt.Attempt) (any, bool)) func(*scene) (any, bool) {
	return func(s *scene) (any, bool) {
		if s.try == nil {
			return nil, false
		}
		return get(s.try)
	}
}

func live(get func(*fleet.Live) *float64) func(*scene) (any, bool) {
	return inSession(func(_ *scene, t *detect.Transaction) (any, bool) { return known(get(&t.Live)) })
}

func of(name string, list []field) []field {
	for i := range list {
		list[i].of = name
	}
	return list
}

// told is the fault that a port tells of; an empty one if it tells of none.
func told(p *detect.Port) detect.Fault {
	if p.Fault == nil {
		return detect.Fault{}
	}
	return *p.Fault
}

func portFields() []field {
	return of("port", []field{
		{name: "evse", typ: whole, en: "its number", de: "seine Nummer",
			get: atPort(func(_ *scene, p *detect.Port) (any, bool) { return int64(p.EVSE), true })},
		{name: "status", typ: text, en: "Available, Preparing, Charging, SuspendedEV, SuspendedEVSE, Finishing, Reserved, Unavailable, Faulted or Unknown",
			de:  "Available, Preparing, Charging, SuspendedEV, SuspendedEVSE, Finishing, Reserved, Unavailable, Faulted oder Unknown",
			get: atPort(func(_ *scene, p *detect.Port) (any, bool) { return p.Status.String(), true })},
		{name: "statusSeconds", typ: number, unit: "s", en: "for how long it has had that status", de: "wie lange es schon in diesem Zustand ist",
			get: atPort(func(s *scene, p *detect.Port) (any, bool) { return since(s.now, p.Since.Time()) })},
		{name: "free", typ: truth, en: "a driver could start here now", de: "hier könnte jetzt jemand laden",
			get: atPort(func(s *scene, p *detect.Port) (any, bool) { return s.st.Free(p), true })},
		{name: "charging", typ: truth, en: "a session runs here", de: "hier läuft ein Ladevorgang",
			get: atPort(func(_ *scene, p *detect.Port) (any, bool) { return p.Tx != nil, true })},
		{name: "faultCode", typ: text, en: "the error code it told last, empty for none", de: "zuletzt gemeldeter Fehlercode, leer für keinen",
			get: atPort(func(_ *scene, p *detect.Port) (any, bool) { return clip(told(p).Code), true })},
		{name: "vendorCode", typ: text, en: "the vendor's code beside it", de: "Herstellercode dazu",
			get: atPort(func(_ *scene, p *detect.Port) (any, bool) { return clip(told(p).VendorCode), true })},
		{name: "faultInfo", typ: text, en: "the text beside it", de: "Text dazu",
			get: atPort(func(_ *scene, p *detect.Port) (any, bool) { return clip(told(p).Info), true })},
		{name: "faultSeconds", typ: number, unit: "s", en: "for how long it has told of that fault", de: "wie lange dieser Fehler schon gemeldet ist",
			get: atPort(func(s *scene, p *detect.Port) (any, bool) { return since(s.now, told(p).Since.Time()) })},
		{name: "ratedW", typ: number, unit: "W", en: "rated power", de: "Nennleistung",
			get: atPort(func(_ *scene, p *detect.Port) (any, bool) { return p.RatedW, p.RatedW > 0 })},
		{name: "current", typ: text, en: "AC or DC", de: "AC oder DC",
			get: atPort(func(_ *scene, p *detect.Port) (any, bool) { return word(p.Current) })},
		{name: "plug", typ: text, en: "the type of its plug", de: "Steckertyp",
			get: atPort(func(_ *scene, p *detect.Port) (any, bool) { return word(p.Plug) })},
		{name: "powerW", typ: number, unit: "W", en: "measured power of the running session", de: "gemessene Leistung des laufenden Ladevorgangs",
			get: live(func(l *fleet.Live) *float64 { return l.PowerW })},
		{name: "offeredW", typ: number, unit: "W", en: "power offered to the car", de: "dem Fahrzeug angebotene Leistung",
			get: live(func(l *fleet.Live) *float64 { return l.OfferedW })},
		{name: "currentA", typ: number, unit: "A", en: "measured current", de: "gemessener Strom",
			get: live(func(l *fleet.Live) *float64 { return l.CurrentA })},
		{name: "voltageV", typ: number, unit: "V", en: "measured voltage", de: "gemessene Spannung",
			get: live(func(l *fleet.Live) *float64 { return l.VoltageV })},
		{name: "socPercent", typ: number, unit: "%", en: "state of charge of the car", de: "Ladestand des Fahrzeugs",
			get: live(func(l *fleet.Live) *float64 { return l.SoC })},
		{name: "temperatureC", typ: number, unit: "°C", en: "measured temperature", de: "gemessene Temperatur",
			get: live(func(l *fleet.Live) *float64 { return l.TempC })},
		{name: "sinceSessionSeconds", typ: number, unit: "s", en: "since the last session ended", de: "seit dem Ende des letzten Ladevorgangs",
			get: atPort(func(s *scene, p *detect.Port) (any, bool) { return since(s.now, p.EndedAt.Time()) })},
		{name: "sinceChargeSeconds", typ: number, unit: "s", en: "since the last session with energy ended",
			de:  "seit dem Ende des letzten Ladevorgangs mit Energie",
			get: atPort(func(s *scene, p *detect.Port) (any, bool) { return since(s.now, p.ChargedAt.Time()) })},
		{name: "conditions", typ: words, en: "codes of what detectors hold against it now", de: "Codes dessen, was Detektoren gerade bemängeln",
			get: atPort(func(s *scene, p *detect.Port) (any, bool) { return open(s.st, p.EVSE), true })},
	})
}

// maxOpen bounds the codes an expression is given.
const maxOpen = 64

func open(st *detect.Station, evse int) []string {
	out := []string{}
	for i := range st.Open {
		if st.Open[i].EVSE == evse && len(out) < maxOpen {
			out = append(out, st.Open[i].Code)
		}
	}
	slices.Sort(out)
	return out
}

func sessionFields() []field {
	return of("session", []field{
		{name: "seconds", typ: number, unit: "s", en: "for how long it has run", de: "wie lange er schon läuft",
			get: inSession(func(s *scene, t *detect.Transaction) (any, bool) { return since(s.now, t.StartedAt) })},
		{name: "energyWh", typ: number, unit: "Wh", en: "energy so far", de: "bisherige Energie",
			get: inSession(func(_ *scene, t *detect.Transaction) (any, bool) { return t.EnergyWh, true })},
		{name: "peakW", typ: number, unit: "W", en: "highest power so far", de: "bisher höchste Leistung",
			get: inSession(func(_ *scene, t *detect.Transaction) (any, bool) { return t.PeakW, true })},
		{name: "transactionId", typ: text, en: "what the station calls it", de: "wie die Station ihn nennt",
			get: inSession(func(_ *scene, t *detect.Transaction) (any, bool) { return word(t.ID) })},
		{name: "token", typ: text, en: "opaque id of the token", de: "undurchsichtige Kennung des Tokens",
			get: inSession(func(_ *scene, t *detect.Transaction) (any, bool) { return word(t.Token) })},
		{name: "chargingState", typ: text, en: "charging state of OCPP 2.x", de: "Ladezustand nach OCPP 2.x",
			get: inSession(func(_ *scene, t *detect.Transaction) (any, bool) { return word(t.State) })},
	})
}

func attemptFields() []field {
	list := of("attempt", []field{
		{name: "failed", typ: truth, en: "less than 0.1 kWh came of it", de: "es kamen weniger als 0,1 kWh zustande",
			get: tried(func(a *attempt.Attempt) (any, bool) { return a.Failed, true })},
		{name: "reason", typ: text, en: "why it went no further, empty if it worked", de: "woran es scheiterte, leer bei Erfolg",
			get: tried(func(a *attempt.Attempt) (any, bool) { return string(a.Reason), true })},
		{name: "cutShort", typ: text, en: "what ended a charge that nobody wanted to end, empty for nothing",
			de:  "was einen Ladevorgang ungewollt beendete, leer für nichts",
			get: tried(func(a *attempt.Attempt) (any, bool) { return string(a.CutShort), true })},
		{name: "stage", typ: text, en: "how far it came: presented, plugged, authorised, locked or energy",
			de:  "wie weit es kam: presented, plugged, authorised, locked oder energy",
			get: tried(func(a *attempt.Attempt) (any, bool) { return string(a.Stage), true })},
		{name: "step", typ: text, en: "the step that failed: plug, authorise, lock, cableCheck, energy or end",
			de:  "der gescheiterte Schritt: plug, authorise, lock, cableCheck, energy oder end",
			get: tried(func(a *attempt.Attempt) (any, bool) { return string(a.FailedStep()), true })},
		{name: "side", typ: text, en: "whose matter it is: charger, driver, vehicle, backend, network or unknown",
			de:  "wessen Sache es ist: charger, driver, vehicle, backend, network oder unknown",
			get: tried(func(a *attempt.Attempt) (any, bool) { return string(a.Side), true })},
		{name: "code", typ: text, en: "the error code the port told meanwhile", de: "Fehlercode, den der Ladepunkt dabei meldete",
			get: tried(func(a *attempt.Attempt) (any, bool) { return clip(a.Code), true })},
		{name: "detail", typ: text, en: "the station's word behind the reason", de: "das Wort der Station hinter dem Grund",
			get: tried(func(a *attempt.Attempt) (any, bool) { return clip(a.Detail), true })},
		{name: "energyWh", typ: number, unit: "Wh", en: "energy of it", de: "Energie daraus",
			get: tried(func(a *attempt.Attempt) (any, bool) { return known(a.EnergyWh) })},
		{name: "seconds", typ: number, unit: "s", en: "how long it took", de: "wie lange es dauerte",
			get: tried(func(a *attempt.Attempt) (any, bool) {
				if a.EndsAt.IsZero() {
					return nil, false
				}
				return since(a.EndsAt, a.At)
			})},
		{name: "token", typ: text, en: "opaque id of the token", de: "undurchsichtige Kennung des Tokens",
			get: tried(func(a *attempt.Attempt) (any, bool) { return word(a.Token) })},
		{name: "tries", typ: whole, en: "how often the token was shown", de: "wie oft der Token gezeigt wurde",
			get: tried(func(a *attempt.Attempt) (any, bool) { return int64(a.Tries), true })},
		{name: "remote", typ: truth, en: "it was asked for from afar", de: "aus der Ferne angestoßen",
			get: tried(func(a *attempt.Attempt) (any, bool) { return a.Remote, true })},
	})
	for i := range list {
		list[i].kinds = []event.Kind{KindAttempt}
	}
	return list
}

func stationFields() []field {
	return of("station", []field{
		{name: "id", typ: text, en: "its OCPP identity", de: "ihre OCPP-Kennung",
			get: atStation(func(_ *scene, st *detect.Station) (any, bool) { return clip(st.ID), true })},
		{name: "label", typ: text, en: "what people call it", de: "ihr Name",
			get: atStation(func(_ *scene, st *detect.Station) (any, bool) { return word(st.Label) })},
		{name: "vendor", typ: text, en: "who made it", de: "Hersteller",
			get: atStation(func(_ *scene, st *detect.Station) (any, bool) { return word(st.Vendor) })},
		{name: "model", typ: text, en: "its model", de: "Modell",
			get: atStation(func(_ *scene, st *detect.Station) (any, bool) { return word(st.Model) })},
		{name: "firmware", typ: text, en: "its firmware", de: "Firmware",
			get: atStation(func(_ *scene, st *detect.Station) (any, bool) { return word(st.Firmware) })},
		{name: "protocol", typ: text, en: "ocpp1.6, ocpp2.0.1 or ocpp2.1", de: "ocpp1.6, ocpp2.0.1 oder ocpp2.1",
			get: atStation(func(_ *scene, st *detect.Station) (any, bool) { return word(st.Protocol) })},
		{name: "carrier", typ: text, en: "who issued its SIM, as the head of the card's number", de: "Herausgeber ihrer SIM, als Anfang der Kartennummer",
			get: atStation(func(_ *scene, st *detect.Station) (any, bool) { return word(st.Carrier) })},
		{name: "online", typ: truth, en: "it is connected", de: "sie ist verbunden",
			get: atStation(func(_ *scene, st *detect.Station) (any, bool) { return st.Online, true })},
		{name: "offlineSeconds", typ: number, unit: "s", en: "for how long it has been offline, 0 while it is online",
			de: "wie lange sie schon getrennt ist, 0 solange verbunden",
			get: atStation(func(s *scene, st *detect.Station) (any, bool) {
				if st.Online {
					return 0.0, true
				}
				return since(s.now, st.LinkAt.Time())
			})},
		{name: "onlineSeconds", typ: number, unit: "s", en: "for how long it has been online, 0 while it is offline",
			de: "wie lange sie schon verbunden ist, 0 solange getrennt",
			get: atStation(func(s *scene, st *detect.Station) (any, bool) {
				if !st.Online {
					return 0.0, true
				}
				return since(s.now, st.LinkAt.Time())
			})},
		{name: "bootSeconds", typ: number, unit: "s", en: "since it last booted", de: "seit dem letzten Start",
			get: atStation(func(s *scene, st *detect.Station) (any, bool) { return since(s.now, st.BootAt.Time()) })},
		{name: "status", typ: text, en: "what it says of itself as a whole", de: "was sie über sich als Ganzes sagt",
			get: atStation(func(_ *scene, st *detect.Station) (any, bool) {
				return st.Own.Status.String(), !st.Own.HeardAt.IsZero()
			})},
		{name: "charging", typ: truth, en: "a session runs at any port", de: "an einem Ladepunkt läuft ein Ladevorgang",
			get: atStation(func(_ *scene, st *detect.Station) (any, bool) { return st.Charging(), true })},
		{name: "simulated", typ: truth, en: "it is simulated", de: "sie ist simuliert",
			get: atStation(func(_ *scene, st *detect.Station) (any, bool) { return st.Simulated, true })},
		{name: "conditions", typ: words, en: "codes of what detectors hold against it as a whole now",
			de:  "Codes dessen, was Detektoren gerade an ihr als Ganzes bemängeln",
			get: atStation(func(_ *scene, st *detect.Station) (any, bool) { return open(st, 0), true })},
	})
}

func siteFields() []field {
	sum := func(get func(*sums) int64) func(*scene) (any, bool) {
		return func(s *scene) (any, bool) {
			if s.site == "" || s.n == nil {
				return nil, false
			}
			if s.sum == nil {
				s.sum = sumOf(s.n, s.site)
			}
			return get(s.sum), true
		}
	}
	return of("site", []field{
		{name: "id", typ: text, en: "its id", de: "seine Kennung", get: func(s *scene) (any, bool) { return word(s.site) }},
		{name: "stations", typ: whole, en: "how many stations it has", de: "Zahl der Stationen", get: sum(func(x *sums) int64 { return x.stations })},
		{name: "online", typ: whole, en: "how many of them are online", de: "wie viele davon verbunden sind", get: sum(func(x *sums) int64 { return x.online })},
		{name: "ports", typ: whole, en: "how many ports it has", de: "Zahl der Ladepunkte", get: sum(func(x *sums) int64 { return x.ports })},
		{name: "freePorts", typ: whole, en: "how many could start a session now", de: "wie viele davon jetzt frei sind", get: sum(func(x *sums) int64 { return x.free })},
		{name: "chargingPorts", typ: whole, en: "how many have a session", de: "wie viele davon laden", get: sum(func(x *sums) int64 { return x.charging })},
		{name: "faultedPorts", typ: whole, en: "how many tell of a fault", de: "wie viele davon gestört sind", get: sum(func(x *sums) int64 { return x.faulted })},
	})
}

// sums count what is at a site.
type sums struct{ stations, online, ports, free, charging, faulted int64 }

func sumOf(n *detect.Network, site string) *sums {
	x := &sums{}
	for st := range n.Site(site) {
		x.stations++
		if st.Online {
			x.online++
		}
		for i := range st.Ports {
			p := &st.Ports[i]
			x.ports++
			if st.Free(p) {
				x.free++
			}
			if p.Tx != nil {
				x.charging++
			}
			if p.Status == fleet.Faulted {
				x.faulted++
			}
		}
	}
	return x
}
