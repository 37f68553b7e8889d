package app

import (
	"errors"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/mqtt"
	"github.com/chargewatch/chargewatch/internal/mqtt/mqtttest"
	"github.com/chargewatch/chargewatch/internal/proto/uhppote"
	simdoor "github.com/chargewatch/chargewatch/internal/sim/door"
	"github.com/chargewatch/chargewatch/internal/store"
)

// barn is a door on a broker, of which the server decides.
type barn struct {
	*yard
	broker *mqtttest.Broker
	hand   *mqtt.Client
	device *simdoor.Device
	said   int
}

// newBarn opens for so many seconds.
func newBarn(t *testing.T, pulse int) *barn {
	t.Helper()
	y := newYard(t)
	b := mqtttest.Start(t, mqtttest.Options{User: "chargewatch", Password: "three quiet words"})
	y.also(b.Address)
	up := make(chan struct{}, 10)
	hand := mqtt.Dial(t.Context(), mqtt.Options{
		Broker: mqtt.Broker{Dial: (&net.Dialer{}).DialContext, Address: b.Address, User: "chargewatch", Password: "three quiet words"},
		Changed: func(on bool, _ error) {
			if on {
				up <- struct{}{}
			}
		},
	})
	<-up
	device, err := simdoor.NewDevice(t.Context(), hand, simdoor.Shelly2, "shelly-gate")
	if err != nil {
		t.Fatal(err)
	}
	st := y.s.Store
	y.must(st.CreateController(t.Context(), store.System, store.Controller{ID: "broker", SiteID: "yard", Driver: store.DriverMQTT, Address: "mqtt://" + b.Address, User: "chargewatch"}, "three quiet words"))
	y.must(st.CreateDoor(t.Context(), store.System, store.Door{ID: "barn", SiteID: "yard", Kind: access.Gate, Controller: "broker", Number: 1, Wiring: store.Wiring{
		Preset: "shelly2", Device: "shelly-gate", PulseS: pulse, Reader: "yard/reader", Contact: store.WiringContact{Preset: "shelly2", Device: "shelly-gate"},
	}}))
	y.until("the door is locked", func() bool { return y.state("barn") == event.DoorLocked })
	return &barn{yard: y, broker: b, hand: hand, device: device}
}

// show gives the reader something and returns what came of it.
func (b *barn) show(what string) *event.Access {
	b.t.Helper()
	b.until("it is locked again", func() bool { return !b.device.On() })
	if err := b.hand.Publish(b.t.Context(), mqtt.Message{Topic: "yard/reader", Payload: []byte(what)}); err != nil {
		b.t.Fatal(err)
	}
	b.said++
	b.until("told of "+what, func() bool { return len(b.attempts()) >= b.said })
	if n := len(b.attempts()); n != b.said {
		b.t.Fatalf("%s: told of %d, want %d", what, n, b.said)
	}
	return b.attempts()[b.said-1]
}

func (b *barn) alarms() (n int) {
	b.t.Helper()
	found, _, err := b.s.Journal.Events(b.t.Context(), journal.EventQuery{Kinds: []event.Kind{event.KindDoorAlarm}, Limit: 100})
	if err != nil {
		b.t.Fatal(err)
	}
	return len(found)
}

// holder is somebody with a card, a PIN and a duress code.
func (b *barn) holder(name, card, pin, duress string) (id string) {
	b.t.Helper()
	st := b.s.Store
	p, err := st.SavePerson(b.t.Context(), store.System, store.Person{Name: name})
	b.must(p, err)
	for kind, value := range map[access.Kind]string{access.RFID: card, access.PIN: pin} {
		if value != "" {
			b.must(st.PutCredential(b.t.Context(), store.System, "", store.CredentialInput{IDToken: value, Kind: kind, Person: p.ID}))
		}
	}
	if duress != "" {
		b.must(st.PutCredential(b.t.Context(), store.System, "", store.CredentialInput{IDToken: duress, Kind: access.Duress, Person: p.ID}))
	}
	return p.ID
}

