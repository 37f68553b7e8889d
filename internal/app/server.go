package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/chargewatch/chargewatch/internal/campaign"
	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/depot"
	"github.com/chargewatch/chargewatch/internal/disk"
	"github.com/chargewatch/chargewatch/internal/frames"
	"github.com/chargewatch/chargewatch/internal/intake"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/live"
	"github.com/chargewatch/chargewatch/internal/notify"
	"github.com/chargewatch/chargewatch/internal/outbox"
	"github.com/chargewatch/chargewatch/internal/outlook"
	"github.com/chargewatch/chargewatch/internal/outward"
	"github.com/chargewatch/chargewatch/internal/pki"
	"github.com/chargewatch/chargewatch/internal/rule"
	"github.com/chargewatch/chargewatch/internal/rule/backtest"
	"github.com/chargewatch/chargewatch/internal/seal"
	"github.com/chargewatch/chargewatch/internal/source/station"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/study"
	"github.com/chargewatch/chargewatch/internal/telemetry"
	"github.com/chargewatch/chargewatch/internal/usage/history"
	"github.com/chargewatch/chargewatch/internal/vitals"
	"github.com/chargewatch/chargewatch/internal/web"
	"github.com/chargewatch/chargewatch/ui"
)

// Server is one built server: the rooms it is made of, open and joined.
type Server struct {
	Config    config.Config
	Journal   *journal.Journal
	Store     *store.Store
	Endpoint  *station.Endpoint
	Telemetry *telemetry.Store
	Usage     *history.Store
	Web       *web.Server

	frames         *frames.Log
	live           *live.Live
	language       *rule.Language
	outbox         *outbox.Executor
	notify         *notify.Service
	curves         atomic.Pointer[telemetry.Store] // for the journal, which opens before
	guard          *disk.Guard
	reach          *outward.Guard
	upstreams      *upstreams
	proofs         *proofs
	cameras        *cameras
	doors          *doors
	lists          *stationLists
	settings       *stationSettings
	depot          *depot.Service
	outputs        *outputs
	studies        *study.Desk
	campaigns      *campaign.Service
	comparisons    *comparisons
	validate       web.Validate
	outlook        *outlook.Service
	trail          *auditTrail
	devices        *devices
	labels         *labels
	footage        *footage
	clips          *clips
	copies         *copies
	intake         *intake.Service
	simulated      atomic.Pointer[[]netip.AddrPort] // cameras
	simulatedDoors atomic.Pointer[[]netip.AddrPort]
	simulatedHorns atomic.Pointer[[]netip.AddrPort]
	simulation     *simulation
	vitals         *vitals.Monitor
	storage        storageMeasure
	tail           *LogTail
	demo           bool
	log            *slog.Logger
	lock           *os.File
	data           *os.Root
	db             *coredb.DB
	tls            *material
	fileTLS        *material
	listenerTLS    []*material // of the further listeners for stations, nil: without
	lived          bool        // a past was made for it
	listeners      []*listener
	ocpp           *listener
	http           *listener
}

// Options are what a caller decides and no configuration does.
type Options struct {
	Logger *slog.Logger
	Demo   bool // a simulated network runs along, which the caller starts

	// now is of what is recorded, found and done, tick how often what is due is
	// looked for; the zero values are those of a server.
	now   func() time.Time
	tick  time.Duration
	past  *past   // to be made in a folder that no server has used
	seed  uint64  // of a demo
	speed float64 // of its time
	blind bool    // its sites have no cameras
	// doorPoll is how often door controllers are asked how they are; zero: as usual.
	doorPoll time.Duration
	// authorityTLS is by what another authority of stations' certificates is trusted; nil:
	// by the roots of the machine.
	authorityTLS *tls.Config
}

// errDrain is returned when the disk does not let go. Nobody was told that what
// is lost was stored.
var errDrain = errors.New("the journal could not be drained in time")

