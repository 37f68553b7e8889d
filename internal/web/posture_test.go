package web

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/rule"
	"github.com/chargewatch/chargewatch/internal/store"
)

func TestTheEndOfAPosture(t *testing.T) {
	var over atomic.Bool
	changed := make(chan struct{})
	until := time.Now().Add(29 * 24 * time.Hour)
	var p *plant
	p = newPlant(t, func(o *Options) {
		o.Rules = Rules{
			Posture: func(site string) (detect.Posture, bool) {
				return detect.Posture{Incident: "i1", Code: "cableTheft", Since: until.Add(-detect.HeightenedFor), Until: until}, site == "own" && !over.Load()
			},
			Guarded: func() <-chan struct{} { // who folds has heard of it by then
				if list, err := p.store.Policies(t.Context(), detect.PolicyPosture); err == nil && len(list) == 1 && over.CompareAndSwap(false, true) {
					defer close(changed)
				}
				return changed
			},
		}
	})
	p.site("own")
	p.site("other")
	admin, viewer := p.script(store.RoleAdmin), p.script(store.RoleViewer)
	var x PostureShape
	viewer.want(http.StatusOK, "GET", "/sites/own/posture", "", &x)
	if !x.Heightened || x.Incident != "i1" || x.Until == nil || !x.Until.Equal(until.Truncate(time.Millisecond)) && x.Until.Sub(until).Abs() > time.Second || x.ArmedFrom != "22:00" || x.ArmedTo != "06:00" {
		t.Errorf("%+v", x)
	}
	x = PostureShape{}
	viewer.want(http.StatusOK, "GET", "/sites/other/posture", "", &x)
	if x.Heightened || x.Until != nil {
		t.Errorf("%+v", x)
	}
	viewer.want(http.StatusForbidden, "DELETE", "/sites/own/posture", "", nil)
	admin.want(http.StatusNotFound, "DELETE", "/sites/none/posture", "", nil)
	x = PostureShape{}
	admin.want(http.StatusOK, "DELETE", "/sites/own/posture?reason=guard+on+site", "", &x)
	if x.Heightened {
		t.Errorf("it still holds: %+v", x)
	}
}

func TestDetectorsSayWhatTheyNeed(t *testing.T) {
	l, err := rule.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	p := newPlant(t, func(o *Options) {
		o.Rules = Rules{
			Language: l,
			Detectors: []detect.Detector{
				{ID: "D01", Code: "stationOffline", Kinds: []event.Kind{event.KindStatus}, On: func(*detect.Context, *event.Event) {}},
				{ID: "C05", Code: "badgeAlone", Needs: []detect.Source{detect.DoorSource, detect.PersonSource}},
				{ID: "V05", Code: "cableTheft", Needs: []detect.Source{detect.ChargerSource}, Uses: []detect.Source{detect.PersonSource}},
			},
			Sources: func() map[string]detect.Sources {
				return map[string]detect.Sources{
					"a": {detect.ChargerSource: 2}, "b": {detect.ChargerSource: 1}, "own": {detect.ChargerSource: 1, detect.DoorSource: 1, detect.PersonSource: 1},
				}
			},
		}
	})
	p.site("own")
	var all Items[DetectorShape]
	p.script(store.RoleOperator).want(http.StatusOK, "GET", "/detectors", "", &all)
	for i, want := range []struct {
		state   detect.Working
		missing []detect.Source
		sites   int
		others  int
	}{
		{detect.WorksFull, []detect.Source{}, 3, 0},
		{detect.WorksNot, []detect.Source{detect.DoorSource, detect.PersonSource}, 2, 1},
		{detect.WorksPart, []detect.Source{detect.PersonSource}, 2, 1},
	} {
		got := all.Items[i].Working
		if got.State != want.state || !slices.Equal(got.Missing, want.missing) || got.Sites != want.sites || got.Others != want.others || len(got.Other) != want.others {
			t.Errorf("%s: %+v", all.Items[i].ID, got)
		}
	}
	if all.Items[0].Waiting || all.Items[0].Backtest || !all.Items[1].Waiting || all.Items[2].Backtest {
		t.Error("what waits is mixed up with what does not")
	}
	if x := all.Items[1]; x.Working.Other[0].SiteID != "own" || x.Working.Other[0].State != detect.WorksFull || len(x.Signals) != 2 || x.Signals[1].Source != detect.PersonSource || x.Signals[1].Sites != 1 || x.Signals[1].For != "need" {
		t.Errorf("%+v", x)
	}
}
