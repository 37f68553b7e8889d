package journal

import (
	"github.com/chargewatch/chargewatch/internal/event"
)

type quirkKey struct{ station, code string }

// countQuirks sums up a batch's conformance findings.
func (w *writer) countQuirks(e *event.Event) {
	if len(e.Quirks) == 0 || e.Subject.Type != event.StationSubject {
		return
	}
	for _, code := range e.Quirks {
		key := quirkKey{e.Subject.ID, code}
		if i, ok := w.quirks[key]; ok {
			w.rows.Quirks[i].Count++
			w.rows.Quirks[i].Seq = e.Seq
			continue
		}
		q := Quirk{Station: e.Subject.ID, Code: code, At: e.RecordedAt, Seq: e.Seq, Count: 1}
		if boot, ok := e.Body.(*event.Boot); ok {
			q.Vendor, q.Model, q.Firmware = boot.Vendor, boot.Model, boot.Firmware
		} else if st, ok := w.state.Snapshot().Station(e.Subject.ID); ok {
			q.Vendor, q.Model, q.Firmware = st.Vendor, st.Model, st.Firmware
		}
		w.rows.Quirks = append(w.rows.Quirks, q)
		w.quirks[key] = len(w.rows.Quirks) - 1
	}
}