// errLocked is returned when another server has the data folder.
var errLocked = errors.New("another server uses the data folder")

// New opens the data folder and builds a server; its ports are open when New
// returns, so that a caller knows the addresses. Run serves them.
func New(ctx context.Context, c config.Config, o Options) (s *Server, err error) {
	tail := &LogTail{}
	log := tail.Keep(o.Logger)
	s = &Server{Config: c, log: log, tail: tail, demo: o.Demo}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
			s = nil
		}
	}()
	if err := s.openFolder(); err != nil {
		return s, err
	}
	if o.past != nil {
		if err := o.past.make(ctx, s.data, c.Data); err != nil {
			return s, err
		}
		s.lived = o.past.made
	}
	if s.db, err = coredb.Open(ctx, c.Data); err != nil {
		return s, err
	}
	if s.Journal, err = sqlite.Open(ctx, sqlite.Options{DB: s.db, Logger: log, Now: o.now, Version: version, Journal: journal.Options{
		// A start folds what came after the checkpoint: that must stay well below a second.
		CheckpointEvery: 30 * time.Second, CheckpointEvents: 30_000, Tick: o.tick,
		Keep: journal.Keep{History: time.Duration(c.Retention.Events), Sealed: s.sealed},
	}}); err != nil {
		return s, fmt.Errorf("open the journal: %w", err)
	}
	box, err := seal.Open(s.data)
	if err != nil {
		return s, err
	}
	if s.Store, err = store.Open(ctx, store.Options{DB: s.db, Journal: s.Journal, Logger: log, Box: box}); err != nil {
		return s, fmt.Errorf("open the store: %w", err)
	}
	if s.language, err = rule.NewLanguage(); err != nil {
		return s, err
	}
	known, err := knowing(ctx, s.data, log)
	if err != nil {
		return s, err
	}
	if s.live, err = live.Open(ctx, live.Options{
		Journal: s.Journal, DB: s.db, Detectors: detectors(known), Language: s.language, Logger: log,
		Told: func() { s.notify.Kick() }, Now: o.now, Beat: o.tick,
	}); err != nil {
		return s, fmt.Errorf("open detection: %w", err)
	}
	s.Store.Guarded(func(site string) bool { _, guarded := s.live.Posture(site); return guarded })
	if s.Telemetry, err = telemetry.Open(ctx, telemetry.Options{Folder: c.Data, Logger: log, KeepFor: time.Duration(c.Retention.Telemetry)}); err != nil {
		return s, fmt.Errorf("open telemetry: %w", err)
	}
	s.curves.Store(s.Telemetry)
	if s.Usage, err = history.Open(ctx, history.Options{
		Folder: c.Data, Journal: s.Journal, DB: s.db, Curves: s.Telemetry, Logger: log, Now: o.now,
	}); err != nil {
		return s, fmt.Errorf("open the history of usage: %w", err)
	}
	s.outlook = s.newOutlook(o.now)
	if s.frames, err = frames.Open(frames.Options{
		Folder: filepath.Join(c.Data, "frames"), Logger: log, MaxBytes: c.Retention.FramesBytes, MaxAge: time.Duration(c.Retention.FramesAge),
	}); err != nil {
		return s, fmt.Errorf("open the frame log: %w", err)
	}
	if s.tls, err = certificates(s.data, c.TLS, append(namesOf(c.HTTP), namesOf(c.OCPP)...), time.Now); err != nil {
		return s, err
	}
	s.upstreams, s.proofs = &upstreams{s: s}, s.newProofs(o.authorityTLS)
	who := &admission{store: s.Store, journal: s.Journal, protocol: c.Station.DefaultProtocol, upstream: s.upstreams, proofs: s.proofs}
	s.Endpoint = station.New(s.Journal, who, who, wire{s.frames}, station.Options{
		Logger: log, Onboarding: station.Onboarding(c.Onboarding),
		HeartbeatInterval: time.Duration(c.Station.HeartbeatInterval), PendingInterval: time.Duration(c.Station.PendingInterval),
		CommandTimeout: time.Duration(c.Station.CommandTimeout), FrameLimit: c.Station.FrameLimit,
		OnLate: s.lateAnswer, Dial: s.upstreams.dial, Record: s.upstreams.record, Sign: s.proofs.sign,
	})
	s.guard = disk.New(s.data, disk.Options{Logger: log, Changed: s.giveWay})
	asked := commander{s.Endpoint, s.Journal, s.Store}
	s.outbox = outbox.New(s.Journal, asked, outbox.Options{Logger: log, Now: o.now, Poll: o.tick})
	if s.ocpp, err = listen(ctx, "OCPP", c.OCPP, s.withFiles(s.Endpoint), s.tls.server(), s.log); err != nil {
		return s, err
	}
	s.listeners = append(s.listeners, s.ocpp)
	_, port, err := net.SplitHostPort(s.OCPPAddress())
	if err != nil {
		return s, fmt.Errorf("read the address of OCPP: %w", err)
	}
	ocppPort, err := strconv.Atoi(port)
	if err != nil {
		return s, fmt.Errorf("read the port of OCPP: %w", err)
	}
	assets, err := ui.Assets()
	if err != nil {
		return s, fmt.Errorf("open the web interface: %w", err)
	}
	if s.simulation, err = newSimulation(ctx, s, o); err != nil {
		return s, err
	}
	drivers, err := s.drivers(ctx)
	if err != nil {
		return s, err
	}
	if err := s.openFootage(ctx); err != nil {
		return s, err
	}
	if err := s.openCameras(ctx); err != nil {
		return s, err
	}
	s.doors = s.newDoors(o.doorPoll)
	s.lists = s.newStationLists(o.now)
	s.settings = s.newStationSettings(asked, o.now)
	if s.outputs, err = s.newOutputs(ctx); err != nil {
		return s, err
	}
	if s.labels, err = s.newLabels(); err != nil {
		return s, err
	}
	s.clips = s.newClips()
	if err := s.openCopies(ctx); err != nil {
		return s, err
	}
	if s.intake, err = intake.Open(intake.Options{Data: s.data, Store: s.Store, Logger: log, Now: o.now}); err != nil {
		return s, err
	}
	if err := s.openDepot(ctx, o.now); err != nil {
		return s, err
	}
	s.devices = newDevices(s)
	if s.notify, err = s.newNotifier(ctx); err != nil {
		return s, err
	}
	pictures, err := s.openPhotos(ctx)
	if err != nil {
		return s, err
	}
	s.validate = validator()
	s.campaigns = s.newCampaigns(o.now)
	s.comparisons = newComparisons(s.Journal, s.Store, o.now)
	s.studies = study.New(study.Options{Rows: s.Store, Sites: studied{s}, Logger: log})
	watch := &self{s: s}
	scraped := prometheus.NewRegistry()
	if err := scraped.Register(newVideoMetrics(s.cameras.pool)); err != nil {
		return s, fmt.Errorf("count what cameras show: %w", err)
	}
	s.Web = web.New(web.Options{
		Metrics:    scraped,
		Store:      s.Store,
		Fleet:      s.Journal,
		History:    s.Journal,
		Past:       s.Journal,
		Log:        s.Journal,
		Stations:   asked,
		Validate:   s.validate,
		Telemetry:  curves{s.Telemetry},
		Flows:      curves{s.Telemetry},
		Simulation: s.simulation,
		Raids:      &s.simulation.raids,
		Frames:     wire{s.frames},
		Status:     drivers,
		Notifier:   notifier{s.notify},
		Knowledge:  known,
		Photos:     pictures,
		Cameras:    s.cameras,

		Doors:       s.doors,
		Controllers: s.doors,
		Inside:      s.doors.inside,
		Outputs:     s.outputs,
		Outlooks:    s.outlook,
		Relays:      s.upstreams,
		Campaigns:   s.campaigns,
		Comparisons: s.comparisons,
		Proofs:      s.proofs,

		StationLists: s.lists,
		Depot:        s.depot,

		StationSettings: s.settings,

		Viewing:  s.cameras,
		Finder:   s.devices,
		Labels:   s.labels,
		Footage:  s.footage,
		Keeping:  s.footage,
		Copies:   s.copies,
		Clips:    s.clips,
		Evidence: s.footage.packs,
		Imports:  s.intake,
		Cells:    quarters{s.Usage},

		Incidents:     s.live,
		OpenIncidents: s.live,
		Measures:      s.live,
		Studies:       s.studies,
		Usage:         s.Usage,
		Acknowledger:  handled{s.live, s.Journal},
		Rules: web.Rules{
			Language: s.language, Detectors: detectors(known), Status: s.live.Rules, Open: s.live.Open,
			Sources: s.live.Sources, Posture: s.live.Posture, Guarded: s.live.Changed,
			Past: backtest.New(backtest.Options{Journal: s.Journal, Language: s.language, Detectors: detectors(known)}),
		},
		Remedies: s.live,

		UI:             assets,
		Logger:         log,
		Build:          version,
		OCPPPort:       ocppPort,
		OCPPSecure:     s.tls != nil,
		System:         system{s},
		Vitals:         watch,
		Onboarding:     c.Onboarding,
		Fingerprint:    s.tls.authority(),
		Secure:         s.tls != nil || c.BehindProxy,
		TrustedProxies: networks(c.TrustedProxies),
	})
	s.vitals = vitals.New(vitals.Options{Look: s.look})
	watch.Monitor = s.vitals
	return s, s.openPorts(ctx)
}

