package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Outputs switches what is at sites against those who should not be there, and knows how
// it is.
type Outputs interface {
	OutputStatus(id string) OutputStatus
	// SwitchOutput switches, or opens a request where two people are needed.
	SwitchOutput(ctx context.Context, w OutputWish) error
	TestOutput(ctx context.Context, id string, by store.Actor) error
	// AnswerOutput is the second person: one who is signed in, and not the first.
	AnswerOutput(ctx context.Context, a OutputAnswer) error
	// Phrases are what a speaker can say.
	Phrases(o *store.Output) []store.Phrase
	// ReachOutput says why an address that people typed in may not be reached.
	ReachOutput(ctx context.Context, address string) error
}

// OutputWish is what somebody wants of an output.
type OutputWish struct {
	Output, Phrase, Language, Reason, Incident string
	On                                         bool
	For                                        time.Duration
	By                                         store.Actor
}

// OutputAnswer is what somebody says to another's request.
type OutputAnswer struct {
	Output, Request string
	Accept          bool
	By              store.Actor
	SignedIn        bool // a person with a session
}

// OutputStatus is how an output is, as those know who switch it.
type OutputStatus struct {
	State            string // off, on, unsure or overdue
	Since, Until     time.Time
	By, ApprovedBy   store.Actor
	Cause            event.OutputCause
	Incident, Reason string
	Phrase           string
	Failure          string
	FailedAt         time.Time
	Request          *OutputRequestStatus
}

// OutputRequestStatus is a wish that waits for a second person.
type OutputRequestStatus struct {
	ID                       string
	By                       store.Actor
	At, Until                time.Time
	Seconds                  float64
	Reason, Incident, Phrase string
}

// OutputError is why an output could not be switched.
type OutputError struct {
	Status int
	Field  string // of the body, if one is at fault
	Text   string
}

func (e *OutputError) Error() string { return e.Text }

// OutputShape is an output as the API shows it.
type OutputShape struct {
	ID            string               `json:"id"`
	SiteID        string               `json:"siteId"`
	Label         string               `json:"label"`
	Kind          store.OutputKind     `json:"kind" enum:"siren,light,speaker,relay"`
	State         string               `json:"state" enum:"off,on,unsure,overdue" doc:"unsure: it was told to go on and did not answer; overdue: it should be off and does not say that it is"`
	Since         *time.Time           `json:"since" doc:"when it was switched on"`
	Until         *time.Time           `json:"until" doc:"when it goes off"`
	By            string               `json:"by" doc:"who switched it on"`
	ByName        string               `json:"byName"`
	ApprovedBy    string               `json:"approvedBy" doc:"the second person"`
	ApprovedName  string               `json:"approvedByName"`
	Cause         event.OutputCause    `json:"cause" enum:",person,incident,test"`
	Incident      string               `json:"incident"`
	Reason        string               `json:"reason"`
	Announcement  string               `json:"announcement" doc:"what a speaker says"`
	Error         string               `json:"error" enum:",unreachable,noAnswer,refused,denied,failed" doc:"of the last try; empty: it went well"`
	ErrorAt       *time.Time           `json:"errorAt"`
	Request       *OutputRequestShape  `json:"request" doc:"somebody asks for a second person"`
	TwoPerson     bool                 `json:"twoPerson"`
	Longest       int                  `json:"longestSeconds"`
	Automatic     OutputAutomaticShape `json:"automatic"`
	Announcements []OutputPhraseShape  `json:"announcements"`
	Simulated     bool                 `json:"simulated"`
	// What follows is for those who set outputs up.
	Driver     store.OutputDriver `json:"driver,omitempty" enum:",webhook,mqtt"`
	Address    string             `json:"address,omitempty"`
	Username   string             `json:"username,omitempty"`
	Preset     string             `json:"preset,omitempty"`
	Topic      string             `json:"topic,omitempty"`
	OnPayload  string             `json:"onPayload,omitempty"`
	OffPayload string             `json:"offPayload,omitempty"`
	HasSecret  bool               `json:"hasSecret"`
	OwnPhrases bool               `json:"ownAnnouncements" doc:"false: the usual ones"`
}

