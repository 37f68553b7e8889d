package motion

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/area"
	"github.com/chargewatch/chargewatch/internal/camera/decode"
	"github.com/chargewatch/chargewatch/internal/event"
)

const w, h = decode.GrayWidth, decode.GrayHeight

// place is a view drawn from a seed: ground, walls, things with edges, texture.
type place struct {
	ground [w * h]float64
	noise  float64
	r      *rand.Rand
}

func newPlace(seed uint64, noise float64) *place {
	p := &place{noise: noise, r: rand.New(rand.NewPCG(seed, 1))}
	r := rand.New(rand.NewPCG(seed, 2))
	horizon := 30 + r.IntN(50)
	for y := range h {
		for x := range w {
			v := 90 + 25*math.Sin(float64(x)/37+float64(seed))
			if y < horizon {
				v = 150 + 20*float64(y)/float64(horizon)
			}
			p.ground[y*w+x] = v
		}
	}
	for range 60 {
		x0, y0, dx, dy := r.IntN(w), r.IntN(h), 6+r.IntN(60), 4+r.IntN(40)
		level := 40 + 150*r.Float64()
		for y := y0; y < min(y0+dy, h); y++ {
			for x := x0; x < min(x0+dx, w); x++ {
				p.ground[y*w+x] = 0.5*p.ground[y*w+x] + 0.5*level
			}
		}
	}
	for i := range p.ground {
		p.ground[i] += 6 * (r.Float64() - 0.5) * (r.Float64() + 0.5)
	}
	return p
}

// paint is one thing done to the light that comes from a point.
type paint func(x, y int, v float64) float64

// picture is what the camera sends: light, noise, and steps of an encoder.
func (p *place) picture(paints ...paint) []byte {
	out := make([]byte, w*h)
	for y := range h {
		for x := range w {
			v := p.ground[y*w+x]
			for _, f := range paints {
				v = f(x, y, v)
			}
			v += p.noise * p.r.NormFloat64()
			out[y*w+x] = byte(min(max(math.Round(v/2)*2, 0), 255))
		}
	}
	return out
}

func dim(gain, offset float64) paint {
	return func(_, _ int, v float64) float64 { return gain*v + offset }
}

// box is something w by h with its lower left corner at x, y.
func box(x0, y0, dx, dy, level float64) paint {
	return func(x, y int, v float64) float64 {
		if float64(x) >= x0 && float64(x) < x0+dx && float64(y) <= y0 && float64(y) > y0-dy {
			return level
		}
		return v
	}
}

// beam is light on the ground, stronger towards its middle.
func beam(cx, cy, radius, strength float64) paint {
	return func(x, y int, v float64) float64 {
		d := (math.Pow(float64(x)-cx, 2) + math.Pow((float64(y)-cy)*1.6, 2)) / (radius * radius)
		l := math.Exp(-d)
		return v*(1+strength*l) + 40*l*l
	}
}

// act is what is done at a time, nil for nothing.
type act func(p *place, second float64) []paint

// watch shows the detector an act and collects what it says, in seconds.
func watch(d *Detector, p *place, seconds int, a act) []string {
	start := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	var said []string
	for t := 0; t < seconds; t += 2 {
		for _, c := range d.Look(p.picture(a(p, float64(t))...), start.Add(time.Duration(t)*time.Second)) {
			said = append(said, told(c, start))
		}
	}
	return said
}

func between(t, from, to float64, paints ...paint) []paint {
	if t >= from && t < to {
		return paints
	}
	return nil
}

