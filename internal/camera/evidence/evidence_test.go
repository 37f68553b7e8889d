package evidence_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/evidence"
	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/record/recordtest"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// place is a recorder that has filmed.
type place struct {
	folder string
	store  *record.Store
	key    *evidence.Key
	data   *os.Root
}

// filmed is a recorder that has filmed with two cameras for a time.
func filmed(t testing.TB, d time.Duration) *place {
	t.Helper()
	folder := t.TempDir()
	data, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	key, err := evidence.OpenKey(data)
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return noon().Add(d) }
	store, err := record.Open(context.Background(), record.Options{Data: data, Now: now, Sign: key.Sign})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { _ = store.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		all.Wait()
		if err := store.Close(context.Background()); err != nil {
			t.Error(err)
		}
		_ = data.Close()
	})
	for _, name := range []string{"gate", "yard"} {
		rec, err := store.Recorder(ctx, record.Plan{Source: record.Source{Camera: name, Stream: "main"}, Mode: record.Always})
		if err != nil {
			t.Fatal(err)
		}
		cam, err := recordtest.New(recordtest.Plain, noon())
		if err != nil {
			t.Fatal(err)
		}
		hub := &stream.Hub{}
		one, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- rec.Run(one, hub) }()
		for hub.Readers() == 0 {
			time.Sleep(time.Millisecond)
		}
		recordtest.Play(hub, cam, int(d/recordtest.Frame), func() uint64 { return rec.Status().Units })
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	return &place{folder: folder, store: store, key: key, data: data}
}

func (p *place) request(d time.Duration) evidence.Request {
	return evidence.Request{
		ID: "E1", From: noon(), To: noon().Add(d), By: "u1", ByName: "Guard", Reason: "cable theft", Incident: "I-7", Timeline: json.RawMessage(`[{"at":"x"}]`),
		Cameras: []evidence.Wanted{
			{Camera: "gate", Stream: "main", Label: "Gate", Site: "hh", Clock: &evidence.Clock{AheadMillis: 120, At: noon()}},
			{Camera: "yard", Stream: "main", Label: "Yard", Site: "hh"},
		},
	}
}

func (p *place) export(t testing.TB, d time.Duration) []byte {
	t.Helper()
	var buf bytes.Buffer
	e := &evidence.Exporter{Store: p.store, Key: p.key, Software: "test", Now: time.Now}
	if _, _, err := e.Write(context.Background(), &buf, p.request(d), nil); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// files is what an archive holds, in order.
type file struct {
	name    string
	content []byte
}

func unpack(t testing.TB, raw []byte) []file {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	var out []file
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, file{f.Name, b})
	}
	return out
}

