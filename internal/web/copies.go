package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// Copies are pictures on their way to the second place.
type Copies interface {
	ListCopies() []CopyShape
	// TryPlace looks whether a place takes copies, ChoosePlace prepares one that was
	// decided for. Their errors are *PlaceError.
	TryPlace(ctx context.Context, p store.SecondPlace) error
	ChoosePlace(ctx context.Context, p store.SecondPlace) error
}

// PlaceError says why a place does not take copies; Code is for programs.
type PlaceError struct{ Code, Detail string }

func (e *PlaceError) Error() string { return e.Code + ": " + e.Detail }

// CopyShape is a time of one camera that goes to the second place.
type CopyShape struct {
	ID         string     `json:"id"`
	IncidentID string     `json:"incidentId"`
	CameraID   string     `json:"cameraId"`
	SiteID     string     `json:"siteId"`
	From       time.Time  `json:"from"`
	To         time.Time  `json:"to"`
	State      string     `json:"state" enum:"waiting,sending,done,failed"`
	AddedAt    time.Time  `json:"addedAt"`
	EndedAt    *time.Time `json:"endedAt"`
	NextAt     *time.Time `json:"nextAt" doc:"when it is tried next; null: it is not waiting"`
	Tries      int        `json:"tries"`
	Reason     string     `json:"reason" doc:"why the last try failed, as a code: unreachable, notAllowed, certificate, timeout, credentials, refused, noBucket, clock, notThere, unwritable, full, redirected, answered, noPictures, dropped, tooLate"`
	Detail     string     `json:"detail"`
	Bytes      int64      `json:"bytes"`
	Name       string     `json:"name" doc:"at the second place; what it is lies beside it as .json"`
	Place      string     `json:"place" doc:"which place has it: a folder, or a bucket and its host; empty: none yet"`
}

// PlaceShape is where copies go. The secret is written, never read.
type PlaceShape struct {
	Kind       string     `json:"kind" enum:"folder,s3"`
	Folder     string     `json:"folder"`
	Endpoint   string     `json:"endpoint"`
	Region     string     `json:"region"`
	Bucket     string     `json:"bucket"`
	Prefix     string     `json:"prefix"`
	AccessKey  string     `json:"accessKey"`
	HostStyle  bool       `json:"hostStyle" doc:"the bucket is a part of the host's name"`
	HasSecret  bool       `json:"hasSecret"`
	SecretLost bool       `json:"secretLost" doc:"it was sealed with a key that is gone: enter it again"`
	ChangedAt  *time.Time `json:"changedAt"`
	ChangedBy  string     `json:"changedBy" doc:"opaque id"`
}

// SecondPlaceShape is the second place, if there is one, and how copies fare.
type SecondPlaceShape struct {
	Place   *PlaceShape `json:"place" doc:"null: pictures are copied nowhere"`
	Waiting int         `json:"waiting"`
	DoneAt  *time.Time  `json:"doneAt" doc:"of the newest copy that arrived"`
	Reason  string      `json:"reason" doc:"why the newest that waits did not arrive; empty: nothing failed"`
}

// PlaceTried is what came of looking at a place.
type PlaceTried struct {
	OK     bool   `json:"ok"`
	Reason string `json:"reason" doc:"as a code, see copies; sameFolder: it is the data folder"`
	Detail string `json:"detail"`
}

type (
	placeBody struct {
		Kind      string  `json:"kind" enum:"folder,s3"`
		Folder    string  `json:"folder,omitempty" maxLength:"500" doc:"the whole path of a folder of the server's machine"`
		Endpoint  string  `json:"endpoint,omitempty" maxLength:"500" doc:"https://HOST of a store that speaks S3"`
		Region    string  `json:"region,omitempty" maxLength:"40" doc:"default us-east-1"`
		Bucket    string  `json:"bucket,omitempty" maxLength:"63"`
		Prefix    string  `json:"prefix,omitempty" maxLength:"200" doc:"of all names"`
		AccessKey string  `json:"accessKey,omitempty" maxLength:"200"`
		SecretKey *string `json:"secretKey,omitempty" maxLength:"200" doc:"kept sealed, never shown; missing: the one that is kept, for the same place"`
		HostStyle bool    `json:"hostStyle,omitempty"`
	}
	placeInput       struct{ Body placeBody }
	secondOutput     struct{ Body SecondPlaceShape }
	placeTriedOutput struct{ Body PlaceTried }
	copiesInput      struct {
		Page
		Site     string `query:"site" maxLength:"48"`
		Incident string `query:"incident" maxLength:"64"`
		State    string `query:"state" enum:"waiting,sending,done,failed"`
	}
)

