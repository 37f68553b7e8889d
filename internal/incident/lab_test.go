package incident

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// lab runs the fold over the real view of stations, the way the live subscriber
// does: timers due before an event fire first.
type lab struct {
	t      testing.TB
	x      *detect.Engine
	f      *Fold
	seq    uint64
	start  time.Time
	now    time.Time
	conns  map[string]int
	told   []string // the story as it went
	notes  []Notice
	log    []Logged
	rows   map[string]*Incident // as the table of live would hold them
	saved  map[string][]byte
	meta   []byte
	cutAll bool // a checkpoint and a restart before every step
	fired  int
}

func newLab(t testing.TB) *lab {
	l := &lab{
		t: t, x: detect.New(nil), f: New(), start: time.Date(2026, 3, 4, 8, 0, 0, 0, time.UTC),
		conns: make(map[string]int), rows: make(map[string]*Incident), saved: make(map[string][]byte),
	}
	l.now = l.start
	l.f.Zone = time.LoadLocation
	return l
}

// cut saves the fold and begins anew with what was saved.
func (l *lab) cut() {
	l.t.Helper()
	m, err := l.f.Checkpoint(func(key string, data []byte) error {
		if data == nil {
			delete(l.saved, key)
		} else {
			l.saved[key] = data
		}
		return nil
	})
	if err != nil {
		l.t.Fatal(err)
	}
	if l.meta, err = json.Marshal(m); err != nil {
		l.t.Fatal(err)
	}
	var back Meta
	if err := json.Unmarshal(l.meta, &back); err != nil {
		l.t.Fatal(err)
	}
	l.f = New()
	l.f.Zone = time.LoadLocation
	l.f.Restore(back)
	for _, key := range slices.Sorted(maps.Keys(l.saved)) {
		if err := l.f.Load(key, l.saved[key]); err != nil {
			l.t.Fatal(err)
		}
	}
}

// take keeps what followed.
func (l *lab) take(fx Effects) {
	for _, in := range fx.Changed {
		l.rows[in.ID] = in
	}
	l.log = append(l.log, fx.Log...)
	l.notes = append(l.notes, fx.Notices...)
	for _, x := range fx.Log {
		line := fmt.Sprintf("%s %s %s %s %s", l.clock(), x.Change, x.Kind, x.Severity, x.State)
		if x.Note != "" {
			line += " (" + strings.ReplaceAll(x.Note, "\n", "; ") + ")"
		}
		l.told = append(l.told, line)
	}
	for i := range fx.Notices {
		n := &fx.Notices[i]
		change := n.Change
		if n.Taken {
			change += ", in hand"
		}
		l.told = append(l.told, fmt.Sprintf("%s    NOTICE %s %s: %s", l.clock(), n.Severity, change, n.Title))
	}
}

