package week_test

import (
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/week"
)

func berlin(t *testing.T) *time.Location {
	t.Helper()
	l, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	x, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestASpanHoldsByTheClockOfItsPlace(t *testing.T) {
	night := week.Span{Days: week.On(time.Friday), From: 22 * 60, To: 6 * 60}
	day := week.Span{Days: week.Every, From: 8 * 60, To: 18 * 60}
	whole := week.Span{Days: week.On(time.Sunday), From: 0, To: 0}
	end := week.Span{Days: week.On(time.Monday), From: 20 * 60, To: week.MinutesOfDay}
	small := week.Span{Days: week.On(time.Sunday), From: 2*60 + 30, To: 3 * 60}
	for what, c := range map[string]struct {
		span        week.Span
		at, until   string
		next        string
		onlyAtClock bool // the clock shows it a second time
	}{
		"before it begins":                        {night, "2026-11-20T20:59:59Z", "", "2026-11-20T21:00:00Z", false},
		"as it begins":                            {night, "2026-11-20T21:00:00Z", "2026-11-21T05:00:00Z", "2026-11-21T05:00:00Z", false},
		"after midnight it is still Friday's":     {night, "2026-11-21T04:59:59Z", "2026-11-21T05:00:00Z", "2026-11-21T05:00:00Z", false},
		"it ends before its end":                  {night, "2026-11-21T05:00:00Z", "", "2026-11-27T21:00:00Z", false},
		"a Thursday's night is another":           {night, "2026-11-19T23:00:00Z", "", "2026-11-20T21:00:00Z", false},
		"in summer an hour earlier for the world": {day, "2026-07-01T06:00:00Z", "2026-07-01T16:00:00Z", "2026-07-01T16:00:00Z", false},
		"equal ends are the whole day":            {whole, "2026-11-21T23:00:00Z", "2026-11-22T23:00:00Z", "2026-11-22T23:00:00Z", false},
		"up to the end of the day":                {end, "2026-11-23T22:59:00Z", "2026-11-23T23:00:00Z", "2026-11-23T23:00:00Z", false},
		"the first of two half past two":          {small, "2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z", "2026-10-25T02:00:00Z", false},
		"between the two, though the clock is back": {
			small, "2026-10-25T01:10:00Z", "2026-10-25T02:00:00Z", "2026-10-25T02:00:00Z", true},
		"a night of which an hour is missing": {
			week.Span{Days: week.On(time.Saturday), From: 22 * 60, To: 6 * 60}, "2026-03-29T03:59:00Z", "2026-03-29T04:00:00Z", "2026-03-29T04:00:00Z", false},
	} {
		place := berlin(t)
		now := at(t, c.at)
		until := c.span.Until(now, place)
		if got := until.IsZero(); got != (c.until == "") || !got && !until.Equal(at(t, c.until)) {
			t.Errorf("%s: until %v, want %q", what, until, c.until)
		}
		within, next := week.Around([]week.Span{c.span}, now, place)
		if within != (c.until != "") || !next.Equal(at(t, c.next)) {
			t.Errorf("%s: within %v, next %v, want %v, %s", what, within, next.UTC(), c.until != "", c.next)
		}
		local := now.In(place)
		shown := c.span.Shown(local.Weekday(), local.Hour()*60+local.Minute())
		if shown != (c.until != "") && !c.onlyAtClock {
			t.Errorf("%s: a clock that shows it says %v", what, shown)
		}
	}
}

func TestSpansAreSeenTogether(t *testing.T) {
	spans := []week.Span{{Days: week.Every, From: 8 * 60, To: 12 * 60}, {Days: week.Every, From: 11 * 60, To: 17 * 60}}
	within, next := week.Around(spans, at(t, "2026-11-23T10:30:00Z"), time.UTC)
	if !within || !next.Equal(at(t, "2026-11-23T11:00:00Z")) {
		t.Error(within, next)
	}
	if within, next := week.Around(nil, at(t, "2026-11-23T10:30:00Z"), time.UTC); within || !next.IsZero() {
		t.Error("nothing holds", within, next)
	}
}

func TestTimesOfTheDayAreReadAsTheyAreWritten(t *testing.T) {
	for minute := range week.MinutesOfDay + 1 {
		if got, ok := week.Minute(week.Clock(minute)); !ok || got != minute {
			t.Fatal(minute, got, ok)
		}
	}
	for _, text := range []string{"", "7:00", "24:01", "25:00", "12:60", "12-30", "+1:00", "12:3x", "012:30", "１2:00"} {
		if _, ok := week.Minute(text); ok {
			t.Errorf("%q was read", text)
		}
	}
}

func TestDaysAreReadByTheirFirstLetters(t *testing.T) {
	for text, want := range map[string]time.Weekday{"mo": time.Monday, "tue": time.Tuesday, "th": time.Thursday, "sat": time.Saturday, "sunday": time.Sunday} {
		if got, ok := week.Day(text); !ok || got != want {
			t.Error(text, got, ok)
		}
	}
	for _, text := range []string{"", "t", "Mo", "mond ay", "mondays", "xx"} {
		if got, ok := week.Day(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func FuzzMinute(f *testing.F) {
	f.Add("22:00")
	f.Add("24:00")
	f.Fuzz(func(t *testing.T, text string) {
		if m, ok := week.Minute(text); ok && week.Clock(m) != text {
			t.Errorf("%q is read as %s", text, week.Clock(m))
		}
	})
}
