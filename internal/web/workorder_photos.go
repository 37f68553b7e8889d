package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/picture"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Photos keeps the pictures of photos as files.
type Photos interface {
	// Put writes a photo; ErrNoRoom while the disk is nearly full.
	Put(id string, p *picture.Photo) error
	Open(id string, small bool) (*os.File, error)
	Remove(id string) error
}

// ErrNoRoom is returned when pictures give way to what must not be lost.
var ErrNoRoom = errors.New("the disk is nearly full")

var errNoPhotos = problemf(http.StatusNotImplemented, "this server keeps no photos")

// OrderPhotoShape is a photo of a work order; its picture is at
// /workorders/{id}/photos/{photo}.
type OrderPhotoShape struct {
	ID        string    `json:"id"`
	By        string    `json:"by"`
	At        time.Time `json:"at"`
	Width     int       `json:"width" doc:"pixels"`
	Height    int       `json:"height"`
	Bytes     int64     `json:"bytes" doc:"on the disk"`
	Deletable bool      `json:"deletable" doc:"the caller may delete it"`
}

type orderPhotoInput struct {
	ID      string `path:"id" maxLength:"64"`
	RawBody []byte `contentType:"application/octet-stream"`
}

type orderPhotoOutput struct{ Body OrderPhotoShape }

type oneOrderPhotoInput struct {
	ID    string `path:"id" maxLength:"64"`
	Photo string `path:"photo" maxLength:"64"`
}

func (s *Server) registerOrderPhotos() {
	put := huma.Operation{
		OperationID: "addWorkOrderPhoto", Method: http.MethodPost, Path: "/workorders/{id}/photos", Tags: []string{"workorders"},
		Summary: "Add a photo to a work order", DefaultStatus: http.StatusCreated,
		Description: fmt.Sprintf("PNG or JPEG, at most %d MiB and %d million pixels, %d for an order. It is turned upright and encoded anew: "+
			"where it was taken is not kept. The same photo sent twice is one photo. The picture is at `/workorders/{id}/photos/{photo}`, a small one with `?size=small`.",
			picture.MaxBytes>>20, picture.MaxPixels/1_000_000, store.MaxOrderPhotos),
		MaxBodyBytes: picture.MaxBytes + 1, BodyReadTimeout: 3 * time.Minute, // a phone in a garage
	}
	add(s, filtered(WorkOrdersWrite), put, s.addOrderPhoto)
	add(s, filtered(WorkOrdersWrite), huma.Operation{
		OperationID: "deleteWorkOrderPhoto", Method: http.MethodDelete, Path: "/workorders/{id}/photos/{photo}", Tags: []string{"workorders"},
		Summary: "Delete a photo: who took it, and who assigns orders", DefaultStatus: http.StatusNoContent,
	}, s.deleteOrderPhoto)
	s.raw(http.MethodGet, base+"/workorders/{id}/photos/{photo}", filtered(WorkOrdersRead), s.getOrderPhoto)
}

func photoShape(ctx context.Context, w *store.WorkOrder, p *store.OrderPhoto) OrderPhotoShape {
	return OrderPhotoShape{
		ID: p.ID, By: string(p.By), At: p.At.UTC(), Width: p.Width, Height: p.Height, Bytes: p.Bytes, Deletable: mayDelete(ctx, w, p),
	}
}

func mayDelete(ctx context.Context, w *store.WorkOrder, p *store.OrderPhoto) bool {
	return scope(ctx, WorkOrdersAssign).Allows(w.SiteID) || p.By == who(ctx).actor() && scope(ctx, WorkOrdersWrite).Allows(w.SiteID)
}

