package web

import (
	_ "embed"
	"errors"
	"fmt"
	"net/http"

	"github.com/chargewatch/chargewatch/internal/store"
)

//go:embed pages/shared.html
var sharedPage string

// sharedPath is where links to packs of evidence lead.
const sharedPath = "/shared"

// sharedWords are what the page says.
type sharedWords struct {
	Heading, From, To, Size, Key, Passcode, Button, Ask, Wrong string
	BadHeading, Bad, LaterHeading, Later                       string
}

func sharedWordsOf(lang string) sharedWords {
	if lang == "de" {
		return sharedWords{
			Heading: "Videobeweis", From: "Von", To: "Bis", Size: "Größe", Key: "Schlüssel", Passcode: "Kennwort", Button: "Herunterladen",
			Ask:        "Geben Sie das Kennwort ein, das Sie auf anderem Weg erhalten haben. Jeder Abruf wird protokolliert.",
			Wrong:      "Das Kennwort stimmt nicht. Nach zehn Fehlversuchen ist der Link gesperrt.",
			BadHeading: "Link ungültig", Bad: "Der Link ist ungültig, abgelaufen oder gesperrt. Bitten Sie um einen neuen.",
			LaterHeading: "Nicht verfügbar", Later: "Das Paket kann gerade nicht geladen werden. Versuchen Sie es gleich noch einmal.",
		}
	}
	return sharedWords{
		Heading: "Video evidence", From: "From", To: "To", Size: "Size", Key: "Key", Passcode: "Passcode", Button: "Download",
		Ask:        "Enter the passcode that you were given by another way. Each download is noted.",
		Wrong:      "This is not the passcode. After ten wrong ones the link is locked.",
		BadHeading: "Link not valid", Bad: "The link is not valid, too old or locked. Ask for a new one.",
		LaterHeading: "Not available", Later: "The pack cannot be loaded now. Try again in a moment.",
	}
}

type sharedView struct {
	Lang, Heading, From, To, Size, Fingerprint, Text, Wrong, Token string
	W                                                              sharedWords
}

func (s *Server) registerShared() {
	show := s.linkPage("shared", sharedPage)
	s.raw(http.MethodGet, sharedPath, anyone(), func(w http.ResponseWriter, r *http.Request) {
		status, v := s.sharedAsked(langOf(r), r.URL.Query().Get("t"))
		show(w, r, status, v)
	})
	s.raw(http.MethodPost, sharedPath, anyone(), func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
		token, passcode := "", ""
		if err := r.ParseForm(); err == nil {
			token, passcode = r.PostForm.Get("t"), r.PostForm.Get("p")
		}
		status, v := s.sharedAsked(langOf(r), token)
		if v.Token == "" {
			show(w, r, status, v)
			return
		}
		x, link, err := s.o.Evidence.UnlockPack(token, passcode)
		if err == nil {
			err = s.handOut(w, r, x, store.System, link)
			if err == nil {
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

// wrongPasscode notes that somebody tries.
func (s *Server) wrongPasscode(r *http.Request, pack, link string) {
	if err := s.o.Store.Record(r.Context(), store.System, "evidence.passcode", "evidence/"+pack, map[string]any{"link": link, "from": clientAddr(r, s.o.TrustedProxies).String()}); err != nil {
		s.log.WarnContext(r.Context(), "a wrong passcode is not in the audit log", "err", err)
	}
}

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
	const form = "2006-01-02 15:04:05 UTC"
	v.Heading, v.From, v.To = v.W.Heading, x.From.UTC().Format(form), x.To.UTC().Format(form)
	v.Size, v.Fingerprint = fmt.Sprintf("%.1f MB", float64(x.Bytes)/1e6), x.Fingerprint
	v.Text, v.Token = v.W.Ask, token
	return http.StatusOK, v
}
