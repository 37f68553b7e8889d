package station

import (
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

func TestWhenSomethingHappened(t *testing.T) {
	t0 := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	type step struct {
		heard   time.Duration // after t0, when we received it
		device  time.Duration // after t0, what the device said
		want    time.Duration
		quality event.TimeQuality
	}
	tests := map[string][]step{
		"a right clock is believed": {
			{0, -time.Second, -time.Second, event.TimeDevice},
			{time.Minute, time.Minute + 2*time.Second, time.Minute, event.TimeDevice},
		},
		"an hour ahead is corrected at once": {
			{0, time.Hour, 0, event.TimeCorrected},
			{time.Minute, time.Hour + 50*time.Second, 50 * time.Second, event.TimeCorrected},
		},
		"a queue replayed after an hour offline keeps its times": {
			{0, -time.Hour, -time.Hour, event.TimeDevice},
			{20 * time.Second, -50 * time.Minute, -50 * time.Minute, event.TimeDevice},
			{40 * time.Second, -40 * time.Minute, -40 * time.Minute, event.TimeDevice},
			{60 * time.Second, -30 * time.Minute, -30 * time.Minute, event.TimeDevice},
			{80 * time.Second, 80 * time.Second, 80 * time.Second, event.TimeDevice},
		},
		"a clock that stays an hour behind is found out": {
			{0, -time.Hour, -time.Hour, event.TimeDevice},
			{20 * time.Second, -time.Hour + 20*time.Second, -time.Hour + 20*time.Second, event.TimeDevice},
			{40 * time.Second, -time.Hour + 40*time.Second, 40 * time.Second, event.TimeCorrected},
		},
		"a late report of a right clock stays late": {
			{0, 0, 0, event.TimeDevice},
			{time.Minute, -time.Hour, -time.Hour, event.TimeDevice},
		},
		"a clock that was set right is believed again": {
			{0, time.Hour, 0, event.TimeCorrected},
			{time.Minute, time.Minute, time.Minute, event.TimeDevice},
			{2 * time.Minute, time.Minute, time.Minute, event.TimeDevice},
		},
		"nothing is taken from 1970": {
			{0, time.Unix(100, 0).Sub(t0), 0, event.TimeReceived},
		},
		"nothing is taken from years ahead": {
			{0, 10 * 366 * 24 * time.Hour, 0, event.TimeReceived},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			var c clock
			for i, s := range steps {
				at, q := c.estimate(t0.Add(s.device), t0.Add(s.heard))
				if !at.Equal(t0.Add(s.want)) || q != s.quality {
					t.Errorf("step %d: %v after the start, %v; want %v, %v", i, at.Sub(t0), q, s.want, s.quality)
				}
			}
		})
	}
	var c clock
	if at, q := c.estimate(time.Time{}, t0); !at.Equal(t0) || q != event.TimeReceived {
		t.Errorf("no time given: %v %v", at, q)
	}
}
