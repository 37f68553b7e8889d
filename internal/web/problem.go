package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/store"
)

// problemf returns a problem document of RFC 9457 as an error.
func problemf(status int, detail string, faults ...*huma.ErrorDetail) *huma.ErrorModel {
	return &huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: detail, Errors: faults}
}

// problem turns an error into a problem document. What a caller cannot act on
// is logged and said in general words.
func (s *Server) problem(ctx context.Context, err error) *huma.ErrorModel {
	if m, ok := errors.AsType[*huma.ErrorModel](err); ok {
		return m
	}
	if bad, ok := errors.AsType[*store.InvalidError](err); ok {
		return problemf(http.StatusUnprocessableEntity, "validation failed",
			&huma.ErrorDetail{Message: bad.Reason, Location: "body." + bad.Field})
	}
	if used, ok := errors.AsType[*store.InUseError](err); ok {
		return problemf(http.StatusConflict, used.Reason)
	}
	if why, ok := errors.AsType[*ViewingError](err); ok {
		return problemf(why.Status, why.Reason)
	}
	if no, ok := errors.AsType[*incident.Refusal](err); ok {
		return refused(no)
	}
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, journal.ErrNotFound), errors.Is(err, incident.ErrNotFound):
		return problemf(http.StatusNotFound, "no such thing")
	case errors.Is(err, store.ErrNotYours):
		return problemf(http.StatusForbidden, "somebody else made it")
	case errors.Is(err, store.ErrExists):
		return problemf(http.StatusConflict, "it exists already")
	case errors.Is(err, store.ErrInUse):
		return problemf(http.StatusConflict, "it is still needed")
	case errors.Is(err, store.ErrFull):
		return problemf(http.StatusConflict, "there is no room for more")
	case errors.Is(err, journal.ErrCursor), errors.Is(err, errCursor):
		return problemf(http.StatusUnprocessableEntity, "validation failed",
			&huma.ErrorDetail{Message: "not a cursor of this list", Location: "query.cursor"})
	case errors.Is(err, journal.ErrBeforeHorizon):
		return problemf(http.StatusGone, "from before what is retained")
	case errors.Is(err, journal.ErrUnavailable), errors.Is(err, journal.ErrClosed):
		return problemf(http.StatusServiceUnavailable, "the journal cannot commit; nothing was changed")
	case ctx.Err() != nil:
		return problemf(499, "the caller went away")
	}
	s.log.ErrorContext(ctx, "request failed", "err", err)
	return problemf(http.StatusInternalServerError, "something went wrong on our side")
}

// refused is what a person asked for and an incident does not allow: at the field
// that is at fault, else in conflict with what the incident is.
func refused(no *incident.Refusal) *huma.ErrorModel {
	if no.Field == "" {
		return problemf(http.StatusConflict, no.Text)
	}
	location := "body." + no.Field
	if no.Field == "action" {
		location = "path.action"
	}
	return problemf(http.StatusUnprocessableEntity, no.Text, &huma.ErrorDetail{Message: no.Text, Location: location})
}

func writeProblem(w http.ResponseWriter, m *huma.ErrorModel) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	if m.Status == http.StatusServiceUnavailable || m.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "5")
	}
	if m.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="chargewatch"`)
	}
	w.WriteHeader(m.Status)
	_ = json.NewEncoder(w).Encode(m) // the caller may have gone
}
