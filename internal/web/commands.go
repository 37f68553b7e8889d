package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/campaign"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/store"
)

const (
	// commandLife is how long we wait for a station's answer; the station's link
	// gives up earlier.
	commandLife = 60 * time.Second
	// maxCommands bounds the commands that wait for an answer.
	maxCommands = 5000
)

type commandInput struct {
	Station string `path:"station" maxLength:"48"`
	Wait    string `query:"wait" maxLength:"10" default:"30s" doc:"how long to wait for the answer, such as 10s; at most 60s"`
	Body    struct {
		Action  string         `json:"action" minLength:"1" maxLength:"64" doc:"any CSMS-initiated action of the station's version"`
		Payload map[string]any `json:"payload,omitempty" doc:"as in the specification"`
	}
	RawBody []byte
}

type commandsInput struct {
	Page
	Station string `path:"station" maxLength:"48"`
}

// CommandShape is a request to a station and what became of it.
type CommandShape struct {
	ID               string          `json:"id"`
	Station          string          `json:"station"`
	Action           string          `json:"action"`
	Payload          json.RawMessage `json:"payload"`
	Status           string          `json:"status" enum:"sent,answered,error,timeout,offline,refused"`
	Response         json.RawMessage `json:"response"`
	ErrorCode        string          `json:"errorCode"`
	ErrorDescription string          `json:"errorDescription"`
	RequestedBy      string          `json:"requestedBy" doc:"opaque id of who asked"`
	RequestedByName  string          `json:"requestedByName" doc:"empty once forgotten, and for those who may not know"`
	RequestedAt      time.Time       `json:"requestedAt"`
	FinishedAt       *time.Time      `json:"finishedAt"`
	Late             bool            `json:"late" doc:"the answer came after its time"`

	sent bool // the station may have heard it
}

type commandOutput struct {
	Status int
	Body   CommandShape
}

func (s *Server) registerCommands() {
	add(s, atStation(StationsCommand).orPermit(), huma.Operation{
		OperationID: "sendCommand", Method: http.MethodPost, Path: "/stations/{station}/commands", Tags: []string{"commands"},
		Summary:      "Send a command and wait for the answer",
		MaxBodyBytes: 4 << 20, // a whole local list
		Description: "Answers 202 with status sent when the wait ended first. The command goes on and its answer is recorded. " +
			"A technician on site may send the commands that the work order permits.",
	}, s.sendCommand)
	add(s, atStation(StationsRead), huma.Operation{
		OperationID: "listCommands", Method: http.MethodGet, Path: "/stations/{station}/commands", Tags: []string{"commands"},
		Summary: "What was sent and by whom, newest first",
	}, s.listCommands)
}

func (s *Server) sendCommand(ctx context.Context, in *commandInput) (*commandOutput, error) {
	wait, err := duration(in.Wait)
	if err != nil || wait < 0 || wait > commandLife {
		return nil, problemf(http.StatusUnprocessableEntity, "validation failed",
			&huma.ErrorDetail{Message: "a time such as 10s, at most 60s", Location: "query.wait", Value: in.Wait})
	}
	// The payload is sent as it was written, numbers and all.
	var body struct {
		Payload json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(in.RawBody, &body); err != nil {
		return nil, problemf(http.StatusBadRequest, "not JSON")
	}
	if len(body.Payload) == 0 || string(body.Payload) == "null" {
		body.Payload = json.RawMessage("{}")
	}
	if err := s.mayCommand(ctx, in.Station, in.Body.Action); err != nil {
		return nil, err
	}
	done, shape, err := s.command(ctx, who(ctx).actor(), in.Station, in.Body.Action, body.Payload)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case finished, ok := <-done:
		if !ok {
			return nil, errUnrecorded
		}
		if err := s.forReader(ctx, true, &finished.Payload, &finished.Response); err != nil {
			return nil, err
		}
		return &commandOutput{Status: http.StatusOK, Body: finished}, nil
	case <-timer.C:
	case <-ctx.Done():
	}
	if err := s.forReader(ctx, true, &shape.Payload); err != nil {
		return nil, err
	}
	return &commandOutput{Status: http.StatusAccepted, Body: shape}, nil
}

// duration reads 10s, and 10 as seconds.
func duration(text string) (time.Duration, error) {
	if n, err := strconv.ParseUint(text, 10, 16); err == nil {
		return time.Duration(n) * time.Second, nil
	}
	return time.ParseDuration(text)
}