// TestWhatMovesIsFoundAndLightIsNot is the truth table. The seeds of the views are
// those of the run: no number in the detector was chosen by them alone.
func TestWhatMovesIsFoundAndLightIsNot(t *testing.T) {
	t.Parallel()
	night := dim(0.16, 6)
	for name, c := range map[string]struct {
		noise   float64
		seconds int
		act     act
		want    []string
	}{
		"nothing happens": {4, 400, func(*place, float64) []paint { return nil }, nil},
		"a person crosses": {4, 80, func(_ *place, t float64) []paint {
			return between(t, 40, 52, box(40+18*(t-40), 150, 14, 44, 55))
		}, []string{"motion begins 40", "motion ends 50"}},
		"a person far off in the noise of a cheap camera": {6, 80, func(_ *place, t float64) []paint {
			return between(t, 40, 52, box(60+12*(t-40), 70, 5, 13, 20))
		}, []string{"motion begins 40", "motion ends 50"}},
		"a person by night": {4, 80, func(_ *place, t float64) []paint {
			return append(between(t, 40, 52, box(40+18*(t-40), 150, 14, 44, 240)), night)
		}, []string{"motion begins 40", "motion ends 50"}},
		"a car comes and stays": {3, 240, func(_ *place, t float64) []paint {
			x := max(120, 300-30*(t-40))
			return between(t, 40, 1e9, box(x, 150, 90, 40, 60), box(x+20, 120, 50, 15, 170))
		}, []string{"motion begins 40", "motion ends 46"}},
		"clouds":                  {3, 300, func(_ *place, t float64) []paint { return []paint{dim(0.8+0.2*math.Sin(t/9), 0)} }, nil},
		"the lamps go on and off": {4, 200, func(_ *place, t float64) []paint { return append(between(t, 60, 120, dim(2.6, 12)), dim(0.3, 5)) }, nil},
		"dusk":                    {4, 1200, func(_ *place, t float64) []paint { return []paint{dim(1-0.8*min(1, t/1100), 0)} }, nil},
		"headlights sweep by night": {4, 160, func(_ *place, t float64) []paint {
			return append([]paint{night}, between(t, 60, 68, beam(20+40*(t-60), 120, 45, 7))...)
		}, nil},
		"headlights on and off in one place": {4, 200, func(_ *place, t float64) []paint {
			return append([]paint{night}, between(t, 60, 90, beam(160, 120, 60, 6))...)
		}, nil},
		"rain begins": {3, 300, func(p *place, t float64) []paint {
			if t < 60 {
				return nil
			}
			drops := make(map[int]bool)
			for range 120 {
				x, y := p.r.IntN(w), p.r.IntN(h)
				for k := range 4 + p.r.IntN(6) {
					drops[min(y+k, h-1)*w+x] = true
				}
			}
			return []paint{func(x, y int, v float64) float64 {
				if drops[y*w+x] {
					return v + 14
				}
				return v
			}}
		}, nil},
		"the camera shakes by a point": {3, 200, func(p *place, t float64) []paint {
			if int(t)/2%3 != 1 {
				return nil
			}
			return []paint{func(x, y int, _ float64) float64 { return (p.ground[y*w+max(x-1, 0)] + p.ground[y*w+x]) / 2 }}
		}, nil},
		"the lens is covered": {4, 120, func(_ *place, t float64) []paint {
			return between(t, 60, 80, func(x, _ int, _ float64) float64 { return 12 + 8*float64(x)/w })
		}, []string{"covered begins 60", "covered ends 82"}},
		"the lens is covered by night": {4, 120, func(_ *place, t float64) []paint {
			return append([]paint{night}, between(t, 60, 80, dim(0, 9))...)
		}, []string{"covered begins 60", "covered ends 82"}},
		"paint on the lens": {4, 120, func(_ *place, t float64) []paint {
			return between(t, 60, 200, dim(0.03, 190))
		}, []string{"covered begins 60"}},
		"a torch into the lens": {4, 120, func(_ *place, t float64) []paint {
			return between(t, 60, 80, dim(1, 240))
		}, []string{"blinded begins 60", "blinded ends 82"}},
		"out of focus": {4, 120, func(p *place, t float64) []paint {
			return between(t, 60, 90, func(x, y int, _ float64) float64 { return p.blurred(x, y, 6) })
		}, []string{"defocused begins 60", "defocused ends 92"}},
		"turned": {4, 120, func(p *place, t float64) []paint {
			return between(t, 60, 200, func(x, y int, _ float64) float64 { return p.ground[max(y-12, 0)*w+(x+120)%w] })
		}, []string{"turned begins 60"}},
		"mirrored": {4, 120, func(p *place, t float64) []paint {
			return between(t, 60, 200, func(x, y int, _ float64) float64 { return p.ground[y*w+w-1-x] })
		}, []string{"turned begins 60"}},
		"somebody moves after it was uncovered": {4, 140, func(_ *place, t float64) []paint {
			return append(between(t, 60, 80, dim(0, 10)), between(t, 100, 110, box(40+18*(t-100), 150, 14, 44, 55))...)
		}, []string{"covered begins 60", "covered ends 82", "motion begins 100", "motion ends 108"}},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(4) {
				said := watch(New(nil), newPlace(seed+500, c.noise), c.seconds, c.act)
				if !slices.Equal(said, c.want) {
					t.Errorf("view %d: %q, want %q", seed, said, c.want)
				}
			}
		})
	}
}

