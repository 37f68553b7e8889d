package store

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

func TestALabelSecretIsMadeKeptSealedAndDropped(t *testing.T) {
	b := locked(t)
	must[*Camera](t)(b.CreateCamera(t.Context(), admin, gate(), ""))
	camera, site := event.Camera("gate"), event.Site("mall")
	if s := must[[]byte](t)(b.LabelSecret(camera)); len(s) != 0 || b.HasLabelSecret(camera) {
		t.Errorf("there is one from the start: %q", s)
	}
	first := must[string](t)(b.NewLabelSecret(t.Context(), admin, camera))
	second := must[string](t)(b.NewLabelSecret(t.Context(), admin, camera))
	ofSite := must[string](t)(b.NewLabelSecret(t.Context(), admin, site))
	if first == second || len(second) < 30 || second == ofSite {
		t.Errorf("secrets %q, %q, %q", first, second, ofSite)
	}
	again := b.reopen(t)
	again.box = b.box
	if s := must[[]byte](t)(again.LabelSecret(camera)); string(s) != second {
		t.Errorf("after a restart it is %q", s)
	}
	var row string
	if err := b.db.Reader().QueryRow(`SELECT group_concat(hex(secret)) FROM label_secrets`).Scan(&row); err != nil || strings.Contains(row, strings.ToUpper(second)) {
		t.Errorf("the row shows it: %s, %v", row, err)
	}
	if err := again.DropLabelSecret(t.Context(), admin, site); err != nil {
		t.Fatal(err)
	}
	if err := again.DropLabelSecret(t.Context(), admin, site); !errors.Is(err, ErrNotFound) {
		t.Errorf("dropped twice: %v", err)
	}
	if err := again.DeleteCamera(t.Context(), admin, "gate"); err != nil {
		t.Fatal(err)
	}
	if again.HasLabelSecret(camera) {
		t.Error("the secret outlives its camera")
	}
}

func TestAPlateIsKnownByItsIDUntilItIsForgotten(t *testing.T) {
	b := locked(t)
	now := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	b.Store.now = func() time.Time { return now }
	id := must[string](t)(b.PlateID(t.Context(), "b-cw 1234"))
	if same := must[string](t)(b.PlateID(t.Context(), "B CW 1234")); same != id || id == "" {
		t.Errorf("the same plate is %q and %q", id, same)
	}
	if plate := must[string](t)(b.Plate(t.Context(), id)); plate != "BCW1234" {
		t.Errorf("it reads %q", plate)
	}
	for _, none := range []string{"", "--", strings.Repeat("X", MaxPlateLength+1)} {
		if id := must[string](t)(b.PlateID(t.Context(), none)); id != "" {
			t.Errorf("%q is %q", none, id)
		}
	}
	if err := b.ErasePlate(t.Context(), admin, id); err != nil {
		t.Fatal(err)
	}
	if err := b.ErasePlate(t.Context(), admin, id); !errors.Is(err, ErrNotFound) {
		t.Errorf("erased twice: %v", err)
	}
	other := must[string](t)(b.PlateID(t.Context(), "M AB 1"))
	now = now.Add(PlateLife + time.Hour)
	if plate := must[string](t)(b.Plate(t.Context(), other)); plate != "" {
		t.Errorf("after a month it is still %q", plate)
	}
	must[string](t)(b.PlateID(t.Context(), "M AB 2"))
	var n int
	if err := b.db.Reader().QueryRow(`SELECT count(*) FROM plates`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d rows are kept, %v", n, err)
	}
}