// OutputRequestShape is a wish that waits for a second person.
type OutputRequestShape struct {
	ID           string    `json:"id"`
	By           string    `json:"by"`
	ByName       string    `json:"byName"`
	At           time.Time `json:"at"`
	ExpiresAt    time.Time `json:"expiresAt"`
	Seconds      float64   `json:"seconds" doc:"0: as usual"`
	Reason       string    `json:"reason"`
	Incident     string    `json:"incident"`
	Announcement string    `json:"announcement"`
}

// OutputAutomaticShape is what an output does by itself.
type OutputAutomaticShape struct {
	On      bool `json:"on" doc:"when an incident of security of severity S1 begins while the site is armed"`
	AfterS  int  `json:"afterSeconds,omitempty" minimum:"0" maximum:"600" doc:"unless somebody claims or acknowledges the incident until then"`
	ForS    int  `json:"forSeconds,omitempty" minimum:"0" maximum:"43200" doc:"0: as usual"`
	PerHour int  `json:"perHour,omitempty" minimum:"0" maximum:"60" doc:"how often at most; default 3"`
}

// OutputPhraseShape is what a speaker can say.
type OutputPhraseShape struct {
	Key      string `json:"key" maxLength:"40" pattern:"^[a-z][a-zA-Z0-9-]*$"`
	Text     string `json:"text" minLength:"1" maxLength:"2000"`
	Language string `json:"language" enum:"en,de"`
}

// OutputBody is what people decide about an output.
type OutputBody struct {
	SiteID        string               `json:"siteId" minLength:"1" maxLength:"48"`
	Label         string               `json:"label,omitempty" maxLength:"800"`
	Kind          store.OutputKind     `json:"kind" enum:"siren,light,speaker,relay"`
	Driver        store.OutputDriver   `json:"driver" enum:"webhook,mqtt"`
	Address       string               `json:"address" minLength:"1" maxLength:"500" doc:"https://... of a webhook, mqtts://HOST:PORT of a broker"`
	Username      string               `json:"username,omitempty" maxLength:"200"`
	Secret        *string              `json:"secret,omitempty" maxLength:"200" doc:"signs webhooks, or the password at a broker; missing: as it was; needed when the address changes"`
	Preset        string               `json:"preset,omitempty" enum:",shelly,shelly1,tasmota,zigbee2mqtt,zigbee2mqtt-siren,custom"`
	Topic         string               `json:"topic,omitempty" maxLength:"200" doc:"of the device at the broker"`
	OnPayload     string               `json:"onPayload,omitempty" maxLength:"1000" doc:"of the preset custom; {seconds}, {key}, {text} and {language} are filled in"`
	OffPayload    string               `json:"offPayload,omitempty" maxLength:"1000"`
	Longest       int                  `json:"longestSeconds,omitempty" minimum:"0" maximum:"43200" doc:"how long it may be on; default 180 for a siren"`
	TwoPerson     bool                 `json:"twoPerson,omitempty" doc:"a second person has to agree to switch it on"`
	Automatic     OutputAutomaticShape `json:"automatic,omitempty"`
	Announcements []OutputPhraseShape  `json:"announcements,omitempty" maxItems:"20" doc:"of a speaker; empty: the usual ones"`
}

func (b *OutputBody) to(o *store.Output) {
	o.SiteID, o.Label, o.Kind, o.Driver, o.Address, o.Username = b.SiteID, b.Label, b.Kind, b.Driver, b.Address, b.Username
	o.Preset, o.Topic, o.OnPayload, o.OffPayload, o.LongestS, o.TwoPerson = b.Preset, b.Topic, b.OnPayload, b.OffPayload, b.Longest, b.TwoPerson
	o.Automatic = store.Automatic{On: b.Automatic.On, AfterS: b.Automatic.AfterS, ForS: b.Automatic.ForS, PerHour: b.Automatic.PerHour}
	o.Announcements = nil
	for _, a := range b.Announcements {
		o.Announcements = append(o.Announcements, store.Phrase(a))
	}
}

