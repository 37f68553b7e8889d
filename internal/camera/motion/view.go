package motion

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"time"
)

// view is how a place looks in some light.
type view struct {
	picture [cells]byte
	hours   uint32 // bit n: it was seen in the hour n, UTC
	seen    time.Time
}

const (
	maxViews = 8
	// A picture shows the place if its small shapes are those of a view as far as this,
	// and shows it in the same light if they are very much.
	knownFrom   = 0.5
	sameViewAt  = 0.85
	sameLightBy = 12 // levels
)

func (v *view) grid(g *grid) {
	for i, x := range v.picture {
		g[i] = float32(x)
	}
}

func hourBit(at time.Time) uint32 { return 1 << at.UTC().Hour() }

// near reports whether the view was seen at this time of day, or an hour from it.
func (v *view) near(at time.Time) bool {
	return v.hours&(hourBit(at)|hourBit(at.Add(time.Hour))|hourBit(at.Add(-time.Hour))) != 0
}

// alike is how far the small shapes of b are those of s.f: 1 all, 0 none. It needs
// s.mf, and spoils the neighbourhoods of the background.
func (d *Detector) alike(s *scratch, b *grid) float64 {
	s.mb.mean(b, &s.line)
	var ff, bb, fb, own blocks
	for i := range cells {
		if !d.seen[i] {
			continue
		}
		hf, hb := s.f[i]-s.mf[i], b[i]-s.mb[i]
		k := i/columns/blockSide*blockColumns + i%columns/blockSide
		ff[k], bb[k], fb[k], own[k] = ff[k]+hf*hf, bb[k]+hb*hb, fb[k]+hf*hb, own[k]+1
	}
	return likeness(&ff, &bb, &fb, &own)
}

// known reports whether the picture shows the place as it was once seen.
func (d *Detector) known(s *scratch) bool {
	var g grid
	defer s.mb.mean(&d.bg, &s.line)
	return slices.ContainsFunc(d.views, func(v view) bool {
		v.grid(&g)
		return d.alike(s, &g) >= knownFrom
	})
}

// knownAsIs reports whether the place was seen so, in this light.
func (d *Detector) knownAsIs(s *scratch) bool {
	var g grid
	defer s.mb.mean(&d.bg, &s.line)
	return slices.ContainsFunc(d.views, func(v view) bool {
		v.grid(&g)
		return d.off(&s.f, &g) < sameLightBy && d.alike(s, &g) > sameViewAt
	})
}

// off is how many levels two pictures are apart, mean.
func (d *Detector) off(f, g *grid) float64 {
	var off float64
	n := 1.0
	for i := range g {
		if d.seen[i] {
			off, n = off+float64(max(g[i]-f[i], f[i]-g[i])), n+1
		}
	}
	return off / n
}

// expected is what the place looked like at this time of day, nil if that was never
// seen.
func (d *Detector) expected(at time.Time) *view {
	var last *view
	for i := range d.views {
		if v := &d.views[i]; v.near(at) && (last == nil || v.seen.After(last.seen)) {
			last = v
		}
	}
	return last
}

// begin takes the first picture: for the place itself, unless it is not like any view
// of the place and views of this time of day are known. Then the camera was covered or
// turned while nobody looked.
func (d *Detector) begin(s *scratch, at time.Time) {
	s.mf.mean(&s.f, &s.line)
	v := d.expected(at)
	if v == nil || d.known(s) {
		d.seed(s, at)
		return
	}
	now := s.f
	v.grid(&s.f)
	d.seed(s, at)
	d.usually(s)
	d.pictures, d.learned = learnFor, at
	s.f = now
}

// usually takes what s shows, which is the background, for what is usual.
func (d *Detector) usually(s *scratch) {
	m := d.measure(s)
	d.usual = usual{spread: m.spread, texture: m.texture, same: m.same, saturated: m.saturated, stir: d.usual.stir, still: d.usual.still, compared: d.usual.compared}
}

