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

// Inside knows who is inside of areas.
type Inside interface {
	InsideOf(a *access.Area) []access.Someone
	// Pardon forgets that somebody is inside of areas, or anybody (who empty).
	Pardon(ctx context.Context, by store.Actor, areas []string, who, reason string) error
}

// AreaShape is a part of a site whose doors say who is inside.
type AreaShape struct {
	Kept
	Name        string   `json:"name" minLength:"1" maxLength:"100"`
	SiteID      string   `json:"siteId" minLength:"1" maxLength:"48"`
	In          []string `json:"in" minItems:"1" maxItems:"50" doc:"doors by which one comes in, as door/ID; a reader inside of one is a way out"`
	Out         []string `json:"out,omitempty" maxItems:"50" doc:"doors by which one goes out"`
	Mode        string   `json:"mode" enum:"soft,hard" doc:"of somebody who comes in and is inside: soft lets them in and tells it, hard does not let them in"`
	Board       bool     `json:"board,omitempty" doc:"the board keeps it by itself, also while the server is down; at its readers it refuses the way out too to who did not come in"`
	ForgetAfter int      `json:"forgetAfterHours,omitempty" minimum:"0" maximum:"168" doc:"after how long nobody is thought to be inside any more; default 12"`
}

// AirlockShape is a group of doors of which only one opens at a time.
type AirlockShape struct {
	Kept
	Name   string   `json:"name" minLength:"1" maxLength:"100"`
	SiteID string   `json:"siteId" minLength:"1" maxLength:"48"`
	Doors  []string `json:"doors" minItems:"2" maxItems:"4" doc:"as door/ID; each needs a contact"`
	Board  bool     `json:"board,omitempty" doc:"the board keeps it by itself, also while the server is down; nobody can read back that it does"`
	WayOut bool     `json:"wayOut,omitempty" doc:"the way out needs no button of the board, which turns it off while another door is open; wanted with board"`
}

// InsideShape is somebody inside of an area.
type InsideShape struct {
	AreaID       string    `json:"areaId"`
	PersonID     string    `json:"personId"`
	CredentialID string    `json:"credentialId" doc:"of a credential that is nobody's by name"`
	Name         string    `json:"name"`
	DoorID       string    `json:"doorId" doc:"where they were let in"`
	Since        time.Time `json:"since"`
	Unsure       bool      `json:"unsure" doc:"they may have left unseen while the server was down: they may come in again"`
}

type (
	insideInput struct {
		Site string `query:"site" maxLength:"48"`
	}
	pardonInput struct {
		ID   string `path:"id" maxLength:"64"`
		Body struct {
			PersonID     string `json:"personId,omitempty" maxLength:"64" doc:"this, or a credential; neither: everybody"`
			CredentialID string `json:"credentialId,omitempty" maxLength:"64"`
			Reason       string `json:"reason" minLength:"3" maxLength:"500"`
		}
	}
	emptiedInput struct {
		Site string `path:"site" maxLength:"48"`
		Body struct {
			Reason string `json:"reason" minLength:"3" maxLength:"500"`
		}
	}
)

func (s *Server) registerAreas() {
	st := s.o.Store
	(&entries[store.Area, AreaShape]{
		"/access/areas", "Area", "Areas", PoliciesRead, PoliciesWrite, st.Areas, st.SaveArea, st.DeleteArea,
		func(x *store.Area) AreaShape {
			return AreaShape{Kept{x.ID, x.ChangedAt}, x.Name, x.Site, list(x.In), x.Out, string(x.Mode), x.Board, x.ForgetH}
		},
		func(id string, t *AreaShape) store.Area {
			return store.Area{Area: access.Area{ID: id, Name: t.Name, Site: t.SiteID, In: t.In, Out: t.Out, Mode: access.Passback(t.Mode), Board: t.Board, ForgetH: t.ForgetAfter}}
		},
	}).register(s)
	(&entries[store.Airlock, AirlockShape]{
		"/access/airlocks", "Airlock", "Airlocks", PoliciesRead, PoliciesWrite, st.Airlocks, st.SaveAirlock, st.DeleteAirlock,
		func(x *store.Airlock) AirlockShape {
			return AirlockShape{Kept{x.ID, x.ChangedAt}, x.Name, x.Site, list(x.Doors), x.Board, x.WayOut}
		},
		func(id string, t *AirlockShape) store.Airlock {
			return store.Airlock{Airlock: access.Airlock{ID: id, Name: t.Name, Site: t.SiteID, Doors: t.Doors, Board: t.Board}, WayOut: t.WayOut}
		},
	}).register(s)
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"access"}}
	}
	add(s, filtered(PeopleRead), op("listInside", http.MethodGet, "/access/inside", "Who is inside of areas, by the doors of these", 0), s.listInside)
	add(s, global(PeopleWrite), op("pardon", http.MethodPost, "/access/areas/{id}/pardon",
		"Forget that somebody is inside of an area, or anybody; a board that keeps it by itself begins anew", http.StatusNoContent), s.pardon)
	add(s, atSite(PeopleWrite), op("endMuster", http.MethodPost, "/sites/{site}/muster/end",
		"After a muster: nobody is inside of the areas of a site any more", http.StatusNoContent), s.endMuster)
}

var errNoInside = problemf(http.StatusNotImplemented, "doors are not driven by this server")

func (s *Server) listInside(ctx context.Context, in *insideInput) (*listOutput[InsideShape], error) {
	out := []InsideShape{}
	areas, err := s.o.Store.Areas(ctx)
	if err != nil || s.o.Inside == nil {
		return listOf(out, ""), err
	}
	allowed := scope(ctx, PeopleRead).within(in.Site)
	for i := range areas {
		a := &areas[i].Area
		if !allowed.Allows(a.Site) {
			continue
		}
		for _, x := range s.o.Inside.InsideOf(a) {
			one := InsideShape{AreaID: a.ID, PersonID: x.Who, DoorID: strings.TrimPrefix(x.Place, string(event.DoorSubject)+"/"), Since: x.Since.UTC(), Unsure: x.Unsure}
			if id, card := strings.CutPrefix(x.Who, "credential/"); card {
				one.PersonID, one.CredentialID = "", id
			}
			one.Name = s.holderName(ctx, &event.Access{PersonID: one.PersonID, CredentialID: one.CredentialID})
			out = append(out, one)
		}
	}
	return listOf(out, ""), nil
}

func (s *Server) pardon(ctx context.Context, in *pardonInput) (*noContent, error) {
	whom := in.Body.PersonID
	switch {
	case s.o.Inside == nil:
		return nil, errNoInside
	case whom != "" && in.Body.CredentialID != "":
		return nil, &store.InvalidError{Field: "credentialId", Reason: "a credential or a person"}
	case in.Body.CredentialID != "":
		whom = "credential/" + in.Body.CredentialID
	}
	return nil, s.pardoned(ctx, []string{in.ID}, whom, in.Body.Reason)
}

func (s *Server) endMuster(ctx context.Context, in *emptiedInput) (*noContent, error) {
	areas, err := s.o.Store.Areas(ctx)
	if err != nil {
		return nil, err
	}
	if s.o.Inside == nil {
		return nil, errNoInside
	}
	var ids []string
	for _, a := range areas {
		if a.Site == in.Site {
			ids = append(ids, a.ID)
		}
	}
	return nil, s.pardoned(ctx, ids, "", in.Body.Reason)
}

func (s *Server) pardoned(ctx context.Context, areas []string, whom, reason string) error {
	return s.o.Inside.Pardon(ctx, who(ctx).actor(), areas, whom, reason)
}
