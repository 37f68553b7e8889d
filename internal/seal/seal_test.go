package seal_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/chargewatch/chargewatch/internal/seal"
)

func folder(t testing.TB) (*os.Root, string) {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root, dir
}

func open(t testing.TB, root *os.Root) *seal.Box {
	t.Helper()
	b, err := seal.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sealed(t testing.TB, b *seal.Box, plain, context string) []byte {
	t.Helper()
	out, err := b.Seal([]byte(plain), context)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWhatIsSealedComesBackAfterARestart(t *testing.T) {
	root, _ := folder(t)
	first := open(t, root)
	for _, plain := range []string{"", "hunter2", string(bytes.Repeat([]byte{0, 255}, 5000))} {
		got, err := open(t, root).Open(sealed(t, first, plain, "channel/ch-1"), "channel/ch-1")
		if err != nil || string(got) != plain {
			t.Errorf("%d bytes came back as %d, %v", len(plain), len(got), err)
		}
	}
	if a, b := sealed(t, first, "same", "c"), sealed(t, first, "same", "c"); bytes.Equal(a, b) {
		t.Error("the same secret is sealed alike twice: readers see which are equal")
	}
	if bytes.Contains(sealed(t, first, "hunter2", "c"), []byte("hunter2")) {
		t.Error("the secret can be read")
	}
}

func TestOnlyTheSamePlaceAndKeyOpen(t *testing.T) {
	root, _ := folder(t)
	other, _ := folder(t)
	box := open(t, root)
	s := sealed(t, box, "hunter2", "channel/ch-1")
	tests := map[string]struct {
		box     *seal.Box
		sealed  []byte
		context string
		want    error
	}{
		"another place":             {box, s, "channel/ch-2", seal.ErrDamaged},
		"no place":                  {box, s, "", seal.ErrDamaged},
		"another key":               {open(t, other), s, "channel/ch-1", seal.ErrOtherKey},
		"nothing":                   {box, nil, "channel/ch-1", seal.ErrDamaged},
		"cut off":                   {box, s[:len(s)-1], "channel/ch-1", seal.ErrDamaged},
		"plain text of old":         {box, []byte(`{"password":"of an older server, not sealed"}`), "channel/ch-1", seal.ErrDamaged},
		"a form that nobody writes": {box, append([]byte{2}, s[1:]...), "channel/ch-1", seal.ErrDamaged},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got, err := tt.box.Open(tt.sealed, tt.context); !errors.Is(err, tt.want) || got != nil {
				t.Errorf("opened %q, %v; want %v", got, err, tt.want)
			}
		})
	}
	for i := range s {
		bad := slices.Clone(s)
		bad[i] ^= 1
		if got, err := box.Open(bad, "channel/ch-1"); err == nil {
			t.Fatalf("byte %d changed and it opened as %q", i, got)
		}
	}
}

func TestTheKeyFileIsOurs(t *testing.T) {
	t.Run("nobody else may read it", func(t *testing.T) {
		root, dir := folder(t)
		open(t, root)
		path := filepath.Join(dir, seal.File)
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		open(t, root)
		for p, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
			if info, err := os.Stat(p); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v, %v; want %v", p, info.Mode().Perm(), err, want)
			}
		}
		if list, err := os.ReadDir(filepath.Dir(path)); err != nil || len(list) != 1 {
			t.Errorf("the folder of keys holds %v, %v; want the key alone", list, err)
		}
	})
	t.Run("what is no key is not replaced", func(t *testing.T) {
		for name, make := range map[string]func(path string) error{
			"cut off":      func(p string) error { return os.WriteFile(p, []byte("short"), 0o600) },
			"empty":        func(p string) error { return os.WriteFile(p, nil, 0o600) },
			"a folder":     func(p string) error { return os.Mkdir(p, 0o700) },
			"leads astray": func(p string) error { return os.Symlink("/etc/hostname", p) },
		} {
			t.Run(name, func(t *testing.T) {
				root, dir := folder(t)
				path := filepath.Join(dir, seal.File)
				if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o700), make(path)); err != nil {
					t.Fatal(err)
				}
				if _, err := seal.Open(root); !errors.Is(err, seal.ErrKey) {
					t.Errorf("got %v, want %v", err, seal.ErrKey)
				}
			})
		}
	})
	t.Run("of many who start at once all get the same", func(t *testing.T) {
		root, _ := folder(t)
		boxes := make([]*seal.Box, 16)
		var wg sync.WaitGroup
		for i := range boxes {
			wg.Go(func() {
				b, err := seal.Open(root)
				if err != nil {
					t.Error(err)
					return
				}
				boxes[i] = b
			})
		}
		wg.Wait()
		if t.Failed() {
			return
		}
		s := sealed(t, boxes[0], "hunter2", "c")
		for _, b := range boxes {
			if _, err := b.Open(s, "c"); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzOpen(f *testing.F) {
	root, _ := folder(f)
	box := open(f, root)
	good := sealed(f, box, "hunter2", "c")
	f.Add(good, "c")
	f.Add(good, "d")
	f.Add([]byte{1}, "")
	f.Fuzz(func(t *testing.T, data []byte, context string) {
		if plain, err := box.Open(data, context); err == nil && (!bytes.Equal(data, good) || context != "c" || string(plain) != "hunter2") {
			t.Fatalf("%x opened as %q", data, plain)
		}
	})
}
