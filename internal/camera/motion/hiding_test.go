package motion

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	simcamera "github.com/chargewatch/chargewatch/internal/sim/camera"
	"github.com/chargewatch/chargewatch/internal/sim/camera/clips"
)

// visit is a time in which somebody is there, and for how much of it he is to be seen
// to move.
type visit struct{ from, to float64 }

// account says what was wrong with what a detector said: who was not found in time, and
// what it said of nobody. A visit that follows another at once need not begin anew.
func account(said []saying, visits []visit, every time.Duration, counts float64) (wrong []string) {
	const ends = 12 // what lasts after it
	open := func(at float64) bool {
		on := false
		for _, s := range said {
			if s.at.Seconds() <= at && s.What == "motion" {
				on = !s.Ended
			}
		}
		return on
	}
	for _, v := range visits {
		if v.from < counts {
			continue
		}
		if by := v.from + every.Seconds() + 0.5; !open(by) {
			wrong = append(wrong, fmt.Sprintf("nobody is found by %.1f who came at %.1f", by, v.from))
		}
	}
	for _, s := range said {
		at, there := s.at.Seconds(), s.Ended
		for _, v := range visits {
			there = there || at >= v.from-0.5 && at <= v.to+ends
		}
		if !there {
			wrong = append(wrong, fmt.Sprintf("%s is said at %.1f", s.What, at))
		}
	}
	return wrong
}

func show(d *Detector, picture func(second float64) []byte, long float64, every time.Duration) (said []saying) {
	start := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	for i := 0; ; i++ {
		at := time.Duration(i) * every
		if at.Seconds() >= long {
			return said
		}
		for _, c := range d.Look(picture(at.Seconds()), start.Add(at)) {
			said = append(said, saying{c, at})
		}
	}
}

// TestWhoeverWalksAgainAndAgainIsFoundEachTime plays what the bench of a hundred cameras
// shows: somebody walks over the yard, then nobody does, over and over, so that he is
// seen at the same three places each time. No memory may take him for what belongs there.
func TestWhoeverWalksAgainAndAgainIsFoundEachTime(t *testing.T) {
	t.Parallel()
	var table clips.Table
	sights, err := table.Sights("yard-day-walks")
	if err != nil {
		t.Fatal(err)
	}
	var r reel
	for _, f := range feeds() {
		loop := append(append([][]byte(nil), r.pictures(t, f, "yard-day-walks")...), r.pictures(t, f, "yard-day-bays-00")...)
		long, minutes, firsts := f.every.Seconds()*float64(len(loop)), 30.0, len(loop)
		if !f.keys {
			minutes, firsts = 4, 1
		}
		for first := range firsts {
			var visits []visit
			for at := -f.every.Seconds() * float64(first); at+long < minutes*60; at += long {
				for _, m := range simcamera.Moments(sights) {
					if m.What == simcamera.Motion {
						visits = append(visits, visit{at + m.From.Seconds(), at + m.To.Seconds()})
					}
				}
			}
			noise := rand.New(rand.NewPCG(uint64(first), 3))
			said := show(New(nil), func(second float64) []byte {
				picture := append([]byte(nil), loop[(first+int(math.Round(second/f.every.Seconds())))%len(loop)]...)
				for i := range picture {
					picture[i] = byte(min(int(picture[i])+noise.IntN(3), 255))
				}
				return picture
			}, minutes*60, f.every)
			for _, w := range account(said, visits, f.every, 10) {
				t.Errorf("%s from picture %d on: %s", f.name, first, w)
			}
			minutes = min(minutes, 5)
		}
	}
}

// cloth is a flag of stripes in the wind; its upper left corner is at x0, y0.
func cloth(x0, y0, wide, high, second float64) paint {
	reach := wide * (0.9 + 0.08*math.Sin(0.7*second))
	return func(x, y int, v float64) float64 {
		u := float64(x) - x0
		if u < 0 || u > reach {
			return v
		}
		wave := 0.1 * u * math.Sin(u/7-5*second)
		k := (float64(y) - y0 - wave) / high
		if k < 0 || k > 1 {
			return v
		}
		return [...]float64{150, 60, 190}[min(int(k*3), 2)] * (0.85 + 0.15*math.Sin(u/7-5*second+1))
	}
}

// crown is that of a tree whose twigs sway, each in its own time.
func crown(cx, cy, reach, second float64) paint {
	type twig struct{ x, y, r, level float64 }
	r := rand.New(rand.NewPCG(uint64(cx), 9))
	twigs := make([]twig, 40)
	for i := range twigs {
		a, d, pace := 2*math.Pi*r.Float64(), reach*math.Sqrt(r.Float64()), 0.8+1.4*r.Float64()
		swing := (0.5 + 0.5*math.Sin(second/9)) * (1 + 3*r.Float64())
		twigs[i] = twig{cx + d*math.Cos(a) + swing*math.Sin(pace*second+a), cy + 0.8*d*math.Sin(a) + 0.4*swing*math.Sin(pace*second), 3 + 5*r.Float64(), 30 + 70*r.Float64()}
	}
	levels := make([]float64, w*h) // 0 where none is
	for _, l := range slices.Backward(twigs) {
		for y := max(0, int(l.y-l.r)); y <= min(h-1, int(l.y+l.r)); y++ {
			for x := max(0, int(l.x-l.r)); x <= min(w-1, int(l.x+l.r)); x++ {
				if dx, dy := float64(x)-l.x, float64(y)-l.y; dx*dx+dy*dy < l.r*l.r {
					levels[y*w+x] = l.level
				}
			}
		}
	}
	return func(x, y int, v float64) float64 {
		if l := levels[y*w+x]; l > 0 {
			return l
		}
		return v
	}
}

