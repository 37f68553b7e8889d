package evidence

import (
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
	"strings"
	"unicode"

	"github.com/chargewatch/chargewatch/internal/audit"
	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// Fault is one thing that is not as it was.
type Fault struct {
	// Kind is a code: record, audit (of what lies beside the pictures), archive, manifest, signature, key, changed, cut, grown,
	// removed, swapped, foreign, unknown, chain, missing, recorded, times, head,
	// uncovered.
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

// maxFaults bounds what is said of one pack.
const maxFaults = 1000

// Trust is what somebody who checks a pack has from elsewhere.
type Trust struct {
	// Key is the public key of the recorder; nil: nobody is trusted.
	Key ed25519.PublicKey
	// Heads of its chains that left the machine before; nil: none are compared.
	Heads []SignedHead
	// Audit are the hashes of the whole audit log, by sequence; nil: none is compared.
	Audit map[int64][]byte
}

// Report is what a check found.
type Report struct {
	Manifest    *Manifest // nil: it cannot be read
	Fingerprint string    // of the key that signed
	Trusted     bool      // it is the key that was given
	Faults      []Fault
	Segments    int // that are as they were recorded
	// Covered are those of them that a head from elsewhere speaks for.
	Covered int
	// Compared counts the heads from elsewhere that the chain of the pack leads to.
	Compared int

	// Records counts what lies beside the pictures; Audit is what was found of the chain
	// of what people did, nil if there is none.
	Records int
	Audit   *audit.SliceReport

	elsewhereAudit map[int64][]byte
	heads          map[string][]SignedHead // from elsewhere, by camera and stream
	key            ed25519.PublicKey       // the trusted one, else the one that signed
}

// Whole reports that everything is as it was and signed by the trusted key.
func (r *Report) Whole() bool { return r.Trusted && len(r.Faults) == 0 }

// fault notes what is wrong. Names come out of the pack: they must not write over
// what a terminal shows.
func (r *Report) fault(kind, file, format string, args ...any) {
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, Fault{kind, readable(file), readable(fmt.Sprintf(format, args...))})
	}
}

func readable(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsGraphic(c) {
			return c
		}
		return unicode.ReplacementChar
	}, s)
}

// Verify checks a pack: the archive, or the folder it was unpacked into. Without
// a key it finds changes and says who signed, and trusts nobody.
func Verify(path string, t Trust) (*Report, error) {
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
		return verify(folder{root.FS()}, t), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the pack: %w", err)
	}
	defer f.Close()
	return VerifyArchive(f, info.Size(), t), nil
}

// VerifyArchive checks an archive.
func VerifyArchive(r io.ReaderAt, size int64, t Trust) *Report {
	a, err := openArchive(r, size)
	if err != nil {
		out := &Report{}
		out.fault("archive", "", "%v", err)
		return out
	}
	return verify(a, t)
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
			if out = append(out, name); len(out) > maxEntries {
				return errLayout
			}
		}
		return err
	})
	return out, err
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

func verify(p pack, t Trust) *Report {
	r := &Report{heads: make(map[string][]SignedHead), elsewhereAudit: t.Audit}
	text, err := read(p, manifestName, maxManifest)
	if err != nil {
		r.fault("manifest", manifestName, "cannot be read: %v", err)
		return r
	}
	r.signature(p, text, t.Key)
	m, err := ParseManifest(text)
	if err != nil {
		r.fault("manifest", manifestName, "cannot be read: %v", err)
		return r
	}
	r.Manifest = m
	r.elsewhere(t)
	// Which file belongs where, to name what is in another's place.
	owner := make(map[segment.Sum]string)
	for _, s := range m.Streams {
		for _, g := range s.Segments {
			owner[g.Sum] = g.File
		}
	}
	expected := []string{manifestName, signatureName}
	for i := range m.Streams {
		s := &m.Streams[i]
		r.chain(s, m)
		r.lead(s, t)
		for _, g := range s.Segments {
			expected = append(expected, g.File)
			r.segment(p, s, g, owner)
		}
		for _, c := range s.Clips {
			expected = append(expected, c.File)
			r.file(p, c.File, c.Bytes, c.Sum)
		}
	}
	for _, f := range m.Files {
		expected = append(expected, f.File)
		r.file(p, f.File, f.Bytes, f.Sum)
	}
	expected = append(expected, r.records(p, m)...)
	r.added(p, expected)
	return r
}

// added names files that the manifest does not.
func (r *Report) added(p pack, expected []string) {
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
}

// signature finds out who signed the manifest.
func (r *Report) signature(p pack, text []byte, trusted ed25519.PublicKey) {
	r.key = trusted
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
		r.key = s.PublicKey
		return
	}
	if r.Trusted = bytes.Equal(trusted, s.PublicKey); !r.Trusted {
		r.fault("key", signatureName, "was signed anew with another key: %s, and you trust %s", r.Fingerprint, Fingerprint(trusted))
	}
}

const (
	clock   = "2006-01-02 15:04:05Z"
	maxHead = 72 << 10
)

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
		want = *g.Found // said of the chain
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
	r.size(g.File, n, g.Bytes)
}

// size says how a file with another sum differs.
func (r *Report) size(name string, n, want int64) {
	switch {
	case n < want:
		r.fault("cut", name, "was cut off: %d of %d bytes are left", n, want)
	case n > want:
		r.fault("grown", name, "is longer than it was: %d bytes, and it had %d", n, want)
	default:
		r.fault("changed", name, "was changed")
	}
}

// upTo keeps the first bytes of what is written.
type upTo struct {
	to   *bytes.Buffer
	most int
}

func (u *upTo) Write(b []byte) (int, error) {
	u.to.Write(b[:min(len(b), u.most-u.to.Len())])
	return len(b), nil
}

// file compares a clip or a sheet with what the manifest says. It reports one that is
// there and is another.
func (r *Report) file(p pack, name string, bytes int64, want segment.Sum) (differs bool) {
	f, err := p.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		r.fault("removed", name, "was removed")
		return false
	}
	if err != nil {
		r.fault("changed", name, "cannot be read: %v", err)
		return false
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err != nil {
		r.fault("changed", name, "cannot be read: %v", err)
		return false
	}
	if sumOf(sum) != want {
		r.size(name, n, bytes)
		return true
	}
	return false
}