func repack(t testing.TB, list []file) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, f := range list {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func index(list []file, name string) int {
	return slices.IndexFunc(list, func(f file) bool { return f.name == name })
}

// rewrite changes the manifest and signs it with a key, as a forger would.
func rewrite(t testing.TB, list []file, key ed25519.PrivateKey, change func(m *evidence.Manifest)) {
	t.Helper()
	i := index(list, "manifest.json")
	var m evidence.Manifest
	if err := json.Unmarshal(list[i].content, &m); err != nil {
		t.Fatal(err)
	}
	change(&m)
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	list[i].content = text
	if key == nil {
		return
	}
	public := key.Public().(ed25519.PublicKey)
	sig, err := json.Marshal(evidence.Signature{
		Algorithm: "Ed25519", PublicKey: public, Fingerprint: evidence.Fingerprint(public), Signature: ed25519.Sign(key, append([]byte("chargewatch evidence 1\n"), text...)),
	})
	if err != nil {
		t.Fatal(err)
	}
	list[index(list, "manifest.sig")].content = sig
}

func TestEachTamperingOfAnHourIsFoundAndNamed(t *testing.T) {
	p := filmed(t, time.Hour)
	raw := p.export(t, time.Hour)
	_, forger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	const a, b, other = "segments/gate/main/00000007.mp4", "segments/gate/main/00000030.mp4", "segments/yard/main/00000007.mp4"
	for sentence, c := range map[string]struct {
		harm  func(t *testing.T, list []file) []file
		kinds []string // found, and nothing else
		names string   // in what is said
	}{
		"nothing": {func(_ *testing.T, list []file) []file { return list }, nil, ""},
		"a bit of a segment is flipped": {func(_ *testing.T, list []file) []file {
			x := list[index(list, a)].content
			x[len(x)/2] ^= 1
			return list
		}, []string{"changed"}, a},
		"a bit of a clip is flipped": {func(_ *testing.T, list []file) []file {
			x := list[index(list, "clips/gate-main.mp4")].content
			x[len(x)/2] ^= 1
			return list
		}, []string{"changed"}, "clips/gate-main.mp4"},
		"a segment is removed": {func(_ *testing.T, list []file) []file {
			return slices.Delete(list, index(list, a), index(list, a)+1)
		}, []string{"removed"}, a},
		"two segments are swapped": {func(_ *testing.T, list []file) []file {
			i, j := index(list, a), index(list, b)
			list[i].content, list[j].content = list[j].content, list[i].content
			return list
		}, []string{"swapped", "swapped"}, a},
		"a segment is replaced by one of another camera in the pack": {func(_ *testing.T, list []file) []file {
			list[index(list, a)].content = list[index(list, other)].content
			return list
		}, []string{"swapped"}, other},
		"a segment is replaced by one of a camera that is not in the pack": {func(t *testing.T, list []file) []file {
			i := index(list, a)
			list[i].content = bytes.Replace(list[i].content, []byte(`"camera":"gate"`), []byte(`"camera":"park"`), 1)
			return list
		}, []string{"foreign"}, a},
		"the tail of a segment is cut": {func(_ *testing.T, list []file) []file {
			i := index(list, a)
			list[i].content = list[i].content[:len(list[i].content)-1000]
			return list
		}, []string{"cut"}, a},
		"the tail of the recording is cut": {func(t *testing.T, list []file) []file {
			return slices.DeleteFunc(list, func(f file) bool {
				return strings.HasPrefix(f.name, "segments/gate/main/0000005")
			})
		}, slices.Repeat([]string{"removed"}, 10), "00000050.mp4"},
		"the tail is cut and the manifest agrees": {func(t *testing.T, list []file) []file {
			rewrite(t, list, nil, func(m *evidence.Manifest) { m.Streams[0].Segments = m.Streams[0].Segments[:49] })
			return slices.DeleteFunc(list, func(f file) bool { return f.name >= "segments/gate/main/00000050.mp4" && f.name < "segments/gate/n" })
		}, []string{"signature", "times"}, "manifest.json"},
		"it is signed anew after a cut": {func(t *testing.T, list []file) []file {
			rewrite(t, list, forger, func(m *evidence.Manifest) { m.Streams[0].Segments = m.Streams[0].Segments[:49] })
			return slices.DeleteFunc(list, func(f file) bool { return f.name >= "segments/gate/main/00000050.mp4" && f.name < "segments/gate/n" })
		}, []string{"key", "times"}, evidence.Fingerprint(forger.Public().(ed25519.PublicKey))},
		"it is signed anew after a segment was taken out of the middle": {func(t *testing.T, list []file) []file {
			rewrite(t, list, forger, func(m *evidence.Manifest) { m.Streams[0].Segments = slices.Delete(m.Streams[0].Segments, 6, 7) })
			return slices.Delete(list, index(list, a), index(list, a)+1)
		}, []string{"key", "missing", "times"}, "segments 7 to 7"},
		"it is signed anew with pictures that were changed": {func(t *testing.T, list []file) []file {
			x := list[index(list, a)].content
			x[len(x)/2] ^= 1
			rewrite(t, list, forger, func(m *evidence.Manifest) {
				g := &m.Streams[0].Segments[6]
				g.Sum = sha256.Sum256(x)
			})
			return list
		}, []string{"key", "chain"}, a},
		"only the reason is another": {func(t *testing.T, list []file) []file {
			rewrite(t, list, nil, func(m *evidence.Manifest) { m.Reason = "nothing" })
			return list
		}, []string{"signature"}, "manifest.json"},
		"the times in the manifest are others": {func(t *testing.T, list []file) []file {
			rewrite(t, list, nil, func(m *evidence.Manifest) { m.Streams[0].Ranges[0].From = noon().Add(-time.Hour) })
			return list
		}, []string{"signature", "times"}, "tells of pictures from 2026-11-22 11:00:00Z"},
		"the times are others, signed with the right key": {func(t *testing.T, list []file) []file {
			rewrite(t, list, p.private(t), func(m *evidence.Manifest) { m.Streams[0].Segments[6].Start = noon() })
			return list
		}, []string{"chain"}, a},
		"a gap is made up, signed with the right key": {func(t *testing.T, list []file) []file {
			rewrite(t, list, p.private(t), func(m *evidence.Manifest) {
				to := noon().Add(20 * time.Minute)
				m.Streams[0].Gaps = append(m.Streams[0].Gaps, evidence.Gap{From: noon().Add(10 * time.Minute), To: &to, Reason: "stalled"})
			})
			return list
		}, []string{"times"}, "tells of no pictures from 2026-11-22 12:10:00Z"},
		"pictures are kept quiet about, signed with the right key": {func(t *testing.T, list []file) []file {
			rewrite(t, list, p.private(t), func(m *evidence.Manifest) { m.Streams[0].Ranges[0].To = noon().Add(30 * time.Minute) })
			return list
		}, []string{"times"}, "does not tell of them"},
		"the clip for looking at is another": {func(t *testing.T, list []file) []file {
			x := list[index(list, "clips/gate-main.mp4")].content
			x[len(x)-9] ^= 4
			return list
		}, []string{"changed"}, "clips/gate-main.mp4"},
		"a segment is there twice in the manifest": {func(t *testing.T, list []file) []file {
			rewrite(t, list, p.private(t), func(m *evidence.Manifest) {
				s := &m.Streams[0]
				s.Segments = slices.Insert(s.Segments, 7, s.Segments[6])
			})
			return list
		}, []string{"chain"}, "does not come after segment 7"},
		"a file is added": {func(_ *testing.T, list []file) []file {
			return append(list, file{"segments/gate/main/00000099.mp4", []byte("x")})
		}, []string{"unknown"}, "00000099"},
		"a file is there twice": {func(_ *testing.T, list []file) []file { return append(list, file{a, []byte("x")}) }, []string{"unknown"}, "twice"},
		"the signature is gone": {func(_ *testing.T, list []file) []file {
			return slices.Delete(list, index(list, "manifest.sig"), index(list, "manifest.sig")+1)
		}, []string{"signature"}, "manifest.sig"},
		"the manifest is gone": {func(_ *testing.T, list []file) []file {
			return slices.Delete(list, index(list, "manifest.json"), index(list, "manifest.json")+1)
		}, []string{"manifest"}, "manifest.json"},
	} {
		t.Run(sentence, func(t *testing.T) {
			harmed := repack(t, c.harm(t, unpack(t, raw)))
			check := func(r *evidence.Report) {
				t.Helper()
				var kinds, texts []string
				for _, f := range r.Faults {
					kinds, texts = append(kinds, f.Kind), append(texts, f.String())
				}
				if !slices.Equal(kinds, c.kinds) || !strings.Contains(strings.Join(texts, "\n"), c.names) {
					t.Errorf("found %v:\n%s", kinds, strings.Join(texts, "\n"))
				}
				if r.Whole() != (c.kinds == nil) {
					t.Errorf("whole: %v", r.Whole())
				}
			}
			check(evidence.VerifyArchive(bytes.NewReader(harmed), int64(len(harmed)), evidence.Trust{Key: p.key.Public()}))
			// The same of the folder it was unpacked into.
			folder := t.TempDir()
			for _, f := range unpack(t, harmed) {
				if sentence == "a file is there twice" {
					return // a folder has each name once
				}
				name := filepath.Join(folder, f.name)
				if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, f.content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			r, err := evidence.Verify(folder, evidence.Trust{Key: p.key.Public()})
			if err != nil {
				t.Fatal(err)
			}
			check(r)
		})
	}
	t.Run("the archive itself is cut", func(t *testing.T) {
		r := evidence.VerifyArchive(bytes.NewReader(raw), int64(len(raw)-100), evidence.Trust{Key: p.key.Public()})
		if r.Whole() || len(r.Faults) != 1 || r.Faults[0].Kind != "archive" {
			t.Errorf("%+v", r)
		}
	})
	t.Run("a bit of the archive is flipped", func(t *testing.T) {
		harmed := bytes.Clone(raw)
		at := bytes.Index(harmed, unpack(t, raw)[index(unpack(t, raw), a)].content)
		harmed[at+5000] ^= 0x10
		r := evidence.VerifyArchive(bytes.NewReader(harmed), int64(len(harmed)), evidence.Trust{Key: p.key.Public()})
		if len(r.Faults) != 1 || r.Faults[0].Kind != "changed" || r.Faults[0].File != a {
			t.Errorf("%+v", r.Faults)
		}
	})
	t.Run("without a key it says who signed, and is not whole", func(t *testing.T) {
		r := evidence.VerifyArchive(bytes.NewReader(raw), int64(len(raw)), evidence.Trust{})
		if r.Whole() || len(r.Faults) != 0 || r.Fingerprint != evidence.Fingerprint(p.key.Public()) || r.Segments != 120 {
			t.Errorf("%+v", r)
		}
	})
}

func TestAPackSaysWhatItHolds(t *testing.T) {
	p := filmed(t, 5*time.Minute)
	raw := p.export(t, 3*time.Minute)
	r := evidence.VerifyArchive(bytes.NewReader(raw), int64(len(raw)), evidence.Trust{Key: p.key.Public()})
	if !r.Whole() {
		t.Fatalf("%+v", r.Faults)
	}
	m := r.Manifest
	if m.By != "u1" || m.Reason != "cable theft" || m.Incident != "I-7" || len(m.Timeline) == 0 || len(m.Streams) != 2 || m.Streams[0].CameraClock.AheadMillis != 120 {
		t.Errorf("%+v", m)
	}
	s := m.Streams[0]
	if len(s.Segments) != 3 || len(s.Ranges) != 1 || !s.Ranges[0].From.Equal(noon()) || len(s.Clips) != 1 || s.Head.Seq != 5 {
		t.Errorf("%+v", s)
	}
}

func TestWhatWasDoneToTheRecorderIsInThePack(t *testing.T) {
	p := filmed(t, 10*time.Minute)
	glob, err := filepath.Glob(p.folder + "/video/gate/main/*/*/*.mp4")
	if err != nil || len(glob) != 10 {
		t.Fatal(glob, err)
	}
	raw, err := os.ReadFile(glob[2])
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(glob[2], raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(glob[5]); err != nil {
		t.Fatal(err)
	}
	pack := p.export(t, 10*time.Minute)
	r := evidence.VerifyArchive(bytes.NewReader(pack), int64(len(pack)), evidence.Trust{Key: p.key.Public()})
	var kinds []string
	for _, f := range r.Faults {
		kinds = append(kinds, f.Kind)
	}
	if !slices.Equal(kinds, []string{"missing", "recorded"}) || !strings.Contains(r.Faults[1].File, "00000003") || !strings.Contains(r.Faults[0].Text, "6 to 6") {
		t.Errorf("%v", r.Faults)
	}
}

func TestWhatRetentionRemovedIsNoFault(t *testing.T) {
	p := filmed(t, 10*time.Minute)
	// Evidence around a time that goes.
	for id, at := range map[string]time.Duration{"x": 30 * time.Second, "y": 8 * time.Minute} {
		if err := p.store.Hold(record.Hold{ID: id, Camera: "gate", From: noon().Add(at), To: noon().Add(at + time.Second), Class: record.Evidence}); err != nil {
			t.Fatal(err)
		}
	}
	p.store.SetLimits(record.Limits{Bytes: 1})
	for len(p.store.Removed(record.Source{Camera: "yard", Stream: "main"})) == 0 { // until they are in the index
		time.Sleep(10 * time.Millisecond)
		if err := p.store.Retain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	pack := p.export(t, 10*time.Minute)
	r := evidence.VerifyArchive(bytes.NewReader(pack), int64(len(pack)), evidence.Trust{Key: p.key.Public()})
	if !r.Whole() || r.Segments != 2 || len(r.Manifest.Streams[0].Removed) != 1 {
		t.Errorf("%v, %d segments, %+v", r.Faults, r.Segments, r.Manifest.Streams[0].Removed)
	}
	// A note about a removal cannot be made up.
	list := unpack(t, pack)
	_, forger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	rewrite(t, list, forger, func(m *evidence.Manifest) { m.Streams[0].Removed[0].Reason = "age" })
	harmed := repack(t, list)
	r = evidence.VerifyArchive(bytes.NewReader(harmed), int64(len(harmed)), evidence.Trust{Key: p.key.Public()})
	if r.Whole() || !slices.ContainsFunc(r.Faults, func(f evidence.Fault) bool { return f.Kind == "chain" }) {
		t.Errorf("%v", r.Faults)
	}
}

func TestTheKeyStaysTheSame(t *testing.T) {
	data, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	one, err := evidence.OpenKey(data)
	if err != nil {
		t.Fatal(err)
	}
	two, err := evidence.OpenKey(data)
	if err != nil || !one.Public().Equal(two.Public()) {
		t.Errorf("another key, %v", err)
	}
	if k, err := evidence.ParsePublic(evidence.PEM(one.Public())); err != nil || !k.Equal(one.Public()) {
		t.Errorf("%v", err)
	}
	if info, err := data.Stat("keys/evidence.key"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

func FuzzManifest(f *testing.F) {
	p := filmed(f, 2*time.Minute)
	list := unpack(f, p.export(f, time.Minute))
	f.Add(list[index(list, "manifest.json")].content)
	f.Add([]byte(`{"version":1,"streams":[{"camera":"a","stream":"main","segments":[{"file":"segments/a/main/00000001.mp4","seq":1,"bytes":1}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		pack := repack(t, []file{{"manifest.json", b}})
		if r := evidence.VerifyArchive(bytes.NewReader(pack), int64(len(pack)), evidence.Trust{Key: p.key.Public()}); r.Whole() {
			t.Error("what nobody signed is whole")
		}
	})
}

func FuzzArchive(f *testing.F) {
	p := filmed(f, 2*time.Minute)
	raw := p.export(f, 10*time.Second)
	f.Add(raw[len(raw)/2:])
	f.Add(repack(f, []file{{"manifest.json", []byte("{}")}, {"../x", []byte("x")}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r := evidence.VerifyArchive(bytes.NewReader(b), int64(len(b)), evidence.Trust{Key: p.key.Public()}); r.Whole() && !bytes.Equal(b, raw) {
			t.Error("another archive is whole")
		}
	})
}