// Whoever is made to open gives another code. The door does what it always does, what is
// told of it is what is always told, and help is called.
func TestADuressCode(t *testing.T) {
	b := newBarn(t, 1)
	st := b.s.Store
	ida := b.holder("Ida", "04A1B2C3D4", "471100", "471101")
	b.must(st.SaveAccessRow(t.Context(), store.System, store.AccessRow{Row: access.Row{Name: "Staff", To: []access.Principal{{Person: ida}}, Kinds: []access.PlaceKind{access.Gate}, PIN: true}}))
	b.must(st.SaveAccessRow(t.Context(), store.System, store.AccessRow{Row: access.Row{Name: "By code", To: []access.Principal{{Person: ida}}, Kinds: []access.PlaceKind{access.Gate}, From: time.Now().Add(-time.Hour)}}))
	for _, person := range []string{ida, "", "p-nobody"} {
		if _, err := st.PutCredential(t.Context(), store.System, "", store.CredentialInput{IDToken: "471102", Kind: access.Duress, Person: person}); err == nil {
			t.Errorf("%q has a second one, or one without a PIN", person)
		}
	}
	usual := map[string]*event.Access{"code": b.show(`{"pin":"471100"}`), "card and code": b.show(`{"card":"04A1B2C3D4","pin":"471100"}`)}
	if b.alarms() != 0 {
		t.Error("a PIN calls for help")
	}
	for _, story := range []struct {
		name, shown, like string
		before            func()
		opens             bool
		calls             int
	}{
		{"alone it is taken for the PIN", `{"pin":"471101","id":"1"}`, "code", nil, true, 1},
		{"beside a card it is taken for the PIN", `{"card":"04A1B2C3D4","pin":"471101","id":"2"}`, "card and code", nil, true, 2},
		{"in a lockdown it stays shut, and help is called all the same", `{"pin":"471101","id":"3"}`, "", func() {
			b.until("it is locked again", func() bool { return !b.device.On() })
			if err := b.s.doors.Lockdown(t.Context(), "barn"); err != nil {
				t.Fatal(err)
			}
		}, false, 3},
		{"of somebody who may nothing any more it is nothing", `{"pin":"471101","id":"4"}`, "", func() {
			b.must(st.SavePerson(t.Context(), store.System, store.Person{Person: access.Person{ID: ida, Suspended: true}, Name: "Ida"}))
		}, false, 3},
	} {
		if story.before != nil {
			story.before()
		}
		got := b.show(story.shown)
		if like := usual[story.like]; like != nil && *got != *like {
			t.Errorf("%s: told %+v, as ever would be %+v", story.name, got, like)
		}
		b.until(story.name, func() bool { return b.alarms() == story.calls })
		if got.Allowed != story.opens {
			t.Errorf("%s: %+v", story.name, got)
		}
		if story.opens {
			b.until(story.name+": the relay is on", b.device.On)
		}
	}
}

// A board asks for codes where people say that it does.
func TestAKeypadIsOnWherePeopleSaySo(t *testing.T) {
	y := newYard(t)
	p, err := y.s.Store.SavePerson(t.Context(), store.System, store.Person{Name: "Ida"})
	y.must(p, err)
	for value, kind := range map[string]access.Kind{"6154410": access.RFID, "4711": access.PIN} {
		y.must(y.s.Store.PutCredential(t.Context(), store.System, "", store.CredentialInput{IDToken: value, Kind: kind, Person: p.ID}))
	}
	y.must(y.s.Store.SaveAccessRow(t.Context(), store.System, store.AccessRow{Row: access.Row{Name: "Staff", To: []access.Principal{{Person: p.ID}}, Kinds: []access.PlaceKind{access.Gate}}}))
	y.until("the card is on it", func() bool { return y.board.Cards()[6154410].PIN == 4711 })
	keypad := func(k store.Keypad) {
		y.must(y.s.Store.ChangeDoor(t.Context(), store.System, "gate", func(d *store.Door) { d.Keypad = k }))
	}
	opens := func(pin uint32) bool { return y.board.Swipe(1, 6154410, pin).Granted }
	if !opens(0) {
		t.Error("it asks for a code that nobody wants")
	}
	keypad(store.KeypadOn)
	y.until("it asks", func() bool { return !opens(0) })
	if !opens(4711) {
		t.Error("the code is not taken")
	}
	keypad(store.KeypadOff)
	y.until("it does not ask", func() bool { return opens(0) })
	rows, err := y.s.Store.AccessRows(t.Context())
	y.must(rows, err)
	for _, x := range rows {
		if x.Name == "Staff" {
			x.PIN = true
			y.must(y.s.Store.SaveAccessRow(t.Context(), store.System, x))
		}
	}
	y.until("a code is wanted where none is asked for", func() bool { return len(y.faults()) == 1 && y.faults()[0] == event.ControllerKeypad })
	keypad(store.KeypadByPolicy)
	y.until("it asks where a policy wants it", func() bool { return len(y.faults()) == 0 && !opens(0) && opens(4711) })
}