// sealed is how far measurements are safe in blocks.
func (s *Server) sealed() uint64 {
	if t := s.curves.Load(); t != nil {
		return t.Sealed().Seq
	}
	return 0
}

// giveWay follows the stages of a disk that fills up; the reserve is the
// guard's own.
func (s *Server) giveWay(stage disk.Stage) {
	s.Endpoint.Pause(stage >= disk.StopAccepting)
	s.footage.giveWay(stage)
}

func (s *Server) lateAnswer(id, command string, o station.Outcome) {
	ctx, done := context.WithTimeout(context.Background(), drainLimit)
	defer done()
	out := web.Outcome{Status: o.Status, Response: o.Response, ErrorCode: o.ErrorCode, Description: o.Description}
	if err := s.Web.LateAnswer(ctx, id, command, out); err != nil {
		s.log.WarnContext(ctx, "late answer not recorded", "station", id, "command", command, "err", err)
	}
	if r, ok := heard(out); ok {
		if err := s.campaigns.Late(ctx, id, command, r); err != nil {
			s.log.WarnContext(ctx, "what became of a station of a campaign is not corrected", "station", id, "command", command, "err", err)
		}
	}
}

// openFolder makes the data folder and takes it for this process alone.
func (s *Server) openFolder() error {
	if err := os.MkdirAll(s.Config.Data, 0o750); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	root, err := os.OpenRoot(s.Config.Data)
	if err != nil {
		return fmt.Errorf("open the data folder: %w", err)
	}
	s.data = root
	if s.lock, err = takeFolder(root); err != nil {
		return fmt.Errorf("%s: %w", s.Config.Data, err)
	}
	return nil
}