// Remember keeps the view as it is now, if nothing is wrong with it. It reports
// whether anything new is known.
func (d *Detector) Remember(at time.Time) bool {
	if d.pictures < 2*learnFor || d.tamper.now != "" || d.tamper.maybe != "" || d.tamper.frozen > 0 {
		return false
	}
	s := d.scratch.Get().(*scratch)
	defer d.scratch.Put(s)
	s.f = d.bg
	s.mf.mean(&s.f, &s.line)
	var now view
	for i, x := range d.bg {
		if d.seen[i] { // what nobody may see is not kept either
			now.picture[i] = byte(min(max(x+0.5, 0), 255))
		}
	}
	now.hours, now.seen = hourBit(at), at
	var g grid
	for i := range d.views {
		v := &d.views[i]
		v.grid(&g)
		if d.off(&s.f, &g) < sameLightBy && d.alike(s, &g) > sameViewAt {
			fresh := v.hours&now.hours == 0
			now.hours |= v.hours
			*v = now
			return fresh
		}
	}
	if len(d.views) == maxViews {
		oldest := 0
		for i := range d.views {
			if d.views[i].seen.Before(d.views[oldest].seen) {
				oldest = i
			}
		}
		d.views = slices.Delete(d.views, oldest, oldest+1)
	}
	d.views = append(d.views, now)
	return true
}

// Views are what is known of the place, to be kept and given to SetViews after a
// restart. They are bound to a source: another camera's are refused.
func (d *Detector) Views(source string) []byte {
	var body bytes.Buffer
	w, _ := flate.NewWriter(&body, flate.BestSpeed) // the level is one there is
	head := make([]byte, 1, 1+12*maxViews)
	head[0] = byte(len(d.views))
	for i := range d.views {
		head = binary.BigEndian.AppendUint64(head, uint64(max(d.views[i].seen.Unix(), 0))) //nolint:gosec // Not negative.
		head = binary.BigEndian.AppendUint32(head, d.views[i].hours)
	}
	_, _ = w.Write(head) // into memory
	for i := range d.views {
		_, _ = w.Write(d.views[i].picture[:])
	}
	_ = w.Close()
	out := []byte(viewsMagic)
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE([]byte(source)))
	out = append(out, body.Bytes()...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out))
}

const (
	viewsMagic = "CWVIEWS1"
	// maxViewsFile is more than a file of views can have: what does not compress.
	maxViewsFile = 2 * maxViews * (cells + 64)
)

// Why views are not taken.
var (
	errViewsDamaged = errors.New("the views of a camera are damaged")
	errOtherSource  = errors.New("the views are those of another source")
)

// SetViews takes what Views gave. It is for a Detector that has seen nothing yet.
func (d *Detector) SetViews(source string, data []byte) error {
	views, err := parseViews(source, data)
	if err != nil {
		return err
	}
	d.views = views
	return nil
}

func parseViews(source string, data []byte) ([]view, error) {
	if len(data) > maxViewsFile || len(data) < len(viewsMagic)+8 || string(data[:len(viewsMagic)]) != viewsMagic {
		return nil, fmt.Errorf("%w: not views of this version", errViewsDamaged)
	}
	whole, sum := data[:len(data)-4], binary.BigEndian.Uint32(data[len(data)-4:])
	if crc32.ChecksumIEEE(whole) != sum {
		return nil, fmt.Errorf("%w: the sum differs", errViewsDamaged)
	}
	rest := whole[len(viewsMagic):]
	if binary.BigEndian.Uint32(rest) != crc32.ChecksumIEEE([]byte(source)) {
		return nil, errOtherSource
	}
	r := flate.NewReader(bytes.NewReader(rest[4:]))
	var n [1]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return nil, fmt.Errorf("%w: %w", errViewsDamaged, err)
	}
	if n[0] > maxViews {
		return nil, fmt.Errorf("%w: %d views", errViewsDamaged, n[0])
	}
	views := make([]view, n[0])
	for i := range views {
		var head [12]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return nil, fmt.Errorf("%w: %w", errViewsDamaged, err)
		}
		views[i].seen = time.Unix(int64(binary.BigEndian.Uint64(head[:])&(1<<40-1)), 0) //nolint:gosec // 40 bits.
		views[i].hours = binary.BigEndian.Uint32(head[8:]) & (1<<24 - 1)
	}
	for i := range views {
		if _, err := io.ReadFull(r, views[i].picture[:]); err != nil {
			return nil, fmt.Errorf("%w: %w", errViewsDamaged, err)
		}
	}
	return views, nil
}
