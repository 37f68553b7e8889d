package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/mqtt"
	"github.com/chargewatch/chargewatch/internal/proto/signed"
	"github.com/chargewatch/chargewatch/internal/store"
)

// also lets the server reach an address more.
func (y *yard) also(address string) {
	y.t.Helper()
	y.end()
	y.c.AllowNet = append(y.c.AllowNet, address)
	y.begin()
}

// card is somebody who may enter at gates.
func (y *yard) card(value string) string {
	y.t.Helper()
	id := y.technician(value)
	y.must(y.s.Store.SaveAccessRow(y.t.Context(), store.System, store.AccessRow{Row: access.Row{Name: "Technicians", To: []access.Principal{{Credential: id}}, Kinds: []access.PlaceKind{access.Gate}}}))
	return id
}

// At a broker the server decides; what holds while it or the broker is away is that
// nobody is let in.
func TestADoorOnABroker(t *testing.T) {
	barn := newBarn(t, 60)
	y, b, hand, device := barn.yard, barn.broker, barn.hand, barn.device
	swipe := func(card string) {
		if err := hand.Publish(t.Context(), mqtt.Message{Topic: "yard/reader", Payload: []byte(`{"card":"` + card + `"}`)}); err != nil {
			t.Error(err)
		}
	}
	id := y.card("04A1B2C3D4")
	for field, w := range map[string]store.Wiring{"wiring.reader": {Preset: "tasmota", Device: "x", Reader: "#"}, "wiring.contact.device": {Preset: "tasmota", Device: "x", Contact: store.WiringContact{Preset: "shelly1"}}, "": {Preset: "tasmota", Device: "x"}} {
		wrong, ok := errors.AsType[*store.InvalidError](y.s.doors.CheckWiring(store.DriverMQTT, w))
		if ok != (field != "") || ok && wrong.Field != field {
			t.Errorf("%s: %v", field, wrong)
		}
	}
	if x, _ := y.s.doors.DoorStatus("barn"); x.WhenOffline != "deny" || x.Blind {
		t.Errorf("%+v", x)
	}
	swipe("04A1B2C3D4")
	y.until("the relay is on", device.On)
	device.Stand(true)
	y.until("open", func() bool { return y.state("barn") == event.DoorOpen })
	device.Stand(false)
	swipe("FFFF")
	y.until("two attempts", func() bool { return len(y.attempts()) == 2 })
	if a := y.attempts(); !a[0].Allowed || a[0].DecidedBy != "policy" || a[0].CredentialID != id || a[1].Allowed || a[1].Code != "unknown" {
		t.Errorf("%+v, %+v", a[0], a[1])
	}

	if err := y.s.doors.Lockdown(t.Context(), "barn"); err != nil {
		t.Fatal(err)
	}
	y.until("the relay is off", func() bool { return !device.On() })
	time.Sleep(2100 * time.Millisecond) // the same card sooner is the same swipe
	swipe("04A1B2C3D4")
	y.until("a third attempt", func() bool { return len(y.attempts()) == 3 })
	if a := y.attempts()[2]; a.Allowed || a.Code != "lockdown" || device.On() {
		t.Errorf("%+v", a)
	}
	y.end()
	y.begin()
	y.until("still locked down, and heard", func() bool {
		x, _ := y.s.doors.ControllerStatus("broker")
		return x.Online && y.state("barn") == event.DoorLockdown
	})
	swipe("04A1B2C3D4")
	y.until("a fourth attempt", func() bool { return len(y.attempts()) == 4 })
	if a := y.attempts()[3]; a.Allowed || device.On() {
		t.Errorf("after a restart: %+v", a)
	}
	if err := y.s.doors.Release(t.Context(), "barn"); err != nil {
		t.Fatal(err)
	}

	if err := y.s.doors.Unlock(t.Context(), "barn", time.Minute); err != nil {
		t.Fatal(err)
	}
	y.until("opened by a person", func() bool { a := y.attempts(); return len(a) == 5 && a[4].DecidedBy == "person" && !a[4].Differs })
	b.Stop()
	y.until("away with the broker", func() bool {
		x, _ := y.s.doors.ControllerStatus("broker")
		return y.state("barn") == event.DoorOffline && len(x.Faults) == 1 && x.Faults[0].Fault == event.ControllerOffline
	})
	if err := y.s.doors.Unlock(t.Context(), "barn", 0); err == nil {
		t.Error("a door was opened whose broker is away")
	}
	if err := y.s.doors.TryController(t.Context(), "broker"); err == nil {
		t.Error("it answers")
	}
	device.Turn(false)
	b.Begin()
	y.until("back", func() bool { return y.state("barn") == event.DoorLocked })
	device.Power(false)
	y.until("the device is away", func() bool { return y.state("barn") == event.DoorOffline })
}

