package health

import (
	"strings"

	"github.com/chargewatch/chargewatch/internal/event"
)

// rate finds what a fault means. It returns false for words that say nothing:
// a vendor code beside a status without an error.
func (p *problem) rate(faulted bool) bool {
	if p.Error == "" && !faulted {
		return false
	}
	if p.Error == "" {
		p.Error = "Faulted"
	}
	p.Code = "fault/" + p.Error
	if p.VendorCode != "" {
		p.Code += "/" + p.VendorCode
	}
	if len(p.Code) > maxCode {
		p.Code = strings.ToValidUTF8(p.Code[:maxCode], "")
	}
	p.Severity = event.S3
	for _, k := range ocpp16Codes() {
		if k.code == p.Error {
			p.Severity, p.Safety, p.Meaning = k.severity, k.safety, k.meaning
		}
	}
	if dangerous(p.Error) || dangerous(p.VendorCode) || dangerous(p.Info) {
		p.Safety = true
		p.Severity = event.S1
	}
	if !faulted && !p.Safety {
		p.Severity = event.S4 // a warning: the port goes on working
	}
	return true
}

const maxCode = 100

// dangerous looks for the words of what can hurt somebody.
func dangerous(text string) bool {
	text = strings.ToLower(text)
	for _, word := range []string{"weld", "ground fault", "groundfault", "groundfailure", "insulation", "isolation fault", "cut cable", "cutcable", "smoke", "fire"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

type codeMeaning struct {
	code     string
	severity event.Severity
	safety   bool
	meaning  string
}

// ocpp16Codes are the error codes of OCPP 1.6.
func ocpp16Codes() []codeMeaning {
	return []codeMeaning{
		{"ConnectorLockFailure", event.S3, false, "the plug could not be locked or unlocked"},
		{"EVCommunicationError", event.S4, false, "it could not talk to the vehicle"},
		{"GroundFailure", event.S1, true, "current leaks to earth"},
		{"HighTemperature", event.S2, true, "it is too hot inside"},
		{"InternalError", event.S3, false, "something inside failed"},
		{"LocalListConflict", event.S4, false, "its list of tokens disagrees with the backend's"},
		{"OverCurrentFailure", event.S2, true, "too much current flowed"},
		{"OverVoltage", event.S2, false, "the supply voltage is too high"},
		{"UnderVoltage", event.S3, false, "the supply voltage is too low"},
		{"PowerMeterFailure", event.S3, false, "the meter does not answer"},
		{"PowerSwitchFailure", event.S2, true, "the contactor does not switch"},
		{"ReaderFailure", event.S3, false, "the card reader failed"},
		{"ResetFailure", event.S3, false, "it could not restart"},
		{"WeakSignal", event.S4, false, "its mobile signal is weak"},
		{"Faulted", event.S3, false, "it gives no code"},
		{"OtherError", event.S3, false, "it gives no code of OCPP"},
	}
}
