package motion

import (
	"math"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/area"
	"github.com/chargewatch/chargewatch/internal/camera/decode"
	"github.com/chargewatch/chargewatch/internal/event"
)

// Zone is a part of the picture with a purpose.
type Zone struct {
	ID      string
	Kind    event.ZoneKind
	Polygon area.Polygon
	// Sensitivity from 0 to 1 says how small what moves may be; 0: 0.5.
	Sensitivity float64
}

// Change is what began or ended.
type Change struct {
	What  event.SceneKind
	Zone  string
	Ended bool
	// Since is when it became so, as far as pictures tell.
	Since   time.Time
	Score   float64
	Percent float64
}

// Times of the detector.
const (
	learnFor     = 5 // pictures, before anything is judged
	backgroundIn = 25 * time.Second
	lightIn      = 8 * time.Second
	noiseIn      = 40 * time.Second
	usualIn      = 2 * time.Minute
	standsFor    = time.Minute // what stands still this long belongs to the place
	lampFor      = 9 * time.Second
	stillAfter   = 5 * time.Second
	pastAfter    = 1500 * time.Millisecond
)

// Detector watches the pictures of one camera. It is for one goroutine at a time.
type Detector struct {
	zones   []watched
	seen    [cells]bool // not hidden for privacy
	counted [cells]bool // and not to be ignored
	scratch *sync.Pool

	pictures int
	at       time.Time
	bg       grid
	noise    grid
	last     grid // the picture before
	past     grid // one from some time before
	pastAt   time.Time
	still    [cells]uint16 // for how many pictures a changed cell has stood still
	steep    float32
	before   []byte // what the picture is compared with to see whether it stands still
	beforeAt time.Time
	views    []view
	usual    usual
	tamper   tamper
	sway     sway
	first    first
	learned  time.Time   // until when nothing is judged
	swarmAt  time.Time   // when insects or flakes were seen to fly about
	shade    float32     // the share of its light that shadows leave a place
	shadeAt  time.Time   // when one was seen last
	pale     [cells]bool // where something pale was
	paleAt   time.Time
	sweptAt  time.Time // when a light swept over the place

	interval time.Duration // between pictures, as usual
}

type watched struct {
	Zone
	cells  int
	in     [cells]bool
	active bool
	since  time.Time
	lastAt time.Time
	// glow counts pictures in a row with something that may be a light.
	glow      int
	glowSince time.Time
	score     float64
	share     float64
}

// usual is what the camera shows when nothing is wrong.
type usual struct {
	spread, texture, same, saturated, stir float64

	still    float64 // share of the picture that does not change
	compared int     // how often that was looked at
}

// New prepares a detector. Without a zone to watch the whole picture is watched.
func New(zones []Zone) *Detector {
	d := &Detector{scratch: &sync.Pool{New: func() any { return new(scratch) }}}
	d.SetZones(zones)
	return d
}

// SetZones changes the zones; what was seen in them before is over.
func (d *Detector) SetZones(zones []Zone) {
	d.zones = nil
	for i := range cells {
		d.seen[i], d.counted[i] = true, true
	}
	var list []int
	for _, z := range zones {
		list = z.Polygon.Within(list[:0], columns, rows)
		for _, i := range list {
			switch z.Kind {
			case event.ZonePrivacy:
				d.seen[i], d.counted[i] = false, false
			case event.ZoneIgnore:
				d.counted[i] = false
			case event.ZoneWatch:
			}
		}
	}
	for _, z := range zones {
		if z.Kind != event.ZoneWatch {
			continue
		}
		w := watched{Zone: z}
		for _, i := range z.Polygon.Within(list[:0], columns, rows) {
			if d.counted[i] {
				w.in[i] = true
				w.cells++
			}
		}
		d.zones = append(d.zones, w)
	}
	if len(d.zones) == 0 {
		w := watched{in: d.counted}
		for _, in := range w.in {
			if in {
				w.cells++
			}
		}
		d.zones = append(d.zones, w)
	}
}

// Interval is how far pictures are apart, as usual; 0 while that is unknown.
func (d *Detector) Interval() time.Duration { return d.interval }

// Tampered is what is wrong with the view, "" if nothing is.
func (d *Detector) Tampered() event.SceneKind { return d.tamper.now }

// Look judges the next picture, decode.GrayWidth x decode.GrayHeight points.
func (d *Detector) Look(gray []byte, at time.Time) []Change {
	if len(gray) != decode.GrayWidth*decode.GrayHeight {
		return nil
	}
	dt := at.Sub(d.at)
	if d.pictures > 0 && (dt <= 0 || dt > time.Hour) {
		dt = max(d.interval, time.Second)
	}
	if d.pictures > 0 {
		if d.interval == 0 {
			d.interval = dt
		}
		d.interval += (dt - d.interval) / 8
	}
	s := d.scratch.Get().(*scratch)
	defer d.scratch.Put(s)
	s.f.fold(gray)
	if d.pictures == 0 {
		d.learned, d.sway.since, d.sway.minute, d.sway.stepAt = at.Add(learnAtLeast), at, at, at
		if d.begin(s, at); d.pictures == 0 {
			d.first.take(s, at)
		}
		d.compare(gray, at, nil)
		d.keep(s, at)
		return nil
	}
	m := d.measure(s)
	d.compare(gray, at, &m)
	changes := d.judge(s, m, at, dt)
	d.keep(s, at)
	return changes
}

