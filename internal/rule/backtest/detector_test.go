package backtest

import (
	"errors"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// gatecrash tells of a door that stays forced for some seconds, while its site is armed.
func gatecrash() detect.Detector {
	return detect.Detector{
		ID: "A99", Code: "crash", Doors: true, Needs: []detect.Source{detect.DoorSource},
		Params: []detect.Param{{Name: "seconds", Default: 10, Unit: "s", Doc: "how long"}},
		Kinds:  []event.Kind{event.KindDoorState},
		On: func(c *detect.Context, e *event.Event) {
			if c.Cancel("long"); e.Body.(*event.DoorState).State == event.DoorForced {
				c.Wake("long", c.Now.Add(time.Duration(c.Param("seconds")*float64(time.Second))))
			}
		},
		Due: func(c *detect.Context, _ string) {
			f := event.Finding{Severity: event.S3, Text: c.Station.Door.Place}
			if c.Network().Armed(c.Station.SiteID) {
				f.Severity = event.S1
			}
			c.State(0, f)
		},
	}
}

// What is drafted is compared with what is decided now, whatever was decided then.
func TestWhatADraftWouldHaveTold(t *testing.T) {
	p := newPast(t)
	p.say(event.Door("gate"), &event.DoorConfigured{SiteID: "yard", Place: "gate"}) // long before
	p.say(event.Site("yard"), &event.Arming{Armed: true})
	p.say(event.Self(), &event.Policy{Type: "threshold", ID: "A99@", Value: []byte(`{"detector":"A99","off":true}`)})
	for hour := range 48 {
		p.now = begin().Add(40*24*time.Hour + time.Duration(hour)*time.Hour)
		p.say(event.Door("gate"), &event.DoorState{SiteID: "yard", State: event.DoorForced})
		p.now = p.now.Add(time.Duration(hour+1) * time.Second) // for longer each time
		p.say(event.Door("gate"), &event.DoorState{SiteID: "yard", State: event.DoorLocked})
	}
	p.now = p.now.Add(time.Hour)
	r := New(Options{Journal: p.log, Detectors: []detect.Detector{gatecrash()}, Now: func() time.Time { return p.now }})
	d := Draft{From: begin().Add(41 * 24 * time.Hour), To: p.now} // the hours from 24 on
	d.Threshold = detect.Threshold{Detector: "A99", Values: map[string]float64{"seconds": 40}}
	d.Kept = []detect.Threshold{{Detector: "A99", Scope: "site/yard", Values: map[string]float64{"seconds": 30}}}
	got, err := r.Detector(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	// Decided at the site: from 30 s on. A draft for everywhere changes nothing there.
	if got.Now.Told != 19 || got.Then.Told != 19 || got.Now.BySeverity[event.S1] != 19 || got.Events != 48 || len(got.Partial) > 0 {
		t.Errorf("%+v", got)
	}
	d.Scope = "site/yard"
	if got, err = r.Detector(t.Context(), d); err != nil || got.Now.Told != 19 || got.Then.Told != 9 {
		t.Errorf("%d and %d, %v", got.Now.Told, got.Then.Told, err)
	}
	sum := 0
	for _, n := range got.Then.Slots {
		sum += n
	}
	if first := got.Then.Shown()[0]; sum != 9 || first.SiteID != "yard" || first.Subject != "door/gate" || first.Text != "gate" || first.At.Before(d.From) {
		t.Errorf("%d in slots, first %+v", sum, first)
	}
	// What was asked for began before there was anything.
	long := d
	long.From = begin().Add(-30 * 24 * time.Hour)
	if got, err = r.Detector(t.Context(), long); err != nil || got.From.Before(begin()) || got.Then.Told != 9 {
		t.Errorf("from %v: %d, %v", got.From, got.Then.Told, err)
	}
	d.Off = true
	if got, err = r.Detector(t.Context(), d); err != nil || got.Then.Told != 0 {
		t.Errorf("off: %d, %v", got.Then.Told, err)
	}
	d.Threshold, d.Kept = detect.Threshold{Detector: "A99", Scope: "site/yard"}, nil // as shipped
	if got, err = r.Detector(t.Context(), d); err != nil || got.Now.Told != 24 || got.Then.Told != 24 {
		t.Errorf("as shipped: %d and %d, %v", got.Now.Told, got.Then.Told, err)
	}
	d.Detector = "D01"
	if _, err = r.Detector(t.Context(), d); !errors.Is(err, ErrDetector) {
		t.Errorf("of what there is not: %v", err)
	}
}
