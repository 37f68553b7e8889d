package journal_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/journaltest"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
)

// The child process of the crash tests is this test binary again.
const (
	childRole   = "JOURNAL_TEST_CHILD"
	childFolder = "JOURNAL_TEST_FOLDER"
)

func TestMain(m *testing.M) {
	switch role := os.Getenv(childRole); role {
	case "":
		os.Exit(m.Run())
	case "load":
		childUnderLoad(os.Getenv(childFolder))
	default:
		childAtFailpoint(os.Getenv(childFolder), role)
	}
}

func child(t *testing.T, role, folder string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childRole+"="+role, childFolder+"="+folder)
	cmd.Stderr = os.Stderr
	return cmd
}

func place(folder string) journaltest.Place {
	return func(t testing.TB) journal.Store {
		t.Helper()
		s, err := openStore(folder)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func openStore(folder string) (*closing, error) {
	db, err := coredb.Open(context.Background(), folder)
	if err != nil {
		return nil, err
	}
	s, err := sqlite.New(context.Background(), db, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &closing{s, db}, nil
}

type closing struct {
	*sqlite.Store
	db *coredb.DB
}

func (c *closing) Close() error { return errors.Join(c.Store.Close(), c.db.Close()) }

// integrity checks the file itself.
func integrity(t *testing.T, folder string) {
	t.Helper()
	db, err := coredb.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.Reader().QueryRow(`PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Fatalf("integrity_check: %q, %v", verdict, err)
	}
}

func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // the signal is on its way
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "child:", err)
	os.Exit(1)
}

// marked is a status that carries a number to be recognised by.
func marked(station string, n int) *event.Event {
	now := time.Now()
	return &event.Event{
		Subject: event.Port(station, 1, 1), At: now, DeviceAt: now, ReceivedAt: now, Quality: event.TimeDevice,
		Body: &event.Status{Status: []string{"Available", "Charging"}[n%2], Info: fmt.Sprint(n)},
	}
}

// childUnderLoad appends from many stations and says what was acknowledged.
func childUnderLoad(folder string) {
	s, err := openStore(folder)
	if err != nil {
		fail(err)
	}
	j, err := journal.Open(context.Background(), s, journal.Options{CheckpointEvery: 50 * time.Millisecond, Tick: 10 * time.Millisecond})
	if err != nil {
		fail(err)
	}
	go func() { fail(j.Run(context.Background())) }()
	var out sync.Mutex
	for n := range 40 {
		go func() {
			station := fmt.Sprintf("CP-%02d", n)
			for i := 0; ; i++ {
				r, err := j.Append(context.Background(), marked(station, i))
				if err != nil {
					fail(err)
				}
				out.Lock()
				fmt.Printf("%d %s %d\n", r.Seq, station, i)
				out.Unlock()
			}
		}()
	}
	select {}
}

func TestKilledAtRandomNothingAcknowledgedIsLost(t *testing.T) {
	folder := t.TempDir()
	acked := make(map[uint64]string)
	for life := range 6 {
		cmd := child(t, "load", folder)
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(pipe)
		enough := 200 + rand.IntN(1500)
		for n := 0; lines.Scan(); n++ {
			seq := uint64(0)
			var station string
			var i int
			if _, err := fmt.Sscanf(lines.Text(), "%d %s %d", &seq, &station, &i); err != nil {
				t.Fatalf("line %q: %v", lines.Text(), err)
			}
			acked[seq] = fmt.Sprintf("%s %d", station, i)
			if n == enough {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
			t.Fatalf("life %d: the child ended by itself: %v", life, err)
		}
		integrity(t, folder)
		store := place(folder)(t)
		have := make(map[uint64]string)
		for _, e := range journaltest.All(t, store) {
			if body, ok := e.Body.(*event.Status); ok {
				have[e.Seq] = fmt.Sprintf("%s %s", e.Subject.ID, body.Info)
			}
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		for seq, want := range acked {
			if have[seq] != want {
				t.Fatalf("life %d: event %d was acknowledged as %q and is %q", life, seq, want, have[seq])
			}
		}
		a, b := journaltest.Replay(t, place(folder), false, 512), journaltest.Replay(t, place(folder), true, 512)
		da, _ := journal.Digest(a.Snapshot)
		db, _ := journal.Digest(b.Snapshot)
		if da != db {
			t.Fatalf("life %d: the checkpoint and the events tell different stories", life)
		}
	}
	t.Logf("%d acknowledged events, none lost", len(acked))
}

// start is a StartTransaction that repeats itself word for word.
func start() *event.Event {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	return &event.Event{
		Subject: event.Port("CP", 0, 1), At: at, DeviceAt: at, ReceivedAt: at.Add(time.Second), Quality: event.TimeDevice,
		Body: &event.Transaction{Stage: event.TransactionStarted, AssignID: true, TokenID: "T1", TokenStatus: "Accepted", MeterWh: new(1000.0)},
	}
}

// childAtFailpoint kills itself at a point of the commit of a start.
func childAtFailpoint(folder, point string) {
	s, err := openStore(folder)
	if err != nil {
		fail(err)
	}
	armed := false
	store := &failpoint{Store: s, die: func(at string) {
		if armed && at == point {
			die()
		}
	}}
	j, err := journal.Open(context.Background(), store, journal.Options{Tick: time.Hour})
	if err != nil {
		fail(err)
	}
	journal.AfterPublish(j, func() { store.die("after publish") })
	armed = true
	go func() { fail(j.Run(context.Background())) }()
	r, err := j.Append(context.Background(), start())
	fail(fmt.Errorf("answered %+v, %v, where it should have died", r, err))
}

type failpoint struct {
	journal.Store
	die func(at string)
}

func (f *failpoint) Begin(ctx context.Context) (journal.Tx, error) {
	tx, err := f.Store.Begin(ctx)
	return &failTx{tx, f}, err
}

type failTx struct {
	journal.Tx
	f *failpoint
}

func (t *failTx) Commit() error {
	t.f.die("before commit")
	err := t.Tx.Commit()
	t.f.die("after commit")
	return err
}

func TestKilledBetweenCommitPublishAndAnswerTheRetryGetsTheSameID(t *testing.T) {
	for point, stored := range map[string]bool{"before commit": false, "after commit": true, "after publish": true} {
		t.Run(point, func(t *testing.T) {
			folder := t.TempDir()
			if out, err := child(t, point, folder).Output(); err == nil || !strings.Contains(err.Error(), "killed") {
				t.Fatalf("child: %v, %s", err, out)
			}
			r := journaltest.Start(t, place(folder), journal.Options{})
			given := ""
			for _, e := range journaltest.All(t, r.Faults) {
				if body, ok := e.Body.(*event.Transaction); ok {
					given = body.TransactionID
				}
			}
			if (given != "") != stored {
				t.Fatalf("the start is stored: %v", given != "")
			}
			first, err := r.Append(t.Context(), start())
			if err != nil {
				t.Fatal(err)
			}
			if stored && (first.TransactionID != given || !first.Retry) {
				t.Errorf("the retry got %+v, the start had been given %q", first, given)
			}
			second, err := r.Append(t.Context(), start())
			if err != nil || second.TransactionID != first.TransactionID || !second.Retry {
				t.Errorf("the next retry got %+v, %v", second, err)
			}
			sessions, _, err := r.Sessions(t.Context(), journal.SessionQuery{Station: "CP"})
			if err != nil || len(sessions) != 1 {
				t.Errorf("%d sessions of one start, %v", len(sessions), err)
			}
		})
	}
}
