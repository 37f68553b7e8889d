package uhppote

import (
	"fmt"
	"net/netip"
	"time"
)

// Card is who may open which doors. A controller lets it in from the begin of
// From to the end of To.
type Card struct {
	Number   uint32
	From, To Date
	Doors    [Doors]byte // Never, Always or a time profile
	PIN      uint32      // 0: none
}

func (c *Card) put(f *Frame) {
	f.setUint32(8, c.Number)
	f.setDate(12, c.From)
	f.setDate(16, c.To)
	copy(f[20:24], c.Doors[:])
	f.setUint24(24, c.PIN)
}

func (c *Card) get(f *Frame) error {
	*c = Card{Number: f.uint32(8), From: f.date(12), To: f.date(16), Doors: [Doors]byte(f[20:24]), PIN: f.uint24(24)}
	if c.PIN > maxPIN {
		return fmt.Errorf("a PIN has at most six digits: %w", ErrValue)
	}
	return nil
}

// PutCard adds a card, or changes it.
type PutCard struct{ Card }

// Code names the kind.
func (*PutCard) Code() Code { return CodePutCard }

// CardReply answers with a card; its number is 0 if there is none.
type CardReply struct {
	Of Code // by number, or by place
	Card
}

// Code names the kind.
func (m *CardReply) Code() Code { return m.Of }

// Asked says what a request about a card or record is about.
type asked struct{ Number uint32 }

func (m *asked) put(f *Frame)       { f.setUint32(8, m.Number) }
func (m *asked) get(f *Frame) error { m.Number = f.uint32(8); return nil }

// Requests about one card, by its number or, CardAt, by its place in the list from 1.
type (
	GetCard    struct{ asked }
	GetCardAt  struct{ asked }
	DeleteCard struct{ asked }
)

// CardNumber asks for a card.
func CardNumber(n uint32) *GetCard { return &GetCard{asked{n}} }

// CardAt asks for the card at a place of the list, from 1.
func CardAt(i uint32) *GetCardAt { return &GetCardAt{asked{i}} }

// WithoutCard deletes a card.
func WithoutCard(n uint32) *DeleteCard { return &DeleteCard{asked{n}} }

// Code names the kind.
func (*GetCard) Code() Code { return CodeCard }

// Code names the kind.
func (*GetCardAt) Code() Code { return CodeCardAt }

// Code names the kind.
func (*DeleteCard) Code() Code { return CodeDeleteCard }

// Segment is a part of a day; both ends are in it, and 00:00 to 00:00 is none.
type Segment struct{ From, To Minute }

// Profile is when cards are let in: on these days between these dates in one of
// the segments, or when the linked profile lets them in.
type Profile struct {
	ID       byte
	From, To Date
	Days     [7]bool // from Sunday, as time.Weekday
	Segments [3]Segment
	Linked   byte // 0: none
}

func (p *Profile) put(f *Frame) {
	f[8] = p.ID
	f.setDate(9, p.From)
	f.setDate(13, p.To)
	for d := range p.Days {
		f.setBool(dayAt(17, time.Weekday(d)), p.Days[d])
	}
	for i, s := range p.Segments {
		f.setMinute(24+4*i, s.From)
		f.setMinute(26+4*i, s.To)
	}
	f[36] = p.Linked
}

func (p *Profile) get(f *Frame) (err error) {
	*p = Profile{ID: f[8], From: f.date(9), To: f.date(13), Linked: f[36]}
	for d := range p.Days {
		p.Days[d] = f.bool(dayAt(17, time.Weekday(d)))
	}
	for i := range p.Segments {
		s := &p.Segments[i]
		if s.From, err = f.minute(24 + 4*i); err != nil {
			return err
		}
		if s.To, err = f.minute(26 + 4*i); err != nil {
			return err
		}
	}
	return nil
}

// dayAt is where a day stands: weeks begin on Monday.
func dayAt(at int, d time.Weekday) int { return at + (int(d)+6)%7 }

// SetProfile adds a time profile, or changes it.
type SetProfile struct{ Profile }

// Code names the kind.
func (*SetProfile) Code() Code { return CodeSetProfile }

// ProfileReply answers with a profile; its id is 0 if there is none.
type ProfileReply struct{ Profile }

// Code names the kind.
func (*ProfileReply) Code() Code { return CodeProfile }

// GetProfile asks for a time profile.
type GetProfile struct{ ID byte }

// Code names the kind.
func (*GetProfile) Code() Code           { return CodeProfile }
func (m *GetProfile) put(f *Frame)       { f[8] = m.ID }
func (m *GetProfile) get(f *Frame) error { m.ID = f[8]; return nil }

// Control is how a door is controlled, and for how many seconds it unlocks.
type Control struct {
	Door  byte
	Mode  Mode
	Delay byte
}

func (c *Control) put(f *Frame) { f[8], f[9], f[10] = c.Door, byte(c.Mode), c.Delay }
func (c *Control) get(f *Frame) (err error) {
	c.Mode, c.Delay = Mode(f[9]), f[10]
	c.Door, err = f.door(8)
	return err
}