// A board cannot count people: it knows their cards, lets none of them in, and this server
// opens. While it is away nobody is let in.
func TestTwoPeopleAtABoard(t *testing.T) {
	y := newYard(t)
	st := y.s.Store
	row := access.Row{Name: "Staff", Kinds: []access.PlaceKind{access.Gate}}
	for name, card := range map[string]string{"Ida": "6154410", "Bo": "6154411"} {
		p, err := st.SavePerson(t.Context(), store.System, store.Person{Name: name})
		y.must(p, err)
		row.To = append(row.To, access.Principal{Person: p.ID})
		y.must(st.PutCredential(t.Context(), store.System, "", store.CredentialInput{IDToken: card, Person: p.ID}))
	}
	y.must(st.SaveAccessRow(t.Context(), store.System, store.AccessRow{Row: row}))
	y.synced(6154410, true)
	y.must(st.ChangeDoor(t.Context(), store.System, "gate", func(d *store.Door) { d.TwoPerson = true }))
	y.until("no card has a right there", func() bool {
		cards := y.board.Cards()
		return len(cards) == 2 && cards[6154410].Doors[0] == uhppote.Never && cards[6154411].Doors[0] == uhppote.Never
	})
	if x, _ := y.s.doors.DoorStatus("gate"); x.WhenOffline != "deny" {
		t.Errorf("while we are away: %+v", x)
	}
	y.board.Swipe(1, 6154410, 0)
	y.until("the first waits", func() bool { a := y.attempts(); return len(a) == 1 && a[0].Code == "waits" })
	if y.board.Unlocked(1) {
		t.Error("it opened for one")
	}
	y.board.Swipe(1, 6154411, 0)
	y.until("it opens", func() bool { return y.board.Unlocked(1) })
	y.until("both are let in", func() bool { return len(y.attempts()) == 3 })
	for _, a := range y.attempts()[1:] {
		if !a.Allowed || a.With == "" || a.DecidedBy != "policy" || a.Differs {
			t.Errorf("%+v", a)
		}
	}
	read := func() bool {
		c, err := y.s.Store.ControllerCursor(t.Context(), "board")
		y.must(c, err)
		newest, err := y.board.Seen(c.Record + 1)
		return err != nil && newest.Index == 0
	}
	y.until("the opening was read", read)
	y.end()
	if got := y.board.Swipe(1, 6154411, 0); got.Granted {
		t.Error("without the server it opens for anybody")
	}
	y.begin()
	y.until("what happened meanwhile is told", func() bool { return len(y.attempts()) == 4 })
	if len(y.faults()) != 0 {
		t.Errorf("faults: %v", y.faults())
	}
	found, _, err := y.s.Journal.Events(t.Context(), journal.EventQuery{Kinds: []event.Kind{event.KindControllerFault}, Limit: 100})
	y.must(found, err)
	for _, e := range found {
		if x := e.Body.(*event.ControllerFault); x.Fault == event.ControllerDrift && x.Active {
			t.Errorf("what people decided is told as somebody else's: %s", x.Detail)
		}
	}
}

