package store

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/seal"
)

const hidden = "the-password-of-the-mail-server"

// vault is a store in a folder, with its key.
func vault(t *testing.T, folder string, box Box) *Store {
	t.Helper()
	coredbtest.In(t, folder)
	db, err := coredb.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return must[*Store](t)(Open(t.Context(), Options{DB: db, Box: box}))
}

func key(t *testing.T, folder string) *seal.Box {
	t.Helper()
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	return must[*seal.Box](t)(seal.Open(root))
}

// stands reports whether the files of core.db hold a text.
func stands(t *testing.T, folder, text string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "core.db*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if bytes.Contains(must[[]byte](t)(os.ReadFile(f)), []byte(text)) {
			return true
		}
	}
	return false
}

func mail(t *testing.T, s *Store) *Channel {
	t.Helper()
	return must[*Channel](t)(s.CreateChannel(t.Context(), admin, Channel{Name: "mail", Type: "email", Enabled: true, Secrets: Secrets{"password": hidden}}))
}

func TestSecretsOfChannelsCannotBeReadFromTheDatabase(t *testing.T) {
	folder := t.TempDir()
	box := key(t, folder)
	s := vault(t, folder, box)
	c := mail(t, s)
	if err := s.PutHeartbeat(t.Context(), admin, Heartbeat{Enabled: true, URL: "https://hc.example/" + hidden, Method: "POST", EverySeconds: 60}); err != nil {
		t.Fatal(err)
	}
	link := must[[]byte](t)(s.LinkKey(t.Context()))
	must[*Channel](t)(s.UpdateChannel(t.Context(), admin, c.ID, func(c *Channel) error {
		c.Name = "mail 2"
		return nil
	}))
	if stands(t, folder, hidden) {
		t.Error("the password stands in core.db")
	}
	again := vault(t, folder, key(t, folder))
	if got := must[*Channel](t)(again.Channel(t.Context(), c.ID)); got.Secrets["password"] != hidden || got.SecretsLost || got.Name != "mail 2" {
		t.Errorf("after a restart: %v", got.Secrets)
	}
	if h := must[Heartbeat](t)(again.Heartbeat(t.Context())); !strings.HasSuffix(h.URL, hidden) {
		t.Errorf("heartbeat %+v", h)
	}
	if got := must[[]byte](t)(again.LinkKey(t.Context())); !bytes.Equal(got, link) {
		t.Error("another key of links")
	}
	if _, err := vault(t, folder, nil).Channel(t.Context(), c.ID); err == nil {
		t.Error("read without a key")
	}
}

func TestWhatAnOlderServerWroteIsSealedAtTheStart(t *testing.T) {
	folder := t.TempDir()
	old := vault(t, folder, nil)
	c := mail(t, old)
	link := must[[]byte](t)(old.LinkKey(t.Context()))
	if !stands(t, folder, hidden) {
		t.Fatal("this test needs an old server that writes in the clear")
	}
	if err := old.db.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // and once more, when nothing is left to seal
		s := vault(t, folder, key(t, folder))
		if got := must[*Channel](t)(s.Channel(t.Context(), c.ID)); got.Secrets["password"] != hidden {
			t.Errorf("got %v", got.Secrets)
		}
		if got := must[[]byte](t)(s.LinkKey(t.Context())); !bytes.Equal(got, link) {
			t.Error("another key of links")
		}
		if err := s.db.Close(); err != nil { // moves the write-ahead log into the file
			t.Fatal(err)
		}
		if stands(t, folder, hidden) {
			t.Error("the password still stands in core.db")
		}
	}
}

func TestALostKeyAsksForTheSecretsAgain(t *testing.T) {
	folder := t.TempDir()
	s := vault(t, folder, key(t, folder))
	c := mail(t, s)
	link := must[[]byte](t)(s.LinkKey(t.Context()))
	if err := os.RemoveAll(filepath.Join(folder, seal.Folder)); err != nil {
		t.Fatal(err)
	}
	s = vault(t, folder, key(t, folder))
	got := must[*Channel](t)(s.Channel(t.Context(), c.ID))
	if !got.SecretsLost || len(got.Secrets) != 0 || got.Failure == "" || !got.FailedAt.After(got.OKAt) {
		t.Errorf("got %+v", got)
	}
	if list := must[[]Channel](t)(s.Channels(t.Context())); len(list) != 1 || !list[0].SecretsLost {
		t.Errorf("listed %+v", list)
	}
	if other := must[[]byte](t)(s.LinkKey(t.Context())); bytes.Equal(other, link) || len(other) != 32 {
		t.Error("the key of links was not made anew")
	}
	must[*Channel](t)(s.UpdateChannel(t.Context(), admin, c.ID, func(c *Channel) error {
		c.Secrets = Secrets{"password": "another"}
		return nil
	}))
	if got := must[*Channel](t)(s.Channel(t.Context(), c.ID)); got.SecretsLost || got.Secrets["password"] != "another" {
		t.Errorf("entered again: %+v", got)
	}
}
