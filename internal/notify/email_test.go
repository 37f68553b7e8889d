package notify_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"

	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/notify"
	"github.com/chargewatch/chargewatch/internal/store"
)

// postOffice is a mail server of RFC 5321 on a real socket.
type postOffice struct {
	t      *testing.T
	ln     net.Listener
	cert   *httptest.Server // lends its certificate
	direct bool             // TLS from the first byte
	offer  bool             // STARTTLS
	user   string           // asks for it with a password
	refuse map[string]string

	mu    sync.Mutex
	mails []letter
}

type letter struct {
	from    string
	to      []string
	secured bool
	user    string
	data    string
}

func newPostOffice(t *testing.T, change func(*postOffice)) *postOffice {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &postOffice{t: t, ln: ln, cert: httptest.NewTLSServer(nil), refuse: map[string]string{}}
	if change != nil {
		change(p)
	}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			group.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() { ln.Close(); group.Wait(); p.cert.Close() })
	return p
}

func (p *postOffice) tls() *tls.Config { return &tls.Config{Certificates: p.cert.TLS.Certificates} }

func (p *postOffice) serve(c net.Conn) {
	defer func() { c.Close() }()
	var l letter
	if p.direct {
		c = tls.Server(c, p.tls())
		l.secured = true
	}
	r := bufio.NewReader(c)
	say := func(text string) { _, _ = io.WriteString(c, text+"\r\n") }
	say("220 post office")
	for {
		text, err := r.ReadString('\n')
		if err != nil {
			return
		}
		text = strings.TrimSpace(text)
		verb, rest, _ := strings.Cut(text, " ")
		verb = strings.ToUpper(verb)
		if answer := p.refuse[verb]; answer != "" {
			say(answer)
			continue
		}
		switch verb {
		case "EHLO":
			say("250-post office")
			if p.offer && !l.secured {
				say("250-STARTTLS")
			}
			if p.user != "" {
				say("250-AUTH PLAIN")
			}
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go")
			c = tls.Server(c, p.tls())
			r, l.secured = bufio.NewReader(c), true
		case "AUTH":
			raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			if l.user = string(raw); l.user != p.user {
				say("535 who are you")
				continue
			}
			say("235 welcome")
		case "MAIL":
			if p.user != "" && l.user == "" {
				say("530 sign in first")
				continue
			}
			l.from = rest
			say("250 ok")
		case "RCPT":
			if strings.Contains(rest, "nobody@") {
				say("550 no such person")
				continue
			}
			l.to = append(l.to, rest)
			say("250 ok")
		case "DATA":
			say("354 go on")
			var b strings.Builder
			for {
				text, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if text == ".\r\n" {
					break
				}
				b.WriteString(strings.TrimPrefix(text, "."))
			}
			l.data = b.String()
			p.mu.Lock()
			p.mails = append(p.mails, l)
			p.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (p *postOffice) letters() []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]letter(nil), p.mails...)
}

func (p *postOffice) settings(security string) map[string]any {
	_, port, err := net.SplitHostPort(p.ln.Addr().String())
	if err != nil {
		p.t.Fatal(err)
	}
	n := 0.0
	for _, c := range port {
		n = n*10 + float64(c-'0')
	}
	return map[string]any{
		"host": "127.0.0.1", "port": n, "security": security, "from": "Chargewatch <watch@example.org>", "to": []any{"Jörg <joerg@example.org>"},
		"caCertificate": (&catcher{Server: p.cert}).authority(),
	}
}

func (p *postOffice) send(d *desk, s map[string]any, secrets store.Secrets) error {
	d.t.Helper()
	x, err := d.store.Channel(d.t.Context(), d.channel(store.Channel{Type: "email", Settings: s, Secrets: secrets}))
	if err != nil {
		d.t.Fatal(err)
	}
	return d.Test(d.t.Context(), *x)
}

// read returns the subject and the parts of a letter.
func (l *letter) read(t *testing.T) (subject string, texts []string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(l.data))
	if err != nil {
		t.Fatal(err)
	}
	if subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return subject, texts
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, part.Header.Get("Content-Type")+"\n"+string(data))
	}
}

