package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Labels takes in what other systems see in a camera's picture.
type Labels interface {
	// AdmitLabels reports whether a camera has room for one more message.
	AdmitLabels(camera string) bool
	// TakeLabels makes a message durable.
	TakeLabels(ctx context.Context, r LabelReport) error
}

// LabelReport is what another system saw in one picture.
type LabelReport struct {
	Camera, Engine string
	At             time.Time
	Items          []LabelSeen
}

// LabelSeen is one thing in a picture; Text is what a number plate says.
type LabelSeen struct {
	event.Label
	Text string
}

// LabelShape is one thing in a picture.
type LabelShape struct {
	What    event.SceneKind `json:"what" enum:"person,vehicle,animal,plate"`
	Score   float64         `json:"score" doc:"how sure the source is, 0 to 1; 0: it does not say"`
	Box     []float64       `json:"box" doc:"left, top, width and height as shares of the picture; empty: not known where"`
	Plate   string          `json:"plate" doc:"what a number plate says; empty: none, or it was forgotten"`
	PlateID string          `json:"plateId" doc:"opaque id of the plate"`
	Number  int             `json:"number" doc:"how many of it there are; 1 where the source does not count"`
}

// LabelsShape is what was seen in one picture.
type LabelsShape struct {
	Seq    uint64            `json:"seq"`
	At     time.Time         `json:"at" doc:"when we were told"`
	SeenAt time.Time         `json:"seenAt" doc:"when the picture was taken"`
	Source event.LabelSource `json:"source" enum:"camera,webhook,verifier"`
	Engine string            `json:"engine" doc:"what the source calls itself"`
	Scene  string            `json:"scene" doc:"id of the motion it belongs to"`
	Armed  bool              `json:"armed"`
	Items  []LabelShape      `json:"items" doc:"empty: somebody looked and saw none of these things"`
}

type (
	labelSecretOutput struct {
		Body struct {
			Secret string `json:"secret" doc:"shown once"`
			URL    string `json:"url" doc:"path to send labels to; for a site the camera's id is to be put in"`
		}
	}
	labelSiteInput struct {
		Site string `path:"site" maxLength:"48"`
	}
	plateInput struct {
		ID string `path:"id" maxLength:"64"`
	}
	listLabelsInput struct {
		Page
		Camera string    `path:"camera" maxLength:"64"`
		From   time.Time `query:"from"`
		To     time.Time `query:"to" doc:"not included"`
	}
	// LabelGiven is one thing that another system saw.
	LabelGiven struct {
		What  event.SceneKind `json:"what" enum:"person,vehicle,animal,plate"`
		Score float64         `json:"score,omitempty" minimum:"0" maximum:"1" doc:"how sure it is; left out: it does not say, and is taken at its word"`
		Box   []float64       `json:"box,omitempty" minItems:"4" maxItems:"4" doc:"left, top, width and height as shares of the picture, 0 to 1"`
		Plate string          `json:"plate,omitempty" maxLength:"32" doc:"what a number plate says; only of a plate"`
		// Number serves sources that count and give no box of each.
		Number int `json:"number,omitempty" minimum:"1" maximum:"99" doc:"how many of it there are in the picture; left out: one. Only where there is no box of each"`
	}
	takeLabelsInput struct {
		Camera    string `path:"camera" maxLength:"64"`
		Signature string `header:"X-Chargewatch-Signature" required:"true" maxLength:"256" doc:"t=SECONDS,v1=HEX: HMAC-SHA256 over SECONDS, a dot and the body; within 5 min of now, each once"`
		Body      struct {
			Camera string       `json:"camera,omitempty" maxLength:"64" doc:"the camera again; needed where the secret is that of a site"`
			At     time.Time    `json:"at,omitempty" doc:"when the picture was taken, within the last 10 min; default: now"`
			Engine string       `json:"engine,omitempty" maxLength:"64" doc:"what the source calls itself"`
			Labels []LabelGiven `json:"labels" maxItems:"32"`
		}
	}
	takeLabelsOutput struct {
		Body struct {
			Recorded int `json:"recorded"`
		}
	}
)

