package web

import (
	"context"
	"net/http"
	"slices"

	"github.com/chargewatch/chargewatch/internal/store"
)

// permittedCommands are those that work on a station needs, by the names of all
// versions of OCPP. None changes settings, software or who may charge.
func permittedCommands() []string {
	return []string{
		"ChangeAvailability", "RemoteStartTransaction", "RemoteStopTransaction", "RequestStartTransaction", "RequestStopTransaction",
		"Reset", "TriggerMessage", "UnlockConnector",
	}
}

// permit is the order on which a person works at a station right now; nil: none.
// It ends with the state of the order, with the assignment and with the role.
func (s *Server) permit(ctx context.Context, p *Principal, station string) (*store.WorkOrder, error) {
	site, known := s.siteOf(station)
	if !known || !p.Scope(WorkOrdersWrite).Allows(site) {
		return nil, nil
	}
	w, _, err := s.o.Store.OrderOnSite(ctx, station, p.actor())
	return w, err
}

// commandsFor are the commands that an order permits the caller, or those of work
// for whoever may send all.
func (s *Server) commandsFor(ctx context.Context, station string) ([]string, error) {
	if site, ok := s.siteOf(station); ok && scope(ctx, StationsCommand).Allows(site) {
		return permittedCommands(), nil
	}
	w, err := s.permit(ctx, who(ctx), station)
	if err != nil || w == nil {
		return nil, err
	}
	return permittedCommands(), nil
}

// mayCommand decides about one command: by role, or by permit.
func (s *Server) mayCommand(ctx context.Context, station, action string) error {
	if site, ok := s.siteOf(station); ok && scope(ctx, StationsCommand).Allows(site) {
		return nil
	}
	w, err := s.permit(ctx, who(ctx), station)
	switch {
	case err != nil:
		return err
	case w == nil:
		return errForbidden
	case !slices.Contains(permittedCommands(), action):
		return problemf(http.StatusForbidden, "your work order does not permit "+action)
	}
	return nil
}

// worksAt reports whether somebody works at a site on an order of their own.
func (s *Server) worksAt(ctx context.Context, p *Principal, site string) (bool, error) {
	if site == "" || !p.Scope(WorkOrdersWrite).Allows(site) {
		return false, nil
	}
	return s.o.Store.WorksAt(ctx, site, p.actor())
}
