package incident

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// The changes of an incident that somebody may have to hear of.
const (
	ChangeOpened       = "opened"
	ChangeEscalated    = "escalated" // it became more severe
	ChangeReminder     = "reminder"  // it is still open and nobody has taken it
	ChangeAcknowledged = "acknowledged"
	ChangeRepaired     = "repaired"
	ChangeClosed       = "closed"
	ChangeReopened     = "reopened"
	ChangeFlapping     = "flapping" // it comes and goes; single changes are no longer told
	ChangeCalm         = "calm"     // it has stopped flapping
)

// Notice is one change of one incident, in words for people. It is committed
// with the change itself; its key makes a second telling recognisable.
type Notice struct {
	Seq      uint64 `json:"-"`        // place in the table of notices
	Key      string `json:"key"`      // deterministic: incident and step
	Incident string `json:"incident"` // id
	Change   string `json:"change"`
	Severity string `json:"severity"` // S1 to S4
	Kind     string `json:"kind"`     // such as station.offline

	Title string `json:"title"`
	Text  string `json:"text,omitempty"`

	// The same in German; empty where there is none, as for what a person wrote.
	TitleDE string `json:"titleDe,omitempty"`
	TextDE  string `json:"textDe,omitempty"`

	SiteID   string            `json:"siteId,omitempty"`
	SiteName string            `json:"siteName,omitempty"`
	Station  string            `json:"station,omitempty"`
	Subjects []string          `json:"subjects,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
	By       string            `json:"by,omitempty"` // who caused the change: opaque id of a person, empty for ourselves

	At       time.Time `json:"at"`
	OpenedAt time.Time `json:"openedAt"`
	Children int       `json:"children,omitempty"` // incidents folded into this one

	// Discreet says that it is kept from whoever may not see people.
	Discreet bool `json:"discreet,omitempty"`

	// Taken says that somebody had it before it became more severe: theirs to know,
	// and nobody is called.
	Taken bool `json:"taken,omitempty"`
}

// Raises reports a change that asks somebody to act.
func (n *Notice) Raises() bool {
	switch n.Change {
	case ChangeOpened, ChangeEscalated, ChangeReminder, ChangeReopened:
		return !n.Taken
	}
	return false
}

// Ends reports a change after which nobody has to act any more.
func (n *Notice) Ends() bool { return n.Change == ChangeRepaired || n.Change == ChangeClosed }

// errNotice is returned for a stored notice that says nothing.
var errNotice = errors.New("a notice without key, incident or change")

// Encode is the stored form.
func (n *Notice) Encode() ([]byte, error) {
	if n.Key == "" || n.Incident == "" || n.Change == "" {
		return nil, errNotice
	}
	data, err := json.Marshal(n)
	if err != nil {
		return nil, fmt.Errorf("encode notice: %w", err)
	}
	return data, nil
}

// DecodeNotice reads the stored form.
func DecodeNotice(seq uint64, data []byte) (Notice, error) {
	var n Notice
	if err := json.Unmarshal(data, &n); err != nil {
		return n, fmt.Errorf("decode notice: %w", err)
	}
	n.Seq = seq
	if n.Key == "" || n.Incident == "" || n.Change == "" {
		return n, fmt.Errorf("decode notice: %w", errNotice)
	}
	return n, nil
}
