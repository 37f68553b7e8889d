package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// Keeping knows how much room there is for recordings.
type Keeping interface {
	VideoSpace() (VideoSpace, error)
	// HeldTimes is how many times of a camera incidents and evidence hold.
	HeldTimes(camera string) int
}

// VideoSpace is what all recordings take.
type VideoSpace struct {
	Bytes      int64 `json:"bytes" doc:"of all recordings"`
	FreeBytes  int64 `json:"freeBytes" doc:"of the disk"`
	TotalBytes int64 `json:"totalBytes"`
	RoomBytes  int64 `json:"roomBytes" doc:"may be added before the oldest recordings go"`
}

// RetentionRule is what was decided about keeping, for a site or for all.
type RetentionRule struct {
	SiteID       string     `json:"siteId" doc:"empty: everywhere"`
	Days         float64    `json:"days" doc:"of what is recorded; 0: as everywhere, or 3"`
	IncidentDays float64    `json:"incidentDays" doc:"of what incidents hold; 0: as everywhere, or 30"`
	MaxBytes     int64      `json:"maxBytes" doc:"of all recordings; 0: no bound"`
	Purpose      string     `json:"purpose"`
	ChangedAt    *time.Time `json:"changedAt"`
	ChangedBy    string     `json:"changedBy" doc:"opaque id"`
}

// RetentionShapeAll is how long pictures stay and what was decided about it.
type RetentionShapeAll struct {
	Everywhere RetentionRule   `json:"everywhere"`
	Sites      []RetentionRule `json:"sites" doc:"those for which something was decided"`
	Space      *VideoSpace     `json:"space" doc:"null: only for those who see all sites"`
}

// CameraKept is how the recordings of one camera are kept.
type CameraKept struct {
	CameraID  string     `json:"cameraId"`
	SiteID    string     `json:"siteId"`
	Label     string     `json:"label"`
	Recording string     `json:"recording" enum:"continuous,event,off"`
	RemovedAt *time.Time `json:"removedAt" doc:"nobody set it up any more; its recordings stay until their time is over"`
	OwnDays   float64    `json:"ownDays" doc:"decided for the camera itself; 0: as at its site"`
	MaxBytes  int64      `json:"maxBytes" doc:"bound of the camera; 0: none"`
	Purpose   string     `json:"purpose" doc:"its own, or that of its site"`
	HeldTimes int        `json:"heldTimes" doc:"that incidents and evidence hold"`
	RetentionState
}

type (
	retentionAllOutput  struct{ Body RetentionShapeAll }
	retentionRuleOutput struct{ Body RetentionRule }
	retentionRuleBody   struct {
		Days         float64 `json:"days,omitempty" minimum:"0" doc:"0: as everywhere, or 3"`
		IncidentDays float64 `json:"incidentDays,omitempty" minimum:"0" doc:"0: as everywhere, or 30"`
		MaxBytes     int64   `json:"maxBytes,omitempty" minimum:"0" doc:"0: no bound"`
		Purpose      string  `json:"purpose,omitempty" maxLength:"500" doc:"why; a site needs it for more than 3 days, or 30 for incidents"`
	}
	retentionInput     struct{ Body retentionRuleBody }
	siteRetentionInput struct {
		Site string `path:"site" maxLength:"48"`
		Body retentionRuleBody
	}
	keptInput struct {
		Page
		Site    string `query:"site" maxLength:"48"`
		Removed bool   `query:"removed" doc:"only cameras that were removed"`
	}
)

func (s *Server) registerRetention() {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"cameras"}}
	}
	add(s, filtered(CamerasRead), op("getVideoRetention", http.MethodGet, "/video/retention", "How long pictures stay, as decided"), s.getVideoRetention)
	add(s, global(CamerasWrite), op("setVideoRetention", http.MethodPut, "/video/retention", "Decide how long pictures stay everywhere"), s.setVideoRetention)
	add(s, atSite(CamerasWrite), op("setSiteRetention", http.MethodPut, "/sites/{site}/video-retention", "Decide how long pictures stay at a site"), s.setSiteRetention)
	add(s, filtered(CamerasRead), op("listKept", http.MethodGet, "/video/kept",
		"What is kept of each camera; those that were removed only for who may see recordings"), s.listKept)
}

