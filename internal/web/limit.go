package web

import (
	"net/netip"
	"strings"
	"sync"
	"time"
)

// limiter counts failed sign-ins. Only failures count, by name and source
// together and by source alone, so that nobody can lock another out. It keeps
// at most limitEntries; a full one lets go of the oldest windows.
type limiter struct {
	now func() time.Time
	mu  sync.Mutex
	all map[string]window
}

type window struct {
	from  time.Time
	count int
}

const (
	limitWindow  = 15 * time.Minute
	limitPerName = 10
	limitPerIP   = 100
	limitEntries = 20_000
)

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, all: make(map[string]window)}
}

// source groups an address with those its holder can easily take: the /64 of
// IPv6.
func source(addr netip.Addr) string {
	if addr.Is6() && !addr.Is4In6() {
		if p, err := addr.Prefix(64); err == nil {
			return p.String()
		}
	}
	return addr.Unmap().String()
}

func (l *limiter) keys(source, name string) (pair, alone string) {
	return source + "\x00" + strings.ToLower(name), source
}

// blocked returns how long sign-in must wait, zero if it may go on.
func (l *limiter) blocked(source, name string) time.Duration {
	pair, alone := l.keys(source, name)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	wait := time.Duration(0)
	for key, limit := range map[string]int{pair: limitPerName, alone: limitPerIP} {
		if w, ok := l.all[key]; ok && w.count >= limit {
			wait = max(wait, w.from.Add(limitWindow).Sub(now))
		}
	}
	return wait
}

// failed counts a failure.
func (l *limiter) failed(source, name string) {
	pair, alone := l.keys(source, name)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if len(l.all)+2 > limitEntries {
		l.sweep(now)
	}
	for _, key := range []string{pair, alone} {
		w := l.all[key]
		if now.Sub(w.from) >= limitWindow {
			w = window{from: now}
		}
		w.count++
		l.all[key] = w
	}
}

func (l *limiter) sweep(now time.Time) {
	for key, w := range l.all {
		if now.Sub(w.from) >= limitWindow {
			delete(l.all, key)
		}
	}
	for key := range l.all { // all are young: any of them goes
		if len(l.all)+2 <= limitEntries*7/8 {
			return
		}
		delete(l.all, key)
	}
}

// passed forgets the failures of a pair that got it right.
func (l *limiter) passed(source, name string) {
	pair, _ := l.keys(source, name)
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, pair)
}
