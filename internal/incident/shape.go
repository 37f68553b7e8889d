package incident

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident/procedure"
)

// State is where in its life an incident is.
type State string

// The states. Verifying is out of the inbox: what was wrong is over, and only
// its proof is waited for.
const (
	Open         State = "open"
	Acknowledged State = "acknowledged"
	Remedying    State = "remedying"
	Verifying    State = "verifying"
	Closed       State = "closed"
)

// The answers of people on site.
const (
	NoResponse = "none"
	Dispatched = "dispatched"
	OnSite     = "onSite"
	Contained  = "contained"
)

// Bounds of one incident. Counters go on where a list is full.
const (
	maxFindings = 50
	maxFacts    = 120
	maxSubjects = 100
	maxListed   = 1000 // children by id
	maxRemedies = 50
	maxEdges    = 40
)

// Incident is one cause that somebody, or the machine, has to handle.
type Incident struct {
	ID       string         `json:"id"`
	Kind     string         `json:"kind"`   // code of its leading finding, or of a common cause: site.outage, carrier.outage, firmware.fault, self.outage
	Family   Family         `json:"family"` // what it is about; decides how it is proven over
	Severity event.Severity `json:"severity"`
	State    State          `json:"state"`
	Safety   bool           `json:"safety"` // only a person closes it
	SiteID   string         `json:"siteId"`
	Station  string         `json:"station,omitempty"`
	EVSE     int            `json:"evse,omitempty"`
	Subjects []string       `json:"subjects"`

	Title     string `json:"title"`
	Cause     string `json:"cause"`
	CauseDE   string `json:"causeDe,omitempty"` // the same in German
	CauseCode string `json:"causeCode"`         // for screens with words of their own

	Evidence []Evidence `json:"evidence"`
	Findings []Found    `json:"findings"`
	Total    int        `json:"findingsTotal"` // raised and repeated, those not kept too

	OpenedAt   time.Time  `json:"openedAt"`
	RepairedAt *time.Time `json:"repairedAt"`
	VerifiedAt *time.Time `json:"verifiedAt"`
	ClosedAt   *time.Time `json:"closedAt"`
	// CloseReason says how it ended: stable, charged, notProven, person, parent,
	// merged, removed.
	CloseReason        string `json:"closeReason,omitempty"`
	RecoveredNotProven bool   `json:"recoveredNotProven"`
	// StoppedReporting is true when a fault went silent instead of away.
	StoppedReporting bool `json:"stoppedReporting"`

	ParentID      *string  `json:"parentId"`
	Children      []string `json:"children"`
	ChildrenCount int      `json:"childrenCount"`
	ChildrenBad   int      `json:"childrenBad"` // not repaired yet
	MergedInto    *string  `json:"mergedInto"`

	// DownSince is when it began to be wrong this time, DownSeconds how long it was
	// before: what came back was well in between.
	DownSince   *time.Time `json:"downSince"`
	DownSeconds float64    `json:"downSeconds"`
	HealedBy    string     `json:"healedBy,omitempty"` // machine, itself, people; empty while it lasts

	Repeats    int        `json:"repeats"` // came back while open or within a day of its end
	ReopenedAt *time.Time `json:"reopenedAt"`
	Flapping   bool       `json:"flapping"`
	Inhibitor  *string    `json:"inhibitedBy"` // the incident that explains why this one is silent
	SilencedBy *string    `json:"silencedBy"`  // the silence or window that mutes it
	Planned    bool       `json:"planned"`     // it happened in a maintenance window
	Notified   bool       `json:"notified"`    // somebody was told
	// DriversFailed counts drivers who failed here while it was open; nil: none known.
	DriversFailed *int `json:"driversFailed"`

	Assignee          *string    `json:"assignee"`
	ClaimedBy         *string    `json:"claimedBy"`
	ClaimedUntil      *time.Time `json:"claimedUntil"`
	AcknowledgedBy    *string    `json:"acknowledgedBy"`
	AcknowledgedAt    *time.Time `json:"acknowledgedAt"`
	AcknowledgedUntil *time.Time `json:"acknowledgedUntil"`
	SnoozedUntil      *time.Time `json:"snoozedUntil"`
	Response          string     `json:"response"`
	Verdict           *string    `json:"verdict"`
	// FalseReason says what a false alarm was; EvidencePack is the pack that was
	// taken of what was real, NoEvidence why none was.
	FalseReason  string `json:"falseReason,omitempty"`
	EvidencePack string `json:"evidencePack,omitempty"`
	NoEvidence   string `json:"noEvidence,omitempty"`
	// CloseAsked is who wants to close it and waits for a second person.
	CloseAsked *CloseAsked `json:"closeAsked,omitempty"`
	// Classified is what a person said that it is about, Procedure the version of
	// the list that it began with, Steps what was done of it.
	Classified procedure.Class `json:"classified,omitempty"`
	Procedure  string          `json:"procedure,omitempty"`
	Steps      []StepDone      `json:"steps,omitempty"`

	DueAt          *time.Time `json:"dueAt"` // the next of the two clocks that still run
	SLAAckDueAt    *time.Time `json:"slaAckDueAt"`
	SLARepairDueAt *time.Time `json:"slaRepairDueAt"`
	SLABreached    []string   `json:"slaBreached"` // ack, repair

	Labels    map[string]string `json:"labels"` // vendor, model, firmware, carrier, site, station, powerClass
	Detectors []string          `json:"detectors"`
	Remedies  []RemedyStep      `json:"remedies"`
	Clips     []string          `json:"clips"`
	UpdatedAt time.Time         `json:"updatedAt"`
}

