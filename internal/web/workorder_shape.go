package web

import (
	"cmp"
	"context"
	"slices"

	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/knowledge"
	"github.com/chargewatch/chargewatch/internal/store"
)

func (s *Server) orderShape(ctx context.Context, w *store.WorkOrder, names map[string]string) WorkOrderShape {
	out := WorkOrderShape{
		ID: w.ID, Number: w.Number, Revision: w.Revision, IncidentID: w.IncidentID, SiteID: w.SiteID, Station: w.Station, EVSE: w.EVSE,
		Title: w.Title, Severity: w.Severity, State: w.State, Assignee: string(w.Assignee), AssigneeName: names[string(w.Assignee)],
		Mine: w.Assignee != "" && w.Assignee == who(ctx).actor(), DueAt: instant(w.DueAt), CreatedAt: w.CreatedAt.UTC(), ClosedAt: instant(w.ClosedAt),
		Checks: len(w.Checklist), Photos: w.Photos,
	}
	for _, c := range w.Checklist {
		if c.Done {
			out.ChecksDone++
		}
	}
	if site, ok := s.o.Store.Site(w.SiteID); ok {
		out.SiteName, out.Latitude, out.Longitude = site.Name, site.Latitude, site.Longitude
	}
	if st, ok := s.o.Fleet.Snapshot().Station(w.Station); ok {
		out.StationLabel = st.Label
	}
	return out
}

func (s *Server) orderDetail(ctx context.Context, w *store.WorkOrder) (*workOrderOutput, error) {
	ids := []string{string(w.Assignee), string(w.CreatedBy)}
	out := WorkOrderDetail{
		Description: w.Description, TimeMinutes: w.TimeMinutes, CreatedBy: string(w.CreatedBy), StartedAt: instant(w.StartedAt),
		OnSiteSince: instant(w.OnSiteSince), Checklist: []OrderCheckShape{}, Parts: []OrderPartShape{}, Notes: []OrderNoteShape{},
		TestCharges: []TestChargeShape{}, Permit: []string{}, PhotoList: []OrderPhotoShape{},
	}
	photos, err := s.o.Store.OrderPhotos(ctx, w.ID)
	if err != nil {
		return nil, err
	}
	for _, p := range photos {
		out.PhotoList = append(out.PhotoList, photoShape(ctx, w, &p))
		ids = append(ids, string(p.By))
	}
	w.Photos = len(photos)
	if out.Incident, err = s.orderIncident(ctx, w); err != nil {
		return nil, err
	}
	for _, c := range w.Checklist {
		out.Checklist = append(out.Checklist, OrderCheckShape{Text: c.Text, Done: c.Done, By: string(c.By), At: instant(c.At)})
		ids = append(ids, string(c.By))
	}
	for _, p := range w.Parts {
		out.Parts = append(out.Parts, OrderPartShape(p))
	}
	for _, n := range slices.Backward(w.Notes) {
		out.Notes = append(out.Notes, OrderNoteShape{At: n.At, By: string(n.By), Change: n.Change, Text: n.Text})
		ids = append(ids, string(n.By))
	}
	if p := w.Proof; p != nil {
		out.Proof = &OrderProofShape{Kind: p.Kind, SessionID: p.SessionID, EnergyWh: p.EnergyWh, Reason: p.Reason, By: string(p.By), At: p.At}
		ids = append(ids, string(p.By))
	}
	if !w.State.Over() {
		charges, err := s.testCharges(ctx, w)
		if err != nil {
			return nil, err
		}
		for _, x := range charges[:min(len(charges), 5)] {
			out.TestCharges = append(out.TestCharges, TestChargeShape{
				SessionID: x.ID, EVSE: x.EVSE, StartedAt: x.StartedAt.UTC(), EndedAt: instant(x.EndedAt), EnergyWh: x.EnergyWh,
			})
		}
		if w.Station != "" {
			actions, err := s.commandsFor(ctx, w.Station)
			if err != nil {
				return nil, err
			}
			out.Permit = list(actions)
		}
	}
	names, err := s.o.Store.UserNames(ctx, ids)
	if err != nil {
		return nil, err
	}
	out.WorkOrderShape, out.People = s.orderShape(ctx, w, names), names
	return &workOrderOutput{Body: out}, nil
}

// DraftOrder is what an order for an incident begins as.
func (s *Server) DraftOrder(one *incident.Incident, language string) store.WorkOrder {
	var w store.WorkOrder
	s.fillOrder(&w, one, language, false)
	return w
}

// fillOrder takes from an incident what the body of a request left out.
func (s *Server) fillOrder(w *store.WorkOrder, one *incident.Incident, language string, listed bool) {
	w.IncidentID = one.ID
	w.Title = cmp.Or(w.Title, store.OrderTitle(one.Title))
	if w.Description == "" && one.Cause != one.Title {
		w.Description = one.Cause
	}
	w.Severity = cmp.Or(w.Severity, one.Severity)
	if w.Station == "" && w.SiteID == "" {
		w.SiteID, w.Station, w.EVSE = one.SiteID, one.Station, one.EVSE
	}
	if w.DueAt.IsZero() {
		if due := cmp.Or(one.SLARepairDueAt, one.DueAt); due != nil {
			w.DueAt = *due
		}
	}
	if !listed {
		w.Checklist = s.checksFor(one, language)
	}
}

// checksFor is what to look at, as known about the codes of an incident; the
// vendor's word comes first, and no line twice.
func (s *Server) checksFor(one *incident.Incident, language string) []store.OrderCheck {
	if s.o.Knowledge == nil {
		return nil
	}
	var out []store.OrderCheck
	seen := make(map[string]bool)
	for _, q := range s.questions(one) {
		entry, ok := s.o.Knowledge.Explain(q)
		if !ok || seen["entry "+entry.ID] {
			continue
		}
		seen["entry "+entry.ID] = true
		for _, text := range entry.Checks {
			line := text.EN
			if language == "de" && text.DE != "" {
				line = text.DE
			}
			if !seen[line] && len(out) < store.MaxOrderChecks {
				seen[line] = true
				out = append(out, store.OrderCheck{Text: line})
			}
		}
	}
	return out
}

// questions asks about the error that a station named, then about each finding.
func (s *Server) questions(one *incident.Incident) []knowledge.Query {
	base := knowledge.Query{Vendor: one.Labels["vendor"], Model: one.Labels["model"]}
	if st, ok := s.o.Fleet.Snapshot().Station(one.Station); ok {
		base.Protocol = st.Protocol
	}
	said := base
	for _, e := range one.Evidence {
		for name, field := range map[string]*string{
			"errorCode": &said.Code, "vendorErrorCode": &said.VendorCode, "vendor": &said.VendorID, "info": &said.Info,
		} {
			if e.Name == name && *field == "" {
				*field = e.Text
			}
		}
	}
	var out []knowledge.Query
	if said != base {
		out = append(out, said)
	}
	for _, f := range one.Findings {
		q := base
		q.Finding, q.Detector = f.Code, f.Detector
		out = append(out, q)
	}
	if len(one.Findings) == 0 {
		q := base
		q.Finding = one.Kind
		out = append(out, q)
	}
	return out
}
