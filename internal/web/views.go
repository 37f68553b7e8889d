package web

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// ViewShape is a page with its filter, order and columns, under a name.
type ViewShape struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Path      string    `json:"path" doc:"of a page here, with its query"`
	Shared    bool      `json:"shared" doc:"others see it too"`
	Mine      bool      `json:"mine"`
	By        string    `json:"by" doc:"opaque id of who saved it"`
	CreatedAt time.Time `json:"createdAt"`
}

type newViewInput struct {
	Body struct {
		Name   string `json:"name" minLength:"1" maxLength:"256"`
		Path   string `json:"path" minLength:"1" maxLength:"2000" doc:"such as /stations?state=faulted"`
		Shared bool   `json:"shared,omitempty"`
	}
}

type viewOutput struct{ Body ViewShape }

type viewInput struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *Server) registerViews() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"views"}}
	}
	add(s, signedIn(), op("listViews", http.MethodGet, "/views", "Saved views: one's own and shared ones", 0), s.listViews)
	add(s, signedIn(), op("saveView", http.MethodPost, "/views", "Save a view; the own one of that name is replaced", http.StatusCreated), s.saveView)
	add(s, signedIn(), op("deleteView", http.MethodDelete, "/views/{id}", "Forget a view", http.StatusNoContent), s.deleteView)
}

func viewShape(v store.View, p *Principal) ViewShape {
	return ViewShape{
		ID: v.ID, Name: v.Name, Path: v.Path, Shared: v.Shared, Mine: v.Owner == p.actor(), By: string(v.Owner), CreatedAt: v.CreatedAt,
	}
}

func (s *Server) listViews(ctx context.Context, _ *struct{}) (*listOutput[ViewShape], error) {
	p := who(ctx)
	found, err := s.o.Store.Views(ctx, p.actor())
	if err != nil {
		return nil, err
	}
	out := make([]ViewShape, 0, len(found))
	for _, v := range found {
		// A view of another person may name a site that this one knows nothing of.
		if u, err := url.Parse(v.Path); err != nil || v.Owner != p.actor() && u.Query().Has("site") && !p.Scope(StationsRead).Allows(u.Query().Get("site")) {
			continue
		}
		out = append(out, viewShape(v, p))
	}
	return listOf(out, ""), nil
}

func (s *Server) saveView(ctx context.Context, in *newViewInput) (*viewOutput, error) {
	p := who(ctx)
	if p.Kiosk != nil {
		return nil, errForbidden
	}
	// What is shared with those who see other sites is for those who run all.
	if in.Body.Shared && !p.Scope(StationsRead).All() {
		return nil, problemf(http.StatusForbidden, "who sees some sites only shares no view")
	}
	v, err := s.o.Store.SaveView(ctx, store.View{Owner: p.actor(), Name: in.Body.Name, Path: in.Body.Path, Shared: in.Body.Shared})
	if err != nil {
		return nil, err
	}
	return &viewOutput{Body: viewShape(*v, p)}, nil
}

func (s *Server) deleteView(ctx context.Context, in *viewInput) (*noContent, error) {
	p := who(ctx)
	v, err := s.o.Store.View(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	switch {
	case p.Kiosk == nil && v.Owner == p.actor():
	case v.Shared && p.Scope(UsersWrite).All():
	case v.Shared:
		return nil, errForbidden
	default: // not even that it is there
		return nil, store.ErrNotFound
	}
	return nil, s.o.Store.DeleteView(ctx, p.actor(), in.ID)
}