// blurred is the mean around a point.
func (p *place) blurred(x, y, reach int) float64 {
	sum, n := 0.0, 0.0
	for v := max(0, y-reach); v <= min(h-1, y+reach); v += 2 {
		for u := max(0, x-reach); u <= min(w-1, x+reach); u += 2 {
			sum, n = sum+p.ground[v*w+u], n+1
		}
	}
	return sum / n
}

func TestAFrozenPictureIsFoundAndACameraWithoutNoiseIsLeftAlone(t *testing.T) {
	start := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	d, p := New(nil), newPlace(3, 4)
	var said []string
	var still []byte
	for s := 0; s < 100; s += 2 {
		g := p.picture()
		switch {
		case s == 40:
			still = g
		case s > 40 && s < 60:
			g = still
		}
		for _, c := range d.Look(g, start.Add(time.Duration(s)*time.Second)) {
			said = append(said, told(c, start))
		}
	}
	if want := []string{"frozen begins 40", "frozen ends 62"}; !slices.Equal(said, want) {
		t.Errorf("%q, want %q", said, want)
	}
	if said := watch(New(nil), newPlace(3, 0), 100, func(*place, float64) []paint { return nil }); said != nil {
		t.Errorf("of a camera without noise: %q", said)
	}
}

func TestZonesSayWhereItMatters(t *testing.T) {
	left := area.Polygon{{0, 0}, {0.4, 0}, {0.4, 1}, {0, 1}}
	right := area.Polygon{{0.6, 0}, {1, 0}, {1, 1}, {0.6, 1}}
	walk := func(_ *place, t float64) []paint { return between(t, 40, 56, box(20+19*(t-40), 150, 14, 44, 55)) }
	for name, c := range map[string]struct {
		zones []Zone
		want  []string
	}{
		"two zones, one after the other": {
			[]Zone{{ID: "l", Kind: event.ZoneWatch, Polygon: left}, {ID: "r", Kind: event.ZoneWatch, Polygon: right}},
			[]string{"motion begins 40 l", "motion ends 44 l", "motion begins 50 r", "motion ends 54 r"},
		},
		"where nothing counts":         {[]Zone{{Kind: event.ZoneIgnore, Polygon: left}}, []string{"motion begins 46", "motion ends 54"}},
		"where nobody may look":        {[]Zone{{Kind: event.ZonePrivacy, Polygon: area.Polygon{{0, 0}, {1, 0}, {1, 1}, {0, 1}}}}, nil},
		"a zone that is ignored again": {[]Zone{{ID: "l", Kind: event.ZoneWatch, Polygon: left}, {Kind: event.ZoneIgnore, Polygon: left}}, nil},
	} {
		if said := watch(New(c.zones), newPlace(9, 4), 100, walk); !slices.Equal(said, c.want) {
			t.Errorf("%s: %q, want %q", name, said, c.want)
		}
	}
}

// TestTheReferenceClip is what was drawn by testdata/draw.sh.
func TestTheReferenceClip(t *testing.T) {
	start := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	d := New(nil)
	var said []string
	for i, g := range keyPictures(t, reference(t)) {
		for _, c := range d.Look(g, start.Add(time.Duration(i)*2*time.Second)) {
			said = append(said, told(c, start))
		}
	}
	want := []string{
		"motion begins 30", "motion ends 40", "motion begins 50", "motion ends 60",
		"covered begins 96", "covered ends 108", "turned begins 112",
	}
	if !slices.Equal(said, want) {
		t.Errorf("it says\n%s\nand should\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
}

func BenchmarkLook(b *testing.B) {
	p := newPlace(1, 4)
	var pictures [][]byte
	for i := range 8 {
		pictures = append(pictures, p.picture(box(40+float64(18*i), 150, 14, 44, 55)))
	}
	d := New(nil)
	at := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	for i := 0; b.Loop(); i++ {
		d.Look(pictures[i%len(pictures)], at)
		at = at.Add(2 * time.Second)
	}
}
