package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/campaign"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// campaignKinds are the sorts of work that can be done at many stations.
func (s *Server) campaignKinds() []campaign.Kind {
	return []campaign.Kind{
		&bulkCommand{s}, &bulkPassword{ofProof{s}}, &bulkCertificate{ofProof{s}}, &bulkProfile{ofProof{s}}, &bulkRoot{ofProof{s}}, &firmwareUpdate{s}, &configure{s},
	}
}

func (s *Server) newCampaigns(now func() time.Time) *campaign.Service {
	return campaign.New(campaign.Options{Rows: s.Store, Fleet: cohorts{s}, Kinds: s.campaignKinds(), Now: now, Logger: s.log})
}

// cohorts are stations as campaigns choose them.
type cohorts struct{ s *Server }

func (c cohorts) Stations() iter.Seq[campaign.Station] {
	return func(yield func(campaign.Station) bool) {
		for st := range c.s.Journal.Snapshot().Stations() {
			if !yield(c.station(st)) {
				return
			}
		}
	}
}

func (c cohorts) Station(id string) (campaign.Station, bool) {
	st, ok := c.s.Journal.Snapshot().Station(id)
	if !ok {
		return campaign.Station{}, false
	}
	return c.station(st), true
}

func (c cohorts) station(st *fleet.Station) campaign.Station {
	out := campaign.Station{
		ID: st.ID, Label: st.Label, Site: st.SiteID, Vendor: st.Vendor, Model: st.Model, Firmware: st.Firmware, Protocol: st.Protocol,
		SecurityProfile: st.SecurityProfile, Accepted: st.Onboarding == event.OnboardingAccepted, Online: st.Online,
		InSession: len(st.Backlog) > 0, Faulted: st.Own.Status == fleet.Faulted,
	}
	if e, ok := c.s.Store.Station(st.ID); ok {
		out.Tags = e.Tags
	}
	for i := range st.EVSEs {
		v := &st.EVSEs[i]
		out.Faulted = out.Faulted || v.Status == fleet.Faulted
		out.InSession = out.InSession || v.InUse()
	}
	return out
}

func (c cohorts) Zone(site string) *time.Location { return c.s.Store.ZoneOf(site) }

// bulkCommand sends one command to each station.
type bulkCommand struct{ s *Server }

var (
	_ campaign.Kind       = (*bulkCommand)(nil)
	_ campaign.Disturbing = (*bulkCommand)(nil)
	_ campaign.Repeatable = (*bulkCommand)(nil)
)

func (k *bulkCommand) Name() string { return campaign.CommandKind }

// Again is false: a reset that may have been done is not done twice.
func (k *bulkCommand) Again() bool { return false }

func (k *bulkCommand) Check(params json.RawMessage) error {
	_, err := readCommand(params)
	return err
}

func readCommand(params json.RawMessage) (*campaign.Command, error) {
	c := &campaign.Command{}
	d := json.NewDecoder(bytes.NewReader(params))
	d.DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		return nil, &store.InvalidError{Field: "", Reason: "action and payload, or byProtocol with those of each version"}
	}
	if c.Action == "" || len(c.Action) > 64 {
		return nil, &store.InvalidError{Field: "action", Reason: "1 to 64 characters"}
	}
	for version, of := range c.ByProtocol {
		if version != "ocpp1.6" && version != "ocpp2.0.1" && version != "ocpp2.1" || of.Action == "" || len(of.Action) > 64 {
			return nil, &store.InvalidError{Field: "byProtocol", Reason: "an action for ocpp1.6, ocpp2.0.1 or ocpp2.1"}
		}
	}
	return c, nil
}

// Disturbs reports whether drivers may notice it.
func (k *bulkCommand) Disturbs(params json.RawMessage) bool {
	c, err := readCommand(params)
	if err != nil {
		return false
	}
	all := []campaign.CommandOf{c.CommandOf}
	for _, of := range c.ByProtocol {
		all = append(all, of)
	}
	for _, of := range all {
		switch of.Action {
		case "Reset", "UnlockConnector", "ClearCache", "RemoteStopTransaction", "RequestStopTransaction", "UpdateFirmware", "SignedUpdateFirmware", "DataTransfer":
			return true
		case "ChangeAvailability":
			var p struct {
				Type   string `json:"type"`
				Status string `json:"operationalStatus"`
			}
			if json.Unmarshal(of.Payload, &p) != nil || p.Type == "Inoperative" || p.Status == "Inoperative" {
				return true
			}
		}
	}
	return false
}

