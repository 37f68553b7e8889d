package store

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

func TestHowLongPicturesStayIsDecidedFromTheCameraOutwards(t *testing.T) {
	b := locked(t)
	c := must[*Camera](t)(b.CreateCamera(t.Context(), admin, gate(), ""))
	says := func(step string, days, incidents float64) {
		t.Helper()
		for _, s := range []*Store{b.Store, b.reopen(t)} {
			if k := s.Kept(c); k.Days != days || k.IncidentDays != incidents {
				t.Errorf("%s: %+v", step, k)
			}
		}
	}
	says("nothing decided", 3, 30)
	must[Retention](t)(b.SetRetention(t.Context(), admin, Retention{Days: 2, IncidentDays: 20}))
	says("everywhere", 2, 20)
	must[Retention](t)(b.SetRetention(t.Context(), admin, Retention{SiteID: "mall", Days: 7, Purpose: "two raids in May"}))
	says("at the site", 7, 20)
	c = must[*Camera](t)(b.ChangeCamera(t.Context(), admin, "gate", nil, func(c *Camera) { c.PromisedDays = 14 }))
	says("for the camera, with the purpose of its site", 14, 20)
	var bad *InvalidError
	if _, err := b.SetRetention(t.Context(), admin, Retention{SiteID: "mall", Days: 1}); !errors.As(err, &bad) || bad.Field != "purpose" {
		t.Errorf("a purpose was taken away that a camera leans on: %v", err)
	}
	c = must[*Camera](t)(b.ChangeCamera(t.Context(), admin, "gate", nil, func(c *Camera) { c.PromisedDays = 0 }))
	must[Retention](t)(b.SetRetention(t.Context(), admin, Retention{SiteID: "mall"}))
	says("as everywhere again", 2, 20)
	list := must[[]AuditEntry](t)(b.Audit(t.Context(), 0, 100))
	found := false
	for _, e := range list {
		found = found || e.Action == "retention.change" && e.Subject == "site/mall" && strings.Contains(string(e.Detail), "two raids in May")
	}
	if !found {
		t.Errorf("the purpose is not in the audit log: %+v", list)
	}
}

func TestWhatRetentionCannotBe(t *testing.T) {
	b := locked(t)
	for _, c := range []struct {
		field string
		r     Retention
	}{
		{"days", Retention{Days: -1}},
		{"days", Retention{Days: 4}},
		{"incidentDays", Retention{IncidentDays: 31}},
		{"maxBytes", Retention{Bytes: 1000}},
		{"days", Retention{SiteID: "mall", Days: 366, Purpose: "x"}},
		{"purpose", Retention{SiteID: "mall", Days: 3.5}},
		{"purpose", Retention{SiteID: "mall", Days: 3.5, Purpose: "  "}},
		{"purpose", Retention{SiteID: "mall", IncidentDays: 31}},
		{"purpose", Retention{SiteID: "mall", Purpose: strings.Repeat("x", 501)}},
	} {
		var bad *InvalidError
		if _, err := b.SetRetention(t.Context(), admin, c.r); !errors.As(err, &bad) || bad.Field != c.field {
			t.Errorf("%+v: %v, want a fault at %s", c.r, err, c.field)
		}
	}
	if _, err := b.SetRetention(t.Context(), admin, Retention{SiteID: "none"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a site that is not there: %v", err)
	}
}

func TestARemovedCameraIsRememberedWhileThereAreRecordings(t *testing.T) {
	b := locked(t)
	must[*Site](t)(b.CreateSite(t.Context(), admin, Site{ID: "other", TimeZone: "Europe/Berlin"}))
	must[*Camera](t)(b.CreateCamera(t.Context(), admin, gate(), "s3cret"))
	if err := b.DeleteCamera(t.Context(), admin, "gate"); err != nil {
		t.Fatal(err)
	}
	again := b.reopen(t)
	for _, s := range []*Store{b.Store, again} {
		list := s.RemovedCameras()
		if len(list) != 1 || list[0].Label != "Gate" || list[0].SiteID != "mall" || list[0].By != admin || list[0].At.IsZero() || list[0].HasPassword || len(list[0].sealed) > 0 {
			t.Fatalf("%+v", list)
		}
		if c, ok := s.Filmed("gate"); !ok || len(c.Zones) != 1 {
			t.Errorf("%+v", c)
		}
	}
	elsewhere := gate()
	elsewhere.SiteID = "other"
	var bad *InvalidError
	if _, err := b.CreateCamera(t.Context(), admin, elsewhere, ""); !errors.As(err, &bad) || bad.Field != "id" {
		t.Errorf("its recordings went to another site: %v", err)
	}
	must[*Camera](t)(b.CreateCamera(t.Context(), admin, gate(), ""))
	if n := len(b.RemovedCameras()) + len(b.reopen(t).RemovedCameras()); n != 0 {
		t.Error("a camera that is there again is still removed")
	}
	if err := errors.Join(b.DeleteCamera(t.Context(), admin, "gate"), b.ForgetCamera(t.Context(), "gate"), b.ForgetCamera(t.Context(), "gate")); err != nil {
		t.Fatal(err)
	}
	if _, ok := b.Filmed("gate"); ok {
		t.Error("it is not forgotten")
	}
	must[*Camera](t)(b.CreateCamera(t.Context(), admin, elsewhere, ""))
	old := gate()
	old.ID = "yard"
	if err := errors.Join(b.NoteRemoved(t.Context(), old, time.Now()), b.NoteRemoved(t.Context(), Camera{ID: "gate"}, time.Now())); err != nil {
		t.Fatal(err)
	}
	if c, ok := b.reopen(t).Filmed("yard"); !ok || c.Zones[0].Kind != event.ZoneWatch {
		t.Errorf("%+v", c)
	}
	if c, _ := b.Filmed("gate"); c.SiteID != "other" {
		t.Error("a camera that is there was taken for a removed one")
	}
}
