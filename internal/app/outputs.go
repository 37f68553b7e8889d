package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/live"
	"github.com/chargewatch/chargewatch/internal/output"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// outputs joins those who switch sirens, lights, speakers and relays with the API.
type outputs struct {
	*output.Service
	s *Server
}

var (
	_ web.Outputs      = (*outputs)(nil)
	_ output.Incidents = alarmed{}
)

func (s *Server) newOutputs(ctx context.Context) (*outputs, error) {
	service, err := output.New(ctx, output.Options{
		Store: s.Store, Reach: s.reach, Person: s.Store.PersonBehind, Incidents: alarmed{s.live, s.Store}, Logger: s.log,
		Changed: func(ctx context.Context, id string) { s.Web.OutputChanged(ctx, id) },
	})
	return &outputs{service, s}, err
}

// alarmed is incidents as those see them who switch outputs by themselves.
type alarmed struct {
	*live.Live
	store *store.Store
}

// Open are the incidents that are not closed.
func (a alarmed) Open() []*incident.Incident { return a.Live.Open() }

// Armed says whether a site is armed.
func (a alarmed) Armed(site string) bool { return a.store.Armed(site) }

// Simulated says whether what happened there is played: something in it is.
func (a alarmed) Simulated(in *incident.Incident) bool {
	for _, text := range in.Subjects {
		subject, err := event.ParseSubject(text)
		if err != nil {
			continue
		}
		if a.played(subject) {
			return true
		}
	}
	return false
}

func (a alarmed) played(s event.Subject) bool {
	switch s.Type {
	case event.StationSubject:
		x, ok := a.store.Station(s.ID)
		return ok && x.Simulated
	case event.CameraSubject:
		x, ok := a.store.Camera(s.ID)
		return ok && x.Simulated
	case event.DoorSubject:
		x, ok := a.store.Door(s.ID)
		return ok && x.Simulated
	case event.ControllerSubject:
		x, ok := a.store.Controller(s.ID)
		return ok && x.Simulated
	case event.SiteSubject:
		for _, x := range a.store.Stations() {
			if x.SiteID == s.ID && x.Simulated {
				return true
			}
		}
	}
	return false
}

// OutputStatus is how an output is.
func (o *outputs) OutputStatus(id string) web.OutputStatus {
	x := o.Status(id)
	out := web.OutputStatus{
		State: "off", Since: x.Since, Until: x.Until, By: x.By, ApprovedBy: x.Approved, Cause: x.Cause, Incident: x.Incident, Reason: x.Reason,
		Phrase: x.Phrase, Failure: x.Failure, FailedAt: x.FailedAt,
	}
	switch {
	case x.Overdue:
		out.State = "overdue"
	case x.On && x.Confirmed:
		out.State = "on"
	case x.On:
		out.State = "unsure"
	}
	if r := x.Request; r != nil {
		out.Request = &web.OutputRequestStatus{
			ID: r.ID, By: r.Wish.By, At: r.At, Until: r.Until, Seconds: r.Wish.For.Seconds(), Reason: r.Wish.Reason, Incident: r.Wish.Incident, Phrase: r.Wish.Phrase,
		}
	}
	return out
}

// SwitchOutput switches, or asks for a second person.
func (o *outputs) SwitchOutput(ctx context.Context, w web.OutputWish) error {
	_, err := o.Switch(ctx, output.Wish{
		Output: w.Output, On: w.On, For: w.For, Phrase: w.Phrase, Language: w.Language, Reason: w.Reason, Incident: w.Incident, By: w.By,
	})
	return outputError(err)
}

// TestOutput switches on for a moment.
func (o *outputs) TestOutput(ctx context.Context, id string, by store.Actor) error {
	_, err := o.Test(ctx, id, by)
	return outputError(err)
}

// AnswerOutput is what a second person says.
func (o *outputs) AnswerOutput(ctx context.Context, a web.OutputAnswer) error {
	var err error
	if a.Accept {
		_, err = o.Accept(ctx, a.Output, a.Request, a.By, a.SignedIn)
	} else {
		_, err = o.Decline(ctx, a.Output, a.Request, a.By)
	}
	return outputError(err)
}

// Phrases are what a speaker can say.
func (o *outputs) Phrases(x *store.Output) []store.Phrase { return output.Phrases(x) }

// outputError says an error in the words of the API.
func outputError(err error) error {
	for _, x := range []struct {
		is     error
		status int
		field  string
	}{
		{output.ErrUnreachable, http.StatusBadGateway, ""},
		{output.ErrNoAnswer, http.StatusGatewayTimeout, ""},
		{output.ErrRefused, http.StatusBadGateway, ""},
		{output.ErrTooLong, http.StatusUnprocessableEntity, "seconds"},
		{output.ErrPhrase, http.StatusUnprocessableEntity, "announcement"},
		{output.ErrNobody, http.StatusForbidden, ""},
		{output.ErrOver, http.StatusConflict, ""},
	} {
		if errors.Is(err, x.is) {
			return &web.OutputError{Status: x.status, Field: x.field, Text: x.is.Error()}
		}
	}
	return err
}

// ReachOutput says why an address may not be reached. A name that is not known now may
// be later: each switch is checked anyway.
func (o *outputs) ReachOutput(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return nil //nolint:nilerr // the store says what is wrong with it
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "mqtt": "1883", "mqtts": "8883"}[u.Scheme]
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil //nolint:nilerr // as above
	}
	ctx, cancel := context.WithTimeout(ctx, resolveFor)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	for _, a := range found {
		if err := o.s.reach.Check(netip.AddrPortFrom(a.Unmap(), uint16(n))); err != nil {
			return err
		}
	}
	return nil
}
