package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/chargewatch/chargewatch/internal/store"
)

// maxDoorEvent bounds what another system tells at once.
const maxDoorEvent = 4 << 10

type (
	tryOutput struct {
		Body struct {
			OK     bool    `json:"ok"`
			Detail string  `json:"detail" doc:"why it does not answer"`
			TookS  float64 `json:"tookSeconds"`
		}
	}
	controllerSecretOutput struct {
		Body struct {
			Secret string `json:"secret" doc:"shown once"`
			Events string `json:"events" doc:"path to which events go, each signed with it"`
		}
	}
	doorEventInput struct {
		Controller string `path:"controller" maxLength:"64"`
		Body       DoorEvent
	}
)

func (s *Server) tryController(ctx context.Context, in *controllerInput) (*tryOutput, error) {
	if s.o.Controllers == nil {
		return nil, problemf(http.StatusNotImplemented, "doors are not driven by this server")
	}
	out, began := &tryOutput{}, time.Now()
	err := s.o.Controllers.TryController(ctx, in.Controller)
	out.Body.OK, out.Body.TookS = err == nil, time.Since(began).Seconds()
	if err != nil {
		out.Body.Detail = err.Error()
	}
	return out, nil
}

func (s *Server) makeControllerSecret(ctx context.Context, in *controllerInput) (*controllerSecretOutput, error) {
	secret, err := s.o.Store.NewControllerSecret(ctx, who(ctx).actor(), in.Controller)
	if err != nil {
		return nil, err
	}
	out := &controllerSecretOutput{}
	out.Body.Secret, out.Body.Events = secret, base+"/controllers/"+in.Controller+"/events"
	return out, nil
}

func (s *Server) takeDoorEvent(ctx context.Context, in *doorEventInput) (*struct{}, error) {
	if s.o.Controllers == nil {
		return nil, problemf(http.StatusNotImplemented, "doors are not driven by this server")
	}
	err := s.o.Controllers.TakeDoorEvent(ctx, in.Controller, in.Body)
	switch {
	case errors.Is(err, ErrDoorUnknownThere):
		return nil, &store.InvalidError{Field: "door", Reason: ErrDoorUnknownThere.Error()}
	case errors.Is(err, ErrDoorEventOld):
		return nil, &store.InvalidError{Field: "at", Reason: ErrDoorEventOld.Error()}
	case errors.Is(err, ErrDoorEventsMany):
		return nil, problemf(http.StatusTooManyRequests, ErrDoorEventsMany.Error())
	case errors.Is(err, ErrDoorUnreachable):
		return nil, problemf(http.StatusServiceUnavailable, "it could not be recorded: tell it again")
	}
	return nil, err
}
