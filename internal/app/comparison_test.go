package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/campaign"
	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/journaltest"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/usage/contrast"
)

// days is a journal and a store in which days go by as the test says.
type days struct {
	t     *testing.T
	clock *journaltest.Clock
	begin time.Time
	log   *journal.Journal
	rows  *store.Store
}

func newDays(t *testing.T) *days {
	t.Helper()
	p := &days{t: t, clock: journaltest.NewClock()}
	p.begin = p.clock.Now()
	db := coredbtest.Open(t)
	var err error
	if p.log, err = sqlite.Open(t.Context(), sqlite.Options{DB: db, Now: p.clock.Now, Journal: journal.Options{Tick: time.Millisecond}}); err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		if err := p.log.Run(context.Background()); err != nil {
			t.Error("journal:", err)
		}
	})
	t.Cleanup(func() {
		err := p.log.Close()
		running.Wait()
		if err := errors.Join(err, db.Close()); err != nil {
			t.Error(err)
		}
	})
	if p.rows, err = store.Open(t.Context(), store.Options{DB: db, Journal: p.log}); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *days) at(hours float64) time.Time {
	return p.begin.Add(time.Duration(hours * float64(time.Hour))).Truncate(time.Millisecond)
}

func (p *days) say(hours float64, subject event.Subject, body event.Body) {
	p.t.Helper()
	at := p.at(hours)
	if p.clock.Now().Before(at) {
		p.clock.Set(at)
	}
	if _, err := p.log.Append(p.t.Context(), &event.Event{Subject: subject, At: at, DeviceAt: at, ReceivedAt: at, Quality: event.TimeDevice, Body: body}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *days) boot(hours float64, station, version string) {
	p.say(hours, event.Station(station), &event.Connected{ConnID: fmt.Sprint(station, hours), Protocol: "ocpp1.6"})
	p.say(hours, event.Station(station), &event.Boot{Vendor: "Acme", Model: "One", Firmware: version, Status: "Accepted"})
	p.say(hours, event.Port(station, 1, 1), &event.Status{Status: "Available"})
}

// charge is a try to charge that works, or one in which no power flows.
func (p *days) charge(hours float64, station string, works bool) {
	id, port, wh := fmt.Sprint(station, "-", hours), event.Port(station, 1, 1), 0.0
	if works {
		wh = 9000
	}
	p.say(hours, port, &event.Transaction{Stage: event.TransactionStarted, TransactionID: id, MeterWh: new(1000.0), TokenID: "T"})
	p.say(hours, port, &event.Status{Status: "Charging"})
	p.say(hours+0.4, port, &event.Transaction{Stage: event.TransactionEnded, TransactionID: id, MeterWh: new(1000 + wh)})
	p.say(hours+0.4, port, &event.Status{Status: "Available"})
}

// compared waits for a comparison of what is kept of a campaign.
func (p *days) compared(id string, sees func(string) bool) *contrast.Report {
	p.t.Helper()
	c := newComparisons(p.log, p.rows, p.clock.Now)
	ctx, stop := context.WithCancel(p.t.Context())
	defer stop()
	go c.Run(ctx) //nolint:errcheck // it ends with the test
	row, err := p.rows.Campaign(ctx, id)
	if err != nil {
		p.t.Fatal(err)
	}
	of := &campaign.Campaign{Campaign: row}
	r, read, all, err := c.Compare(ctx, of, "*", sees)
	if err != nil || r == nil || read != all {
		p.t.Fatal(r, read, all, err)
	}
	again, _, _, err := c.Compare(ctx, of, "*", sees)
	if err != nil || again != r {
		p.t.Error("the same question was answered twice", err)
	}
	return r
}

// Four stations get new firmware on the eighth day, one after the other, and fail every
// second charge from then on; three of their model keep the old one and a fourth may not be
// seen. Each is looked at around its own update.
func TestFirmwareThatMakesItWorse(t *testing.T) {
	p := newDays(t)
	updated, kept := []string{"U1", "U2", "U3", "U4"}, []string{"K1", "K2", "K3", "HIDDEN"}
	for _, id := range append(append([]string{}, updated...), kept...) {
		site := "ours"
		if id == "HIDDEN" {
			site = "theirs"
		}
		p.say(0, event.Station(id), &event.StationConfigured{SiteID: site, Onboarding: event.OnboardingAccepted})
		p.boot(0, id, "1.0")
	}
	var rows []store.CampaignStation
	for i, id := range updated {
		rows = append(rows, store.CampaignStation{Place: i, Station: id, Site: "ours", Model: "One", Firmware: "1.0", State: campaign.Pending})
	}
	c, err := p.rows.CreateCampaign(t.Context(), store.Campaign{
		Kind: "firmware", By: store.System, Stage: store.CampaignRest, MadeAt: p.at(190), Sites: []string{"ours"}, Plan: json.RawMessage(`{}`), LeftOut: json.RawMessage(`[]`),
	}, rows)
	if err != nil {
		t.Fatal(err)
	}
	moment := func(i int) float64 { return 192 + 5*float64(i) } // when one is updated
	const whole = 18
	for day := range whole {
		for n, hour := range []float64{2, 8, 14, 20} {
			hours := 24*float64(day) + hour
			for i, id := range updated {
				if now := moment(i); hours-6 < now && now <= hours {
					p.say(now+0.1, event.Station(id), &event.Disconnected{ConnID: fmt.Sprint(id, 0.0), Reason: "reboot"})
					p.boot(now+0.2, id, "2.0")
					x := rows[i]
					x.At, x.Attempts = p.at(now), 1
					if _, err := p.rows.BeginCampaignStation(t.Context(), c.Seq, x); err != nil {
						t.Fatal(err)
					}
					x.At, x.State, x.Code, x.After = p.at(now+0.3), campaign.Done, "updated", json.RawMessage(`{"firmware":"2.0"}`)
					if err := p.rows.EndCampaignStation(t.Context(), c.Seq, x); err != nil {
						t.Fatal(err)
					}
				}
				p.charge(hours+0.01*float64(i), id, hours < moment(i) || n%2 == 0)
			}
			for i, id := range kept {
				p.charge(hours+0.05+0.01*float64(i), id, true)
			}
		}
	}
	p.clock.Set(p.at(24 * whole))
	r := p.compared(c.ID, func(site string) bool { return site == "ours" })
	if r.Stations != 4 || r.Early != 0 || r.Control != 3 || r.ControlOf != 3 || r.Least != 8*24*time.Hour || r.Most != 8*24*time.Hour {
		t.Fatalf("%+v", r)
	}
	for name, h := range map[string]contrast.Half{"before": r.Done.Before, "after": r.Done.After, "control before": r.Nothing.Before, "control after": r.Nothing.After} {
		stations, good := 4.0, 1.0
		if name == "after" {
			good = 0.5
		}
		if h.Stations == 3 {
			stations = 3
		}
		if float64(h.Tries) != stations*8*4 || float64(h.Good) != good*float64(h.Tries) || math.Abs(h.StationDays-8*stations) > 1e-6 || h.OfflineDays > 1e-6 || math.Abs(h.PortDays-8*stations) > 1e-6 {
			t.Errorf("%s: %+v", name, h)
		}
	}
	for _, x := range r.Changes {
		want := contrast.Same
		if x.Measure == contrast.Success {
			want = contrast.Worse
		}
		if x.Verdict != want || math.IsNaN(x.Beyond.Value) {
			t.Errorf("%s: %s by %+v", x.Measure, x.Verdict, x.Judged())
		}
	}
}
