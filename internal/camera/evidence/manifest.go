package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/area"
	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// The files of a pack.
const (
	manifestName  = "manifest.json"
	signatureName = "manifest.sig"
	readmeName    = "README.txt"
	coverName     = "COVER.html"
)

// form is the version of manifests; those without records are of the first.
const form = 2

// Manifest says what a pack holds. It is what is signed.
type Manifest struct {
	Version  int             `json:"version"`
	ID       string          `json:"id"`
	MadeAt   time.Time       `json:"madeAt"`
	By       string          `json:"by"` // opaque id of who asked for it
	ByName   string          `json:"byName,omitempty"`
	Reason   string          `json:"reason"`
	Software string          `json:"software"`
	From     time.Time       `json:"from"`
	To       time.Time       `json:"to"`
	Incident string          `json:"incident,omitempty"`
	Timeline json.RawMessage `json:"timeline,omitempty"` // of the incident, as it was then
	// Clock is whether the clock of the recorder was set by another when the pack
	// was made: synchronised, free (it was not) or unknown.
	Clock string `json:"clock"`
	// Original is the pack that this one was derived from by hiding parts of its
	// pictures; null: these are the pictures as they were recorded.
	Original *Original `json:"original"`
	Streams  []Stream  `json:"streams"`
	// Files are the sheets for people.
	Files []File `json:"files"`
	// Records are what else was recorded, of the pack of an incident.
	Records []Record `json:"records,omitempty"`
}

// Original names the pack that another was derived from.
type Original struct {
	ID       string      `json:"id"`
	Sum      segment.Sum `json:"sum"`      // of the archive
	Manifest segment.Sum `json:"manifest"` // of its manifest
}

// Stream is what the pack has of one stream of a camera.
type Stream struct {
	Camera string `json:"camera"`
	Label  string `json:"label,omitempty"`
	Site   string `json:"site,omitempty"`
	// Zone is the time zone of the site.
	Zone   string `json:"zone,omitempty"`
	Stream string `json:"stream"`
	// CameraClock is how far the camera's clock was ahead of ours; null: it told no time.
	CameraClock *Clock             `json:"cameraClock"`
	Ranges      []Range            `json:"ranges"`
	Gaps        []Gap              `json:"gaps"`
	Segments    []Segment          `json:"segments"`
	Removed     []record.Tombstone `json:"removed"` // by retention
	Missing     []Missing          `json:"missing"` // and nothing says why
	// After are the links behind the last segment, as far as they are known. They
	// join it to heads of the chain that were taken later.
	After []Linked `json:"after"`
	// Head is the end of the chain when the pack was made.
	Head Head `json:"head"`
	// Heads were signed while the chain grew: a chain that was made anew since does
	// not lead to them.
	Heads []SignedHead `json:"heads"`
	Clips []Clip       `json:"clips"`
	// Hidden are the parts of the picture that were painted over, in 0..1.
	Hidden []area.Polygon `json:"hidden,omitempty"`
}

// Clock is how a camera's clock was.
type Clock struct {
	AheadMillis int64     `json:"aheadMillis"`
	At          time.Time `json:"at"`
	Source      string    `json:"source"` // onvif or rtcp
}

// Range is a time with pictures.
type Range struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Gap is a time without.
type Gap struct {
	From   time.Time  `json:"from"`
	To     *time.Time `json:"to"`
	Reason string     `json:"reason"`
}

// Segment is one recorded file.
type Segment struct {
	File  string      `json:"file"`
	Seq   uint64      `json:"seq"`
	Start time.Time   `json:"start"`
	End   time.Time   `json:"end"`
	Bytes int64       `json:"bytes"`
	Prev  segment.Sum `json:"prev"`
	Sum   segment.Sum `json:"sum"` // when it was recorded
	Link  segment.Sum `json:"link"`
	// Found is the sum when the pack was made, if it was another by then.
	Found *segment.Sum `json:"found,omitempty"`
	Flags int          `json:"flags,omitempty"`
}

// Linked is what the chain says of a file that is not in the pack.
type Linked struct {
	Seq   uint64      `json:"seq"`
	Start time.Time   `json:"start"`
	End   time.Time   `json:"end"`
	Bytes int64       `json:"bytes"`
	Sum   segment.Sum `json:"sum"`
}

// Missing are links of the chain that were not there.
type Missing struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// Head is the end of a chain.
type Head struct {
	Seq  uint64      `json:"seq"`
	Link segment.Sum `json:"link"`
	To   time.Time   `json:"to"`
}

