package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// The files of a pack.
const (
	manifestName  = "manifest.json"
	signatureName = "manifest.sig"
	readmeName    = "README.txt"
)

// form is the version of manifests.
const form = 1

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
	Streams  []Stream        `json:"streams"`
}

// Stream is what the pack has of one stream of a camera.
type Stream struct {
	Camera string `json:"camera"`
	Label  string `json:"label,omitempty"`
	Site   string `json:"site,omitempty"`
	Stream string `json:"stream"`
	// Clock is how far the camera's clock was ahead of ours; null: it told no time.
	Clock    *Clock             `json:"clock"`
	Ranges   []Range            `json:"ranges"`
	Gaps     []Gap              `json:"gaps"`
	Segments []Segment          `json:"segments"`
	Removed  []record.Tombstone `json:"removed"` // by retention
	Missing  []Missing          `json:"missing"` // and nothing says why
	// Head is the end of the chain when the pack was made.
	Head Head  `json:"head"`
	Clip *Clip `json:"clip"`
}

// Clock is how a camera's clock was.
type Clock struct {
	AheadMillis int64     `json:"aheadMillis"`
	At          time.Time `json:"at"`
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

// Clip is one file with all pictures, for looking at.
type Clip struct {
	File  string      `json:"file"`
	Bytes int64       `json:"bytes"`
	Sum   segment.Sum `json:"sum"`
	From  time.Time   `json:"from"`
	To    time.Time   `json:"to"`
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

// HeadsPayload is what is signed of a list of heads of chains.
func HeadsPayload(heads []byte) []byte { return append([]byte("chargewatch heads 1\n"), heads...) }

// ErrManifest is returned for a manifest that cannot be one of ours.
var ErrManifest = errors.New("not a manifest of evidence")

// Bounds of what is read.
const (
	maxManifest  = 64 << 20
	maxSignature = 4 << 10
)

var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// ParseManifest reads a manifest.
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
	for _, s := range m.Streams {
		if !plainName.MatchString(s.Camera) || !plainName.MatchString(s.Stream) {
			return nil, fmt.Errorf("stream %q/%q: %w", s.Camera, s.Stream, ErrManifest)
		}
		for _, g := range s.Segments {
			if g.File != segmentFile(s.Camera, s.Stream, g.Seq) || g.Bytes <= 0 {
				return nil, fmt.Errorf("file %q: %w", g.File, ErrManifest)
			}
		}
		if s.Clip != nil && s.Clip.File != clipFile(s.Camera, s.Stream) {
			return nil, fmt.Errorf("file %q: %w", s.Clip.File, ErrManifest)
		}
	}
	return &m, nil
}

func segmentFile(camera, stream string, seq uint64) string {
	return path.Join("segments", camera, stream, fmt.Sprintf("%08d.mp4", seq))
}

func clipFile(camera, stream string) string {
	return path.Join("clips", camera+"-"+stream+".mp4")
}

// entry is what the chain says of a segment.
func (s *Stream) entry(g Segment) segment.Entry {
	return segment.Entry{Camera: s.Camera, Stream: s.Stream, Seq: g.Seq, Start: g.Start, End: g.End, Bytes: g.Bytes, Prev: g.Prev, Sum: g.Sum}
}
