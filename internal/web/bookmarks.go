package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// BookmarkShape is a moment of a camera's recordings that somebody marked.
type BookmarkShape struct {
	ID         string     `json:"id"`
	CameraID   string     `json:"cameraId"`
	SiteID     string     `json:"siteId"`
	At         time.Time  `json:"at"`
	Until      *time.Time `json:"until" doc:"null: a moment"`
	Text       string     `json:"text" doc:"plain text"`
	Keep       string     `json:"keep" enum:"incident,evidence," doc:"how long the pictures stay because of it: as long as those of incidents, until somebody lets go of them, or no longer than others"`
	Author     string     `json:"author" doc:"opaque id"`
	AuthorName string     `json:"authorName" doc:"empty once forgotten"`
	Mine       bool       `json:"mine"`
	CreatedAt  time.Time  `json:"createdAt"`
	MayDelete  bool       `json:"mayDelete" doc:"the caller may remove it"`
	Path       string     `json:"path" doc:"of the page that shows it"`
}

type bookmarksInput struct {
	Page
	Camera string    `query:"camera" maxLength:"700" doc:"only of these, up to ten ids separated by commas"`
	Site   string    `query:"site" maxLength:"48"`
	From   time.Time `query:"from" doc:"of what was recorded from then on"`
	To     time.Time `query:"to" doc:"not included"`
}

type newBookmarkInput struct {
	Camera string `path:"camera" maxLength:"64"`
	Body   struct {
		At    time.Time  `json:"at"`
		Until *time.Time `json:"until,omitempty" doc:"default: a moment; at most 6 h after at"`
		Text  string     `json:"text" minLength:"1" maxLength:"2000" doc:"plain text, at most 500 characters"`
		Keep  string     `json:"keep,omitempty" enum:"incident,evidence," doc:"needs the right to export evidence"`
	}
}

type bookmarkInput struct {
	Camera string `path:"camera" maxLength:"64"`
	ID     string `path:"id" maxLength:"64"`
}

type bookmarkOutput struct{ Body BookmarkShape }

func (s *Server) registerBookmarks() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"cameras"}}
	}
	add(s, filtered(VideoReview), op("listBookmarks", http.MethodGet, "/bookmarks", "Marked moments of recordings, those of the newest pictures first", 0), s.listBookmarks)
	add(s, atFilmed(VideoReview), op("addBookmark", http.MethodPost, "/cameras/{camera}/bookmarks", "Mark a moment of the recordings", http.StatusCreated), s.addBookmark)
	add(s, atFilmed(VideoReview), op("deleteBookmark", http.MethodDelete, "/cameras/{camera}/bookmarks/{id}", "Remove a mark; what it kept is kept no longer", http.StatusNoContent), s.deleteBookmark)
}

func (s *Server) listBookmarks(ctx context.Context, in *bookmarksInput) (*listOutput[BookmarkShape], error) {
	q := store.BookmarkQuery{Sites: scope(ctx, VideoReview).at(in.Site).sitesOrNil(), From: in.From, To: in.To, Limit: in.Limit}
	if in.Camera != "" {
		q.Cameras = strings.Split(in.Camera, ",")
		if len(q.Cameras) > 10 {
			return nil, problemf(http.StatusUnprocessableEntity, "validation failed", &huma.ErrorDetail{Message: "at most ten", Location: "query.camera", Value: in.Camera})
		}
	}
	place, err := decodeCursor("bookmarks", in.Cursor)
	if err != nil {
		return nil, err
	}
	if place != "" {
		text, id, _ := strings.Cut(place, " ")
		at, err := strconv.ParseInt(text, 10, 64)
		if err != nil || id == "" {
			return nil, errCursor
		}
		q.BeforeAt, q.BeforeID = time.UnixMilli(at), id
	}
	found, more, err := s.o.Store.Bookmarks(ctx, q)
	if err != nil {
		return nil, err
	}
	out, err := s.bookmarkShapes(ctx, found)
	if err != nil {
		return nil, err
	}
	next := ""
	if more {
		last := found[len(found)-1]
		next = encodeCursor("bookmarks", strconv.FormatInt(last.At.UnixMilli(), 10)+" "+last.ID)
	}
	return listOf(out, next), nil
}

