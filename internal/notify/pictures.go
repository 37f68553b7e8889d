package notify

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Pictures has what cameras saw of incidents. Nobody knows who reads a message, so
// private parts are hidden in what it gives.
type Pictures interface {
	// Has reports whether an incident has pictures at all.
	Has(incident string) bool
	// Picture is the one that shows it best.
	Picture(ctx context.Context, incident string) (Picture, error)
}

// Picture is one of them.
type Picture struct {
	JPEG   []byte
	Camera string // as people call it
	At     time.Time
}

// What a channel does with pictures.
const (
	picturesNone     = "none"
	picturesLinked   = "linked"   // behind sign-in
	picturesAttached = "attached" // to whoever reads the message
)

// maxPicture bounds what is attached, pictureWait how long a message waits for it: the
// words come first.
const (
	maxPicture  = 1 << 20
	pictureWait = 5 * time.Second
)

// pictures is the setting of a channel.
func pictures(choices ...string) Field {
	return Field{Name: "pictures", Form: Choice, Choices: choices, Default: picturesLinked, Doc: "what cameras saw: left out, linked behind sign-in, or attached with private parts hidden"}
}

// picturesOf is what a channel does with them; types without the setting leave them
// out.
func picturesOf(k *Kind, c *store.Channel) string {
	if !slices.ContainsFunc(k.Fields, func(f Field) bool { return f.Name == "pictures" }) {
		return picturesNone
	}
	if mode := (settings{c}).text("pictures"); mode != "" {
		return mode
	}
	return picturesLinked // made before there was the setting
}

// illustrate adds what cameras saw, as the channel is told. What is over needs none.
func (w *worker) illustrate(ctx context.Context, m *Message) {
	p := w.s.o.Pictures
	if p == nil || w.pictures == picturesNone {
		return
	}
	for k := range m.Items {
		i := &m.Items[k]
		if !p.Has(i.Incident) {
			continue
		}
		i.Pictures = i.Page
		if w.pictures != picturesAttached || k > 0 || !shows(i.Change) {
			continue // one picture a message
		}
		limited, cancel := context.WithTimeout(ctx, pictureWait)
		x, err := p.Picture(limited, i.Incident)
		cancel()
		if err != nil || len(x.JPEG) > maxPicture {
			w.s.o.Logger.InfoContext(ctx, "a message goes without its picture", "channel", w.id, "incident", i.Incident, "bytes", len(x.JPEG), "err", err)
			continue
		}
		i.Picture = &x
	}
}

// shows reports a change that somebody has to look at.
func shows(change string) bool {
	switch change {
	case incident.ChangeOpened, incident.ChangeEscalated, incident.ChangeReopened, incident.ChangeReminder:
		return true
	}
	return false
}

// name is the picture's as a file.
func (p *Picture) name() string { return p.At.UTC().Format("20060102T150405Z") + ".jpg" }

// picture is the one that a message carries, nil if none.
func (m *Message) picture() *Picture {
	for k := range m.Items {
		if p := m.Items[k].Picture; p != nil {
			return p
		}
	}
	return nil
}

// postPhoto sends a picture with its fields as a form, as bots do.
func postPhoto(ctx context.Context, client *http.Client, to string, fields map[string]string, p *Picture) error {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, value := range fields {
		if err := w.WriteField(name, value); err != nil {
			return fmt.Errorf("compose the message: %w", err)
		}
	}
	part, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="photo"; filename="` + p.name() + `"`}, "Content-Type": {"image/jpeg"},
	})
	if err == nil {
		_, err = part.Write(p.JPEG)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return fmt.Errorf("compose the message: %w", err)
	}
	_, err = post(ctx, client, http.MethodPost, to, w.FormDataContentType(), b.Bytes(), nil)
	return err
}

// wrapLines writes base64 in lines that mail servers take.
type wrapLines struct {
	w   io.Writer
	col int
}

func (l *wrapLines) Write(b []byte) (int, error) {
	for done := 0; done < len(b); {
		n := min(76-l.col, len(b)-done)
		if _, err := l.w.Write(b[done : done+n]); err != nil {
			return done, err
		}
		done += n
		if l.col += n; l.col == 76 {
			if _, err := io.WriteString(l.w, "\r\n"); err != nil {
				return done, err
			}
			l.col = 0
		}
	}
	return len(b), nil
}
