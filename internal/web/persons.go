package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/store"
)

// PersonBody is what is decided about somebody who enters and charges.
type PersonBody struct {
	Name      string     `json:"name" minLength:"1" maxLength:"200"`
	Company   string     `json:"company,omitempty" maxLength:"64" doc:"id of a company"`
	Groups    []string   `json:"groups,omitempty" maxItems:"50" doc:"ids of groups"`
	Suspended bool       `json:"suspended,omitempty" doc:"no credential of the person opens or starts anything"`
	Until     *time.Time `json:"until,omitempty" doc:"from then on the same; missing: never"`
	Mail      string     `json:"mail,omitempty" maxLength:"200"`
	Phone     string     `json:"phone,omitempty" maxLength:"200"`
	Note      string     `json:"note,omitempty" maxLength:"2000"`
}

// PersonShape is somebody with credentials.
type PersonShape struct {
	ID string `json:"id"`
	PersonBody
	ChangedAt       time.Time `json:"changedAt"`
	CredentialCount int       `json:"credentialCount" doc:"how many the person has"`
	BlockedCount    int       `json:"blockedCount" doc:"those of them that are not accepted"`
}

// PersonDetail is a person with the credentials.
type PersonDetail struct {
	PersonShape
	Credentials []CredentialShape `json:"credentials"`
}

func personShape(x *store.Person) PersonShape {
	return PersonShape{ID: x.ID, ChangedAt: x.ChangedAt, CredentialCount: x.Credentials, BlockedCount: x.Blocked, PersonBody: PersonBody{
		Name: x.Name, Company: x.Company, Groups: x.Groups, Suspended: x.Suspended, Until: instant(x.Until), Mail: x.Mail, Phone: x.Phone, Note: x.Note,
	}}
}

func (b *PersonBody) person(id string) store.Person {
	x := store.Person{
		Person: access.Person{ID: id, Company: b.Company, Groups: b.Groups, Suspended: b.Suspended},
		Name:   b.Name, Mail: b.Mail, Phone: b.Phone, Note: b.Note,
	}
	if b.Until != nil {
		x.Until = b.Until.UTC()
	}
	return x
}

type (
	personsInput struct {
		Page
		Q       string `query:"q" maxLength:"100" doc:"part of the name, mail or phone"`
		Group   string `query:"group" maxLength:"64" doc:"id of a group they are in"`
		Company string `query:"company" maxLength:"64" doc:"id of the company they are of"`
		Status  string `query:"status" enum:"active,suspended,over" doc:"over: their time here has ended"`
	}
	newPersonInput struct{ Body PersonBody }
	personInput    struct {
		ID string `path:"id" maxLength:"64"`
	}
	personChangeInput struct {
		ID   string `path:"id" maxLength:"64"`
		Body PersonBody
	}
	personOutput       struct{ Body PersonShape }
	personDetailOutput struct{ Body PersonDetail }
)

func (s *Server) registerPersons() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"access"}}
	}
	add(s, global(PeopleRead), op("listPeople", http.MethodGet, "/people", "People who enter and charge, by name", 0), s.listPersons)
	add(s, global(PeopleWrite), op("createPerson", http.MethodPost, "/people", "Add somebody", http.StatusCreated), s.createPerson)
	add(s, global(PeopleRead), op("getPerson", http.MethodGet, "/people/{id}", "Somebody, with the credentials: all that is kept by name", 0), s.getPerson)
	add(s, global(PeopleWrite), op("changePerson", http.MethodPut, "/people/{id}", "Change somebody", 0), s.changePerson)
	add(s, global(PeopleWrite), op("erasePerson", http.MethodDelete, "/people/{id}",
		"Forget somebody and the values of the credentials; what was done stays, by ids that lead to nobody", http.StatusNoContent), s.erasePerson)
}

func (s *Server) listPersons(ctx context.Context, in *personsInput) (*listOutput[PersonShape], error) {
	after, err := decodeCursor("people", in.Cursor)
	if err != nil {
		return nil, err
	}
	id, name, _ := strings.Cut(after, "/")
	found, err := s.o.Store.People(ctx, store.PeopleQuery{
		Text: in.Q, Group: in.Group, Company: in.Company, Status: store.PersonStatus(in.Status), AfterName: name, AfterID: id, Limit: in.Limit + 1,
	})
	if err != nil {
		return nil, err
	}
	next := ""
	if len(found) > in.Limit {
		found = found[:in.Limit]
		last := found[in.Limit-1]
		next = encodeCursor("people", last.ID+"/"+last.Name)
	}
	out := make([]PersonShape, 0, len(found))
	for i := range found {
		out = append(out, personShape(&found[i]))
	}
	return listOf(out, next), nil
}

func (s *Server) savePerson(ctx context.Context, x store.Person) (*personOutput, error) {
	saved, err := s.o.Store.SavePerson(ctx, who(ctx).actor(), x)
	if err == nil {
		saved, err = s.o.Store.Person(ctx, saved.ID)
	}
	if err != nil {
		return nil, err
	}
	return &personOutput{Body: personShape(saved)}, nil
}

func (s *Server) createPerson(ctx context.Context, in *newPersonInput) (*personOutput, error) {
	return s.savePerson(ctx, in.Body.person(""))
}

func (s *Server) changePerson(ctx context.Context, in *personChangeInput) (*personOutput, error) {
	return s.savePerson(ctx, in.Body.person(in.ID))
}

func (s *Server) getPerson(ctx context.Context, in *personInput) (*personDetailOutput, error) {
	x, err := s.o.Store.Person(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	credentials, err := s.o.Store.CredentialsOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &personDetailOutput{Body: PersonDetail{PersonShape: personShape(x), Credentials: []CredentialShape{}}}
	for _, c := range credentials {
		out.Body.Credentials = append(out.Body.Credentials, credentialShape(c))
	}
	return out, nil
}

func (s *Server) erasePerson(ctx context.Context, in *personInput) (*noContent, error) {
	return nil, s.o.Store.ErasePerson(ctx, who(ctx).actor(), in.ID)
}
