package web

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// FirmwareImageShape is an image of the library.
type FirmwareImageShape struct {
	ID       string    `json:"id"`
	Name     string    `json:"name" doc:"of the file"`
	Version  string    `json:"version" doc:"as stations tell it when they boot with it"`
	Vendor   string    `json:"vendor" doc:"of stations that it fits; empty: all"`
	Model    string    `json:"model" doc:"with which the name of their model begins; empty: all"`
	Notes    string    `json:"notes"`
	Bytes    int64     `json:"bytes"`
	SHA256   string    `json:"sha256"`
	Signed   bool      `json:"signed" doc:"its signature was checked here with its certificate"`
	MadeAt   time.Time `json:"madeAt"`
	By       string    `json:"by"`
	ByName   string    `json:"byName"`
	Stations int       `json:"stations" doc:"that fit, and do not run the version"`
	Running  int       `json:"running" doc:"that fit and run the version"`
}

type (
	imagesInput struct{}
	imageInput  struct {
		ID string `path:"id" maxLength:"40"`
	}
	signImageInput struct {
		ID   string `path:"id" maxLength:"40"`
		Body struct {
			Signature   string `json:"signature" maxLength:"800" doc:"base64, over SHA-256 of the image: RSASSA-PSS or ECDSA; empty: none any more"`
			Certificate string `json:"certificate" maxLength:"5500" doc:"of who signed, as PEM"`
		}
	}
	changeImageInput struct {
		ID   string `path:"id" maxLength:"40"`
		Body struct {
			Version *string `json:"version,omitempty"`
			Vendor  *string `json:"vendor,omitempty"`
			Model   *string `json:"model,omitempty"`
			Notes   *string `json:"notes,omitempty"`
		}
	}
	imageOutput struct{ Body FirmwareImageShape }
)

const firmwarePath = "/firmware/images"

func (s *Server) registerFirmware() {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: firmwarePath + path, Summary: summary, Tags: []string{"files"}}
	}
	need := global(FirmwareWrite)
	add(s, global(StationsCommand), op("listFirmwareImages", http.MethodGet, "", "The library of firmware, newest first"), s.listImages)
	s.raw(http.MethodPost, base+firmwarePath, need, s.addImage)
	add(s, need, op("changeFirmwareImage", http.MethodPatch, "/{id}", "Change what is known of an image"), s.changeImage)
	add(s, need, op("signFirmwareImage", http.MethodPut, "/{id}/signature", "Keep the signature of an image, if it fits"), s.signImage)
	forget := op("deleteFirmwareImage", http.MethodDelete, "/{id}", "Delete an image that no station is being updated with")
	forget.DefaultStatus = http.StatusNoContent
	add(s, need, forget, s.deleteImage)
}

func (s *Server) imageShapes(ctx context.Context, list []*store.FirmwareImage) ([]FirmwareImageShape, error) {
	ids := make([]string, 0, len(list))
	for _, x := range list {
		ids = append(ids, string(x.By))
	}
	names, err := s.o.Store.UserNames(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]FirmwareImageShape, 0, len(list))
	for _, x := range list {
		out = append(out, FirmwareImageShape{
			ID: x.ID, Name: x.Name, Version: x.Version, Vendor: x.Vendor, Model: x.Model, Notes: x.Notes, Bytes: x.Bytes, SHA256: x.SHA256,
			Signed: x.Signature != "", MadeAt: x.MadeAt, By: string(x.By), ByName: names[string(x.By)],
		})
	}
	for st := range s.o.Fleet.Snapshot().Stations() {
		for i, x := range list {
			switch {
			case !x.Fits(st.Vendor, st.Model):
			case st.Firmware == x.Version:
				out[i].Running++
			default:
				out[i].Stations++
			}
		}
	}
	return out, nil
}

func (s *Server) oneImage(ctx context.Context, x *store.FirmwareImage, err error) (*imageOutput, error) {
	if err != nil {
		return nil, fileProblem(err)
	}
	list, err := s.imageShapes(ctx, []*store.FirmwareImage{x})
	if err != nil {
		return nil, err
	}
	return &imageOutput{list[0]}, nil
}

func (s *Server) listImages(ctx context.Context, _ *imagesInput) (*listOutput[FirmwareImageShape], error) {
	list, err := s.o.Store.FirmwareImages(ctx)
	if err != nil {
		return nil, err
	}
	out, err := s.imageShapes(ctx, list)
	if err != nil {
		return nil, err
	}
	return listOf(out, ""), nil
}

// addImage takes an image as the body of the request; what is known of it stands in the
// query.
func (s *Server) addImage(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if s.o.Depot == nil {
		writeProblem(w, errNoDepot)
		return
	}
	q := r.URL.Query()
	// Servers without a deadline have nothing to move.
	_ = http.NewResponseController(w).SetReadDeadline(s.now().Add(uploadFor))
	x, err := s.o.Depot.AddImage(ctx, who(ctx).actor(), store.FirmwareImage{
		Name: q.Get("name"), Version: q.Get("version"), Vendor: q.Get("vendor"), Model: q.Get("model"), Notes: q.Get("notes"),
	}, r.Body)
	out, err := s.oneImage(ctx, x, err)
	if err != nil {
		w.Header().Set("Connection", "close") // the body is not read on
		writeProblem(w, s.problem(ctx, err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(out.Body) // the caller may have gone
}

func (s *Server) changeImage(ctx context.Context, in *changeImageInput) (*imageOutput, error) {
	x, err := s.o.Store.FirmwareImage(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	for _, f := range []struct {
		at *string
		to *string
	}{{&x.Version, in.Body.Version}, {&x.Vendor, in.Body.Vendor}, {&x.Model, in.Body.Model}, {&x.Notes, in.Body.Notes}} {
		if f.to != nil {
			*f.at = *f.to
		}
	}
	x, err = s.o.Store.ChangeFirmwareImage(ctx, who(ctx).actor(), x)
	return s.oneImage(ctx, x, err)
}

func (s *Server) signImage(ctx context.Context, in *signImageInput) (*imageOutput, error) {
	if s.o.Depot == nil {
		return nil, errNoDepot
	}
	x, err := s.o.Depot.SignImage(ctx, who(ctx).actor(), in.ID, in.Body.Signature, in.Body.Certificate)
	return s.oneImage(ctx, x, err)
}

func (s *Server) deleteImage(ctx context.Context, in *imageInput) (*struct{}, error) {
	if s.o.Depot == nil {
		return nil, errNoDepot
	}
	return nil, fileProblem(s.o.Depot.DropImage(ctx, who(ctx).actor(), in.ID))
}
