package store

import (
	"testing"
	"time"
)

func TestASiteOnItsGuardIsArmedByNight(t *testing.T) {
	b := locked(t)
	guarded := true
	b.Guarded(func(string) bool { return guarded })
	at := func(text string) time.Time {
		x, err := time.ParseInLocation("2006-01-02 15:04", text, b.ZoneOf("mall"))
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	days := &Arming{Weekly: []ArmedHours{{Days: []time.Weekday{time.Friday}, From: 12 * 60, To: 13 * 60}}}
	for name, tc := range map[string]struct {
		x               *Arming
		at              string
		guarded         bool
		armed, schedule bool
	}{
		"by night":                         {nil, "2026-05-01 23:00", true, true, true},
		"before the morning":               {nil, "2026-05-02 05:59", true, true, true},
		"by day":                           {nil, "2026-05-01 15:00", true, false, true},
		"by day, in its own hours":         {days, "2026-05-01 12:30", true, true, true},
		"by night, beside its own hours":   {days, "2026-05-01 23:00", true, true, true},
		"a person says no":                 {&Arming{Armed: new(false)}, "2026-05-01 23:00", true, false, false},
		"a person said no, that is over":   {&Arming{Armed: new(false), Until: at("2026-05-01 22:30")}, "2026-05-01 23:00", true, true, true},
		"not on its guard":                 {nil, "2026-05-01 23:00", false, false, false},
		"not on its guard, has a calendar": {days, "2026-05-01 23:00", false, false, true},
	} {
		guarded = tc.guarded
		if armed, schedule := b.armedAt(tc.x, "mall", at(tc.at)); armed != tc.armed || schedule != tc.schedule {
			t.Errorf("%s: armed %v, by schedule %v", name, armed, schedule)
		}
	}
}
