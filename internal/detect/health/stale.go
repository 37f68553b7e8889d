package health

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// staleStatus is D02: the socket lives and the station behind it does not. A
// port that was silent for long is asked for its status; two requests without an
// answer are the finding. Models that cannot answer are remembered and left
// alone, and a request that we lost ourselves counts for nothing.
func staleStatus() detect.Detector {
	return detect.Detector{
		ID: "D02", Code: "staleStatus",
		Params: []detect.Param{
			{Name: "staleHours", Default: 4, Unit: "h", Doc: "age of a port's status from which on it is asked for"},
			{Name: "answerSeconds", Default: 60, Unit: "s", Doc: "how long an answer may take"},
			{Name: "unanswered", Default: 2, Doc: "requests without an answer that are a finding"},
		},
		Kinds:     []event.Kind{event.KindStatus, event.KindComponent, event.KindCommandResult, event.KindDisconnected, event.KindServerStarted},
		On:        staleOn,
		Due:       staleDue,
		Hourly:    staleLook,
		New:       func() any { return new(probe) },
		NewCommon: func() any { return &unable{Models: make(map[string]bool)} },
	}
}

// probe is a question that is open.
type probe struct {
	EVSE    int           `json:"evse,omitempty"`
	Command string        `json:"command,omitempty"`
	Asked   detect.Moment `json:"asked,omitempty"`
	Failed  int           `json:"failed,omitempty"`
	Next    detect.Moment `json:"next,omitempty"` // not before
}

// unable are models that know no TriggerMessage. One station that refuses says
// nothing of its model where others answer: two have to.
type unable struct {
	Models map[string]bool   `json:"models"`
	Once   map[string]string `json:"once,omitempty"` // the first station of a model that refused
	Able   map[string]bool   `json:"able,omitempty"` // of which one has answered
}

// refused notes that a station knows no TriggerMessage.
func (u *unable) refused(st *detect.Station) {
	name := model(st)
	switch first, known := u.Once[name]; {
	case u.Able[name]:
	case known && first != st.ID:
		u.Models[name] = true
		delete(u.Once, name)
	case !known && len(u.Once)+len(u.Models) < maxModels:
		if u.Once == nil {
			u.Once = make(map[string]string)
		}
		u.Once[name] = st.ID
	}
}

func (u *unable) answered(st *detect.Station) {
	name := model(st)
	if u.Able[name] || len(u.Able) >= maxModels {
		return
	}
	if u.Able == nil {
		u.Able = make(map[string]bool)
	}
	u.Able[name] = true
	delete(u.Once, name)
	delete(u.Models, name)
}

const (
	maxModels   = 2000
	refusedWait = 30 * 24 * time.Hour // until a station that refused is asked again: an update may have taught it
)

func model(st *detect.Station) string { return st.Vendor + "/" + st.Model }

func staleLook(c *detect.Context) {
	st := c.Station
	if !st.Online || st.LinkAt.Ago(c.Now) < time.Hour || detect.Common[unable](c).Models[model(st)] {
		return
	}
	m := detect.Recall[probe](c, 0)
	if m != nil && (m.Command != "" || detect.At(c.Now) < m.Next) {
		return
	}
	stale := time.Duration(c.Param("staleHours") * float64(time.Hour))
	oldest := -1
	for i := range st.Ports {
		p := &st.Ports[i]
		if p.HeardAt.IsZero() || p.HeardAt.Ago(c.Now) < stale || p.Tx != nil && c.Now.Sub(p.Tx.Live.At) < stale {
			continue
		}
		if oldest < 0 || p.HeardAt < st.Ports[oldest].HeardAt {
			oldest = i
		}
	}
	if oldest >= 0 {
		staleAsk(c, st.Ports[oldest].EVSE)
	}
}