func (s *Server) openPorts(ctx context.Context) error {
	c := s.Config
	var err error
	if s.http, err = listen(ctx, "HTTP", c.HTTP, s.Web, s.tls.server(), s.log); err != nil {
		return err
	}
	s.listeners = append(s.listeners, s.http)
	if err := s.openFilePort(ctx); err != nil {
		return err
	}
	for _, l := range c.Listeners {
		m, err := certificates(s.data, l.TLS, namesOf(l.Address), time.Now)
		if err != nil {
			return err
		}
		s.listenerTLS = append(s.listenerTLS, m)
		conf := m.server()
		if m != nil {
			var own *x509.Certificate
			if l.Profile >= 3 {
				if own, err = s.proofs.stationRoot(); err != nil {
					return err
				}
			}
			conf = m.config(func(x *loaded) *tls.Config { return pki.Config(x.pairs, clientsOf(x.clients, own), l.LegacyRSA) })
		}
		ln, err := listen(ctx, "OCPP on "+l.Address, l.Address, s.withFiles(s.Endpoint.AtLeast(l.Profile)), conf, s.log)
		if err != nil {
			return err
		}
		s.listeners = append(s.listeners, ln)
	}
	return nil
}

// OCPPAddress is where stations connect.
func (s *Server) OCPPAddress() string { return s.ocpp.Addr().String() }

