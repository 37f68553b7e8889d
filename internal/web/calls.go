package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
)

// ContactShape is somebody to call about a site.
type ContactShape struct {
	ID       string `json:"id,omitempty" maxLength:"64" doc:"empty: a new one"`
	Role     string `json:"role" enum:"police,fireBrigade,guard,siteHost,gridOperator,onCall,other"`
	Name     string `json:"name" maxLength:"100"`
	Phone    string `json:"phone" maxLength:"30"`
	Hours    string `json:"hours,omitempty" maxLength:"100" doc:"when somebody answers, in words"`
	Note     string `json:"note,omitempty" maxLength:"300" doc:"such as the reference by which the police know the site"`
	PersonID string `json:"personId,omitempty" maxLength:"64" doc:"whose data it is: erased with them"`
}

// CallListShape is whom to call about a site, in order.
type CallListShape struct {
	SiteID    string         `json:"siteId"`
	Contacts  []ContactShape `json:"contacts"`
	ChangedAt *time.Time     `json:"changedAt" doc:"null: nobody decided"`
	ChangedBy string         `json:"changedBy"`
}

type (
	callListInput struct {
		Site string `path:"site" maxLength:"48"`
		Body struct {
			Contacts []ContactShape `json:"contacts" maxItems:"30"`
		}
	}
	callListOutput struct{ Body CallListShape }
)

func (s *Server) registerCalls() {
	op := func(id, method, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/sites/{site}/calls", Summary: summary, Tags: []string{"sites"}}
	}
	add(s, atSite(NotesRead), op("getCallList", http.MethodGet, "Whom to call about a site"), s.getCallList)
	add(s, atSite(SitesWrite), op("setCallList", http.MethodPut, "Decide whom to call"), s.setCallList)
}

func contactShapes(list []store.Contact) []ContactShape {
	out := make([]ContactShape, 0, len(list))
	for _, c := range list {
		out = append(out, ContactShape{ID: c.ID, Role: c.Role, Name: c.Name, Phone: c.Phone, Hours: c.Hours, Note: c.Note, PersonID: c.Person})
	}
	return out
}

func (s *Server) callListShape(ctx context.Context, l store.CallList) *callListOutput {
	out := CallListShape{SiteID: l.SiteID, Contacts: contactShapes(l.Contacts)}
	if !l.ChangedAt.IsZero() {
		out.ChangedAt, out.ChangedBy = instant(l.ChangedAt.UTC()), s.nameOf(ctx, string(l.By))
	}
	return &callListOutput{Body: out}
}

func (s *Server) getCallList(ctx context.Context, in *siteInput) (*callListOutput, error) {
	l, err := s.o.Store.CallListOf(ctx, in.Site)
	if err != nil {
		return nil, err
	}
	return s.callListShape(ctx, l), nil
}

func (s *Server) setCallList(ctx context.Context, in *callListInput) (*callListOutput, error) {
	if _, ok := s.o.Store.Site(in.Site); !ok {
		return nil, store.ErrNotFound
	}
	l := store.CallList{SiteID: in.Site, Contacts: make([]store.Contact, 0, len(in.Body.Contacts))}
	for _, c := range in.Body.Contacts {
		l.Contacts = append(l.Contacts, store.Contact{ID: c.ID, Role: c.Role, Name: c.Name, Phone: c.Phone, Hours: c.Hours, Note: c.Note, Person: c.PersonID})
	}
	l, err := s.o.Store.SetCallList(ctx, who(ctx).actor(), l)
	if err != nil {
		return nil, err
	}
	return s.callListShape(ctx, l), nil
}

// answerCall says what the one who was called is there; the journal keeps no name.
func (s *Server) answerCall(ctx context.Context, contact string, one *incident.Incident, act *event.IncidentAction) error {
	l, err := s.o.Store.CallListOf(ctx, one.SiteID)
	if err != nil {
		return err
	}
	for _, c := range l.Contacts {
		if c.ID == contact {
			act.Contact, act.Role = c.ID, c.Role
			return nil
		}
	}
	return fieldProblem(map[string]string{"contact": "is nobody of the call list of the site"})
}
