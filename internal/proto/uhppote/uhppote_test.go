package uhppote

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

// Datagrams as controllers and their tools are known to write them.
func TestDatagrams(t *testing.T) {
	const serial = 423187757 // 2d 55 39 19
	at := Clock{Date{2019, time.February, 10}, 7, 12, 1}
	tests := map[string]struct {
		bytes string // the rest is zero
		say   Message
		reply bool
	}{
		"a request for a record":       {"17b00000 2d553919 01000000", &GetEvent{Index: 1}, false},
		"a request for the newest one": {"17b00000 2d553919 ffffffff", NewestEvent(), false},
		"a record": {
			"17b00000 2d553919 08000000 02010301 ade85d00 20190210 07120106",
			&EventReply{Record{8, DoorRecord, true, 3, In, 6154413, at, NoPrivilege}}, true,
		},
		"no record": {"17b00000 2d553919", &EventReply{}, true},
		"a status": {
			"17200000 2d553919 39000000 01000301 aae85d00 20190419 17000906 01000101 00000101 09143702 11000000 00000000 00030119 0420",
			&Status{
				Last: Record{57, Swiped, false, 3, In, 6154410, Clock{Date{2019, time.April, 19}, 17, 0, 9}, NoPrivilege},
				Open: [4]bool{true, false, true, true}, Button: [4]bool{false, false, true, true}, Unlocked: [4]bool{true, true},
				Error: 9, Now: Clock{Date{2019, time.April, 20}, 14, 37, 2}, Sequence: 17, Forced: true,
			}, true,
		},
		"a card with a PIN and a profile": {
			"17500000 2d553919 a0ba8b00 20190102 20191231 00011d01 3f420f",
			&PutCard{Card{9157280, Date{2019, time.January, 2}, Date{2019, time.December, 31}, [4]byte{0, 1, 29, 1}, 999999}}, false,
		},
		"a time profile": {
			"17880000 2d553919 04 20210401 20211229 01010001000101 08300945 11351315 14011759 13",
			&SetProfile{Profile{
				ID: 4, From: Date{2021, time.April, 1}, To: Date{2021, time.December, 29},
				Days:     [7]bool{time.Monday: true, time.Tuesday: true, time.Thursday: true, time.Saturday: true, time.Sunday: true},
				Segments: [3]Segment{{8*60 + 30, 9*60 + 45}, {11*60 + 35, 13*60 + 15}, {14*60 + 1, 17*60 + 59}}, Linked: 19,
			}}, false,
		},
		"a listener":        {"17900000 2d553919 c0a80164 60ea 0f", &SetListener{Listener{netip.MustParseAddrPort("192.168.1.100:60000"), 15}}, false},
		"an open door":      {"17400000 2d553919 03", &Open{3}, false},
		"it was done":       {"17400000 2d553919 01", &Done{CodeOpen, true}, true},
		"a clock":           {"17300000 2d553919 20190210071201", &SetClock{at}, false},
		"a mode":            {"17800000 2d553919 030205", &SetControl{Control{3, NormallyClosed, 5}}, false},
		"no cards any more": {"17540000 2d553919 55aaaa55", &DeleteCards{}, false},
		"a kept index":      {"17b20000 2d553919 11000000 55aaaa55", &SetEventIndex{17}, false},
		"the keypads":       {"17a40000 2d553919 01000101", &Keypads{[4]bool{true, false, true, true}}, false},
		"a controller": {
			"17940000 2d553919 c0a80000 ffffff00 c0a80001 001223344556 0892 20181105",
			&Device{netip.MustParseAddr("192.168.0.0"), []byte{0, 0x12, 0x23, 0x34, 0x45, 0x56}, Version{8, 0x92}, Date{2018, time.November, 5}}, true,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := frame(t, tc.bytes)
			read := DecodeRequest
			if tc.reply {
				read = DecodeReply
			}
			of, got, err := read(b)
			if err != nil || of != serial || !reflect.DeepEqual(got, tc.say) {
				t.Errorf("%d says %+v, %v; want %+v", of, got, err, tc.say)
			}
			if _, is := tc.say.(*Device); is {
				return // mask and gateway are not ours
			}
			if f := Encode(serial, tc.say); hex.EncodeToString(f[:]) != hex.EncodeToString(b) {
				t.Errorf("written as\n%x, not\n%x", f[:], b)
			}
		})
	}
}