// CodeDuress is the finding that somebody is being threatened.
const CodeDuress = "doorDuress"

// Discreet reports whether it is kept from screens that whoever threatens somebody may
// see.
func (in *Incident) Discreet() bool {
	return in.Kind == CodeDuress || slices.ContainsFunc(in.Findings, func(f Found) bool { return f.Code == CodeDuress })
}

// Found is one condition, or one kind of moment, that stands in an incident.
type Found struct {
	Code     string         `json:"code"`
	Detector string         `json:"detector,omitempty"`
	Severity event.Severity `json:"severity"`
	Safety   bool           `json:"safety,omitempty"`
	Subject  string         `json:"subject"`
	Text     string         `json:"text"`
	Since    time.Time      `json:"since"`
	LastAt   time.Time      `json:"lastAt"`
	Count    int            `json:"count"` // raised or told so often
	// Until is when it was cleared; nil while it lasts and of moments.
	Until  *time.Time `json:"until"`
	Moment bool       `json:"moment,omitempty"`
	Seq    uint64     `json:"seq"` // the event it followed from last
}

// Evidence is a fact and whose it is.
type Evidence struct {
	Subject  string `json:"subject"`
	Detector string `json:"detector,omitempty"`
	event.Fact
}

// clone is a copy that shares nothing that changes.
func (in *Incident) clone() *Incident {
	out := *in
	out.Subjects = slices.Clone(in.Subjects)
	out.Evidence = slices.Clone(in.Evidence)
	out.Findings = slices.Clone(in.Findings)
	out.Children = slices.Clone(in.Children)
	out.SLABreached = slices.Clone(in.SLABreached)
	out.Detectors = slices.Clone(in.Detectors)
	out.Remedies = slices.Clone(in.Remedies)
	out.Clips = slices.Clone(in.Clips)
	out.Steps = slices.Clone(in.Steps)
	return &out
}

// Logged is one line of the activity feed; it is recorded as a derived event.
type Logged struct {
	Incident string         `json:"incident"`
	Change   string         `json:"change"`
	At       time.Time      `json:"at"`
	Cause    uint64         `json:"cause,omitempty"` // the event it follows from
	By       string         `json:"by,omitempty"`    // opaque id of a person, empty for ourselves
	Note     string         `json:"note,omitempty"`
	State    State          `json:"state,omitempty"`
	Severity event.Severity `json:"severity,omitempty"`
	Kind     string         `json:"kind,omitempty"`
	Title    string         `json:"title,omitempty"`
	SiteID   string         `json:"siteId,omitempty"`
	Findings []string       `json:"findings,omitempty"` // codes
	// Value is what was chosen: a verdict, the outcome of a step or a call, a class;
	// About is of what: why it was false, the step, the role of who was called.
	Value     string `json:"value,omitempty"`
	About     string `json:"about,omitempty"`
	Contact   string `json:"contact,omitempty"`   // of the call list
	Procedure string `json:"procedure,omitempty"` // that the step stands in
}

// Event is the line as the journal keeps it.
func (l *Logged) Event() *event.Incident {
	return &event.Incident{
		ID: l.Incident, Change: l.Change, State: string(l.State), Severity: l.Severity,
		Type: l.Kind, Title: l.Title, SiteID: l.SiteID,
	}
}

// Effects is what follows from one step of the fold. Its incidents are copies
// that nobody changes any more.
type Effects struct {
	Changed []*Incident
	Log     []Logged
	Notices []Notice
}

// Empty reports that nothing happened.
func (x *Effects) Empty() bool { return len(x.Changed)+len(x.Log)+len(x.Notices) == 0 }

// Words of the activity feed beside those of notices.
const (
	ChangeJoined      = "joined"  // another finding of the same cause
	ChangeCleared     = "cleared" // one finding of several is over
	ChangeRepeated    = "repeated"
	ChangeVerified    = "verified"
	ChangeSilent      = "stoppedReporting"
	ChangeClaimed     = "claimed"
	ChangeReleased    = "released"
	ChangeAssigned    = "assigned"
	ChangeNoted       = "noted"
	ChangeSnoozed     = "snoozed"
	ChangeWoken       = "woken" // the snooze is over
	ChangeAckExpired  = "acknowledgementExpired"
	ChangeDispatched  = "dispatched"
	ChangeVerdict     = "verdict"
	ChangeMerged      = "merged"
	ChangeFolded      = "folded"   // it became a child of a common cause
	ChangeUnfolded    = "unfolded" // it outlasted the common cause
	ChangeGrew        = "grew"     // more children
	ChangeMuted       = "muted"
	ChangeUnmuted     = "unmuted"
	ChangeInhibited   = "inhibited"
	ChangeRemedy      = "remedy"
	ChangeSwitched    = "switched" // a siren, light, speaker or relay at the site
	ChangeStep        = "step"
	ChangeClassified  = "classified"
	ChangeCalled      = "called"
	ChangeCloseAsked  = "closeAsked"
	ChangeSLAWarning  = "slaWarning"
	ChangeSLABreached = "slaBreached"
)
