package web

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"rsc.io/qr"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/store"
)

//go:embed pages/pass.html
var passPage string

// passPath is where the link of a pass leads.
const passPath = "/pass"

// PassShape is a pass with the link its holder opens, which is shown once.
type PassShape struct {
	CredentialShape
	Link string `json:"link" doc:"path of the page that shows the code; made anew it makes the one of before void"`
}

type (
	passesInput struct {
		ID string `path:"id" maxLength:"64"`
	}
	newPassInput struct {
		ID   string `path:"id" maxLength:"64" doc:"of the work order"`
		Body struct {
			PersonID  string    `json:"personId,omitempty" maxLength:"64" doc:"whose rights the pass has; missing: only those it opens"`
			Label     string    `json:"label,omitempty" maxLength:"100"`
			ExpiresAt time.Time `json:"expiresAt" doc:"within 30 days; it dies with the work order before that"`
			Opens     []string  `json:"opens,omitempty" maxItems:"5" doc:"kinds of places at the site of the order: a policy is made that goes with the pass"`
		}
	}
	passOutput struct{ Body PassShape }
)

func (s *Server) registerPasses() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"credentials"}}
	}
	add(s, global(CredentialsRead), op("listPasses", http.MethodGet, "/workorders/{id}/passes", "Passes that die with a work order", 0), s.listPasses)
	add(s, global(CredentialsWrite), op("createPass", http.MethodPost, "/workorders/{id}/passes",
		"Make a pass that dies with a work order; its holder opens the link without signing in", http.StatusCreated), s.createPass)
	add(s, global(CredentialsWrite), op("linkPass", http.MethodPost, "/credentials/{id}/link", "Make the link of a pass anew; the one of before is void", 0), s.linkPass)
	show := s.linkPage("pass", passPage)
	s.raw(http.MethodGet, passPath, anyone(), func(w http.ResponseWriter, r *http.Request) {
		status, v := s.passShown(r.Context(), langOf(r), r.URL.Query().Get("t"))
		show(w, r, status, v)
	})
}

func (s *Server) listPasses(ctx context.Context, in *passesInput) (*listOutput[CredentialShape], error) {
	if _, err := s.o.Store.WorkOrder(ctx, in.ID); err != nil {
		return nil, err
	}
	found, err := s.o.Store.PassesOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := make([]CredentialShape, 0, len(found))
	for _, c := range found {
		out = append(out, credentialShape(c))
	}
	return listOf(out, ""), nil
}

func (s *Server) createPass(ctx context.Context, in *newPassInput) (*passOutput, error) {
	b := in.Body
	if len(b.Opens) > 0 && !scope(ctx, PoliciesWrite).All() {
		return nil, problemf(http.StatusForbidden, "your role does not decide what a pass opens")
	}
	c, secret, err := s.o.Store.CreatePass(ctx, who(ctx).actor(), store.PassInput{
		Order: in.ID, Person: b.PersonID, Label: strings.TrimSpace(b.Label), Until: b.ExpiresAt.UTC(), Opens: kindsOf(b.Opens),
	})
	if err != nil {
		return nil, err
	}
	return &passOutput{Body: PassShape{CredentialShape: credentialShape(c), Link: passPath + "?t=" + secret}}, nil
}

func (s *Server) linkPass(ctx context.Context, in *credentialInput) (*passOutput, error) {
	secret, err := s.o.Store.NewPassLink(ctx, who(ctx).actor(), in.ID)
	if err != nil {
		return nil, err
	}
	c, err := s.o.Store.Credential(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &passOutput{Body: PassShape{CredentialShape: credentialShape(c), Link: passPath + "?t=" + secret}}, nil
}

type passView struct {
	Lang, Heading, Text, Until, UntilWord, Label, Code string
	Side                                               int
	Outline                                            template.HTMLAttr
}

// passShown is the page of a pass: its code while it is good, else why not. A link
// that leads nowhere says no more than one that is over.
func (s *Server) passShown(ctx context.Context, lang, secret string) (int, passView) {
	v := passView{Lang: lang, Heading: "Pass not valid", Text: "It has expired, or its work is done. Ask for a new one."}
	if lang == "de" {
		v.Heading, v.Text = "Ausweis ungültig", "Er ist abgelaufen, oder die Arbeit ist getan. Bitten Sie um einen neuen."
	}
	c, err := s.o.Store.PassByLink(ctx, secret)
	if err != nil {
		if !errors.Is(err, store.ErrNotFound) {
			s.log.ErrorContext(ctx, "pass not read", "err", err)
		}
		return http.StatusNotFound, v
	}
	if c.Person != "" {
		if p, ok := s.o.Store.PersonOf(c.Person); !ok || p.Suspended || !p.Until.IsZero() && !s.now().Before(p.Until) {
			return http.StatusGone, v
		}
	}
	if access.Decide(access.Request{Now: s.now(), TokenID: c.TokenID, Credential: &c.Credential}).Status != access.Accepted {
		return http.StatusGone, v
	}
	code, err := qr.Encode(c.Token.Value, qr.M)
	if err != nil {
		s.log.ErrorContext(ctx, "code of a pass not drawn", "err", err)
		return http.StatusInternalServerError, v
	}
	zone, order := time.UTC, ""
	if w, err := s.o.Store.WorkOrder(ctx, c.Order); err == nil {
		zone, order = s.o.Store.ZoneOf(w.SiteID), strconv.FormatInt(w.Number, 10)
	}
	v.Heading, v.Text, v.UntilWord = "Pass for work order "+order, "Hold the code before the reader.", "Valid until"
	if lang == "de" {
		v.Heading, v.Text, v.UntilWord = "Ausweis für Auftrag "+order, "Halten Sie den Code vor den Leser.", "Gültig bis"
	}
	v.Label, v.Code = c.Label, c.Token.Value
	v.Until = c.ExpiresAt.In(zone).Format("2006-01-02 15:04 MST")
	v.Outline, v.Side = outlineOf(code)
	return http.StatusOK, v
}

// passQuiet is the white border that scanners ask for, in modules.
const passQuiet = 4

// outlineOf draws a code as the path of its dark modules.
func outlineOf(c *qr.Code) (template.HTMLAttr, int) {
	var b strings.Builder
	for y := range c.Size {
		for x := range c.Size {
			if c.Black(x, y) {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+passQuiet, y+passQuiet)
			}
		}
	}
	return template.HTMLAttr(`d="` + b.String() + `"`), c.Size + 2*passQuiet // digits and letters of ours
}
