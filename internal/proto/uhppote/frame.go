// Package uhppote reads and writes the datagrams of UHPPOTE door controllers:
// 64 bytes each, the same number for a request and its answer, and one kind that
// controllers send by themselves.
//
// The protocol has neither signatures nor secrets. Whoever decodes a datagram
// knows what somebody wrote, not who: what a controller recorded is believed when
// it was asked for it. A date that no calendar has is read as none, because a
// controller whose clock was never set says such things and must be readable all
// the same; anything else that is odd is an error.
package uhppote

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Size is that of every datagram.
const Size = 64

// Doors is how many doors a controller has at most.
const Doors = 4

// Frame is one datagram.
type Frame [Size]byte

// Beginnings of datagrams. Some firmware begins its own events with another.
const (
	begin      = 0x17
	beginEvent = 0x19
)

// magic stands in requests that must not happen by accident.
const magic = 0x55aaaa55

// Errors of datagrams.
var (
	ErrSize   = errors.New("a datagram has 64 bytes")
	ErrBegin  = errors.New("not a datagram of a controller")
	ErrCode   = errors.New("the kind of message is not known")
	ErrSerial = errors.New("a controller has a serial number")
	ErrValue  = errors.New("a value is out of its range")
)

// Message is what a datagram says.
type Message interface {
	Code() Code
	put(*Frame)
	get(*Frame) error
}

// Encode writes a message to or of a controller.
func Encode(serial uint32, m Message) Frame {
	var f Frame
	f[0], f[1] = begin, byte(m.Code())
	f.setUint32(4, serial)
	m.put(&f)
	return f
}

// DecodeRequest reads what is asked of a controller.
func DecodeRequest(b []byte) (serial uint32, m Message, err error) { return decode(b, newRequest) }

// DecodeReply reads what a controller answers, or says by itself.
func DecodeReply(b []byte) (serial uint32, m Message, err error) { return decode(b, newReply) }

func decode(b []byte, empty func(Code) Message) (uint32, Message, error) {
	if len(b) != Size {
		return 0, nil, fmt.Errorf("%d bytes: %w", len(b), ErrSize)
	}
	f := (*Frame)(b)
	code := Code(f[1])
	if f[0] != begin && (f[0] != beginEvent || code != CodeStatus) {
		return 0, nil, fmt.Errorf("begins with %#02x: %w", f[0], ErrBegin)
	}
	serial := f.uint32(4)
	m := empty(code)
	switch {
	case m == nil:
		return serial, nil, fmt.Errorf("%#02x: %w", byte(code), ErrCode)
	case serial == 0 && code != CodeDevice: // whoever is asked for may answer
		return 0, nil, ErrSerial
	}
	if err := m.get(f); err != nil {
		return serial, nil, fmt.Errorf("%s: %w", code, err)
	}
	return serial, m, nil
}

func (f *Frame) uint32(at int) uint32       { return binary.LittleEndian.Uint32(f[at:]) }
func (f *Frame) setUint32(at int, v uint32) { binary.LittleEndian.PutUint32(f[at:], v) }

func (f *Frame) uint24(at int) uint32 {
	return uint32(f[at]) | uint32(f[at+1])<<8 | uint32(f[at+2])<<16
}

func (f *Frame) setUint24(at int, v uint32) {
	f[at], f[at+1], f[at+2] = byte(v), byte(v>>8), byte(v>>16)
}

func (f *Frame) bool(at int) bool { return f[at] != 0 }

func (f *Frame) setBool(at int, v bool) {
	if v {
		f[at] = 1
	}
}

func (f *Frame) addrPort(at int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(f[at:at+4])), binary.LittleEndian.Uint16(f[at+4:]))
}

func (f *Frame) setAddrPort(at int, a netip.AddrPort) {
	if addr := a.Addr().Unmap(); addr.Is4() {
		b := addr.As4()
		copy(f[at:], b[:])
	}
	binary.LittleEndian.PutUint16(f[at+4:], a.Port())
}

