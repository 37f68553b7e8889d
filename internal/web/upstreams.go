package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Relays knows how it goes between stations and other central systems.
type Relays interface {
	RelayHealth(upstream string) RelayHealth
	// Relayed is the system that a connected station is relayed to now; empty: none.
	Relayed(station string) string
	// RelayPassage is the relayed connection of a station, if it has one.
	RelayPassage(station string) (RelayPassage, bool)
	// TryUpstream connects to a system under an identity, and leaves at once.
	TryUpstream(ctx context.Context, id, identity string) UpstreamTrialShape
	// ReachUpstream says why an address that people typed in may not be reached.
	ReachUpstream(ctx context.Context, address string) error
}

// RelayHealth is how it goes with an upstream system, since the server started.
type RelayHealth struct {
	Stations      int
	Connects      int64
	Frames, Held  int64
	Gaps          int64
	Losses        int64
	Refusals      int64
	Unreached     int64
	AddedP50      time.Duration
	AddedP99      time.Duration
	Added         RelaySpread
	Reached       time.Time // when it let a station in last
	LastLost      RelayTrouble
	LastRefused   RelayTrouble
	LastUnreached RelayTrouble
}

// RelaySpread is how the delays of all frames are spread.
type RelaySpread struct {
	Count uint64
	Sum   time.Duration
	UpTo  map[time.Duration]uint64
}

// RelayPassage is a relayed connection as it is now.
type RelayPassage struct {
	Upstream string
	Since    time.Time
	Frames   int64
	Added    time.Duration
}

// RelayTrouble is the last time that something went wrong.
type RelayTrouble struct {
	At      time.Time
	Station string
	Code    string
	Reason  string
	Status  int
}

// UpstreamTrialShape is what a test of an upstream system found.
type UpstreamTrialShape struct {
	OK          bool    `json:"ok"`
	Status      int     `json:"status" doc:"of its HTTP answer; 0: there was none"`
	Protocol    string  `json:"protocol" doc:"that it chose"`
	Code        string  `json:"code" doc:"why it failed: lost, refused, timeout, name, tls, nobody, denied or protocol; empty: it did not"`
	Reason      string  `json:"reason" doc:"why it failed"`
	TookSeconds float64 `json:"tookSeconds"`
}

// RelayTroubleShape is the last time that something went wrong.
type RelayTroubleShape struct {
	At      time.Time `json:"at"`
	Station string    `json:"station"`
	Code    string    `json:"code" enum:"closed,lost,silent,stuck,tooLarge,refused,timeout,name,tls,nobody,denied,protocol"`
	Reason  string    `json:"reason"`
	Status  int       `json:"status" doc:"of an HTTP answer, or the code of a close; 0: there was none"`
}

// RelayHealthShape is how it goes with an upstream system, since the server started.
type RelayHealthShape struct {
	Since           time.Time          `json:"since" doc:"when counting began"`
	State           string             `json:"state" enum:"connected,refusing,away,waiting,unused" doc:"connected: stations are; refusing, away: it refused the last, or was not reached or lost; waiting: none came yet; unused: none is to come"`
	Stations        int                `json:"stations" doc:"connected through us now"`
	Connects        int64              `json:"connects" doc:"connections that it accepted"`
	Frames          int64              `json:"frames" doc:"passed on, both ways"`
	Held            int64              `json:"held" doc:"its questions that waited for one of ours"`
	GapFrames       int64              `json:"gapFrames" doc:"frames that went on and could not be recorded"`
	Losses          int64              `json:"losses" doc:"connections that it ended or let hang"`
	Refusals        int64              `json:"refusals" doc:"stations that it refused"`
	Unreached       int64              `json:"unreached" doc:"stations that did not come to it"`
	AddedP50Seconds float64            `json:"addedP50Seconds" doc:"how much later than without us half of the frames arrive, at the most"`
	AddedP99Seconds float64            `json:"addedP99Seconds"`
	LastLost        *RelayTroubleShape `json:"lastLost"`
	LastRefused     *RelayTroubleShape `json:"lastRefused"`
	LastUnreached   *RelayTroubleShape `json:"lastUnreached"`
}

// RelayedShape is where a station is relayed to, for all who may see the station.
type RelayedShape struct {
	Upstream     string     `json:"upstream"`
	Name         string     `json:"name"`
	Connected    bool       `json:"connected"`
	Since        *time.Time `json:"since" doc:"when the connection began; null: there is none"`
	Frames       int64      `json:"frames" doc:"passed on over this connection, both ways"`
	AddedSeconds float64    `json:"addedSeconds" doc:"how much later than without us a frame arrives, on average"`
}

