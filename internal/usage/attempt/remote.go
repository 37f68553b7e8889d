package attempt

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// asked is a start from afar that has no answer yet.
type asked struct {
	ID    string    `json:"id"`
	At    time.Time `json:"at"`
	EVSE  int       `json:"evse,omitempty"`
	Token string    `json:"token,omitempty"`
}

func startsFromAfar(action string) bool {
	return action == "RemoteStartTransaction" || action == "RequestStartTransaction"
}

// tokenRef stands before a token in a recorded payload.
const tokenRef = "idToken:"

func (s *state) command(at time.Time, b *event.Command) {
	if !startsFromAfar(b.Action) {
		return
	}
	var ask struct {
		IDTag       string `json:"idTag"`
		ConnectorID int    `json:"connectorId"`
		EVSEID      int    `json:"evseId"`
		IDToken     struct {
			IDToken string `json:"idToken"`
		} `json:"idToken"`
	}
	if json.Unmarshal(b.Payload, &ask) != nil {
		return
	}
	// Recorded payloads carry tokens by reference.
	token, _ := strings.CutPrefix(ask.IDTag+ask.IDToken.IDToken, tokenRef)
	if len(s.commands) >= maxCommands {
		s.commands = slices.Delete(s.commands, 0, 1)
	}
	s.commands = append(s.commands, asked{ID: clip(b.CommandID), At: at, EVSE: max(0, ask.EVSEID+ask.ConnectorID), Token: clip(token)})
}

func (s *state) commandResult(at time.Time, b *event.CommandResult) {
	i := slices.IndexFunc(s.commands, func(c asked) bool { return c.ID == clip(b.CommandID) })
	if i < 0 {
		return
	}
	c := s.commands[i]
	s.commands = slices.Delete(s.commands, i, i+1)
	var answer struct {
		Status string `json:"status"`
	}
	a := &Attempt{At: c.At, EVSE: c.EVSE, Token: c.Token, Stage: Presented, Remote: true}
	switch {
	case b.Status != "answered":
		a.Reason, a.Detail = RemoteLost, clip(b.Status)
	case json.Unmarshal(b.Response, &answer) == nil && answer.Status == "Accepted":
		for _, p := range s.ports { // the start may be told before its answer
			if p.open != nil && p.open.Token == c.Token && (c.EVSE == 0 || p.open.EVSE == c.EVSE) {
				p.open.Remote = true
				return
			}
		}
		a.Stage = Authorised
		s.wait(at, a)
		if p := s.find(c.EVSE); p != nil && p.open != nil && !p.started && p.open.Token == "" {
			s.take(p, len(s.waiting)-1)
		}
		return
	default:
		a.Reason, a.Detail = RemoteRefused, clip(answer.Status)
	}
	a.EndsAt, a.Failed, a.Side, a.Late = later(at, a.At), true, a.Reason.Side(), s.late
	s.tell(*a)
}
