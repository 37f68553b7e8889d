package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/store"
)

// keptAround is how much before and behind a bookmark stays with it.
const keptAround = 30 * time.Second

const bookmarkHold = "bookmark/"

// KeepFor keeps the pictures of a bookmark.
func (f *footage) KeepFor(b store.Bookmark) error {
	class := record.Incident
	if b.Keep == store.KeepEvidence {
		class = record.Evidence
	}
	return noPack(f.Hold(record.Hold{
		ID: bookmarkHold + b.ID, Camera: b.Camera, From: b.At.Add(-keptAround), To: b.Until.Add(keptAround), Class: class, Reason: b.ID,
	}))
}

// LetGo keeps them no longer.
func (f *footage) LetGo(bookmark string) error { return f.Release(bookmarkHold + bookmark) }

// matchBookmarks brings what is held and what bookmarks say into line, should we
// have ended between the two.
func (f *footage) matchBookmarks(ctx context.Context) error {
	kept, err := f.s.Store.KeptBookmarks(ctx)
	if err != nil {
		return err
	}
	wanted := make(map[string]bool)
	var errs []error
	held := make(map[string]bool)
	for _, id := range f.HoldIDs() {
		held[id] = true
	}
	for _, b := range kept {
		wanted[bookmarkHold+b.ID] = true
		ended := b.Keep == store.KeepIncident && time.Since(b.Until) > record.DefaultIncident
		if !held[bookmarkHold+b.ID] && !ended {
			errs = append(errs, f.KeepFor(b))
		}
	}
	for id := range held {
		if strings.HasPrefix(id, bookmarkHold) && !wanted[id] {
			errs = append(errs, f.Release(id))
		}
	}
	return errors.Join(errs...)
}