// onePicture waits for the slot of decoding: a large picture takes much memory
// for a moment.
func (s *Server) onePicture(ctx context.Context) (done func(), err error) {
	select {
	case s.pictures <- struct{}{}:
		return func() { <-s.pictures }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *Server) addOrderPhoto(ctx context.Context, in *orderPhotoInput) (*orderPhotoOutput, error) {
	if s.o.Photos == nil {
		return nil, errNoPhotos
	}
	w, err := s.order(ctx, in.ID, WorkOrdersWrite)
	if err != nil {
		return nil, err
	}
	if !mayWorkOn(ctx, w) {
		return nil, errNotYourOrder
	}
	done, err := s.onePicture(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	shot, err := picture.Read(in.RawBody)
	switch {
	case errors.Is(err, picture.ErrBig):
		return nil, problemf(http.StatusRequestEntityTooLarge, picture.ErrBig.Error())
	case errors.Is(err, picture.ErrKind), errors.Is(err, picture.ErrSize), errors.Is(err, picture.ErrBad):
		return nil, problemf(http.StatusUnprocessableEntity, "validation failed", &huma.ErrorDetail{Message: err.Error(), Location: "body"})
	case err != nil:
		return nil, err
	}
	digest := sha256.Sum256(in.RawBody)
	p, known, err := s.o.Store.ReserveOrderPhoto(ctx, who(ctx).actor(), store.OrderPhoto{
		Order: w.ID, Digest: hex.EncodeToString(digest[:]), Width: shot.Width, Height: shot.Height, Bytes: int64(len(shot.Full) + len(shot.Small)),
	})
	if err != nil {
		return nil, err
	}
	if !known {
		if err := s.o.Photos.Put(p.ID, shot); err != nil {
			s.clearPhoto(ctx, p.ID)
			if errors.Is(err, ErrNoRoom) {
				return nil, problemf(http.StatusInsufficientStorage, "the disk of the server is nearly full; no photos are taken")
			}
			return nil, err
		}
		if err := s.o.Store.KeepOrderPhoto(ctx, p); err != nil {
			s.clearPhoto(ctx, p.ID)
			return nil, err
		}
	}
	return &orderPhotoOutput{Body: photoShape(ctx, w, p)}, nil
}

// clearPhoto removes the files of a photo that does not count, then its row.
// What fails here is done at the next start.
func (s *Server) clearPhoto(ctx context.Context, id string) {
	ctx = context.WithoutCancel(ctx)
	err := s.o.Photos.Remove(id)
	if err == nil {
		err = s.o.Store.ForgetOrderPhoto(ctx, id)
	}
	if err != nil {
		s.log.WarnContext(ctx, "photo not cleared", "photo", id, "err", err)
	}
}

func (s *Server) deleteOrderPhoto(ctx context.Context, in *oneOrderPhotoInput) (*noContent, error) {
	if s.o.Photos == nil {
		return nil, errNoPhotos
	}
	w, err := s.order(ctx, in.ID, WorkOrdersWrite)
	if err != nil {
		return nil, err
	}
	p, err := s.o.Store.OrderPhoto(ctx, w.ID, in.Photo)
	if err != nil {
		return nil, err
	}
	if !mayDelete(ctx, w, p) {
		return nil, problemf(http.StatusForbidden, "somebody else took this photo")
	}
	if err := s.o.Store.RemoveOrderPhoto(ctx, who(ctx).actor(), w.ID, p.ID); err != nil {
		return nil, err
	}
	s.clearPhoto(ctx, p.ID)
	return nil, nil
}

func (s *Server) getOrderPhoto(w http.ResponseWriter, r *http.Request) {
	if err := s.servePhoto(w, r); err != nil {
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			err = problemf(http.StatusNotFound, "no such photo")
		}
		writeProblem(w, s.problem(r.Context(), err))
	}
}

func (s *Server) servePhoto(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if s.o.Photos == nil {
		return errNoPhotos
	}
	order, err := s.order(ctx, r.PathValue("id"), WorkOrdersRead)
	if err != nil {
		return err
	}
	p, err := s.o.Store.OrderPhoto(ctx, order.ID, r.PathValue("photo"))
	if err != nil {
		return err
	}
	small := r.URL.Query().Get("size") == "small"
	f, err := s.o.Photos.Open(p.ID, small)
	if err != nil {
		return err
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Security-Policy", imagePolicy)
	h.Set("Content-Disposition", fmt.Sprintf(`inline; filename="order-%d-%s.jpg"`, order.Number, p.ID))
	h.Set("Cache-Control", "private, no-cache") // who lost the right must not see it from a cache
	h.Set("ETag", fmt.Sprintf(`"%s-%t"`, p.ID, small))
	http.ServeContent(w, r, "", p.At, f)
	return nil
}
