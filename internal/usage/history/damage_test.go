package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// copied is the file as a power cut leaves it.
func copied(t *testing.T, folder string) string {
	to := t.TempDir()
	for _, name := range []string{FileName, FileName + "-wal"} {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// errCut is a power cut.
var errCut = errors.New("cut")

func TestAPowerCutAnywhereChangesNothing(t *testing.T) {
	h := newHouse(t)
	h.connect(0, "A", "S")
	for d := range 5 {
		x := float64(d * 24)
		h.charge("A", fmt.Sprint(d), x+1, x+3, 4000+x)
	}
	h.clock.Set(h.at(24*5 + 1))
	h.settle()
	h.charge("A", "late", 60, 62, 777, 24*5+2)
	for _, step := range []string{"marked", "counted", "stored"} {
		h.store.crash = func(at string) {
			if at == step {
				h.usage = copied(t, h.usage)
				panic(errCut)
			}
		}
		cut := func() (out any) {
			defer func() { out = recover() }()
			h.follow()
			if err := h.store.Settle(h.t.Context()); err != nil {
				t.Error(err)
			}
			return nil
		}()
		if cut != errCut {
			t.Fatalf("step %q: %v", step, cut)
		}
		if err := h.store.db.close(); err != nil {
			t.Fatal(err)
		}
		h.openUsage()
		h.seen = h.store.cursor
	}
	h.settle()
	if len(h.everything()) == 0 {
		t.Error("nothing was counted")
	}
	h.rebuild()
}

func TestAFileOfANewerVersionIsRefused(t *testing.T) {
	h := newHouse(t)
	if _, err := h.store.db.write.ExecContext(t.Context(), `INSERT INTO goose_db_version(version_id, is_applied) VALUES(99999, 1)`); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Folder: h.folder, Journal: h.log, DB: h.db}); !errors.Is(err, ErrNewer) {
		t.Errorf("%v, want ErrNewer", err)
	}
}

func TestADamagedDayIsFound(t *testing.T) {
	h := newHouse(t)
	h.connect(0, "A", "S")
	h.clock.Set(h.at(1))
	h.settle()
	if r, err := h.store.Verify(t.Context()); err != nil || len(r.Faults) != 0 || r.Days != 2 || r.Ports != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := h.store.db.write.ExecContext(t.Context(), `UPDATE port_day SET data = x'01ff'`); err != nil {
		t.Fatal(err)
	}
	if r, err := h.store.Verify(t.Context()); err != nil || len(r.Faults) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}