func frame(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return append(b, make([]byte, Size-len(b))...)
}

func TestRefusedDatagrams(t *testing.T) {
	tests := map[string]struct {
		bytes string
		cut   int
		want  error
	}{
		"one that is too short":               {"17200000 2d553919", 63, ErrSize},
		"one that begins otherwise":           {"18200000 2d553919", Size, ErrBegin},
		"an event's beginning of another one": {"19b00000 2d553919", Size, ErrBegin},
		"one without a serial number":         {"17200000", Size, ErrSerial},
		"a kind that nobody knows":            {"17ff0000 2d553919", Size, ErrCode},
		"a record of a fifth door":            {"17b00000 2d553919 08000000 020105", Size, ErrValue},
		"a minute that no day has":            {"17980000 2d553919 04 20210401 20211229 01010001000101 25300945", Size, ErrValue},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if _, m, err := DecodeReply(frame(t, tc.bytes)[:tc.cut]); !errors.Is(err, tc.want) || m != nil {
				t.Errorf("%+v, %v; want %v", m, err, tc.want)
			}
		})
	}
	for name, text := range map[string]string{
		"deleting all by accident": "17540000 2d553919", "a door that is none": "17400000 2d553919 05", "a PIN of seven digits": "17500000 2d553919 a0ba8b00 20190102 20191231 00011d01 40420f",
	} {
		t.Run(name, func(t *testing.T) {
			if _, m, err := DecodeRequest(frame(t, text)); !errors.Is(err, ErrValue) || m != nil {
				t.Errorf("%+v, %v", m, err)
			}
		})
	}
}

// What firmware sends whose clock was never set.
func TestAnEventWithoutATimeIsReadable(t *testing.T) {
	b := frame(t, "19200000 2d553919 ac2b0300 01000201 a07a9900 20000000 00000006")
	_, m, err := DecodeReply(b)
	if s, ok := m.(*Status); err != nil || !ok || !s.Last.At.IsZero() || s.Last.Index != 207788 || !s.Now.IsZero() {
		t.Errorf("%+v, %v", m, err)
	}
}

func FuzzDecodeRequest(f *testing.F) { fuzz(f, DecodeRequest) }
func FuzzDecodeReply(f *testing.F)   { fuzz(f, DecodeReply) }

// Whatever is read can be written, and reads the same again.
func fuzz(f *testing.F, read func([]byte) (uint32, Message, error)) {
	for _, m := range []Message{
		&GetStatus{}, &Status{Last: Record{Index: 7, Door: 2, At: Clock{Date{2026, time.May, 1}, 1, 2, 3}}, Now: Clock{Date{2026, time.May, 1}, 1, 2, 3}},
		&PutCard{Card{Number: 5, From: Date{2026, time.May, 1}, PIN: 12}}, &SetProfile{Profile{ID: 9}}, &Done{CodeOpen, true}, &SetControl{Control{1, 2, 3}},
		&SetListener{Listener{netip.MustParseAddrPort("10.0.0.1:60001"), 1}}, &Device{Version: Version{8, 0x92}}, &DeleteCards{}, &SetEventIndex{4},
	} {
		b := Encode(405419896, m)
		f.Add(b[:])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		serial, m, err := read(b)
		if err != nil {
			if m != nil {
				t.Fatalf("%+v beside %v", m, err)
			}
			return
		}
		again := Encode(serial, m)
		of, got, err := read(again[:])
		if err != nil || of != serial || !reflect.DeepEqual(got, m) {
			t.Fatalf("%+v became %+v, %v", m, got, err)
		}
	})
}
