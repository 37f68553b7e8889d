package store

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/seal"
)

// locked gives the store of a bench a key.
func locked(t *testing.T) *bench {
	b := open(t)
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() }) //nolint:errcheck // the test is over
	b.box = must[*seal.Box](t)(seal.Open(root))
	must[*Site](t)(b.CreateSite(t.Context(), admin, Site{ID: "mall", TimeZone: "Europe/Berlin"}))
	return b
}

func gate() Camera {
	return Camera{
		ID: "gate", SiteID: "mall", Label: "Gate", MainURL: "rtsp://10.0.0.5/main", SubURL: "rtsp://10.0.0.5/sub", Username: "watch",
		Zones: []CameraZone{{Label: "Bay 1", Kind: event.ZoneWatch, Polygon: [][2]float64{{0, 0}, {1, 0}, {1, 1}}, Ports: []string{"station/CP1/1"}}},
	}
}

func TestACameraIsKeptWithAPasswordThatNothingShows(t *testing.T) {
	b := locked(t)
	c := must[*Camera](t)(b.CreateCamera(t.Context(), admin, gate(), "s3cret"))
	if c.Record != RecordContinuous || b.Kept(c).Days != DefaultPromise || c.Zones[0].ID == "" || !c.HasPassword {
		t.Errorf("created %+v", c)
	}
	again := b.reopen(t)
	again.box = b.box
	for _, s := range []*Store{b.Store, again} {
		kept, ok := s.Camera("gate")
		if !ok || kept.Label != "Gate" || kept.Zones[0].Ports[0] != "station/CP1/1" {
			t.Errorf("kept %+v", kept)
		}
		if p := must[string](t)(s.CameraPassword("gate")); p != "s3cret" {
			t.Errorf("password %q", p)
		}
	}
	var row string
	err := b.query(t.Context(), "cameras", `SELECT data || hex(password) FROM cameras`, nil, func(r *sql.Rows) error { return r.Scan(&row) })
	if err != nil || row == "" || strings.Contains(row, "s3cret") || strings.Contains(row, fmt.Sprintf("%X", "s3cret")) {
		t.Errorf("the row shows it: %s, %v", row, err)
	}
	events, _, err := b.log.Events(t.Context(), journal.EventQuery{Kinds: []event.Kind{event.KindCameraConfigured}, Limit: 10})
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	if body := events[0].Body.(*event.CameraConfigured); body.Zones[0].Ports[0] != "station/CP1/1" || body.SiteID != "mall" {
		t.Errorf("told %+v", body)
	}
	var used *InUseError
	if err := b.DeleteSite(t.Context(), admin, "mall"); !errors.As(err, &used) {
		t.Errorf("a site with cameras was deleted: %v", err)
	}
	if err := b.DeleteCamera(t.Context(), admin, "gate"); err != nil {
		t.Fatal(err)
	}
	if _, ok := b.Camera("gate"); ok {
		t.Error("it is still there")
	}
}

func TestAPasswordIsNotSentToAnotherHost(t *testing.T) {
	b := locked(t)
	must[*Camera](t)(b.CreateCamera(t.Context(), admin, gate(), "s3cret"))
	move := func(password *string) error {
		_, err := b.ChangeCamera(t.Context(), admin, "gate", password, func(c *Camera) { c.SubURL = "rtsp://10.6.6.6/x" })
		return err
	}
	var bad *InvalidError
	if err := move(nil); !errors.As(err, &bad) || bad.Field != "password" {
		t.Errorf("without the password: %v", err)
	}
	if err := move(new("other")); err != nil {
		t.Error(err)
	}
	if p := must[string](t)(b.CameraPassword("gate")); p != "other" {
		t.Errorf("password %q", p)
	}
	c := must[*Camera](t)(b.ChangeCamera(t.Context(), admin, "gate", nil, func(c *Camera) { c.MainURL = "rtsp://10.0.0.5:554/other" }))
	if !c.HasPassword {
		t.Error("another path on the same host lost the password")
	}
}

func TestWhatACameraCannotBe(t *testing.T) {
	b := locked(t)
	for field, spoil := range map[string]func(*Camera){
		"siteId":                 func(c *Camera) { c.SiteID = "none" },
		"mainUrl":                func(c *Camera) { c.MainURL = "http://10.0.0.5/" },
		"subUrl":                 func(c *Camera) { c.SubURL = "rtsp://u:p@10.0.0.5/" },
		"onvifUrl":               func(c *Camera) { c.OnvifURL = "gopher://x" },
		"recording":              func(c *Camera) { c.Record = "sometimes" },
		"audioReason":            func(c *Camera) { c.Audio = true },
		"retention.promisedDays": func(c *Camera) { c.PromisedDays = 1000 },
		"retention.purpose":      func(c *Camera) { c.PromisedDays = 30 },
		"retention.maxBytes":     func(c *Camera) { c.MaxBytes = 1000 },
		"zones[0].kind":          func(c *Camera) { c.Zones[0].Kind = "x" },
		"zones[0].polygon":       func(c *Camera) { c.Zones[0].Polygon[1][0] = 1.5 },
		"zones[0].evses":         func(c *Camera) { c.Zones[0].Ports = []string{"CP1"} },
	} {
		c := gate()
		spoil(&c)
		var bad *InvalidError
		if _, err := b.CreateCamera(t.Context(), admin, c, ""); !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestWhenASiteIsArmed(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	night := []ArmedHours{{Days: []time.Weekday{time.Friday, time.Saturday}, From: 22 * 60, To: 6 * 60}}
	at := func(text string) time.Time {
		when, err := time.ParseInLocation("2006-01-02 15:04", text, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for name, tc := range map[string]struct {
		x        *Arming
		at       time.Time
		armed    bool
		schedule bool
	}{
		"nothing decided":             {nil, at("2026-05-01 23:00"), false, false},
		"Friday night":                {&Arming{Weekly: night}, at("2026-05-01 23:00"), true, true},
		"Friday before ten":           {&Arming{Weekly: night}, at("2026-05-01 21:59"), false, true},
		"Sunday morning":              {&Arming{Weekly: night}, at("2026-05-03 05:59"), true, true},
		"Sunday at six":               {&Arming{Weekly: night}, at("2026-05-03 06:00"), false, true},
		"Friday morning":              {&Arming{Weekly: night}, at("2026-05-01 05:00"), false, true},
		"a person before the week":    {&Arming{Weekly: night, Armed: new(false)}, at("2026-05-01 23:00"), false, false},
		"a person whose time is over": {&Arming{Weekly: night, Armed: new(false), Until: at("2026-05-01 22:30")}, at("2026-05-01 23:00"), true, true},
	} {
		if armed, schedule := tc.x.ArmedAt(tc.at.UTC(), berlin); armed != tc.armed || schedule != tc.schedule {
			t.Errorf("%s: armed %v, by schedule %v", name, armed, schedule)
		}
	}
	b := locked(t)
	must[*Arming](t)(b.SetArming(t.Context(), admin, Arming{SiteID: "mall", Armed: new(true)}, "closed"))
	if !b.Armed("mall") || !b.reopen(t).Armed("mall") || b.Armed("none") {
		t.Error("not armed as decided")
	}
}
