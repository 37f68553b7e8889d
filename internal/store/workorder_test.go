package store

import (
	"errors"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
)

func TestAWorkOrderIsKeptAndEachChangeIsAudited(t *testing.T) {
	b := open(t)
	w := must[*WorkOrder](t)(b.CreateWorkOrder(t.Context(), admin, WorkOrder{
		IncidentID: "inc-1", SiteID: "ham-1", Station: "CP1", EVSE: 2, Title: "Contactor", Severity: event.S3,
		Checklist: []OrderCheck{{Text: "Switch off"}},
	}))
	if w.Number != 1 || w.State != OrderOpen || w.Revision != 1 || len(w.Notes) != 1 {
		t.Errorf("created %+v", w)
	}
	w = must[*WorkOrder](t)(b.ChangeWorkOrder(t.Context(), "u-2", w.ID, "arrive", func(w *WorkOrder) error {
		w.State, w.Assignee = OrderOnSite, "u-2"
		return nil
	}))
	for _, s := range []*Store{b.Store, b.reopen(t)} {
		kept := must[*WorkOrder](t)(s.WorkOrder(t.Context(), w.ID))
		if kept.State != OrderOnSite || kept.Revision != 2 || kept.Number != 1 || kept.Checklist[0].Text != "Switch off" || kept.EVSE != 2 {
			t.Errorf("kept %+v", kept)
		}
	}
	for name, tc := range map[string]struct {
		station string
		by      Actor
		want    bool
	}{
		"the one who is there":  {"CP1", "u-2", true},
		"somebody else":         {"CP1", "u-3", false},
		"at another station":    {"CP2", "u-2", false},
		"nobody":                {"CP1", "", false},
		"an order without port": {"", "u-2", false},
	} {
		if _, got, err := b.OrderOnSite(t.Context(), tc.station, tc.by); got != tc.want || err != nil {
			t.Errorf("%s: on site %v, %v", name, got, err)
		}
	}
	entries := must[[]AuditEntry](t)(b.Audit(t.Context(), 0, 10))
	if len(entries) != 2 || entries[0].Action != "workorder.arrive" || entries[0].Actor != "u-2" || entries[1].Subject != "workorder/"+w.ID {
		t.Errorf("audit log %+v", entries)
	}
	if strings.Contains(string(entries[1].Detail), "Contactor") {
		t.Errorf("what people wrote is in the audit log: %s", entries[1].Detail)
	}
}

func TestAnIncidentHasOneOpenOrderAtMost(t *testing.T) {
	b := open(t)
	make := func(incident string) (*WorkOrder, error) {
		return b.CreateWorkOrder(t.Context(), admin, WorkOrder{IncidentID: incident, Title: "x", Severity: event.S2})
	}
	state := func(id string, to OrderState) error {
		_, err := b.ChangeWorkOrder(t.Context(), admin, id, "change", func(w *WorkOrder) error { w.State = to; return nil })
		return err
	}
	first := must[*WorkOrder](t)(make("inc-1"))
	_, err := make("inc-1")
	var other *OrderTakenError
	if !errors.As(err, &other) || other.ID != first.ID || other.Number != first.Number || !errors.Is(err, ErrExists) {
		t.Errorf("a second one: %v", err)
	}
	must[*WorkOrder](t)(make("inc-2"))
	must[*WorkOrder](t)(make(""))
	must[*WorkOrder](t)(make(""))
	if err := state(first.ID, OrderCancelled); err != nil {
		t.Fatal(err)
	}
	second := must[*WorkOrder](t)(make("inc-1"))
	if err := state(first.ID, OrderOpen); !errors.As(err, &other) || other.ID != second.ID {
		t.Errorf("reopened beside another: %v", err)
	}
	if kept := must[*WorkOrder](t)(b.WorkOrder(t.Context(), first.ID)); kept.State != OrderCancelled {
		t.Errorf("a refused change left %s", kept.State)
	}
}

func TestWorkOrdersAreSelected(t *testing.T) {
	b := open(t)
	for _, w := range []WorkOrder{
		{SiteID: "a", Station: "A1", Title: "1", Assignee: "u-1"}, {SiteID: "a", Station: "A2", Title: "2"},
		{SiteID: "b", Station: "B1", Title: "3", Assignee: "u-1"}, {Title: "4", IncidentID: "inc"},
	} {
		w.Severity = event.S3
		must[*WorkOrder](t)(b.CreateWorkOrder(t.Context(), admin, w))
	}
	for name, tc := range map[string]struct {
		q    OrderQuery
		want string
	}{
		"all, newest first": {OrderQuery{}, "4321"},
		"of one site":       {OrderQuery{Sites: []string{"a"}}, "21"},
		"of no site":        {OrderQuery{Sites: []string{}}, ""},
		"in a state":        {OrderQuery{States: []string{"assigned"}}, "31"},
		"of a person":       {OrderQuery{Assignee: "u-1", Sites: []string{"a"}}, "1"},
		"of a station":      {OrderQuery{Station: "A2"}, "2"},
		"of an incident":    {OrderQuery{Incident: "inc"}, "4"},
		"behind one":        {OrderQuery{Before: 3}, "21"},
		"a few":             {OrderQuery{Limit: 1}, "4"},
	} {
		if tc.q.Limit == 0 {
			tc.q.Limit = 10
		}
		got := ""
		for _, w := range must[[]*WorkOrder](t)(b.WorkOrders(t.Context(), tc.q)) {
			got += w.Title
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestWhatIsNoWorkOrderIsRefused(t *testing.T) {
	b := open(t)
	for name, tc := range map[string]struct {
		w     WorkOrder
		field string
	}{
		"without a title":          {WorkOrder{Severity: event.S3, Title: " \u0000 "}, "title"},
		"without a severity":       {WorkOrder{Title: "x"}, "severity"},
		"with a long title":        {WorkOrder{Title: strings.Repeat("ü", 201), Severity: event.S3}, "title"},
		"with a port of nothing":   {WorkOrder{Title: "x", Severity: event.S3, EVSE: 1}, "evse"},
		"with an empty check":      {WorkOrder{Title: "x", Severity: event.S3, Checklist: []OrderCheck{{Text: "a"}, {}}}, "checklist[1].text"},
		"with no part of a kind":   {WorkOrder{Title: "x", Severity: event.S3, Parts: []OrderPart{{Name: "fuse"}}}, "parts[0].quantity"},
		"with an endless list":     {WorkOrder{Title: "x", Severity: event.S3, Parts: make([]OrderPart, 61)}, "parts"},
		"with less time than none": {WorkOrder{Title: "x", Severity: event.S3, TimeMinutes: -1}, "timeMinutes"},
	} {
		_, err := b.CreateWorkOrder(t.Context(), admin, tc.w)
		var bad *InvalidError
		if !errors.As(err, &bad) || bad.Field != tc.field {
			t.Errorf("%s: %v", name, err)
		}
	}
}
