package motion

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/camera"
)

// What is known of a place is kept so often, and written so often if it is not new.
const (
	rememberFirst = 2 * time.Minute
	rememberEvery = 10 * time.Minute
	writeEvery    = 6 * time.Hour
)

// recall gives a new detector of the main stream what was kept of its place. It is
// called under the lock.
func (y *eyes) recall(c camera.Config) {
	y.rememberAt = time.Time{}
	if y.watch.o.Views == nil {
		return
	}
	data, err := y.watch.o.Views.load(c.ID)
	if err == nil && data != nil {
		err = y.main.SetViews(c.Main.URL, data)
	}
	if err != nil { // it is learned anew
		y.watch.o.Logger.Warn("how a camera's place looks is not known any more", "camera", c.ID, "err", err)
	}
}

// remember keeps how the place looks now, if it is time.
func (y *eyes) remember(at time.Time, last bool) {
	y.mu.Lock()
	if y.rememberAt.IsZero() {
		y.rememberAt = at.Add(rememberFirst)
	}
	if y.watch.o.Views == nil || !last && at.Before(y.rememberAt) || last && at.Before(y.rememberAt.Add(-rememberEvery)) {
		y.mu.Unlock()
		return
	}
	y.rememberAt = at.Add(rememberEvery)
	var data []byte
	if y.main.Remember(at) || at.Sub(y.writtenAt) > writeEvery {
		data, y.writtenAt = y.main.Views(y.config.Main.URL), at
	}
	id := y.config.ID
	y.mu.Unlock()
	if data == nil {
		return
	}
	if err := y.watch.o.Views.save(id, data); err != nil {
		y.watch.o.Logger.Warn("how a camera's place looks is not kept", "camera", id, "err", err)
	}
}

// Accept takes what a camera shows from now on for its place: somebody has looked,
// and says that it hangs as it should.
func (w *Watch) Accept(id string) bool {
	w.mu.Lock()
	y := w.own[id]
	w.mu.Unlock()
	if y == nil {
		return false
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	var changes []Change
	for _, d := range []*Detector{y.main, y.sub} {
		if d == nil {
			continue
		}
		if what := d.Tampered(); what != "" {
			changes = append(changes, Change{What: what, Ended: true, Since: time.Now()})
		}
	}
	y.fresh()
	y.changed(changes, fromMain|fromSub)
	if w.o.Views != nil {
		if err := w.o.Views.forget(id); err != nil {
			w.o.Logger.Warn("what a camera showed before is still kept", "camera", id, "err", err)
		}
	}
	return true
}
