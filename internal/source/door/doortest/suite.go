// Package doortest is what every driver of doors must pass, against whatever
// stands at the other end.
package doortest

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/source/door"
	"github.com/chargewatch/chargewatch/internal/week"
)

// Rig is a controller with a driver at one end and hands at the other. What a
// device cannot be made to do is nil.
type Rig struct {
	Driver door.Driver
	Swipe  func(t *testing.T, n int, card, pin uint32)
	Open   func(t *testing.T, n int)
	Shut   func(t *testing.T, n int)
	Power  func(t *testing.T, on bool)
	// Relay says whether a relay without lists or records is on; nil: the controller
	// has both.
	Relay func(n int) bool
	// Lenient is a device that does not look at the dates of cards.
	Lenient bool
	// Forgetful is a device that knows the forms of anti-passback and keeps none.
	Forgetful bool
}

// Run tests a driver; each part has a rig of its own.
func Run(t *testing.T, rig func(t *testing.T) Rig) {
	t.Run("what happens is read back in order, once", func(t *testing.T) { records(t, rig(t)) })
	t.Run("a ring says that something happened", func(t *testing.T) { rings(t, rig(t)) })
	t.Run("a door is opened from afar", func(t *testing.T) { opens(t, rig(t)) })
	t.Run("a locked door lets nobody in until it is released", func(t *testing.T) { locks(t, rig(t)) })
	t.Run("a clock is set", func(t *testing.T) { clock(t, rig(t)) })
	t.Run("lists are changed and read back", func(t *testing.T) { lists(t, rig(t)) })
	t.Run("lists decide", func(t *testing.T) { listed(t, rig(t)) })
	t.Run("anti-passback is kept and read back", func(t *testing.T) { passback(t, rig(t)) })
	t.Run("of an interlock one door opens", func(t *testing.T) { airlock(t, rig(t)) })
	t.Run("who has no power is away", func(t *testing.T) { away(t, rig(t)) })
}

const card = 10058400

func today() access.Date { return access.DateOf(time.Now()) }

// always lets a card in at the first door.
func always() access.Lists {
	return access.Lists{Cards: map[uint32]access.ListCard{card: {
		From: access.DateOf(time.Now().AddDate(0, 0, -2)), To: access.DateOf(time.Now().AddDate(0, 0, 2)), Rights: [access.ListDoors]uint8{access.Always},
	}}}
}

func adopt(t *testing.T, r Rig, keypads ...bool) {
	t.Helper()
	if s, ok := r.Driver.(door.Settings); ok {
		if err := s.Adopt(t.Context(), keypads); err != nil {
			t.Fatal(err)
		}
	}
}

