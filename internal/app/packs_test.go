package app

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/chargewatch/chargewatch/internal/knowledge"
)

func TestPacksOfTheFolder(t *testing.T) {
	folder := t.TempDir()
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := root.Close(); err != nil {
			t.Error(err)
		}
	}()
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	own := func() map[string]knowledge.State {
		k, err := knowing(t.Context(), root, logger)
		if err != nil {
			t.Fatal(err)
		}
		out := make(map[string]knowledge.State)
		for _, s := range k.States() {
			if s.Layer == knowledge.LayerUser {
				out[s.Name] = s
			}
		}
		return out
	}
	if got := own(); len(got) != 0 || log.Len() != 0 {
		t.Errorf("without a folder: %v %s", got, log.String())
	}

	secret := filepath.Join(t.TempDir(), "secret.json")
	for name, text := range map[string]string{
		secret: "{}",
		filepath.Join(folder, "packs", "good.json"):   `{"format":1,"title":"Ours","entries":[{"id":"x","like":"mrec.CX011","match":{"vendorCode":"0x17"}}]}`,
		filepath.Join(folder, "packs", "bad.json"):    "{\"format\":1,\"title\":\"Ours\",\n\"entries\":[{\"id\":\"x\"}]}",
		filepath.Join(folder, "packs", "large.json"):  strings.Repeat(" ", 2<<20),
		filepath.Join(folder, "packs", "readme.md"):   "ours",
		filepath.Join(folder, "packs", "d.json", "x"): "",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(secret, filepath.Join(folder, "packs", "outside.json")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(folder, "packs", "pipe.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := own()
	if len(got) != 5 {
		t.Errorf("%d packs: %v", len(got), got)
	}
	if s := got["good.json"]; s.Entries != 1 || s.Faults != nil {
		t.Errorf("%+v", s)
	}
	for name, want := range map[string]string{
		"bad.json":     "bad.json:2: entry x: match: is missing",
		"large.json":   "large.json:1: larger than 1048576 bytes",
		"outside.json": "outside.json: path escapes from parent",
		"pipe.json":    "pipe.json: not a plain file",
	} {
		if s := got[name]; len(s.Faults) == 0 || s.Faults[0].String() != want {
			t.Errorf("%s: %v, want %s", name, s.Faults, want)
		}
	}
	if !strings.Contains(log.String(), "file=packs/bad.json line=2 entry=x field=match") {
		t.Errorf("the log says\n%s", log.String())
	}
}
