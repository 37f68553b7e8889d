package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// WallShape is cameras side by side, in order, under a name.
type WallShape struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Tiles     []WallTileShape `json:"tiles" doc:"those that the caller may know of, in order"`
	Shared    bool            `json:"shared" doc:"others see it too"`
	Mine      bool            `json:"mine"`
	MayDelete bool            `json:"mayDelete"`
	FirstOf   []string        `json:"firstOf" doc:"sites that show it first; empty text: the network"`
	CreatedAt time.Time       `json:"createdAt"`
}

// WallTileShape is a camera on a wall.
type WallTileShape struct {
	Camera string `json:"camera" maxLength:"64"`
	Large  bool   `json:"large,omitempty" doc:"twice as wide and high as the others"`
}

type newWallInput struct {
	Body struct {
		Name   string          `json:"name" minLength:"1" maxLength:"256"`
		Tiles  []WallTileShape `json:"tiles" minItems:"1" maxItems:"12"`
		Shared bool            `json:"shared,omitempty"`
	}
}

type firstWallInput struct {
	Site string `path:"site" maxLength:"48"`
	Body struct {
		Wall string `json:"wall" maxLength:"64" doc:"empty: all cameras of the site"`
	}
}

type (
	wallOutput struct{ Body WallShape }
	wallInput  struct {
		ID string `path:"id" maxLength:"64"`
	}
)

func (s *Server) registerWalls() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"cameras"}}
	}
	add(s, filtered(CamerasRead), op("listWalls", http.MethodGet, "/walls", "Saved walls of cameras: one's own and shared ones", 0), s.listWalls)
	add(s, filtered(VideoLive), op("saveWall", http.MethodPost, "/walls", "Save a wall; the own one of that name is replaced", http.StatusCreated), s.saveWall)
	add(s, filtered(VideoLive), op("deleteWall", http.MethodDelete, "/walls/{id}", "Forget a wall", http.StatusNoContent), s.deleteWall)
	add(s, atSite(CamerasWrite), op("setFirstWall", http.MethodPut, "/sites/{site}/wall", "Which shared wall the site shows first", http.StatusNoContent), s.setFirstWall)
}

// wallShape is a wall with the cameras that the caller may know of.
func (s *Server) wallShape(w store.Wall, p *Principal) WallShape {
	cameras := p.Scope(CamerasRead)
	out := WallShape{
		ID: w.ID, Name: w.Name, Shared: w.Shared, Mine: w.Owner == p.actor(), MayDelete: mayDeleteWall(p, &w) == nil,
		CreatedAt: w.CreatedAt, Tiles: []WallTileShape{}, FirstOf: []string{},
	}
	for _, t := range w.Tiles {
		if c, ok := s.o.Store.Camera(t.Camera); ok && cameras.Allows(c.SiteID) {
			out.Tiles = append(out.Tiles, WallTileShape{Camera: t.Camera, Large: t.Large})
		}
	}
	for _, site := range w.FirstOf {
		if cameras.Allows(site) {
			out.FirstOf = append(out.FirstOf, site)
		}
	}
	return out
}

func mayDeleteWall(p *Principal, w *store.Wall) error {
	switch {
	case p.Kiosk == nil && w.Owner == p.actor():
		return nil
	case w.Shared && p.Scope(CamerasWrite).All():
		return nil
	case w.Shared:
		return errForbidden
	}
	return store.ErrNotFound // not even that it is there
}

func (s *Server) listWalls(ctx context.Context, _ *struct{}) (*listOutput[WallShape], error) {
	p := who(ctx)
	found, err := s.o.Store.Walls(ctx, p.actor())
	if err != nil {
		return nil, err
	}
	out := make([]WallShape, 0, len(found))
	for _, w := range found {
		// One that shows nothing that somebody may know of says nothing to them, not
		// even by its name.
		if x := s.wallShape(w, p); x.Mine || len(x.Tiles) > 0 {
			out = append(out, x)
		}
	}
	return listOf(out, ""), nil
}

func (s *Server) saveWall(ctx context.Context, in *newWallInput) (*wallOutput, error) {
	p := who(ctx)
	if p.Kiosk != nil {
		return nil, errForbidden
	}
	w := store.Wall{Owner: p.actor(), Name: in.Body.Name, Shared: in.Body.Shared}
	for i, t := range in.Body.Tiles {
		if c, ok := s.o.Store.Camera(t.Camera); !ok || !p.Scope(CamerasRead).Allows(c.SiteID) {
			return nil, problemf(http.StatusUnprocessableEntity, "validation failed",
				&huma.ErrorDetail{Message: "no such camera", Location: "body.tiles[" + strconv.Itoa(i) + "].camera", Value: t.Camera})
		}
		w.Tiles = append(w.Tiles, store.WallTile{Camera: t.Camera, Large: t.Large})
	}
	kept, err := s.o.Store.SaveWall(ctx, w)
	if err != nil {
		return nil, err
	}
	return &wallOutput{Body: s.wallShape(*kept, p)}, nil
}

func (s *Server) deleteWall(ctx context.Context, in *wallInput) (*noContent, error) {
	p := who(ctx)
	w, err := s.o.Store.Wall(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := mayDeleteWall(p, w); err != nil {
		return nil, err
	}
	return nil, s.o.Store.DeleteWall(ctx, p.actor(), w.ID)
}

// setFirstWall takes a wall only that the caller sees and that has a camera of the
// site: others would see nothing of theirs first.
func (s *Server) setFirstWall(ctx context.Context, in *firstWallInput) (*noContent, error) {
	p := who(ctx)
	if in.Body.Wall != "" {
		w, err := s.o.Store.Wall(ctx, in.Body.Wall)
		unknown := &store.InvalidError{Field: "wall", Reason: "there is none with this id"}
		if err != nil || !w.Shared && w.Owner != p.actor() {
			return nil, unknown
		}
		if len(s.wallShape(*w, p).Tiles) == 0 {
			return nil, unknown
		}
		if !slices.ContainsFunc(w.Tiles, func(t store.WallTile) bool {
			c, ok := s.o.Store.Camera(t.Camera)
			return ok && c.SiteID == in.Site
		}) {
			return nil, &store.InvalidError{Field: "wall", Reason: "shows no camera of this site"}
		}
	}
	return nil, s.o.Store.SetFirstWall(ctx, p.actor(), in.Site, in.Body.Wall)
}