func change(t *testing.T, r Rig, to access.Lists) {
	t.Helper()
	k, ok := r.Driver.(door.Keeper)
	if !ok {
		return
	}
	have, err := k.Lists(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Change(t.Context(), have, to); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, r Rig, after uint32, most int) []door.Record {
	t.Helper()
	list, err := r.Driver.(door.Recorder).Records(t.Context(), after, most)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func last(t *testing.T, r Rig) door.Record {
	t.Helper()
	if x, ok := r.Driver.(door.Teller); ok {
		return next(t, x).Record
	}
	list := read(t, r, 0, 1000)
	if len(list) == 0 {
		t.Fatal("nothing was recorded")
	}
	return list[len(list)-1]
}

// next waits for what a device without records tells.
func next(t *testing.T, x door.Teller) door.Told {
	t.Helper()
	select {
	case got := <-x.Told():
		return got
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was told")
	}
	return door.Told{}
}

// eventually looks until a controller is as it should be.
func eventually(t *testing.T, r Rig, what string, is func(door.Look, error) bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		l, err := r.Driver.Look(t.Context())
		if is(l, err) {
			return
		}
		if _, ok := r.Driver.(door.Teller); !ok || time.Now().After(end) {
			t.Fatalf("%s: it is %+v, %v", what, l, err)
		}
	}
}

// told is what holds of devices without records: what is shown is asked about, in
// order and once.
func told(t *testing.T, r Rig, x door.Teller) {
	for _, n := range []uint32{card, card + 1, card} {
		r.Swipe(t, 1, n, 0)
	}
	for i, want := range []uint32{card, card + 1, card} {
		got := next(t, x)
		if !got.Asks && !got.Granted && got.Cause == door.Swiped {
			t.Errorf("%d: nobody is asked and nobody decided: %+v", i, got)
		}
		if got.Door != 1 || got.Token != strconv.FormatUint(uint64(want), 10) || !got.Cause.Attempt() {
			t.Errorf("%d: told %+v, want %d", i, got, want)
		}
		if got.Done != nil {
			got.Done(nil)
		}
	}
	if len(x.Told()) != 0 {
		t.Errorf("told again: %+v", <-x.Told())
	}
}

func records(t *testing.T, r Rig) {
	if x, ok := r.Driver.(door.Teller); ok {
		told(t, r, x)
		return
	}
	adopt(t, r)
	change(t, r, always())
	before := uint32(0)
	if list := read(t, r, 0, 1000); len(list) > 0 {
		before = list[len(list)-1].Index
	}
	r.Swipe(t, 1, card, 0)
	r.Swipe(t, 2, card, 0)
	r.Swipe(t, 1, card+1, 0)
	all := read(t, r, before, 1000)
	want := []struct {
		door    int
		card    uint32
		granted bool
		cause   door.Cause
	}{{1, card, true, door.Swiped}, {2, card, false, door.NoPrivilege}, {1, card + 1, false, door.UnknownCard}}
	if len(all) != len(want) {
		t.Fatalf("%d records: %+v", len(all), all)
	}
	for i, w := range want {
		x := all[i]
		if x.Index != before+uint32(i)+1 || x.Door != w.door || x.Card != w.card || x.Granted != w.granted || x.Cause != w.cause || x.Lost {
			t.Errorf("record %d is %+v, want %+v", i, x, w)
		}
		if !x.Cause.Attempt() {
			t.Errorf("%s is no attempt", x.Cause)
		}
	}
	first := read(t, r, before, 2)
	rest := read(t, r, before+2, 1000)
	if len(first) != 2 || len(rest) != 1 || rest[0] != all[2] {
		t.Errorf("in two parts: %+v and %+v", first, rest)
	}
	if more := read(t, r, all[2].Index, 1000); len(more) != 0 {
		t.Errorf("after the newest there is %+v", more)
	}
	if l, err := r.Driver.Look(t.Context()); err != nil || l.Newest != all[2].Index {
		t.Errorf("the newest is %+v, %v", l, err)
	}
}

func rings(t *testing.T, r Rig) {
	adopt(t, r)
	if _, ok := r.Driver.(door.Teller); ok {
		return // what it tells needs no ring
	}
	r.Swipe(t, 1, card, 0)
	select {
	case <-r.Driver.Rings():
	case <-t.Context().Done():
	case <-time.After(10 * time.Second):
		t.Fatal("nothing rang")
	}
	if x := last(t, r); x.Card != card {
		t.Errorf("recorded %+v", x)
	}
}

func opens(t *testing.T, r Rig) {
	adopt(t, r)
	if err := r.Driver.Do(t.Context(), door.Order{Door: 1}); err != nil {
		t.Fatal(err)
	}
	if x := last(t, r); x.Cause != door.RemoteOpen || x.Door != 1 {
		t.Errorf("recorded %+v", x)
	}
	eventually(t, r, "unlocked", func(l door.Look, err error) bool {
		return err == nil && len(l.Doors) > 0 && (l.Doors[0].Unlocked || r.Relay != nil && r.Relay(1))
	})
	if r.Open == nil {
		return
	}
	_, tells := r.Driver.(door.Teller)
	r.Open(t, 1)
	eventually(t, r, "open", func(l door.Look, err error) bool { return err == nil && l.Doors[0].Open })
	if tells {
		if x := last(t, r); x.Cause != door.Opened {
			t.Errorf("told %+v", x)
		}
	}
	r.Shut(t, 1)
	x := last(t, r)
	for end := time.Now().Add(10 * time.Second); x.Cause != door.Closed && !tells && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		x = last(t, r) // a controller may record after it answered
	}
	if x.Cause != door.Closed {
		t.Errorf("recorded %+v", x)
	}
	if err := r.Driver.Do(t.Context(), door.Order{Door: 9}); !errors.Is(err, door.ErrRefused) {
		t.Errorf("a ninth door: %v", err)
	}
}