// Another system decides by itself; what it tells is there once, however often it is
// told, and what it cannot have told is refused.
func TestADoorOfAnotherSystem(t *testing.T) {
	y := newYard(t)
	var mu sync.Mutex
	var orders []string
	var secret string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		s, ok := signed.Parse(r.Header.Get(signed.Header))
		if err != nil || !ok || secret != "" && !s.By([]byte(secret), body) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var c struct{ Command, Door string }
		if json.Unmarshal(body, &c) == nil && c.Command != "ping" {
			orders = append(orders, c.Command+" "+c.Door)
		}
	}))
	defer other.Close()
	y.also(other.Listener.Addr().String())
	id := y.card("A1B2")
	st := y.s.Store
	y.must(st.CreateController(t.Context(), store.System, store.Controller{ID: "kisi", SiteID: "yard", Driver: store.DriverHTTP, Address: other.URL}, ""))
	got, err := st.NewControllerSecret(t.Context(), store.System, "kisi")
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	secret = got
	mu.Unlock()
	y.must(st.CreateDoor(t.Context(), store.System, store.Door{ID: "lobby", SiteID: "yard", Kind: access.Gate, Controller: "kisi", Number: 1, Wiring: store.Wiring{Device: "north"}}))
	y.until("it is there", func() bool { x, _ := y.s.doors.ControllerStatus("kisi"); return x.Online && len(x.Faults) == 0 })

	post := func(body, secret string, at time.Time) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+y.s.HTTPAddress()+"/api/v1/controllers/kisi/events", bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(signed.Header, signed.Sign([]byte(secret), at, []byte(body)))
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	now := time.Now().Add(time.Second)
	told := fmt.Sprintf(`{"id":"e1","door":"north","kind":"granted","card":"A1B2","at":%q}`, time.Now().UTC().Format(time.RFC3339))
	for name, tc := range map[string]struct {
		body, secret string
		at           time.Time
		want         int
	}{
		"not signed with the secret": {told, "another", now, http.StatusUnauthorized},
		"of an hour ago":             {told, secret, now.Add(-time.Hour), http.StatusUnauthorized},
		"of a door that is none":     {`{"id":"x","door":"south","kind":"opened"}`, secret, now, http.StatusUnprocessableEntity},
		"of a kind that is none":     {`{"id":"x","door":"north","kind":"melted"}`, secret, now, http.StatusUnprocessableEntity},
		"with more than there is":    {`{"id":"x","door":"north","kind":"opened","allow":true}`, secret, now, http.StatusUnprocessableEntity},
		"no JSON":                    {`{"id":`, secret, now, http.StatusBadRequest},
		"too large":                  {`{"id":"x","door":"north","kind":"opened","card":"` + string(bytes.Repeat([]byte("0"), 100_000)) + `"}`, secret, now, http.StatusRequestEntityTooLarge},
		"with markup for a card":     {`{"id":"x","door":"north","kind":"granted","card":"<b>"}`, secret, now, http.StatusUnprocessableEntity},
	} {
		if got := post(tc.body, tc.secret, tc.at); got != tc.want {
			t.Errorf("%s: %d, want %d", name, got, tc.want)
		}
	}
	if got := post(told, secret, now); got != http.StatusNoContent {
		t.Fatalf("told: %d", got)
	}
	if got := post(told, secret, now); got != http.StatusConflict {
		t.Errorf("the same message: %d", got)
	}
	if got := post(told, secret, now.Add(time.Second)); got != http.StatusNoContent {
		t.Errorf("signed anew: %d", got)
	}
	y.end()
	y.begin()
	y.until("it is followed again", func() bool { x, _ := y.s.doors.ControllerStatus("kisi"); return x.Online })
	if got := post(told, secret, time.Now().Add(2*time.Second)); got != http.StatusNoContent {
		t.Errorf("after a restart: %d", got)
	}
	for i, kind := range []string{"denied", "forced", "closed"} {
		body := fmt.Sprintf(`{"id":"f%d","door":"north","kind":%q,"card":"A1B2"}`, i, kind)
		if got := post(body, secret, time.Now().Add(2*time.Second)); got != http.StatusNoContent {
			t.Errorf("%s: %d", kind, got)
		}
		if kind == "forced" && y.state("lobby") != event.DoorForced {
			t.Errorf("forced it is %s", y.state("lobby"))
		}
	}
	if y.state("lobby") != event.DoorLocked {
		t.Errorf("closed it is %s", y.state("lobby"))
	}
	a := y.attempts()
	if len(a) != 2 || !a[0].Allowed || a[0].CredentialID != id || a[0].DecidedBy != "controller" || a[0].Differs || a[1].Allowed || !a[1].Differs {
		t.Fatalf("%d attempts: %+v", len(a), a)
	}
	if err := y.s.doors.Lockdown(t.Context(), "lobby"); err != nil {
		t.Fatal(err)
	}
	if err := y.s.doors.Release(t.Context(), "lobby"); err != nil {
		t.Fatal(err)
	}
	if err := y.s.doors.Unlock(t.Context(), "lobby", 3*time.Second); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	if want := []string{"lockdown north", "release north", "unlock north"}; !slices.Equal(orders, want) {
		t.Errorf("ordered %q", orders)
	}
	mu.Unlock()
	other.Close()
	if err := y.s.doors.TryController(t.Context(), "kisi"); err == nil {
		t.Error("it answers")
	}
	y.until("that orders do not arrive", func() bool {
		x, _ := y.s.doors.ControllerStatus("kisi")
		return len(x.Faults) == 1 && x.Faults[0].Fault == event.ControllerOffline
	})
	if y.state("lobby") != event.DoorLocked {
		t.Errorf("still heard, it is %s", y.state("lobby"))
	}
}
