package backup_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/backup"
	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/journaltest"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
)

type store struct {
	*sqlite.Store
	db *coredb.DB
	to uint64 // if not 0, events behind it do not exist
}

func (s *store) Close() error { return errors.Join(s.Store.Close(), s.db.Close()) }

func (s *store) Load(ctx context.Context) (*journal.Loaded, error) {
	l, err := s.Store.Load(ctx)
	if err == nil && s.to != 0 {
		l.LastSeq = s.to
	}
	return l, err
}

func open(t testing.TB, folder string) *store {
	t.Helper()
	db, err := coredb.Open(context.Background(), folder)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.New(context.Background(), db, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return &store{Store: s, db: db}
}

func replay(t *testing.T, folder string, to uint64) (digest string, seq uint64) {
	t.Helper()
	s := open(t, folder)
	defer s.Close()
	s.to = to
	r, err := journal.Replay(t.Context(), s, to != 0, 512, slog.New(slog.DiscardHandler))
	if err != nil || r.Mismatches != 0 {
		t.Fatalf("replay: %+v, %v", r, err)
	}
	if digest, err = journal.Digest(r.Snapshot); err != nil {
		t.Fatal(err)
	}
	return digest, r.Snapshot.Seq
}

// written makes a data folder with a story in it while backups are taken, and
// returns the folder and the newest backup.
func written(t *testing.T) (data, newest string) {
	t.Helper()
	data, backups := t.TempDir(), t.TempDir()
	s := open(t, data)
	r := journaltest.Start(t, func(testing.TB) journal.Store { return s }, journal.Options{CheckpointEvery: 20 * time.Millisecond, Tick: 5 * time.Millisecond})
	var group sync.WaitGroup
	stop := make(chan struct{})
	for n := range 4 {
		group.Go(func() {
			station := journaltest.NewStation(1, n)
			for {
				select {
				case <-stop:
					return
				default:
				}
				e := station.Next(time.Now())
				receipt, err := r.Append(context.Background(), e)
				if err != nil {
					t.Error(err)
					return
				}
				station.Answered(e, receipt)
			}
		})
	}
	for _, name := range []string{"one", "two"} {
		for start := r.Stats().Events; r.Stats().Events < start+200; {
			time.Sleep(time.Millisecond)
		}
		newest = filepath.Join(backups, name)
		m, err := backup.Run(t.Context(), newest, "test", time.Now(), backup.Part{Name: coredb.FileName, Write: s.db.Backup})
		if err != nil || len(m.Files) != 1 {
			t.Fatalf("%+v, %v", m, err)
		}
	}
	close(stop)
	group.Wait()
	r.Stop()
	return data, newest
}

func TestABackupOfARunningJournalRestoresToTheSameFleet(t *testing.T) {
	data, copied := written(t)
	restored := filepath.Join(t.TempDir(), "data")
	if _, err := backup.Restore(t.Context(), copied, restored); err != nil {
		t.Fatal(err)
	}
	have, seq := replay(t, restored, 0)
	want, _ := replay(t, data, seq)
	if have != want {
		t.Errorf("the restored fleet differs at event %d", seq)
	}
	// And it goes on from there.
	r := journaltest.Start(t, func(t testing.TB) journal.Store { return open(t, restored) }, journal.Options{})
	station := journaltest.NewStation(2, 9)
	if got, err := r.Append(t.Context(), station.Next(time.Now())); err != nil || got.Seq <= seq {
		t.Errorf("the restored journal goes on with %+v, %v", got, err)
	}
}

func TestADamagedOrUnfinishedBackupIsRefused(t *testing.T) {
	_, copied := written(t)
	path := filepath.Join(copied, coredb.FileName)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(filepath.Join(copied, backup.ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func() error{
		"a flipped bit": func() error {
			b := append([]byte(nil), whole...)
			b[len(b)/2] ^= 1
			return os.WriteFile(path, b, 0o600)
		},
		"a missing end":  func() error { return os.WriteFile(path, whole[:len(whole)-4096], 0o600) },
		"a missing file": func() error { return os.Remove(path) },
		"a list that is cut off": func() error {
			return os.WriteFile(filepath.Join(copied, backup.ManifestName), list[:len(list)/2], 0o600)
		},
		"a list that leads elsewhere": func() error {
			return os.WriteFile(filepath.Join(copied, backup.ManifestName), []byte(`{"files":[{"name":"../x","bytes":1}]}`), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := errors.Join(os.WriteFile(path, whole, 0o600), os.WriteFile(filepath.Join(copied, backup.ManifestName), list, 0o600)); err != nil {
				t.Fatal(err)
			}
			if _, err := backup.Verify(t.Context(), copied); err != nil {
				t.Fatalf("whole: %v", err)
			}
			if err := damage(); err != nil {
				t.Fatal(err)
			}
			to := filepath.Join(t.TempDir(), "data")
			if _, err := backup.Restore(t.Context(), copied, to); !errors.Is(err, backup.ErrDamaged) {
				t.Errorf("restore: %v", err)
			}
			if _, err := os.Lstat(to); err == nil {
				t.Error("something was restored")
			}
		})
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	data, copied := written(t)
	if _, err := backup.Run(t.Context(), copied, "", time.Now()); !errors.Is(err, backup.ErrExists) {
		t.Errorf("a backup over a backup: %v", err)
	}
	if _, err := backup.Restore(t.Context(), copied, data); !errors.Is(err, backup.ErrExists) {
		t.Errorf("a restore over data: %v", err)
	}
	broken := errors.New("broken")
	to := filepath.Join(t.TempDir(), "b")
	if _, err := backup.Run(t.Context(), to, "", time.Now(), backup.Part{Name: "x.db", Write: func(context.Context, string) error { return broken }}); !errors.Is(err, broken) {
		t.Errorf("a part that fails: %v", err)
	}
	if _, err := os.Lstat(to); err == nil {
		t.Error("an unfinished backup has its final name")
	}
}