// Clip is one file for looking at.
type Clip struct {
	File  string      `json:"file"`
	Bytes int64       `json:"bytes"`
	Sum   segment.Sum `json:"sum"`
	From  time.Time   `json:"from"`
	To    time.Time   `json:"to"`
	// Original is the sum of the clip that this one was made of.
	Original *segment.Sum `json:"original,omitempty"`
}

// File is a sheet of a pack.
type File struct {
	File  string      `json:"file"`
	Bytes int64       `json:"bytes"`
	Sum   segment.Sum `json:"sum"`
}

// Signature is what lies beside the manifest.
type Signature struct {
	Algorithm   string `json:"algorithm"`
	PublicKey   []byte `json:"publicKey"`
	Fingerprint string `json:"fingerprint"`
	Signature   []byte `json:"signature"`
}

// payload is what is signed.
func payload(manifest []byte) []byte { return append([]byte("chargewatch evidence 1\n"), manifest...) }

// ErrManifest is returned for a manifest that cannot be one of ours.
var ErrManifest = errors.New("not a manifest of evidence")

// Bounds of what is read.
const (
	maxManifest  = 64 << 20
	maxSignature = 4 << 10
	maxStreams   = 2 * maxCameras
	maxFiles     = 200_000
	maxNotes     = 100_000 // of each kind: gaps, removals, links
)

var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// ParseManifest reads a manifest. Names of files are made of what it says and never
// taken from it, so that none leads out of the pack.
func ParseManifest(b []byte) (*Manifest, error) {
	if len(b) > maxManifest {
		return nil, fmt.Errorf("%d bytes: %w", len(b), ErrManifest)
	}
	var m Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, errors.Join(ErrManifest, err)
	}
	if m.Version < 1 || m.Version > form {
		return nil, fmt.Errorf("version %d: %w", m.Version, ErrManifest)
	}
	if len(m.Streams) > maxStreams || len(m.Files) > 8 {
		return nil, fmt.Errorf("%d streams, %d sheets: %w", len(m.Streams), len(m.Files), ErrManifest)
	}
	files, names := 0, make(map[string]bool)
	for i := range m.Streams {
		s := &m.Streams[i]
		if err := s.check(); err != nil {
			return nil, err
		}
		if names[s.Camera+"/"+s.Stream] {
			return nil, fmt.Errorf("stream %s/%s is there twice: %w", s.Camera, s.Stream, ErrManifest)
		}
		names[s.Camera+"/"+s.Stream] = true
		files += len(s.Segments) + len(s.Clips)
	}
	if files > maxFiles {
		return nil, fmt.Errorf("%d files: %w", files, ErrManifest)
	}
	for _, f := range m.Files {
		if f.File != readmeName && f.File != coverName || f.Bytes <= 0 {
			return nil, fmt.Errorf("file %q: %w", f.File, ErrManifest)
		}
	}
	if err := m.checkRecords(); err != nil {
		return nil, err
	}
	return &m, nil
}

func (s *Stream) check() error {
	if !plainName.MatchString(s.Camera) || !plainName.MatchString(s.Stream) {
		return fmt.Errorf("stream %q/%q: %w", s.Camera, s.Stream, ErrManifest)
	}
	for _, n := range []int{len(s.Gaps), len(s.Ranges), len(s.Removed), len(s.Missing), len(s.After), len(s.Heads), len(s.Hidden)} {
		if n > maxNotes {
			return fmt.Errorf("%d notes of %s: %w", n, s.Camera, ErrManifest)
		}
	}
	for _, g := range s.Segments {
		if g.File != segmentFile(s.Camera, s.Stream, g.Seq) || g.Bytes <= 0 {
			return fmt.Errorf("file %q: %w", g.File, ErrManifest)
		}
	}
	for i, c := range s.Clips {
		if c.File != clipFile(s.Camera, s.Stream, i) || c.Bytes <= 0 {
			return fmt.Errorf("file %q: %w", c.File, ErrManifest)
		}
	}
	return nil
}

func segmentFile(camera, stream string, seq uint64) string {
	return path.Join("segments", camera, stream, fmt.Sprintf("%08d.mp4", seq))
}

// clipFile names a clip; there are several of a long time.
func clipFile(camera, stream string, n int) string {
	name := camera + "-" + stream
	if n > 0 {
		name += fmt.Sprintf("-%d", n+1)
	}
	return path.Join("clips", name+".mp4")
}

// entry is what the chain says of a segment.
func (s *Stream) entry(g Segment) segment.Entry {
	return segment.Entry{Camera: s.Camera, Stream: s.Stream, Seq: g.Seq, Start: g.Start, End: g.End, Bytes: g.Bytes, Prev: g.Prev, Sum: g.Sum}
}
