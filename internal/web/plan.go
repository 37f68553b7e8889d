package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// PlanShape is a site's plan without its picture, which is at /sites/{site}/plan.
type PlanShape struct {
	Width     int       `json:"width" doc:"pixels"`
	Height    int       `json:"height"`
	Digest    string    `json:"digest" doc:"changes with the picture"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// PinShape is where a station stands on the plan.
type PinShape struct {
	Station string  `json:"station" maxLength:"48"`
	X       float64 `json:"x" minimum:"0" maximum:"1" doc:"part of the width, from the left"`
	Y       float64 `json:"y" minimum:"0" maximum:"1" doc:"part of the height, from the top"`
}

type planInput struct {
	Site    string `path:"site" maxLength:"48"`
	RawBody []byte `contentType:"application/octet-stream"`
}

type planOutput struct{ Body PlanShape }

type pinsOutput struct{ Body Items[PinShape] }

type pinsInput struct {
	Site string `path:"site" maxLength:"48"`
	Body struct {
		Items []PinShape `json:"items" maxItems:"2000"`
	}
}

// imagePolicy is for a picture that came from outside: should a browser take it
// for a page, that page can do nothing.
const imagePolicy = "default-src 'none'; sandbox; frame-ancestors 'none'"

func (s *Server) registerPlans() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"sites"}}
	}
	put := op("putSitePlan", http.MethodPut, "/sites/{site}/plan", "Set the plan or photo of a site", 0)
	put.Description = "PNG or JPEG, at most 5 MiB and 40 million pixels. It is encoded anew: only the pixels are kept."
	put.MaxBodyBytes, put.BodyReadTimeout = maxPlanBytes+1, time.Minute
	add(s, atSite(SitesWrite), put, s.putPlan)
	add(s, atSite(SitesWrite), op("deleteSitePlan", http.MethodDelete, "/sites/{site}/plan", "Remove the plan and its pins", http.StatusNoContent),
		func(ctx context.Context, in *siteInput) (*noContent, error) {
			return nil, s.o.Store.DeletePlan(ctx, who(ctx).actor(), in.Site)
		})
	s.raw(http.MethodGet, base+"/sites/{site}/plan", atSite(SitesRead), s.getPlan)
	add(s, atSite(SitesRead), op("listSitePins", http.MethodGet, "/sites/{site}/plan/pins", "Where the stations stand on the plan", 0), s.getPins)
	add(s, atSite(SitesWrite), op("putSitePins", http.MethodPut, "/sites/{site}/plan/pins", "Place the stations on the plan; replaces all pins", 0), s.putPins)
}

func planShape(p *store.Plan) *PlanShape {
	return &PlanShape{Width: p.Width, Height: p.Height, Digest: p.Digest, UpdatedAt: p.UpdatedAt}
}

// putPlan decodes one picture at a time: a large one takes 160 MB for a moment.
func (s *Server) putPlan(ctx context.Context, in *planInput) (*planOutput, error) {
	done, err := s.onePicture(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	picture, err := readPlan(in.RawBody)
	switch {
	case errors.Is(err, errPlanBig):
		return nil, problemf(http.StatusRequestEntityTooLarge, errPlanBig.Error())
	case errors.Is(err, errPlanKind), errors.Is(err, errPlanSize), errors.Is(err, errPlanBad):
		return nil, problemf(http.StatusUnprocessableEntity, "validation failed", &huma.ErrorDetail{Message: err.Error(), Location: "body"})
	case err != nil:
		return nil, err
	}
	p, err := s.o.Store.PutPlan(ctx, who(ctx).actor(), store.Plan{
		Site: in.Site, Type: picture.kind, Width: picture.width, Height: picture.height,
	}, picture.data)
	if err != nil {
		return nil, err
	}
	return &planOutput{Body: *planShape(p)}, nil
}

func (s *Server) getPlan(w http.ResponseWriter, r *http.Request) {
	p, picture, err := s.o.Store.PlanImage(r.Context(), r.PathValue("site"))
	if err != nil {
		if errors.Is(err, store.ErrNotFound) {
			err = problemf(http.StatusNotFound, "this site has no plan")
		}
		writeProblem(w, s.problem(r.Context(), err))
		return
	}
	h := w.Header()
	h.Set("Content-Type", p.Type)
	h.Set("Content-Security-Policy", imagePolicy)
	h.Set("Content-Disposition", "inline")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", fmt.Sprintf("%q", p.Digest))
	http.ServeContent(w, r, "", p.UpdatedAt, bytes.NewReader(picture))
}

func (s *Server) getPins(ctx context.Context, in *siteInput) (*pinsOutput, error) {
	pins, err := s.o.Store.Pins(ctx, in.Site)
	if err != nil {
		return nil, err
	}
	out := pinsOutput{Body: Items[PinShape]{Items: make([]PinShape, 0, len(pins))}}
	for _, p := range pins {
		out.Body.Items = append(out.Body.Items, PinShape(p))
	}
	return &out, nil
}

func (s *Server) putPins(ctx context.Context, in *pinsInput) (*pinsOutput, error) {
	pins := make([]store.Pin, 0, len(in.Body.Items))
	for _, p := range in.Body.Items {
		pins = append(pins, store.Pin(p))
	}
	if err := s.o.Store.PutPins(ctx, who(ctx).actor(), in.Site, pins); err != nil {
		return nil, err
	}
	return s.getPins(ctx, &siteInput{Site: in.Site})
}
