package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// AccessDecisionShape is what would be decided, and why.
type AccessDecisionShape struct {
	Decision   string        `json:"decision" enum:"allow,deny"`
	Status     access.Status `json:"status" doc:"as a station would be told"`
	Code       access.Code   `json:"code" doc:"the kind of the reason"`
	Credential string        `json:"credential" doc:"id of the one that was decided about; empty: there is none"`
	Policy     string        `json:"policy" doc:"id of the policy, lockdown or forbid that decided; empty: none did"`
	PolicyName string        `json:"policyName"`
	Reason     string        `json:"reason"`
	At         time.Time     `json:"at"`
}

// AccessAnswer is what would be decided about one credential.
type AccessAnswer struct {
	CredentialID string `json:"credentialId"`
	PersonID     string `json:"personId"`
	Name         string `json:"name" doc:"of the person, or the label of the credential"`
	AccessDecisionShape
}

type (
	checkInput struct {
		Body struct {
			Credential string     `json:"credential,omitempty" maxLength:"64" doc:"id; this or a person"`
			Person     string     `json:"person,omitempty" maxLength:"64" doc:"id: whichever of the person's credentials comes furthest"`
			Place      string     `json:"place" minLength:"1" maxLength:"100" doc:"a door: door/ID; or an EVSE: station/STATION/EVSE"`
			At         *time.Time `json:"at,omitempty" doc:"default: now"`
			PIN        bool       `json:"pin,omitempty" doc:"the right PIN is given as well"`
		}
	}
	checkOutput   struct{ Body AccessDecisionShape }
	whoOpensInput struct {
		Place string    `query:"place" required:"true" minLength:"1" maxLength:"100" doc:"a door: door/ID; or an EVSE: station/STATION/EVSE"`
		At    time.Time `query:"at" doc:"default: now"`
		Page
	}
)

func (s *Server) registerAccessCheck() {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"access"}}
	}
	add(s, global(PoliciesRead), op("checkAccess", http.MethodPost, "/access/check", "Would this credential open that place then? Nothing is opened"), s.checkAccess)
	add(s, global(PoliciesRead), op("whoOpens", http.MethodGet, "/access/who", "Who may enter or charge there then"), s.whoOpens)
}

// placeRequest is what is asked about a place; a place that nobody knows has no
// kind, and stays shut.
func (s *Server) placeRequest(id string, at time.Time) access.Request {
	r := access.Request{Now: at, Action: access.Charge, Place: access.Place{ID: id}}
	if d, ok := s.o.Store.Door(strings.TrimPrefix(id, string(event.DoorSubject)+"/")); ok {
		r.Action, r.Place, r.Zone = access.Enter, d.Place(), s.o.Store.ZoneOf(d.SiteID)
		return r
	}
	subject, err := event.ParseSubject(id)
	if err != nil || subject.Type != event.StationSubject || subject.EVSE == 0 || subject.Connector != 0 {
		return r
	}
	if e, ok := s.o.Store.Station(subject.ID); ok {
		r.Place.Kind, r.Place.Site, r.Place.Within = access.EVSE, e.SiteID, event.Station(subject.ID).String()
		r.FreeVend, r.Zone = s.o.Store.FreeVend(e.SiteID), s.o.Store.ZoneOf(e.SiteID)
	}
	return r
}

func (s *Server) decideFor(r access.Request, c *access.Credential) AccessDecisionShape {
	r.Credential, r.TokenID, r.Person = c, c.TokenID, nil
	if c.Person != "" {
		r.Person, _ = s.o.Store.PersonOf(c.Person)
	}
	book := s.o.Store.Book()
	d := book.Decide(r)
	out := AccessDecisionShape{Decision: "deny", Status: d.Status, Code: d.Code, Policy: d.Policy, Reason: d.Reason, At: r.Now}
	if d.Status == access.Accepted {
		out.Decision = "allow"
	}
	if d.Policy != "" {
		out.PolicyName = book.Name(d.Policy)
	}
	return out
}

func (s *Server) checkAccess(ctx context.Context, in *checkInput) (*checkOutput, error) {
	at := s.now()
	if in.Body.At != nil {
		at = in.Body.At.UTC()
	}
	shown, err := s.shownFor(ctx, in.Body.Credential, in.Body.Person)
	if err != nil {
		return nil, err
	}
	r := s.placeRequest(in.Body.Place, at)
	r.PINGiven = in.Body.PIN
	out := AccessDecisionShape{Decision: "deny", Status: access.Invalid, Code: access.NoToken, Reason: "the person has no credential", At: at}
	for _, c := range shown {
		if d := s.decideFor(r, &c.Credential); out.Credential == "" || d.nearer(out) {
			out, out.Credential = d, c.ID
		}
		if out.Decision == "allow" {
			break
		}
	}
	return &checkOutput{Body: out}, nil
}

// shownFor are the credentials that somebody asks about.
func (s *Server) shownFor(ctx context.Context, credential, person string) ([]*store.Credential, error) {
	switch {
	case credential != "" && person != "", credential == "" && person == "":
		return nil, &store.InvalidError{Field: "credential", Reason: "a credential or a person"}
	case credential != "":
		c, err := s.o.Store.Credential(ctx, credential)
		return []*store.Credential{c}, err
	}
	if _, err := s.o.Store.Person(ctx, person); err != nil {
		return nil, err
	}
	return s.o.Store.CredentialsOf(ctx, person)
}

// nearer reports whether an answer says more than another about why a person is
// denied: what a policy says, before what is wrong with one of several cards.
func (d *AccessDecisionShape) nearer(than AccessDecisionShape) bool {
	return d.Decision == "allow" || d.Policy != "" && than.Policy == ""
}

func (s *Server) whoOpens(ctx context.Context, in *whoOpensInput) (*listOutput[AccessAnswer], error) {
	after, err := decodeCursor("who", in.Cursor)
	if err != nil {
		return nil, err
	}
	at := in.At
	if at.IsZero() {
		at = s.now()
	}
	r := s.placeRequest(in.Place, at.UTC())
	r.PINGiven = true
	out := make([]AccessAnswer, 0, in.Limit)
	for {
		found, err := s.o.Store.Credentials(ctx, "", after, in.Limit)
		if err != nil {
			return nil, err
		}
		for _, c := range found {
			after = c.ID
			d := s.decideFor(r, &c.Credential)
			if d.Decision != "allow" {
				continue
			}
			out = append(out, s.answerFor(ctx, c, d))
			if len(out) == in.Limit {
				return listOf(out, encodeCursor("who", after)), nil
			}
		}
		if len(found) < in.Limit {
			return listOf(out, ""), nil
		}
	}
}

func (s *Server) answerFor(ctx context.Context, c *store.Credential, d AccessDecisionShape) AccessAnswer {
	a := AccessAnswer{CredentialID: c.ID, PersonID: c.Person, Name: c.Label, AccessDecisionShape: d}
	if a.Name == "" && !c.Kind.Coded() {
		a.Name = store.Mask(c.Token.Value)
	}
	if c.Person != "" {
		if p, err := s.o.Store.Person(ctx, c.Person); err == nil {
			a.Name = p.Name
		}
	}
	return a
}