// SetControl changes it; the answer says what holds then.
type SetControl struct{ Control }

// Code names the kind.
func (*SetControl) Code() Code { return CodeSetControl }

// ControlReply says what holds.
type ControlReply struct {
	Of Code // as asked, or as set
	Control
}

// Code names the kind.
func (m *ControlReply) Code() Code { return m.Of }

// GetControl asks for it.
type GetControl struct{ Door byte }

// Code names the kind.
func (*GetControl) Code() Code     { return CodeControl }
func (m *GetControl) put(f *Frame) { f[8] = m.Door }
func (m *GetControl) get(f *Frame) (err error) {
	m.Door, err = f.door(8)
	return err
}

// Listener is where a controller sends what happens, and after how many seconds
// it says so again; 0: never.
type Listener struct {
	To       netip.AddrPort
	Interval byte
}

func (m *Listener) put(f *Frame) {
	f.setAddrPort(8, m.To)
	f[14] = m.Interval
}

func (m *Listener) get(f *Frame) error {
	m.To, m.Interval = f.addrPort(8), f[14]
	return nil
}

// SetListener changes it.
type SetListener struct{ Listener }

// Code names the kind.
func (*SetListener) Code() Code { return CodeSetListener }

// ListenerReply says what holds.
type ListenerReply struct{ Listener }

// Code names the kind.
func (*ListenerReply) Code() Code { return CodeListener }

// RecordSpecial makes a controller record doors and buttons too, not only cards.
type RecordSpecial struct{ On bool }

// Code names the kind.
func (*RecordSpecial) Code() Code           { return CodeRecordSpecial }
func (m *RecordSpecial) put(f *Frame)       { f.setBool(8, m.On) }
func (m *RecordSpecial) get(f *Frame) error { m.On = f.bool(8); return nil }

// Keypads turns on those at which a card with a PIN asks for it.
type Keypads struct{ On [Doors]bool }

// Code names the kind.
func (*Keypads) Code() Code { return CodeKeypads }

func (m *Keypads) put(f *Frame) {
	for i, on := range m.On {
		f.setBool(8+i, on)
	}
}

func (m *Keypads) get(f *Frame) error {
	for i := range m.On {
		m.On[i] = f.bool(8 + i)
	}
	return nil
}

// newRequest is an empty one of a kind; nil: we do not know it.
func newRequest(c Code) Message {
	switch c {
	case CodeStatus:
		return &GetStatus{}
	case CodeSetClock:
		return &SetClock{}
	case CodeClock:
		return &GetClock{}
	case CodeOpen:
		return &Open{}
	case CodePutCard:
		return &PutCard{}
	case CodeDeleteCard:
		return &DeleteCard{}
	case CodeDeleteCards:
		return &DeleteCards{}
	case CodeCards:
		return &GetCards{}
	case CodeCard:
		return &GetCard{}
	case CodeCardAt:
		return &GetCardAt{}
	case CodeSetControl:
		return &SetControl{}
	case CodeControl:
		return &GetControl{}
	case CodeSetProfile:
		return &SetProfile{}
	case CodeClearProfiles:
		return &ClearProfiles{}
	case CodeRecordSpecial:
		return &RecordSpecial{}
	case CodeSetListener:
		return &SetListener{}
	case CodeListener:
		return &GetListener{}
	case CodeDevice:
		return &GetDevice{}
	case CodeProfile:
		return &GetProfile{}
	case CodeKeypads:
		return &Keypads{}
	case CodePassback:
		return &GetPassback{}
	case CodeSetPassback:
		return &SetPassback{}
	case CodeSetAirlock:
		return &SetAirlock{}
	case CodeEvent:
		return &GetEvent{}
	case CodeSetEventIndex:
		return &SetEventIndex{}
	case CodeEventIndex:
		return &GetEventIndex{}
	}
	return nil
}

// newReply is an empty answer of a kind; nil: we do not know it.
func newReply(c Code) Message {
	switch c {
	case CodeStatus:
		return &Status{}
	case CodeSetClock, CodeClock:
		return &ClockReply{Of: c}
	case CodeOpen, CodePutCard, CodeDeleteCard, CodeDeleteCards, CodeSetProfile, CodeClearProfiles, CodeRecordSpecial,
		CodeSetListener, CodeKeypads, CodeSetEventIndex, CodeSetPassback, CodeSetAirlock:
		return &Done{Of: c}
	case CodeCards, CodeEventIndex:
		return &Number{Of: c}
	case CodeCard, CodeCardAt:
		return &CardReply{Of: c}
	case CodeSetControl, CodeControl:
		return &ControlReply{Of: c}
	case CodePassback:
		return &PassbackReply{}
	case CodeListener:
		return &ListenerReply{}
	case CodeDevice:
		return &Device{}
	case CodeProfile:
		return &ProfileReply{}
	case CodeEvent:
		return &EventReply{}
	}
	return nil
}
