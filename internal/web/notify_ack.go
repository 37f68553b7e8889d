package web

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/incident"
)

//go:embed pages/ack.html
var ackPage string

// ackPolicy allows the page its own style and its one form, and nothing else.
const ackPolicy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// ackWords are what the page says.
type ackWords struct {
	Severity, Site, Station, Open, Button      string
	Ask, Done, Already, Over, Used, Bad, Later string
	BadHeading, LaterHeading                   string
	Minutes, Hours, Days                       string
}

func ackWordsOf(lang string) ackWords {
	if lang == "de" {
		return ackWords{
			Severity: "Schwere", Site: "Standort", Station: "Ladestation", Open: "Offen seit", Button: "Übernehmen",
			Ask:  "Mit der Schaltfläche bestätigen Sie, dass Sie sich darum kümmern. Weitere Personen werden dann nicht mehr alarmiert.",
			Done: "Bestätigt. Weitere Personen werden nicht mehr alarmiert.", Already: "Darum kümmert sich bereits jemand.",
			Over: "Die Störung ist bereits behoben.", Used: "Dieser Link wurde schon benutzt.",
			Bad: "Der Link ist ungültig oder älter als 24 Stunden. Melden Sie sich an, um die Störung zu öffnen.", BadHeading: "Link ungültig",
			Later: "Die Bestätigung konnte nicht gespeichert werden. Versuchen Sie es gleich noch einmal.", LaterHeading: "Nicht gespeichert",
			Minutes: "%d min", Hours: "%d h %d min", Days: "%d Tagen %d h",
		}
	}
	return ackWords{
		Severity: "Severity", Site: "Site", Station: "Station", Open: "Open for", Button: "Acknowledge",
		Ask:  "With the button you say that you take care of it. Nobody else is alerted then.",
		Done: "Acknowledged. Nobody else is alerted.", Already: "Somebody takes care of it already.",
		Over: "It is over already.", Used: "This link was used before.",
		Bad: "The link is not valid, or older than 24 hours. Sign in to open the incident.", BadHeading: "Link not valid",
		Later: "The acknowledgement could not be stored. Try again in a moment.", LaterHeading: "Not stored",
		Minutes: "%d min", Hours: "%d h %d min", Days: "%d d %d h",
	}
}

// ackView is what the page shows.
type ackView struct {
	Lang, Heading, Title, Severity, Site, Station, Age, Text, Token string
	W                                                               ackWords
}

// linkPage shows pages of ours to people who hold a link and are not signed in.
func (s *Server) linkPage(name, text string) func(w http.ResponseWriter, r *http.Request, status int, view any) {
	page := template.Must(template.New(name).Parse(text))
	return func(w http.ResponseWriter, r *http.Request, status int, view any) {
		var b bytes.Buffer
		if err := page.Execute(&b, view); err != nil {
			writeProblem(w, s.problem(r.Context(), err))
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", ackPolicy)
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer") // the address is the key
		h.Set("X-Robots-Tag", "noindex")
		w.WriteHeader(status)
		_, _ = w.Write(b.Bytes()) // the reader may have gone
	}
}

func (s *Server) registerAck() {
	show := s.linkPage("ack", ackPage)
	s.raw(http.MethodGet, "/ack", anyone(), func(w http.ResponseWriter, r *http.Request) {
		status, v := s.ackAsked(r.Context(), langOf(r), r.URL.Query().Get("t"))
		show(w, r, status, v)
	})
	s.raw(http.MethodPost, "/ack", anyone(), func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
		token := ""
		if err := r.ParseForm(); err == nil {
			token = r.PostForm.Get("t")
		}
		status, v := s.ackPressed(r.Context(), langOf(r), token)
		show(w, r, status, v)
	})
}

// langOf is German for who prefers it to English.
func langOf(r *http.Request) string { return preferred(r.Header.Get("Accept-Language")) }

