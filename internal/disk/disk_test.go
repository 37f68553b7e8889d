package disk

import (
	"errors"
	"os"
	"testing"
)

// fake is a disk that the test fills.
type fake struct {
	free, total uint64
	err         error
}

func (f *fake) Free() (free, total uint64, err error) { return f.free, f.total, f.err }

func TestStagesAreEnteredAndLeftInOrderWithRoomBetween(t *testing.T) {
	const mi, gi = 1 << 20, 1 << 30
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	space := &fake{total: 1000 * gi}
	var told []Stage
	g := New(root, Options{Space: space, Reserve: 3 * mi, Changed: func(s Stage) { told = append(told, s) }})
	for i, step := range []struct {
		free    uint64
		stage   Stage
		reserve bool
	}{
		{500 * gi, Fine, true},
		{7 * gi, StopClips, true},
		{9 * gi, StopClips, true}, // not enough room to leave it
		{11 * gi, Fine, true},
		{3 * gi, ShortenCurves, true},
		{400 * mi, FreeReserve, false},
		{500 * mi, FreeReserve, false},
		{100 * mi, StopAccepting, false},
		{150 * mi, StopAccepting, false},
		{200 * mi, FreeReserve, false},
		{2 * gi, ShortenCurves, false}, // the reserve comes back when there is plenty
		{6 * gi, StopClips, true},
		{100 * mi, StopAccepting, false}, // all stages at once
		{500 * gi, Fine, true},
	} {
		space.free = step.free
		if err := g.Check(); err != nil {
			t.Fatal(err)
		}
		if g.Stage() != step.stage {
			t.Errorf("step %d: stage %s, want %s", i, g.Stage(), step.stage)
		}
		info, err := root.Stat(ReserveName)
		if there := err == nil && info.Size() == 3*mi; there != step.reserve {
			t.Errorf("step %d: the reserve is there: %v, want %v", i, there, step.reserve)
		}
	}
	if want := 10; len(told) != want {
		t.Errorf("%d changes were told (%v), want %d", len(told), told, want)
	}
	space.err = errors.New("gone")
	if err := g.Check(); !errors.Is(err, space.err) || g.Stage() != Fine {
		t.Errorf("a disk that cannot be asked: %v, stage %s", err, g.Stage())
	}
}

func TestTheReserveTakesRealSpace(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	g := New(root, Options{Reserve: 8 << 20})
	if err := g.keep(); err != nil {
		t.Fatal(err)
	}
	if used := blocks(t, dir+"/"+ReserveName); used < 8<<20 {
		t.Errorf("the reserve of 8 MiB takes %d bytes", used)
	}
	if free, total, err := g.o.Space.Free(); err != nil || free == 0 || free > total {
		t.Errorf("free %d of %d, %v", free, total, err)
	}
}
