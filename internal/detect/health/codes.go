package health

import (
	"strings"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/knowledge"
)

// rate finds what a fault means. It returns false for words that say nothing:
// a vendor code beside a status without an error, unless it is a known one.
func (p *problem) rate(c *detect.Context, k *knowledge.Knowledge, faulted bool) bool {
	q := knowledge.Query{
		Vendor: c.Station.Vendor, Model: c.Station.Model, Protocol: c.Station.Protocol, VendorID: p.VendorID, VendorCode: p.VendorCode, Info: p.Info,
	}
	if p.Source == fromStatus {
		q.Code = p.Error
	} else {
		q.Component, q.Variable, _ = strings.Cut(p.Error, ".")
	}
	e, known := k.Explain(q)
	if p.Error == "" && !faulted && !known {
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
	if known {
		p.Severity, p.Safety, p.Meaning, p.MeaningDE, p.Entry = e.Severity, e.Safety, e.Title.EN, e.Title.DE, e.ID
	}
	if !known || e.Layer == knowledge.LayerProtocol { // the vendor's words say more than OCPP's code
		for _, text := range []string{p.VendorCode, p.Info, p.Error} {
			if s, found := danger(text); found {
				p.Safety = true
				p.Severity = min(p.Severity, s)
			}
		}
		if leakOf(p.VendorCode, p.Info) == reclosed { // the protection worked; how often it has to is for D16
			p.Severity, p.Safety = event.S4, false
		}
	}
	if !faulted && !p.Safety {
		p.Severity = event.S4 // a warning: the port goes on working
	}
	return true
}

const maxCode = 100

// danger looks for the words of what can hurt somebody.
func danger(text string) (s event.Severity, found bool) {
	text = strings.ToLower(text)
	for _, w := range []struct {
		word     string
		severity event.Severity
	}{
		{"weld", event.S1}, {"cut cable", event.S1}, {"cutcable", event.S1}, {"cablecut", event.S1}, {"smoke", event.S1}, {"on fire", event.S1},
		{"ground fault", event.S2}, {"groundfault", event.S2}, {"earth fault", event.S2}, {"insulation", event.S2}, {"isolation fault", event.S2},
		{"isolationfault", event.S2}, {"overtemp", event.S2}, {"over temp", event.S2},
	} {
		if strings.Contains(text, w.word) {
			return w.severity, true
		}
	}
	return "", false
}