func staleAsk(c *detect.Context, evse int) {
	payload := fmt.Sprintf(`{"requestedMessage":"StatusNotification","connectorId":%d}`, evse)
	if c.Station.Is2x() {
		plug := 1
		if p := c.Station.Port(evse); p != nil && len(p.Plugs) > 0 {
			plug = int(p.Plugs[0].ID)
		}
		payload = fmt.Sprintf(`{"requestedMessage":"StatusNotification","evse":{"id":%d,"connectorId":%d}}`, evse, plug)
	}
	wait := time.Duration(c.Param("answerSeconds") * float64(time.Second))
	m := detect.Memory[probe](c, 0)
	m.EVSE, m.Asked = evse, detect.At(c.Now)
	m.Command = c.Ask("status", "TriggerMessage", payload, wait)
	c.Wake("lost", c.Now.Add(3*wait)) // nobody told what became of it
}

func staleOn(c *detect.Context, e *event.Event) {
	m := detect.Recall[probe](c, 0)
	if m == nil {
		return
	}
	switch b := e.Body.(type) {
	case *event.Status, *event.Component:
		if p := c.Station.Port(m.EVSE); p != nil && p.HeardAt == detect.At(c.Now) {
			staleOver(c)
			c.Clear("staleStatus", 0, detect.Word("status", p.Status.String()))
		}
	case *event.Disconnected, *event.ServerStarted:
		if !c.Station.Online && m.Command != "" {
			m.Command, m.Failed = "", 0
			c.Cancel("lost")
			c.Cancel("heard")
		}
	case *event.CommandResult:
		if b.CommandID != m.Command || m.Command == "" {
			return
		}
		c.Cancel("lost")
		switch word := answer(b); {
		case word == "Accepted":
			detect.Common[unable](c).answered(c.Station)
			c.Wake("heard", c.Now.Add(time.Duration(c.Param("answerSeconds")*float64(time.Second))))
		case word == "NotImplemented" || word == "NotSupported":
			detect.Common[unable](c).refused(c.Station)
			c.Cancel("heard")
			m.Command, m.Failed, m.Next = "", 0, detect.At(c.Now.Add(refusedWait))
		case b.Status == "timeout" && !c.Fresh():
			staleUnanswered(c, m)
		case b.Status == "answered" || b.Status == "error": // it lives
			m.Command, m.Failed, m.Next = "", 0, detect.At(c.Now.Add(24*time.Hour))
		default:
			m.Command, m.Failed = "", 0
		}
	}
}

// answer is the word of a command's result, or the code of its error.
func answer(b *event.CommandResult) string {
	if b.Status == "error" {
		return b.ErrorCode
	}
	var r struct {
		Status string `json:"status"`
	}
	if b.Status != "answered" || json.Unmarshal(b.Response, &r) != nil {
		return ""
	}
	return r.Status
}

func staleOver(c *detect.Context) {
	c.Cancel("lost")
	c.Cancel("heard")
	c.Forget(0)
}

func staleDue(c *detect.Context, key string) {
	m := detect.Recall[probe](c, 0)
	switch {
	case m == nil || m.Command == "":
	case key == "heard":
		staleUnanswered(c, m)
	default: // nobody will tell: commands may be switched off
		m.Command, m.Failed = "", 0
		m.Next = detect.At(c.Now.Add(time.Duration(c.Param("staleHours") * float64(time.Hour))))
	}
}

func staleUnanswered(c *detect.Context, m *probe) {
	m.Command = ""
	m.Failed++
	c.Station.Touch()
	if float64(m.Failed) < c.Param("unanswered") {
		staleAsk(c, m.EVSE)
		return
	}
	m.Next = detect.At(c.Now.Add(time.Hour))
	p := c.Station.Port(m.EVSE)
	if p == nil {
		return
	}
	age := p.HeardAt.Ago(c.Now)
	c.Raise(0, event.Finding{
		Severity: event.S2,
		Text: c.Say("The station is connected but did not answer %s for the status of port %d, last told %s ago.",
			detect.Count{N: float64(m.Failed), Unit: "request"}, m.EVSE, detect.Span(age)),
		Facts: []event.Fact{
			detect.Value("port", float64(m.EVSE), ""), detect.Value("unanswered", float64(m.Failed), ""),
			{Name: "lastStatus", Text: p.Status.String(), At: p.HeardAt.Time()},
		},
	})
}
