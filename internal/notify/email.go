package notify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/store"
)

// Email sends by SMTP, as text and HTML.
func Email() Kind {
	return Kind{
		Spec: Spec{Type: "email", Together: 50, Timeout: 45 * time.Second, Fields: []Field{
			{Name: "host", Form: Text, Required: true},
			{Name: "port", Form: Number, Default: 587},
			{Name: "security", Form: Choice, Choices: []string{"starttls", "tls", "none"}, Default: "starttls"},
			{Name: "username", Form: Text},
			{Name: "password", Form: Text, Secret: true},
			{Name: "from", Form: Text, Required: true},
			{Name: "to", Form: List, Required: true},
			language(),
			pictures(picturesNone, picturesLinked, picturesAttached),
			authority(),
		}},
		Make: newEmail,
	}
}

type email struct {
	reach    Reach
	address  string
	host     string
	security string
	username string
	password string
	from     *mail.Address
	to       []*mail.Address
	tls      *tls.Config
	now      func() time.Time
}

func newEmail(c store.Channel, t Tools) (Channel, error) {
	x := settings{&c}
	port := x.number("port")
	if port > 65535 {
		return nil, &store.InvalidError{Field: "settings.port", Reason: "must be 1 to 65535"}
	}
	conf, err := trust(x.text("caCertificate"), x.text("host"))
	if err != nil {
		return nil, &store.InvalidError{Field: "settings.caCertificate", Reason: err.Error()}
	}
	e := &email{
		reach: t.Reach, host: x.text("host"), address: net.JoinHostPort(x.text("host"), strconv.Itoa(port)), security: x.text("security"),
		username: x.text("username"), password: x.secret("password"), tls: conf, now: t.Now,
	}
	if e.from, err = mail.ParseAddress(x.text("from")); err != nil {
		return nil, &store.InvalidError{Field: "settings.from", Reason: "must be an e-mail address"}
	}
	for i, text := range x.list("to") {
		a, err := mail.ParseAddress(text)
		if err != nil {
			return nil, &store.InvalidError{Field: fmt.Sprintf("settings.to[%d]", i), Reason: "must be an e-mail address"}
		}
		e.to = append(e.to, a)
	}
	switch {
	case (e.username == "") != (e.password == ""):
		return nil, &store.InvalidError{Field: "settings.username", Reason: "user and password belong together"}
	case e.username != "" && e.security == "none":
		return nil, &store.InvalidError{Field: "settings.security", Reason: "a password is sent through TLS only"}
	}
	return e, nil
}

// errNoTLS is returned where a server offers no encryption.
var errNoTLS = errors.New("the mail server offers no STARTTLS")

func (e *email) Send(ctx context.Context, m Message) error {
	body, err := e.compose(&m)
	if err != nil {
		return err
	}
	conn, err := e.reach.Dial(ctx, "tcp", e.address)
	if err != nil {
		return fmt.Errorf("not reached: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if end, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(end); err != nil {
			return fmt.Errorf("bound the hand-over: %w", err)
		}
	}
	if e.security == "tls" {
		secured := tls.Client(conn, e.tls)
		if err := secured.HandshakeContext(ctx); err != nil {
			return fmt.Errorf("TLS: %w", err)
		}
		conn = secured
	}
	return reply(e.talk(conn, body))
}

// talk is the dialogue of RFC 5321.
func (e *email) talk(conn net.Conn, body []byte) error {
	c, err := smtp.NewClient(conn, e.host)
	if err != nil {
		return fmt.Errorf("greeting: %w", err)
	}
	defer c.Close()
	if err := c.Hello("chargewatch"); err != nil {
		return fmt.Errorf("EHLO: %w", err)
	}
	if e.security == "starttls" {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return errNoTLS
		}
		if err := c.StartTLS(e.tls); err != nil {
			return fmt.Errorf("STARTTLS: %w", err)
		}
	}
	if e.username != "" {
		if err := c.Auth(plainAuth{e.username, e.password}); err != nil {
			return &Refused{Reason: "sign-in refused: " + line(err.Error())}
		}
	}
	if err := c.Mail(e.from.Address); err != nil {
		return fmt.Errorf("MAIL: %w", err)
	}
	taken := 0
	var last error
	for _, to := range e.to {
		if err := c.Rcpt(to.Address); err != nil {
			last = fmt.Errorf("RCPT: %w", err)
			continue
		}
		taken++
	}
	if taken == 0 {
		return last
	}
	w, err := c.Data()
	if err != nil {
		return fmt.Errorf("DATA: %w", err)
	}
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("send the text: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("the text was refused: %w", err)
	}
	// It is taken; how the other side says goodbye changes nothing.
	_ = c.Quit()
	return nil
}

// reply tells a refusal for good (5xx) from one for now.
func reply(err error) error {
	if p, ok := errors.AsType[*textproto.Error](err); ok {
		return &Refused{Reason: line(err.Error()), Permanent: p.Code >= 500 && p.Code != 530 && p.Code != 554 && p.Code != 535}
	}
	return err
}

// plainAuth is AUTH PLAIN, which the caller uses inside TLS only.
type plainAuth struct{ user, password string }

// Start answers whatever the server knows of TLS: a connection that is TLS from
// its first byte looks plain to it. A channel with a password and without TLS
// cannot be made.
func (a plainAuth) Start(*smtp.ServerInfo) (string, []byte, error) {
	return "PLAIN", []byte("\x00" + a.user + "\x00" + a.password), nil
}

