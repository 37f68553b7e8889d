package uhppote

import (
	"fmt"
	"net"
	"net/netip"
	"time"
)

// plain is a request that says nothing beside its kind.
type plain struct{}

func (plain) put(*Frame)       {}
func (plain) get(*Frame) error { return nil }

// sure is a request that carries nothing but the word that it is meant.
type sure struct{}

func (sure) put(f *Frame) { f.setUint32(8, magic) }
func (sure) get(f *Frame) error {
	if f.uint32(8) != magic {
		return fmt.Errorf("not meant: %w", ErrValue)
	}
	return nil
}

// Requests without content.
type (
	GetDevice     struct{ plain }
	GetStatus     struct{ plain }
	GetClock      struct{ plain }
	GetListener   struct{ plain }
	GetCards      struct{ plain }
	GetEventIndex struct{ plain }
	DeleteCards   struct{ sure }
	ClearProfiles struct{ sure }
)

// Code names the kind.
func (*GetDevice) Code() Code { return CodeDevice }

// Code names the kind.
func (*GetStatus) Code() Code { return CodeStatus }

// Code names the kind.
func (*GetClock) Code() Code { return CodeClock }

// Code names the kind.
func (*GetListener) Code() Code { return CodeListener }

// Code names the kind.
func (*GetCards) Code() Code { return CodeCards }

// Code names the kind.
func (*GetEventIndex) Code() Code { return CodeEventIndex }

// Code names the kind.
func (*DeleteCards) Code() Code { return CodeDeleteCards }

// Code names the kind.
func (*ClearProfiles) Code() Code { return CodeClearProfiles }

// Done answers a request that only wants something done.
type Done struct {
	Of Code
	OK bool
}

// Code names the kind.
func (d *Done) Code() Code         { return d.Of }
func (d *Done) put(f *Frame)       { f.setBool(8, d.OK) }
func (d *Done) get(f *Frame) error { d.OK = f.bool(8); return nil }

// Device is what a controller says about itself.
type Device struct {
	Address  netip.Addr
	MAC      net.HardwareAddr
	Version  Version
	Released Date
}

// Version is that of the firmware.
type Version [2]byte

func (v Version) String() string { return fmt.Sprintf("%x.%02x", v[0], v[1]) }

// Code names the kind.
func (*Device) Code() Code { return CodeDevice }

func (d *Device) put(f *Frame) {
	if d.Address.Is4() {
		b := d.Address.As4()
		copy(f[8:], b[:])
	}
	copy(f[20:26], d.MAC)
	copy(f[26:28], d.Version[:])
	f.setDate(28, d.Released)
}

func (d *Device) get(f *Frame) error {
	d.Address = netip.AddrFrom4([4]byte(f[8:12]))
	d.MAC = append(net.HardwareAddr(nil), f[20:26]...)
	d.Version = Version(f[26:28])
	d.Released = f.date(28)
	return nil
}

// SetClock sets the clock; the answer is a ClockReply.
type SetClock struct{ To Clock }

// Code names the kind.
func (*SetClock) Code() Code { return CodeSetClock }

func (m *SetClock) put(f *Frame) {
	f.setDate(8, m.To.Date)
	f.setClock(12, m.To)
}

func (m *SetClock) get(f *Frame) error {
	m.To = f.clock(f.date(8), 12)
	return nil
}

// ClockReply is what the clock shows.
type ClockReply struct {
	Of Code // of the clock, or of its being set
	Clock
}

// Code names the kind.
func (m *ClockReply) Code() Code { return m.Of }

func (m *ClockReply) put(f *Frame) {
	f.setDate(8, m.Date)
	f.setClock(12, m.Clock)
}

func (m *ClockReply) get(f *Frame) error {
	m.Clock = f.clock(f.date(8), 12)
	return nil
}

// Record is one thing that a controller recorded.
type Record struct {
	Index     uint32
	Type      RecordType
	Granted   bool
	Door      byte
	Direction Direction
	Card      uint32
	At        Clock
	Reason    Reason
}

func (r *Record) put(f *Frame) {
	f.setUint32(8, r.Index)
	f[12] = byte(r.Type)
	f.setBool(13, r.Granted)
	f[14], f[15] = r.Door, byte(r.Direction)
	f.setUint32(16, r.Card)
	f.setDate(20, r.At.Date)
	f.setClock(24, r.At)
	f[27] = byte(r.Reason)
}

