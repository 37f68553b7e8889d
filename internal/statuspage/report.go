package statuspage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/event"
)

// categories lists what a driver can report, in the order of the form.
func categories() []string { return []string{"plug", "start", "cable", "screen", "blocked", "other"} }

const (
	maxReport = 500     // characters
	maxForm   = 8 << 10 // bytes
	// trap is a field that people do not see and programs fill in.
	trap = "website"
)

// reportPage is the form.
type reportPage struct {
	frame
	Port, Site, Where string
	Back, Action      string
	Choices           []option
	Text, Fault, Trap string
	FaultAt           string // field it is about
}

// form shows the form for one port.
func (p *Pages) form(w http.ResponseWriter, r *http.Request) {
	s, x, ok := p.now().find(r.PathValue("id"))
	if !ok {
		p.nothing(w, r)
		return
	}
	p.sendForm(w, r, s, &x, http.StatusOK, reportPage{})
}

func (p *Pages) sendForm(w http.ResponseWriter, r *http.Request, s *site, x *port, status int, data reportPage) {
	fr := p.frame(r, "")
	fr.Heading, fr.NoIndex, fr.Simulated = fr.L.ReportTitle, true, s.simulated
	chosen := ""
	for _, c := range data.Choices {
		chosen = c.Value
	}
	data.frame, data.Trap = fr, trap
	data.Port, data.Site = x.title(fr.L), s.DriversName()
	data.Back = "/status/" + url.PathEscape(s.ID) + fr.Keep + "#" + x.anchor()
	data.Action = "/status/p/" + escape(x.id) + "/report" + fr.Keep
	data.Choices = nil
	for _, c := range categories() {
		data.Choices = append(data.Choices, option{c, fr.L.Categories[c], c == chosen})
	}
	cache := shared
	if status != http.StatusOK {
		cache = unshared
	}
	p.serve(w, r, nil, "", cache, func() (*answer, error) { return p.html(status, "report", data) })
}

// report takes what the form holds. Programs that fill in the trap are told
// what people are told, and nothing is kept of it.
func (p *Pages) report(w http.ResponseWriter, r *http.Request) {
	s, x, ok := p.now().find(r.PathValue("id"))
	if !ok {
		p.nothing(w, r)
		return
	}
	l := p.frame(r, "").L
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		p.sendForm(w, r, s, &x, http.StatusUnprocessableEntity, reportPage{Fault: l.ReportTooLong, FaultAt: "text"})
		return
	}
	category, text := r.PostForm.Get("category"), tidy(r.PostForm.Get("text"))
	again := reportPage{Text: text, Choices: []option{{Value: category}}}
	if _, known := l.Categories[category]; !known {
		again.Fault, again.FaultAt, again.Choices = l.ReportChoose, "category", nil
		p.sendForm(w, r, s, &x, http.StatusUnprocessableEntity, again)
		return
	}
	if utf8.RuneCountInString(text) > maxReport {
		again.Fault, again.FaultAt = l.ReportTooLong, "text"
		p.sendForm(w, r, s, &x, http.StatusUnprocessableEntity, again)
		return
	}
	if r.PostForm.Get(trap) != "" {
		p.thank(w, r, s, &x)
		return
	}
	if wait, ok := p.mayReport(source(r), x.id); !ok {
		retryAfter(w, wait)
		again.Fault = fmt.Sprintf(l.ReportTooMany, l.long(wait))
		p.sendForm(w, r, s, &x, http.StatusTooManyRequests, again)
		return
	}
	if err := p.record(r.Context(), &x, &event.DriverReport{
		Category: category, Text: anonymous(text), PublicID: x.id, Language: l.Tag,
	}); err != nil {
		p.log.WarnContext(r.Context(), "report of a driver not stored", "err", err)
		p.reporters.giveBack(source(r))
		p.reported.giveBack(x.id)
		retryAfter(w, time.Minute)
		again.Fault = l.ReportNotStored
		p.sendForm(w, r, s, &x, http.StatusServiceUnavailable, again)
		return
	}
	p.thank(w, r, s, &x)
}

// mayReport bounds reports of an address, of a port and of all.
func (p *Pages) mayReport(from, port string) (time.Duration, bool) {
	if wait, ok := p.reporters.take(from); !ok {
		return wait, false
	}
	if wait, ok := p.reported.take(port); !ok {
		p.reporters.giveBack(from)
		return wait, false
	}
	if wait, ok := p.reports.take(""); !ok {
		p.reporters.giveBack(from)
		p.reported.giveBack(port)
		return wait, false
	}
	return 0, true
}

var errGone = errors.New("the port is gone")

// record makes a report durable.
func (p *Pages) record(ctx context.Context, x *port, body *event.DriverReport) error {
	at, ok := p.now().index().byID[canonical(x.id)]
	if !ok {
		return errGone
	}
	now := p.o.Now().UTC()
	_, err := p.o.Log.Append(ctx, &event.Event{
		Subject: event.Port(at.station, at.evse, 0), At: now, ReceivedAt: now, Origin: event.FromUs, Body: body,
	})
	if err != nil {
		return fmt.Errorf("append a report: %w", err)
	}
	return nil
}

func (p *Pages) thank(w http.ResponseWriter, r *http.Request, s *site, x *port) {
	keep := p.frame(r, "").Keep
	sep := "?"
	if keep != "" {
		sep = "&"
	}
	h := w.Header()
	h.Set("Cache-Control", unshared)
	h.Set("Content-Security-Policy", policy)
	h.Set("Location", "/status/"+url.PathEscape(s.ID)+keep+sep+"reported=1#"+x.anchor())
	w.WriteHeader(http.StatusSeeOther)
}

// tidy keeps what can be read of a text: no control characters, no more than
// one empty line, no blanks around it.
func tidy(text string) string {
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\r\n", "\n"), "\uFFFD")
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, text)
	return strings.TrimSpace(blankLines.ReplaceAllString(text, "\n\n"))
}

var (
	blankLines = regexp.MustCompile(`\n\s*\n\s*`)
	mail       = regexp.MustCompile(`[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+`)
	// A telephone number: seven digits and more with what people put between them.
	phone = regexp.MustCompile(`\+?\d(?:[\s/().-]{0,2}\d){6,}`)
)

// anonymous takes out what drivers were asked not to write: addresses and
// telephone numbers that would name them.
func anonymous(text string) string {
	return phone.ReplaceAllString(mail.ReplaceAllString(text, "[…]"), "[…]")
}