func (k *bulkCommand) Fits(ctx context.Context, station string, params json.RawMessage) string {
	c, err := readCommand(params)
	if err != nil {
		return "notSupported"
	}
	st, ok := k.s.Journal.Snapshot().Station(station)
	if !ok {
		return "notFound"
	}
	if st.Protocol == "" {
		return "neverConnected"
	}
	if to, _ := k.s.Store.RelayOf(station); to != nil && !c.AlsoRelayed {
		return "relayed"
	}
	of := c.For(st.Protocol)
	payload, err := k.s.Store.PutTokens(ctx, string(of.Payload))
	if err != nil {
		return "tokenForgotten"
	}
	if faults := k.s.validate(st.Protocol, of.Action, []byte(payload)); len(faults) > 0 {
		return "notSupported"
	}
	return ""
}

func (k *bulkCommand) Do(ctx context.Context, station string, params json.RawMessage, _ int) campaign.Result {
	c, err := readCommand(params)
	if err != nil {
		return campaign.Result{State: campaign.Skipped, Code: "notSupported"}
	}
	st, ok := k.s.Journal.Snapshot().Station(station)
	if !ok {
		return campaign.Result{State: campaign.Skipped, Code: "notFound"}
	}
	of := c.For(st.Protocol)
	payload, err := k.s.Store.PutTokens(ctx, string(of.Payload))
	if err != nil {
		return campaign.Result{State: campaign.Skipped, Code: "tokenForgotten", Text: "A token in it is not known any more."}
	}
	out, err := k.s.Web.CommandFor(ctx, campaign.ByOf(ctx), station, of.Action, json.RawMessage(payload))
	if err != nil {
		return unsent(err)
	}
	if r, ok := heard(out); ok {
		return r
	}
	if !out.Sent {
		code := map[string]string{"offline": "offline", "timeout": "busy"}[out.Status]
		if code == "" {
			code = "busy"
		}
		return campaign.Result{State: campaign.Waiting, Code: code, Text: out.Description}
	}
	code := "timeout"
	if out.Status == "offline" {
		code = "connectionLost"
	}
	return campaign.Result{State: campaign.Unknown, Code: code, Text: out.Description, Command: out.Command}
}

// heard is what a station said to a command; false: nothing.
func heard(out web.Outcome) (campaign.Result, bool) {
	switch out.Status {
	case "answered":
		return answered(out.Response), true
	case "error":
		return campaign.Result{State: campaign.Failed, Code: out.ErrorCode, Text: out.Description}, true
	}
	return campaign.Result{}, false
}

// unsent is what becomes of a station whose command was not even sent.
func unsent(err error) campaign.Result {
	if p, ok := errors.AsType[*huma.ErrorModel](err); ok {
		switch p.Status {
		case http.StatusNotFound:
			return campaign.Result{State: campaign.Skipped, Code: "notFound", Text: p.Detail}
		case http.StatusUnprocessableEntity:
			return campaign.Result{State: campaign.Skipped, Code: "notSupported", Text: p.Detail}
		}
	}
	return campaign.Result{State: campaign.Waiting, Code: "notSent"}
}

// answered judges what a station answered: by its status, and that of each setting.
func answered(response json.RawMessage) campaign.Result {
	var r struct {
		Status string `json:"status"`
		Info   struct {
			Code string `json:"reasonCode"`
			Text string `json:"additionalInfo"`
		} `json:"statusInfo"`
		Set []struct {
			Status string `json:"attributeStatus"`
		} `json:"setVariableResult"`
	}
	if err := json.Unmarshal(response, &r); err != nil {
		return campaign.Result{State: campaign.Unknown, Code: "unreadable", Text: "Its answer could not be read."}
	}
	code, good := r.Status, positive(r.Status)
	for _, x := range r.Set {
		if ok := positive(x.Status); code == "" || good && (!ok || x.Status != "Accepted") {
			code, good = x.Status, ok
		}
	}
	out := campaign.Result{State: campaign.Failed, Code: code, Text: strings.TrimSpace(r.Info.Code + " " + r.Info.Text)}
	if good {
		out.State = campaign.Done
	}
	if code == "" {
		out.Code = "answered"
	}
	return out
}

// positive reports whether a status says yes, at once or soon.
func positive(status string) bool {
	switch status {
	case "", "Accepted", "Scheduled", "RebootRequired", "Unlocked", "AcceptedCanceled":
		return true
	}
	return false
}