type (
	outputInput struct {
		Output string `path:"output" maxLength:"64"`
	}
	outputOutput struct{ Body OutputShape }
	outputsInput struct {
		Page
		Site string `query:"site" maxLength:"48"`
	}
	newOutputInput struct {
		Body struct {
			ID string `json:"id,omitempty" maxLength:"48" doc:"one is given if missing"`
			OutputBody
		}
	}
	outputChangeInput struct {
		Output string `path:"output" maxLength:"64"`
		Body   OutputBody
	}
	outputSwitchInput struct {
		Output string `path:"output" maxLength:"64"`
		Body   struct {
			On           bool    `json:"on"`
			Seconds      float64 `json:"seconds,omitempty" minimum:"0" maximum:"43200" doc:"0: as usual for its kind"`
			Incident     string  `json:"incident,omitempty" maxLength:"64"`
			Reason       string  `json:"reason,omitempty" maxLength:"500" doc:"needed to switch on without an incident"`
			Announcement string  `json:"announcement,omitempty" maxLength:"40" doc:"key of what a speaker says; its first if missing"`
			Language     string  `json:"language,omitempty" enum:",en,de"`
		}
	}
	outputAnswerInput struct {
		Output string `path:"output" maxLength:"64"`
		Body   struct {
			Request string `json:"request" minLength:"1" maxLength:"64"`
		}
	}
)

func (s *Server) registerOutputs() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"outputs"}}
	}
	add(s, filtered(OutputsRead), op("listOutputs", http.MethodGet, "/outputs", "List sirens, lights, speakers and relays at sites", 0), s.listOutputs)
	add(s, global(OutputsWrite), op("createOutput", http.MethodPost, "/outputs", "Add a siren, light, speaker or relay", http.StatusCreated), s.createOutput)
	add(s, atOutput(OutputsRead), op("getOutput", http.MethodGet, "/outputs/{output}", "One of them", 0), s.getOutput)
	add(s, atOutput(OutputsWrite), op("putOutput", http.MethodPut, "/outputs/{output}", "Change one", 0), s.putOutput)
	add(s, atOutput(OutputsWrite), op("deleteOutput", http.MethodDelete, "/outputs/{output}", "Remove one that is off", http.StatusNoContent), s.deleteOutput)
	add(s, atOutput(OutputsWrite), op("testOutput", http.MethodPost, "/outputs/{output}/test", "Switch one on for two seconds", 0), s.testOutput)
	add(s, atOutput(OutputsSwitch), op("switchOutput", http.MethodPost, "/outputs/{output}/switch",
		"Switch one on for a while, or off; where two people are needed: ask for the second", 0), s.switchOutput)
	add(s, atOutput(OutputsSwitch), op("acceptOutput", http.MethodPost, "/outputs/{output}/accept", "Be the second person", 0), s.answerOutput(true))
	add(s, atOutput(OutputsSwitch), op("declineOutput", http.MethodPost, "/outputs/{output}/decline", "End a request", 0), s.answerOutput(false))
}