// ListenerAddress is where the listener at that place of the configuration is.
func (s *Server) ListenerAddress(i int) string {
	return s.listeners[len(s.listeners)-len(s.Config.Listeners)+i].Addr().String()
}

// HTTPAddress is where people and scripts come in.
func (s *Server) HTTPAddress() string { return s.http.Addr().String() }

// drainLimit is how long a stop may take in all.
const drainLimit = 9 * time.Second

// Run serves until ctx ends, then drains: it stops accepting, closes sockets
// with 1001, commits what waits and closes the data folder.
func (s *Server) Run(ctx context.Context) error {
	inner, stop := context.WithCancelCause(ctx)
	var outside, inside sync.WaitGroup
	back, quit := context.WithCancel(context.WithoutCancel(ctx))
	fail := func(err error) {
		if err != nil && inner.Err() == nil {
			stop(err)
		}
	}
	inside.Go(func() { fail(s.Journal.Run(back)) })
	inside.Go(func() { fail(ended(back, s.db.Run(back))) })
	inside.Go(func() { fail(ended(back, s.Store.Run(back))) })
	inside.Go(func() { fail(ended(back, s.Store.Follow(back, s.Journal))) })
	inside.Go(func() { fail(ended(back, s.live.Run(back))) })
	inside.Go(func() { fail(ended(back, s.measure(back))) })
	inside.Go(func() { fail(ended(back, s.countUsage(back))) })
	inside.Go(func() { fail(ended(back, s.outlook.Run(back))) })
	inside.Go(func() { fail(ended(back, s.frames.Run(back))) })
	inside.Go(func() { fail(ended(back, s.guard.Run(back))) })
	inside.Go(func() { fail(ended(back, s.footage.run(back))) })
	inside.Go(func() { tidy(back, s.cameras.Follows) })
	inside.Go(func() { s.vitals.Run(back) })
	if err := s.Store.Reconcile(inner, s.Journal.Snapshot()); err != nil {
		fail(err)
	}
	outside.Go(func() { fail(ended(inner, s.Endpoint.Run(inner))) })
	outside.Go(func() { fail(ended(inner, s.Web.Run(inner))) })
	outside.Go(func() { fail(ended(inner, s.outbox.Run(inner))) })
	outside.Go(func() { fail(ended(inner, s.notify.Run(inner))) })
	outside.Go(func() { fail(ended(inner, s.cameras.run(inner))) })
	outside.Go(func() { fail(ended(inner, s.doors.run(inner))) })
	outside.Go(func() { fail(ended(inner, s.lists.Run(inner))) })
	outside.Go(func() { fail(ended(inner, s.proofs.Run(inner))) })
	outside.Go(func() { fail(ended(inner, s.keepCertificates(inner))) })
	outside.Go(func() { fail(ended(inner, s.settings.Run(inner))) })
	outside.Go(func() { fail(ended(inner, s.depot.Run(inner))) })
	outside.Go(func() { fail(ended(inner, s.outputs.Run(inner))) })
	outside.Go(func() { fail(ended(inner, s.studies.Run(inner))) })
	outside.Go(func() { fail(ended(inner, s.campaigns.Run(inner))) })
	outside.Go(func() { fail(ended(inner, s.comparisons.Run(inner))) })
	outside.Go(func() { fail(ended(inner, s.trail.run(inner))) })
	outside.Go(func() { fail(ended(inner, s.labels.run(inner))) })
	outside.Go(func() { fail(ended(inner, s.clips.run(inner))) })
	outside.Go(func() { fail(ended(inner, s.copies.run(inner))) })
	outside.Go(func() { fail(ended(inner, s.intake.Work(inner))) })
	outside.Go(func() { fail(s.tellArming(inner)) })
	outside.Go(func() { fail(s.tellPlaces(inner)) })
	outside.Go(func() { fail(ended(inner, s.devices.run(inner))) })
	outside.Go(func() { fail(s.simulation.run(inner)) })
	if s.lived {
		outside.Go(func() { fail(ended(inner, s.staff(inner))) })
	}
	for _, l := range s.listeners {
		outside.Go(func() { fail(l.serve()) })
	}
	<-inner.Done()
	var failure error
	if ctx.Err() == nil {
		failure = context.Cause(inner)
	}
	outside.Go(func() { fail(s.cameras.live.Close()) })
	limit, done := context.WithTimeout(context.WithoutCancel(ctx), drainLimit)
	defer done()
	for _, l := range s.listeners {
		outside.Go(func() {
			if err := l.server.Shutdown(limit); err != nil {
				l.server.Close()
			}
		})
	}
	drained := make(chan error, 1)
	go func() {
		outside.Wait()
		err := s.Journal.Close()
		quit()
		inside.Wait()
		drained <- errors.Join(err, s.release())
	}()
	var err error
	select {
	case err = <-drained:
	case <-limit.Done():
		err = errDrain
	}
	return errors.Join(failure, err)
}

