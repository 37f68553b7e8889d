package web

import (
	"context"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
)

// What tells that somebody is being threatened is for those who may see people: whoever
// threatens may look at the screen of a host, a viewer or a technician on the spot.

// mayTell reports whether an incident may be shown within the rights to read incidents and people.
func mayTell(in *incident.Incident, incidents, people Scope) bool {
	return incidents.Allows(in.SiteID) && (!in.Discreet() || people.Allows(in.SiteID))
}

// discreetSites is what a query of incidents leaves out: nil is nothing.
func discreetSites(ctx context.Context) []string { return scope(ctx, PeopleRead).sitesOrNil() }

// beyond is the right that an event needs beside that to read events, and the site at
// which; empty: none. Where the site is not known the right is needed everywhere.
func (s *Server) beyond(e *event.Event) (need Permission, site string) {
	switch b := e.Body.(type) {
	case *event.Access:
		return PeopleRead, b.SiteID
	case *event.OutputSwitch:
		return OutputsRead, b.SiteID
	case *event.OutputRequest:
		return OutputsRead, b.SiteID
	case *event.DoorAlarm:
		if b.Alarm == event.AlarmDuress {
			return PeopleRead, b.SiteID
		}
	case *event.DoorState:
		if b.Reason == string(event.AlarmDuress) {
			return PeopleRead, b.SiteID
		}
	case *event.Finding:
		if b.Code == incident.CodeDuress {
			site, _ := s.placeOf(e.Subject)
			return PeopleRead, site
		}
	case *event.Incident:
		if b.Type == incident.CodeDuress {
			return PeopleRead, b.SiteID
		}
	}
	return "", ""
}