// outputShape shows an output; how it is spoken to is for those who set outputs up.
func (s *Server) outputShape(ctx context.Context, o *store.Output, p *Principal) OutputShape {
	out := OutputShape{
		ID: o.ID, SiteID: o.SiteID, Label: o.Label, Kind: o.Kind, State: "off", TwoPerson: o.TwoPerson, Longest: o.LongestS, Simulated: o.Simulated,
		Automatic:     OutputAutomaticShape{On: o.Automatic.On, AfterS: o.Automatic.AfterS, ForS: o.Automatic.ForS, PerHour: o.Automatic.PerHour},
		Announcements: []OutputPhraseShape{}, OwnPhrases: len(o.Announcements) > 0,
	}
	if p != nil && p.Scope(OutputsWrite).Allows(o.SiteID) {
		out.Driver, out.Address, out.Username, out.Preset, out.Topic = o.Driver, o.Address, o.Username, o.Preset, o.Topic
		out.OnPayload, out.OffPayload, out.HasSecret = o.OnPayload, o.OffPayload, o.HasSecret
	}
	if s.o.Outputs == nil {
		return out
	}
	for _, x := range s.o.Outputs.Phrases(o) {
		out.Announcements = append(out.Announcements, OutputPhraseShape(x))
	}
	x := s.o.Outputs.OutputStatus(o.ID)
	out.State, out.Since, out.Until, out.Cause, out.Incident, out.Reason = x.State, instant(x.Since), instant(x.Until), x.Cause, x.Incident, x.Reason
	out.By, out.ApprovedBy, out.Announcement, out.Error, out.ErrorAt = string(x.By), string(x.ApprovedBy), x.Phrase, x.Failure, instant(x.FailedAt)
	out.ByName, out.ApprovedName = s.actorName(ctx, x.By), s.actorName(ctx, x.ApprovedBy)
	if r := x.Request; r != nil {
		out.Request = &OutputRequestShape{
			ID: r.ID, By: string(r.By), ByName: s.actorName(ctx, r.By), At: r.At.UTC(), ExpiresAt: r.Until.UTC(), Seconds: r.Seconds, Reason: r.Reason,
			Incident: r.Incident, Announcement: r.Phrase,
		}
	}
	return out
}

// actorName is what a person or a token is called; empty if nobody knows.
func (s *Server) actorName(ctx context.Context, by store.Actor) string {
	if by == "" {
		return ""
	}
	if name := s.nameOf(ctx, string(by)); name != "" {
		return name
	}
	if t, err := s.o.Store.APITokenByID(ctx, string(by)); err == nil {
		return t.Name
	}
	return ""
}

func (s *Server) listOutputs(ctx context.Context, in *outputsInput) (*listOutput[OutputShape], error) {
	after, err := decodeCursor("outputs", in.Cursor)
	if err != nil {
		return nil, err
	}
	p, allowed := who(ctx), scope(ctx, OutputsRead)
	var out []OutputShape
	for _, o := range s.o.Store.Outputs() {
		if o.ID <= after || !allowed.Allows(o.SiteID) || in.Site != "" && o.SiteID != in.Site {
			continue
		}
		if len(out) == in.Limit {
			return listOf(out, encodeCursor("outputs", out[len(out)-1].ID)), nil
		}
		out = append(out, s.outputShape(ctx, o, p))
	}
	return listOf(out, ""), nil
}

func (s *Server) getOutput(ctx context.Context, in *outputInput) (*outputOutput, error) {
	o, ok := s.o.Store.Output(in.Output)
	if !ok {
		return nil, store.ErrNotFound
	}
	return &outputOutput{Body: s.outputShape(ctx, o, who(ctx))}, nil
}

// reachOutput refuses an address that is out of reach while somebody is there to
// correct it.
func (s *Server) reachOutput(ctx context.Context, address string) error {
	if s.o.Outputs == nil {
		return nil
	}
	if err := s.o.Outputs.ReachOutput(ctx, address); err != nil {
		return &store.InvalidError{Field: "address", Reason: err.Error()}
	}
	return nil
}

func (s *Server) createOutput(ctx context.Context, in *newOutputInput) (*outputOutput, error) {
	o := store.Output{ID: in.Body.ID}
	in.Body.to(&o)
	if err := s.reachOutput(ctx, o.Address); err != nil {
		return nil, err
	}
	secret := ""
	if in.Body.Secret != nil {
		secret = *in.Body.Secret
	}
	made, err := s.o.Store.CreateOutput(ctx, who(ctx).actor(), o, secret)
	if err != nil {
		return nil, err
	}
	s.OutputChanged(ctx, made.ID)
	return &outputOutput{Body: s.outputShape(ctx, made, who(ctx))}, nil
}

