package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/campaign"
	"github.com/chargewatch/chargewatch/internal/proof"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// bulkPassword gives each station a password of its own; bulkCertificate has each ask for
// a new certificate, bulkProfile raises its security profile. Each goes on by itself after
// a restart.
type (
	bulkPassword    struct{ ofProof }
	bulkCertificate struct{ ofProof }
	bulkProfile     struct{ ofProof }
	ofProof         struct{ s *Server }
)

var (
	_ campaign.Kind       = (*bulkPassword)(nil)
	_ campaign.Repeatable = (*bulkPassword)(nil)
	_ campaign.Restricted = (*bulkPassword)(nil)
	_ campaign.Kind       = (*bulkCertificate)(nil)
	_ campaign.Repeatable = (*bulkCertificate)(nil)
	_ campaign.Restricted = (*bulkCertificate)(nil)
	_ campaign.Kind       = (*bulkProfile)(nil)
	_ campaign.Repeatable = (*bulkProfile)(nil)
	_ campaign.Restricted = (*bulkProfile)(nil)
	_ campaign.Disturbing = (*bulkProfile)(nil)
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

// profileWish is what a campaign that raises security profiles asks for.
type profileWish struct {
	Profile int      `json:"profile"`
	Without []string `json:"without,omitempty"`
}

func readProfileWish(params json.RawMessage) (profileWish, error) {
	var w profileWish
	d := json.NewDecoder(bytes.NewReader(params))
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil || w.Profile != 2 && w.Profile != 3 {
		return w, &store.InvalidError{Field: "profile", Reason: "must be 2 or 3"}
	}
	for _, x := range w.Without {
		if x != proof.NeedsRoot && x != proof.NeedsListener {
			return w, &store.InvalidError{Field: "without", Reason: "root or listener"}
		}
	}
	return w, nil
}

func (*bulkProfile) Name() string { return "securityProfile" }

// Disturbs is true: each station is restarted.
func (*bulkProfile) Disturbs(json.RawMessage) bool { return true }

func (*bulkProfile) Check(params json.RawMessage) error {
	_, err := readProfileWish(params)
	return err
}

func (k *bulkProfile) Fits(ctx context.Context, station string, params json.RawMessage) string {
	e, skip := k.enrolled(station)
	w, err := readProfileWish(params)
	switch {
	case skip != "":
		return skip
	case err != nil:
		return "notSupported"
	case e.Profile >= w.Profile:
		return "already"
	}
	needs, _, err := k.s.proofs.Preconditions(ctx, station, w.Profile, "")
	if err != nil {
		return "notFound"
	}
	for _, n := range needs {
		// What the station has not said yet it is asked when its turn comes.
		if n.State == proof.Missing && !(n.Optional && slices.Contains(w.Without, n.Name)) {
			return map[string]string{
				proof.NeedsSpoken: "neverConnected", proof.NeedsListener: "noListener", proof.NeedsAddress: "noAddress", proof.NeedsRoot: "noRoot",
				proof.NeedsPassword: "noPassword", proof.NeedsCertificate: "noCertificate",
			}[n.Name]
		}
	}
	return ""
}

func (k *bulkProfile) Do(ctx context.Context, station string, params json.RawMessage, attempt int) campaign.Result {
	w, err := readProfileWish(params)
	if err != nil {
		return campaign.Result{State: campaign.Skipped, Code: "notSupported"}
	}
	if u, ok := k.s.Store.Upgrade(station); attempt == 1 && !(ok && u.State.Active()) {
		if _, err := k.s.proofs.Raise(ctx, campaign.ByOf(ctx), store.Upgrade{Station: station, To: w.Profile, Without: w.Without}); err != nil {
			return campaign.Result{State: campaign.Failed, Code: "refused", Text: err.Error()}
		}
	}
	return until(ctx, func() (campaign.Result, bool) {
		u, ok := k.s.Store.Upgrade(station)
		if !ok {
			return campaign.Result{State: campaign.Failed, Code: "refused", Text: "Nothing is under way."}, true
		}
		out := campaign.Result{State: campaign.Failed, Code: string(u.State), Text: "The station said " + u.Said + "."}
		switch u.State {
		case store.UpgradeDone:
			out.State, out.Text = campaign.Done, "The station came by its new profile."
		case store.UpgradeFellBack:
			out.Text = "The station took the new profile and came as before, which is still let in."
		case store.UpgradeMissing:
			out.Text = "The station took the new profile and did not come in time; it is let in by either."
		case store.UpgradeAbandoned:
			out.Text = "Somebody decided otherwise meanwhile."
		}
		return out, !u.State.Active()
	})
}