// measure feeds telemetry. A core.db that was restored from a backup is behind
// a newer telemetry.db; what is derived then starts again, without doubles.
func (s *Server) measure(ctx context.Context) error {
	err := s.Telemetry.Run(ctx, measured{s.Journal})
	if !errors.Is(err, journal.ErrCursor) {
		return err
	}
	s.log.WarnContext(ctx, "telemetry is ahead of the journal; it reads the journal again")
	if err := s.Telemetry.Rewind(ctx); err != nil {
		return fmt.Errorf("rewind telemetry: %w", err)
	}
	return s.Telemetry.Run(ctx, measured{s.Journal})
}

// countUsage follows the journal for those who ask how sites are used. It begins
// again when core.db was restored to an earlier moment.
func (s *Server) countUsage(ctx context.Context) error {
	for {
		if err := s.Usage.Run(ctx, s.Journal); !errors.Is(err, journal.ErrCursor) {
			return err
		}
	}
}

// ended hides the error of a part that stopped because it was told to.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// release closes what New opened.
func (s *Server) release() error {
	var errs []error
	for _, l := range s.listeners {
		if err := l.Close(); err != nil && !errors.Is(err, http.ErrServerClosed) && !isClosed(err) {
			errs = append(errs, err)
		}
	}
	if s.cameras != nil {
		errs = append(errs, s.cameras.live.Close(), s.cameras.views.Close())
	}
	if s.footage != nil {
		errs = append(errs, s.footage.close(context.Background()))
	}
	if s.Usage != nil {
		errs = append(errs, s.Usage.Close(context.Background()))
	}
	if s.Telemetry != nil {
		errs = append(errs, s.Telemetry.Close(context.Background()))
	}
	if s.frames != nil {
		errs = append(errs, s.frames.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	if s.data != nil {
		errs = append(errs, s.data.Close())
	}
	return errors.Join(errs...)
}