func (r *Record) get(f *Frame) error {
	*r = Record{
		Index: f.uint32(8), Type: RecordType(f[12]), Granted: f.bool(13), Door: f[14], Direction: Direction(f[15]),
		Card: f.uint32(16), At: f.clock(f.date(20), 24), Reason: Reason(f[27]),
	}
	if r.Door > Doors {
		return fmt.Errorf("door %d: %w", r.Door, ErrValue)
	}
	return nil
}

// Status is how a controller is, with the newest thing it recorded. Controllers
// send the same by themselves.
type Status struct {
	Last     Record
	Open     [Doors]bool
	Button   [Doors]bool
	Unlocked [Doors]bool
	Error    byte
	Now      Clock
	Sequence uint32
	Forced   bool // an input forces all doors locked
	Fire     bool // the fire input is active
}

// Code names the kind.
func (*Status) Code() Code { return CodeStatus }

func (s *Status) put(f *Frame) {
	s.Last.put(f)
	for i := range Doors {
		f.setBool(28+i, s.Open[i])
		f.setBool(32+i, s.Button[i])
		if s.Unlocked[i] {
			f[49] |= 1 << i
		}
	}
	f[36] = s.Error
	f.setClock(37, s.Now)
	f.setUint32(40, s.Sequence)
	if s.Forced {
		f[50] |= 1
	}
	if s.Fire {
		f[50] |= 2
	}
	if !s.Now.IsZero() {
		f[51], f[52], f[53] = setDigits(s.Now.Year%100), setDigits(int(s.Now.Month)), setDigits(s.Now.Day)
	}
}

func (s *Status) get(f *Frame) error {
	*s = Status{Error: f[36], Sequence: f.uint32(40), Forced: f[50]&1 != 0, Fire: f[50]&2 != 0}
	for i := range Doors {
		s.Open[i], s.Button[i], s.Unlocked[i] = f.bool(28+i), f.bool(32+i), f[49]&(1<<i) != 0
	}
	year, ok1 := digits(f[51])
	month, ok2 := digits(f[52])
	day, ok3 := digits(f[53])
	if d := (Date{2000 + year, time.Month(month), day}); ok1 && ok2 && ok3 && d.valid() {
		s.Now = f.clock(d, 37)
	}
	return s.Last.get(f)
}

// GetEvent asks for a record by its index; 0 is the oldest there is.
type GetEvent struct{ Index uint32 }

// NewestEvent asks for the newest record.
func NewestEvent() *GetEvent { return &GetEvent{Index: lastEventIndex} }

// Newest reports whether it asks for the newest, whatever its index.
func (m *GetEvent) Newest() bool { return m.Index == lastEventIndex }

// Code names the kind.
func (*GetEvent) Code() Code           { return CodeEvent }
func (m *GetEvent) put(f *Frame)       { f.setUint32(8, m.Index) }
func (m *GetEvent) get(f *Frame) error { m.Index = f.uint32(8); return nil }

// EventReply answers with a record.
type EventReply struct{ Record }

// Code names the kind.
func (*EventReply) Code() Code { return CodeEvent }

// SetEventIndex keeps an index on the controller for whoever wants it.
type SetEventIndex struct{ Index uint32 }

// Code names the kind.
func (*SetEventIndex) Code() Code { return CodeSetEventIndex }

func (m *SetEventIndex) put(f *Frame) {
	f.setUint32(8, m.Index)
	f.setUint32(12, magic)
}

func (m *SetEventIndex) get(f *Frame) error {
	if f.uint32(12) != magic {
		return fmt.Errorf("not meant: %w", ErrValue)
	}
	m.Index = f.uint32(8)
	return nil
}

// Number answers with one.
type Number struct {
	Of    Code // how many cards there are, or the index that is kept
	Value uint32
}

// Code names the kind.
func (m *Number) Code() Code         { return m.Of }
func (m *Number) put(f *Frame)       { f.setUint32(8, m.Value) }
func (m *Number) get(f *Frame) error { m.Value = f.uint32(8); return nil }

// Open unlocks a door for its delay.
type Open struct{ Door byte }

// Code names the kind.
func (*Open) Code() Code     { return CodeOpen }
func (m *Open) put(f *Frame) { f[8] = m.Door }
func (m *Open) get(f *Frame) (err error) {
	m.Door, err = f.door(8)
	return err
}

// door reads the number of one.
func (f *Frame) door(at int) (byte, error) {
	if f[at] < 1 || f[at] > Doors {
		return 0, fmt.Errorf("door %d: %w", f[at], ErrValue)
	}
	return f[at], nil
}
