package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/event"
)

// OrderState is where in its life a work order is.
type OrderState string

// The states of work orders.
const (
	OrderOpen            OrderState = "open" // nobody has it
	OrderAssigned        OrderState = "assigned"
	OrderOnSite          OrderState = "onSite"
	OrderWaitingForParts OrderState = "waitingForParts"
	OrderDone            OrderState = "done"
	OrderCancelled       OrderState = "cancelled"
)

// Over reports a state in which nobody works any more.
func (x OrderState) Over() bool { return x == OrderDone || x == OrderCancelled }

// Bounds of work orders.
const (
	MaxWorkOrders   = 200_000
	MaxOrderTitle   = 200 // characters
	MaxOrderText    = 4000
	MaxOrderLine    = 300 // of a check or the name of a part
	MaxOrderChecks  = 60
	MaxOrderParts   = 60
	MaxOrderNotes   = 300
	MaxOrderMinutes = 60 * 24 * 60
)

// OrderTitle makes a title of what something is called, however long that is.
func OrderTitle(of string) string { return clip(of, MaxOrderTitle) }

// The two proofs that a port works again.
const (
	ProofTestCharge = "testCharge"
	ProofOverride   = "override"
)

// WorkOrder is what somebody has to do at a site.
type WorkOrder struct {
	ID     string `json:"-"`
	Number int64  `json:"-"`
	// Revision counts changes, so that two people do not undo each other.
	Revision    int            `json:"revision"`
	IncidentID  string         `json:"incidentId,omitempty"`
	SiteID      string         `json:"siteId,omitempty"`
	Station     string         `json:"station,omitempty"`
	EVSE        int            `json:"evse,omitempty"` // 0: the whole station
	Title       string         `json:"title"`
	Description string         `json:"description,omitempty"`
	Severity    event.Severity `json:"severity"`
	State       OrderState     `json:"state"`
	Assignee    Actor          `json:"assignee,omitempty"`
	DueAt       time.Time      `json:"dueAt,omitzero"`
	Checklist   []OrderCheck   `json:"checklist,omitempty"`
	Parts       []OrderPart    `json:"parts,omitempty"`
	TimeMinutes int            `json:"timeMinutes,omitempty"`
	Notes       []OrderNote    `json:"notes,omitempty"` // oldest first
	Photos      int            `json:"-"`
	CreatedBy   Actor          `json:"createdBy"`
	CreatedAt   time.Time      `json:"createdAt"`
	StartedAt   time.Time      `json:"startedAt,omitzero"` // somebody set out
	OnSiteSince time.Time      `json:"onSiteSince,omitzero"`
	ClosedAt    time.Time      `json:"closedAt,omitzero"`
	Proof       *OrderProof    `json:"proof,omitempty"`
}

// OrderCheck is one line of a checklist.
type OrderCheck struct {
	Text string    `json:"text"`
	Done bool      `json:"done,omitempty"`
	By   Actor     `json:"by,omitempty"`
	At   time.Time `json:"at,omitzero"`
}

// OrderPart is what was built in, or has to be ordered.
type OrderPart struct {
	Name     string `json:"name"`
	Quantity int    `json:"quantity"`
}

// OrderNote is a line of an order's log: what somebody wrote, or a change.
type OrderNote struct {
	At     time.Time `json:"at"`
	By     Actor     `json:"by"`
	Change string    `json:"change"` // note, or the name of the change
	Text   string    `json:"text,omitempty"`
}

