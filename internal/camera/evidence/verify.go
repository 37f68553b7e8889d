package evidence

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// Fault is one thing that is not as it was.
type Fault struct {
	// Kind is a code: archive, manifest, signature, key, changed, cut, grown,
	// removed, swapped, foreign, unknown, chain, missing, recorded, head.
	Kind string
	File string
	Text string
}

func (f Fault) String() string {
	if f.File == "" {
		return f.Text
	}
	return f.File + ": " + f.Text
}

// Report is what a check found.
type Report struct {
	Manifest    *Manifest // nil: it cannot be read
	Fingerprint string    // of the key that signed
	Trusted     bool      // it is the key that was given
	Faults      []Fault
	Segments    int // that are as they were recorded
}

// Whole reports that everything is as it was and signed by the trusted key.
func (r *Report) Whole() bool { return r.Trusted && len(r.Faults) == 0 }

func (r *Report) fault(kind, file, format string, args ...any) {
	r.Faults = append(r.Faults, Fault{kind, file, fmt.Sprintf(format, args...)})
}

// Verify checks a pack: the archive, or the folder it was unpacked into. Without
// a key it finds changes and says who signed, and trusts nobody.
func Verify(path string, trusted ed25519.PublicKey) (*Report, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open the pack: %w", err)
	}
	if info.IsDir() {
		root, err := os.OpenRoot(path)
		if err != nil {
			return nil, fmt.Errorf("open the pack: %w", err)
		}
		defer root.Close()
		return verify(folder{root.FS()}, trusted), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the pack: %w", err)
	}
	defer f.Close()
	return VerifyArchive(f, info.Size(), trusted), nil
}

// VerifyArchive checks an archive.
func VerifyArchive(r io.ReaderAt, size int64, trusted ed25519.PublicKey) *Report {
	z, err := zip.NewReader(r, size)
	if err != nil {
		out := &Report{}
		out.fault("archive", "", "the archive is cut off or is none: %v", err)
		return out
	}
	return verify(archive{z}, trusted)
}

// pack is where files come from.
type pack interface {
	// open returns fs.ErrNotExist for a file that is not there.
	open(name string) (io.ReadCloser, error)
	names() ([]string, error)
}

type folder struct{ fs fs.FS }

func (f folder) open(name string) (io.ReadCloser, error) { return f.fs.Open(name) }

func (f folder) names() (out []string, err error) {
	err = fs.WalkDir(f.fs, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, name)
		}
		return err
	})
	return out, err
}

type archive struct{ z *zip.Reader }

// open reads what was stored without looking at the archive's own checksum: our
// sums say more.
func (a archive) open(name string) (io.ReadCloser, error) {
	for _, f := range a.z.File {
		if f.Name != name {
			continue
		}
		if f.Method != zip.Store {
			return f.Open()
		}
		r, err := f.OpenRaw()
		return io.NopCloser(r), err
	}
	return nil, fs.ErrNotExist
}

func (a archive) names() ([]string, error) {
	var out []string
	for _, f := range a.z.File {
		out = append(out, f.Name)
	}
	return out, nil
}

