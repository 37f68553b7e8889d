package evidence_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/evidence"
	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// heads keeps heads of the chains in the data folder, at a time that the test sets.
func (p *place) heads(t testing.TB, now *time.Time) *evidence.Heads {
	t.Helper()
	h, err := evidence.OpenHeads(p.data, p.store, p.key, func() time.Time { return *now })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func (p *place) pack(t testing.TB, h *evidence.Heads, r evidence.Request) []byte {
	t.Helper()
	var buf bytes.Buffer
	e := &evidence.Exporter{Store: p.store, Key: p.key, Heads: h, Software: "test", Now: time.Now}
	if _, _, err := e.Write(t.Context(), &buf, r, nil); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// private is the signing key of the data folder, as whoever has the folder has it.
func (p *place) private(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	seed, err := p.data.ReadFile("keys/evidence.key")
	if err != nil {
		t.Fatal(err)
	}
	return ed25519.NewKeyFromSeed(seed)
}

// anew makes the chain of the first stream of a manifest anew after its pictures
// were changed: every sum and link fits again.
func anew(list []file, m *evidence.Manifest, from int) {
	s := &m.Streams[0]
	var prev segment.Sum
	for i := range s.Segments {
		g := &s.Segments[i]
		if i > 0 {
			g.Prev = prev
		}
		if i == from {
			x := list[index(list, g.File)].content
			x[len(x)/2] ^= 1
			g.Sum = sum(x)
		}
		g.Link = segment.Entry{Camera: s.Camera, Stream: s.Stream, Seq: g.Seq, Start: g.Start, End: g.End, Bytes: g.Bytes, Prev: g.Prev, Sum: g.Sum}.Link()
		prev = g.Link
	}
	for _, x := range s.After {
		prev = segment.Entry{Camera: s.Camera, Stream: s.Stream, Seq: x.Seq, Start: x.Start, End: x.End, Bytes: x.Bytes, Prev: prev, Sum: x.Sum}.Link()
		if x.Seq == s.Head.Seq {
			s.Head.Link = prev
		}
	}
}

func kindsOf(r *evidence.Report) []string {
	out := []string{}
	for _, f := range r.Faults {
		out = append(out, f.Kind)
	}
	return out
}

func TestAChainThatWasMadeAnewIsFoundByHeadsOfBefore(t *testing.T) {
	p := filmed(t, 20*time.Minute)
	now := noon().Add(20 * time.Minute)
	h := p.heads(t, &now)
	line, n, err := h.Take()
	if err != nil || n != 2 {
		t.Fatalf("%d heads, %v", n, err)
	}
	away, err := evidence.ParseHeads(bytes.NewReader(line))
	if err != nil {
		t.Fatal(err)
	}
	r := p.request(10 * time.Minute)
	raw := p.pack(t, h, r)
	trust := evidence.Trust{Key: p.key.Public(), Heads: away}
	good := evidence.VerifyArchive(bytes.NewReader(raw), int64(len(raw)), trust)
	if !good.Whole() || good.Segments != 20 || good.Covered != 20 || good.Compared != 2 {
		t.Fatalf("%v, %d of %d covered by %d", good.Faults, good.Covered, good.Segments, good.Compared)
	}
	if s := good.Manifest.Streams[0]; len(s.After) != 10 || len(s.Heads) == 0 {
		t.Errorf("%d links behind, %d heads", len(s.After), len(s.Heads))
	}
	key := p.private(t)
	for sentence, c := range map[string]struct {
		harm  func(list []file, m *evidence.Manifest)
		alone []string // found without heads from elsewhere
		with  []string // and with them
	}{
		"by somebody with the signing key, who left the heads in the pack": {
			func(list []file, m *evidence.Manifest) { anew(list, m, 3) }, []string{"head"}, []string{"head", "head"},
		},
		"by somebody with the signing key, who took the heads out": {
			func(list []file, m *evidence.Manifest) { anew(list, m, 3); m.Streams[0].Heads = nil }, nil, []string{"head"},
		},
		"by somebody with the signing key, who signed other heads": {func(list []file, m *evidence.Manifest) {
			anew(list, m, 3)
			s := &m.Streams[0]
			for i := range s.Heads {
				s.Heads[i].Link = s.Head.Link
				s.Heads[i].Sign = hexSign(key, s.Heads[i].Payload())
			}
		}, nil, []string{"head"}},
		"and the links behind it are gone": {
			func(list []file, m *evidence.Manifest) {
				anew(list, m, 3)
				m.Streams[0].After = nil
				m.Streams[0].Heads = nil
			}, nil, []string{"uncovered"},
		},
		"under other numbers": {func(list []file, m *evidence.Manifest) {
			s := &m.Streams[0]
			s.After, s.Heads = nil, nil
			for i := range s.Segments {
				g := &s.Segments[i]
				old := index(list, g.File)
				g.Seq += 1000
				g.File = strings.Replace(g.File, "0000", "0000", 1)
				g.File = filepath.ToSlash(filepath.Join("segments", s.Camera, s.Stream, seqName(g.Seq)))
				list[old].name = g.File
			}
			s.Head.Seq += 1000
			anew(list, m, -1)
		}, nil, []string{"uncovered"}},
	} {
		t.Run(sentence, func(t *testing.T) {
			list := unpack(t, raw)
			rewrite(t, list, key, func(m *evidence.Manifest) { c.harm(list, m) })
			harmed := repack(t, list)
			clip := func(kinds []string) []string {
				return slices.DeleteFunc(kinds, func(k string) bool { return k == "changed" })
			}
			if got := clip(kindsOf(evidence.VerifyArchive(bytes.NewReader(harmed), int64(len(harmed)), evidence.Trust{Key: p.key.Public()}))); !slices.Equal(got, append([]string{}, c.alone...)) {
				t.Errorf("alone: found %v, want %v", got, c.alone)
			}
			r := evidence.VerifyArchive(bytes.NewReader(harmed), int64(len(harmed)), trust)
			if got := clip(kindsOf(r)); !slices.Equal(got, c.with) || r.Whole() {
				t.Errorf("with heads: found %v, want %v: %v", got, c.with, r.Faults)
			}
		})
	}
}

// Somebody who has the folder of recordings but not the key makes all of it anew: the
// server then signs what it finds, and its own heads of before do not fit.
func TestRecordingsThatWereMadeAnewOnTheRecorderContradictItsHeads(t *testing.T) {
	p := filmed(t, 6*time.Minute)
	now := noon().Add(6 * time.Minute)
	if _, _, err := p.heads(t, &now).Take(); err != nil {
		t.Fatal(err)
	}
	forged := filmed(t, 6*time.Minute) // another recorder's recordings under the same names
	glob, err := filepath.Glob(forged.folder + "/video/gate/main/*/*/*.mp4")
	if err != nil || len(glob) != 6 {
		t.Fatal(glob, err)
	}
	heads, err := os.ReadFile(p.folder + "/heads/" + now.Format("20060102") + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	// The honest key, the honest heads, the forged recordings.
	if err := os.MkdirAll(forged.folder+"/heads", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(forged.folder+"/heads/"+now.Format("20060102")+".jsonl", otherLinks(t, heads), 0o600); err != nil {
		t.Fatal(err)
	}
	forged.key = p.key
	later := now.Add(time.Second)
	raw := forged.pack(t, forged.heads(t, &later), forged.request(6*time.Minute))
	r := evidence.VerifyArchive(bytes.NewReader(raw), int64(len(raw)), evidence.Trust{Key: p.key.Public()})
	if !slices.Contains(kindsOf(r), "head") || r.Whole() {
		t.Errorf("found %v", r.Faults)
	}
}

// otherLinks are the same heads with links that the recordings do not have. They are
// not signed, which is found as well as what a signed one says.
func otherLinks(t *testing.T, raw []byte) []byte {
	t.Helper()
	list, err := evidence.ParseHeads(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		list[i].Link[0] ^= 1
	}
	out, err := json.Marshal(map[string]any{"at": list[0].At, "heads": list})
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

func TestHeadsOfAnotherKeyProveNothing(t *testing.T) {
	p := filmed(t, 3*time.Minute)
	now := noon().Add(3 * time.Minute)
	h := p.heads(t, &now)
	raw := p.pack(t, h, p.request(2*time.Minute))
	line, _, err := h.Take()
	if err != nil {
		t.Fatal(err)
	}
	list, err := evidence.ParseHeads(bytes.NewReader(line))
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		list[i].At = list[i].At.Add(time.Hour) // the signature is of another time
	}
	r := evidence.VerifyArchive(bytes.NewReader(raw), int64(len(raw)), evidence.Trust{Key: p.key.Public(), Heads: list})
	if got := kindsOf(r); !slices.Equal(got, []string{"head", "uncovered", "uncovered"}) || r.Covered != 0 {
		t.Errorf("found %v, %d covered", r.Faults, r.Covered)
	}
}

func TestHeadsAreKeptForAWhile(t *testing.T) {
	p := filmed(t, 2*time.Minute)
	now := noon()
	h := p.heads(t, &now)
	for _, day := range []int{0, 1, 399, 402} {
		now = noon().Add(time.Duration(day) * 24 * time.Hour)
		if _, _, err := h.Take(); err != nil {
			t.Fatal(err)
		}
	}
	names, err := filepath.Glob(p.folder + "/heads/*.jsonl")
	if err != nil || len(names) != 2 {
		t.Errorf("%v, %v", names, err)
	}
}

func FuzzHeads(f *testing.F) {
	p := filmed(f, 2*time.Minute)
	now := noon().Add(2 * time.Minute)
	line, _, err := p.heads(f, &now).Take()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add(append(bytes.Clone(line), line...))
	f.Add([]byte(`{"heads":[{"camera":"../x","stream":"main","seq":1}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := evidence.ParseHeads(bytes.NewReader(b))
		if err != nil {
			return
		}
		for _, h := range list {
			if strings.ContainsAny(h.Camera, "/\\") || h.Seq == 0 {
				t.Errorf("%+v", h)
			}
		}
	})
}
