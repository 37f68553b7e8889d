package sim

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestTheScriptBreaksWhatStands(t *testing.T) {
	for seed := range uint64(5) {
		plan := Network(seed)
		list := NetworkScript(plan, seed)(tuesday)
		if !reflect.DeepEqual(list, NetworkScript(Network(seed), seed)(tuesday)) {
			t.Errorf("seed %d: the same seed broke something else", seed)
		}
		live, single := 0, make(map[string]bool)
		for i := range list {
			f := &list[i]
			if f.From.Before(tuesday.Add(10*time.Minute)) && f.until().After(tuesday.Add(10*time.Minute)) {
				live++
			}
			if f.Station != "" {
				if single[f.Station] {
					t.Errorf("seed %d: %s is broken twice", seed, f.Station)
				}
				single[f.Station] = true
			}
			n := 0
			for j := range plan.Stations {
				if s := &plan.Stations[j]; f.fits(s) {
					if n++; f.EVSE > len(s.Model.EVSEs) {
						t.Errorf("seed %d: %s has no EVSE %d", seed, s.ID, f.EVSE)
					}
				}
			}
			if n == 0 || f.Carrier != "" && n < 4 {
				t.Errorf("seed %d: %s befalls %d stations", seed, f.Mode, n)
			}
		}
		if live < 4 || len(list) < 12 {
			t.Errorf("seed %d: %d of %d are there while people watch", seed, live, len(list))
		}
	}
}

func TestTheScriptIsToldInThePast(t *testing.T) {
	plan := Network(1)
	f, err := New(Options{Plan: plan, Seed: 1, Start: tuesday, History: 20 * 24 * time.Hour, Replay: true, Script: NetworkScript(plan, 1)})
	if err != nil {
		t.Fatal(err)
	}
	cut, dark := 0, 0
	power := tuesday.Truncate(24*time.Hour).AddDate(0, 0, -9).Add(5*time.Hour + 20*time.Minute)
	if err := f.Relive(t.Context(), nil, func(told []Told) error {
		for i := range told {
			x := &told[i]
			switch {
			case x.Fault != nil && x.Fault.VendorCode == "CX026" && !x.Fault.Cleared:
				cut++
			case x.Kind == ToldLost && strings.HasPrefix(x.Station.Site, "cgn-") && x.At.Sub(power).Abs() < 5*time.Minute:
				dark++
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if cut == 0 || dark < 5 {
		t.Errorf("%d reports of a cut cable, %d stations without mains", cut, dark)
	}
	if len(f.Harmed()) == 0 {
		t.Error("nobody was harmed")
	}
}