// UpstreamShape is another central system as the API shows it. Secrets are written,
// never read.
type UpstreamShape struct {
	ID          string              `json:"id"`
	Name        string              `json:"name"`
	URL         string              `json:"url" doc:"where it serves stations, without the identity; empty for those who may not change it"`
	Host        string              `json:"host"`
	Secure      bool                `json:"secure" doc:"by TLS"`
	Proof       store.UpstreamProof `json:"proof" enum:"station,password,certificate" doc:"how we prove ourselves there: what the station sends is passed on, a password of ours, a certificate of ours"`
	HasSecret   bool                `json:"hasSecret"`
	Authority   string              `json:"authority"`
	Certificate string              `json:"certificate"`
	Stations    []string            `json:"stations" doc:"relayed there by their own word, at most 1000"`
	Sites       []string            `json:"sites" doc:"whose stations are relayed there"`
	Enrolled    int                 `json:"enrolled" doc:"stations that are relayed there when they connect"`
	Observed    int                 `json:"observed" doc:"stations that it hears and that do not hear it"`
	Health      RelayHealthShape    `json:"health"`
}

// RelayShape is where a station is relayed to.
type RelayShape struct {
	Upstream  string   `json:"upstream" doc:"by its own word; empty: as its site says, none: it speaks to us"`
	Observers []string `json:"observers" doc:"by its own word; empty: as its site says"`
	Then      string   `json:"then" doc:"to whom it is relayed when it connects; empty: it speaks to us"`
	Now       string   `json:"now" doc:"to whom it is relayed now"`
}

type (
	upstreamInput struct {
		ID string `path:"id" maxLength:"48"`
	}
	upstreamOutput   struct{ Body UpstreamShape }
	newUpstreamInput struct {
		Body struct {
			ID          string              `json:"id,omitempty" maxLength:"48" doc:"one is given if missing"`
			Name        string              `json:"name" minLength:"1" maxLength:"100"`
			URL         string              `json:"url" minLength:"1" maxLength:"300" doc:"ws:// or wss://, without the identity: it is added behind a slash"`
			Proof       store.UpstreamProof `json:"proof,omitempty" enum:"station,password,certificate" default:"station"`
			Secret      string              `json:"secret,omitempty" maxLength:"32768" doc:"the password, or the key of the certificate as PEM; kept sealed, never shown"`
			Certificate string              `json:"certificate,omitempty" maxLength:"32768" doc:"ours with its chain, as PEM"`
			Authority   string              `json:"authority,omitempty" maxLength:"32768" doc:"certificate, as PEM, of who signed that of the other side, if it is not one that everybody knows"`
		}
	}
	upstreamChangeInput struct {
		ID   string `path:"id" maxLength:"48"`
		Body struct {
			Name        *string              `json:"name,omitempty" maxLength:"100"`
			URL         *string              `json:"url,omitempty" maxLength:"300"`
			Proof       *store.UpstreamProof `json:"proof,omitempty" enum:"station,password,certificate"`
			Secret      *string              `json:"secret,omitempty" maxLength:"32768" doc:"needed when the address or the proof changes"`
			Certificate *string              `json:"certificate,omitempty" maxLength:"32768"`
			Authority   *string              `json:"authority,omitempty" maxLength:"32768"`
		}
	}
	upstreamTestInput struct {
		ID   string `path:"id" maxLength:"48"`
		Body struct {
			Station string `json:"station" minLength:"1" maxLength:"48" doc:"the identity to connect under; one that is connected there may lose its connection"`
		}
	}
	upstreamTestOutput struct{ Body UpstreamTrialShape }
)

func (s *Server) registerUpstreams() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"upstreams"}}
	}
	add(s, global(SystemRead), op("listUpstreams", http.MethodGet, "/upstreams", "List other central systems that stations are relayed to", 0), s.listUpstreams)
	add(s, global(StationsWrite), op("createUpstream", http.MethodPost, "/upstreams", "Add another central system", http.StatusCreated), s.createUpstream)
	add(s, global(SystemRead), op("getUpstream", http.MethodGet, "/upstreams/{id}", "One other central system, and how it goes with it", 0), s.getUpstream)
	add(s, global(StationsWrite), op("changeUpstream", http.MethodPatch, "/upstreams/{id}",
		"Change another central system; stations that are relayed to it come again", 0), s.changeUpstream)
	add(s, global(StationsWrite), op("deleteUpstream", http.MethodDelete, "/upstreams/{id}", "Remove a system that nobody is relayed to", http.StatusNoContent), s.deleteUpstream)
	add(s, global(StationsWrite), op("testUpstream", http.MethodPost, "/upstreams/{id}/test", "Connect to it and say what happened", 0), s.testUpstream)
}

