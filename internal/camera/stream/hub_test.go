package stream_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// pictures publishes n units, a key picture every every.
func pictures(h *stream.Hub, from, n, every int) {
	for i := from; i < from+n; i++ {
		h.Publish(&stream.Unit{DTS: time.Duration(i), Key: i%every == 0, NALUs: [][]byte{make([]byte, 10)}})
	}
}

func next(t *testing.T, r *stream.Reader) *stream.Unit {
	t.Helper()
	u, err := r.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestAReaderStartsWithAKeyPicture(t *testing.T) {
	var h stream.Hub
	pictures(&h, 0, 13, 10)
	r := h.Follow(stream.FollowOptions{})
	defer r.Close()
	fast := h.Follow(stream.FollowOptions{FromKey: true})
	defer fast.Close()
	keys := h.Follow(stream.FollowOptions{FromKey: true, KeysOnly: true})
	defer keys.Close()
	pictures(&h, 13, 10, 10)
	if u := next(t, r); u.DTS != 20 {
		t.Errorf("the first picture is %d", u.DTS)
	}
	for want := time.Duration(10); want < 23; want++ {
		if u := next(t, fast); u.DTS != want {
			t.Fatalf("%d, want %d", u.DTS, want)
		}
	}
	for _, want := range []time.Duration{10, 20} {
		if u := next(t, keys); u.DTS != want {
			t.Errorf("%d, want key picture %d", u.DTS, want)
		}
	}
	if r.Dropped() != 0 || fast.Dropped() != 0 {
		t.Errorf("dropped %d, %d", r.Dropped(), fast.Dropped())
	}
}

func TestNobodyStartsWithPicturesOfAConnectionThatIsOver(t *testing.T) {
	var h stream.Hub
	pictures(&h, 0, 13, 10)
	before := h.Follow(stream.FollowOptions{FromKey: true})
	defer before.Close()
	h.Rest()
	if h.Key() != nil || h.Last() == nil {
		t.Errorf("key picture %v, last %v", h.Key(), h.Last())
	}
	if before.Behind() != 3 {
		t.Errorf("who followed has %d pictures left to read, want 3", before.Behind())
	}
	r := h.Follow(stream.FollowOptions{FromKey: true})
	defer r.Close()
	pictures(&h, 15, 10, 10)
	if u := next(t, r); u.DTS != 20 {
		t.Errorf("the first picture is %d, want the next key picture", u.DTS)
	}
	if u := h.Key(); u == nil || u.DTS != 20 {
		t.Errorf("the newest key picture is %v", u)
	}
}

func TestASlowReaderLosesPicturesUpToTheNextKeyAndNobodyElseDoes(t *testing.T) {
	var h stream.Hub
	slow := h.Follow(stream.FollowOptions{Buffer: 4})
	defer slow.Close()
	quick := h.Follow(stream.FollowOptions{Buffer: 64})
	defer quick.Close()
	pictures(&h, 0, 25, 10)
	var got []time.Duration
	for slow.Behind() > 0 {
		got = append(got, next(t, slow).DTS)
	}
	if len(got) != 4 || got[3] != 3 {
		t.Fatalf("before the hole it read %v", got)
	}
	if d := slow.Dropped(); d != 21 {
		t.Errorf("dropped %d of 21", d)
	}
	pictures(&h, 25, 8, 10)
	if u := next(t, slow); u.DTS != 30 || !u.Key {
		t.Errorf("behind the hole it starts with %d", u.DTS)
	}
	if quick.Behind() != 33 || quick.Dropped() != 0 {
		t.Errorf("the quick one has %d, lost %d", quick.Behind(), quick.Dropped())
	}
}

func TestNobodyStartsBehindAHole(t *testing.T) {
	var h stream.Hub
	pictures(&h, 0, 3, 10)
	h.Publish(&stream.Unit{DTS: 3, Broken: true})
	pictures(&h, 4, 3, 10)
	if h.Key() != nil {
		t.Error("a group with a hole is offered")
	}
	r := h.Follow(stream.FollowOptions{FromKey: true})
	defer r.Close()
	pictures(&h, 10, 1, 10)
	if u := next(t, r); u.DTS != 10 {
		t.Errorf("starts with %d", u.DTS)
	}
}

func TestAfterCloseReadersReadOnAndEnd(t *testing.T) {
	var h stream.Hub
	r := h.Follow(stream.FollowOptions{})
	pictures(&h, 0, 2, 10)
	h.Close()
	h.Close()
	pictures(&h, 2, 2, 10)
	next(t, r)
	next(t, r)
	if _, err := r.Next(t.Context()); !errors.Is(err, stream.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
	r.Close()
	late := h.Follow(stream.FollowOptions{FromKey: true})
	if _, err := late.Next(t.Context()); !errors.Is(err, stream.ErrClosed) {
		t.Errorf("too late: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	var idle stream.Hub
	if _, err := idle.Follow(stream.FollowOptions{}).Next(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}
