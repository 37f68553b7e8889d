package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/campaign"
	"github.com/chargewatch/chargewatch/internal/provision"
	"github.com/chargewatch/chargewatch/internal/source/setting"
	"github.com/chargewatch/chargewatch/internal/store"
)

// configure sets each station as its configuration profiles ask. It is done where the
// settings stand so, or wait for a restart.
type configure struct{ s *Server }

var (
	_ campaign.Kind       = (*configure)(nil)
	_ campaign.Repeatable = (*configure)(nil)
)

func (*configure) Name() string { return "configure" }

// Again is true: a station that is set already is asked and not set again.
func (*configure) Again() bool { return true }

func (*configure) Check(params json.RawMessage) error {
	if p := bytes.TrimSpace(params); len(p) > 0 && string(p) != "{}" && string(p) != "null" {
		return &store.InvalidError{Field: "", Reason: "nothing is chosen for it: the profiles say how stations are to be set"}
	}
	return nil
}

func (k *configure) Fits(_ context.Context, station string, _ json.RawMessage) string {
	st, ok := k.s.Journal.Snapshot().Station(station)
	if !ok {
		return "notFound"
	}
	if st.Protocol == "" {
		return "neverConnected"
	}
	switch x, ok := k.s.settings.Standing(station); {
	case ok && x.State == setting.Foreign:
		return "relayed"
	case ok && x.State == setting.NoPlan:
		return "noProfile"
	}
	return ""
}

// configureAgain is when a station is looked at again that is at work by itself.
const configureAgain = 5 * time.Second

func (k *configure) Do(ctx context.Context, station string, _ json.RawMessage, _ int) campaign.Result {
	before, _ := k.s.settings.Standing(station)
	err := k.s.settings.Apply(ctx, station)
	switch {
	case errors.Is(err, setting.ErrBusy):
		return campaign.Result{State: campaign.Waiting, Code: "busy", RetryAt: time.Now().Add(configureAgain)}
	case errors.Is(err, setting.ErrOffline):
		return campaign.Result{State: campaign.Waiting, Code: "offline"}
	case errors.Is(err, setting.ErrForeign):
		return campaign.Result{State: campaign.Skipped, Code: "relayed"}
	case errors.Is(err, setting.ErrNoProfile):
		return campaign.Result{State: campaign.Skipped, Code: "noProfile"}
	case errors.Is(err, setting.ErrUnknown):
		return campaign.Result{State: campaign.Skipped, Code: "notFound"}
	case err != nil:
		return campaign.Result{State: campaign.Unknown, Code: "restart", Text: "The server stopped before all was set."}
	}
	after, ok := k.s.settings.Standing(station)
	if !ok {
		return campaign.Result{State: campaign.Skipped, Code: "notFound"}
	}
	out := configured(after)
	out.Before, out.After = settingsThen(before), settingsThen(after)
	return out
}

// configured judges how a station stands after it was set.
func configured(x *setting.Standing) campaign.Result {
	switch x.Problem {
	case setting.NoAnswer:
		return campaign.Result{State: campaign.Unknown, Code: "timeout", Text: x.Said}
	case setting.WentAway:
		return campaign.Result{State: campaign.Waiting, Code: "offline"}
	case setting.Unreadable, setting.OutOfBudget:
		return campaign.Result{State: campaign.Failed, Code: string(x.Problem), Text: x.Said}
	case setting.RestartFailed:
		return campaign.Result{State: campaign.Failed, Code: "restartFailed", Text: x.Said}
	case setting.NoProblem:
	}
	// The worst that any setting came to, and which ones did.
	for _, come := range []struct {
		state  campaign.State
		code   string
		states []provision.State
	}{
		{campaign.Failed, "refused", []provision.State{provision.Refused}},
		{campaign.Failed, "readOnly", []provision.State{provision.ReadOnly}},
		{campaign.Failed, "unanswered", []provision.State{provision.Unanswered, provision.Unread, provision.Differs}},
		{campaign.Done, "atRestart", []provision.State{provision.AtRestart}},
		{campaign.Done, "partly", []provision.State{provision.Partly, provision.NotSupported}},
	} {
		var words []string
		for i := range x.Verdicts {
			v := &x.Verdicts[i]
			if slices.Contains(come.states, v.State) || come.code == "partly" && len(v.Missing) > 0 {
				words = append(words, v.Word)
			}
		}
		if len(words) > 0 {
			return campaign.Result{State: come.state, Code: come.code, Text: strings.Join(words, ", ")}
		}
	}
	return campaign.Result{State: campaign.Done, Code: "set"}
}

// settingsThen is what a station said of its settings, to compare.
func settingsThen(x *setting.Standing) json.RawMessage {
	if x == nil {
		return nil
	}
	values := make(map[string]string)
	for i := range x.Verdicts {
		if v := &x.Verdicts[i]; v.Is != nil {
			values[v.Word] = *v.Is
		}
	}
	if len(values) == 0 {
		return nil
	}
	out, err := json.Marshal(values)
	if err != nil {
		return nil
	}
	return out
}
