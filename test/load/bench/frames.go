package main

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// template is an encoded frame with places of fixed width that change from
// call to call: message id, time, energy register, transaction id.
type template struct {
	frame               []byte
	id, at, energy, txn int // offsets, -1 if absent
}

const (
	idMark     = "@@@@@@@@@@@@"             // 12
	timeMark   = "2000-00-00T00:00:00.000Z" // 24
	energyMark = "111111111"                // 9 digits
	txMark     = "2222222222"               // 10 digits
)

func newTemplate(text string) *template {
	t := &template{frame: frame([]byte(text))}
	t.id = bytes.Index(t.frame, []byte(idMark))
	t.at = bytes.Index(t.frame, []byte(timeMark))
	t.energy = bytes.Index(t.frame, []byte(energyMark))
	t.txn = bytes.Index(t.frame, []byte(txMark))
	return t
}

// digits writes n right-aligned with leading ones kept out of JSON's way: the
// first digit is always 1, so that no number begins with zero.
func digits(b []byte, n int64) {
	for i := len(b) - 1; i > 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	b[0] = '1'
}

// patch fills in one call and returns its bytes.
func (t *template) patch(id int64, at time.Time, energy int64, tx int64) []byte {
	digits(t.frame[t.id:t.id+len(idMark)], id)
	if t.at >= 0 {
		// AppendFormat writes nine digits of the fraction before it cuts them.
		var b [40]byte
		copy(t.frame[t.at:t.at+len(timeMark)], at.UTC().AppendFormat(b[:0], stampLayout))
	}
	if t.energy >= 0 {
		digits(t.frame[t.energy:t.energy+len(energyMark)], energy)
	}
	if t.txn >= 0 {
		b := t.frame[t.txn : t.txn+len(txMark)]
		// Transaction ids have no fixed width: spaces are legal before a
		// number.
		for i := range b {
			b[i] = ' '
		}
		s := strconv.AppendInt(nil, tx, 10)
		copy(b[len(b)-len(s):], s)
	}
	return t.frame
}

// messageID is the id of a patched call, as it stands in the answer.
func messageID(id int64) string {
	b := make([]byte, len(idMark))
	digits(b, id)
	return string(b)
}

func call(action, payload string) *template {
	return newTemplate(`[2,"` + idMark + `","` + action + `",` + payload + `]`)
}

func bootTemplate(serial string) *template {
	return call("BootNotification", fmt.Sprintf(`{"chargePointVendor":"Alpitronic","chargePointModel":"HYC150","chargePointSerialNumber":%q,"firmwareVersion":"2.5.9"}`, serial))
}

func statusTemplate(status string) *template {
	return call("StatusNotification", `{"connectorId":1,"errorCode":"NoError","status":"`+status+`","timestamp":"`+timeMark+`"}`)
}

func startTemplate() *template {
	return call("StartTransaction", `{"connectorId":1,"idTag":"LOADTEST0001","meterStart":`+energyMark+`,"timestamp":"`+timeMark+`"}`)
}

func stopTemplate() *template {
	return call("StopTransaction", `{"transactionId":`+txMark+`,"meterStop":`+energyMark+`,"timestamp":"`+timeMark+`","reason":"EVDisconnected"}`)
}

// meterTemplate is a MeterValues with ten sampled values, about 1.1 KB, as a
// three-phase station sends them.
func meterTemplate() *template {
	var b bytes.Buffer
	b.WriteString(`{"connectorId":1,"transactionId":` + txMark + `,"meterValue":[{"timestamp":"` + timeMark + `","sampledValue":[`)
	b.WriteString(`{"value":"` + energyMark + `","context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","location":"Outlet","unit":"Wh"}`)
	add := func(value, measurand, phase, unit string) {
		b.WriteString(`,{"value":"` + value + `","context":"Sample.Periodic","measurand":"` + measurand + `"`)
		if phase != "" {
			b.WriteString(`,"phase":"` + phase + `"`)
		}
		b.WriteString(`,"location":"Outlet","unit":"` + unit + `"}`)
	}
	add("10873.4", "Power.Active.Import", "", "W")
	for i, p := range []string{"L1", "L2", "L3"} {
		add("15."+strconv.Itoa(i+5), "Current.Import", p, "A")
	}
	for i, p := range []string{"L1-N", "L2-N", "L3-N"} {
		add("23"+strconv.Itoa(i)+".1", "Voltage", p, "V")
	}
	add("16", "Current.Offered", "", "A")
	add("31.5", "Temperature", "", "Celsius")
	b.WriteString(`]}]}`)
	return call("MeterValues", b.String())
}