func (s *Server) registerLabels() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"cameras"}}
	}
	take := op("takeLabels", http.MethodPost, "/cameras/{camera}/labels", "Tell what was seen in a camera's picture (webhook); answered once it is recorded. At most 60 messages a minute of a camera", http.StatusOK)
	take.MaxBodyBytes = maxSignedBody
	add(s, bySignature(), take, s.takeLabels)
	add(s, atFilmed(VideoReview), op("listLabels", http.MethodGet, "/cameras/{camera}/labels", "What was seen in a camera's pictures, newest first", 0), s.listLabels)
	add(s, atCamera(CamerasWrite), op("makeCameraLabelSecret", http.MethodPost, "/cameras/{camera}/labels/secret", "Make the secret that labels of a camera are signed with; one of before is void", http.StatusCreated), s.makeCameraLabelSecret)
	add(s, atCamera(CamerasWrite), op("dropCameraLabelSecret", http.MethodDelete, "/cameras/{camera}/labels/secret", "Take no labels signed with the camera's secret any more", http.StatusNoContent), s.dropCameraLabelSecret)
	add(s, atSite(CamerasWrite), op("makeSiteLabelSecret", http.MethodPost, "/sites/{site}/labels/secret", "Make the secret that labels of all cameras of a site are signed with", http.StatusCreated), s.makeSiteLabelSecret)
	add(s, atSite(CamerasWrite), op("dropSiteLabelSecret", http.MethodDelete, "/sites/{site}/labels/secret", "Take no labels signed with the site's secret any more", http.StatusNoContent), s.dropSiteLabelSecret)
	add(s, global(CamerasWrite), op("erasePlate", http.MethodDelete, "/plates/{id}", "Forget a number plate; what was seen of it stays, without it", http.StatusNoContent), s.erasePlate)
}

// How far from now a picture may be that labels are of.
const (
	labelsPast   = 10 * time.Minute
	labelsFuture = time.Minute
)

func (s *Server) takeLabels(ctx context.Context, in *takeLabelsInput) (*takeLabelsOutput, error) {
	if s.o.Labels == nil {
		return nil, problemf(http.StatusServiceUnavailable, "no cameras are followed here")
	}
	by, _ := ctx.Value(signerKey{}).(signer)
	r, faults := s.labelReport(in, by)
	if len(faults) > 0 {
		return nil, problemf(http.StatusUnprocessableEntity, "validation failed", faults...)
	}
	if !s.o.Labels.AdmitLabels(in.Camera) {
		return nil, problemf(http.StatusTooManyRequests, "more labels of this camera than are taken in: at most 60 messages a minute")
	}
	if err := s.o.Labels.TakeLabels(ctx, r); err != nil {
		return nil, err
	}
	out := &takeLabelsOutput{}
	out.Body.Recorded = len(r.Items)
	return out, nil
}

// labelReport checks what the schema does not say.
func (s *Server) labelReport(in *takeLabelsInput, by signer) (r LabelReport, faults []*huma.ErrorDetail) {
	b := &in.Body
	fault := func(at, text string) { faults = append(faults, &huma.ErrorDetail{Location: at, Message: text}) }
	if b.Camera != "" && b.Camera != in.Camera || b.Camera == "" && by == signedBySite {
		fault("body.camera", "must be the camera of the address: the secret is that of several")
	}
	now := s.now()
	if !b.At.IsZero() && (b.At.Before(now.Add(-labelsPast)) || b.At.After(now.Add(labelsFuture))) {
		fault("body.at", "must be within the last 10 minutes")
	}
	r = LabelReport{Camera: in.Camera, Engine: clean(b.Engine, 64), At: b.At}
	for i, l := range b.Labels {
		x := LabelSeen{Label: event.Label{What: l.What, Score: math.Round(l.Score*100) / 100, Number: l.Number}, Text: l.Plate}
		if l.Number > 1 && (len(l.Box) > 0 || l.What == event.ScenePlate) {
			fault(fmt.Sprintf("body.labels[%d].number", i), "only of what has no box and is no plate")
		}
		if l.Plate != "" && l.What != event.ScenePlate {
			fault(fmt.Sprintf("body.labels[%d].plate", i), "only of a plate")
		}
		if l.Plate != "" && store.TidyPlate(l.Plate) == "" {
			fault(fmt.Sprintf("body.labels[%d].plate", i), fmt.Sprintf("letters and digits, at most %d", store.MaxPlateLength))
		}
		if len(l.Box) == 4 {
			for j, v := range l.Box {
				if v < 0 || v > 1 {
					fault(fmt.Sprintf("body.labels[%d].box[%d]", i, j), "from 0 to 1")
				}
				x.Box[j] = math.Round(v*1000) / 1000
			}
			if l.Box[2] <= 0 || l.Box[3] <= 0 || l.Box[0]+l.Box[2] > 1.001 || l.Box[1]+l.Box[3] > 1.001 {
				fault(fmt.Sprintf("body.labels[%d].box", i), "left, top, width and height of a part of the picture")
			}
		}
		r.Items = append(r.Items, x)
	}
	return r, faults
}

