package health

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// localList is D28: the list by which a station serves while nobody can be asked is
// not the one it was given, or it does not take it. OCPP has one sign of that, the
// version: a station that tells another lost its list, or got it from somebody else.
func localList() detect.Detector {
	return detect.Detector{
		ID: "D28", Code: "listDrift",
		Params: []detect.Param{{Name: "refusals", Default: 3, Doc: "lists in a row that the station does not take until it is told"}},
		Kinds:  []event.Kind{event.KindCommand, event.KindCommandResult},
		On:     localListOn,
		New:    func() any { return &given{Sent: make(map[string]sentList)} },
	}
}

// given is what a station was given.
type given struct {
	Version int                 `json:"version,omitempty"` // accepted last; 0: none
	Refused int                 `json:"refused,omitempty"` // in a row
	Sent    map[string]sentList `json:"sent"`              // and not answered, by the id of the command
}

type sentList struct {
	At      detect.Moment `json:"at"`
	Version int           `json:"version,omitempty"` // 0: it is asked for its version
}

const maxSentLists = 8

// listVersion reads the version of a list in the words of all versions of OCPP.
type listVersion struct {
	Status   string `json:"status"`
	Version1 *int   `json:"listVersion"`
	Version2 *int   `json:"versionNumber"`
}

func readListVersion(b json.RawMessage) (x listVersion, version int) {
	if len(b) == 0 || json.Unmarshal(b, &x) != nil {
		return listVersion{}, 0
	}
	switch {
	case x.Version1 != nil:
		version = *x.Version1
	case x.Version2 != nil:
		version = *x.Version2
	}
	return x, version
}

func localListOn(c *detect.Context, e *event.Event) {
	switch b := e.Body.(type) {
	case *event.Command:
		if b.Action != "SendLocalList" && b.Action != "GetLocalListVersion" {
			return
		}
		m := detect.Memory[given](c, 0)
		_, version := readListVersion(b.Payload)
		if len(m.Sent) >= maxSentLists {
			oldest := slices.MinFunc(slices.Sorted(maps.Keys(m.Sent)), func(a, b string) int { return int(m.Sent[a].At - m.Sent[b].At) })
			delete(m.Sent, oldest)
		}
		m.Sent[b.CommandID] = sentList{detect.At(c.Now), version}
	case *event.CommandResult:
		m := detect.Recall[given](c, 0)
		if m == nil {
			return
		}
		sent, ok := m.Sent[b.CommandID]
		if !ok {
			return
		}
		c.Station.Touch()
		delete(m.Sent, b.CommandID)
		if b.Status == "answered" {
			m.answered(c, sent, b)
		}
		if m.Version == 0 && m.Refused == 0 && len(m.Sent) == 0 {
			c.Forget(0)
		}
	}
}

func (m *given) answered(c *detect.Context, sent sentList, b *event.CommandResult) {
	said, version := readListVersion(b.Response)
	if sent.Version > 0 {
		if said.Status == "Accepted" {
			m.Version, m.Refused = sent.Version, 0
			c.Clear("listRefused", 0, detect.Value("version", float64(sent.Version), ""))
			return
		}
		if m.Refused++; float64(m.Refused) >= c.Param("refusals") {
			c.Raise(0, event.Finding{
				Code: "listRefused", Severity: event.S4,
				Text:  c.Say("The station does not take its list of cards: it says %s.", said.Status),
				Facts: []event.Fact{detect.Word("status", said.Status), detect.Value("version", float64(sent.Version), "")},
			})
		}
		return
	}
	switch {
	case m.Version == 0 || said.Version1 == nil && said.Version2 == nil:
	case version == m.Version:
		c.Clear("listDrift", 0, detect.Value("version", float64(version), ""))
	default:
		c.Raise(0, event.Finding{
			Severity: event.S3,
			Text:     c.Say("The list of cards in the station is not the one it was given: it has version %d, and was given %d.", version, m.Version),
			Facts:    []event.Fact{detect.Value("version", float64(version), ""), detect.Value("given", float64(m.Version), "")},
		})
	}
}
