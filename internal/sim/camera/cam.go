package camera

import (
	"fmt"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/pion/rtp"

	"github.com/chargewatch/chargewatch/internal/sim/camera/clips"
)

// period is the time between two pictures of the main stream.
const period = time.Second / clips.MainRate

// ratio is how many pictures of the main stream fall to one of the sub stream.
const ratio = clips.MainRate / clips.SubRate

// lateMost is how far behind a camera may be before it leaves pictures out.
const lateMost = time.Second

// cam is one camera, under the farm's lock.
type cam struct {
	farm    *Farm
	spec    Spec
	program program
	playing playing
	own     *clip // shown in place of all scenes
	fault   Fault
	told    []string
	out     map[bool]*output // by whether it is the sub stream
	tone    *tone            // beside the main stream; nil: it has no sound

	media   time.Duration // time of the pictures
	jump    time.Duration // what a fault added to it
	broken  bool          // the fault in the picture has begun, with a key picture
	still   [2]*picture   // what is repeated while it stands still
	covered [2]*clip
	groups  int // key pictures since the fault began
	sent    int // pictures since then
}

// output is one stream of a camera.
type output struct {
	stream  *gortsplib.ServerStream
	media   *description.Media
	seq     uint16
	packets int
}

// open makes the streams, with what their description says now.
func (c *cam) open() error {
	c.close()
	c.out = make(map[bool]*output, 2)
	for _, sub := range []bool{false, true} {
		clip := c.playing.main
		if sub {
			clip = c.playing.sub
		}
		if clip == nil {
			continue
		}
		h := &format.H264{PayloadTyp: 96, PacketizationMode: 1}
		if !c.fault.describes() {
			h.SPS, h.PPS = clip.sps, clip.pps
		}
		m := &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{h}}
		medias := []*description.Media{m}
		if c.tone != nil && !sub {
			medias = append(medias, c.tone.media)
		}
		o := &output{media: m, stream: &gortsplib.ServerStream{Server: c.farm.server, Desc: &description.Session{Title: c.spec.Name, Medias: medias}}}
		if err := o.stream.Initialize(); err != nil {
			return fmt.Errorf("make stream of %s: %w", c.spec.Name, err)
		}
		c.out[sub] = o
	}
	return nil
}

func (c *cam) close() {
	for _, o := range c.out {
		o.stream.Close()
	}
	c.out = nil
}

// start shows a scene from the next key picture on.
func (c *cam) start(name string, once bool) error {
	now := time.Now()
	if name == "" {
		c.program.scene, c.program.then, c.program.follows = nil, nil, true
		return c.cut(now)
	}
	s, err := FindScene(c.spec.View, name)
	if err != nil {
		return err
	}
	c.program.play(s, once, now)
	return c.cut(now)
}

// scene is made of clips of the camera's place.
func (c *cam) scene(endings []string) (*Scene, error) {
	s := &Scene{Name: "shown"}
	for _, e := range endings {
		clip := e
		if strings.HasPrefix(e, "-") {
			clip = c.spec.View + e
		}
		if !c.farm.names[clip] {
			return nil, fmt.Errorf("%s: no clip %q", c.spec.Name, clip)
		}
		s.Steps = append(s.Steps, Step{Clip: clip, Times: 1})
	}
	if len(s.Steps) == 0 {
		return nil, fmt.Errorf("%s: nothing to show", c.spec.Name)
	}
	return s, nil
}

// cut ends the clip at the next key picture.
func (c *cam) cut(time.Time) error {
	left := c.playing.next % group(clips.MainRate)
	if left == 0 && c.playing.next > 0 {
		c.playing.main = c.playing.main.until(c.playing.next)
		return nil
	}
	end := c.playing.next - left + group(clips.MainRate)
	c.playing.main = c.playing.main.until(end)
	return nil
}

// until is a clip that ends earlier.
func (c *clip) until(n int) *clip {
	short := *c
	short.pictures = c.pictures[:min(n, len(c.pictures))]
	return &short
}

// turn goes on to the next clip.
func (c *cam) turn(now time.Time) error {
	began := c.playing.began.Add(time.Duration(c.playing.next) * period)
	if c.own != nil {
		c.playing = playing{main: c.own, began: began}
		return nil
	}
	step := c.program.advance(now)
	p, err := c.farm.load(step)
	if err != nil {
		return err
	}
	p.began = began
	c.playing = p
	return nil
}

