package web

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// noon is a time zone in which it is about noon, so that no test meets
// midnight.
func noon() string {
	switch hours := 12 - time.Now().UTC().Hour(); {
	case hours > 0:
		return fmt.Sprintf("Etc/GMT-%d", hours) // named against the sign
	case hours < 0:
		return fmt.Sprintf("Etc/GMT+%d", -hours)
	}
	return "Etc/GMT"
}

func TestSessionsOfToday(t *testing.T) {
	var shift atomic.Int64
	p := newPlant(t, func(o *Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(shift.Load())) }
	})
	if _, err := p.store.CreateSite(t.Context(), store.System, store.Site{ID: "a", Name: "A", TimeZone: noon()}); err != nil {
		t.Fatal(err)
	}
	p.enrol("a", "S1", event.EVSELayout{EVSE: 1}, event.EVSELayout{EVSE: 2})
	p.enrol("a", "S2", event.EVSELayout{EVSE: 1})
	p.connect("S1", "ocpp1.6")
	p.connect("S2", "ocpp1.6")
	told := func(ago time.Duration, subject event.Subject, body *event.Transaction) string {
		t.Helper()
		now := time.Now().UTC()
		receipt, err := p.log.Append(t.Context(), &event.Event{
			Subject: subject, At: now.Add(-ago), DeviceAt: now.Add(-ago), ReceivedAt: now, Quality: event.TimeDevice, Body: body,
		})
		if err != nil {
			t.Fatal(err)
		}
		return receipt.TransactionID
	}
	session := func(begun, ended time.Duration, subject event.Subject, wh float64) {
		t.Helper()
		id := told(begun, subject, &event.Transaction{Stage: event.TransactionStarted, AssignID: true, MeterWh: new(1000.0)})
		told(ended, subject, &event.Transaction{Stage: event.TransactionEnded, TransactionID: id, MeterWh: new(1000 + wh)})
	}
	c := p.script(store.RoleViewer)
	shows := func(n int, wh float64) {
		t.Helper()
		var sum Summary
		for range 400 {
			c.get("/summary", &sum)
			if sum.Sessions.Today == n && sum.Sessions.EnergyTodayWh == wh {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Fatalf("today %+v, want %d sessions and %g Wh", sum.Sessions, n, wh)
	}
	session(20*time.Minute, 0, event.Port("S1", 1, 1), 1500)
	shows(1, 1500)
	open := told(0, event.Port("S1", 1, 1), &event.Transaction{Stage: event.TransactionStarted, AssignID: true, MeterWh: new(5000.0)})
	shows(2, 1500)
	session(3*time.Hour, 2*time.Hour, event.Port("S1", 2, 2), 700) // told late
	shows(3, 2200)
	session(20*time.Hour, 19*time.Hour, event.Port("S2", 1, 1), 9000) // yesterday
	session(time.Hour, 30*time.Minute, event.Port("S2", 1, 1), 50)
	shows(4, 2250)
	told(0, event.Port("S1", 1, 1), &event.Transaction{Stage: event.TransactionEnded, TransactionID: open, MeterWh: new(6000.0)})
	shows(4, 3250)

	// A page that sees nothing of the site counts nothing of it.
	var none Summary
	p.script(store.RoleViewer, "elsewhere").get("/summary", &none)
	if none.Sessions.Today != 0 || none.Sessions.EnergyTodayWh != 0 {
		t.Errorf("of another site: %+v", none.Sessions)
	}
	// Another server on the same journal finds the same.
	again := newToday(p.Server)
	if err := again.read(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, wh := again.count(p.log.Snapshot(), Scope{all: true}); n != 4 || wh != 3250 {
		t.Errorf("read anew: %d sessions, %g Wh", n, wh)
	}

	// The next day begins at zero.
	shift.Store(int64(24 * time.Hour))
	shows(0, 0)
}

// A session whose end we inferred and that goes on counts once, as it is.
func TestSessionOfTodayThatGoesOn(t *testing.T) {
	p := newPlant(t)
	if _, err := p.store.CreateSite(t.Context(), store.System, store.Site{ID: "a", Name: "A", TimeZone: noon()}); err != nil {
		t.Fatal(err)
	}
	p.enrol("a", "S1", event.EVSELayout{EVSE: 1})
	p.connect("S1", "ocpp1.6")
	p.say(event.Port("S1", 1, 1), &event.Transaction{Stage: event.TransactionStarted, AssignID: true, MeterWh: new(1000.0)})
	open := p.log.Snapshot()
	id := openID(t, p)
	p.say(event.Port("S1", 1, 1), &event.Transaction{Stage: event.TransactionEnded, TransactionID: id, MeterWh: new(4000.0)})
	day := newToday(p.Server)
	if err := day.read(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, wh := day.count(p.log.Snapshot(), Scope{all: true}); n != 1 || wh != 3000 {
		t.Errorf("ended: %d sessions, %g Wh", n, wh)
	}
	if n, wh := day.count(open, Scope{all: true}); n != 1 || wh != 0 {
		t.Errorf("open in the snapshot: %d sessions, %g Wh", n, wh)
	}
}

func openID(t *testing.T, p *plant) string {
	t.Helper()
	st, ok := p.log.Snapshot().Station("S1")
	if !ok || st.EVSEs[0].Session == nil {
		t.Fatal("no open session")
	}
	return st.EVSEs[0].Session.TransactionID
}
