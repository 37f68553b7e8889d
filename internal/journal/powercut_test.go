package journal_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/journaltest"
)

// A power cut keeps what was synced and any part of what was written since.
// With WAL and synchronous FULL the log is synced at each commit and the main
// file before the log begins anew, so after a cut there can be
//
//   - of the main file: each page as it was when the log began or as it is now;
//   - of the log: everything up to the last commit that returned, and any
//     beginning of the commit at work, with rubbish behind it.
//
// The test takes pictures of a working journal, makes such remains of them and
// looks whether everything acknowledged is there.
func TestPowerCutLosesNothingAcknowledged(t *testing.T) {
	folder := t.TempDir()
	store, err := openStore(folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.db.Writer().Exec(`PRAGMA wal_autocheckpoint(60)`); err != nil {
		t.Fatal(err)
	}
	cam := &camera{t: t, folder: folder}
	filmed := &filmedStore{Store: store, after: cam.shoot}
	r := journaltest.Start(t, func(testing.TB) journal.Store { return filmed }, journal.Options{Tick: time.Hour, CheckpointEvery: 30 * time.Millisecond, MaxBatch: 4})
	var group sync.WaitGroup
	for n := range 8 {
		group.Go(func() {
			for i := range 60 {
				receipt, err := r.Append(t.Context(), marked(fmt.Sprint("CP-", n), i))
				if err != nil {
					t.Error(err)
					return
				}
				cam.acknowledge(receipt.Seq)
			}
		})
	}
	group.Wait()
	r.Crash()
	if cam.resets < 2 || len(cam.shots) < 20 {
		t.Fatalf("%d pictures, the log began anew %d times: not enough to learn from", len(cam.shots), cam.resets)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for i, s := range cam.shots {
		for range 2 {
			dir := t.TempDir()
			s.remains(t, dir, rng)
			integrity(t, dir)
			have := make(map[uint64]bool)
			after := place(dir)(t)
			for _, e := range journaltest.All(t, after) {
				have[e.Seq] = true
				if e.Body.Kind() == event.KindStatus && e.Subject.ID == "" {
					t.Fatalf("event %d lost its subject", e.Seq)
				}
			}
			if err := after.Close(); err != nil {
				t.Fatal(err)
			}
			for _, seq := range s.acked {
				if !have[seq] {
					t.Fatalf("picture %d: event %d was acknowledged and is lost", i, seq)
				}
			}
			if got := journaltest.Replay(t, place(dir), false, 512); got.Mismatches != 0 {
				t.Fatalf("picture %d: %d derived events differ", i, got.Mismatches)
			}
		}
	}
}

type filmedStore struct {
	journal.Store
	after func()
}

// shot is a picture of the files right after a commit that nobody was told of
// yet.
type shot struct {
	old, now []byte // the main file when the log began, and now
	wal      []byte
	synced   int // end of the commit before this one
	acked    []uint64
}

type camera struct {
	t      *testing.T
	folder string

	mu    sync.Mutex
	acked []uint64

	old    []byte
	main   []byte
	salt   []byte
	end    int
	commit int
	resets int
	shots  []*shot
}

func (c *camera) acknowledge(seq uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.acked = append(c.acked, seq)
}

// shoot runs in the writer between the commit and the answers.
func (c *camera) shoot() {
	main, err := os.ReadFile(filepath.Join(c.folder, coredb.FileName))
	if err != nil {
		c.t.Error(err)
	}
	wal, err := os.ReadFile(filepath.Join(c.folder, coredb.FileName+"-wal"))
	if err != nil {
		c.t.Error(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !bytes.Equal(c.salt, wal[16:24]) {
		c.salt, c.old, c.end = bytes.Clone(wal[16:24]), main, 32
		c.resets++
	}
	end := lastCommit(wal)
	synced := c.end
	if !bytes.Equal(main, c.main) {
		// A checkpoint wrote to the main file, and syncs the log before it does.
		c.main, synced = main, end
	}
	if c.commit++; c.commit%7 == 0 || c.end == 32 {
		c.shots = append(c.shots, &shot{old: c.old, now: main, wal: wal[:end], synced: synced, acked: append([]uint64(nil), c.acked...)})
	}
	c.end = end
}

// lastCommit is where the last whole commit of a log ends.
func lastCommit(wal []byte) int {
	size := int(binary.BigEndian.Uint32(wal[8:12]))
	end := 32
	for at := 32; at+24+size <= len(wal) && bytes.Equal(wal[at+8:at+16], wal[16:24]); at += 24 + size {
		if binary.BigEndian.Uint32(wal[at+4:at+8]) != 0 {
			end = at + 24 + size
		}
	}
	return end
}

// remains writes what a power cut could leave.
func (s *shot) remains(t *testing.T, dir string, rng *rand.Rand) {
	t.Helper()
	const page = 4096
	main := bytes.Clone(s.now)
	for at := 0; at+page <= len(s.old) && at+page <= len(main); at += page {
		if rng.IntN(2) == 0 {
			copy(main[at:at+page], s.old[at:at+page])
		}
	}
	if len(main) > len(s.old) && rng.IntN(2) == 0 {
		main = main[:len(s.old)]
	}
	cut := s.synced
	if len(s.wal) > s.synced {
		cut += rng.IntN(len(s.wal) - s.synced + 1)
	}
	wal := bytes.Clone(s.wal[:cut])
	for at := s.synced; at < cut; at += 512 { // sectors that never made it
		if rng.IntN(3) == 0 {
			clear(wal[at:min(at+512, cut)])
		}
	}
	rubbish := make([]byte, rng.IntN(3*page))
	for i := range rubbish {
		rubbish[i] = byte(rng.Uint32())
	}
	for name, data := range map[string][]byte{coredb.FileName: main, coredb.FileName + "-wal": append(wal, rubbish...)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Begin films the commits.
func (f *filmedStore) Begin(ctx context.Context) (journal.Tx, error) {
	tx, err := f.Store.Begin(ctx)
	return &filmedTx{tx, f}, err
}

type filmedTx struct {
	journal.Tx
	f *filmedStore
}

func (t *filmedTx) Commit() error {
	err := t.Tx.Commit()
	if err == nil {
		t.f.after()
	}
	return err
}