// shut is what holds of a relay: during a lockdown it stays off, whoever turns it on.
func shut(t *testing.T, r Rig) {
	if err := r.Driver.Do(t.Context(), door.Order{Door: 1, Mode: door.Locked}); err != nil {
		t.Fatal(err)
	}
	if err := r.Driver.Do(t.Context(), door.Order{Door: 1, Answers: true}); !errors.Is(err, door.ErrRefused) {
		t.Errorf("locked down it opened: %v", err)
	}
	if r.Relay(1) {
		t.Error("the relay is on")
	}
	if err := r.Driver.Do(t.Context(), door.Order{Door: 1, Mode: door.Controlled}); err != nil {
		t.Fatal(err)
	}
	if err := r.Driver.Do(t.Context(), door.Order{Door: 1, Answers: true}); err != nil {
		t.Errorf("released it does not open: %v", err)
	}
	if !r.Relay(1) {
		t.Error("the relay is off")
	}
}

func locks(t *testing.T, r Rig) {
	if r.Relay != nil {
		shut(t, r)
		return
	}
	adopt(t, r)
	change(t, r, always())
	for _, step := range []struct {
		mode    door.Mode
		granted bool
		cause   door.Cause
	}{{door.Locked, false, door.LockedDown}, {door.Controlled, true, door.Swiped}} {
		if err := r.Driver.Do(t.Context(), door.Order{Door: 1, Mode: step.mode}); err != nil {
			t.Fatal(err)
		}
		if s, ok := r.Driver.(door.Settings); ok {
			if setup, err := s.Inspect(t.Context()); err != nil || setup.Modes[0] != step.mode {
				t.Errorf("inspected %+v, %v", setup, err)
			}
		}
		r.Swipe(t, 1, card, 0)
		if x := last(t, r); x.Granted != step.granted || x.Cause != step.cause {
			t.Errorf("%s: recorded %+v", step.mode, x)
		}
	}
}

