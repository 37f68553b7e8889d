package event

// OutputSwitch says that a siren, a light, a speaker or a relay at a site was to be
// switched, by whom and why, and whether it was.
type OutputSwitch struct {
	SiteID  string  `json:"siteId,omitempty"`
	Label   string  `json:"label,omitempty"`
	Output  string  `json:"output"` // siren, light, speaker or relay
	On      bool    `json:"on,omitempty"`
	Seconds float64 `json:"seconds,omitempty"` // after which it goes off by itself
	// Announcement is the key of what a speaker says.
	Announcement string      `json:"announcement,omitempty"`
	Cause        OutputCause `json:"cause"`
	Reason       string      `json:"reason,omitempty"`
	Incident     string      `json:"incident,omitempty"`
	By           string      `json:"by,omitempty"`         // who wanted it; empty: nobody but us
	ApprovedBy   string      `json:"approvedBy,omitempty"` // the second person
	Done         bool        `json:"done,omitempty"`
	Error        string      `json:"error,omitempty"` // unreachable, noAnswer, refused or failed
}

// OutputCause is the closed set of what makes an output switch.
type OutputCause string

// What makes an output switch.
const (
	OutputPerson   OutputCause = "person"
	OutputIncident OutputCause = "incident" // an incident opened, and people had decided so before
	OutputTime     OutputCause = "time"     // its time was over
	OutputTest     OutputCause = "test"
	OutputStop     OutputCause = "stop" // we stop, and it cannot go off by itself
)

// OutputRequest says what became of a wish for an output that needs two people.
type OutputRequest struct {
	SiteID       string  `json:"siteId,omitempty"`
	Label        string  `json:"label,omitempty"`
	Output       string  `json:"output"`
	Request      string  `json:"request"`
	State        string  `json:"state"` // asked, accepted, declined or expired
	Seconds      float64 `json:"seconds,omitempty"`
	Announcement string  `json:"announcement,omitempty"`
	Reason       string  `json:"reason,omitempty"`
	Incident     string  `json:"incident,omitempty"`
	AskedBy      string  `json:"askedBy"`
	By           string  `json:"by,omitempty"` // who did this to it; empty: time did
}

// Kind names the body.
func (*OutputSwitch) Kind() Kind { return KindOutputSwitch }

// Kind names the body.
func (*OutputRequest) Kind() Kind { return KindOutputRequest }

func (*OutputSwitch) isBody()  {}
func (*OutputRequest) isBody() {}