// Who is inside of an area is known from the journal after a start, but for those who may
// have left unseen while we were away.
func TestAnAreaAtABroker(t *testing.T) {
	b := newBarn(t, 1)
	ida := b.holder("Ida", "04A1B2C3D4", "", "")
	st := b.s.Store
	b.must(st.SaveAccessRow(t.Context(), store.System, store.AccessRow{Row: access.Row{Name: "Staff", To: []access.Principal{{Person: ida}}, Kinds: []access.PlaceKind{access.Gate}}}))
	for field, a := range map[string]access.Area{
		"siteId":           {Name: "x", Site: "nowhere", In: []string{"door/barn"}, Mode: access.PassbackHard},
		"in":               {Name: "x", Site: "yard", Mode: access.PassbackHard},
		"in[0]":            {Name: "x", Site: "yard", In: []string{"door/none"}, Mode: access.PassbackHard},
		"out[0]":           {Name: "x", Site: "yard", In: []string{"door/barn"}, Out: []string{"door/barn"}, Mode: access.PassbackHard},
		"mode":             {Name: "x", Site: "yard", In: []string{"door/barn"}, Mode: "mild"},
		"board":            {Name: "x", Site: "yard", In: []string{"door/barn"}, Mode: access.PassbackHard, Board: true},
		"forgetAfterHours": {Name: "x", Site: "yard", In: []string{"door/barn"}, Mode: access.PassbackHard, ForgetH: 1000},
	} {
		_, err := st.SaveArea(t.Context(), store.System, store.Area{Area: a})
		if wrong, ok := errors.AsType[*store.InvalidError](err); !ok || wrong.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	area, err := st.SaveArea(t.Context(), store.System, store.Area{Area: access.Area{Name: "Barn", Site: "yard", In: []string{"door/barn"}, Mode: access.PassbackHard}})
	b.must(area, err)
	if err := st.DeleteDoor(t.Context(), store.System, "barn"); !errors.Is(err, store.ErrInUse) {
		t.Errorf("a door of an area is removed: %v", err)
	}
	inside := func() []access.Someone { return b.s.doors.inside.InsideOf(&area.Area) }
	pardon := func(who string) {
		t.Helper()
		if err := b.s.doors.inside.Pardon(t.Context(), store.System, []string{area.ID}, who, "forgot the badge"); err != nil {
			t.Fatal(err)
		}
	}
	shows := 0
	show := func(what, code, passback string) {
		t.Helper()
		shows++
		b.until("the door can be driven", func() bool {
			x, _ := b.s.doors.ControllerStatus("broker")
			return x.Online && b.state("barn") == event.DoorLocked
		})
		if a := b.show(`{"card":"04A1B2C3D4","id":"` + strconv.Itoa(shows) + `"}`); a.Code != code || a.Passback != passback {
			t.Errorf("%s: %+v", what, a)
		}
		b.until("it is locked again", func() bool { return !b.device.On() })
	}
	opened := func() {
		b.device.Stand(true)
		b.until("open", func() bool { return b.state("barn") == event.DoorOpen })
		b.device.Stand(false)
		b.until("shut", func() bool { return b.state("barn") == event.DoorLocked })
	}
	show("she comes in", "allowed", "")
	opened()
	show("and again", "antiPassback", "")
	if list := inside(); len(list) != 1 || list[0].Who != ida || list[0].Unsure {
		t.Errorf("inside are %+v", list)
	}
	b.end()
	b.begin()
	b.until("after a start that is not sure", func() bool { list := inside(); return len(list) == 1 && list[0].Unsure })
	show("she may have left meanwhile", "allowed", "unsure")
	opened()
	show("now it is sure", "antiPassback", "")
	pardon(ida)
	if list := inside(); len(list) != 0 {
		t.Errorf("pardoned, inside are %+v", list)
	}
	b.end()
	b.begin()
	if list := inside(); len(list) != 0 {
		t.Errorf("a pardon is lost with a start: %+v", list)
	}
	show("pardoned she comes in", "allowed", "")
}

// What a board keeps by itself is pushed to it and read back.
func TestAnAreaAtABoard(t *testing.T) {
	y := newYard(t)
	st := y.s.Store
	area := store.Area{Area: access.Area{Name: "Room", Site: "yard", In: []string{"door/gate"}, Out: []string{"door/cabinet"}, Mode: access.PassbackHard, Board: true}}
	saved, err := st.SaveArea(t.Context(), store.System, area)
	y.must(saved, err)
	y.until("the board keeps it", func() bool { return y.board.Passback() == uhppote.Passback12And34 })
	lock := store.Airlock{Airlock: access.Airlock{Name: "Lock", Site: "yard", Doors: []string{"door/gate", "door/cabinet"}, Board: true}}
	if _, err := st.SaveAirlock(t.Context(), store.System, lock); err == nil {
		t.Error("a board may turn off the way out, and nobody said that it needs no button")
	}
	lock.WayOut = true
	y.must(st.SaveAirlock(t.Context(), store.System, lock))
	y.until("and the airlock", func() bool { return y.board.Airlock() == uhppote.Airlock12 })
	y.must(st.SaveAccessRow(t.Context(), store.System, store.AccessRow{Row: access.Row{Name: "All", To: []access.Principal{{Anyone: true}}}}))
	y.technician("6154410")
	y.synced(6154410, true)
	y.board.Swipe(1, 6154410, 0)
	y.board.Swipe(1, 6154410, 0)
	y.until("the board refuses", func() bool { a := y.attempts(); return len(a) == 2 && a[1].Code == "antiPassback" && !a[1].Differs })
	if err := y.s.doors.inside.Pardon(t.Context(), store.System, []string{saved.ID}, "", "after the drill"); err != nil {
		t.Fatal(err)
	}
	if !y.board.Swipe(1, 6154410, 0).Granted {
		t.Error("pardoned the board refuses")
	}
	// A third door is in no area: the board knows no form for that, and we keep it.
	y.must(st.CreateDoor(t.Context(), store.System, store.Door{ID: "store", SiteID: "yard", Kind: access.Door, Controller: "board", Number: 3}))
	y.until("we keep it", func() bool {
		return y.board.Passback() == uhppote.NoPassback && y.board.Cards()[6154410].Doors[0] == uhppote.Never && y.board.Cards()[6154410].Doors[1] == uhppote.Never
	})
	if x, _ := y.s.doors.DoorStatus("gate"); x.WhenOffline != "deny" {
		t.Errorf("the gate while we are away: %+v", x)
	}
}
