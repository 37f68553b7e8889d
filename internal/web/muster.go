package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
)

const (
	// musterReach is how far back badges say that somebody is inside.
	musterReach = 24 * time.Hour
	// musterPages bounds what one question reads; a day of more is said to be cut.
	musterPages = 50
)

// MusterShape says who is inside, as far as badges tell.
type MusterShape struct {
	AsOf  time.Time         `json:"asOf"`
	From  time.Time         `json:"from" doc:"badges before this are not counted"`
	Whole bool              `json:"whole" doc:"false: there were too many events to read all of them"`
	Sites []MusterSiteShape `json:"sites" doc:"those with doors"`
	Items []MusterEntry     `json:"items" doc:"by site and name"`
}

// MusterSiteShape is how far the list of one site can be trusted.
type MusterSiteShape struct {
	SiteID string `json:"siteId"`
	Inside int    `json:"inside"`
	Exits  bool   `json:"exits" doc:"false: nobody was seen to leave, so those who left are in the list"`
	Silent int    `json:"silent" doc:"doors whose state is offline: who goes through them is told later"`
}

// MusterEntry is somebody who went in and was not seen to leave.
type MusterEntry struct {
	SiteID       string    `json:"siteId"`
	PersonID     string    `json:"personId"`
	CredentialID string    `json:"credentialId"`
	Name         string    `json:"name" doc:"of the person, or the label of the credential"`
	DoorID       string    `json:"doorId" doc:"where they were let in last"`
	At           time.Time `json:"at"`
}

type (
	musterInput struct {
		Site string `query:"site" maxLength:"48"`
	}
	musterOutput struct{ Body MusterShape }
)

func (s *Server) registerMuster() {
	add(s, filtered(PeopleRead), huma.Operation{
		OperationID: "getMuster", Method: http.MethodGet, Path: "/access/muster", Tags: []string{"doors"},
		Summary: "Who is inside by their badges: let in during the last day, and not seen to leave",
	}, s.getMuster)
}

// holder is whoever has a badge, at a site. A person with two badges is one.
type holder struct{ site, person, credential string }

func (s *Server) getMuster(ctx context.Context, in *musterInput) (*musterOutput, error) {
	now := s.now().UTC()
	out := MusterShape{AsOf: now, From: now.Add(-musterReach), Whole: true, Sites: []MusterSiteShape{}, Items: []MusterEntry{}}
	allowed := scope(ctx, PeopleRead).within(in.Site)
	q := journal.EventQuery{
		Kinds: []event.Kind{event.KindAccess}, From: out.From, Limit: journal.MaxLimit, Among: []event.Subject{},
	}
	sites := make(map[string]*MusterSiteShape)
	for _, d := range s.o.Store.Doors() {
		if !allowed.Allows(d.SiteID) {
			continue
		}
		q.Among = append(q.Among, event.Door(d.ID))
		if sites[d.SiteID] == nil {
			sites[d.SiteID] = &MusterSiteShape{SiteID: d.SiteID}
		}
		if s.doorStatus(d.ID).State == event.DoorOffline {
			sites[d.SiteID].Silent++
		}
	}
	last := make(map[holder]*event.Event)
	for page := range musterPages + 1 {
		if page == musterPages {
			out.Whole = false
			break
		}
		found, next, err := s.o.History.Events(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			b, ok := e.Body.(*event.Access)
			if !ok || !b.Allowed || b.PersonID == "" && b.CredentialID == "" || sites[b.SiteID] == nil {
				continue
			}
			sites[b.SiteID].Exits = sites[b.SiteID].Exits || b.Out
			who := holder{b.SiteID, b.PersonID, ""}
			if b.PersonID == "" {
				who.credential = b.CredentialID
			}
			// Controllers tell late what happened while they were away: the order is that
			// of the doors, not of hearing.
			if x := last[who]; x == nil || e.At.After(x.At) {
				last[who] = e
			}
		}
		if next == "" {
			break
		}
		q.Before = next
	}
	for _, e := range last {
		b := e.Body.(*event.Access)
		if b.Out || e.At.Before(out.From) {
			continue
		}
		sites[b.SiteID].Inside++
		out.Items = append(out.Items, MusterEntry{
			SiteID: b.SiteID, PersonID: b.PersonID, CredentialID: b.CredentialID, Name: s.holderName(ctx, b), DoorID: e.Subject.ID, At: e.At.UTC(),
		})
	}
	slices.SortFunc(out.Items, func(a, b MusterEntry) int {
		return cmp.Or(cmp.Compare(a.SiteID, b.SiteID), cmp.Compare(a.Name, b.Name), a.At.Compare(b.At))
	})
	for _, x := range sites {
		out.Sites = append(out.Sites, *x)
	}
	slices.SortFunc(out.Sites, func(a, b MusterSiteShape) int { return cmp.Compare(a.SiteID, b.SiteID) })
	return &musterOutput{Body: out}, nil
}

// holderName is what people call whoever was at a door; empty: nobody knows.
func (s *Server) holderName(ctx context.Context, b *event.Access) string {
	if b.PersonID != "" {
		if p, err := s.o.Store.Person(ctx, b.PersonID); err == nil {
			return p.Name
		}
	}
	if b.CredentialID != "" {
		if c, err := s.o.Store.Credential(ctx, b.CredentialID); err == nil {
			return c.Label
		}
	}
	return ""
}
