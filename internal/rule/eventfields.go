package rule

import (
	"encoding/json"

	"github.com/chargewatch/chargewatch/internal/event"
)

// body gives a value of an event of one kind.
func body[T event.Body](get func(T) (any, bool)) func(*scene) (any, bool) {
	return func(s *scene) (any, bool) {
		if s.e == nil {
			return nil, false
		}
		b, ok := s.e.Body.(T)
		if !ok {
			return nil, false
		}
		return get(b)
	}
}

// either asks one after the other.
func either(gets ...func(*scene) (any, bool)) func(*scene) (any, bool) {
	return func(s *scene) (any, bool) {
		for _, get := range gets {
			if v, ok := get(s); ok {
				return v, true
			}
		}
		return nil, false
	}
}

func item(get func(*event.ComponentEvent) (any, bool)) func(*scene) (any, bool) {
	return func(s *scene) (any, bool) {
		if s.item == nil {
			return nil, false
		}
		return get(s.item)
	}
}

func plain(data json.RawMessage) (any, bool) {
	var text string
	if json.Unmarshal(data, &text) == nil {
		return word(text)
	}
	return word(string(data))
}

func kinds(list ...event.Kind) []event.Kind { return list }

func eventFields() []field {
	const (
		status, meter, transaction, authorize   = event.KindStatus, event.KindMeter, event.KindTransaction, event.KindAuthorize
		component, security, firmware, upload   = event.KindComponent, event.KindSecurity, event.KindFirmware, event.KindLog
		boot, transfer, reservation, message    = event.KindBoot, event.KindDataTransfer, event.KindReservation, event.KindMessage
		command, result, inferred, finding      = event.KindCommand, event.KindCommandResult, event.KindSessionInferred, event.KindFinding
		connected, disconnected, driver, config = event.KindConnected, event.KindDisconnected, event.KindDriverReport, event.KindConfigured
	)
	list := []field{
		{name: "kind", typ: text, en: "what kind of event", de: "Art des Ereignisses", get: func(s *scene) (any, bool) {
			if s.try != nil {
				return string(KindAttempt), true
			}
			if s.e == nil {
				return nil, false
			}
			return string(s.e.Body.Kind()), true
		}},
		{name: "at", typ: moment, en: "when it happened", de: "wann es geschah", get: func(s *scene) (any, bool) {
			if s.e == nil {
				return nil, false
			}
			return s.e.At, true
		}},
		{name: "evse", typ: whole, en: "the port it names, 0 for the station", de: "der genannte Ladepunkt, 0 für die Station", get: func(s *scene) (any, bool) {
			if s.e == nil {
				return nil, false
			}
			if s.item != nil {
				return int64(s.item.EVSE), true
			}
			return int64(s.e.Subject.EVSE), true
		}},
		{name: "connector", typ: whole, en: "the plug it names, 0 for none", de: "der genannte Stecker, 0 für keinen", get: func(s *scene) (any, bool) {
			if s.e == nil {
				return nil, false
			}
			if s.item != nil {
				return int64(s.item.Connector), true
			}
			return int64(s.e.Subject.Connector), true
		}},
		{name: "origin", typ: text, en: "who spoke: station, upstream or us", de: "wer sprach: station, upstream oder us", get: func(s *scene) (any, bool) {
			if s.e == nil {
				return nil, false
			}
			return s.e.Origin.String(), true
		}},
		{name: "status", typ: text, en: "the reported state, in the station's words", de: "der gemeldete Zustand in den Worten der Station",
			kinds: kinds(status, authorize, firmware, upload, boot, transfer, reservation, result),
			get: either(body(func(b *event.Status) (any, bool) { return word(b.Status) }),
				body(func(b *event.Authorize) (any, bool) { return word(b.Status) }),
				body(func(b *event.Firmware) (any, bool) { return word(b.Status) }),
				body(func(b *event.Log) (any, bool) { return word(b.Status) }),
				body(func(b *event.Boot) (any, bool) { return word(b.Status) }),
				body(func(b *event.DataTransfer) (any, bool) { return word(b.Status) }),
				body(func(b *event.Reservation) (any, bool) { return word(b.Status) }),
				body(func(b *event.CommandResult) (any, bool) { return word(b.Status) }))},
		{name: "errorCode", typ: text, en: "the error code told with it; NoError is none", de: "der mitgeteilte Fehlercode; NoError ist keiner",
			kinds: kinds(status, result),
			get: either(body(func(b *event.Status) (any, bool) { return clip(b.ErrorCode), true }),
				body(func(b *event.CommandResult) (any, bool) { return clip(b.ErrorCode), true }))},
		{name: "info", typ: text, en: "free text beside the state", de: "freier Text zum Zustand", kinds: kinds(status),
			get: body(func(b *event.Status) (any, bool) { return clip(b.Info), true })},
		{name: "vendorCode", typ: text, en: "the vendor's own error code", de: "herstellereigener Fehlercode", kinds: kinds(status),
			get: body(func(b *event.Status) (any, bool) { return clip(b.VendorErrorCode), true })},
		{name: "vendorId", typ: text, en: "whose extension it is", de: "wessen Erweiterung es ist", kinds: kinds(status, transfer),
			get: either(body(func(b *event.Status) (any, bool) { return clip(b.VendorID), true }),
				body(func(b *event.DataTransfer) (any, bool) { return clip(b.VendorID), true }))},
		{name: "values", typ: numbers, en: "what was measured, by measurand and, after a slash, phase",
			de: "Messwerte nach Messgröße und, nach einem Schrägstrich, Phase", kinds: kinds(meter, transaction),
			get: either(body(func(b *event.Meter) (any, bool) { return measured(b.Samples), true }),
				body(func(b *event.Transaction) (any, bool) { return measured(b.Samples), true }))},
		{name: "stage", typ: text, en: "started, updated or ended", de: "started, updated oder ended", kinds: kinds(transaction),
			get: body(func(b *event.Transaction) (any, bool) { return string(b.Stage), true })},
		{name: "trigger", typ: text, en: "why it was told", de: "warum es gemeldet wurde", kinds: kinds(transaction, component),
			get: either(body(func(b *event.Transaction) (any, bool) { return clip(b.Trigger), true }),
				item(func(i *event.ComponentEvent) (any, bool) { return clip(i.Trigger), true }))},
		{name: "chargingState", typ: text, en: "charging state of OCPP 2.x", de: "Ladezustand nach OCPP 2.x", kinds: kinds(transaction),
			get: body(func(b *event.Transaction) (any, bool) { return word(b.ChargingState) })},
		{name: "reason", typ: text, en: "the reason that was given", de: "der genannte Grund",
			kinds: kinds(transaction, disconnected, boot, authorize, inferred),
			get: either(body(func(b *event.Transaction) (any, bool) { return clip(b.Reason), true }),
				body(func(b *event.Disconnected) (any, bool) { return clip(b.Reason), true }),
				body(func(b *event.Boot) (any, bool) { return clip(b.Reason), true }),
				body(func(b *event.Authorize) (any, bool) { return clip(b.Reason), true }),
				body(func(b *event.SessionInferred) (any, bool) { return clip(b.Evidence), true }))},
		{name: "tokenStatus", typ: text, en: "the decision about the token", de: "Entscheidung über den Token", kinds: kinds(transaction),
			get: body(func(b *event.Transaction) (any, bool) { return word(b.TokenStatus) })},
		{name: "offline", typ: truth, en: "it was told after the station had been offline", de: "nach einer Trennung nachgemeldet", kinds: kinds(transaction),
			get: body(func(b *event.Transaction) (any, bool) { return b.Offline, true })},
		{name: "meterWh", typ: number, unit: "Wh", en: "the energy register", de: "Stand des Energiezählers", kinds: kinds(transaction),
			get: body(func(b *event.Transaction) (any, bool) { return known(b.MeterWh) })},
		{name: "component", typ: text, en: "the component of OCPP 2.x", de: "Komponente nach OCPP 2.x", kinds: kinds(component),
			get: item(func(i *event.ComponentEvent) (any, bool) { return clip(i.Component), true })},
		{name: "instance", typ: text, en: "which of several such components", de: "welche von mehreren solchen Komponenten", kinds: kinds(component),
			get: item(func(i *event.ComponentEvent) (any, bool) { return clip(i.Instance), true })},
		{name: "variable", typ: text, en: "the variable of the component", de: "Variable der Komponente", kinds: kinds(component),
			get: item(func(i *event.ComponentEvent) (any, bool) { return clip(i.Variable), true })},
		{name: "value", typ: text, en: "what the variable became; double(event.value) makes it a number",
			de: "neuer Wert der Variable; double(event.value) macht daraus eine Zahl", kinds: kinds(component),
			get: item(func(i *event.ComponentEvent) (any, bool) { return clip(i.Value), true })},
		{name: "cleared", typ: truth, en: "the station says that it is over", de: "die Station meldet das Ende", kinds: kinds(component),
			get: item(func(i *event.ComponentEvent) (any, bool) { return i.Cleared, true })},
		{name: "level", typ: whole, en: "severity of OCPP 2.x, 0 is the worst", de: "Schwere nach OCPP 2.x, 0 ist am schlimmsten", kinds: kinds(component),
			get: item(func(i *event.ComponentEvent) (any, bool) {
				if i.Severity == nil {
					return nil, false
				}
				return int64(*i.Severity), true
			})},
		{name: "techCode", typ: text, en: "the vendor's code", de: "Code des Herstellers", kinds: kinds(component),
			get: item(func(i *event.ComponentEvent) (any, bool) { return clip(i.TechCode), true })},
		{name: "techInfo", typ: text, en: "the vendor's text", de: "Text des Herstellers", kinds: kinds(component, security),
			get: either(item(func(i *event.ComponentEvent) (any, bool) { return clip(i.TechInfo), true }),
				body(func(b *event.Security) (any, bool) { return clip(b.TechInfo), true }))},
		{name: "type", typ: text, en: "the type of the security event or log", de: "Art des Sicherheitsereignisses oder Protokolls", kinds: kinds(security, upload),
			get: either(body(func(b *event.Security) (any, bool) { return clip(b.Type), true }),
				body(func(b *event.Log) (any, bool) { return clip(b.Type), true }))},
		{name: "remoteAddr", typ: text, en: "the address it connected from", de: "Adresse, von der sie sich verband", kinds: kinds(connected),
			get: body(func(b *event.Connected) (any, bool) { return word(b.RemoteAddr) })},
		{name: "securityProfile", typ: whole, en: "OCPP security profile of the connection", de: "OCPP-Sicherheitsprofil der Verbindung", kinds: kinds(connected),
			get: body(func(b *event.Connected) (any, bool) { return int64(b.SecurityProfile), true })},
		{name: "messageId", typ: text, en: "the vendor's message", de: "Nachricht des Herstellers", kinds: kinds(transfer),
			get: body(func(b *event.DataTransfer) (any, bool) { return clip(b.MessageID), true })},
		{name: "data", typ: text, en: "what it carried, as text", de: "Inhalt als Text", kinds: kinds(transfer, message),
			get: either(body(func(b *event.DataTransfer) (any, bool) { return plain(b.Data) }),
				body(func(b *event.Message) (any, bool) { return plain(b.Payload) }))},
		{name: "action", typ: text, en: "the OCPP action", de: "die OCPP-Aktion", kinds: kinds(message, command),
			get: either(body(func(b *event.Message) (any, bool) { return clip(b.Action), true }),
				body(func(b *event.Command) (any, bool) { return clip(b.Action), true }))},
		{name: "code", typ: text, en: "the code of the finding", de: "Code des Befunds", kinds: kinds(finding),
			get: body(func(b *event.Finding) (any, bool) { return clip(b.Code), true })},
		{name: "severity", typ: text, en: "S1 to S4", de: "S1 bis S4", kinds: kinds(finding),
			get: body(func(b *event.Finding) (any, bool) { return word(string(b.Severity)) })},
		{name: "category", typ: text, en: "what the driver chose: plug, start, cable, screen, blocked or other",
			de: "Wahl des Fahrers: plug, start, cable, screen, blocked oder other", kinds: kinds(driver),
			get: body(func(b *event.DriverReport) (any, bool) { return clip(b.Category), true })},
		{name: "text", typ: text, en: "what was written", de: "was geschrieben wurde", kinds: kinds(driver, finding),
			get: either(body(func(b *event.DriverReport) (any, bool) { return clip(b.Text), true }),
				body(func(b *event.Finding) (any, bool) { return clip(b.Text), true }))},
		{name: "simulated", typ: truth, en: "it is a simulated station", de: "es ist eine simulierte Station", kinds: kinds(config),
			get: body(func(b *event.StationConfigured) (any, bool) { return b.Simulated, true })},
	}
	for i := range list {
		list[i].of = "event"
	}
	return list
}

// maxMeasured bounds the values of one event, maxMeasurand what one is called.
const (
	maxMeasured  = 100
	maxMeasurand = 128
)

// measured is the newest value of each measurand; phases stand apart.
func measured(samples event.Samples) map[string]float64 {
	out := make(map[string]float64)
	for _, v := range samples.All() {
		name := v.Measurand
		if v.Phase != "" {
			name += "/" + v.Phase
		}
		if _, have := out[name]; have || len(out) < maxMeasured && len(name) <= maxMeasurand {
			out[name] = v.Value
		}
	}
	return out
}