func (s *Server) labelsShape(ctx context.Context, e *event.Event, b *event.Labels) (LabelsShape, error) {
	out := LabelsShape{
		Seq: e.Seq, At: e.At.UTC(), SeenAt: cmp.Or(b.SeenAt, e.At).UTC(), Source: b.Source, Engine: b.Engine, Scene: b.Scene, Armed: b.Armed, Items: []LabelShape{},
	}
	for _, x := range b.Items {
		l := LabelShape{What: x.What, Score: x.Score, Box: []float64{}, PlateID: x.Plate, Number: max(x.Number, 1)}
		if x.Box != [4]float64{} {
			l.Box = slices.Clone(x.Box[:])
		}
		if x.Plate != "" {
			var err error
			if l.Plate, err = s.o.Store.Plate(ctx, x.Plate); err != nil {
				return out, err
			}
		}
		out.Items = append(out.Items, l)
	}
	return out, nil
}

func (s *Server) listLabels(ctx context.Context, in *listLabelsInput) (*listOutput[LabelsShape], error) {
	before, err := decodeCursor("labels", in.Cursor)
	if err != nil {
		return nil, err
	}
	found, next, err := s.labelsOf(ctx, in.Camera, in.From, in.To, in.Limit, journal.Cursor(before))
	if err != nil {
		return nil, err
	}
	return listOf(found, encodeCursor("labels", string(next))), nil
}

func (s *Server) labelsOf(ctx context.Context, camera string, from, to time.Time, limit int, before journal.Cursor) ([]LabelsShape, journal.Cursor, error) {
	found, next, err := s.o.History.Events(ctx, journal.EventQuery{
		Subject: event.Camera(camera), Kinds: []event.Kind{event.KindLabels}, From: from, To: to, Limit: limit, Before: before,
	})
	if err != nil {
		return nil, "", err
	}
	out := []LabelsShape{}
	for _, e := range found {
		if b, ok := e.Body.(*event.Labels); ok {
			shape, err := s.labelsShape(ctx, e, b)
			if err != nil {
				return nil, "", err
			}
			out = append(out, shape)
		}
	}
	return out, next, nil
}

// maxClipLabels bounds what is shown beside one clip.
const maxClipLabels = 50

// clipLabels are what was seen during a clip, newest first. They are gone with
// their events, and the clip stands without them.
func (s *Server) clipLabels(ctx context.Context, c Clip) ([]LabelsShape, error) {
	found, _, err := s.labelsOf(ctx, c.Camera, c.From, c.To, maxClipLabels, "")
	if errors.Is(err, journal.ErrBeforeHorizon) {
		return []LabelsShape{}, nil
	}
	return found, err
}

func (s *Server) makeCameraLabelSecret(ctx context.Context, in *cameraInput) (*labelSecretOutput, error) {
	return s.makeLabelSecret(ctx, event.Camera(in.Camera), in.Camera)
}

func (s *Server) makeSiteLabelSecret(ctx context.Context, in *labelSiteInput) (*labelSecretOutput, error) {
	return s.makeLabelSecret(ctx, event.Site(in.Site), "CAMERA")
}

func (s *Server) makeLabelSecret(ctx context.Context, scope event.Subject, camera string) (*labelSecretOutput, error) {
	secret, err := s.o.Store.NewLabelSecret(ctx, who(ctx).actor(), scope)
	if err != nil {
		return nil, err
	}
	out := &labelSecretOutput{}
	out.Body.Secret, out.Body.URL = secret, base+"/cameras/"+camera+"/labels"
	return out, nil
}

func (s *Server) dropCameraLabelSecret(ctx context.Context, in *cameraInput) (*struct{}, error) {
	return nil, s.o.Store.DropLabelSecret(ctx, who(ctx).actor(), event.Camera(in.Camera))
}

func (s *Server) dropSiteLabelSecret(ctx context.Context, in *labelSiteInput) (*struct{}, error) {
	return nil, s.o.Store.DropLabelSecret(ctx, who(ctx).actor(), event.Site(in.Site))
}

func (s *Server) erasePlate(ctx context.Context, in *plateInput) (*struct{}, error) {
	return nil, s.o.Store.ErasePlate(ctx, who(ctx).actor(), in.ID)
}
