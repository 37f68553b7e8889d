package main

import (
	"testing"
	"time"

	simcam "github.com/chargewatch/chargewatch/internal/sim/camera"
)

func TestThePaintedCellsSayWhichPictureItIs(t *testing.T) {
	p := paint{camera: 77, width: 640, height: 360, seconds: 3}
	picture := make([]byte, p.width*p.height)
	for _, n := range []int{0, 1, 44, 255, 256, 0x1234, 0xffff} {
		p.cells(picture, word(p.camera, n))
		var got uint32
		for cell := range cellColumns * cellRows {
			x := (cell%cellColumns)*p.width/cellColumns + p.width/cellColumns/2
			y := (cell/cellColumns)*p.height/cellHeight + p.height/cellHeight/2
			got <<= 1
			if picture[y*p.width+x] > 127 {
				got |= 1
			}
		}
		if byte(got>>24) != p.camera || int(got>>8&0xffff) != n || byte(got) != sumOf(p.camera, n) {
			t.Errorf("picture %d reads as %08x", n, got)
		}
	}
}

func TestASimulatedCameraTakesAPaintedClip(t *testing.T) {
	p := paint{camera: 1, width: 320, height: 180, kbit: 200, seconds: 4}
	data, err := p.clip(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f, err := simcam.New(simcam.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Add(simcam.Spec{Name: "painted", Clip: data}); err != nil {
		t.Fatal(err)
	}
}

func TestAPictureIsOfItsLastShowingBeforeItWasSeen(t *testing.T) {
	s := newShutter(paint{seconds: 2})
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	s.note(7, start)
	if got, ok := s.taken(7, start.Add(time.Second)); !ok || !got.Equal(start) {
		t.Errorf("taken at %v, %v", got, ok)
	}
	if got, _ := s.taken(7, start.Add(-2*time.Millisecond)); !got.Equal(start) {
		t.Errorf("by a clock that is a little behind: %v", got)
	}
	s.note(7, start.Add(2*time.Second))
	if got, _ := s.taken(7, start.Add(time.Second)); !got.Equal(start) {
		t.Errorf("seen before it was taken again: %v", got)
	}
	if _, ok := s.taken(8, start); ok {
		t.Error("a picture that was never taken has a time")
	}
	if _, ok := s.taken(30, start); ok {
		t.Error("a picture behind the end has a time")
	}
}
