package notify_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/notify"
	"github.com/chargewatch/chargewatch/internal/outward"
	"github.com/chargewatch/chargewatch/internal/store"
)

// desk is a notifier on a real store. Its channels of type "paper" write down
// what they are told.
type desk struct {
	t     *testing.T
	dir   string
	db    *coredb.DB
	store *store.Store
	kinds []notify.Kind
	paper *paper
	well  atomic.Bool
	album notify.Pictures // nil: cameras saw nothing
	*notify.Service
	stop func()
}

// sheet is one message as a channel took it.
type sheet struct {
	channel string
	at      time.Time
	notify.Message
}

// paper is where all channels of type "paper" write.
type paper struct {
	mu     sync.Mutex
	sheets []sheet
	wake   chan struct{}
	// refuse answers instead of writing; nil writes.
	refuse func(ctx context.Context, channel string, m notify.Message) error
}

func (p *paper) kind(together int) notify.Kind {
	return notify.Kind{
		Spec: notify.Spec{Type: "paper", Together: together, Timeout: 10 * time.Second, Fields: []notify.Field{
			{Name: "to", Form: notify.Text}, {Name: "pin", Form: notify.Text, Secret: true},
		}},
		Make: func(c store.Channel, _ notify.Tools) (notify.Channel, error) { return &pen{p, c.ID}, nil },
	}
}

type pen struct {
	*paper
	channel string
}

func (p *pen) Send(ctx context.Context, m notify.Message) error {
	p.mu.Lock()
	refuse := p.refuse
	p.mu.Unlock()
	if refuse != nil {
		if err := refuse(ctx, p.channel, m); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sheets = append(p.sheets, sheet{p.channel, time.Now(), m})
	close(p.wake)
	p.wake = make(chan struct{})
	return nil
}

func (p *paper) read() []sheet {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]sheet(nil), p.sheets...)
}

// wait returns when n messages were written.
func (p *paper) wait(t *testing.T, n int) []sheet {
	t.Helper()
	for {
		p.mu.Lock()
		wake, have := p.wake, len(p.sheets)
		p.mu.Unlock()
		if have >= n {
			return p.read()
		}
		select {
		case <-wake:
		case <-time.After(patience):
			t.Fatalf("%d messages of %d", have, n)
		}
	}
}

func newDesk(t *testing.T, kinds ...notify.Kind) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir(), paper: &paper{wake: make(chan struct{})}, stop: func() {}}
	d.kinds = append(kinds, d.paper.kind(10))
	d.well.Store(true)
	d.open()
	t.Cleanup(func() {
		d.stop()
		if err := d.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d *desk) open() {
	d.t.Helper()
	var err error
	coredbtest.In(d.t, d.dir)
	if d.db, err = coredb.Open(d.t.Context(), d.dir); err != nil {
		d.t.Fatal(err)
	}
	if d.store, err = store.Open(d.t.Context(), store.Options{DB: d.db}); err != nil {
		d.t.Fatal(err)
	}
}

// start runs the service; stop of the desk ends it.
func (d *desk) start() *desk {
	d.t.Helper()
	d.service()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := d.Run(ctx); !errors.Is(err, context.Canceled) {
			d.t.Error(err)
		}
	}()
	d.stop = sync.OnceFunc(func() { cancel(); <-done })
	return d
}

func (d *desk) service() {
	d.t.Helper()
	var err error
	d.Service, err = notify.New(d.t.Context(), notify.Options{
		Store: d.store, Kinds: d.kinds, Poll: time.Minute, Well: d.well.Load, Pictures: d.album,
		Reach: outward.New(outward.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}),
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

// channel adds a channel as the API would.
func (d *desk) channel(c store.Channel) string {
	d.t.Helper()
	if d.Service == nil {
		d.service()
	}
	if c.Name == "" {
		c.Name = c.Type
	}
	c.Enabled = true
	if err := d.Check(&c); err != nil {
		d.t.Fatal(err)
	}
	made, err := d.store.CreateChannel(d.t.Context(), store.System, c)
	if err != nil {
		d.t.Fatal(err)
	}
	d.Changed()
	return made.ID
}

func (d *desk) papers(name string) string {
	return d.channel(store.Channel{Type: "paper", Name: name})
}

func (d *desk) routes(routes ...store.Route) {
	d.t.Helper()
	for i := range routes {
		if routes[i].Name == "" {
			routes[i].Name = fmt.Sprint("route ", i)
		}
	}
	if _, err := d.store.PutRouting(d.t.Context(), store.System, store.Routing{LinkBase: "https://watch.example.org", Routes: routes}); err != nil {
		d.t.Fatal(err)
	}
}

// tell commits notices as the detectors' side does.
func (d *desk) tell(notices ...incident.Notice) {
	d.t.Helper()
	err := d.db.Write(context.Background(), func(tx *sql.Tx) error {
		for _, n := range notices {
			if n.At.IsZero() {
				n.At = time.Now().UTC()
			}
			if n.OpenedAt.IsZero() {
				n.OpenedAt = n.At
			}
			if n.Key == "" {
				n.Key = n.Incident + "/" + n.Change
			}
			if n.Title == "" {
				n.Title = "Something is wrong"
			}
			data, err := n.Encode()
			if err != nil {
				return err
			}
			if err := journal.WriteNotice(tx, n.Key, data, time.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		d.t.Fatal(err)
	}
	if d.Service != nil {
		d.Kick()
	}
}

func opened(id, severity string) incident.Notice {
	return incident.Notice{Incident: id, Change: incident.ChangeOpened, Severity: severity, Kind: "station.offline", SiteID: "ham-1", SiteName: "Hamburg", Station: "DE-HAM-0042"}
}

func changed(id, severity, change string) incident.Notice {
	n := opened(id, severity)
	n.Change = change
	return n
}

// rows lists deliveries, oldest first, as "incident/change@channel state".
func (d *desk) rows() []store.Delivery {
	d.t.Helper()
	list, err := d.store.Deliveries(context.Background(), store.DeliveryQuery{Limit: 100_000})
	if err != nil {
		d.t.Fatal(err)
	}
	return list
}

func (d *desk) states() map[string]int {
	out := make(map[string]int)
	for _, x := range d.rows() {
		out[x.State]++
	}
	return out
}

// patience ends a test that would wait for ever.
const patience = 30 * time.Second

// eventually looks until ok.
func (d *desk) eventually(what string, ok func() bool) {
	d.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			d.t.Fatalf("%s; the queue: %+v", what, d.rows())
		}
	}
}
