package web

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"time"

	"github.com/chargewatch/chargewatch/internal/store"
)

//go:embed pages/shared.html
var sharedPage string

// sharedPath is where links to packs of evidence lead.
const sharedPath = "/shared"

// sharedWords are what the page says.
type sharedWords struct {
	Heading, Derived, From, To, Size, Key, Passcode, Button, Ask, Wrong, Expires string
	BadHeading, Bad, LaterHeading, Later                                         string
	Holds, NoClips, Take, TakeNote, Play, Cover, CoverNote, KeyFile, Check       string
	CheckPrint, CheckRun, Noted                                                  string
}

func sharedWordsOf(lang string) sharedWords {
	if lang == "de" {
		return sharedWords{
			Heading: "Videobeweis", Derived: "Video, teilweise unkenntlich", From: "Von", To: "Bis", Size: "Größe", Key: "Schlüssel", Passcode: "Kennwort", Button: "Öffnen",
			Ask:     "Geben Sie das Kennwort ein, das Sie auf anderem Weg erhalten haben. Jeder Zugriff wird protokolliert.",
			Wrong:   "Das Kennwort stimmt nicht. Nach zehn Fehlversuchen ist der Link gesperrt.",
			Expires: "Der Link gilt bis", BadHeading: "Link ungültig", Bad: "Der Link ist ungültig, abgelaufen oder gesperrt. Bitten Sie um einen neuen.",
			LaterHeading: "Nicht verfügbar", Later: "Das Paket kann gerade nicht geladen werden. Versuchen Sie es gleich noch einmal.",
			Holds: "Inhalt", NoClips: "keine Bilder in diesem Zeitraum", Take: "Ganzes Paket laden", TakeNote: "Mit allen Dateien und der Signatur. Nur das ganze Paket lässt sich vollständig prüfen.",
			Play: "Film laden", Cover: "Deckblatt", CoverNote: "zum Lesen und Drucken", KeyFile: "Öffentlicher Schlüssel", Check: "So prüfen Sie das Paket",
			CheckPrint: "Lassen Sie sich diesen Fingerabdruck am Telefon bestätigen:", CheckRun: "Dann rufen Sie auf:", Noted: "Jeder Abruf wird protokolliert.",
		}
	}
	return sharedWords{
		Heading: "Video evidence", Derived: "Video, parts hidden", From: "From", To: "To", Size: "Size", Key: "Key", Passcode: "Passcode", Button: "Open",
		Ask:     "Enter the passcode that you were given by another way. Each access is noted.",
		Wrong:   "This is not the passcode. After ten wrong ones the link is locked.",
		Expires: "The link is valid until", BadHeading: "Link not valid", Bad: "The link is not valid, too old or locked. Ask for a new one.",
		LaterHeading: "Not available", Later: "The pack cannot be loaded now. Try again in a moment.",
		Holds: "What it holds", NoClips: "no pictures in this time", Take: "Download the whole pack", TakeNote: "With all files and the signature. Only the whole pack can be checked completely.",
		Play: "Download film", Cover: "Cover sheet", CoverNote: "to read and print", KeyFile: "Public key", Check: "How to check the pack",
		CheckPrint: "Have this fingerprint confirmed by telephone:", CheckRun: "Then run:", Noted: "Each download is noted.",
	}
}

type sharedView struct {
	Lang, Heading, From, To, Size, Fingerprint, Text, Wrong, Token string
	W                                                              sharedWords
	// Of a link that was opened.
	Passcode, ID string
	Cameras      []sharedCamera
}

type sharedCamera struct {
	Name  string
	Clips []sharedClip
}

type sharedClip struct{ File, From, To, Size string }

