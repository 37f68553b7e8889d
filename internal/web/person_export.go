package web

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// PersonExport is all that is kept about somebody: what they may ask for, and what is
// gone once they are erased.
type PersonExport struct {
	MadeAt      time.Time          `json:"madeAt"`
	Person      PersonDetail       `json:"person"`
	Group       []NamedShape       `json:"groups"`
	Company     *NamedShape        `json:"company"`
	Sessions    []SessionShape     `json:"sessions" doc:"the newest of each credential, at most 1,000"`
	Attempts    []AttemptShape     `json:"attempts" doc:"to charge in the last 7 days"`
	Doors       []AccessEventShape `json:"doors" doc:"what was shown at doors, the newest, at most 1,000"`
	Acts        []AuditShape       `json:"acts" doc:"of the audit log about the person and the credentials, newest first"`
	CallLists   []ContactShape     `json:"callLists" doc:"of sites"`
	Incomplete  bool               `json:"incomplete" doc:"there is more than the bounds let through"`
	Credentials int                `json:"credentialCount"`
}

const personExportMost = 1000

type personExportOutput struct {
	Disposition string `header:"Content-Disposition"`
	Body        PersonExport
}

func (s *Server) registerPersonExport() {
	add(s, global(PeopleWrite), huma.Operation{
		OperationID: "exportPerson", Method: http.MethodGet, Path: "/people/{id}/export", Tags: []string{"access"},
		Summary: "All that is kept about somebody: the person, credentials, sessions, attempts, doors and acts of the audit log",
	}, s.exportPersonData)
}

func (s *Server) exportPersonData(ctx context.Context, in *personInput) (*personExportOutput, error) {
	whole, err := s.getPerson(ctx, in)
	if err != nil {
		return nil, err
	}
	out := PersonExport{
		MadeAt: s.now().UTC(), Person: whole.Body, Group: []NamedShape{}, Sessions: []SessionShape{}, Attempts: []AttemptShape{}, Doors: []AccessEventShape{}, Acts: []AuditShape{}, CallLists: []ContactShape{},
		Credentials: len(whole.Body.Credentials),
	}
	groups, err := s.o.Store.Groups(ctx)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		if slices.Contains(whole.Body.Groups, g.ID) {
			out.Group = append(out.Group, NamedShape{Kept{ID: g.ID}, g.Name})
		}
	}
	companies, err := s.o.Store.Companies(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range companies {
		if c.ID == whole.Body.Company {
			out.Company = &NamedShape{Kept{ID: c.ID}, c.Name}
		}
	}
	calls, err := s.o.Store.ContactsOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	for _, site := range slices.Sorted(maps.Keys(calls)) {
		out.CallLists = append(out.CallLists, contactShapes(calls[site])...)
	}
	subjects := []string{"person/" + in.ID}
	for _, c := range whole.Body.Credentials {
		subjects = append(subjects, "credential/"+c.ID)
		sessions, err := s.listSessions(ctx, &sessionsInput{Page: Page{Limit: personExportMost}, Credential: c.ID})
		if err != nil {
			return nil, err
		}
		out.Sessions = append(out.Sessions, sessions.Body.Items...)
		out.Incomplete = out.Incomplete || sessions.Body.NextCursor != ""
		attempts, err := s.listAttempts(ctx, &attemptsInput{Token: c.TokenID, Limit: 100})
		if err != nil {
			return nil, err
		}
		out.Attempts = append(out.Attempts, attempts.Body.Items...)
		out.Incomplete = out.Incomplete || len(attempts.Body.Items) == 100
	}
	if err := s.exportDoors(ctx, in.ID, &out); err != nil {
		return nil, err
	}
	for _, subject := range subjects {
		acts, err := s.o.Store.AuditOf(ctx, subject, personExportMost)
		if err != nil {
			return nil, err
		}
		for i := range acts {
			a := &acts[i]
			out.Acts = append(out.Acts, AuditShape{Seq: a.Seq, At: a.At, Actor: string(a.Actor), Action: a.Action, Subject: a.Subject, Detail: a.Detail})
		}
		out.Incomplete = out.Incomplete || len(acts) == personExportMost
	}
	if err := s.o.Store.Record(ctx, who(ctx).actor(), "person.export", "person/"+in.ID, nil); err != nil {
		return nil, err
	}
	return &personExportOutput{Disposition: `attachment; filename="` + in.ID + `.json"`, Body: out}, nil
}

// exportDoors adds what somebody showed at doors.
func (s *Server) exportDoors(ctx context.Context, person string, out *PersonExport) error {
	q := journal.EventQuery{Kinds: []event.Kind{event.KindAccess}, Limit: journal.MaxLimit}
	for range attemptEvents {
		page, next, err := s.o.History.Events(ctx, q)
		if err != nil {
			return err
		}
		for _, e := range page {
			b, ok := e.Body.(*event.Access)
			if !ok || b.PersonID != person {
				continue
			}
			if len(out.Doors) == personExportMost {
				out.Incomplete = true
				return nil
			}
			out.Doors = append(out.Doors, s.accessEventShape(ctx, e, b))
		}
		if q.Before = next; next == "" {
			return nil
		}
	}
	out.Incomplete = true
	return nil
}
