// Package web is where people and scripts meet the network: the HTTP API, the
// live feed, sign-in, metrics and the files of the user interface.
//
// It promises that every route is registered with the permission it needs (one
// choke point, route.go), that nobody sees a site outside their grants, that a
// right that ends closes what it opened at once, that what is shown carries its
// age as of the moment it was asked for, and that a slow reader costs others
// nothing and us bounded memory.
package web

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"iter"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Fleet is the live state.
type Fleet interface {
	Snapshot() *fleet.Snapshot
	Ready() error
}

// History is the journal as people ask it.
type History interface {
	Events(ctx context.Context, q journal.EventQuery) ([]*event.Event, journal.Cursor, error)
	Sessions(ctx context.Context, q journal.SessionQuery) ([]*fleet.Session, journal.Cursor, error)
	Session(ctx context.Context, id string) (*fleet.Session, error)
	Commands(ctx context.Context, q journal.CommandQuery) ([]journal.Command, journal.Cursor, error)
	Conformance(ctx context.Context, station string) ([]journal.Conformance, error)
}

// Log is the journal as the live feed and commands use it.
type Log interface {
	Append(ctx context.Context, e *event.Event) (fleet.Receipt, error)
	Subscribe(ctx context.Context, from journal.Cursor) iter.Seq2[journal.Batch, error]
}

// Outcome is what became of a command: answered, error, timeout, offline or
// refused.
type Outcome struct {
	Command     string // its id, of one that is recorded
	Status      string
	Response    json.RawMessage
	ErrorCode   string
	Description string
	Sent        bool // the station may have heard it, whatever came of it
}

// Stations reaches stations that are connected.
type Stations interface {
	// Send asks a station and waits for its answer until ctx ends.
	Send(ctx context.Context, station, commandID, action string, payload []byte) Outcome
	// LastFrame is when a connected station was last heard.
	LastFrame(station string) (time.Time, bool)
	// Disconnect ends the connection of a station whose enrolment changed.
	Disconnect(station, reason string)
}

// Fault is one way in which a payload breaks its specification.
type Fault struct {
	Path string // JSON pointer into the payload
	Text string
}

// Validate checks a request to a station against the specification of its
// version ("ocpp1.6", "ocpp2.0.1", "ocpp2.1").
type Validate func(version, action string, payload []byte) []Fault

// SeriesQuery asks for one measurand of one port.
type SeriesQuery struct {
	Station   string
	EVSE      int
	Measurand string
	From, To  time.Time
	Step      time.Duration
}

// Series is what was measured, in steps that hold at least one sample.
type Series struct {
	Unit   string
	Step   time.Duration
	Points []SeriesPoint
}

// SeriesPoint is one step.
type SeriesPoint struct {
	At             time.Time
	Min, Mean, Max float64
}

// Telemetry answers for what was measured.
type Telemetry interface {
	Series(ctx context.Context, q SeriesQuery) (Series, error)
}

// Frame is one raw frame of the log.
type Frame struct {
	Cursor  string // resumes behind it
	At      time.Time
	Station string
	In      bool   // from the station
	Action  string // of a result: that of its call, if the log knows
	Data    []byte
	Quirks  []string
}

// FrameQuery selects frames of a station, newest first.
type FrameQuery struct {
	Station   string
	Direction string // "in", "out" or empty
	Action    string
	Before    string
	Limit     int
}

// Frames is the raw frame log.
type Frames interface {
	Read(ctx context.Context, q FrameQuery) (frames []Frame, next string, err error)
	// Follow calls fn with each new frame of a station until ctx ends. fn does
	// not block.
	Follow(ctx context.Context, station string, fn func(Frame)) error
}

// Options configures a Server. Store, Fleet, History, Log and Stations are
// required; a route whose part is missing answers 501.
type Options struct {
	Store     *store.Store
	Fleet     Fleet
	History   History
	Past      Past
	Log       Log
	Stations  Stations
	Validate  Validate
	Telemetry Telemetry
	Flows     Flows
	Frames    Frames
	Status    DriversPages // what drivers see at /status; nil: nothing
	System    System
	Vitals    Vitals
	Notifier  Notifier
	Knowledge Knowledge // what error codes mean
	Cameras   Cameras   // nil: none is listened to
	Doors     Doors     // nil: none is driven
	// Controllers comes with Doors.
	Controllers Controllers
	// StationLists are kept in stations for when the server is away; nil: none are.
	StationLists StationLists
	// StationSettings sets stations as profiles ask; nil: nobody does.
	StationSettings StationSettings

	Depot       Depot       // nil: stations put and get no files
	Viewing     Viewing     // nil: no pictures of now
	Finder      Finder      // nil: devices are not asked
	Labels      Labels      // nil: other systems tell no labels
	Clips       Clips       // nil: incidents have no pictures
	Footage     Footage     // nil: no pictures of the past
	Copies      Copies      // nil: nothing is copied to a second place
	Keeping     Keeping     // nil: nobody knows the room for recordings
	Evidence    Evidence    // nil: no packs of evidence
	Photos      Photos      // nil: none are kept
	Outputs     Outputs     // nil: none is switched
	Outlooks    Outlooks    // nil: nothing is forecast
	Relays      Relays      // nil: no station is relayed
	Campaigns   Campaigns   // nil: no work at many stations
	Comparisons Comparisons // nil: campaigns are not compared
	Proofs      Proofs      // nil: how stations prove themselves is not changed
	Imports     Imports     // nil: no past sessions are taken in
	Cells       Cells       // nil: nobody counts quarter hours
	Inside      Inside      // nil: doors are not driven
	// Acknowledger records who takes care of an incident; without one the page of
	// a signed link says that it cannot.
	Acknowledger Acknowledger

	UI    fs.FS // built user interface; nil: not built
	Rules Rules
	// Incidents and OpenIncidents come together; without them nothing is told.
	Incidents     Incidents
	OpenIncidents OpenIncidents
	Measures      Measures
	Studies       Studies // nil: nothing is planned
	Usage         Usage
	// Remedies may be nil: then nothing is done about incidents.
	Remedies Remedies
	// Metrics is what /metrics gathers; nil makes one.
	Metrics *prometheus.Registry

	Logger         *slog.Logger     // default: discard
	Now            func() time.Time // default: time.Now
	Build          string           // shown in the feed's hello
	Simulation     Simulation       // one that can be turned on and off
	Raids          Raids            // stories that play there
	Secure         bool             // browsers reach us by https
	OCPPPort       int              // where stations connect
	OCPPSecure     bool             // by wss
	Onboarding     string           // what becomes of unknown stations: open, approve or closed
	Fingerprint    string           // of our own certificate authority, if there is one
	TrustedProxies []netip.Prefix   // whose X-Forwarded-For counts
	// FlushEvery is the live feed's beat; default 250 ms.
	FlushEvery time.Duration
}

