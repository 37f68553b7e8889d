package disk

import (
	"math"
	"testing"
	"time"
)

func TestTheDayOnWhichTheDiskIsFull(t *testing.T) {
	const day = 24 * time.Hour
	for name, tc := range map[string]struct {
		room float64
		all  []Growth
		days float64 // negative: it lasts
	}{
		"nothing grows":                       {100, []Growth{{Bytes: 50}}, -1},
		"no room is left":                     {0, nil, 0},
		"one grows for ever":                  {100, []Growth{{PerDay: 10}}, 10},
		"it is complete before":               {100, []Growth{{PerDay: 10, Keep: 9 * day}}, -1},
		"what is there counts as kept":        {100, []Growth{{Bytes: 1000, PerDay: 10, Keep: 110 * day}}, 10},
		"it keeps more than there is room":    {100, []Growth{{PerDay: 10, Keep: 30 * day}}, 10},
		"a limit in bytes ends it":            {100, []Growth{{PerDay: 10, Keep: 30 * day, Max: 90}}, -1},
		"one ends and another goes on":        {100, []Growth{{PerDay: 10, Keep: 5 * day}, {PerDay: 5}}, 10},
		"it shrinks to what it keeps, not up": {100, []Growth{{Bytes: 500, PerDay: 10, Keep: 30 * day}}, -1},
		"ten years are enough":                {1e6, []Growth{{PerDay: 1}}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			days, full := Days(tc.room, tc.all)
			if full != (tc.days >= 0) || full && math.Abs(days-tc.days) > 0.01 {
				t.Errorf("%v days, full %v, want %v", days, full, tc.days)
			}
		})
	}
	if s := Steady([]Growth{{Bytes: 5}, {Bytes: 1, PerDay: 2, Keep: 3 * day}, {PerDay: 9, Keep: 100 * day, Max: 7}}); s != 18 {
		t.Errorf("in the end %v, want 18", s)
	}
}
