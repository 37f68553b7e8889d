package offsite

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// State says how far a copy is.
type State string

// The states of a copy.
const (
	Waiting State = "waiting" // to be sent, for the first time or again
	Sending State = "sending"
	Done    State = "done"
	Failed  State = "failed" // for good
)

// Copy is a time of one camera that goes to the second place.
type Copy struct {
	ID       string    `json:"id"`
	Incident string    `json:"incident"`
	Camera   string    `json:"camera"`
	Site     string    `json:"site,omitempty"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	State    State     `json:"state"`
	AddedAt  time.Time `json:"addedAt"`
	DueAt    time.Time `json:"dueAt"`
	EndedAt  time.Time `json:"endedAt,omitzero"`
	Tries    int       `json:"tries,omitempty"`
	// Reason is the code of the last failure, Detail its words.
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`
	Bytes  int64  `json:"bytes,omitempty"`
	Name   string `json:"name,omitempty"` // at the second place
	// Place is the one that has it; there may be another by now.
	Place string `json:"place,omitempty"`
	// Told: it was said that it failed, and not yet that copies arrive again.
	Told bool `json:"told,omitempty"`
}

func (c *Copy) over() bool { return c.State == Done || c.State == Failed }

// Pictures are a file that plays by itself. Whoever gets them closes them.
type Pictures struct {
	io.ReadSeeker
	io.Closer
	From, To time.Time
	Size     int64
	Pieces   []Span // times that follow each other in it
}

// Span is a time with pictures.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Manifest says what a copy is, so that it is something even if nothing else is
// left. It lies beside the pictures.
type Manifest struct {
	V        int       `json:"v"` // 1
	Camera   string    `json:"camera"`
	Site     string    `json:"site,omitempty"`
	Incident string    `json:"incident"`
	Asked    Span      `json:"asked"`  // the time that was wanted
	Pieces   []Span    `json:"pieces"` // of which there are pictures
	File     string    `json:"file"`
	Bytes    int64     `json:"bytes"`
	SHA256   string    `json:"sha256"`
	MadeAt   time.Time `json:"madeAt"`
}

// signed is a manifest with the signature of what stands in it, to the byte.
type signed struct {
	Manifest  json.RawMessage `json:"manifest"`
	Signature []byte          `json:"signature,omitempty"` // Ed25519, of the prefix and the manifest
}

const signedPrefix = "chargewatch copy 1\n"

// name is where a copy lies, without its ending.
func (c *Copy) name() string {
	site := c.Site
	if site == "" {
		site = "no-site"
	}
	from := c.From.UTC()
	return strings.Join([]string{"chargewatch", safe(site), from.Format("20060102"), from.Format("150405") + "-" + safe(c.Camera) + "-" + safe(c.Incident)}, "/")
}

// deliver sends the pictures and then what they are: where there is a manifest the
// pictures are whole.
func (q *Queue) deliver(ctx context.Context, c *Copy, place Place) error {
	p, err := q.o.Source.Pictures(ctx, c.Camera, c.From, c.To)
	if err != nil {
		return err
	}
	defer p.Close()
	h := sha256.New()
	if n, err := io.Copy(h, p); err != nil || n != p.Size {
		return fmt.Errorf("read the pictures (%d of %d bytes): %w", n, p.Size, errors.Join(err, errShort(n, p.Size)))
	}
	if _, err := p.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the pictures again: %w", err)
	}
	video := Object{Name: c.name() + ".mp4", Kind: "video/mp4", Body: p.ReadSeeker, Size: p.Size, Sum: [32]byte(h.Sum(nil))}
	if err := place.Put(ctx, video); err != nil {
		return err
	}
	text, err := json.Marshal(Manifest{
		V: 1, Camera: c.Camera, Site: c.Site, Incident: c.Incident, Asked: Span{c.From.UTC(), c.To.UTC()}, Pieces: p.Pieces, File: video.Name,
		Bytes: p.Size, SHA256: hex.EncodeToString(video.Sum[:]), MadeAt: q.o.Now().UTC().Truncate(time.Second),
	})
	if err != nil {
		return fmt.Errorf("encode the manifest: %w", err)
	}
	out := signed{Manifest: text}
	if q.o.Sign != nil {
		out.Signature = q.o.Sign(append([]byte(signedPrefix), text...))
	}
	if text, err = json.Marshal(out); err != nil {
		return fmt.Errorf("encode the manifest: %w", err)
	}
	if err := place.Put(ctx, Object{
		Name: c.name() + ".json", Kind: "application/json", Body: strings.NewReader(string(text)), Size: int64(len(text)), Sum: sumOf(text),
	}); err != nil {
		return err
	}
	c.Bytes, c.Name = p.Size, video.Name
	return nil
}

func errShort(have, want int64) error {
	if have < want {
		return io.ErrUnexpectedEOF
	}
	return nil
}
