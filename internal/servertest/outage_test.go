package servertest_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/app"
	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/servertest"
)

// status is a StatusNotification of a message id.
func status(id, word string) string {
	return `[2,"` + id + `","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"` + word + `","timestamp":"` +
		time.Now().UTC().Format(time.RFC3339) + `"}]`
}

// get asks the HTTP side and returns the status.
func get(t *testing.T, s *servertest.Server, path string) int {
	t.Helper()
	r, err := http.Get("http://" + s.HTTPAddress() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	return r.StatusCode
}

// Another process holds the write lock of core.db for longer than 5 s: nobody
// is told that something was stored, nobody is told that it was not, and it is
// over when the lock is.
func TestWhenTheJournalCannotCommit(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := servertest.In(t, folder)
	s.Enrol(t, "ASKS", "LEAVES", "BEATS", "LATER")
	asks, leaves, beats := dial(t, s, "ASKS", "ocpp1.6"), dial(t, s, "LEAVES", "ocpp1.6"), dial(t, s, "BEATS", "ocpp1.6")
	for _, c := range []*websocket.Conn{asks, leaves, beats} {
		if a := ask(t, c, status("before", "Available")); a != `[3,"before",{}]` {
			t.Fatalf("before: %s", a)
		}
	}
	if code := get(t, s, "/readyz"); code != http.StatusOK {
		t.Errorf("/readyz before: %d", code)
	}

	free := lockCore(t, folder)
	locked := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, c := range []*websocket.Conn{asks, leaves} {
		if err := c.Write(ctx, websocket.MessageText, []byte(status("during", "Charging"))); err != nil {
			t.Fatal(err)
		}
	}
	if a := ask(t, beats, `[2,"beat","Heartbeat",{}]`); !strings.HasPrefix(a, `[3,"beat",{"currentTime":`) {
		t.Errorf("a heartbeat during the outage: %s", a)
	}
	if _, data, err := asks.Read(ctx); websocket.CloseStatus(err) != websocket.StatusTryAgainLater {
		t.Errorf("the answer during the outage: %s %v; want silence and 1013", data, err)
	}
	if d := time.Since(locked); d < 4*time.Second {
		t.Errorf("closed after %v already", d)
	}
	if _, r, err := websocket.Dial(ctx, s.URL+"LATER", &websocket.DialOptions{Subprotocols: []string{"ocpp1.6"}}); err == nil || r == nil || r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a new handshake during the outage: %v %v", r, err)
	}
	if code := get(t, s, "/readyz"); code != http.StatusServiceUnavailable {
		t.Errorf("/readyz during the outage: %d", code)
	}
	if code := get(t, s, "/healthz"); code != http.StatusOK {
		t.Errorf("/healthz during the outage: %d", code)
	}
	if a := ask(t, beats, `[2,"beat2","Heartbeat",{}]`); !strings.HasPrefix(a, `[3,"beat2",{"currentTime":`) {
		t.Errorf("a heartbeat during the outage: %s", a)
	}
	free()

	servertest.Eventually(t, "recovery", func() bool { return s.Journal.Ready() == nil })
	if code := get(t, s, "/readyz"); code != http.StatusOK {
		t.Errorf("/readyz afterwards: %d", code)
	}
	asks = dial(t, s, "ASKS", "ocpp1.6")
	for _, word := range []string{"Charging", "Finishing"} {
		if a := ask(t, asks, status("after", word)); a != `[3,"after",{}]` {
			t.Errorf("after: %s", a)
		}
	}
	if a := ask(t, beats, status("after", "Preparing")); a != `[3,"after",{}]` {
		t.Errorf("on the connection that stood all the time: %s", a)
	}
	servertest.Eventually(t, "the end of the station that did not come back", func() bool { return !s.Station(t, "LEAVES").Online })
	if st := s.Station(t, "ASKS"); !st.Online || st.EVSEs[0].Status != fleet.Finishing {
		t.Errorf("live state afterwards: %+v", st)
	}

	s.Stop()
	s = servertest.In(t, folder)
	for id, want := range map[string][]string{"ASKS": {"Finishing", "Charging", "Available"}, "BEATS": {"Preparing", "Available"}, "LEAVES": {"Available"}} {
		events, _, err := s.Journal.Events(t.Context(), journal.EventQuery{Subject: event.Station(id), Kinds: []event.Kind{event.KindStatus}})
		if err != nil {
			t.Fatal(err)
		}
		stored := make(map[string]bool)
		for _, e := range events {
			stored[e.Body.(*event.Status).Status] = true
		}
		for _, word := range want {
			if !stored[word] {
				t.Errorf("%s: the acknowledged %s is gone; stored %v", id, word, stored)
			}
		}
	}
}

// A stop does not wait for a disk that does not let go.
func TestAStopDuringAnOutage(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := servertest.In(t, folder)
	s.Enrol(t, "A", "B")
	c := dial(t, s, "A", "ocpp1.6")
	dial(t, s, "B", "ocpp1.6")
	ask(t, c, status("before", "Available"))
	free := lockCore(t, folder)
	began := time.Now()
	err := s.StopAnyhow()
	if d := time.Since(began); err == nil || d > 10*time.Second {
		t.Errorf("stopped after %v with %v", d, err)
	}
	free()
	servertest.Eventually(t, "the folder for the next one", func() bool {
		next, err := app.New(t.Context(), s.Config, app.Options{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			return false
		}
		st, ok := next.Journal.Snapshot().Station("A")
		if !ok || st.Online || st.EVSEs[0].Status != fleet.Available {
			t.Errorf("what was acknowledged: %+v", st)
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if err := next.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		return true
	})
}

// lockCore takes the write lock of core.db as another process would, and
// returns what gives it back.
func lockCore(t *testing.T, folder string) (free func()) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, coredb.FileName)+"?_txlock=immediate&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	lock, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := lock.Rollback(); err != nil {
			t.Error(err)
		}
	}
}
