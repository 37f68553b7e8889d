package sim

import (
	"regexp"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheDemoNetworkIsComplete(t *testing.T) {
	p := Network(1)
	if len(p.Sites) != 12 || len(p.Stations) < 110 || len(p.Stations) > 130 {
		t.Fatalf("want 12 sites and about 120 stations, got %d and %d", len(p.Sites), len(p.Stations))
	}
	sites := make(map[string]int)
	versions := make(map[Version]int)
	for _, s := range p.Stations {
		if s.Profile != "" && readProfile([]byte(s.Profile), 0) == nil {
			t.Errorf("%s: its charging profile cannot be read", s.ID)
		}
	}
	ids, public := make(map[string]bool), make(map[string]bool)
	publicID := regexp.MustCompile(`^DE\*CWD\*E\d{5}\*\d$`)
	for _, s := range p.Stations {
		sites[s.Site]++
		versions[s.version()]++
		if ids[s.ID] {
			t.Errorf("%s appears twice", s.ID)
		}
		ids[s.ID] = true
		if len(s.PublicIDs) != len(s.Model.EVSEs) {
			t.Errorf("%s: %d public ids for %d EVSEs", s.ID, len(s.PublicIDs), len(s.Model.EVSEs))
		}
		for _, id := range s.PublicIDs {
			if !publicID.MatchString(id) || public[id] {
				t.Errorf("%s: public id %q", s.ID, id)
			}
			public[id] = true
		}
	}
	for _, v := range []Version{V16, V201, V21} {
		if versions[v] < 5 {
			t.Errorf("only %d stations speak %s", versions[v], v)
		}
	}
	for _, s := range p.Sites {
		if sites[s.ID] == 0 || s.Latitude < 47 || s.Latitude > 55 || s.Longitude < 6 || s.Longitude > 15 || s.GridLimitW == 0 || s.OpeningHours == "" || s.TimeZone == "" {
			t.Errorf("site is not complete: %+v with %d stations", s, sites[s.ID])
		}
	}
}

func TestTheDemoLooksAliveAtOnce(t *testing.T) {
	for name, start := range map[string]time.Time{
		"weekday noon":    tuesday,
		"weekday night":   tuesday.Add(-9 * time.Hour),
		"weekday morning": tuesday.Add(-4 * time.Hour),
		"weekday evening": tuesday.Add(7 * time.Hour),
		"Sunday evening":  time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newMemoryCentral()
				live(t, Options{Plan: Network(1), Seed: 1, Scenario: scenario(t, "day"), Start: start, History: 8 * time.Hour, Replay: true, Ramp: 2 * time.Second}, c, 20*time.Second, func(f *Fleet) {
					byStatus := make(map[Status]int)
					ports, offline := 0, 0
					for _, st := range f.stations {
						for _, e := range st.evses {
							ports++
							byStatus[e.primary().status]++
							if st.wire == nil {
								offline++
							}
						}
					}
					s := f.Stats()
					t.Logf("%d ports %v offline %d, %.0f kW, %d calls queued %d", ports, byStatus, offline, s.PowerW/1000, s.Calls, s.Queued)
					if n := byStatus[Charging]; n < ports/30 || n > ports*7/10 {
						t.Errorf("%d of %d ports charge", n, ports)
					}
					if byStatus[SuspendedEV] == 0 || byStatus[Faulted] == 0 || offline == 0 || byStatus[Available] < ports/10 {
						t.Errorf("no plausible mix: %v, offline %d", byStatus, offline)
					}
				})
			})
		})
	}
}
