// Package statuspage shows drivers which ports are free, without sign-in,
// cookies or scripts, and takes their reports of problems.
//
// It promises that only sites their operator published are shown and a hidden
// one cannot be told from one that does not exist; that public ids are all it
// says about a port, never the identity of a station, a session or a token;
// that a port we cannot see is unknown and never counted free; that ports are
// counted by the same predicate as everywhere else; and that a flood of viewers
// costs little: what is shown is computed at most once a second for all.
package statuspage

import (
	"context"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Fleet is the live state.
type Fleet interface {
	Snapshot() *fleet.Snapshot
	Ready() error
}

// Sites is what operators decided about sites.
type Sites interface {
	Sites() []*store.Site
	Site(id string) (*store.Site, bool)
}

// Links knows when connected stations were last heard.
type Links interface {
	LastFrame(station string) (time.Time, bool)
}

// Log takes what drivers report.
type Log interface {
	Append(ctx context.Context, e *event.Event) (fleet.Receipt, error)
}

// Options configures Pages. Fleet, Store, Links, Log and Key are required.
type Options struct {
	Fleet Fleet
	Store Sites
	Links Links
	Log   Log
	// Key makes public ids for ports that have none; whoever has it can find
	// the station behind one.
	Key []byte

	// Prospects knows busy times; nil: nobody does.
	Prospects Prospects

	Logger *slog.Logger     // default: discard
	Now    func() time.Time // default: time.Now
	Secure bool             // drivers reach us by https
	Every  time.Duration    // how often what is shown is computed at most; default 1 s
	// PerSecond and Burst bound the requests of one address; default 10 and
	// 200: phones of one mobile network share addresses.
	PerSecond float64
	Burst     int
}

// maxID bounds public ids in addresses.
const maxID = 100

// Pages answers for everything below /status.
type Pages struct {
	o         Options
	log       *slog.Logger
	languages []*language
	templates *template.Template
	assets    map[string]asset
	mux       *http.ServeMux
	readers   *buckets
	reporters *buckets
	reported  *buckets // by port
	reports   *buckets // all together

	index atomic.Pointer[index]

	mu   sync.Mutex
	last *board
}

//go:embed pages
var pages embed.FS

// New prepares the pages. The address of who asks is expected in RemoteAddr,
// found behind trusted proxies.
func New(o Options) (*Pages, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Every <= 0 {
		o.Every = time.Second
	}
	if o.PerSecond <= 0 {
		o.PerSecond = 10
	}
	if o.Burst <= 0 {
		o.Burst = 200
	}
	p := &Pages{o: o, log: o.Logger, languages: languages(), mux: http.NewServeMux()}
	p.readers = newBuckets(o.Now, o.PerSecond, float64(o.Burst))
	p.reporters = newBuckets(o.Now, 1.0/120, 5)
	p.reported = newBuckets(o.Now, 1.0/600, 6)
	p.reports = newBuckets(o.Now, 0.2, 60)
	if err := p.loadPages(); err != nil {
		return nil, err
	}
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /status":                p.limited(p.list),
		"GET /status/{$}":            p.limited(p.list),
		"GET /status.json":           p.limited(p.listFeed),
		"GET /status/{site}":         p.limited(p.site),
		"GET /status/p/{id}":         p.limited(p.port),
		"GET /status/p/{id}/report":  p.limited(p.form),
		"POST /status/p/{id}/report": p.limited(p.report),
		"GET /status/qr/{file}":      p.limited(p.qr),
		"GET /status/assets/{file}":  p.asset,
		"/status/":                   p.limited(p.nothing),
	} {
		p.mux.HandleFunc(pattern, handler)
	}
	return p, nil
}

// ServeHTTP answers a driver.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }
