package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"
)

func pastSessions(n int) []PastSession {
	at := time.Date(2018, 3, 5, 8, 0, 0, 0, time.UTC)
	out := make([]PastSession, n)
	for i := range out {
		from := at.Add(time.Duration(i) * time.Hour)
		out[i] = PastSession{
			Site: "a", Station: "CP1", EVSE: 1 + i%2, Start: from, End: from.Add(90 * time.Minute),
			ChargingEnd: from.Add(time.Hour), EnergyWh: 7000, PeakW: math.NaN(), Token: fmt.Sprint("t", i%3),
		}
	}
	return out
}

func collect(ctx context.Context, t *testing.T, s *Store, site string, from, to time.Time) []PastSession {
	t.Helper()
	var out []PastSession
	if err := s.PastSessions(ctx, site, from, to, func(x *PastSession) error { out = append(out, *x); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func running(t *testing.T, b *bench, name string) int64 {
	t.Helper()
	x := must[*PastImport](t)(b.CreatePastImport(t.Context(), admin, PastImport{Name: name, SHA256: name, Bytes: 1}))
	if err := b.MovePastImport(t.Context(), admin, "import.run", x.ID, PastRunning, nil, nil, PastStaged); err != nil {
		t.Fatal(err)
	}
	return x.ID
}

func TestPastSessionsAreKeptOnceAndUndone(t *testing.T) {
	b, ctx := open(t), t.Context()
	must[*Site](t)(b.CreateSite(ctx, admin, Site{ID: "a"}))
	first := running(t, b, "first")
	list := pastSessions(10)
	port := PastPort{Site: "a", Station: "CP1", EVSE: 1, First: list[0].Start, Last: list[9].End, RatedW: 22000}
	w := must[PastWritten](t)(b.WritePast(ctx, first, PastBatch{Sessions: list, Ports: []PastPort{port}, Rows: []PastRow{{Line: 3, Outcome: "quarantined", Reason: "noEnd", Text: "x"}}}))
	if w.New != 10 || len(w.Here) != 0 {
		t.Fatalf("got %+v", w)
	}
	second := running(t, b, "second")
	more := pastSessions(12)[8:]
	w = must[PastWritten](t)(b.WritePast(ctx, second, PastBatch{Sessions: more}))
	if w.New != 2 || len(w.Here) != 2 || w.Here[1] != 1 {
		t.Fatalf("an overlapping file: %+v", w)
	}
	got := collect(ctx, t, b.Store, "a", time.Time{}, time.Time{})
	if len(got) != 12 || got[0].EnergyWh != 7000 || !math.IsNaN(got[0].PeakW) || !got[0].ChargingEnd.Equal(list[0].ChargingEnd) || got[0].Token != "t0" {
		t.Fatalf("read back %d: %+v", len(got), got[0])
	}
	// The one that began before and the one that begins within.
	from := list[3].Start.Add(30 * time.Minute)
	if got := collect(ctx, t, b.Store, "a", from, from.Add(time.Hour)); len(got) != 3 || !got[0].Start.Equal(list[2].Start) {
		t.Errorf("within an hour: %+v", got)
	}
	if err := b.DeleteSite(ctx, admin, "a"); !errors.Is(err, ErrInUse) {
		t.Errorf("a site with a past was deleted: %v", err)
	}
	if err := b.ForgetPastImport(ctx, admin, first); !errors.Is(err, ErrPastState) {
		t.Errorf("a running import was forgotten: %v", err)
	}
	if err := b.MovePastImport(ctx, admin, "import.undo", first, PastUndoing, nil, nil, PastRunning); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int64{7, 3, 0} {
		if n := must[int64](t)(b.UndoPast(ctx, first, 7)); n != want {
			t.Fatalf("removed %d, want %d", n, want)
		}
	}
	if left := collect(ctx, t, b.Store, "", time.Time{}, time.Time{}); len(left) != 2 {
		t.Errorf("%d left of the other", len(left))
	}
	if p := must[[]PastPort](t)(b.PastPorts(ctx, "a")); len(p) != 0 {
		t.Errorf("ports stay: %+v", p)
	}
	if r := must[[]PastRow](t)(b.PastRows(ctx, first, "", 0, 10)); len(r) != 0 {
		t.Errorf("rows stay: %+v", r)
	}
	if _, err := b.WritePast(ctx, first, PastBatch{Sessions: list}); !errors.Is(err, ErrPastState) {
		t.Errorf("an undone import goes on: %v", err)
	}
}

func TestImportsMoveOnlyAsTheyMay(t *testing.T) {
	b, ctx := open(t), t.Context()
	x := must[*PastImport](t)(b.CreatePastImport(ctx, admin, PastImport{Name: "f.csv", SHA256: "h", Bytes: 9}))
	if _, err := b.PastImportOfFile(ctx, "h"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a staged file counts as taken: %v", err)
	}
	if err := b.MovePastImport(ctx, admin, "import.undo", x.ID, PastUndoing, nil, nil, PastDone); !errors.Is(err, ErrPastState) {
		t.Errorf("undone before it was done: %v", err)
	}
	if err := b.MovePastImport(ctx, admin, "", x.ID, PastStaged, []byte(`{"a":1}`), nil, PastStaged); err != nil {
		t.Fatal(err)
	}
	got := must[*PastImport](t)(b.PastImport(ctx, x.ID))
	if string(got.Mapping) != `{"a":1}` || string(got.Counts) != `{}` || got.By != admin {
		t.Errorf("got %+v", got)
	}
	if err := b.ForgetPastImport(ctx, admin, x.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := b.PastImport(ctx, x.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("forgotten: %v", err)
	}
	if _, err := b.VerifyAudit(ctx); err != nil {
		t.Error(err)
	}
}
