package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/chargewatch/chargewatch/internal/campaign"
	"github.com/chargewatch/chargewatch/internal/depot"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/store"
)

// firmwareUpdate has stations fetch and install an image of the library. It is done when
// a boot told the new version and the station can serve as before.
type firmwareUpdate struct{ s *Server }

var (
	_ campaign.Kind       = (*firmwareUpdate)(nil)
	_ campaign.Repeatable = (*firmwareUpdate)(nil)
	_ campaign.Disturbing = (*firmwareUpdate)(nil)
)

// firmwareOf are the params of the kind.
type firmwareOf struct {
	Image    string `json:"imageId"`
	Unsigned bool   `json:"unsigned,omitempty"`
}

func (k *firmwareUpdate) Name() string { return "firmware" }

// Again is true: an update that was asked for is found again and waited for.
func (k *firmwareUpdate) Again() bool { return true }

func (k *firmwareUpdate) Disturbs(json.RawMessage) bool { return true }

func (k *firmwareUpdate) Check(params json.RawMessage) error {
	_, _, err := k.read(context.Background(), params)
	return err
}

func (k *firmwareUpdate) read(ctx context.Context, params json.RawMessage) (*store.FirmwareImage, firmwareOf, error) {
	var of firmwareOf
	d := json.NewDecoder(bytes.NewReader(params))
	d.DisallowUnknownFields()
	if err := d.Decode(&of); err != nil {
		return nil, of, &store.InvalidError{Field: "imageId", Reason: "an image of the library"}
	}
	x, err := k.s.Store.FirmwareImage(ctx, of.Image)
	if errors.Is(err, store.ErrNotFound) {
		return nil, of, &store.InvalidError{Field: "imageId", Reason: "an image of the library"}
	}
	return x, of, err
}

func (k *firmwareUpdate) Fits(ctx context.Context, station string, params json.RawMessage) string {
	x, _, err := k.read(ctx, params)
	if err != nil {
		return "imageGone"
	}
	st, ok := k.s.Journal.Snapshot().Station(station)
	if !ok {
		return "notFound"
	}
	to, _ := k.s.Store.RelayOf(station)
	switch {
	case st.Protocol == "":
		return "neverConnected"
	case to != nil: // the system that it is relayed to updates it
		return "relayed"
	case !x.Fits(st.Vendor, st.Model):
		return "otherModel"
	case st.Firmware == x.Version && k.newest(ctx, station, x.ID) == nil:
		return "upToDate"
	}
	return ""
}

// newest is the newest job by which a campaign brings an image to a station.
func (k *firmwareUpdate) newest(ctx context.Context, station, image string) *store.FileJob {
	list, err := k.s.Store.FileJobs(ctx, store.FileJobQuery{Station: station, Kind: store.FileFirmware, Image: image, Limit: 1})
	if err != nil || len(list) == 0 || list[0].Campaign == "" {
		return nil
	}
	return list[0]
}

// How often is looked how far a station is, and how long it may take after its boot
// until it can serve.
const (
	firmwareLook  = time.Second
	firmwareReady = 10 * time.Minute
)

func (k *firmwareUpdate) Do(ctx context.Context, station string, params json.RawMessage, attempt int) campaign.Result {
	x, of, err := k.read(ctx, params)
	if err != nil {
		return campaign.Result{State: campaign.Skipped, Code: "imageGone", Text: "The image is not in the library any more."}
	}
	id := campaign.IDOf(ctx)
	j := k.newest(ctx, station, x.ID)
	if j == nil || j.Campaign != id || attempt > 1 && j.State.Over() && j.State != store.FileUpdated {
		if c, ok := (cohorts{k.s}).Station(station); ok && c.InSession {
			return campaign.Result{State: campaign.Waiting, Code: "inSession", RetryAt: time.Now().Add(30 * time.Second)}
		}
		if st, ok := k.s.Journal.Snapshot().Station(station); ok && st.Firmware == x.Version {
			return campaign.Result{State: campaign.Skipped, Code: "upToDate"}
		}
		j, err = k.s.depot.Update(ctx, campaign.ByOf(ctx), station, depot.Update{Image: x.ID, Unsigned: of.Unsigned, Campaign: id})
		switch {
		case errors.Is(err, depot.ErrUnder):
			return campaign.Result{State: campaign.Waiting, Code: "busy", Text: "Another update is under way.", RetryAt: time.Now().Add(time.Minute)}
		case errors.Is(err, depot.ErrNoAddress):
			return campaign.Result{State: campaign.Skipped, Code: "noAddress", Text: "No address of ours is known that the station can reach."}
		case err != nil:
			return unsent(err)
		}
	}
	return k.follow(ctx, j, x)
}

// follow waits until an update is over, and the station can serve.
func (k *firmwareUpdate) follow(ctx context.Context, j *store.FileJob, x *store.FirmwareImage) campaign.Result {
	before, after := versionOf(j.Before), versionOf(x.Version)
	tick := time.NewTicker(firmwareLook)
	defer tick.Stop()
	var booted time.Time
	for {
		now, err := k.s.depot.Job(ctx, j.ID)
		if err == nil {
			j = now
		}
		switch {
		case j.State == store.FileUpdated:
			if booted.IsZero() {
				booted = time.Now()
			}
			if k.serves(j.Station) {
				return campaign.Result{State: campaign.Done, Code: "updated", Before: before, After: after}
			}
			if time.Since(booted) > firmwareReady {
				return campaign.Result{State: campaign.Failed, Code: "notReady", Text: "It runs the new version and cannot serve.", Before: before, After: after}
			}
		case j.State == store.FileOffline:
			return campaign.Result{State: campaign.Waiting, Code: "offline"}
		case j.State == store.FileCancelled:
			return campaign.Result{State: campaign.Skipped, Code: "cancelled"}
		case j.State.Over():
			code := j.Code
			if code == "" || j.State == store.FileTimedOut || j.State == store.FileClaimedNotUpdated {
				code = string(j.State)
			}
			return campaign.Result{State: campaign.Failed, Code: code, Text: j.Detail, Before: before}
		}
		select {
		case <-ctx.Done():
			return campaign.Result{State: campaign.Unknown, Code: "restart"}
		case <-tick.C:
		}
	}
}

func versionOf(v string) json.RawMessage {
	text, err := json.Marshal(map[string]string{"firmware": v})
	if err != nil {
		return nil
	}
	return text
}

// serves reports whether a station is there, speaks of its ports and none of them is
// broken. A port that only the catalogue knows is not waited for.
func (k *firmwareUpdate) serves(station string) bool {
	st, ok := k.s.Journal.Snapshot().Station(station)
	if !ok || !st.Online || st.Own.Status == fleet.Faulted {
		return false
	}
	heard := false
	for i := range st.EVSEs {
		switch st.EVSEs[i].Status {
		case fleet.Faulted:
			return false
		case fleet.Unknown:
		default:
			heard = true
		}
	}
	return heard
}
