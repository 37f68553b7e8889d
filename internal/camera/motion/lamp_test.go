package motion

import (
	"math"
	"testing"
	"time"
)

// dart is a streak of something that shines, from a place in a direction.
func dart(x0, y0, long, angle, bright float64) paint {
	c, s := math.Cos(angle), math.Sin(angle)
	return func(x, y int, v float64) float64 {
		u, across := (float64(x)-x0)*c+(float64(y)-y0)*s, (float64(y)-y0)*c-(float64(x)-x0)*s
		if u < 0 || u > long {
			return v
		}
		return v + bright*math.Exp(-across*across/1.5)
	}
}

// TestNobodyIsHiddenByMothsAndLamps has moths dart past and a lamp turn, and people come
// to the same places.
func TestNobodyIsHiddenByMothsAndLamps(t *testing.T) {
	t.Parallel()
	night := dim(0.4, 8)
	darts := func(t float64) []paint {
		if int(t)%6 != 0 {
			return nil
		}
		return []paint{dart(40+math.Mod(37*t, 200), 40+math.Mod(23*t, 90), 26, 0.4*math.Sin(t), 50+math.Mod(13*t, 50))}
	}
	lit := func(t float64) []paint {
		if int(t)%6 != 2 {
			return nil
		}
		return []paint{beam(230, 60, 50, 3)}
	}
	comes := func(t, from float64, high float64) []paint {
		return between(t, from, from+14, somebody(2+22*(t-from), 140, high, 3*t)...)
	}
	for name, c := range map[string]struct {
		visits []visit
		act    act
	}{
		"moths dart past":            {nil, func(_ *place, t float64) []paint { return append(darts(t), night) }},
		"somebody walks behind them": {[]visit{{60, 74}}, func(_ *place, t float64) []paint { return append(append(comes(t, 60, 50), darts(t)...), night) }},
		"somebody crawls behind them": {[]visit{{60, 74}}, func(_ *place, t float64) []paint {
			return append(append(between(t, 60, 74, box(2+20*(t-60), 140, 34, 11, 30), box(34+20*(t-60), 136, 7, 7, 210)), darts(t)...), night)
		}},
		"a lamp turns":                {nil, func(_ *place, t float64) []paint { return append(lit(t), night) }},
		"somebody walks in its light": {[]visit{{60, 74}}, func(_ *place, t float64) []paint { return append(append(comes(t, 60, 50), lit(t)...), night) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(3) {
				p := newPlace(seed+970, 3)
				every := 2 * time.Second
				said := show(New(nil), func(second float64) []byte { return p.picture(c.act(p, second)...) }, 160, every)
				for _, w := range account(said, c.visits, every, 10) {
					t.Errorf("view %d: %s", seed, w)
				}
			}
		})
	}
}
