package app

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/store"
)

// A bookmark is a row here and a hold there: whichever of the two a crash left
// alone, the next start knows what people decided.
func TestWhatBookmarksKeepIsHeldAfterARestart(t *testing.T) {
	c := config.Default()
	c.Data, c.HTTP, c.OCPP, c.WebRTC = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0", "off"
	serve := func(do func(s *Server)) {
		t.Helper()
		s, err := New(t.Context(), c, Options{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		do(s)
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	held := func(s *Server) []string {
		return slices.DeleteFunc(s.footage.HoldIDs(), func(id string) bool { return !strings.HasPrefix(id, bookmarkHold) })
	}
	at := time.Now().Add(-time.Hour).Truncate(time.Second)
	var kept, lost *store.Bookmark
	serve(func(s *Server) {
		mark := func(keep store.Keep) *store.Bookmark {
			t.Helper()
			b, err := s.Store.AddBookmark(t.Context(), store.System, store.Bookmark{Camera: "gate", SiteID: "hh", At: at, Text: "x", Keep: keep})
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		kept, lost = mark(store.KeepEvidence), mark(store.KeepIncident)
		mark(store.KeepNot)
		if err := s.footage.KeepFor(*kept); err != nil {
			t.Fatal(err)
		}
		h := s.footage.Holds("gate")
		if len(h) != 1 || h[0].Class != record.Evidence || !h[0].From.Equal(at.Add(-keptAround)) || !h[0].To.Equal(at.Add(keptAround)) {
			t.Fatalf("%+v", h)
		}
		// We end before the second is held, and after one was held that nobody knows.
		if err := s.footage.Hold(record.Hold{ID: bookmarkHold + "nobody", Camera: "gate", From: at, To: at.Add(time.Second), Class: record.Evidence}); err != nil {
			t.Fatal(err)
		}
	})
	serve(func(s *Server) {
		want := []string{bookmarkHold + kept.ID, bookmarkHold + lost.ID}
		slices.Sort(want)
		if got := held(s); !slices.Equal(got, want) {
			t.Errorf("held %v, want %v", got, want)
		}
		if err := s.footage.LetGo(kept.ID); err != nil {
			t.Error(err)
		}
		if got := held(s); len(got) != 1 {
			t.Errorf("held %v", got)
		}
	})
}
