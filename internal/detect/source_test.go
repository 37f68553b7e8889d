package detect_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

func TestHowMuchOfARuleWorks(t *testing.T) {
	all := []detect.Source{detect.ChargerSource, detect.PersonSource}
	either := []detect.Source{detect.ShockSource, detect.DoorSource}
	for name, c := range map[string]struct {
		d       detect.Detector
		has     detect.Sources
		want    detect.Working
		missing []detect.Source
	}{
		"all that it needs":         {detect.Detector{Needs: all}, detect.Sources{"charger": 1, "person": 2}, detect.WorksFull, nil},
		"one that it needs is none": {detect.Detector{Needs: all}, detect.Sources{"charger": 1}, detect.WorksNot, []detect.Source{"person"}},
		"better with a person":      {detect.Detector{Needs: all[:1], Uses: all[1:]}, detect.Sources{"charger": 1}, detect.WorksPart, []detect.Source{"person"}},
		"one of two":                {detect.Detector{Any: either}, detect.Sources{"door": 1}, detect.WorksPart, []detect.Source{"shock"}},
		"none of two":               {detect.Detector{Any: either}, detect.Sources{"charger": 1}, detect.WorksNot, either},
		"it names none":             {detect.Detector{}, detect.Sources{"charger": 1}, detect.WorksFull, nil},
		"it names none, no station": {detect.Detector{}, nil, detect.WorksNot, []detect.Source{"charger"}},
	} {
		if got, missing := c.d.With(c.has); got != c.want || !slices.Equal(missing, c.missing) {
			t.Errorf("%s: %s without %v", name, got, missing)
		}
	}
}

func TestWhatASiteHas(t *testing.T) {
	now := time.Date(2026, 11, 2, 2, 0, 0, 0, time.UTC)
	x := detect.New(nil)
	seq := uint64(0)
	tell := func(s event.Subject, b event.Body) {
		seq++
		x.Apply(&event.Event{Seq: seq, Subject: s, At: now, ReceivedAt: now, RecordedAt: now, Body: b})
	}
	tell(event.Station("A"), &event.StationConfigured{SiteID: "yard"})
	tell(event.Camera("c"), &event.CameraConfigured{SiteID: "yard"})
	tell(event.Camera("c"), &event.Labels{SiteID: "yard", Items: []event.Label{{What: event.ScenePerson, Score: 0.9, Number: 2}, {What: event.SceneVehicle, Score: 0.2}}})
	tell(event.Door("d"), &event.DoorConfigured{SiteID: "mall"})
	tell(event.Self(), &event.Policy{Type: detect.PolicyPlace, ID: "yard", Value: []byte(`{"latitude":52.52,"longitude":13.405}`)})
	tell(event.Self(), &event.Policy{Type: detect.PolicyPlace, ID: "mall", Value: []byte(`{"latitude":48.137,"longitude":11.575}`)})
	has := x.Network.Sources(now)
	yard := has["yard"]
	if yard[detect.ChargerSource] != 1 || yard[detect.CameraSource] != 1 || yard[detect.PersonSource] != 1 || yard[detect.CountSource] != 1 ||
		yard[detect.VehicleSource] != 0 || yard[detect.MotionSource] != 0 || yard[detect.DoorSource] != 0 || yard[detect.PlaceSource] != 1 {
		t.Errorf("the yard has %v", yard)
	}
	if mall := has["mall"]; mall[detect.DoorSource] != 1 || mall[detect.ChargerSource] != 0 {
		t.Errorf("the mall has %v", mall)
	}
	if later := x.Network.Sources(now.Add(31 * 24 * time.Hour))["yard"]; later[detect.PersonSource] != 0 || later[detect.CameraSource] != 1 {
		t.Errorf("a month later the yard has %v", later)
	}
	// Berlin to Munich.
	if km, ok := x.Network.Distance("yard", "mall"); !ok || math.Abs(km-504) > 2 {
		t.Errorf("%.0f km apart, known %v", km, ok)
	}
	if _, ok := x.Network.Distance("yard", "nowhere"); ok {
		t.Error("it knows how far nowhere is")
	}
}
