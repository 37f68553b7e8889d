package notify_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/notify"
	"github.com/chargewatch/chargewatch/internal/store"
)

// album has one picture of each incident, or of none.
type album struct {
	jpeg []byte
	fail error
	none bool
}

func (a album) Has(string) bool { return !a.none }
func (a album) Picture(context.Context, string) (notify.Picture, error) {
	return notify.Picture{JPEG: a.jpeg, Camera: "Gate", At: time.Date(2026, 11, 22, 2, 1, 12, 0, time.UTC)}, a.fail
}

var seen = bytes.Repeat([]byte("\xff\xd8 picture "), 500)

const page = "https://watch.example.org/incidents/i1"

func TestPicturesAreLeftOutLinkedOrAttachedAsTheChannelSays(t *testing.T) {
	telegram := func(url, mode string) store.Channel {
		return store.Channel{Type: "telegram", Settings: map[string]any{"chatId": "-100", "url": url, "pictures": mode}, Secrets: store.Secrets{"token": "1:abc"}}
	}
	ntfy := func(url, mode string) store.Channel {
		return store.Channel{Type: "ntfy", Settings: map[string]any{"topic": "watch", "url": url, "pictures": mode}}
	}
	slack := func(url, mode string) store.Channel {
		return store.Channel{Type: "slack", Settings: map[string]any{"pictures": mode}, Secrets: store.Secrets{"url": url + "/x"}}
	}
	words := func(got taken, want bool) bool {
		return bytes.Contains(got.body, []byte("Pictures (sign in)")) == want && !bytes.Contains(got.body, seen[:100])
	}
	for sentence, c := range map[string]struct {
		kind    notify.Kind
		channel func(url, mode string) store.Channel
		mode    string
		album   notify.Pictures
		check   func(t *testing.T, got taken) bool
	}{
		"left out":  {notify.Telegram(), telegram, "none", album{jpeg: seen}, func(_ *testing.T, got taken) bool { return words(got, false) }},
		"linked":    {notify.Telegram(), telegram, "linked", album{jpeg: seen}, func(_ *testing.T, got taken) bool { return words(got, true) }},
		"by itself": {notify.Telegram(), telegram, "", album{jpeg: seen}, func(_ *testing.T, got taken) bool { return words(got, true) }},
		"cameras saw nothing": {
			notify.Telegram(), telegram, "attached", album{none: true}, func(_ *testing.T, got taken) bool { return words(got, false) },
		},
		"the picture cannot be had": {
			notify.Telegram(), telegram, "attached", album{fail: errors.New("no decoder")}, func(_ *testing.T, got taken) bool { return words(got, true) },
		},
		"the picture is too large": {
			notify.Telegram(), telegram, "attached", album{jpeg: make([]byte, 1<<20+1)}, func(_ *testing.T, got taken) bool { return words(got, true) },
		},
		"attached by Telegram": {notify.Telegram(), telegram, "attached", album{jpeg: seen}, func(t *testing.T, got taken) bool {
			_, params, err := mime.ParseMediaType(got.header.Get("Content-Type"))
			if err != nil {
				t.Fatal(err)
			}
			form, err := multipart.NewReader(bytes.NewReader(got.body), params["boundary"]).ReadForm(1 << 20)
			if err != nil {
				t.Fatal(err)
			}
			f, err := form.File["photo"][0].Open()
			if err != nil {
				t.Fatal(err)
			}
			photo, err := io.ReadAll(f)
			return err == nil && bytes.Equal(photo, seen) && got.path == "/bot1:abc/sendPhoto" && form.Value["chat_id"][0] == "-100" &&
				strings.Contains(form.Value["caption"][0], "Port *1* is <dead>") && strings.Contains(form.Value["reply_markup"][0], "Acknowledge")
		}},
		"attached by ntfy": {notify.Ntfy(), ntfy, "attached", album{jpeg: seen}, func(t *testing.T, got taken) bool {
			u, err := url.Parse(got.path)
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			return bytes.Equal(got.body, seen) && u.Path == "/watch" && q.Get("filename") == "20261122T020112Z.jpg" && q.Get("click") == page &&
				strings.HasPrefix(q.Get("title"), "S2 New: Port *1* is <dead>") && q.Get("priority") == "4" && got.header.Get("Content-Type") == "image/jpeg"
		}},
		"linked by Slack": {notify.Slack(), slack, "linked", album{jpeg: seen}, func(_ *testing.T, got taken) bool {
			return words(got, true) && strings.Contains(string(got.body), page)
		}},
	} {
		t.Run(sentence, func(t *testing.T) {
			catch := newCatcher(t, true)
			d := newDesk(t)
			d.kinds, d.album = append(d.kinds, c.kind), c.album
			x := c.channel(catch.URL, c.mode)
			if c.mode == "" {
				delete(x.Settings, "pictures")
			}
			x.Settings["caCertificate"] = catch.authority()
			n := markup("i1")
			if got := d.told(catch, x, n); !c.check(t, got) {
				t.Errorf("%s %v\n%.600s", got.path, got.header, got.body)
			}
		})
	}
	d := newDesk(t)
	d.kinds = append(d.kinds, notify.Slack())
	d.service()
	var bad *store.InvalidError
	if err := d.Check(&store.Channel{Type: "slack", Settings: map[string]any{"pictures": "attached"}, Secrets: store.Secrets{"url": "https://x.example"}}); !errors.As(err, &bad) || bad.Field != "settings.pictures" {
		t.Errorf("a webhook of Slack takes no files: %v", err)
	}
}

func TestAMailCarriesThePicture(t *testing.T) {
	d := newDesk(t)
	d.kinds, d.album = append(d.kinds, notify.Email()), album{jpeg: seen}
	p := newPostOffice(t, nil)
	s := p.settings("none")
	s["pictures"] = "attached"
	id := d.channel(store.Channel{Type: "email", Settings: s})
	d.routes(store.Route{Channels: []string{id}})
	d.start()
	d.tell(opened("i1", "S1"))
	d.eventually("it is never sent", func() bool { return d.states()[store.DeliverySent] == 1 })
	m, err := mail.ReadMessage(strings.NewReader(p.letters()[0].data))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		kinds = append(kinds, kind)
		b, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(b) {
			if len(line) > 1000 {
				t.Errorf("a line of %d bytes", len(line))
			}
		}
		if kind == "image/jpeg" {
			got, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(b)))
			if err != nil || !bytes.Equal(got, seen) || part.FileName() != "20261122T020112Z.jpg" {
				t.Errorf("%d bytes named %s: %v", len(got), part.FileName(), err)
			}
		}
	}
	if strings.Join(kinds, " ") != "multipart/alternative image/jpeg" {
		t.Errorf("%v", kinds)
	}
}