// compare notes how much of the picture stands still; pictures that are near each
// other are not compared, since encoders save what hardly changes.
func (d *Detector) compare(gray []byte, at time.Time, m *measures) {
	over := at.Sub(d.beforeAt)
	if m != nil && over >= 0 && over < perPicture {
		return
	}
	if m != nil {
		m.still, m.compared, m.over = d.standing(gray), true, over
		if u := &d.usual; u.compared < learnFor {
			u.compared++
			u.still += (m.still - u.still) / float64(u.compared)
		} else if m.still < frozenShare {
			u.still += pace64(over, usualIn) * (m.still - u.still)
		}
	}
	d.before, d.beforeAt = append(d.before[:0], gray...), at
}

// keep remembers the picture for the next.
func (d *Detector) keep(s *scratch, at time.Time) {
	d.last = s.f
	if d.pictures == 0 || at.Sub(d.pastAt) >= pastAfter || at.Before(d.pastAt) {
		d.past, d.pastAt = s.f, at
	}
	d.at = at
	d.pictures++
}

// seed takes the picture for the place itself.
func (d *Detector) seed(s *scratch, at time.Time) {
	d.bg, d.past, d.pastAt = s.f, s.f, at
	for i := range d.noise {
		d.noise[i] = 2
		d.still[i] = 0
	}
	d.edges()
}

func (d *Detector) judge(s *scratch, m measures, at time.Time, dt time.Duration) []Change {
	if d.pictures < learnFor || at.Before(d.learned) {
		changes := d.early(s, m, at)
		d.first.take(s, at)
		d.learn(s, nil, m, 1/float32(d.pictures+1), dt)
		d.usual.first(m, d.pictures)
		d.edges()
		return changes
	}
	if d.first.pictures != nil {
		still, compared, over := m.still, m.compared, m.over
		m = d.settle(s)
		m.still, m.compared, m.over = still, compared, over
		d.edges()
	}
	changes, wrong := d.tampering(s, m, at)
	if wrong {
		return append(changes, d.rest(at)...)
	}
	blobs := d.findBlobs(s)
	doubted := d.doubt(s, blobs, at)
	changes = append(changes, d.moving(s, m, blobs, doubted, at)...)
	d.step(s, blobs, doubted, at)
	d.learn(s, blobs, m, pace(dt, backgroundIn), dt)
	if m.same > 0.85*d.usual.same { // not with a lorry in front
		d.usual.follow(m, pace64(dt, usualIn))
	}
	d.edges()
	return changes
}

// pace is the share of the new in a mean over a time.
func pace(dt, over time.Duration) float32 { return float32(pace64(dt, over)) }

func pace64(dt, over time.Duration) float64 { return 1 - math.Exp(-float64(dt)/float64(over)) }

// learn lets the background follow. What moves is left out until it has stood still
// for long; light is followed faster than things.
func (d *Detector) learn(s *scratch, blobs []blob, m measures, share float32, dt time.Duration) {
	relit := m.light.holds > 0.6 && (m.light.gain < 0.97 || m.light.gain > 1.03 || m.light.offset < -2 || m.light.offset > 2)
	quick, noisy := max(share, pace(dt, lightIn)), min(share, pace(dt, noiseIn))
	if len(blobs) == 0 && d.pictures < learnFor {
		noisy = share
	}
	stands := uint16(min(standsFor/max(dt, 100*time.Millisecond), math.MaxUint16)) //nolint:gosec // Bounded.
	lamp := uint16(min(lampFor/max(dt, 100*time.Millisecond), math.MaxUint16))     //nolint:gosec // Bounded.
	for _, b := range blobs {
		// The inside of a thing shows as little as its rim shows much.
		for y := b.top; y <= b.bottom; y++ {
			for x := b.left; x <= b.right; x++ {
				s.flooded[y*columns+x] = true
			}
		}
	}
	for i := range cells {
		if relit {
			d.bg[i] = m.light.of(d.bg[i])
		}
		off := s.f[i] - d.bg[i]
		if s.flooded[i] {
			s.flooded[i] = false
			if diff := s.f[i] - d.past[i]; diff > lightLevel || diff < -lightLevel {
				d.still[i] = 0
				continue
			}
			if d.still[i]++; d.still[i] < stands {
				continue
			}
			d.bg[i], d.still[i] = s.f[i], 0
			continue
		}
		a := share
		if off > lightLevel || off < -lightLevel {
			// A lamp that stays on is learned; one that sweeps by is not.
			a = 0
			if d.still[i]++; d.still[i] > lamp {
				a = quick
			}
		} else if d.still[i] > 0 {
			d.still[i]--
		}
		d.bg[i] += a * off
		// 1.25 makes a standard deviation of a mean difference.
		r := max(s.residual[i], -s.residual[i])
		d.noise[i] += noisy * (min(1.25*r, 4*d.noise[i]+2) - d.noise[i])
		d.noise[i] = max(d.noise[i], 0.6)
	}
}

func (u *usual) first(m measures, n int) {
	k := 1 / float64(n)
	u.spread += k * (m.spread - u.spread)
	u.texture += k * (m.texture - u.texture)
	u.same += k * (m.same - u.same)
	u.saturated += k * (m.saturated - u.saturated)
	u.stir += k * (m.stir - u.stir)
}

func (u *usual) follow(m measures, k float64) {
	u.spread += k * (m.spread - u.spread)
	u.texture += k * (m.texture - u.texture)
	u.same += k * (m.same - u.same)
	u.saturated += k * (m.saturated - u.saturated)
	// What stirs more than usual is a change of the light; noise follows the hours.
	if m.stir < 2*u.stir {
		u.stir += k * (m.stir - u.stir)
	} else {
		u.stir += k / 10 * (m.stir - u.stir)
	}
}