// OrderProof is why an order could be closed.
type OrderProof struct {
	Kind      string    `json:"kind"`
	SessionID string    `json:"sessionId,omitempty"`
	EnergyWh  float64   `json:"energyWh,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	By        Actor     `json:"by"`
	At        time.Time `json:"at"`
}

// OrderTakenError says that an incident has an open order already.
type OrderTakenError struct {
	ID     string
	Number int64
}

func (e *OrderTakenError) Error() string {
	return fmt.Sprintf("work order %d is open for this incident", e.Number)
}

// Is makes it an ErrExists.
func (e *OrderTakenError) Is(target error) bool { return target == ErrExists }

// OrderQuery selects work orders, newest first. Zero fields select all.
type OrderQuery struct {
	States   []string
	Sites    []string // nil: all; empty: none
	Station  string
	Assignee string
	Incident string
	Before   int64 // number
	Limit    int
}

// Log puts a line into the log; when it is full the oldest goes.
func (w *WorkOrder) Log(at time.Time, by Actor, change, text string) {
	if n := len(w.Notes) - MaxOrderNotes + 1; n > 0 {
		w.Notes = w.Notes[n:]
	}
	w.Notes = append(w.Notes, OrderNote{At: at, By: by, Change: change, Text: text})
}

// check cleans what people typed and bounds it.
func (w *WorkOrder) check() error {
	bound := func(field string, text *string, most int, needed bool) error {
		*text = plainText(*text)
		switch n := utf8.RuneCountInString(*text); {
		case n == 0 && needed:
			return &InvalidError{field, "must not be empty"}
		case n > most:
			return &InvalidError{field, fmt.Sprintf("at most %d characters", most)}
		}
		return nil
	}
	if err := errors.Join(bound("title", &w.Title, MaxOrderTitle, true), bound("description", &w.Description, MaxOrderText, false)); err != nil {
		return err
	}
	switch {
	case w.Severity != event.S1 && w.Severity != event.S2 && w.Severity != event.S3 && w.Severity != event.S4:
		return &InvalidError{"severity", "S1 to S4"}
	case len(w.Checklist) > MaxOrderChecks:
		return &InvalidError{"checklist", fmt.Sprintf("at most %d", MaxOrderChecks)}
	case len(w.Parts) > MaxOrderParts:
		return &InvalidError{"parts", fmt.Sprintf("at most %d", MaxOrderParts)}
	case w.TimeMinutes < 0 || w.TimeMinutes > MaxOrderMinutes:
		return &InvalidError{"timeMinutes", fmt.Sprintf("0 to %d", MaxOrderMinutes)}
	case w.EVSE < 0 || w.EVSE > 0 && w.Station == "":
		return &InvalidError{"evse", "a port of the station"}
	}
	for i := range w.Checklist {
		if err := bound(fmt.Sprintf("checklist[%d].text", i), &w.Checklist[i].Text, MaxOrderLine, true); err != nil {
			return err
		}
	}
	for i := range w.Parts {
		if err := bound(fmt.Sprintf("parts[%d].name", i), &w.Parts[i].Name, MaxOrderLine, true); err != nil {
			return err
		}
		if q := w.Parts[i].Quantity; q < 1 || q > 10_000 {
			return &InvalidError{fmt.Sprintf("parts[%d].quantity", i), "1 to 10000"}
		}
	}
	for i := range w.Notes {
		if err := bound("note", &w.Notes[i].Text, MaxNoteText, w.Notes[i].Change == "note"); err != nil {
			return err
		}
	}
	if w.Proof != nil {
		return bound("reason", &w.Proof.Reason, MaxNoteText, w.Proof.Kind == ProofOverride)
	}
	return nil
}

// CreateWorkOrder opens an order. An incident has at most one that is not over;
// a second is an *OrderTakenError.
func (s *Store) CreateWorkOrder(ctx context.Context, by Actor, w WorkOrder) (*WorkOrder, error) {
	w.ID, w.CreatedBy, w.CreatedAt, w.Revision = newID("wo-"), by, fromMillis(millis(s.now())), 1
	w.State = OrderOpen
	if w.Assignee != "" {
		w.State = OrderAssigned
	}
	w.Log(w.CreatedAt, by, "created", "")
	if err := w.check(); err != nil {
		return nil, err
	}
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := taken(tx, &w); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(`SELECT count(*) FROM work_orders`).Scan(&n); err != nil {
			return fmt.Errorf("count work orders: %w", err)
		}
		if n >= MaxWorkOrders {
			return fmt.Errorf("work orders: %w", ErrFull)
		}
		data, err := json.Marshal(w)
		if err != nil {
			return fmt.Errorf("encode work order: %w", err)
		}
		res, err := tx.Exec(`INSERT INTO work_orders (id, incident, site, station, state, assignee, data) VALUES (?,?,?,?,?,?,?)`,
			w.ID, w.IncidentID, w.SiteID, w.Station, string(w.State), string(w.Assignee), string(data))
		if err != nil {
			return fmt.Errorf("write work order: %w", err)
		}
		if w.Number, err = res.LastInsertId(); err != nil {
			return fmt.Errorf("number of a work order: %w", err)
		}
		return s.audit(tx, by, "workorder.create", "workorder/"+w.ID, w.audited())
	})
	if err != nil {
		return nil, err
	}
	return &w, nil
}

// audited is what the audit log keeps of an order: no text of people.
func (w *WorkOrder) audited() map[string]any {
	out := map[string]any{"number": w.Number, "state": w.State}
	for name, value := range map[string]string{"incident": w.IncidentID, "station": w.Station, "assignee": string(w.Assignee)} {
		if value != "" {
			out[name] = value
		}
	}
	if w.Proof != nil {
		out["proof"] = w.Proof.Kind
		if w.Proof.SessionID != "" {
			out["session"] = w.Proof.SessionID
		}
	}
	return out
}

func taken(tx *sql.Tx, w *WorkOrder) error {
	if w.IncidentID == "" {
		return nil
	}
	other := &OrderTakenError{}
	err := tx.QueryRow(`SELECT id, number FROM work_orders WHERE incident = ? AND state NOT IN ('done', 'cancelled') AND id <> ?`,
		w.IncidentID, w.ID).Scan(&other.ID, &other.Number)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("look for another work order: %w", err)
	}
	return other
}

// ChangeWorkOrder changes an order in one transaction; change gets it as it
// stands, and the act is audited under the name it gets here.
func (s *Store) ChangeWorkOrder(ctx context.Context, by Actor, id, act string, change func(*WorkOrder) error) (*WorkOrder, error) {
	var w *WorkOrder
	was, ended := OrderOpen, false
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		var err error
		if w, err = scanOrder(tx.QueryRow(orderColumns+` WHERE id = ?`, id)); err != nil {
			return err
		}
		over := w.State.Over()
		was = w.State
		if err := change(w); err != nil {
			return err
		}
		w.Revision++
		if err := w.check(); err != nil {
			return err
		}
		if over && !w.State.Over() {
			if err := taken(tx, w); err != nil {
				return err
			}
		}
		if ended = w.State.Over() && !over; ended {
			if err := endPasses(tx, id); err != nil {
				return err
			}
		}
		data, err := json.Marshal(w)
		if err != nil {
			return fmt.Errorf("encode work order: %w", err)
		}
		if _, err := tx.Exec(`UPDATE work_orders SET state = ?, assignee = ?, data = ? WHERE id = ?`,
			string(w.State), string(w.Assignee), string(data), id); err != nil {
			return fmt.Errorf("write work order: %w", err)
		}
		return s.audit(tx, by, "workorder."+act, "workorder/"+id, w.audited())
	})
	if err == nil && ended {
		err = s.passesEnded(ctx, by, id)
	}
	if err != nil {
		return nil, err
	}
	return w, s.tellPresence(ctx, w, was)
}

// tellPresence tells those who watch the site that somebody came to work there, or
// went: what opens and moves meanwhile has a reason.
func (s *Store) tellPresence(ctx context.Context, w *WorkOrder, was OrderState) error {
	present := w.State == OrderOnSite
	if s.journal == nil || w.SiteID == "" || present == (was == OrderOnSite) {
		return nil
	}
	body := &event.Presence{Order: w.ID, Station: w.Station, By: string(w.Assignee), Present: present}
	return s.append(ctx, s.event(event.Site(w.SiteID), body), func(*sql.Tx) error { return nil })
}

const orderColumns = `SELECT number, id, data, (SELECT count(*) FROM work_order_photos p WHERE p.work_order = work_orders.id AND p.kept = 1) FROM work_orders`

func scanOrder(r interface{ Scan(...any) error }) (*WorkOrder, error) {
	w := &WorkOrder{}
	var data string
	err := r.Scan(&w.Number, &w.ID, &data, &w.Photos)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, fmt.Errorf("work order: %w", ErrNotFound)
	case err != nil:
		return nil, fmt.Errorf("read work order: %w", err)
	}
	if err := json.Unmarshal([]byte(data), w); err != nil {
		return nil, fmt.Errorf("decode work order %s: %w", w.ID, err)
	}
	return w, nil
}

// WorkOrder returns one order.
func (s *Store) WorkOrder(ctx context.Context, id string) (*WorkOrder, error) {
	return scanOrder(s.db.Reader().QueryRowContext(ctx, orderColumns+` WHERE id = ?`, id))
}

// WorkOrders returns orders, newest first.
func (s *Store) WorkOrders(ctx context.Context, q OrderQuery) ([]*WorkOrder, error) {
	if q.Sites != nil && len(q.Sites) == 0 {
		return nil, nil
	}
	where, args := []string{"1"}, []any{}
	in := func(column string, values []string) {
		where = append(where, column+" IN (?"+strings.Repeat(",?", len(values)-1)+")")
		for _, v := range values {
			args = append(args, v)
		}
	}
	if len(q.States) > 0 {
		in("state", q.States)
	}
	if q.Sites != nil {
		in("site", q.Sites)
	}
	for column, value := range map[string]string{"station": q.Station, "assignee": q.Assignee, "incident": q.Incident} {
		if value != "" {
			where, args = append(where, column+" = ?"), append(args, value)
		}
	}
	if q.Before > 0 {
		where, args = append(where, "number < ?"), append(args, q.Before)
	}
	var out []*WorkOrder
	err := s.query(ctx, "work orders", orderColumns+` WHERE `+strings.Join(where, " AND ")+` ORDER BY number DESC LIMIT ?`,
		append(args, q.Limit), func(r *sql.Rows) error {
			w, err := scanOrder(r)
			out = append(out, w)
			return err
		})
	return out, err
}

// OrderOnSite returns the order on which somebody works at a station right now,
// which is what permits commands.
func (s *Store) OrderOnSite(ctx context.Context, station string, by Actor) (*WorkOrder, bool, error) {
	if station == "" || by == "" {
		return nil, false, nil
	}
	w, err := scanOrder(s.db.Reader().QueryRowContext(ctx,
		orderColumns+` WHERE station = ? AND state = ? AND assignee = ? ORDER BY number LIMIT 1`, station, string(OrderOnSite), string(by)))
	if errors.Is(err, ErrNotFound) {
		return nil, false, nil
	}
	return w, err == nil, err
}

// WorksAt reports whether somebody is on site at a site, on an order of their own.
func (s *Store) WorksAt(ctx context.Context, site string, by Actor) (bool, error) {
	if site == "" || by == "" {
		return false, nil
	}
	var works bool
	err := s.db.Reader().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM work_orders WHERE site = ? AND state = ? AND assignee = ?)`,
		site, string(OrderOnSite), string(by)).Scan(&works)
	if err != nil {
		return false, fmt.Errorf("look for an order at a site: %w", err)
	}
	return works, nil
}
