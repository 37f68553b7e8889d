package motion

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera"
	"github.com/chargewatch/chargewatch/internal/event"
)

const address = "rtsp://yard/main"

// shown lets a detector see pictures two seconds apart and collects what it says, in
// seconds from start.
func shown(d *Detector, start, from time.Time, pictures ...[]byte) (said []string) {
	for i, g := range pictures {
		for _, c := range d.Look(g, from.Add(time.Duration(i)*2*time.Second)) {
			said = append(said, told(c, start))
		}
	}
	return said
}

func times(n int, picture func() []byte) (list [][]byte) {
	for range n {
		list = append(list, picture())
	}
	return list
}

func TestWhatWasDoneWhileNobodyLookedIsFoundAfterTheStart(t *testing.T) {
	start := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	p := newPlace(7, 3)
	turned := func(x, y int, _ float64) float64 { return p.ground[max(y-12, 0)*w+(x+120)%w] }
	nightly := dim(0.16, 6)
	seen := func(by ...paint) []byte { // what a detector knows that saw this
		d := New(nil)
		if said := shown(d, start, start, times(20, func() []byte { return p.picture(by...) })...); said != nil {
			t.Fatal(said)
		}
		if !d.Remember(start.Add(time.Minute)) {
			t.Fatal("nothing is remembered")
		}
		return d.Views(address)
	}
	day := seen()
	for name, c := range map[string]struct {
		views []byte
		at    time.Time
		by    []paint
		want  []string
	}{
		"all is as it was": {day, start, nil, nil},
		"it is dimmer":     {day, start, []paint{dim(0.5, 4)}, nil},
		"it was covered":   {day, start, []paint{dim(0.02, 12)}, []string{"covered begins 2", "covered ends 42"}},
		"it was turned":    {day, start, []paint{turned}, []string{"turned begins 2", "turned ends 42"}},
		"it was turned, an hour later in the day": {day, start.Add(24*time.Hour + 50*time.Minute), []paint{turned}, []string{"turned begins 2", "turned ends 42"}},
		"by night, which nobody saw yet":          {day, start.Add(12 * time.Hour), []paint{nightly}, nil},
		"nothing is known, so it is learned":      {nil, start, []paint{turned}, nil},
	} {
		d := New(nil)
		if c.views != nil {
			if err := d.SetViews(address, c.views); err != nil {
				t.Fatal(err)
			}
		}
		pictures := times(20, func() []byte { return p.picture(c.by...) })
		if c.want != nil {
			pictures = append(pictures, times(5, func() []byte { return p.picture() })...)
		}
		if said := shown(d, c.at, c.at, pictures...); !slices.Equal(said, c.want) {
			t.Errorf("%s: %q, want %q", name, said, c.want)
		}
	}
}

func TestAPlaceIsKnownInEachOfItsLights(t *testing.T) {
	start := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	p := newPlace(11, 3)
	// By night lamps light a part of it, and little of the day's structure is left.
	lamp := []paint{dim(0.05, 4), beam(60, 120, 60, 12)}
	d := New(nil)
	at := start
	show := func(n int, by ...paint) (said []string) {
		pictures := times(n, func() []byte { return p.picture(by...) })
		said = shown(d, start, at, pictures...)
		at = at.Add(time.Duration(n) * 2 * time.Second)
		d.Remember(at)
		return said
	}
	show(60)
	show(60, lamp...)
	known := len(d.views)
	show(60)
	for range 3 {
		if said := append(show(40, lamp...), show(40)...); said != nil {
			t.Errorf("when the lamps go on and off as they did before: %q", said)
		}
	}
	if known < 2 || len(d.views) > maxViews {
		t.Errorf("it knows %d, then %d views", known, len(d.views))
	}
	if said := show(10, func(x, y int, _ float64) float64 { return p.ground[max(y-12, 0)*w+(x+120)%w] }); len(said) != 1 {
		t.Errorf("of a camera turned away it says %q", said)
	}
	if d.Remember(at) {
		t.Error("it remembers what a camera shows that was turned away")
	}
}

