package live_test

import (
	"bytes"
	"testing"

	"github.com/chargewatch/chargewatch/internal/camera/live"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// wants waits for exactly these pictures, in order.
func (v *viewer) wants(t *testing.T, what string, list ...*stream.Unit) {
	t.Helper()
	for i, u := range list {
		if got := <-v.got; !bytes.Equal(bytes.Join(got, nil), bytes.Join(u.NALUs, nil)) {
			t.Fatalf("%s: picture %d of %d is another one", what, i+1, len(list))
		}
	}
}

func (c *camera) plays(n int) (list []*stream.Unit) {
	for range n {
		list = append(list, c.play())
	}
	return list
}

// Nothing is sent by the cameras here but what the test sends: a viewer that
// waited for a picture to come would wait forever.
func TestAViewerGetsAtOnceWhatIsThere(t *testing.T) {
	main, sub := &camera{units: clip(t), codec: stream.H264}, &camera{units: clip(t, "-vf", "scale=160:90"), codec: stream.H264}
	h := &hubs{cameras: map[string]*camera{"gate": main, "gate/sub": sub}}
	s := serve(t, h, live.Options{})
	begin := func(t *testing.T, meanwhile func()) *viewer {
		t.Helper()
		v := look(t)
		a, err := s.Watch(t.Context(), live.Offer{Camera: "gate", Stream: "sub", Instead: "main", SDP: v.offer(t)})
		if err != nil {
			t.Fatal(err)
		}
		if meanwhile != nil {
			meanwhile()
		}
		v.accept(t, a.SDP)
		t.Cleanup(func() { s.End("gate", a.ID); <-a.Done })
		return v
	}
	fresh := func() (ofMain, ofSub []*stream.Unit) {
		main.n, sub.n = 0, 0
		return main.plays(7), sub.plays(4)
	}

	t.Run("the small stream plays", func(t *testing.T) {
		_, small := fresh()
		begin(t, nil).wants(t, "kept", small...)
	})
	t.Run("it was let go a moment ago", func(t *testing.T) {
		large, _ := fresh()
		sub.hub.Rest()
		v := begin(t, nil)
		v.wants(t, "the main stream", large...)
		sub.n = 3
		sub.plays(12) // it is back, in the middle of a group
		v.wants(t, "the main stream goes on", main.plays(2)...)
		v.wants(t, "the small one", sub.plays(3)...)
	})
	t.Run("it ends while the viewer connects", func(t *testing.T) {
		large, _ := fresh()
		begin(t, sub.hub.Rest).wants(t, "the main stream", large...)
	})
	t.Run("it comes while the viewer connects", func(t *testing.T) {
		fresh()
		sub.hub.Rest()
		sub.n = 0
		var small []*stream.Unit
		begin(t, func() { small = sub.plays(4) }).wants(t, "kept", small...)
	})
}

func TestACameraThatIsBackIsShownFromItsKeyPictureOn(t *testing.T) {
	c := &camera{units: clip(t), codec: stream.H264}
	h := &hubs{cameras: map[string]*camera{"gate": c}}
	s := serve(t, h, live.Options{})
	before := c.plays(3)
	v := look(t)
	a, err := s.Watch(t.Context(), live.Offer{Camera: "gate", Stream: "main", SDP: v.offer(t)})
	if err != nil {
		t.Fatal(err)
	}
	v.accept(t, a.SDP)
	v.wants(t, "before", before...)
	c.hub.Rest()
	c.epoch++
	c.n = 10
	c.plays(5)
	v.wants(t, "after", c.plays(4)...) // 15 is a key picture
	s.End("gate", a.ID)
	<-a.Done
}
