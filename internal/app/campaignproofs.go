package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/chargewatch/chargewatch/internal/campaign"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// bulkPassword gives each station a password of its own; bulkCertificate has each ask for
// a new certificate. Either goes on by itself after a restart.
type (
	bulkPassword    struct{ ofProof }
	bulkCertificate struct{ ofProof }
	ofProof         struct{ s *Server }
)

var (
	_ campaign.Kind       = (*bulkPassword)(nil)
	_ campaign.Repeatable = (*bulkPassword)(nil)
	_ campaign.Restricted = (*bulkPassword)(nil)
	_ campaign.Kind       = (*bulkCertificate)(nil)
	_ campaign.Repeatable = (*bulkCertificate)(nil)
	_ campaign.Restricted = (*bulkCertificate)(nil)
)

// proofPatience is how long one look at a station lasts, proofLook how often it is seen
// how far it is.
const (
	proofPatience = 2 * time.Minute
	proofLook     = 200 * time.Millisecond
)

func (ofProof) Again() bool        { return true }
func (ofProof) Permission() string { return string(web.StationsWrite) }

func (ofProof) Check(params json.RawMessage) error {
	if p := bytes.TrimSpace(params); len(p) > 0 && string(p) != "{}" && string(p) != "null" {
		return &store.InvalidError{Field: "", Reason: "nothing is chosen for it"}
	}
	return nil
}

// enrolled says why a station is left out.
func (k ofProof) enrolled(station string) (*store.Enrolment, string) {
	e, ok := k.s.Store.Station(station)
	if !ok {
		return nil, "notFound"
	}
	if to, _ := k.s.Store.RelayOf(station); to != nil {
		return nil, "relayed"
	}
	return e, ""
}

// until looks until a state is final, or for as long as is waited at once.
func until(ctx context.Context, final func() (campaign.Result, bool)) campaign.Result {
	limit := time.After(proofPatience)
	look := time.NewTicker(proofLook)
	defer look.Stop()
	for {
		r, ok := final()
		if ok {
			return r
		}
		select {
		case <-look.C:
			continue
		case <-limit:
		case <-ctx.Done():
		}
		r.State, r.RetryAt = campaign.Waiting, time.Now().Add(time.Minute)
		return r
	}
}

// unbegun is what becomes of a station at which nothing could be begun. That somebody
// began it already is no hindrance: it is waited for.
func unbegun(err error) (campaign.Result, bool) {
	var used *store.InUseError
	if err == nil || errors.As(err, &used) {
		return campaign.Result{}, false
	}
	return campaign.Result{State: campaign.Failed, Code: "refused", Text: err.Error()}, true
}

func (*bulkPassword) Name() string { return "password" }

func (k *bulkPassword) Fits(_ context.Context, station string, _ json.RawMessage) string {
	e, skip := k.enrolled(station)
	if skip == "" && !e.HasPassword() {
		return "noPassword"
	}
	return skip
}

func (k *bulkPassword) Do(ctx context.Context, station string, _ json.RawMessage, attempt int) campaign.Result {
	r, ok := k.s.Store.Rotation(station)
	if attempt == 1 || !ok || !r.State.Active() && r.State != store.RotationDone {
		_, err := k.s.proofs.Rotate(ctx, campaign.ByOf(ctx), station)
		if r, no := unbegun(err); no {
			return r
		}
	}
	return until(ctx, func() (campaign.Result, bool) {
		r, ok := k.s.Store.Rotation(station)
		if !ok {
			return campaign.Result{State: campaign.Failed, Code: string(store.RotationAbandoned), Text: "Somebody decided otherwise meanwhile."}, true
		}
		out := campaign.Result{State: campaign.Failed, Code: string(r.State), Text: "The station said " + r.Said + "."}
		switch r.State {
		case store.RotationDone:
			out.State, out.Text = campaign.Done, "The station came with its new password."
		case store.RotationKept:
			out.Text = "The station goes on with the old password; both are taken."
		}
		return out, !r.State.Active()
	})
}

func (*bulkCertificate) Name() string { return "certificate" }

func (k *bulkCertificate) Fits(_ context.Context, station string, _ json.RawMessage) string {
	_, skip := k.enrolled(station)
	return skip
}

func (k *bulkCertificate) Do(ctx context.Context, station string, _ json.RawMessage, attempt int) campaign.Result {
	if attempt == 1 {
		_, err := k.s.proofs.Renew(ctx, campaign.ByOf(ctx), station)
		if r, no := unbegun(err); no {
			return r
		}
	}
	return until(ctx, func() (campaign.Result, bool) {
		r, ok := k.s.Store.Renewal(station)
		if !ok {
			return campaign.Result{State: campaign.Failed, Code: "refused", Text: "Nothing is under way."}, true
		}
		out := campaign.Result{State: campaign.Failed, Code: string(r.State), Text: "The station said " + r.Said + "."}
		if r.State == store.RenewalDone {
			out.State, out.Text = campaign.Done, "The station has its new certificate."
		}
		return out, !r.State.Active() || r.State == store.RenewalRejected
	})
}
