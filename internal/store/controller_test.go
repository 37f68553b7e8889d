package store

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/pki"
)

func TestWhatAControllerCannotBe(t *testing.T) {
	board := Controller{ID: "c", Driver: DriverUHPPOTE, Address: "10.0.0.30:60000", Serial: 7}
	broker := Controller{ID: "c", Driver: DriverMQTT, Address: "mqtts://broker.example:8883", User: "me"}
	bridge := Controller{ID: "c", Driver: DriverHTTP, Address: "https://doors.example/orders?site=1"}
	for _, c := range []Controller{board, broker, bridge, {ID: "c", Driver: DriverHTTP}} {
		if err := c.validate(); err != nil {
			t.Errorf("%s: %v", c.Driver, err)
		}
	}
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	somePEM := string(must[*pki.Authority](t)(pki.Own(root, time.Now())).PEM())
	for name, tc := range map[string]struct {
		of    Controller
		spoil func(*Controller)
		field string
	}{
		"a driver that is none":        {board, func(c *Controller) { c.Driver = "pigeon" }, "driver"},
		"a board without a number":     {board, func(c *Controller) { c.Serial = 0 }, "serial"},
		"a board at a URL":             {board, func(c *Controller) { c.Address = "mqtt://x" }, "address"},
		"a broker without an address":  {broker, func(c *Controller) { c.Address = "" }, "address"},
		"a broker on the web":          {broker, func(c *Controller) { c.Address = "https://broker.example" }, "address"},
		"a broker with a path":         {broker, func(c *Controller) { c.Address = "mqtts://broker.example/doors" }, "address"},
		"a password in the address":    {broker, func(c *Controller) { c.Address = "mqtts://me:pw@broker.example" }, "address"},
		"an authority that is no PEM":  {broker, func(c *Controller) { c.Authority = "trust me" }, "authority"},
		"an authority without TLS":     {broker, func(c *Controller) { c.Address = "mqtt://broker.example"; c.Authority = somePEM }, "authority"},
		"a user of another line":       {broker, func(c *Controller) { c.User = "me\nyou" }, "user"},
		"another system on the broker": {bridge, func(c *Controller) { c.Address = "mqtt://x" }, "address"},
		"an address without end":       {bridge, func(c *Controller) { c.Address += strings.Repeat("a", 300) }, "address"},
	} {
		tc.spoil(&tc.of)
		var bad *InvalidError
		if err := tc.of.validate(); !errors.As(err, &bad) || bad.Field != tc.field {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSecretsOfControllersGoNowhereElse(t *testing.T) {
	b := locked(t)
	must[*Site](t)(b.CreateSite(t.Context(), admin, Site{ID: "yard", TimeZone: "UTC"}))
	must[*Controller](t)(b.CreateController(t.Context(), admin, Controller{ID: "broker", SiteID: "yard", Driver: DriverMQTT, Address: "mqtt://a"}, "pw"))
	must[*Controller](t)(b.CreateController(t.Context(), admin, Controller{ID: "bridge", SiteID: "yard", Driver: DriverHTTP}, ""))
	var bad *InvalidError
	if _, err := b.ChangeController(t.Context(), admin, "broker", nil, func(c *Controller) { c.Address = "mqtt://b" }); !errors.As(err, &bad) || bad.Field != "secret" {
		t.Errorf("the password goes to another broker: %v", err)
	}
	if _, err := b.NewControllerSecret(t.Context(), admin, "broker"); !errors.As(err, &bad) {
		t.Errorf("a broker has a secret of ours: %v", err)
	}
	before, _ := b.Controller("bridge")
	first := must[string](t)(b.NewControllerSecret(t.Context(), admin, "bridge"))
	between, _ := b.Controller("bridge")
	second := must[string](t)(b.NewControllerSecret(t.Context(), admin, "bridge"))
	after, _ := b.Controller("bridge")
	if first == second || len(first) < 24 || must[string](t)(b.ControllerSecret("bridge")) != second {
		t.Errorf("%s, then %s", first, second)
	}
	if before.Seal() != "" || between.Seal() == after.Seal() || strings.Contains(after.Seal(), second) {
		t.Errorf("sealed as %q, %q, %q", before.Seal(), between.Seal(), after.Seal())
	}
}

func TestWhatWasToldUnderANameIsToldOnce(t *testing.T) {
	b := locked(t)
	must[*Site](t)(b.CreateSite(t.Context(), admin, Site{ID: "yard", TimeZone: "UTC"}))
	for _, id := range []string{"one", "two"} {
		must[*Controller](t)(b.CreateController(t.Context(), admin, Controller{ID: id, SiteID: "yard", Driver: DriverHTTP}, ""))
	}
	count := func() (n int) {
		t.Helper()
		if err := b.db.Reader().QueryRow(`SELECT count(*) FROM door_told`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	tell := func(controller, name string, want int) {
		t.Helper()
		e := &event.Event{Subject: event.Controller(controller), At: time.Now(), ReceivedAt: time.Now(), Quality: event.TimeReceived, Body: &event.ControllerFault{SiteID: "yard", Fault: event.ControllerForeign}}
		if err := b.TellOnce(t.Context(), controller, name, e); err != nil {
			t.Fatal(err)
		}
		if n := count(); n != want {
			t.Errorf("%s of %s: %d were told, want %d", name, controller, n, want)
		}
	}
	tell("one", "a", 1)
	tell("one", "a", 1)
	tell("two", "a", 2)
	tell("one", "b", 3)
	if err := b.DeleteController(t.Context(), admin, "one"); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 1 {
		t.Errorf("%d are left of a controller that is gone", n)
	}
}