func (s *Server) putOutput(ctx context.Context, in *outputChangeInput) (*outputOutput, error) {
	p := who(ctx)
	if !p.Scope(OutputsWrite).Allows(in.Body.SiteID) {
		return nil, &store.InvalidError{Field: "siteId", Reason: "no such site"}
	}
	if err := s.reachOutput(ctx, in.Body.Address); err != nil {
		return nil, err
	}
	o, err := s.o.Store.ChangeOutput(ctx, p.actor(), in.Output, in.Body.Secret, in.Body.to)
	if err != nil {
		return nil, err
	}
	s.OutputChanged(ctx, o.ID)
	return &outputOutput{Body: s.outputShape(ctx, o, p)}, nil
}

func (s *Server) deleteOutput(ctx context.Context, in *outputInput) (*struct{}, error) {
	o, ok := s.o.Store.Output(in.Output)
	if !ok {
		return nil, store.ErrNotFound
	}
	if err := s.o.Store.DeleteOutput(ctx, who(ctx).actor(), in.Output); err != nil {
		return nil, err
	}
	s.hub.tellNow(ctx, "outputs", "outputGone", o.SiteID, map[string]string{"id": o.ID})
	return nil, nil
}

// switched answers with the output as it is after something was tried.
func (s *Server) switched(ctx context.Context, id string, failed error) (*outputOutput, error) {
	if failed != nil {
		return nil, failed
	}
	return s.getOutput(ctx, &outputInput{Output: id})
}

func (s *Server) testOutput(ctx context.Context, in *outputInput) (*outputOutput, error) {
	if s.o.Outputs == nil {
		return nil, errNoOutputs
	}
	return s.switched(ctx, in.Output, outputProblem(s.o.Outputs.TestOutput(ctx, in.Output, who(ctx).actor())))
}

func (s *Server) switchOutput(ctx context.Context, in *outputSwitchInput) (*outputOutput, error) {
	o, ok := s.o.Store.Output(in.Output)
	switch b := in.Body; {
	case !ok:
		return nil, store.ErrNotFound
	case s.o.Outputs == nil:
		return nil, errNoOutputs
	case b.On && b.Incident == "" && len([]rune(b.Reason)) < 3:
		return nil, &store.InvalidError{Field: "reason", Reason: "say why, or name the incident"}
	case b.Incident != "":
		if one, err := s.visible(ctx, b.Incident, IncidentsRead); err != nil || one.SiteID != o.SiteID {
			return nil, &store.InvalidError{Field: "incident", Reason: "no incident at the site of the output"}
		}
	}
	w := OutputWish{
		Output: in.Output, On: in.Body.On, For: time.Duration(in.Body.Seconds * float64(time.Second)), Phrase: in.Body.Announcement,
		Language: in.Body.Language, Reason: in.Body.Reason, Incident: in.Body.Incident, By: who(ctx).actor(),
	}
	return s.switched(ctx, in.Output, outputProblem(s.o.Outputs.SwitchOutput(ctx, w)))
}

func (s *Server) answerOutput(accept bool) func(context.Context, *outputAnswerInput) (*outputOutput, error) {
	return func(ctx context.Context, in *outputAnswerInput) (*outputOutput, error) {
		if s.o.Outputs == nil {
			return nil, errNoOutputs
		}
		p := who(ctx)
		a := OutputAnswer{Output: in.Output, Request: in.Body.Request, Accept: accept, By: p.actor(), SignedIn: p.Session != nil && p.User != nil}
		return s.switched(ctx, in.Output, outputProblem(s.o.Outputs.AnswerOutput(ctx, a)))
	}
}

var errNoOutputs = problemf(http.StatusNotImplemented, "outputs are not switched by this server")

// outputProblem says an error of outputs in the words of the API.
func outputProblem(err error) error {
	e, ok := err.(*OutputError) //nolint:errorlint // it is made for us, as it is
	if !ok {
		return err
	}
	if e.Field != "" {
		return &store.InvalidError{Field: e.Field, Reason: e.Text}
	}
	return problemf(e.Status, e.Text)
}

// OutputChanged tells the feed how an output is.
func (s *Server) OutputChanged(ctx context.Context, id string) {
	if o, ok := s.o.Store.Output(id); ok {
		s.hub.tellNow(ctx, "outputs", "output", o.SiteID, s.outputShape(ctx, o, nil))
	}
}