func TestDamagedViewsAreNotTaken(t *testing.T) {
	d := New(nil)
	p := newPlace(5, 3)
	start := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	shown(d, start, start, times(20, func() []byte { return p.picture() })...)
	d.Remember(start)
	good := d.Views(address)
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 1
	for name, c := range map[string]struct {
		data   []byte
		source string
		want   error
	}{
		"good":           {good, address, nil},
		"empty":          {nil, address, errViewsDamaged},
		"cut":            {good[:len(good)/2], address, errViewsDamaged},
		"a bit flipped":  {flipped, address, errViewsDamaged},
		"another source": {good, "rtsp://other/main", errOtherSource},
		"too long":       {append(bytes.Clone(good), make([]byte, maxViewsFile)...), address, errViewsDamaged},
	} {
		x := New(nil)
		if err := x.SetViews(c.source, c.data); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if len(x.views) > 0 != (c.want == nil) {
			t.Errorf("%s: %d views are taken", name, len(x.views))
		}
	}
}

func FuzzViews(f *testing.F) {
	d := New(nil)
	d.Remember(time.Unix(0, 0))
	f.Add(d.Views(address))
	f.Add([]byte(viewsMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := New(nil)
		if d.SetViews(address, data) != nil {
			return
		}
		if again := New(nil); again.SetViews(address, d.Views(address)) != nil || len(again.views) != len(d.views) {
			t.Error("what was taken is not given back")
		}
	})
}

func TestTheFolderKeepsViewsOfEachCameraAndForgets(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	f, err := OpenFolder(root)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, id := range []string{"gate", "../../gate", ""} {
		if data, err := f.load(id); data != nil || err != nil {
			t.Errorf("%q: %q, %v before anything was kept", id, data, err)
		}
		if err := f.save(id, []byte("views of "+id)); err != nil {
			t.Fatal(err)
		}
		if data, err := f.load(id); string(data) != "views of "+id || err != nil {
			t.Errorf("%q: %q, %v", id, data, err)
		}
	}
	if err := f.forget("gate"); err != nil {
		t.Error(err)
	}
	if data, err := f.load("gate"); data != nil || err != nil {
		t.Errorf("%q, %v of a camera that is forgotten", data, err)
	}
	// Eyes with a damaged file learn anew.
	w := NewWatch(Options{Views: f, Armed: func(string) bool { return false }, Logger: slog.New(slog.DiscardHandler)})
	y := newEyes(w)
	y.configure(camera.Config{ID: ""})
	if len(y.main.views) != 0 {
		t.Error("a damaged file is believed")
	}
}

func TestSomebodyAcceptsTheViewOfACamera(t *testing.T) {
	h := &heard{}
	w := NewWatch(Options{Armed: func(string) bool { return false }, Logger: slog.New(slog.DiscardHandler), Streams: func() Streams { return h }})
	y := newEyes(w)
	w.own["gate"] = y
	y.configure(camera.Config{ID: "gate"})
	start := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	p := newPlace(5, 3)
	turned := func(x, y int, _ float64) float64 { return p.ground[max(y-12, 0)*320+(x+120)%320] }
	shown(y.main, start, start, times(20, func() []byte { return p.picture() })...)
	said := shown(y.main, start, start.Add(time.Minute), times(5, func() []byte { return p.picture(turned) })...)
	if len(said) != 1 || y.main.Tampered() != event.SceneTurned {
		t.Fatalf("%q", said)
	}
	if w.Accept("other") || !w.Accept("gate") {
		t.Error("it accepts cameras that there are")
	}
	if s, _ := w.Camera("gate"); s.Tampered != "" || !slices.Equal(h.how, []string{""}) {
		t.Errorf("it is still %q, told %q", s.Tampered, h.how)
	}
	if said := shown(y.main, start, start.Add(2*time.Minute), times(20, func() []byte { return p.picture(turned) })...); said != nil {
		t.Errorf("of the view that was accepted: %q", said)
	}
}

type heard struct {
	Streams
	how []string
}

func (h *heard) Tampered(_, how string, _ time.Time) { h.how = append(h.how, how) }

// A server that starts tells how its cameras are before it looks at them.
func TestEyesThatAreNotConfiguredYetCanBeAsked(t *testing.T) {
	if s := newEyes(NewWatch(Options{})).status(); s.Slow || s.Tampered != "" || s.Interval != 0 {
		t.Errorf("%+v", s)
	}
}
