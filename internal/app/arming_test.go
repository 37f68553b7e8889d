package app

import "testing"

func TestACalendarIsToldWhenItTurns(t *testing.T) {
	told := make(map[string]bool)
	for i, step := range []struct{ armed, bySchedule, news bool }{
		{false, false, false}, // nobody decided anything
		{false, true, true},   // there is a calendar
		{false, true, false},
		{true, true, true}, // the evening
		{true, true, false},
		{true, false, false}, // a person came before it
		{true, true, true},   // and their time is over
		{false, true, true},  // the morning
		{true, true, true},   // the next evening
		{false, false, true}, // somebody ended it, or took the calendar away
		{false, false, false},
	} {
		if got := turned(told, "mall", step.armed, step.bySchedule); got != step.news {
			t.Errorf("step %d: told %v", i, got)
		}
	}
}