func clock(t *testing.T, r Rig) {
	s, ok := r.Driver.(door.Settings)
	if !ok {
		return
	}
	want := time.Now().Add(-3 * time.Hour).Truncate(time.Second)
	if err := s.SetClock(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	l, err := r.Driver.Look(t.Context())
	if off := l.Clock.Sub(want); err != nil || off < -time.Second || off > time.Minute {
		t.Errorf("set to %s it shows %s, %v", want, l.Clock, err)
	}
}

func lists(t *testing.T, r Rig) {
	k, ok := r.Driver.(door.Keeper)
	if !ok {
		return
	}
	want := always()
	for n := range uint32(20) {
		want.Cards[100+n] = access.ListCard{From: today(), To: today(), Rights: [access.ListDoors]uint8{0, 1, 2, 0}, PIN: 1000 + n}
	}
	want.Profiles = map[uint8]access.Profile{
		2: {From: today(), To: today(), Days: week.On(time.Monday, time.Sunday), Segments: [3]access.Segment{{First: 510, Last: 599}, {First: 720, Last: 1439}}, Linked: 3},
		3: {From: today(), To: today(), Days: week.Every, Segments: [3]access.Segment{{First: 1, Last: 2}}},
	}
	change(t, r, want)
	have, err := k.Lists(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := have.To(want); !d.None() {
		t.Errorf("read back with a difference: %+v", d)
	}
	change(t, r, always())
	if have, err = k.Lists(t.Context()); err != nil || len(have.Cards) != 1 || !have.To(always()).None() {
		t.Errorf("taken back there is %+v, %v", have, err)
	}
}

func listed(t *testing.T, r Rig) {
	if _, ok := r.Driver.(door.Keeper); !ok {
		return
	}
	adopt(t, r, true)
	now := time.Now()
	tomorrow, nextWeek := access.DateOf(now.AddDate(0, 0, 1)), access.DateOf(now.AddDate(0, 0, 7))
	yesterday := access.DateOf(now.AddDate(0, 0, -1))
	day := func(from, to access.Date) access.Profile {
		return access.Profile{From: from, To: to, Days: week.Every, Segments: [3]access.Segment{{First: 0, Last: week.MinutesOfDay - 1}}}
	}
	right := func(x uint8) [access.ListDoors]uint8 { return [access.ListDoors]uint8{x} }
	change(t, r, access.Lists{
		Cards: map[uint32]access.ListCard{
			1: {From: yesterday, To: tomorrow, Rights: right(2)},
			2: {From: yesterday, To: tomorrow, Rights: right(3)},
			3: {From: yesterday, To: tomorrow, Rights: right(access.Always), PIN: 4711},
			4: {From: yesterday, To: tomorrow, Rights: right(4)},
			5: {From: tomorrow, To: nextWeek, Rights: right(access.Always)},
		},
		Profiles: map[uint8]access.Profile{2: day(yesterday, tomorrow), 3: day(nextWeek, nextWeek), 4: {From: nextWeek, To: nextWeek, Days: week.Every, Segments: [3]access.Segment{{First: 0, Last: 1}}, Linked: 2}},
	})
	for name, tc := range map[string]struct {
		card, pin uint32
		cause     door.Cause
	}{
		"within its profile":                   {1, 0, door.Swiped},
		"outside of it":                        {2, 0, door.OutsideHours},
		"within the profile that it is linked": {4, 0, door.Swiped},
		"with its PIN":                         {3, 4711, door.Swiped},
		"with another":                         {3, 4712, door.WrongPIN},
		"before its time":                      {5, 0, door.UnknownCard},
	} {
		if r.Lenient && tc.card == 5 {
			continue
		}
		r.Swipe(t, 1, tc.card, tc.pin)
		if x := last(t, r); x.Cause != tc.cause || x.Granted != (tc.cause == door.Swiped) {
			t.Errorf("%s: recorded %+v", name, x)
		}
	}
}

// everywhere lets a card in at all doors.
func everywhere() access.Lists {
	l := always()
	c := l.Cards[card]
	c.Rights = [access.ListDoors]uint8{access.Always, access.Always, access.Always, access.Always}
	l.Cards[card] = c
	return l
}

func passback(t *testing.T, r Rig) {
	e, ok := r.Driver.(door.Enforcer)
	if !ok {
		return
	}
	adopt(t, r)
	change(t, r, everywhere())
	for _, form := range append(access.BoardPassbacks(), "") {
		if err := e.SetPassback(t.Context(), form); err != nil {
			t.Fatal(err)
		}
		if got, err := e.Passback(t.Context()); err != nil || got != form {
			t.Errorf("set to %q it is %q, %v", form, got, err)
		}
	}
	if err := e.SetPassback(t.Context(), "4:1"); !errors.Is(err, door.ErrRefused) {
		t.Errorf("a form that there is not: %v", err)
	}
	if err := e.SetPassback(t.Context(), "1:2,3:4"); err != nil {
		t.Fatal(err)
	}
	if r.Forgetful {
		return
	}
	for i, step := range []struct {
		at    int
		cause door.Cause
	}{{1, door.Swiped}, {1, door.AntiPassback}, {3, door.Swiped}, {2, door.Swiped}, {2, door.AntiPassback}, {1, door.Swiped}} {
		r.Swipe(t, step.at, card, 0)
		if x := last(t, r); x.Cause != step.cause || x.Granted != (step.cause == door.Swiped) {
			t.Errorf("step %d: recorded %+v", i, x)
		}
	}
}

func airlock(t *testing.T, r Rig) {
	e, ok := r.Driver.(door.Enforcer)
	if !ok || r.Open == nil {
		return
	}
	adopt(t, r)
	change(t, r, everywhere())
	if err := e.SetAirlock(t.Context(), "21"); !errors.Is(err, door.ErrRefused) {
		t.Errorf("a form that there is not: %v", err)
	}
	for _, form := range append(access.BoardAirlocks(), "", "12") {
		if err := e.SetAirlock(t.Context(), form); err != nil {
			t.Fatal(err)
		}
	}
	swipe := func(n int, cause door.Cause) {
		t.Helper()
		r.Swipe(t, n, card, 0)
		var x door.Record
		for _, one := range read(t, r, 0, 1000) {
			if one.Cause.Attempt() {
				x = one
			}
		}
		if x.Cause != cause || x.Door != n {
			t.Errorf("at door %d: recorded %+v, want %s", n, x, cause)
		}
	}
	swipe(1, door.Swiped)
	r.Open(t, 1)
	swipe(2, door.Interlock)
	swipe(3, door.Swiped)
	r.Shut(t, 1)
	for open := true; open; {
		l, err := r.Driver.Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		open = l.Doors[0].Open
	}
	swipe(2, door.Swiped)
}

func away(t *testing.T, r Rig) {
	if r.Power == nil {
		return
	}
	r.Power(t, false)
	eventually(t, r, "without power", func(l door.Look, err error) bool {
		return errors.Is(err, door.ErrAway) || err == nil && len(l.Doors) > 0 && l.Doors[0].Away
	})
	if err := r.Driver.Do(t.Context(), door.Order{Door: 1}); !errors.Is(err, door.ErrAway) {
		t.Errorf("without power it was opened: %v", err)
	}
	r.Power(t, true)
	eventually(t, r, "with power again", func(l door.Look, err error) bool { return err == nil && !l.Doors[0].Away })
}
