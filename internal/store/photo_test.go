package store

import (
	"errors"
	"fmt"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
)

func TestAPhotoCountsOnceItsFilesAreThere(t *testing.T) {
	b := open(t)
	w := must[*WorkOrder](t)(b.CreateWorkOrder(t.Context(), admin, WorkOrder{Title: "x", Severity: event.S3}))
	reserve := func(digest string) (*OrderPhoto, bool, error) {
		return b.ReserveOrderPhoto(t.Context(), "u-2", OrderPhoto{Order: w.ID, Digest: digest, Width: 4, Height: 3, Bytes: 12})
	}
	first, known, err := reserve("a")
	if err != nil || known {
		t.Fatal(known, err)
	}
	if got := must[[]OrderPhoto](t)(b.OrderPhotos(t.Context(), w.ID)); len(got) != 0 {
		t.Errorf("listed before it is there: %+v", got)
	}
	// A kill here leaves it to the next start.
	if got := must[[]string](t)(b.reopen(t).UnfinishedPhotos(t.Context())); len(got) != 1 || got[0] != first.ID {
		t.Errorf("unfinished: %v", got)
	}
	second, known, err := reserve("a") // sent again after a failure: the same files
	if err != nil || known || second.ID != first.ID {
		t.Errorf("again: %+v, %v, %v", second, known, err)
	}
	if err := b.KeepOrderPhoto(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if third, known, err := reserve("a"); err != nil || !known || *third != *second {
		t.Errorf("once more: %+v, %v, %v; want %+v", third, known, err, second)
	}
	for _, s := range []*Store{b.Store, b.reopen(t)} {
		if got := must[*WorkOrder](t)(s.WorkOrder(t.Context(), w.ID)); got.Photos != 1 {
			t.Errorf("the order has %d photos", got.Photos)
		}
		got := must[*OrderPhoto](t)(s.OrderPhoto(t.Context(), w.ID, first.ID))
		if got.By != "u-2" || got.Width != 4 || got.Height != 3 || got.Bytes != 12 {
			t.Errorf("kept %+v", got)
		}
	}
	if _, err := b.OrderPhoto(t.Context(), "wo-other", first.ID); !errors.Is(err, ErrNotFound) {
		t.Error("under another order:", err)
	}
	if err := b.ForgetOrderPhoto(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := b.OrderPhoto(t.Context(), w.ID, first.ID); err != nil {
		t.Error("forgotten while it counts:", err)
	}
	if err := b.RemoveOrderPhoto(t.Context(), admin, w.ID, first.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := b.OrderPhoto(t.Context(), w.ID, first.ID); !errors.Is(err, ErrNotFound) {
		t.Error("removed and still there:", err)
	}
	if err := b.ForgetOrderPhoto(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	if got := must[[]string](t)(b.UnfinishedPhotos(t.Context())); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}

func TestPhotosAreBounded(t *testing.T) {
	b := open(t)
	w := must[*WorkOrder](t)(b.CreateWorkOrder(t.Context(), admin, WorkOrder{Title: "x", Severity: event.S3}))
	full := must[*WorkOrder](t)(b.CreateWorkOrder(t.Context(), admin, WorkOrder{Title: "y", Severity: event.S3}))
	add := func(order, digest string, bytes int64) error {
		_, _, err := b.ReserveOrderPhoto(t.Context(), admin, OrderPhoto{Order: order, Digest: digest, Bytes: bytes})
		return err
	}
	for i := range MaxOrderPhotos {
		if err := add(full.ID, fmt.Sprint(i), 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := add(full.ID, "one more", 1); !errors.Is(err, ErrInUse) {
		t.Error("one more of the order:", err)
	}
	if err := add(w.ID, "large", MaxOrderPhotoBytes); !errors.Is(err, ErrFull) {
		t.Error("more than all may take:", err)
	}
	if err := add(w.ID, "large", MaxOrderPhotoBytes-MaxOrderPhotos); err != nil {
		t.Error("what is left:", err)
	}
	if err := add("wo-none", "a", 1); !errors.Is(err, ErrNotFound) {
		t.Error("of no order:", err)
	}
	must[*WorkOrder](t)(b.ChangeWorkOrder(t.Context(), admin, w.ID, "done", func(w *WorkOrder) error {
		w.State = OrderDone
		return nil
	}))
	if err := add(w.ID, "late", 1); !errors.Is(err, ErrInUse) {
		t.Error("of a closed order:", err)
	}
}