// sending counts the commands that wait for an answer, at most maxCommands.
// When the server stops they are given up at once and recorded as timed out.
type sending struct {
	stopping context.Context
	stop     context.CancelFunc
	mu       sync.Mutex
	count    int
	idle     chan struct{} // closed when none is left, while stopping
}

func newSending() *sending {
	ctx, stop := context.WithCancel(context.Background())
	return &sending{stopping: ctx, stop: stop, idle: make(chan struct{})}
}

func (w *sending) begin() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopping.Err() != nil {
		return problemf(http.StatusServiceUnavailable, "the server is stopping")
	}
	if w.count >= maxCommands {
		return problemf(http.StatusServiceUnavailable, "too many commands wait for an answer")
	}
	w.count++
	return nil
}

func (w *sending) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.count--; w.count == 0 && w.stopping.Err() != nil {
		close(w.idle)
	}
}

func (w *sending) waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count
}

// drain refuses new commands and waits until those under way are recorded.
func (w *sending) drain() {
	w.mu.Lock()
	w.stop()
	none := w.count == 0
	w.mu.Unlock()
	if !none {
		<-w.idle
	}
}

// command records and sends a command. What it returns first gives the outcome
// once it is recorded.
func (s *Server) command(ctx context.Context, by store.Actor, station, action string, payload json.RawMessage) (<-chan CommandShape, CommandShape, error) {
	st, err := s.station(station)
	if err != nil {
		return nil, CommandShape{}, err
	}
	if st.Protocol != "" && s.o.Validate != nil {
		if faults := s.o.Validate(st.Protocol, action, payload); len(faults) > 0 {
			return nil, CommandShape{}, payloadProblem(st.Protocol, action, faults)
		}
	}
	if err := s.sending.begin(); err != nil {
		return nil, CommandShape{}, err
	}
	recorded, err := s.forRecord(ctx, payload)
	if err != nil {
		s.sending.end()
		return nil, CommandShape{}, problemf(http.StatusUnprocessableEntity, "the payload cannot be read")
	}
	now := s.now().UTC()
	c := &event.Command{CommandID: newCommandID(), Action: action, Payload: recorded, By: string(by), Deadline: now.Add(commandLife)}
	detail := map[string]any{"action": action, "command": c.CommandID}
	if id := campaign.IDOf(ctx); id != "" {
		detail["campaign"] = id
	}
	if err := s.o.Store.AppendAudited(ctx, by, "station.command", event.Station(station), c,
		detail); err != nil {
		s.sending.end()
		return nil, CommandShape{}, err
	}
	shape := CommandShape{
		ID: c.CommandID, Station: station, Action: action, Payload: recorded, Status: "sent", RequestedBy: string(by), RequestedAt: now,
	}
	done := make(chan CommandShape, 1) // closed without one if the outcome was not recorded
	// The caller may go away; the command and its record go on.
	later := context.WithoutCancel(ctx)
	go func() {
		defer s.sending.end()
		defer close(done)
		sendCtx, cancel := context.WithTimeout(later, commandLife)
		defer cancel()
		defer context.AfterFunc(s.sending.stopping, cancel)()
		out := s.o.Stations.Send(sendCtx, station, c.CommandID, action, payload)
		finished := shape
		if err := s.finish(later, &finished, out, false); err != nil {
			s.log.ErrorContext(later, "outcome of a command not recorded", "station", station, "command", c.CommandID, "err", err)
			return
		}
		done <- finished
	}()
	return done, shape, nil
}

var errUnrecorded = problemf(http.StatusServiceUnavailable, "what came of the command could not be recorded")

// CommandFor sends a command for somebody, records it and waits for what came of it.
// An error says that nothing was sent.
func (s *Server) CommandFor(ctx context.Context, by store.Actor, station, action string, payload json.RawMessage) (Outcome, error) {
	done, sent, err := s.command(ctx, by, station, action, payload)
	if err != nil {
		return Outcome{}, err
	}
	c, ok := <-done
	if !ok {
		return Outcome{Command: sent.ID, Status: "timeout", Description: "what came of it could not be recorded", Sent: true}, nil
	}
	return Outcome{Command: c.ID, Status: c.Status, Response: c.Response, ErrorCode: c.ErrorCode, Description: c.ErrorDescription, Sent: c.sent}, nil
}