func TestMailIsHandedOver(t *testing.T) {
	d := newDesk(t)
	d.kinds = append(d.kinds, notify.Email())
	for name, tc := range map[string]struct {
		office   func(*postOffice)
		security string
		user     string
		password string
		fails    string
		forGood  bool
	}{
		"in the clear":                      {nil, "none", "", "", "", false},
		"by STARTTLS":                       {func(p *postOffice) { p.offer = true }, "starttls", "", "", "", false},
		"by STARTTLS with a password":       {func(p *postOffice) { p.offer, p.user = true, "\x00me\x00pw" }, "starttls", "me", "pw", "", false},
		"by TLS with a password":            {func(p *postOffice) { p.direct, p.user = true, "\x00me\x00pw" }, "tls", "me", "pw", "", false},
		"with a wrong password":             {func(p *postOffice) { p.offer, p.user = true, "\x00me\x00pw" }, "starttls", "me", "no", "sign-in refused", false},
		"not where STARTTLS is not offered": {nil, "starttls", "", "", "no STARTTLS", false},
		"not now":                           {func(p *postOffice) { p.refuse["MAIL"] = "451 later" }, "none", "", "", "451", false},
		"not ever":                          {func(p *postOffice) { p.refuse["MAIL"] = "552 too much" }, "none", "", "", "552", true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPostOffice(t, tc.office)
			s := p.settings(tc.security)
			secrets := store.Secrets{}
			if tc.user != "" {
				s["username"], secrets["password"] = tc.user, tc.password
			}
			err := p.send(d, s, secrets)
			if tc.fails != "" {
				r, _ := errors.AsType[*notify.Refused](err)
				if err == nil || !strings.Contains(err.Error(), tc.fails) || (r != nil && r.Permanent) != tc.forGood || len(p.letters()) != 0 {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := p.letters(); len(got) != 1 || got[0].secured != (tc.security != "none") || got[0].from != "FROM:<watch@example.org> BODY=8BITMIME" || got[0].to[0] != "TO:<joerg@example.org>" {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestAMailIsInTheLanguageOfItsChannel(t *testing.T) {
	german := opened("i1", "S2")
	german.Title, german.Text, german.Children = "HH-7, port 2: Drivers fail", "Drivers fail.", 2
	german.TitleDE, german.TextDE = "HH-7, Ladepunkt 2: Fahrer scheitern", "Fahrer scheitern."
	written := changed("i1", "S2", incident.ChangeAcknowledged)
	written.Title, written.TitleDE, written.Text = german.Title, german.TitleDE, "I go there at eight"
	for name, tc := range map[string]struct {
		language string
		told     incident.Notice
		subject  string
		texts    []string // in both parts
	}{
		"English unless it says otherwise": {"", german, "S2 New: HH-7, port 2: Drivers fail · Hamburg", []string{"Drivers fail.", "Acknowledge", "2 further incidents", "Since"}},
		"German": {"de", german, "S2 Neu: HH-7, Ladepunkt 2: Fahrer scheitern · Hamburg",
			[]string{"Fahrer scheitern.", "Bestätigen", "2 weitere Vorfälle", "Standort", "Seit"}},
		"what people wrote stays as it is":      {"de", written, "S2 Bestätigt: HH-7, Ladepunkt 2: Fahrer scheitern · Hamburg", []string{"I go there at eight"}},
		"what has no German is told in English": {"de", opened("i1", "S2"), "S2 Neu: Something is wrong · Hamburg", []string{"Something is wrong"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.kinds = append(d.kinds, notify.Email())
			p := newPostOffice(t, nil)
			s := p.settings("none")
			if tc.language != "" {
				s["language"] = tc.language
			}
			id := d.channel(store.Channel{Type: "email", Settings: s})
			d.routes(store.Route{Channels: []string{id}})
			d.start()
			sent := 1
			if tc.told.Change != incident.ChangeOpened { // goes to who was told before
				d.tell(german)
				d.eventually("it is never sent", func() bool { return d.states()[store.DeliverySent] == 1 })
				sent++
			}
			d.tell(tc.told)
			d.eventually("it is never sent", func() bool { return d.states()[store.DeliverySent] == sent })
			subject, texts := p.letters()[sent-1].read(t)
			if subject != tc.subject {
				t.Errorf("subject %q, want %q", subject, tc.subject)
			}
			for _, part := range texts {
				for _, text := range tc.texts {
					if !strings.Contains(part, text) {
						t.Errorf("no %q in %s", text, part)
					}
				}
			}
			if tc.language == "de" && !strings.Contains(texts[1], `<html lang="de">`) {
				t.Errorf("%s", texts[1])
			}
		})
	}
}

func TestAMailCanBeReadAndCarriesNoMarkupOfOthers(t *testing.T) {
	d := newDesk(t)
	d.kinds = append(d.kinds, notify.Email())
	p := newPostOffice(t, nil)
	s := p.settings("none")
	s["to"] = []any{"nobody@example.org", "b@example.org"}
	id := d.channel(store.Channel{Type: "email", Settings: s})
	d.routes(store.Route{Channels: []string{id}})
	d.start()
	n := opened("i1", "S1")
	n.Title, n.Text = "Säule <b>kaputt</b>\r\nBcc: x@example.org", "first line\nsecond <script>line</script>"
	d.tell(n)
	d.eventually("it is never sent", func() bool { return d.states()[store.DeliverySent] == 1 })
	got := p.letters()[0]
	if len(got.to) != 1 {
		t.Errorf("to %v", got.to)
	}
	m, err := mail.ReadMessage(strings.NewReader(got.data))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "S1 New: Säule <b>kaputt</b>  Bcc: x@example.org · Hamburg" || m.Header.Get("Bcc") != "" {
		t.Errorf("subject %q, %v", subject, err)
	}
	if m.Header.Get("X-Chargewatch-Key") != "i1/opened@"+id || m.Header.Get("Importance") != "high" || !strings.HasSuffix(m.Header.Get("Message-ID"), "@example.org>") {
		t.Errorf("%v", m.Header)
	}
	_, texts := got.read(t)
	if len(texts) != 2 || !strings.Contains(texts[0], "Acknowledge: https://watch.example.org/ack?t=") || !strings.Contains(texts[0], "Station: DE-HAM-0042") {
		t.Fatalf("%q", texts)
	}
	if strings.Contains(texts[1], "<script>") || strings.Contains(texts[1], "<b>kaputt") || !strings.Contains(texts[1], "&lt;script&gt;") {
		t.Errorf("%s", texts[1])
	}
}