func (s *Server) registerCopies() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"cameras"}}
	}
	const path = "/video/second-place"
	add(s, global(SystemConfigure), op("getSecondPlace", http.MethodGet, path, "Where the last minute is copied when somebody tampers", 0), s.getSecondPlace)
	add(s, global(SystemConfigure).reauthenticated(), op("setSecondPlace", http.MethodPut, path, "Decide where it is copied", 0), s.setSecondPlace)
	add(s, global(SystemConfigure).reauthenticated(), op("removeSecondPlace", http.MethodDelete, path, "Copy it nowhere", http.StatusNoContent), s.removeSecondPlace)
	add(s, global(SystemConfigure), op("trySecondPlace", http.MethodPost, path+"/test", "Look whether a place takes copies", 0), s.trySecondPlace)
	add(s, filtered(VideoReview), op("listCopies", http.MethodGet, "/video/copies", "What goes to the second place, newest first", 0), s.listCopies)
}

func (s *Server) getSecondPlace(ctx context.Context, _ *struct{}) (*secondOutput, error) {
	var out SecondPlaceShape
	p, err := s.o.Store.SecondPlace(ctx)
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return nil, err
	default:
		out.Place = &PlaceShape{
			Kind: p.Kind, Folder: p.Folder, Endpoint: p.Endpoint, Region: p.Region, Bucket: p.Bucket, Prefix: p.Prefix, AccessKey: p.AccessKey,
			HostStyle: p.HostStyle, HasSecret: p.Secret != "", SecretLost: p.SecretLost, ChangedAt: instant(p.At), ChangedBy: string(p.By),
		}
	}
	if s.o.Copies == nil {
		return &secondOutput{Body: out}, nil
	}
	for _, c := range s.o.Copies.ListCopies() {
		switch {
		case c.State == "waiting" || c.State == "sending":
			out.Waiting++
			if out.Reason == "" {
				out.Reason = c.Reason
			}
		case c.State == "done" && out.DoneAt == nil:
			out.DoneAt = c.EndedAt
		}
	}
	return &secondOutput{Body: out}, nil
}

func (b *placeBody) place() store.SecondPlace {
	return store.SecondPlace{
		Kind: b.Kind, Folder: b.Folder, Endpoint: b.Endpoint, Region: b.Region, Bucket: b.Bucket, Prefix: b.Prefix, AccessKey: b.AccessKey, HostStyle: b.HostStyle,
	}
}

var errNoCopies = problemf(http.StatusNotImplemented, "this server copies nothing")

func (s *Server) setSecondPlace(ctx context.Context, in *placeInput) (*secondOutput, error) {
	if s.o.Copies == nil {
		return nil, errNoCopies
	}
	p, err := s.o.Store.WithSecret(ctx, in.Body.place(), in.Body.SecretKey)
	if err != nil {
		return nil, err
	}
	if err := s.o.Copies.ChoosePlace(ctx, p); err != nil {
		if why, ok := errors.AsType[*PlaceError](err); ok {
			return nil, &store.InvalidError{Field: "folder", Reason: why.Detail}
		}
		return nil, err
	}
	if _, err := s.o.Store.SetSecondPlace(ctx, who(ctx).actor(), p); err != nil {
		return nil, err
	}
	return s.getSecondPlace(ctx, nil)
}

func (s *Server) removeSecondPlace(ctx context.Context, _ *struct{}) (*struct{}, error) {
	return nil, s.o.Store.RemoveSecondPlace(ctx, who(ctx).actor())
}

func (s *Server) trySecondPlace(ctx context.Context, in *placeInput) (*placeTriedOutput, error) {
	if s.o.Copies == nil {
		return nil, errNoCopies
	}
	p, err := s.o.Store.WithSecret(ctx, in.Body.place(), in.Body.SecretKey)
	if err != nil {
		return nil, err
	}
	if err := s.o.Store.Record(ctx, who(ctx).actor(), "secondPlace.test", "system/secondPlace", map[string]any{
		"kind": p.Kind, "folder": p.Folder, "endpoint": p.Endpoint, "bucket": p.Bucket,
	}); err != nil {
		return nil, err
	}
	err = s.o.Copies.TryPlace(ctx, p)
	if why, ok := errors.AsType[*PlaceError](err); ok {
		return &placeTriedOutput{Body: PlaceTried{Reason: why.Code, Detail: why.Detail}}, nil
	}
	return &placeTriedOutput{Body: PlaceTried{OK: err == nil}}, err
}

func (s *Server) listCopies(ctx context.Context, in *copiesInput) (*listOutput[CopyShape], error) {
	after, err := decodeCursor("copies", in.Cursor)
	if err != nil {
		return nil, err
	}
	allowed := scope(ctx, VideoReview)
	var out []CopyShape
	if s.o.Copies == nil {
		return listOf(out, ""), nil
	}
	for _, c := range s.o.Copies.ListCopies() {
		if after != "" { // they are the newest first; those up to the cursor were shown
			if c.ID == after {
				after = ""
			}
			continue
		}
		if !allowed.Allows(c.SiteID) || in.Site != "" && c.SiteID != in.Site || in.Incident != "" && c.IncidentID != in.Incident || in.State != "" && c.State != in.State {
			continue
		}
		if len(out) == in.Limit {
			return listOf(out, encodeCursor("copies", out[len(out)-1].ID)), nil
		}
		out = append(out, c)
	}
	return listOf(out, ""), nil
}