func (c *cam) setFault(f Fault) error {
	was := c.fault
	c.fault = f
	c.broken, c.still, c.groups, c.sent = false, [2]*picture{}, 0, 0
	if f == Cover {
		for i, stream := range []string{MainStream, SubStream} {
			var err error
			if c.covered[i], err = c.farm.shelf.take(stream, "covered"); err != nil {
				return err
			}
		}
	}
	switch f {
	case TimeJump:
		c.jump += time.Hour
	case Drop:
		c.fault = NoFault
		return c.open()
	case Offline, WrongPassword:
		return c.open()
	}
	if f.describes() || was.describes() {
		return c.open()
	}
	return nil
}

// move sends the pictures that are due.
func (c *cam) move(now time.Time, say func(Seen)) error {
	if late := now.Sub(c.due()); late > lateMost {
		c.playing.began = c.playing.began.Add(late)
		c.media += late
	}
	for !now.Before(c.due()) {
		if c.playing.next == len(c.playing.main.pictures) {
			if err := c.turn(now); err != nil {
				return err
			}
			continue
		}
		due := c.due()
		n := c.playing.next
		c.tell(due, say)
		if c.spec.OnPicture != nil {
			c.spec.OnPicture(n, due)
		}
		if err := c.send(false, c.choose(0, c.playing.main, n, clips.MainRate), due); err != nil {
			return err
		}
		if n%ratio == 0 && c.playing.sub != nil {
			if err := c.send(true, c.choose(1, c.playing.sub, n/ratio, clips.SubRate), due); err != nil {
				return err
			}
		}
		if err := c.sound(due); err != nil {
			return err
		}
		c.playing.next++
		c.sent++
		c.media += period
		if c.fault == Slow {
			c.playing.began = c.playing.began.Add(2 * period)
		}
	}
	return nil
}

func (c *cam) due() time.Time { return c.playing.began.Add(time.Duration(c.playing.next) * period) }

// choose is the picture that goes out in place of the n-th of a clip.
func (c *cam) choose(stream int, clip *clip, n, rate int) *picture {
	p := &clip.pictures[n]
	if len(clip.skips) == 0 {
		return p
	}
	skip := func(n int) *picture { return &clip.skips[n%len(clip.skips)] }
	if c.playing.frozen && c.fault == NoFault {
		if p.key {
			return &clip.pictures[0]
		}
		return skip(n % group(rate))
	}
	if c.fault != Freeze && c.fault != Cover && c.fault != Collapse {
		return p
	}
	if p.key && stream == 0 {
		c.broken = true
		c.groups++
	}
	if !c.broken {
		return p
	}
	switch c.fault {
	case Cover:
		return &c.covered[stream].pictures[n%len(c.covered[stream].pictures)]
	case Collapse:
		const keep = 5 // one group in five begins with a key picture
		if p.key && c.groups%keep == 1 {
			return p
		}
		return skip(n%group(rate) + group(rate)*((c.groups+keep-1)%keep))
	}
	if p.key {
		if c.still[stream] == nil {
			c.still[stream] = p
		}
		return c.still[stream]
	}
	return skip(n % group(rate))
}

// send writes a picture to whoever looks.
func (c *cam) send(sub bool, p *picture, due time.Time) error {
	o := c.out[sub]
	if o == nil || c.fault == Stall || c.fault == Offline {
		return nil
	}
	t := c.media + c.jump
	if c.fault == TimeBack && c.sent%10 == 9 {
		t -= 200 * time.Millisecond
	}
	ntp := due
	if c.fault == ClockWrong {
		ntp = due.Add(26 * time.Hour)
	}
	stamp := uint32((uint64(t)*9 + 50_000) / 100_000)
	if c.fault != NoParameters && c.fault != OutOfBandOnly {
		for _, x := range p.params {
			if err := c.write(o, x, false, stamp, ntp); err != nil {
				return err
			}
		}
	}
	for i, x := range p.slices {
		if err := c.write(o, x, i == len(p.slices)-1, stamp, ntp); err != nil {
			return err
		}
	}
	return nil
}

func (c *cam) write(o *output, payload []byte, last bool, stamp uint32, ntp time.Time) error {
	o.seq++
	o.packets++
	if c.fault == Lossy && o.packets%50 == 0 {
		return nil
	}
	err := o.stream.WritePacketRTPWithNTP(o.media, &rtp.Packet{
		Header:  rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: o.seq, Timestamp: stamp, Marker: last},
		Payload: payload,
	}, ntp)
	if err != nil {
		return fmt.Errorf("send a picture of %s: %w", c.spec.Name, err)
	}
	return nil
}