func (s *Server) upstreamShape(ctx context.Context, u *store.Upstream) UpstreamShape {
	out := UpstreamShape{
		ID: u.ID, Name: u.Name, Host: u.Host(), Secure: u.Secure(), Proof: u.Proof, HasSecret: u.HasSecret, Authority: u.Authority, Certificate: u.Certificate,
		Stations: []string{}, Sites: []string{}, Health: RelayHealthShape{Since: s.started.UTC(), State: "waiting"},
	}
	if !who(ctx).Scope(StationsWrite).Empty() {
		out.URL = u.URL
	}
	const most = 1000
	for _, e := range s.o.Store.Stations() {
		to, observers := s.o.Store.RelayOf(e.ID)
		if to != nil && to.ID == u.ID {
			out.Enrolled++
		}
		if slices.ContainsFunc(observers, func(o *store.Upstream) bool { return o.ID == u.ID }) {
			out.Observed++
		}
		if s.o.Store.Relaying(event.Station(e.ID)).Upstream == u.ID && len(out.Stations) < most {
			out.Stations = append(out.Stations, e.ID)
		}
	}
	for _, x := range s.o.Store.Sites() {
		if s.o.Store.Relaying(event.Site(x.ID)).Upstream == u.ID {
			out.Sites = append(out.Sites, x.ID)
		}
	}
	if s.o.Relays == nil {
		return out
	}
	h := s.o.Relays.RelayHealth(u.ID)
	out.Health = RelayHealthShape{
		Since: s.started.UTC(), State: h.state(out.Enrolled), Stations: h.Stations, Connects: h.Connects, Frames: h.Frames, Held: h.Held, GapFrames: h.Gaps, Losses: h.Losses, Refusals: h.Refusals, Unreached: h.Unreached,
		AddedP50Seconds: h.AddedP50.Seconds(), AddedP99Seconds: h.AddedP99.Seconds(),
		LastLost: troubleShape(h.LastLost), LastRefused: troubleShape(h.LastRefused), LastUnreached: troubleShape(h.LastUnreached),
	}
	return out
}

// state is how a system is, by what happened last.
func (h *RelayHealth) state(enrolled int) string {
	last, word := h.Reached, "waiting"
	for _, x := range []struct {
		at   time.Time
		word string
	}{{h.LastRefused.At, "refusing"}, {h.LastUnreached.At, "away"}, {h.LastLost.At, "away"}} {
		if x.at.After(last) {
			last, word = x.at, x.word
		}
	}
	switch {
	case h.Stations > 0:
		return "connected"
	case enrolled == 0:
		return "unused"
	}
	return word
}

func troubleShape(t RelayTrouble) *RelayTroubleShape {
	if t.At.IsZero() {
		return nil
	}
	return &RelayTroubleShape{At: t.At.UTC(), Station: t.Station, Code: t.Code, Reason: t.Reason, Status: t.Status}
}

func (s *Server) relayShape(station string) *RelayShape {
	own := s.o.Store.Relaying(event.Station(station))
	out := &RelayShape{Upstream: own.Upstream, Observers: list(own.Observers)}
	if to, _ := s.o.Store.RelayOf(station); to != nil {
		out.Then = to.ID
	}
	if s.o.Relays != nil {
		out.Now = s.o.Relays.Relayed(station)
	}
	return out
}

// relayedShape is where a station is relayed to; nil: it speaks to us.
func (s *Server) relayedShape(station string) *RelayedShape {
	to, _ := s.o.Store.RelayOf(station)
	if to == nil || s.o.Relays == nil {
		return nil
	}
	out := &RelayedShape{Upstream: to.ID, Name: to.Name}
	if p, ok := s.o.Relays.RelayPassage(station); ok && p.Upstream == to.ID {
		since := p.Since.UTC()
		out.Connected, out.Since, out.Frames, out.AddedSeconds = true, &since, p.Frames, p.Added.Seconds()
	}
	return out
}

func (s *Server) listUpstreams(ctx context.Context, in *Page) (*listOutput[UpstreamShape], error) {
	after, err := decodeCursor("upstreams", in.Cursor)
	if err != nil {
		return nil, err
	}
	var out []UpstreamShape
	for _, u := range s.o.Store.Upstreams() {
		if u.ID <= after {
			continue
		}
		if len(out) == in.Limit {
			return listOf(out, encodeCursor("upstreams", out[len(out)-1].ID)), nil
		}
		out = append(out, s.upstreamShape(ctx, u))
	}
	return listOf(out, ""), nil
}

func (s *Server) getUpstream(ctx context.Context, in *upstreamInput) (*upstreamOutput, error) {
	u, ok := s.o.Store.Upstream(in.ID)
	if !ok {
		return nil, store.ErrNotFound
	}
	return &upstreamOutput{Body: s.upstreamShape(ctx, u)}, nil
}