// digits reads two decimal digits from a byte.
func digits(b byte) (int, bool) {
	high, low := b>>4, b&15
	return int(high)*10 + int(low), high < 10 && low < 10
}

func setDigits(v int) byte { return byte(v/10%10<<4 | v%10) }

// Date is a day by the calendar of a controller. The zero value is none.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the day that a clock shows.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// IsZero reports whether there is none.
func (d Date) IsZero() bool { return d == Date{} }

// Before reports whether it comes before another.
func (d Date) Before(o Date) bool {
	if d.Year != o.Year {
		return d.Year < o.Year
	}
	if d.Month != o.Month {
		return d.Month < o.Month
	}
	return d.Day < o.Day
}

func (d Date) String() string {
	if d.IsZero() {
		return "-"
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

func (d Date) valid() bool {
	return DateOf(time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, time.UTC)) == d
}

func (f *Frame) date(at int) Date {
	century, ok1 := digits(f[at])
	year, ok2 := digits(f[at+1])
	month, ok3 := digits(f[at+2])
	day, ok4 := digits(f[at+3])
	d := Date{century*100 + year, time.Month(month), day}
	if !ok1 || !ok2 || !ok3 || !ok4 || !d.valid() {
		return Date{}
	}
	return d
}

func (f *Frame) setDate(at int, d Date) {
	if d.IsZero() {
		return
	}
	f[at], f[at+1] = setDigits(d.Year/100), setDigits(d.Year%100)
	f[at+2], f[at+3] = setDigits(int(d.Month)), setDigits(d.Day)
}

// Minute is a time of the day.
type Minute int

// EndOfDay is the last one that a controller knows.
const EndOfDay Minute = 23*60 + 59

func (m Minute) String() string { return fmt.Sprintf("%02d:%02d", int(m)/60, int(m)%60) }

func (f *Frame) minute(at int) (Minute, error) {
	h, ok1 := digits(f[at])
	m, ok2 := digits(f[at+1])
	if !ok1 || !ok2 || h > 23 || m > 59 {
		return 0, fmt.Errorf("time of the day %02x%02x: %w", f[at], f[at+1], ErrValue)
	}
	return Minute(h*60 + m), nil
}

func (f *Frame) setMinute(at int, m Minute) {
	f[at], f[at+1] = setDigits(int(m)/60), setDigits(int(m)%60)
}

// Clock is what a controller's clock shows, to the second and without a zone. The
// zero value is a clock that was never set.
type Clock struct {
	Date
	Hour, Minute, Second int
}

// ClockOf is what a clock at that place shows.
func ClockOf(t time.Time) Clock {
	h, m, s := t.Clock()
	return Clock{DateOf(t), h, m, s}
}

// In is the moment at which clocks of a place show it; of the two in an hour that
// comes twice, the first.
func (c Clock) In(place *time.Location) time.Time {
	if c.IsZero() {
		return time.Time{}
	}
	return time.Date(c.Year, c.Month, c.Day, c.Hour, c.Minute, c.Second, 0, place)
}

func (c Clock) String() string {
	return fmt.Sprintf("%s %02d:%02d:%02d", c.Date, c.Hour, c.Minute, c.Second)
}

// clock reads a time of the day that stands apart from its date.
func (f *Frame) clock(d Date, at int) Clock {
	h, ok1 := digits(f[at])
	m, ok2 := digits(f[at+1])
	s, ok3 := digits(f[at+2])
	if d.IsZero() || !ok1 || !ok2 || !ok3 || h > 23 || m > 59 || s > 59 {
		return Clock{}
	}
	return Clock{d, h, m, s}
}

func (f *Frame) setClock(at int, c Clock) {
	if c.IsZero() {
		return
	}
	f[at], f[at+1], f[at+2] = setDigits(c.Hour), setDigits(c.Minute), setDigits(c.Second)
}