// Server is the web server's handler and what runs behind it.
type Server struct {
	o      Options
	german *detect.Words
	log    *slog.Logger
	now    func() time.Time
	api    huma.API
	mux    *http.ServeMux
	outer  http.Handler

	started    time.Time
	routes     []Route
	limits     *limiter
	pairings   *pairings
	hash       chan struct{} // slots for password hashing
	hub        *hub
	today      *today
	power      *powerBook
	viewed     viewed
	signatures signatures
	doorAsks   doorAsks
	pictures   chan struct{}          // the slot for decoding one
	style      atomic.Pointer[string] // of the map
	sending    *sending
	metrics    *metrics
}

// New wires the routes. Nothing runs before Run.
func New(o Options) *Server {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.FlushEvery <= 0 {
		o.FlushEvery = 250 * time.Millisecond
	}
	if o.Metrics == nil {
		o.Metrics = prometheus.NewRegistry()
	}
	s := &Server{
		german: detect.German(),
		o:      o, log: o.Logger, now: o.Now, mux: http.NewServeMux(),
		limits: newLimiter(o.Now), pairings: newPairings(o.Now), hash: make(chan struct{}, 2),
		sending: newSending(), started: o.Now(),
	}
	s.today = newToday(s)
	s.power = newPowerBook(o)
	s.pictures = make(chan struct{}, 1)
	s.loadMapStyle(context.Background())
	s.hub = newHub(s)
	s.metrics = newMetrics(s)
	s.openAPI()
	s.register()
	for _, schema := range s.api.OpenAPI().Components.Schemas.Map() {
		plainArrays(schema)
	}
	s.outer = s.protect(s.mux)
	return s
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.outer.ServeHTTP(w, r) }

// Run turns the live feed until ctx ends; then sockets and streams are closed
// and commands that wait for an answer are recorded.
func (s *Server) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { s.hub.run(ctx) })
	wg.Go(func() { s.today.run(ctx) })
	wg.Go(func() { s.hub.tail(ctx) })
	if s.o.OpenIncidents != nil {
		wg.Go(func() { s.hub.followIncidents(ctx) })
	}
	if s.o.Flows != nil && s.o.Past != nil {
		wg.Go(func() {
			s.power.run(ctx, func() map[string][]member {
				return membersOf(s.o.Fleet.Snapshot(), func(string) bool { return true })
			}, func(err error) { s.log.WarnContext(ctx, "power of the network not summed", "err", err) })
		})
	}
	wg.Go(func() {
		if err := s.closeAbandoned(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "commands of before the start not closed", "err", err)
		}
	})
	<-ctx.Done()
	s.sending.drain()
	wg.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func (s *Server) register() {
	s.registerSignIn()
	s.registerSites()
	s.registerCameras()
	s.registerDoors()
	s.registerOutputs()
	s.registerUpstreams()
	s.registerModels()
	s.registerConfigurationProfiles()
	s.registerCampaigns()
	s.registerProofs()
	s.registerEvidence()
	s.registerSiteImport()
	s.registerPlans()
	s.registerMapSettings()
	s.registerStations()
	s.registerEnrolment()
	s.registerImport()
	s.registerPast()
	s.registerExport()
	s.registerAgreed()
	s.registerSummary()
	s.registerHistory()
	s.registerStates()
	s.registerCare()
	s.registerIncidents()
	s.registerFigures()
	s.registerExpansion()
	s.registerAnalytics()
	s.registerPrecision()
	s.registerProcedures()
	s.registerCalls()
	s.registerDoorPast()
	s.registerHandover()
	s.registerSLA()
	s.registerRules()
	s.registerPlaybooks()
	s.registerSearch()
	s.registerAttempts()
	s.registerKnowledge()
	s.registerTags()
	s.registerViews()
	s.registerMessages()
	s.registerTelemetry()
	s.registerPower()
	s.registerAttention()
	s.registerCredentials()
	s.registerPeople()
	s.registerPersons()
	s.registerPeopleCSV()
	s.registerPersonExport()
	s.registerPasses()
	s.registerAccess()
	s.registerKiosks()
	s.registerChannels()
	s.registerPush()
	s.registerNotify()
	s.registerAlerts()
	s.registerAck()
	s.registerCommands()
	s.registerWorkOrders()
	s.registerScores()
	s.registerDemo()
	s.registerDemoRaid()
	s.registerLive()
	s.registerStatus()
	s.registerSystem()
	s.registerForecast()
	s.registerPages()
}