// reachUpstream looks whether an address may be reached at all, before it is kept.
func (s *Server) reachUpstream(ctx context.Context, address string) error {
	if s.o.Relays == nil {
		return nil
	}
	if err := s.o.Relays.ReachUpstream(ctx, address); err != nil {
		return &store.InvalidError{Field: "url", Reason: err.Error()}
	}
	return nil
}

func (s *Server) createUpstream(ctx context.Context, in *newUpstreamInput) (*upstreamOutput, error) {
	b := &in.Body
	if err := s.reachUpstream(ctx, b.URL); err != nil {
		return nil, err
	}
	u, err := s.o.Store.CreateUpstream(ctx, who(ctx).actor(), store.Upstream{
		ID: b.ID, Name: b.Name, URL: b.URL, Proof: b.Proof, Certificate: b.Certificate, Authority: b.Authority,
	}, b.Secret)
	if err != nil {
		return nil, err
	}
	return &upstreamOutput{Body: s.upstreamShape(ctx, u)}, nil
}

func (s *Server) changeUpstream(ctx context.Context, in *upstreamChangeInput) (*upstreamOutput, error) {
	b := &in.Body
	if b.URL != nil {
		if err := s.reachUpstream(ctx, *b.URL); err != nil {
			return nil, err
		}
	}
	u, err := s.o.Store.ChangeUpstream(ctx, who(ctx).actor(), in.ID, b.Secret, func(u *store.Upstream) {
		put(&u.Name, b.Name)
		put(&u.URL, b.URL)
		put(&u.Proof, b.Proof)
		put(&u.Certificate, b.Certificate)
		put(&u.Authority, b.Authority)
	})
	if err != nil {
		return nil, err
	}
	if b.URL != nil || b.Proof != nil || b.Secret != nil || b.Certificate != nil || b.Authority != nil {
		for _, e := range s.o.Store.Stations() {
			to, observers := s.o.Store.RelayOf(e.ID)
			if to != nil && to.ID == u.ID || slices.ContainsFunc(observers, func(o *store.Upstream) bool { return o.ID == u.ID }) {
				s.o.Stations.Disconnect(e.ID, "the system it is relayed to was changed")
			}
		}
	}
	return &upstreamOutput{Body: s.upstreamShape(ctx, u)}, nil
}

func (s *Server) deleteUpstream(ctx context.Context, in *upstreamInput) (*noContent, error) {
	return nil, s.o.Store.DeleteUpstream(ctx, who(ctx).actor(), in.ID)
}

func (s *Server) testUpstream(ctx context.Context, in *upstreamTestInput) (*upstreamTestOutput, error) {
	if _, ok := s.o.Store.Upstream(in.ID); !ok {
		return nil, store.ErrNotFound
	}
	if s.o.Relays == nil {
		return nil, problemf(http.StatusNotImplemented, "this server relays no stations")
	}
	if err := store.ValidIdentity(in.Body.Station); err != nil {
		return nil, &store.InvalidError{Field: "station", Reason: "not an identity of a station"}
	}
	return &upstreamTestOutput{Body: s.o.Relays.TryUpstream(ctx, in.ID, in.Body.Station)}, nil
}

// relayStation says where a station is relayed to, and has it come again if that is
// another place.
func (s *Server) relayStation(ctx context.Context, id string, upstream *string, observers *[]string) error {
	changed, err := s.o.Store.SetRelaying(ctx, who(ctx).actor(), event.Station(id), relaying(upstream, observers))
	if err == nil && changed {
		s.o.Stations.Disconnect(id, "it is relayed to another system from now on")
	}
	return err
}

// relaySite is relayStation for all stations of a site that say nothing themselves.
func (s *Server) relaySite(ctx context.Context, id string, upstream *string, observers *[]string) error {
	changed, err := s.o.Store.SetRelaying(ctx, who(ctx).actor(), event.Site(id), relaying(upstream, observers))
	if err != nil || !changed {
		return err
	}
	for _, e := range s.o.Store.StationsOf(id) {
		own := s.o.Store.Relaying(event.Station(e.ID))
		if own.Upstream == "" || own.Upstream != store.NoUpstream && len(own.Observers) == 0 {
			s.o.Stations.Disconnect(e.ID, "its site is relayed to another system from now on")
		}
	}
	return nil
}

func relaying(upstream *string, observers *[]string) func(*store.Relaying) {
	return func(r *store.Relaying) {
		put(&r.Upstream, upstream)
		put(&r.Observers, observers)
	}
}

// relayable says what of a wish to relay cannot be, before anything is changed.
func (s *Server) relayable(old store.Relaying, upstream *string, observers *[]string) error {
	relaying(upstream, observers)(&old)
	return s.o.Store.ValidRelaying(old)
}