func retentionRule(r store.Retention) RetentionRule {
	return RetentionRule{
		SiteID: r.SiteID, Days: r.Days, IncidentDays: r.IncidentDays, MaxBytes: r.Bytes, Purpose: r.Purpose,
		ChangedAt: instant(r.At), ChangedBy: string(r.By),
	}
}

func (s *Server) getVideoRetention(ctx context.Context, _ *struct{}) (*retentionAllOutput, error) {
	allowed := scope(ctx, CamerasRead)
	out := RetentionShapeAll{Everywhere: retentionRule(s.o.Store.Retention("")), Sites: []RetentionRule{}}
	for _, r := range s.o.Store.SiteRetentions() {
		if allowed.Allows(r.SiteID) {
			out.Sites = append(out.Sites, retentionRule(*r))
		}
	}
	if allowed.All() && s.o.Keeping != nil {
		space, err := s.o.Keeping.VideoSpace()
		if err != nil {
			return nil, err
		}
		out.Space = &space
	}
	return &retentionAllOutput{Body: out}, nil
}

func (s *Server) setVideoRetention(ctx context.Context, in *retentionInput) (*retentionRuleOutput, error) {
	return s.putRetention(ctx, "", in.Body)
}

func (s *Server) setSiteRetention(ctx context.Context, in *siteRetentionInput) (*retentionRuleOutput, error) {
	return s.putRetention(ctx, in.Site, in.Body)
}

func (s *Server) putRetention(ctx context.Context, site string, b retentionRuleBody) (*retentionRuleOutput, error) {
	r, err := s.o.Store.SetRetention(ctx, who(ctx).actor(), store.Retention{
		SiteID: site, Days: b.Days, IncidentDays: b.IncidentDays, Bytes: b.MaxBytes, Purpose: b.Purpose,
	})
	if err != nil {
		return nil, err
	}
	return &retentionRuleOutput{Body: retentionRule(r)}, nil
}

// retentionState is how a camera's recordings are kept, as last measured.
func (s *Server) retentionState(c *store.Camera) RetentionState {
	var out RetentionState
	if s.o.Footage != nil {
		out, _ = s.o.Footage.Retention(c.ID)
	}
	out.PromisedDays = s.o.Store.Kept(c).Days
	return out
}

func (s *Server) listKept(ctx context.Context, in *keptInput) (*listOutput[CameraKept], error) {
	after, err := decodeCursor("kept", in.Cursor)
	if err != nil {
		return nil, err
	}
	allowed, review := scope(ctx, CamerasRead), scope(ctx, VideoReview)
	var out []CameraKept
	full := false
	take := func(c *store.Camera, removed *time.Time, scope Scope) {
		if full || c.ID <= after || !scope.Allows(c.SiteID) || in.Site != "" && c.SiteID != in.Site {
			return
		}
		if full = len(out) == in.Limit; full {
			return
		}
		x := CameraKept{
			CameraID: c.ID, SiteID: c.SiteID, Label: c.Label, Recording: string(c.Record), RemovedAt: removed, OwnDays: c.PromisedDays,
			MaxBytes: c.MaxBytes, Purpose: s.o.Store.Kept(c).Purpose, RetentionState: s.retentionState(c),
		}
		if x.Recording == "" {
			x.Recording = string(store.RecordContinuous)
		}
		if s.o.Keeping != nil {
			x.HeldTimes = s.o.Keeping.HeldTimes(c.ID)
		}
		out = append(out, x)
	}
	live, gone := s.o.Store.Cameras(), s.o.Store.RemovedCameras()
	if in.Removed {
		live = nil
	}
	for len(live)+len(gone) > 0 { // both are in the order of their ids
		if len(gone) == 0 || len(live) > 0 && live[0].ID < gone[0].ID {
			take(live[0], nil, allowed)
			live = live[1:]
			continue
		}
		take(&gone[0].Camera, instant(gone[0].At), review)
		gone = gone[1:]
	}
	if full {
		return listOf(out, encodeCursor("kept", out[len(out)-1].CameraID)), nil
	}
	return listOf(out, ""), nil
}
