package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

type tagInput struct {
	Body struct {
		Stations []string `json:"stations" minItems:"1" maxItems:"1000"`
		Add      []string `json:"add,omitempty" maxItems:"20"`
		Remove   []string `json:"remove,omitempty" maxItems:"20"`
	}
}

type tagOutput struct {
	Body struct {
		Changed int                 `json:"changed"`
		Before  map[string][]string `json:"before" doc:"the tags that each changed station had"`
	}
}

func (s *Server) registerTags() {
	add(s, filtered(StationsWrite), huma.Operation{
		OperationID: "tagStations", Method: http.MethodPost, Path: "/stations/tags", Tags: []string{"stations"},
		Summary: "Add tags to stations and take others away, all or none",
	}, s.tagStations)
}

func (s *Server) tagStations(ctx context.Context, in *tagInput) (*tagOutput, error) {
	allowed := scope(ctx, StationsWrite)
	for _, id := range in.Body.Stations {
		// A station that the caller may not see is one that is not there.
		if site, ok := s.siteOf(id); !ok || !allowed.Allows(site) {
			return nil, store.ErrNotFound
		}
	}
	before, err := s.o.Store.TagStations(ctx, who(ctx).actor(), in.Body.Stations, in.Body.Add, in.Body.Remove)
	if err != nil {
		return nil, err
	}
	out := &tagOutput{}
	out.Body.Changed, out.Body.Before = len(before), before
	return out, nil
}
