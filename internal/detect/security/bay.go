package security

import (
	"slices"
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// bayBlocked is C08: a vehicle stands in a bay and does not charge, so nobody else can.
// It is no crime but a service to be rendered: S3, and S4 while other ports are free.
//
// A bay is a zone of a camera with ports. Which vehicle belongs to which port of it
// nobody knows: while one of its ports has a session the rule says nothing. Who drives
// through has left no trace ten minutes later; who stands still may be told of rarely.
func bayBlocked() detect.Detector {
	return detect.Detector{
		ID: "C08", Code: "bayBlocked", Cameras: true,
		Needs: []detect.Source{detect.ChargerSource, detect.VehicleSource},
		Params: []detect.Param{
			{Name: "minutes", Default: 10, Unit: "min", Doc: "how long a vehicle may stand in a bay without a session"},
			{Name: "gapMinutes", Default: 15, Unit: "min", Doc: "how long a vehicle is taken to be there still after it was last told of"},
		},
		Kinds: []event.Kind{event.KindScene, event.KindLabels, event.KindTransaction, event.KindServerStarted},
		On:    bayOn,
		Due:   bayDue,
		New:   func() any { return new(bays) },
	}
}

// bays are the vehicles before a camera, and the zones of what moved there last.
type bays struct {
	Bays   []bay   `json:"bays,omitempty"`
	Scenes []scene `json:"scenes,omitempty"`
}

// bay is a vehicle in a zone.
type bay struct {
	Zone  string   `json:"zone,omitempty"`
	Ports []string `json:"ports"`
	// From is when it came, Since when it could have charged, Last when it was last
	// told of, Scene what goes on.
	From  detect.Moment `json:"from"`
	Since detect.Moment `json:"since"`
	Last  detect.Moment `json:"last"`
	Scene string        `json:"scene,omitempty"`
	Told  string        `json:"told,omitempty"` // the port of which it was told
}

const maxBays = 32

func bayOn(c *detect.Context, e *event.Event) {
	switch b := e.Body.(type) {
	case *event.ServerStarted:
		if m := detect.Recall[bays](c, 0); m != nil {
			c.Station.Touch()
			m.Scenes = nil
			for i := range m.Bays {
				m.Bays[i].Scene = ""
			}
		}
	case *event.Transaction:
		if b.Stage != event.TransactionStarted {
			return
		}
		for cam := range c.Network().CamerasAt(c.Station) {
			other := c.Of(cam)
			if m := detect.Recall[bays](other, 0); m != nil {
				for i := range m.Bays {
					m.Bays[i].over(other, detect.Word("ended", "session"))
				}
			}
		}
	case *event.Scene:
		bayScene(c, b)
	case *event.Labels:
		if b.Best(event.SceneVehicle) < labelCounts {
			return
		}
		if zone, ports := zoneOf(c, b.Scene); len(ports) > 0 {
			x := detect.Memory[bays](c, 0).enter(c, zone, ports)
			x.Last = detect.At(c.Now)
			x.judge(c)
		}
	}
}

func bayScene(c *detect.Context, b *event.Scene) {
	m := detect.Recall[bays](c, 0)
	switch {
	case b.Phase == event.SceneEnded && m != nil:
		c.Station.Touch()
		for i := range m.Bays {
			if x := &m.Bays[i]; x.Scene == b.ID { // it stands still now, or it is gone
				x.Scene, x.Last = "", detect.At(c.Now)
				x.judge(c)
			}
		}
	case len(b.Ports) == 0 || b.Phase == event.SceneEnded:
	case b.What == event.SceneVehicle:
		x := detect.Memory[bays](c, 0).enter(c, b.Zone, b.Ports)
		x.Last = detect.At(c.Now)
		if b.Phase == event.SceneStarted {
			x.Scene = b.ID
		}
		x.judge(c)
	case b.What == event.SceneMotion && b.Phase == event.SceneStarted:
		m := detect.Memory[bays](c, 0)
		if len(m.Scenes) == maxBays {
			m.Scenes = slices.Delete(m.Scenes, 0, 1)
		}
		m.Scenes = append(m.Scenes, scene{ID: b.ID, Zone: b.Zone, Ports: b.Ports, Since: detect.At(c.Now)})
	}
}

// zoneOf is where labels of a scene belong; of none, where a camera shows one bay only.
func zoneOf(c *detect.Context, id string) (zone string, ports []string) {
	if m := detect.Recall[bays](c, 0); m != nil && id != "" {
		for _, x := range m.Scenes {
			if x.ID == id {
				return x.Zone, x.Ports
			}
		}
	}
	for _, z := range c.Station.Camera.Zones {
		if len(z.Ports) == 0 {
			continue
		}
		if len(ports) > 0 {
			return "", nil
		}
		zone, ports = z.ID, z.Ports
	}
	return zone, ports
}

// enter is the vehicle of a zone; one that was not told of for long is another.
func (m *bays) enter(c *detect.Context, zone string, ports []string) *bay {
	i := slices.IndexFunc(m.Bays, func(x bay) bool { return x.Zone == zone && slices.Equal(x.Ports, ports) })
	if i >= 0 && m.Bays[i].here(c) {
		return &m.Bays[i]
	}
	if i < 0 {
		if len(m.Bays) == maxBays {
			m.Bays[0].over(c)
			m.Bays = slices.Delete(m.Bays, 0, 1)
		}
		m.Bays = append(m.Bays, bay{})
		i = len(m.Bays) - 1
	}
	now := detect.At(c.Now)
	m.Bays[i].over(c)
	m.Bays[i] = bay{Zone: zone, Ports: ports, From: now, Since: now, Last: now}
	c.Wake(m.Bays[i].key(), c.Now.Add(c.Minutes("minutes")))
	return &m.Bays[i]
}

func (x *bay) key() string { return "bay-" + x.Zone + "-" + x.Ports[0] }

// here reports that the vehicle is there as far as is known.
func (x *bay) here(c *detect.Context) bool {
	return x.Scene != "" || x.Last.Ago(c.Now) <= c.Minutes("gapMinutes")
}

// holds reports that a port is one of the bay.
func (x *bay) holds(st *detect.Station, evse int) bool {
	return slices.Contains(x.Ports, event.Port(st.ID, evse, 0).String())
}

// judge tells that a bay is blocked once it has been for long enough.
func (x *bay) judge(c *detect.Context) {
	last := x.Last
	if x.Scene != "" {
		last = detect.At(c.Now)
	}
	if x.Told != "" || time.Duration(last-x.Since)*time.Microsecond < c.Minutes("minutes") {
		return
	}
	st, free, used := x.look(c)
	if used || free == nil {
		return
	}
	x.Told = event.Port(st.ID, free.EVSE, 0).String()
	f := event.Finding{
		Severity: event.S3, Since: x.Since.Time(), Facts: []event.Fact{detect.Word("camera", called(c.Station))},
		Text: c.Say("A vehicle has stood at port %s for %s and does not charge.", x.Told, detect.Span(x.Since.Ago(c.Now))),
	}
	if otherFree(c, x) {
		f.Severity = event.S4
	}
	c.Of(st).Raise(free.EVSE, f)
}

// look finds a port of the bay where a car could charge, and whether one has business
// in it: a session, one that ended while the vehicle was there, a plug or a booking.
func (x *bay) look(c *detect.Context) (at *detect.Station, free *detect.Port, used bool) {
	for _, name := range x.Ports {
		st, p := port(c, name)
		if p == nil {
			continue
		}
		if p.Tx != nil || p.Left || p.EndedAt >= x.From || p.Status == fleet.Preparing || p.Status == fleet.Reserved {
			used = true
		}
		if free == nil && st.Free(p) {
			at, free = st, p
		}
	}
	return at, free, used
}

func otherFree(c *detect.Context, x *bay) bool {
	for st := range c.Network().Site(c.Station.SiteID) {
		for i := range st.Ports {
			if p := &st.Ports[i]; st.Free(p) && !x.holds(st, p.EVSE) {
				return true
			}
		}
	}
	return false
}

// over takes back what was told of a bay.
func (x *bay) over(c *detect.Context, facts ...event.Fact) {
	if x.Told == "" {
		return
	}
	if st, p := port(c, x.Told); p != nil {
		c.Of(st).Clear("bayBlocked", p.EVSE, facts...)
	}
	x.Told = ""
	c.Station.Touch()
}

func bayDue(c *detect.Context, key string) {
	m := detect.Recall[bays](c, 0)
	if m == nil {
		return
	}
	i := slices.IndexFunc(m.Bays, func(x bay) bool { return x.key() == key })
	if i < 0 {
		return
	}
	c.Station.Touch()
	x := &m.Bays[i]
	if !x.here(c) {
		x.over(c)
		m.Bays = slices.Delete(m.Bays, i, i+1)
		return
	}
	if _, _, used := x.look(c); used {
		x.over(c)
		x.Since = detect.At(c.Now)
	}
	x.judge(c)
	c.Wake(key, c.Now.Add(max(c.Minutes("minutes")/2, time.Minute)))
}

// overstay is C09: a session is over and its vehicle still stands there half an hour
// later. What the station says (the cable is still in) does not make it one: in many
// places a car stays overnight and nobody minds. A vehicle that is seen does.
func overstay() detect.Detector {
	return detect.Detector{
		ID: "C09", Code: "overstayed", Reads: []string{"C08"},
		Needs:  []detect.Source{detect.ChargerSource, detect.VehicleSource},
		Params: []detect.Param{{Name: "minutes", Default: 30, Unit: "min", Doc: "how long a vehicle may stay after its session"}},
		Kinds:  []event.Kind{event.KindTransaction},
		On: func(c *detect.Context, e *event.Event) {
			if b, ok := e.Body.(*event.Transaction); ok && b.Stage == event.TransactionStarted {
				c.Clear("overstayed", e.Subject.EVSE, detect.Word("ended", "session"))
			}
		},
		Ended: func(c *detect.Context, t *detect.Ended) {
			c.Wake(strconv.Itoa(t.Port.EVSE), c.Now.Add(c.Minutes("minutes")))
		},
		Due: overstayDue,
	}
}

func overstayDue(c *detect.Context, key string) {
	for i := range c.Station.Ports {
		p := &c.Station.Ports[i]
		if strconv.Itoa(p.EVSE) != key {
			continue
		}
		camera, stays := stays(c, p)
		if !stays || p.Tx != nil {
			c.Clear("overstayed", p.EVSE)
			return
		}
		c.Raise(p.EVSE, event.Finding{
			Severity: event.S4, Since: p.EndedAt.Time(), Facts: []event.Fact{detect.Word("camera", camera)},
			Text: c.Say("A session ended %s ago, and the vehicle still stands there.", detect.Span(p.EndedAt.Ago(c.Now))),
		})
		c.Wake(key, c.Now.Add(10*time.Minute))
	}
}

// stays is the camera that sees the vehicle whose session ended at a port.
func stays(c *detect.Context, p *detect.Port) (camera string, ok bool) {
	for cam := range c.Network().CamerasAt(c.Station) {
		m := detect.RecallOf[bays](cam, "C08", 0)
		if m == nil {
			continue
		}
		for i := range m.Bays {
			x := &m.Bays[i]
			seen := x.Scene != "" || x.Last.Ago(c.Now) <= 15*time.Minute
			if x.holds(c.Station, p.EVSE) && seen && x.From <= p.EndedAt && !others(c, x, p) {
				return called(cam), true
			}
		}
	}
	return "", false
}

// others reports that another port of the bay is in use: the vehicle may be that one's.
func others(c *detect.Context, x *bay, p *detect.Port) bool {
	for _, name := range x.Ports {
		if _, o := port(c, name); o != nil && o != p && o.Tx != nil {
			return true
		}
	}
	return false
}