func (s *Server) bookmarkShapes(ctx context.Context, found []store.Bookmark) ([]BookmarkShape, error) {
	ids := make([]string, 0, len(found))
	for _, b := range found {
		ids = append(ids, string(b.Author))
	}
	names, err := s.o.Store.UserNames(ctx, ids)
	if err != nil {
		return nil, err
	}
	p := who(ctx)
	out := make([]BookmarkShape, 0, len(found))
	for _, b := range found {
		x := BookmarkShape{
			ID: b.ID, CameraID: b.Camera, SiteID: b.SiteID, At: b.At, Text: b.Text, Keep: string(b.Keep), Author: string(b.Author),
			AuthorName: names[string(b.Author)], Mine: b.Author == p.actor(), CreatedAt: b.CreatedAt, MayDelete: mayUnmark(p, &b) == nil,
			Path: "/cameras?view=review&cams=" + b.Camera + "&at=" + strconv.FormatInt(b.At.UnixMilli(), 10),
		}
		if b.Until.After(b.At) {
			x.Until = &b.Until
		}
		out = append(out, x)
	}
	return out, nil
}

// mayUnmark says why somebody may not remove a mark: it is another's and they set
// no cameras up, or it keeps pictures that they could not lock themselves.
func mayUnmark(p *Principal, b *store.Bookmark) error {
	switch {
	case b.Author != p.actor() && !p.Scope(CamerasWrite).Allows(b.SiteID):
		return store.ErrNotYours
	case b.Keep != store.KeepNot && !p.Scope(EvidenceExport).Allows(b.SiteID):
		return errForbidden
	}
	return nil
}

func (s *Server) addBookmark(ctx context.Context, in *newBookmarkInput) (*bookmarkOutput, error) {
	c, ok := s.o.Store.Filmed(in.Camera)
	if !ok {
		return nil, store.ErrNotFound
	}
	p := who(ctx)
	b := store.Bookmark{Camera: c.ID, SiteID: c.SiteID, At: in.Body.At, Text: in.Body.Text, Keep: store.Keep(in.Body.Keep)}
	if in.Body.Until != nil {
		b.Until = *in.Body.Until
	}
	if b.At.After(s.now()) {
		return nil, &store.InvalidError{Field: "at", Reason: "has not come yet"}
	}
	if b.Keep != store.KeepNot && (s.o.Footage == nil || !p.Scope(EvidenceExport).Allows(c.SiteID)) {
		return nil, problemf(http.StatusForbidden, "your role does not keep pictures for longer")
	}
	kept, err := s.o.Store.AddBookmark(ctx, p.actor(), b)
	if err != nil {
		return nil, err
	}
	if kept.Keep != store.KeepNot {
		if err := s.o.Footage.KeepFor(*kept); err != nil {
			// It must not say that something is kept that is not.
			if undo := s.o.Store.DeleteBookmark(context.WithoutCancel(ctx), store.System, kept.ID); undo != nil {
				s.log.ErrorContext(ctx, "a bookmark keeps nothing", "bookmark", kept.ID, "err", undo)
			}
			return nil, err
		}
	}
	out, err := s.bookmarkShapes(ctx, []store.Bookmark{*kept})
	if err != nil {
		return nil, err
	}
	return &bookmarkOutput{Body: out[0]}, nil
}

func (s *Server) deleteBookmark(ctx context.Context, in *bookmarkInput) (*noContent, error) {
	b, err := s.o.Store.Bookmark(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if b.Camera != in.Camera {
		return nil, store.ErrNotFound
	}
	p := who(ctx)
	if !p.Scope(VideoReview).Allows(b.SiteID) { // the camera has moved since
		return nil, store.ErrNotFound
	}
	if err := mayUnmark(p, b); err != nil {
		return nil, err
	}
	if err := s.o.Store.DeleteBookmark(ctx, p.actor(), b.ID); err != nil {
		return nil, err
	}
	if b.Keep != store.KeepNot && s.o.Footage != nil {
		return nil, s.o.Footage.LetGo(b.ID)
	}
	return nil, nil
}
