package statuspage

import (
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// buckets bounds how often a key may do something: burst at once, then rate a
// second. It keeps at most bucketsMost keys; a full one lets go of those that
// are refilled, then of any.
type buckets struct {
	now         func() time.Time
	rate, burst float64
	mu          sync.Mutex
	all         map[string]bucket
}

type bucket struct {
	left float64
	at   time.Time
}

const bucketsMost = 20_000

func newBuckets(now func() time.Time, rate, burst float64) *buckets {
	return &buckets{now: now, rate: rate, burst: burst, all: make(map[string]bucket)}
}

// take uses one up; otherwise it returns how long to wait.
func (b *buckets) take(key string) (wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	x, known := b.all[key]
	if !known {
		if len(b.all) >= bucketsMost {
			b.sweep(now)
		}
		x = bucket{left: b.burst, at: now}
	}
	x = b.refill(x, now)
	if x.left < 1 {
		b.all[key] = x
		return time.Duration(math.Ceil((1-x.left)/b.rate)) * time.Second, false
	}
	x.left--
	b.all[key] = x
	return 0, true
}

// giveBack undoes a take that led to nothing.
func (b *buckets) giveBack(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if x, ok := b.all[key]; ok {
		x.left = min(x.left+1, b.burst)
		b.all[key] = x
	}
}

func (b *buckets) refill(x bucket, now time.Time) bucket {
	return bucket{left: min(b.burst, x.left+max(0, now.Sub(x.at).Seconds())*b.rate), at: now}
}

func (b *buckets) sweep(now time.Time) {
	for key, x := range b.all {
		if b.refill(x, now).left >= b.burst {
			delete(b.all, key)
		}
	}
	for key := range b.all {
		if len(b.all) <= bucketsMost*7/8 {
			return
		}
		delete(b.all, key)
	}
}

// source groups an address with those its holder can easily take: the /64 of
// IPv6.
func source(r *http.Request) string {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	addr := ap.Addr().Unmap()
	if addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return p.String()
		}
	}
	return addr.String()
}

func retryAfter(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(max(wait, time.Second)/time.Second)))
}
