package frames

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"
)

// ErrFollowers is yielded when too many follow already.
var ErrFollowers = errors.New("too many followers of the frame log")

// watcherQueue is how many frames wait for a follower before it loses some.
const watcherQueue = 256

type watcher struct {
	station string
	queue   chan Record
	missed  int // guarded by Log.mu
}

// Follow yields the frames of a station as they are added, of all stations if
// it is empty, until ctx ends. A follower that is too slow loses frames and is
// told how many with the next one.
func (l *Log) Follow(ctx context.Context, station string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		w := &watcher{station: station, queue: make(chan Record, watcherQueue)}
		l.mu.Lock()
		if len(l.watchers) >= l.o.Followers {
			l.mu.Unlock()
			yield(Record{}, ErrFollowers)
			return
		}
		l.watchers[w] = struct{}{}
		l.mu.Unlock()
		defer func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			delete(l.watchers, w)
		}()
		for {
			select {
			case r := <-w.queue:
				if !yield(r, nil) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

// tell gives a frame to those who follow its station. Callers hold mu.
func (l *Log) tell(f *Frame, at position) {
	copied := false
	var r Record
	for w := range l.watchers {
		if w.station != "" && w.station != f.Station {
			continue
		}
		if len(w.queue) == cap(w.queue) { // only tell fills it, and it holds mu
			w.missed++
			l.missed.Add(1)
			continue
		}
		if !copied {
			r = Record{Frame: *f, Cursor: at.cursor()}
			r.Data, r.Quirks = bytes.Clone(f.Data), slices.Clone(f.Quirks)
			copied = true
		}
		r.Missed, w.missed = w.missed, 0
		w.queue <- r
	}
}
