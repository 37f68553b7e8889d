package live_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/detect/security"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/live"
)

// yard is a site whose events are told to a pipeline one by one.
type yard struct {
	*live.Pipeline
	seq  uint64
	at   time.Time
	open map[string]*incident.Incident
}

func newYard() *yard {
	y := &yard{Pipeline: live.NewPipeline(security.Detectors()), at: begin, open: make(map[string]*incident.Incident)}
	for _, id := range []string{"A", "B", "C"} {
		y.say(0, event.Station(id), &event.StationConfigured{SiteID: "yard"})
		y.say(0, event.Station(id), &event.Connected{ConnID: id})
		y.say(0, event.Station(id), &event.Boot{Vendor: "V"})
		y.say(0, event.Port(id, 1, 1), &event.Status{Status: "Available"})
	}
	return y
}

func (y *yard) say(after time.Duration, s event.Subject, b event.Body) {
	y.seq++
	y.at = y.at.Add(after)
	var out live.Conclusions
	y.Apply(&event.Event{Seq: y.seq, Subject: s, At: y.at, ReceivedAt: y.at, RecordedAt: y.at, Body: b}, &out)
	for _, in := range out.Changed {
		y.open[in.ID] = in
	}
}

// cut is what a station says whose cable is cut.
func (y *yard) cut(after time.Duration, id string) {
	y.say(after, event.Port(id, 1, 1), &event.Status{Status: "Faulted", ErrorCode: "GroundFailure"})
}

func (y *yard) of(kind string) *incident.Incident {
	for _, in := range y.open {
		if in.Kind == kind {
			return in
		}
	}
	return nil
}

func (y *yard) judge(after time.Duration, in *incident.Incident, verdict string) {
	y.say(after, event.OfIncident(in.ID), &event.IncidentAction{Action: incident.ActVerdict, By: "u-1", Verdict: verdict})
}

func (y *yard) onGuard() bool {
	_, ok := y.Detect.Network.Posture("yard", y.at)
	return ok
}

func TestASiteIsOnItsGuardAfterARaid(t *testing.T) {
	raided := func() *yard {
		y := newYard()
		y.cut(time.Hour, "A")
		y.cut(30*time.Second, "B")
		return y
	}
	for name, c := range map[string]struct {
		do   func() *yard
		want bool
	}{
		"a suspicion alone":        {func() *yard { y := newYard(); y.cut(time.Hour, "A"); return y }, false},
		"a raid":                   {raided, true},
		"a raid, 29 days later":    {func() *yard { y := raided(); y.say(29*24*time.Hour, event.Self(), &event.ServerStopped{}); return y }, true},
		"a raid, 31 days later":    {func() *yard { y := raided(); y.say(31*24*time.Hour, event.Self(), &event.ServerStopped{}); return y }, false},
		"a raid that was none":     {func() *yard { y := raided(); y.judge(time.Hour, y.of("cableTheft"), "false"); return y }, false},
		"a raid that was practice": {func() *yard { y := raided(); y.judge(time.Hour, y.of("cableTheft"), "test"); return y }, false},
		"a raid that was one":      {func() *yard { y := raided(); y.judge(time.Hour, y.of("cableTheft"), "real"); return y }, true},
		"a suspicion that was a raid": {func() *yard {
			y := newYard()
			y.cut(time.Hour, "A")
			y.judge(time.Hour, y.of("cableTheft"), "real")
			return y
		}, true},
		"a judgement that was changed": {func() *yard {
			y := raided()
			y.judge(time.Hour, y.of("cableTheft"), "false")
			y.judge(time.Hour, y.of("cableTheft"), "real")
			return y
		}, true},
		"a person ended it": {func() *yard {
			y := raided()
			y.say(time.Hour, event.Self(), &event.Policy{Type: detect.PolicyPosture, ID: "yard", Value: json.RawMessage(`{}`)})
			y.judge(time.Hour, y.of("cableTheft"), "real") // of what was known then
			return y
		}, false},
		"a door was forced by day": {func() *yard {
			y := newYard()
			y.say(0, event.Door("gate"), &event.DoorConfigured{SiteID: "yard", Place: "gate"})
			y.say(time.Hour, event.Door("gate"), &event.DoorState{SiteID: "yard", State: event.DoorForced})
			return y
		}, false},
		"a door was forced at night": {func() *yard {
			y := newYard()
			y.say(0, event.Door("gate"), &event.DoorConfigured{SiteID: "yard", Place: "gate"})
			y.say(0, event.Site("yard"), &event.Arming{Armed: true})
			y.say(time.Hour, event.Door("gate"), &event.DoorState{SiteID: "yard", State: event.DoorForced})
			return y
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			y := c.do()
			if y.onGuard() != c.want {
				t.Errorf("on its guard: %v", y.onGuard())
			}
			// A checkpoint knows the same.
			meta, err := y.Detect.Checkpoint(func(string, []byte) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(meta)
			if err != nil {
				t.Fatal(err)
			}
			var back detect.Meta
			x := detect.New(security.Detectors())
			if err := json.Unmarshal(text, &back); err != nil || x.Restore(back) != nil {
				t.Fatal(err)
			}
			if _, ok := x.Network.Posture("yard", y.at); ok != c.want {
				t.Errorf("on its guard after a restart: %v", ok)
			}
		})
	}
}

// What was no raid leaves nothing behind: one fault the next day is a suspicion again.
func TestWhatWasNoRaidAlertsNobody(t *testing.T) {
	for verdict, want := range map[string]event.Severity{"real": event.S2, "false": event.S3} {
		y := newYard()
		y.cut(time.Hour, "A")
		y.cut(30*time.Second, "B")
		y.judge(time.Hour, y.of("cableTheft"), verdict)
		old := y.of("cableTheft").ID
		y.say(0, event.OfIncident(old), &event.IncidentAction{Action: incident.ActClose, By: "u-1", Note: "done"})
		y.open = make(map[string]*incident.Incident)
		y.cut(48*time.Hour, "C")
		if in := y.of("cableTheft"); in == nil || in.ID == old || in.Severity != want {
			t.Errorf("%s: %+v", verdict, in)
		}
	}
}