// somebody stands with his feet at x, y, so many points high; stride is where his legs
// and arms are.
func somebody(x, y, high, stride float64) []paint {
	wide := high / 3.2
	swing := 0.22 * wide * math.Sin(stride)
	return []paint{
		box(x-0.35*wide+swing, y, 0.3*wide, 0.5*high, 45), box(x+0.05*wide-swing, y, 0.3*wide, 0.5*high, 38),
		box(x-0.45*wide, y-0.42*high, 0.9*wide, 0.42*high, 70), box(x-0.5*wide-swing, y-0.5*high, 0.2*wide, 0.3*high, 120),
		box(x-0.2*wide, y-0.83*high, 0.4*wide, 0.17*high, 165),
	}
}

// TestNobodyIsHiddenByWhatSways has people come to places where it sways, and to places
// where people have been all the time.
func TestNobodyIsHiddenByWhatSways(t *testing.T) {
	t.Parallel()
	night := dim(0.4, 8)
	along := func(from, to, begin, end, t float64) float64 { return from + (to-from)*(t-begin)/(end-begin) }
	for name, c := range map[string]struct {
		minutes float64
		visits  []visit
		act     act
	}{
		"the wind alone, in a flag":  {8, nil, func(_ *place, t float64) []paint { return []paint{cloth(140, 60, 44, 30, t)} }},
		"the wind alone, in a crown": {8, nil, func(_ *place, t float64) []paint { return []paint{crown(90, 70, 34, t)} }},
		"somebody walks before a flag": {3, []visit{{100, 114}}, func(_ *place, t float64) []paint {
			return append([]paint{cloth(140, 60, 44, 30, t)}, between(t, 100, 114, somebody(along(2, 318, 100, 114, t), 110, 58, 3*t)...)...)
		}},
		"somebody small walks before a flag, a minute after the start": {2, []visit{{60, 80}}, func(_ *place, t float64) []paint {
			return append([]paint{cloth(140, 60, 44, 30, t)}, between(t, 60, 80, somebody(along(2, 318, 60, 80, t), 86, 22, 3*t)...)...)
		}},
		"a cable is cut by night beside a tree that sways": {4, []visit{{60, 190}}, func(_ *place, t float64) []paint {
			x := min(along(318, 136, 60, 76, t), max(136, along(136, 318, 176, 190, t)))
			x = max(x, 136)
			return append(append([]paint{crown(90, 90, 34, t)}, between(t, 60, 190, somebody(x, 130, 46, 4*t)...)...), night)
		}},
		"somebody stands under a tree that sways, and is taller": {4, []visit{{90, 150}}, func(_ *place, t float64) []paint {
			return append([]paint{crown(90, 70, 34, t)}, between(t, 90, 150, somebody(90, 140, 90, t)...)...)
		}},
		"somebody stands newly before a flag, within it": {4, []visit{{90, 100}}, func(_ *place, t float64) []paint {
			return append([]paint{cloth(140, 60, 80, 60, t)}, between(t, 90, 150, somebody(175, 115, 50, 2*t)...)...)
		}},
		"somebody passes every 20 s": {30, every(20, 40, 1800, 7), func(_ *place, t float64) []paint {
			k := math.Mod(t, 20)
			if t < 40 || k > 7 {
				return nil
			}
			return somebody(along(2, 318, 0, 7, k), 140, 52, 3*t)
		}},
		"somebody passes every 20 s before a flag": {12, every(20, 40, 720, 8), func(_ *place, t float64) []paint {
			k := math.Mod(t, 20)
			if t < 40 || k > 8 {
				return []paint{cloth(140, 60, 44, 30, t)}
			}
			return append([]paint{cloth(140, 60, 44, 30, t)}, somebody(along(2, 318, 0, 8, k), 110, 58, 3*t)...)
		}},
		"somebody shuffles in a place for minutes, goes, and comes back": {16, []visit{{60, 520}, {700, 830}, {860, 950}}, func(_ *place, t float64) []paint {
			switch {
			case t >= 60 && t < 500, t >= 700 && t < 820, t >= 860 && t < 940:
				return somebody(150+5*math.Sin(1.1*t)+4*math.Sin(0.31*t), 150, 54, 1.3*t)
			case t >= 500 && t < 508, t >= 820 && t < 826:
				return somebody(min(150+20*math.Mod(t, 20), 318), 150, 54, 3*t)
			}
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(2) {
				for _, every := range []time.Duration{2 * time.Second, 400 * time.Millisecond} {
					minutes := c.minutes
					if every < time.Second && (seed > 0 || minutes > 8) {
						continue
					}
					p := newPlace(seed+900, 3)
					said := show(New(nil), func(second float64) []byte { return p.picture(c.act(p, second)...) }, minutes*60, every)
					for _, w := range account(said, c.visits, every, 10) {
						t.Errorf("view %d, a picture in %s: %s", seed, every, w)
					}
				}
			}
		})
	}
}

// TestWhoeverComesSoonAfterTheStartIsFound shows a sub stream of which the first seconds
// are still learned.
func TestWhoeverComesSoonAfterTheStartIsFound(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		for _, from := range []float64{5, 6.2, 7.4} {
			p := newPlace(seed+950, 3)
			said := show(New(nil), func(second float64) []byte {
				return p.picture(between(second, from, from+8, somebody(2+40*(second-from), 140, 52, 3*second)...)...)
			}, 20, 200*time.Millisecond)
			for _, w := range account(said, []visit{{from, from + 8}}, 600*time.Millisecond, 0) {
				t.Errorf("view %d: %s", seed, w)
			}
		}
	}
}

// every is a visit so often.
func every(seconds, from, to, long float64) (list []visit) {
	for at := from; at < to; at += seconds {
		list = append(list, visit{at, at + long})
	}
	return list
}