func (l *lab) clock() string {
	d := l.now.Sub(l.start)
	return fmt.Sprintf("%3d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
}

// after lets time pass and fires what falls due.
func (l *lab) after(d time.Duration) *lab {
	until := l.now.Add(d)
	for {
		if l.cutAll {
			l.cut()
		}
		due, ok := l.f.Due()
		if !ok || due.After(until) {
			break
		}
		if due.After(l.now) {
			l.now = due
		}
		l.take(l.f.Fire(&l.x.Network, l.seq))
		if l.fired++; l.fired > 5_000_000 {
			l.t.Fatal("timers never end")
		}
	}
	l.now = until
	return l
}

// event feeds one event now.
func (l *lab) event(s event.Subject, b event.Body, found ...detect.Finding) *lab {
	l.after(0)
	l.seq++
	e := &event.Event{Seq: l.seq, Subject: s, At: l.now, ReceivedAt: l.now, RecordedAt: l.now, Body: b}
	l.x.Apply(e)
	for i := range found {
		found[i].At, found[i].Cause = l.now, l.seq
	}
	l.take(l.f.Apply(&l.x.Network, e, found))
	return l
}

// station makes a known station with a connection and free ports.
func (l *lab) station(id, site, carrier, firmware string, ports int) *lab {
	layout := make([]event.EVSELayout, ports)
	for i := range layout {
		layout[i] = event.EVSELayout{EVSE: i + 1, RatedW: 150_000, Current: "DC"}
	}
	l.event(event.Station(id), &event.StationConfigured{SiteID: site, Onboarding: event.OnboardingAccepted, Layout: layout})
	l.online(id)
	iccid := ""
	if carrier != "" {
		iccid = carrier + "0123456789012"
	}
	l.event(event.Station(id), &event.Boot{Vendor: "Volt", Model: "V150", Firmware: firmware, ICCID: iccid, Status: "Accepted"})
	for i := range ports {
		l.status(id, i+1, "Available", "")
	}
	return l
}

func (l *lab) online(id string) *lab {
	l.conns[id]++
	return l.event(event.Station(id), &event.Connected{ConnID: fmt.Sprintf("%s#%d", id, l.conns[id]), Protocol: "ocpp1.6"})
}

func (l *lab) offline(id string) *lab {
	return l.event(event.Station(id), &event.Disconnected{ConnID: fmt.Sprintf("%s#%d", id, l.conns[id]), Reason: "gone"})
}

func (l *lab) status(id string, evse int, status, code string) *lab {
	return l.event(event.Port(id, evse, 1), &event.Status{Status: status, ErrorCode: code})
}

// what a detector would find.
func finding(id string, evse int, detector, code string, severity event.Severity, state event.FindingState) detect.Finding {
	return detect.Finding{Subject: event.Port(id, evse, 0), Finding: event.Finding{
		Detector: detector, Code: code, Severity: severity, State: state, Text: texts()[code],
	}}
}

func texts() map[string]string {
	return map[string]string{
		"offline": "Nothing has been heard of the station for 5 min.", "port.fault": "Port reports a fault", "port.groundFailure": "Ground failure",
		"port.startFailures": "Drivers cannot start", "port.overstay": "A car stays after its charge",
	}
}

// found feeds a finding on an event that means nothing else.
func (l *lab) found(d ...detect.Finding) *lab {
	return l.event(event.Station(d[0].Subject.ID), &event.Message{Action: "Heartbeat"}, d...)
}

func (l *lab) raise(id string, evse int, detector, code string, severity event.Severity) *lab {
	return l.found(finding(id, evse, detector, code, severity, event.FindingRaised))
}

func (l *lab) clear(id string, evse int, detector, code string, severity event.Severity) *lab {
	return l.found(finding(id, evse, detector, code, severity, event.FindingCleared))
}

// lost is a station that goes and is found offline.
func (l *lab) lost(id string) *lab {
	return l.offline(id).raise(id, 0, "D01", "offline", event.S3)
}

func (l *lab) back(id string) *lab {
	return l.online(id).clear(id, 0, "D01", "offline", event.S3)
}

// charge is a whole session at a port.
func (l *lab) charge(id string, evse int, wh float64, tx string) *lab {
	begin, end := 1000.0, 1000+wh
	l.event(event.Port(id, evse, 1), &event.Transaction{Stage: event.TransactionStarted, TransactionID: tx, MeterWh: &begin})
	l.after(20 * time.Minute)
	return l.event(event.Port(id, evse, 1), &event.Transaction{Stage: event.TransactionEnded, TransactionID: tx, MeterWh: &end, Reason: "EVDisconnected"})
}

// only is the one incident there is.
func (l *lab) only() *Incident {
	l.t.Helper()
	if len(l.rows) != 1 {
		l.t.Fatalf("%d incidents, want one", len(l.rows))
	}
	for _, in := range l.rows {
		return in
	}
	return nil
}

// act is what a person does to an incident.
func (l *lab) act(id string, a event.IncidentAction) *lab {
	if a.By == "" {
		a.By = "p-anna"
	}
	return l.event(event.Subject{Type: event.IncidentSubject, ID: id}, &a)
}

func asJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(data)
}