func preferred(languages string) string {
	for item := range strings.SplitSeq(languages, ",") {
		switch tag, _, _ := strings.Cut(strings.TrimSpace(strings.ToLower(item)), ";"); {
		case tag == "de" || strings.HasPrefix(tag, "de-"):
			return "de"
		case tag == "en" || strings.HasPrefix(tag, "en-"):
			return "en"
		}
	}
	return "en"
}

// ackAsked shows what a link is about. It changes nothing, however often the
// previews of messengers come by.
func (s *Server) ackAsked(ctx context.Context, lang, token string) (int, ackView) {
	v := ackView{Lang: lang, W: ackWordsOf(lang)}
	v.Heading, v.Text = v.W.BadHeading, v.W.Bad
	if s.o.Notifier == nil {
		return http.StatusNotFound, v
	}
	link, err := s.o.Notifier.Link(token)
	if err != nil {
		return http.StatusNotFound, v
	}
	rows, err := s.o.Store.NoticesOf(ctx, link.Incident, 20)
	if err != nil || len(rows) == 0 {
		return http.StatusNotFound, v
	}
	newest, err := incident.DecodeNotice(rows[0].Seq, rows[0].Data)
	if err != nil {
		return http.StatusNotFound, v
	}
	v.Heading, v.Title, v.Severity, v.Station = newest.Title, newest.Title, newest.Severity, newest.Station
	if v.Site = newest.SiteName; v.Site == "" {
		v.Site = newest.SiteID
	}
	v.Age = v.W.age(s.now().Sub(newest.OpenedAt))
	used, err := s.o.Store.LinkSpent(ctx, link.ID)
	if err != nil {
		v.Heading, v.Text = v.W.LaterHeading, v.W.Later
		return http.StatusServiceUnavailable, v
	}
	for _, row := range rows {
		n, err := incident.DecodeNotice(row.Seq, row.Data)
		if err != nil || n.Change == incident.ChangeReminder || n.Change == incident.ChangeFlapping || n.Change == incident.ChangeCalm {
			continue
		}
		if n.Ends() {
			v.Text = v.W.Over
			return http.StatusOK, v
		}
		if n.Change == incident.ChangeAcknowledged {
			v.Text = v.W.Already
			return http.StatusOK, v
		}
		break
	}
	if used {
		v.Text = v.W.Used
		return http.StatusOK, v
	}
	v.Text, v.Token = v.W.Ask, token
	return http.StatusOK, v
}

// ackPressed acknowledges, once for each link.
func (s *Server) ackPressed(ctx context.Context, lang, token string) (int, ackView) {
	status, v := s.ackAsked(ctx, lang, token)
	if v.Token == "" {
		return status, v
	}
	link, err := s.o.Notifier.Link(token)
	if err != nil {
		return http.StatusNotFound, v
	}
	v.Token = ""
	first, err := s.o.Store.SpendLink(ctx, link.ID, link.Expires)
	if err == nil && !first {
		v.Text = v.W.Used
		return http.StatusOK, v
	}
	if err == nil && s.o.Acknowledger == nil {
		err = errNoNotifier
	}
	if err == nil {
		err = s.o.Acknowledger.Acknowledge(ctx, link.Incident, "link/"+link.ID)
	}
	if err != nil {
		s.log.WarnContext(ctx, "acknowledgement not stored", "incident", link.Incident, "err", err)
		if err := s.o.Store.ReleaseLink(context.WithoutCancel(ctx), link.ID); err != nil {
			s.log.WarnContext(ctx, "link not released", "err", err)
		}
		v.Text, v.Token = v.W.Later, token
		return http.StatusServiceUnavailable, v
	}
	v.Text = v.W.Done
	return http.StatusOK, v
}

func (w ackWords) age(d time.Duration) string {
	minutes := int(max(0, d) / time.Minute)
	switch {
	case minutes < 60:
		return fmt.Sprintf(w.Minutes, minutes)
	case minutes < 48*60:
		return fmt.Sprintf(w.Hours, minutes/60, minutes%60)
	}
	return fmt.Sprintf(w.Days, minutes/1440, minutes%1440/60)
}
