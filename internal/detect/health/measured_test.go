package health

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// tale is a network that measures: stations as they are set up, and the charges
// that happen at them, written down as the journal would.
type tale struct {
	events  []*event.Event
	now     time.Time
	tx      int
	startWh float64 // of the register when the next charge begins
}

func newTale() *tale { return &tale{now: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)} }

func (a *tale) tell(subject event.Subject, body event.Body) {
	a.events = append(a.events, &event.Event{
		Seq: uint64(len(a.events) + 1), Subject: subject, At: a.now, DeviceAt: a.now, ReceivedAt: a.now, RecordedAt: a.now, Body: body,
	})
}

func (a *tale) wait(d time.Duration) { a.now = a.now.Add(d) }

// station sets a station up with so many ports.
func (a *tale) station(id, site, current string, ratedW float64, ports int, group string) {
	var layout []event.EVSELayout
	for i := range ports {
		layout = append(layout, event.EVSELayout{EVSE: i + 1, RatedW: ratedW, Current: current, Group: group})
	}
	a.tell(event.Station(id), &event.StationConfigured{SiteID: site, Onboarding: event.OnboardingAccepted, Layout: layout})
	a.tell(event.Station(id), &event.Connected{ConnID: id + "-1", Protocol: "ocpp1.6"})
	a.tell(event.Station(id), &event.Boot{Vendor: "Acme", Model: "Volt", Firmware: "1.2", Status: "Accepted"})
	for i := range ports {
		a.tell(event.Port(id, i+1, i+1), &event.Status{Status: "Available"})
	}
}

// charge is one session as it is measured.
type charge struct {
	station string
	evse    int
	token   string
	every   time.Duration // 1 min
	samples int           // 20
	// values are what is measured at sample i.
	values func(i int) []event.Sample
	stopWh *float64
	after  time.Duration // until the next one; 2 h
}

func (a *tale) begin(station string, evse int, token string) string {
	a.tx++
	id := fmt.Sprint(a.tx)
	a.tell(event.Port(station, evse, evse), &event.Status{Status: "Charging"})
	a.tell(event.Port(station, evse, evse), &event.Transaction{Stage: event.TransactionStarted, TransactionID: id, TokenID: token, TokenStatus: "Accepted", MeterWh: new(a.startWh)})
	return id
}

func (a *tale) meter(station string, evse int, tx string, values []event.Sample) {
	a.tell(event.Port(station, evse, evse), &event.Meter{TransactionID: tx, Samples: event.Samples{{At: a.now, Values: values}}})
}

func (a *tale) end(station string, evse int, tx string, wh *float64) {
	a.tell(event.Port(station, evse, evse), &event.Transaction{Stage: event.TransactionEnded, TransactionID: tx, Reason: "EVDisconnected", MeterWh: wh})
	a.tell(event.Port(station, evse, evse), &event.Status{Status: "Available"})
}

func (a *tale) charge(x charge) {
	if x.evse == 0 {
		x.evse = 1
	}
	if x.every == 0 {
		x.every = time.Minute
	}
	if x.samples == 0 {
		x.samples = 20
	}
	if x.after == 0 {
		x.after = 2 * time.Hour
	}
	id := a.begin(x.station, x.evse, x.token)
	for i := range x.samples {
		a.wait(x.every)
		a.meter(x.station, x.evse, id, x.values(i))
	}
	a.wait(5 * time.Second)
	a.end(x.station, x.evse, id, x.stopWh)
	a.wait(x.after)
}

func sample(measurand string, v float64) event.Sample {
	return event.Sample{Measurand: measurand, Value: v}
}

func at(location string, s event.Sample) event.Sample { s.Location = location; return s }

func on(phase string, s event.Sample) event.Sample { s.Phase = phase; return s }

// findings runs a detector over the tale and returns what it found, one a line:
// state, severity, code, subject, text.
func (a *tale) findings(t *testing.T, d detect.Detector, cut int) []string {
	t.Helper()
	detectors := []detect.Detector{d}
	if reads := map[string]func() detect.Detector{"D10": derated, "D11": derated, "D22": derated, "D13": connectorHeat}[d.ID]; reads != nil {
		detectors = []detect.Detector{reads(), d}
	}
	x := detect.New(detectors)
	var out []string
	say := func(list []detect.Finding) {
		for _, f := range list {
			if f.Detector != d.ID {
				continue
			}
			if f.State == event.FindingCleared {
				out = append(out, fmt.Sprintf("cleared %s %s", f.Code, f.Subject))
				continue
			}
			out = append(out, fmt.Sprintf("%s %s %s %s: %s", f.State, f.Severity, f.Code, f.Subject, f.Text))
			for _, fact := range f.Facts {
				if fact.Value == nil && fact.Text == "" && fact.At.IsZero() {
					t.Errorf("the fact %q says nothing", fact.Name)
				}
			}
			if !strings.HasSuffix(f.Text, ".") || strings.Contains(f.Text, "NaN") || strings.Contains(f.Text, "%!") {
				t.Errorf("this is no sentence: %q", f.Text)
			}
		}
	}
	rows := make(map[string][]byte)
	for i, e := range a.events {
		for {
			due, ok := x.Due()
			if !ok || due.After(e.RecordedAt) {
				break
			}
			say(x.Fire())
		}
		say(x.Apply(e))
		if cut == 0 || i%cut != 0 {
			continue
		}
		meta, err := x.Checkpoint(func(id string, data []byte) error {
			rows[id] = append([]byte(nil), data...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(meta)
		if err != nil {
			t.Fatal(err)
		}
		var back detect.Meta
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		x = detect.New(detectors)
		x.Restore(back)
		for _, row := range rows {
			if err := x.Load(row); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

// found is findings with all they say.
func (a *tale) found(t *testing.T, d ...detect.Detector) []detect.Finding {
	t.Helper()
	x := detect.New(d)
	var out []detect.Finding
	for _, e := range a.events {
		out = append(out, x.Apply(e)...)
	}
	return out
}

// story is what happens, and what a detector has to say to it.
type story struct {
	happens func(a *tale)
	want    []string
}

// tellAll runs stories, whole and with restarts at many places.
func tellAll(t *testing.T, d func() detect.Detector, stories map[string]story) {
	t.Helper()
	for name, s := range stories {
		t.Run(name, func(t *testing.T) {
			a := newTale()
			s.happens(a)
			for _, cut := range []int{0, 7, 101} {
				got := a.findings(t, d(), cut)
				if strings.Join(got, "\n") != strings.Join(s.want, "\n") {
					t.Errorf("with a restart every %d events got\n\t%s\nwant\n\t%s", cut, strings.Join(got, "\n\t"), strings.Join(s.want, "\n\t"))
				}
			}
		})
	}
}