func read(p pack, name string, most int64) ([]byte, error) {
	f, err := p.open(name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if int64(len(b)) > most {
		return nil, ErrManifest
	}
	return b, nil
}

func verify(p pack, trusted ed25519.PublicKey) *Report {
	r := &Report{}
	text, err := read(p, manifestName, maxManifest)
	if err != nil {
		r.fault("manifest", manifestName, "cannot be read: %v", err)
		return r
	}
	r.signature(p, text, trusted)
	m, err := ParseManifest(text)
	if err != nil {
		r.fault("manifest", manifestName, "cannot be read: %v", err)
		return r
	}
	r.Manifest = m
	// Which file belongs where, to name what is in another's place.
	owner := make(map[segment.Sum]string)
	for _, s := range m.Streams {
		for _, g := range s.Segments {
			owner[g.Sum] = g.File
		}
	}
	expected := []string{manifestName, signatureName, readmeName}
	for i := range m.Streams {
		s := &m.Streams[i]
		r.chain(s, trusted)
		for _, g := range s.Segments {
			expected = append(expected, g.File)
			r.segment(p, s, g, owner)
		}
		if s.Clip != nil {
			expected = append(expected, s.Clip.File)
			r.clip(p, s.Clip)
		}
	}
	names, err := p.names()
	if err != nil {
		r.fault("archive", "", "its files cannot be listed: %v", err)
	}
	slices.Sort(expected)
	seen := make(map[string]bool)
	for _, name := range names {
		if _, ok := slices.BinarySearch(expected, name); !ok {
			r.fault("unknown", name, "was added: the manifest does not name it")
		} else if seen[name] {
			r.fault("unknown", name, "is there twice")
		}
		seen[name] = true
	}
	return r
}

// signature finds out who signed the manifest.
func (r *Report) signature(p pack, text []byte, trusted ed25519.PublicKey) {
	b, err := read(p, signatureName, maxSignature)
	var s Signature
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil || s.Algorithm != "Ed25519" || len(s.PublicKey) != ed25519.PublicKeySize || len(s.Signature) != ed25519.SignatureSize {
		r.fault("signature", signatureName, "is not a signature")
		return
	}
	r.Fingerprint = Fingerprint(s.PublicKey)
	if !ed25519.Verify(s.PublicKey, payload(text), s.Signature) {
		r.fault("signature", manifestName, "was changed after it was signed")
		return
	}
	if trusted == nil {
		return
	}
	if r.Trusted = bytes.Equal(trusted, s.PublicKey); !r.Trusted {
		r.fault("key", signatureName, "was signed anew with another key: %s, and you trust %s", r.Fingerprint, Fingerprint(trusted))
	}
}

// chain checks that the files follow each other as they were recorded.
func (r *Report) chain(s *Stream, trusted ed25519.PublicKey) {
	name := s.Camera + "/" + s.Stream
	for _, x := range s.Missing {
		r.fault("missing", name, "segments %d to %d were gone before the pack was made, and retention did not remove them", x.First, x.Last)
	}
	for _, t := range s.Removed {
		if t.Camera != s.Camera || t.Stream != s.Stream || trusted != nil && !ed25519.Verify(trusted, t.Payload(), t.Sign) {
			r.fault("chain", name, "the note that segments %d to %d were removed is not signed by the key you trust", t.First, t.Last)
		}
	}
	for i, g := range s.Segments {
		if s.entry(g).Link() != g.Link {
			r.fault("chain", g.File, "its link is not of what the manifest says of it")
		}
		if g.Found != nil {
			r.fault("recorded", g.File, "had been changed on the recorder before the pack was made (SHA-256 then %s, now %s)", g.Sum, *g.Found)
		}
		if i == 0 {
			continue
		}
		before := s.Segments[i-1]
		seq, link := before.Seq, before.Link
		for _, t := range s.Removed {
			if t.First == seq+1 && t.Prev == link && t.Last < g.Seq {
				seq, link = t.Last, t.Link
			}
		}
		switch {
		case g.Seq <= before.Seq:
			r.fault("chain", g.File, "does not come after segment %d", before.Seq)
		case g.Seq == seq+1 && g.Prev != link:
			r.fault("chain", g.File, "does not follow segment %d: its link to it is another", seq)
		case g.Seq > seq+1 && !slices.ContainsFunc(s.Missing, func(x Missing) bool { return x.First <= seq+1 && x.Last >= g.Seq-1 }):
			r.fault("missing", name, "segments %d to %d are not there, and nothing says why", seq+1, g.Seq-1)
		}
	}
	if n := len(s.Segments); n > 0 && s.Head.Seq < s.Segments[n-1].Seq {
		r.fault("chain", name, "the chain ends with %d, before the last segment", s.Head.Seq)
	}
}

// segment compares a file with what was recorded.
func (r *Report) segment(p pack, s *Stream, g Segment, owner map[segment.Sum]string) {
	f, err := p.open(g.File)
	if errors.Is(err, fs.ErrNotExist) {
		r.fault("removed", g.File, "was removed (%s to %s)", g.Start.Format(clock), g.End.Format(clock))
		return
	}
	if err != nil {
		r.fault("changed", g.File, "cannot be read: %v", err)
		return
	}
	defer f.Close()
	sum := sha256.New()
	head := &bytes.Buffer{}
	n, err := io.Copy(io.MultiWriter(sum, &upTo{head, maxHead}), f)
	if err != nil {
		r.fault("changed", g.File, "cannot be read: %v", err)
		return
	}
	want := g.Sum
	if g.Found != nil {
		want = *g.Found // said above
	}
	if got := sumOf(sum); got == want {
		if g.Found == nil {
			r.Segments++
		}
		return
	} else if other, ok := owner[got]; ok {
		r.fault("swapped", g.File, "holds what belongs to %s", other)
		return
	}
	if o, err := segment.ReadOpening(bytes.NewReader(head.Bytes()), int64(head.Len())); err == nil {
		switch {
		case o.Camera != s.Camera || o.Stream != s.Stream:
			r.fault("foreign", g.File, "holds pictures of another camera: %s/%s, from %s", o.Camera, o.Stream, o.Start.Format(clock))
			return
		case o.Seq != g.Seq:
			r.fault("swapped", g.File, "holds segment %d, from %s", o.Seq, o.Start.Format(clock))
			return
		}
	}
	switch {
	case n < g.Bytes:
		r.fault("cut", g.File, "was cut off: %d of %d bytes are left", n, g.Bytes)
	case n > g.Bytes:
		r.fault("grown", g.File, "is longer than it was: %d bytes, recorded were %d", n, g.Bytes)
	default:
		r.fault("changed", g.File, "was changed (%s to %s)", g.Start.Format(clock), g.End.Format(clock))
	}
}

const (
	clock   = "2006-01-02 15:04:05Z"
	maxHead = 72 << 10
)

// upTo keeps the first bytes of what is written.
type upTo struct {
	to   *bytes.Buffer
	most int
}

func (u *upTo) Write(b []byte) (int, error) {
	u.to.Write(b[:min(len(b), u.most-u.to.Len())])
	return len(b), nil
}

func (r *Report) clip(p pack, c *Clip) {
	f, err := p.open(c.File)
	if errors.Is(err, fs.ErrNotExist) {
		r.fault("removed", c.File, "was removed")
		return
	}
	if err != nil {
		r.fault("changed", c.File, "cannot be read: %v", err)
		return
	}
	defer f.Close()
	sum := sha256.New()
	switch n, err := io.Copy(sum, f); {
	case err != nil:
		r.fault("changed", c.File, "cannot be read: %v", err)
	case n < c.Bytes:
		r.fault("cut", c.File, "was cut off: %d of %d bytes are left", n, c.Bytes)
	case sumOf(sum) != c.Sum:
		r.fault("changed", c.File, "was changed")
	}
}