func (s *Server) registerShared() {
	show := s.linkPage("shared", sharedPage)
	s.raw(http.MethodGet, sharedPath, anyone(), func(w http.ResponseWriter, r *http.Request) {
		status, v := s.sharedAsked(langOf(r), r.URL.Query().Get("t"))
		show(w, r, status, v)
	})
	s.raw(http.MethodPost, sharedPath, anyone(), func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
		token, passcode, do := "", "", ""
		if err := r.ParseForm(); err == nil {
			token, passcode, do = r.PostForm.Get("t"), r.PostForm.Get("p"), r.PostForm.Get("do")
		}
		status, v := s.sharedAsked(langOf(r), token)
		if v.Token == "" {
			show(w, r, status, v)
			return
		}
		x, link, err := s.o.Evidence.UnlockPack(token, passcode, do != "")
		switch {
		case err != nil:
		case do == "":
			if err = s.opened(r, x, link, &v); err == nil {
				v.Passcode = passcode
				show(w, r, http.StatusOK, v)
				return
			}
		default:
			if err = s.sharedFile(w, r, x, link, do); err == nil {
				return
			}
		}
		why, told := errors.AsType[*ViewingError](err)
		switch {
		case told && why.Code == "passcode":
			s.wrongPasscode(r, x.ID, link)
			v.Wrong = v.W.Wrong
			show(w, r, http.StatusForbidden, v)
		case told:
			show(w, r, http.StatusNotFound, sharedView{Lang: v.Lang, W: v.W, Heading: v.W.BadHeading, Text: v.W.Bad})
		default:
			s.log.ErrorContext(r.Context(), "a shared pack cannot be handed out", "err", err)
			show(w, r, http.StatusServiceUnavailable, sharedView{Lang: v.Lang, W: v.W, Heading: v.W.LaterHeading, Text: v.W.Later})
		}
	})
}

// opened shows what a pack holds to whoever knew the passcode, and notes it.
func (s *Server) opened(r *http.Request, x EvidenceShape, link string, v *sharedView) error {
	content, err := s.o.Evidence.PackContent(x.ID)
	if err != nil {
		return err
	}
	if err := s.o.Store.Record(r.Context(), store.System, "evidence.open", "evidence/"+x.ID, map[string]any{
		"link": link, "from": clientAddr(r, s.o.TrustedProxies).String(),
	}); err != nil {
		return err
	}
	v.ID, v.Text = x.ID, v.W.Noted
	if content.Derived {
		v.Heading = v.W.Derived
	}
	for _, c := range content.Cameras {
		one := sharedCamera{Name: c.Name}
		for _, f := range c.Clips {
			one.Clips = append(one.Clips, sharedClip{f.File, sharedTime(f.From), sharedTime(f.To), megabytes(f.Bytes)})
		}
		v.Cameras = append(v.Cameras, one)
	}
	return nil
}

// sharedFile hands out the pack or one file of it. A name that is not of the pack is
// no different from a link that is none.
func (s *Server) sharedFile(w http.ResponseWriter, r *http.Request, x EvidenceShape, link, do string) error {
	switch do {
	case "take":
		return s.handOut(w, r, x, store.System, link)
	case "key":
		s.evidenceKey(w, r)
		return nil
	case "cover":
		return s.showCover(w, x)
	}
	f, err := s.o.Evidence.OpenPackFile(x.ID, do)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := s.taken(r, x, store.System, link, do); err != nil {
		return err
	}
	fileHeader(w, "video/mp4", x.ID+"-"+path.Base(do))
	_, _ = io.Copy(w, f) // the caller may have gone
	return nil
}

// wrongPasscode notes that somebody tries.
func (s *Server) wrongPasscode(r *http.Request, pack, link string) {
	if err := s.o.Store.Record(r.Context(), store.System, "evidence.passcode", "evidence/"+pack, map[string]any{"link": link, "from": clientAddr(r, s.o.TrustedProxies).String()}); err != nil {
		s.log.WarnContext(r.Context(), "a wrong passcode is not in the audit log", "err", err)
	}
}

func sharedTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// sharedAsked shows what a link leads to. It changes nothing, however often the
// previews of messengers come by.
func (s *Server) sharedAsked(lang, token string) (int, sharedView) {
	v := sharedView{Lang: lang, W: sharedWordsOf(lang)}
	v.Heading, v.Text = v.W.BadHeading, v.W.Bad
	if s.o.Evidence == nil || token == "" || len(token) > 64 {
		return http.StatusNotFound, v
	}
	x, err := s.o.Evidence.SharedPack(token)
	if err != nil || x.State != "done" {
		return http.StatusNotFound, v
	}
	v.Heading, v.From, v.To = v.W.Heading, sharedTime(x.From), sharedTime(x.To)
	v.Size, v.Fingerprint = megabytes(x.Bytes), x.Fingerprint
	v.Text, v.Token = v.W.Ask, token
	return http.StatusOK, v
}
