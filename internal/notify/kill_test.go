package notify_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/notify"
	"github.com/chargewatch/chargewatch/internal/outward"
	"github.com/chargewatch/chargewatch/internal/store"
)

// victimFolder is the folder of a process that is going to be killed.
const victimFolder = "CHARGEWATCH_TEST_VICTIM"

func TestMain(m *testing.M) {
	if dir := os.Getenv(victimFolder); dir != "" {
		fmt.Fprintln(os.Stderr, victim(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// victim sends what waits, until it is killed.
func victim(dir string) error {
	ctx := context.Background()
	db, err := coredb.Open(ctx, dir)
	if err != nil {
		return err
	}
	st, err := store.Open(ctx, store.Options{DB: db})
	if err != nil {
		return err
	}
	s, err := notify.New(ctx, notify.Options{
		Store: st, Kinds: []notify.Kind{notify.Webhook()}, Reach: outward.New(outward.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}),
	})
	if err != nil {
		return err
	}
	return s.Run(ctx)
}

// Killed twenty times, each time after the other side has taken a message and
// before we have heard so: all arrive, what arrives twice was across a kill, and
// it is counted.
func TestNothingIsLostUnderTwentyKills(t *testing.T) {
	const kills, notices = 20, 120
	d := newDesk(t)
	d.kinds = append(d.kinds, notify.Webhook())
	var mu sync.Mutex
	arrived := make(map[string]int)
	inARow, killed := 0, 0
	var process *os.Process
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		defer mu.Unlock()
		arrived[r.Header.Get("Idempotency-Key")]++
		if inARow++; inARow%5 == 0 && killed < kills {
			killed++
			_ = process.Kill()
		}
	}))
	defer other.Close()
	id := d.channel(store.Channel{Type: "webhook", Settings: map[string]any{"url": other.URL}, Secrets: store.Secrets{"secret": "sixteen or more characters"}})
	d.routes(store.Route{Channels: []string{id}})
	for i := range notices {
		d.tell(opened(fmt.Sprint("i", i), "S1"))
	}
	for {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), victimFolder+"="+d.dir)
		mu.Lock()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		process = cmd.Process
		mu.Unlock()
		gone := make(chan struct{})
		go func() { defer close(gone); _ = cmd.Wait() }() // it is killed
		done := false
		for end := time.Now().Add(patience); !done; {
			select {
			case <-gone:
				done = true
			case <-time.After(10 * time.Millisecond):
				if s := d.states(); s[store.DeliverySent] == notices || time.Now().After(end) {
					_ = cmd.Process.Kill()
					<-gone
					done = true
				}
			}
		}
		s := d.states()
		if s[store.DeliverySent] == notices {
			break
		}
		mu.Lock()
		if killed == kills && s[store.DeliverySent]+s[store.DeliverySending]+s[store.DeliveryWaiting] == 0 {
			t.Fatalf("%v", s)
		}
		mu.Unlock()
	}
	mu.Lock()
	defer mu.Unlock()
	twice, counted := 0, 0
	for _, row := range d.rows() {
		if arrived[row.Key] == 0 {
			t.Errorf("%s never arrived", row.Key)
		}
		if arrived[row.Key]-1 > row.MaybeDuplicate {
			t.Errorf("%s arrived %d times, %d counted", row.Key, arrived[row.Key], row.MaybeDuplicate)
		}
		twice, counted = twice+arrived[row.Key]-1, counted+row.MaybeDuplicate
	}
	if killed != kills || twice > counted || counted > kills+1 {
		t.Errorf("%d kills, %d arrived again, %d counted", killed, twice, counted)
	}
	t.Logf("%d notices, %d kills: %d arrived again, %d counted", notices, killed, twice, counted)
}