// finish records an outcome and waits until the lists it changes show it.
func (s *Server) finish(ctx context.Context, shape *CommandShape, out Outcome, late bool) error {
	response, err := s.forRecord(ctx, out.Response)
	if err != nil { // a station may answer anything; what is not JSON was never read
		response = nil
	}
	now := s.now().UTC()
	r, err := s.o.Log.Append(ctx, &event.Event{
		Subject: event.Station(shape.Station), At: now, ReceivedAt: now, Origin: originOf(out),
		Body: &event.CommandResult{
			CommandID: shape.ID, Status: out.Status, Response: response, ErrorCode: out.ErrorCode,
			Description: out.Description, Late: late,
		},
	})
	if err != nil {
		return err
	}
	followed, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	s.o.Store.Followed(followed, r.Seq)
	shape.Status, shape.Response, shape.ErrorCode = out.Status, response, out.ErrorCode
	shape.ErrorDescription, shape.FinishedAt, shape.Late, shape.sent = out.Description, &now, late, out.Sent
	return nil
}

func originOf(out Outcome) event.Origin {
	if out.Status == "answered" || out.Status == "error" {
		return event.FromStation
	}
	return event.FromUs
}

// LateAnswer records an answer that came after its command had timed out.
func (s *Server) LateAnswer(ctx context.Context, station, commandID string, out Outcome) error {
	return s.finish(ctx, &CommandShape{ID: commandID, Station: station}, out, true)
}

func newCommandID() string {
	var b [16]byte
	rand.Read(b[:]) //nolint:errcheck // documented never to fail
	return hex.EncodeToString(b[:])
}

func payloadProblem(version, action string, faults []Fault) error {
	details := make([]*huma.ErrorDetail, 0, len(faults))
	for _, f := range faults {
		details = append(details, &huma.ErrorDetail{Message: f.Text, Location: "body.payload" + dotted(f.Path)})
	}
	return problemf(http.StatusUnprocessableEntity, action+" is not as OCPP "+strings.TrimPrefix(version, "ocpp")+" says", details...)
}

// dotted writes a JSON pointer as the other problems write paths.
func dotted(pointer string) string {
	var b strings.Builder
	for step := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if step == "" {
			continue
		}
		if _, err := strconv.Atoi(step); err == nil {
			b.WriteString("[" + step + "]")
		} else {
			b.WriteString("." + strings.NewReplacer("~1", "/", "~0", "~").Replace(step))
		}
	}
	return b.String()
}

func (s *Server) listCommands(ctx context.Context, in *commandsInput) (*listOutput[CommandShape], error) {
	before, err := decodeCursor("commands", in.Cursor)
	if err != nil {
		return nil, err
	}
	found, next, err := s.o.History.Commands(ctx, journal.CommandQuery{
		Station: in.Station, Limit: in.Limit, Before: journal.Cursor(before),
	})
	if err != nil {
		return nil, err
	}
	site, _ := s.siteOf(in.Station)
	whole := scope(ctx, IDTokensRead).Allows(site)
	names := map[string]string{}
	if scope(ctx, NotesRead).Allows(site) {
		ids := make([]string, 0, len(found))
		for _, c := range found {
			ids = append(ids, c.By)
		}
		if names, err = s.o.Store.UserNames(ctx, ids); err != nil {
			return nil, err
		}
	}
	out := make([]CommandShape, 0, len(found))
	for _, c := range found {
		shape := commandShape(c)
		shape.RequestedByName = names[c.By]
		if err := s.forReader(ctx, whole, &shape.Payload, &shape.Response); err != nil {
			return nil, err
		}
		out = append(out, shape)
	}
	return listOf(out, encodeCursor("commands", string(next))), nil
}

func commandShape(c journal.Command) CommandShape {
	return CommandShape{
		ID: c.ID, Station: c.Station, Action: c.Action, Payload: c.Payload, Status: c.Status, Response: c.Response,
		ErrorCode: c.ErrorCode, ErrorDescription: c.Description, RequestedBy: c.By, RequestedAt: c.At.UTC(),
		FinishedAt: instant(c.FinishedAt), Late: c.Late,
	}
}

// closeAbandoned records as timed out what was sent before a crash hid its
// outcome. It is never sent again.
func (s *Server) closeAbandoned(ctx context.Context) error {
	q := journal.CommandQuery{Limit: journal.MaxLimit}
	oldest := s.now().Add(-24 * time.Hour)
	for range 10 {
		page, next, err := s.o.History.Commands(ctx, q)
		if err != nil {
			return err
		}
		for _, c := range page {
			if c.At.Before(oldest) {
				return nil
			}
			if c.Status != "sent" || !c.At.Before(s.started) {
				continue
			}
			shape := commandShape(c)
			out := Outcome{Status: "timeout", Description: "the server stopped before the answer was recorded"}
			if err := s.finish(ctx, &shape, out, false); err != nil {
				return err
			}
		}
		if q.Before = next; next == "" {
			return nil
		}
	}
	return nil
}
