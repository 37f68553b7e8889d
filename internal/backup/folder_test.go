package backup_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/backup"
)

func TestFoldersComeBackAsTheyWere(t *testing.T) {
	data, to := t.TempDir(), filepath.Join(t.TempDir(), "b")
	photos, none := filepath.Join(data, "photos"), filepath.Join(data, "packs")
	if err := errors.Join(
		os.MkdirAll(filepath.Join(photos, "deeper"), 0o700),
		os.WriteFile(filepath.Join(photos, "a.jpg"), []byte("picture a"), 0o600),
		os.WriteFile(filepath.Join(photos, "b.jpg"), []byte("picture b"), 0o644),
		os.Symlink("/etc/hostname", filepath.Join(photos, "c.jpg")),
	); err != nil {
		t.Fatal(err)
	}
	m, err := backup.Run(t.Context(), to, "", time.Now(), backup.Folder("photos", photos), backup.Folder("packs", none))
	if err != nil || len(m.Files) != 2 || m.Files[0].Name != "photos/a.jpg" || m.Files[1].Bytes != 9 {
		t.Fatalf("%+v, %v", m, err)
	}
	restored := filepath.Join(t.TempDir(), "data")
	if _, err := backup.Restore(t.Context(), to, restored); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(restored, "photos", "b.jpg")); err != nil || string(got) != "picture b" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := backup.Restore(t.Context(), to, restored); !errors.Is(err, backup.ErrExists) {
		t.Errorf("restored over itself: %v", err)
	}
	if err := os.WriteFile(filepath.Join(to, "photos", "a.jpg"), []byte("picture c"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Verify(t.Context(), to); !errors.Is(err, backup.ErrDamaged) {
		t.Errorf("another picture: %v", err)
	}
	for _, name := range []string{"../x", "photos/../../x", "a/b/c", "/x", "photos/", ".", "", "photos//x", `a\..\x`} {
		list := `{"files":[{"name":"` + filepath.ToSlash(name) + `"}]}`
		if name == `a\..\x` {
			list = `{"files":[{"name":"a\\..\\x"}]}`
		}
		if err := os.WriteFile(filepath.Join(to, backup.ManifestName), []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := backup.Verify(t.Context(), to); !errors.Is(err, backup.ErrDamaged) {
			t.Errorf("a file called %q: %v", name, err)
		}
	}
}

// A photo may be deleted while the folder is copied.
func TestAFileThatGoesMeanwhileIsLeftOut(t *testing.T) {
	data, to := t.TempDir(), filepath.Join(t.TempDir(), "b")
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(filepath.Join(data, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	part := backup.Folder("photos", data)
	whole := part.Write
	part.Write = func(ctx context.Context, path string) error {
		return whole(goneAfter{ctx, filepath.Join(data, "b")}, path)
	}
	m, err := backup.Run(t.Context(), to, "", time.Now(), part)
	if err != nil || len(m.Files) != 1 || m.Files[0].Name != "photos/a" {
		t.Errorf("%+v, %v", m, err)
	}
}

// goneAfter removes a file when it is asked whether to go on.
type goneAfter struct {
	context.Context
	path string
}

func (g goneAfter) Err() error {
	if err := os.Remove(g.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return g.Context.Err()
}