func (a plainAuth) Next(_ []byte, more bool) ([]byte, error) {
	if more {
		return nil, errors.New("the server asks more than AUTH PLAIN has to say")
	}
	return nil, nil
}

// compose writes the message of RFC 5322. Its id follows from the idempotency
// key, and messages about an incident form a thread.
func (e *email) compose(m *Message) ([]byte, error) {
	var b bytes.Buffer
	text := new(bytes.Buffer)
	domain := e.from.Address[strings.LastIndex(e.from.Address, "@")+1:]
	id := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "<" + hex.EncodeToString(sum[:12]) + "@" + domain + ">"
	}
	to := make([]string, len(e.to))
	for i, a := range e.to {
		to[i] = a.String()
	}
	parts := multipart.NewWriter(text)
	header := [][2]string{
		{"From", e.from.String()}, {"To", strings.Join(to, ", ")},
		{"Subject", mime.QEncoding.Encode("utf-8", cut(m.title(), 200))},
		{"Date", e.now().UTC().Format(time.RFC1123Z)}, {"Message-ID", id(m.Key)},
		{"X-Chargewatch-Key", mime.QEncoding.Encode("utf-8", line(m.Key))}, {"Auto-Submitted", "auto-generated"}, {"MIME-Version", "1.0"},
	}
	if len(m.Items) == 1 {
		header = append(header, [2]string{"References", id("incident/" + m.Items[0].Incident)})
	}
	if m.worst() == "S1" && !m.over() {
		header = append(header, [2]string{"Importance", "high"})
	}
	kind := "multipart/alternative; boundary=" + parts.Boundary()
	mixed := multipart.NewWriter(&b)
	picture := m.picture()
	if picture != nil {
		header = append(header, [2]string{"Content-Type", "multipart/mixed; boundary=" + mixed.Boundary()})
	} else {
		header = append(header, [2]string{"Content-Type", kind})
	}
	for _, h := range header {
		b.WriteString(h[0] + ": " + h[1] + "\r\n")
	}
	b.WriteString("\r\n")
	for _, part := range []struct{ kind, text string }{{"text/plain", m.plain()}, {"text/html", m.html()}} {
		w, err := parts.CreatePart(textproto.MIMEHeader{
			"Content-Type": {part.kind + "; charset=utf-8"}, "Content-Transfer-Encoding": {"quoted-printable"},
		})
		if err != nil {
			return nil, fmt.Errorf("compose the mail: %w", err)
		}
		q := quotedprintable.NewWriter(w)
		if _, err := q.Write([]byte(part.text)); err != nil {
			return nil, fmt.Errorf("compose the mail: %w", err)
		}
		if err := q.Close(); err != nil {
			return nil, fmt.Errorf("compose the mail: %w", err)
		}
	}
	if err := parts.Close(); err != nil {
		return nil, fmt.Errorf("compose the mail: %w", err)
	}
	if picture == nil {
		b.Write(text.Bytes())
		return b.Bytes(), nil
	}
	if err := attach(mixed, kind, text.Bytes(), picture); err != nil {
		return nil, fmt.Errorf("compose the mail: %w", err)
	}
	return b.Bytes(), nil
}

// attach writes the text and the picture behind it.
func attach(mixed *multipart.Writer, kind string, text []byte, p *Picture) error {
	w, err := mixed.CreatePart(textproto.MIMEHeader{"Content-Type": {kind}})
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if w, err = mixed.CreatePart(textproto.MIMEHeader{
		"Content-Type": {"image/jpeg"}, "Content-Transfer-Encoding": {"base64"},
		"Content-Disposition": {`attachment; filename="` + p.name() + `"`},
	}); err != nil {
		return err
	}
	coded := base64.NewEncoder(base64.StdEncoding, &wrapLines{w: w})
	if _, err := coded.Write(p.JPEG); err != nil {
		return err
	}
	return errors.Join(coded.Close(), mixed.Close())
}

// html is the message with the little markup that every mail reader shows.
func (m *Message) html() string {
	var b strings.Builder
	b.WriteString(`<!doctype html><html lang="` + m.Items[0].tag() + `"><body style="font:15px/1.5 sans-serif;color:#1b1f24">`)
	for k := range m.Items {
		i := &m.Items[k]
		b.WriteString(`<h2 style="font-size:17px;margin:20px 0 4px">` + html.EscapeString(i.headline()) + `</h2>`)
		if text := i.body(); text != "" {
			b.WriteString(`<p style="margin:4px 0;white-space:pre-line">` + html.EscapeString(lines(text)) + `</p>`)
		}
		b.WriteString(`<table style="border-collapse:collapse">`)
		for _, f := range i.facts() {
			b.WriteString(`<tr><td style="padding:1px 16px 1px 0;color:#57606a">` + html.EscapeString(f[0]) + `</td><td>` + html.EscapeString(f[1]) + `</td></tr>`)
		}
		b.WriteString(`</table><p>`)
		if i.Acknowledge != "" {
			b.WriteString(`<a href="` + html.EscapeString(i.Acknowledge) + `">` + html.EscapeString(i.Say("Acknowledge")) + `</a> &nbsp; `)
		}
		if i.Page != "" {
			b.WriteString(`<a href="` + html.EscapeString(i.Page) + `">` + html.EscapeString(i.Say("Open the incident")) + `</a>`)
		}
		if i.Pictures != "" {
			b.WriteString(` &nbsp; <a href="` + html.EscapeString(i.Pictures) + `">` + html.EscapeString(i.Say("Pictures (sign in)")) + `</a>`)
		}
		b.WriteString(`</p>`)
	}
	b.WriteString(`</body></html>`)
	return b.String()
}
