package app

import (
	"bytes"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/evidence"
	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/record/recordtest"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// minute opens recordings in a folder and records a minute of one camera.
func minute(t *testing.T, data *os.Root, k *evidence.Key, from time.Time) *record.Store {
	t.Helper()
	store, err := record.Open(t.Context(), record.Options{Data: data, Sign: k.Sign})
	if err != nil {
		t.Fatal(err)
	}
	rec, err := store.Recorder(t.Context(), record.Plan{Source: record.Source{Camera: "gate", Stream: "main"}, Mode: record.Always})
	if err != nil {
		t.Fatal(err)
	}
	cam, err := recordtest.New(recordtest.Plain, from)
	if err != nil {
		t.Fatal(err)
	}
	if err := cam.Speak(); err != nil {
		t.Fatal(err)
	}
	hub := &stream.Hub{}
	done := make(chan error, 1)
	go func() { done <- rec.Run(t.Context(), hub) }()
	for hub.Readers() == 0 {
		time.Sleep(time.Millisecond)
	}
	recordtest.Play(hub, cam, 60*recordtest.FPS, func() uint64 { return rec.Status().Units })
	hub.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return store
}

// packed makes a pack of a minute and its key, in a folder.
func packed(t *testing.T) (pack, key string) {
	t.Helper()
	data, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	k, err := evidence.OpenKey(data)
	if err != nil {
		t.Fatal(err)
	}
	from := time.Now().Add(-time.Hour)
	store := minute(t, data, k, from)
	folder := t.TempDir()
	pack, key = filepath.Join(folder, "pack.zip"), filepath.Join(folder, "key.pem")
	f, err := os.Create(pack)
	if err != nil {
		t.Fatal(err)
	}
	maker := &evidence.Exporter{Store: store, Key: k, Software: "test", Now: time.Now}
	if _, _, err := maker.Write(t.Context(), f, evidence.Request{
		ID: "e", From: from, To: from.Add(time.Minute), ByName: "Guard", Reason: "cable theft", Cameras: []evidence.Wanted{{Camera: "gate", Stream: "main"}},
	}, nil); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, evidence.PEM(k.Public()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return pack, key
}

func TestVerifyEvidence(t *testing.T) {
	pack, key := packed(t)
	folder := filepath.Dir(pack)
	raw, err := os.ReadFile(pack)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/3] ^= 1
	harmed := filepath.Join(folder, "harmed.zip")
	if err := os.WriteFile(harmed, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	other, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(folder, "other.pem")
	if err := os.WriteFile(foreign, evidence.PEM(other), 0o600); err != nil {
		t.Fatal(err)
	}
	for sentence, c := range map[string]struct {
		args   []string
		status int
		says   string
	}{
		"a pack as it was made":            {[]string{"--key", key, pack}, 0, "whole: 1 segments are as they were recorded"},
		"without a key nobody is trusted":  {[]string{pack}, 1, "no key was given"},
		"a flipped bit":                    {[]string{"--key", key, harmed}, 1, "FAULT changed: segments/gate/main/00000001.mp4: was changed"},
		"another key":                      {[]string{"--key", foreign, pack}, 1, "FAULT key: manifest.sig: was signed anew with another key"},
		"no path":                          {[]string{"--key", key}, 2, "needs one PATH"},
		"a path that is not there":         {[]string{"--key", key, folder + "/none"}, 1, "no such file"},
		"a key that is none":               {[]string{"--key", pack, pack}, 1, "not an Ed25519 key"},
		"a folder that is no pack":         {[]string{"--key", key, t.TempDir()}, 1, "FAULT manifest"},
		"a flag that is none":              {[]string{"--colour", "red", pack}, 2, "colour"},
		"a key is asked for, and not read": {[]string{"--key", folder + "/none", pack}, 1, "read the key"},
	} {
		t.Run(sentence, func(t *testing.T) {
			var out, errs bytes.Buffer
			status := Main(t.Context(), append([]string{"verify", "evidence"}, c.args...), &out, &errs)
			if status != c.status || !strings.Contains(out.String()+errs.String(), c.says) {
				t.Errorf("status %d\n%s%s", status, out.String(), errs.String())
			}
		})
	}
}
