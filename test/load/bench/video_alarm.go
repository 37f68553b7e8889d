package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	simcam "github.com/chargewatch/chargewatch/internal/sim/camera"
)

const (
	alarmSites = 10
	alarmEach  = 4 // cameras of a site: one is lost, one covered, one frozen, one only looks on
	// alarmLearn is how long cameras are left alone first: what is usual must be known.
	alarmLearn = 30 * time.Second
)

// videoAlarmResult is how soon one kind of fault is an incident.
type videoAlarmResult struct {
	Fault    string  `json:"fault"`
	Bar      float64 `json:"barSeconds"`
	Cameras  int     `json:"cameras"`
	Faults   int     `json:"faults"`
	Never    int     `json:"neverToldOf"`
	Average  float64 `json:"loadAverage"`
	Incident latency `json:"toTheIncident"`       // from the fault to the frame on the live feed
	Clips    latency `json:"toAllClips,omitzero"` // until every camera of the site answered with its clip
	Playable int     `json:"playableClips"`       // ffprobe reads them
	Shortest float64 `json:"shortestClipS"`       // of those
	Behind   float64 `json:"leastAfterTheFaultS"` // how far the clips reach beyond the fault
	Other    int     `json:"incidentsOfNoFault"`  // on cameras that nothing was done to
	Server   float64 `json:"serverCoreShare"`     // of a core, meanwhile
	Probe    string  `json:"firstUnplayable,omitzero"`
}

func (r *videoAlarmResult) table() (head, row []string) {
	seconds := func(l latency) string {
		return fmt.Sprintf("%.2f / %.2f / %.2f", l.P50/1000, l.P95/1000, l.Max/1000)
	}
	clips := "-"
	if r.Clips.Count > 0 {
		clips = fmt.Sprintf("%s (%d playable, the shortest %.1f s, at least %.1f s past the fault)", seconds(r.Clips), r.Playable, r.Shortest, r.Behind)
	}
	return []string{"fault", "bar s", "cameras", "faults", "never told", "to the incident p50 / p95 / max s", "to all clips p50 / p95 / max s", "incidents of no fault", "server core %", "load average"},
		[]string{r.Fault, fmt.Sprint(r.Bar), fmt.Sprint(r.Cameras), fmt.Sprint(r.Faults), fmt.Sprint(r.Never), seconds(r.Incident), clips, fmt.Sprint(r.Other), fmt.Sprintf("%.0f", r.Server*100), fmt.Sprintf("%.1f", r.Average)}
}

// told is an incident as the live feed tells it.
type told struct {
	ID, Kind, SiteID string
	Severity         string
	Subjects         []string
	OpenedAt         time.Time
	heard            time.Time
}

// incidentFeed collects what the live feed tells of incidents.
type incidentFeed struct {
	mu   sync.Mutex
	list []told
	more chan struct{} // closed and made anew with each
}

func followIncidents(ctx context.Context, srv *server) (*incidentFeed, error) {
	conn, _, err := websocket.Dial(ctx, strings.Replace(srv.api.base, "http", "ws", 1)+"/api/v1/live", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + srv.api.token}}, HTTPClient: &http.Client{},
	})
	if err != nil {
		return nil, fmt.Errorf("listen to the live feed: %w", err)
	}
	conn.SetReadLimit(64 << 20)
	if err := conn.Write(ctx, websocket.MessageText, []byte(`{"topics":["incidents"]}`)); err != nil {
		return nil, errors.Join(fmt.Errorf("ask for incidents: %w", err), conn.CloseNow())
	}
	f := &incidentFeed{more: make(chan struct{})}
	go func() {
		defer conn.CloseNow() //nolint:errcheck // nothing is left to say
		for {
			_, data, err := conn.Read(ctx)
			if err != nil {
				return
			}
			f.take(data, time.Now())
		}
	}()
	return f, nil
}

func (f *incidentFeed) take(data []byte, at time.Time) {
	var frame struct {
		Type string
		Data json.RawMessage
	}
	if json.Unmarshal(data, &frame) != nil || frame.Type != "incident" {
		return
	}
	x := told{heard: at}
	if json.Unmarshal(frame.Data, &x) != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, x)
	close(f.more)
	f.more = make(chan struct{})
}

// first waits for the first word of an incident of that kind at a subject.
func (f *incidentFeed) first(ctx context.Context, kind, subject string, until time.Time) (told, bool) {
	for {
		f.mu.Lock()
		i := slices.IndexFunc(f.list, func(x told) bool {
			return x.Kind == kind && slices.ContainsFunc(x.Subjects, func(s string) bool { return s == subject || strings.HasPrefix(s, subject+"/") })
		})
		more := f.more
		f.mu.Unlock()
		if i >= 0 {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.list[i], true
		}
		select {
		case <-more:
		case <-ctx.Done():
			return told{}, false
		case <-time.After(time.Until(until)):
			return told{}, false
		}
	}
}

// others counts incidents of cameras that nothing was done to.
func (f *incidentFeed) others(harmed func(camera string) bool) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := make(map[string]bool)
	for _, x := range f.list {
		for _, s := range x.Subjects {
			if camera, ok := strings.CutPrefix(s, "camera/"); ok && !harmed(camera) {
				log.Printf("video-alarm: %s of %s, which nothing was done to", x.Kind, camera)
				seen[x.ID] = true
			}
		}
	}
	return len(seen)
}

func alarmCamera(site, n int) string { return fmt.Sprintf("cam-%02d-%d", site+1, n+1) }
func alarmSite(site int) string      { return fmt.Sprintf("lot-%02d", site+1) }

// videoAlarm breaks cameras and chargers and waits for the incidents.
func videoAlarm(ctx context.Context, srv *server, y *videoYard) ([]*videoAlarmResult, error) {
	if err := alarmNetwork(ctx, srv.api, y.farm); err != nil {
		return nil, err
	}
	stations, _, err := connectAll(ctx, &srv.target, "LOT-", alarmSites, 16)
	if err != nil {
		return nil, err
	}
	defer closeAll(stations)
	for i, s := range stations { // each of a make of its own, or many faults would be one cause
		if _, err := s.call(call("BootNotification", fmt.Sprintf(`{"chargePointVendor":"Bench","chargePointModel":%q}`, s.id)), time.Now()); err != nil {
			return nil, err
		}
		if err := srv.api.do(ctx, "PATCH", "/api/v1/stations/"+s.id, map[string]any{"siteId": alarmSite(i)}, nil); err != nil {
			return nil, fmt.Errorf("put a station to its site: %w", err)
		}
	}
	alive, stop := context.WithCancel(ctx)
	var turn sync.Mutex // of the stations
	var beats sync.WaitGroup
	defer beats.Wait()
	defer stop()
	beats.Go(func() { heartbeats(alive, stations, &turn) })
	if err := allLive(ctx, srv.api, alarmSites*alarmEach); err != nil {
		return nil, err
	}
	feed, err := followIncidents(alive, srv)
	if err != nil {
		return nil, err
	}
	time.Sleep(alarmLearn)
	var out []*videoAlarmResult
	harmed := make(map[string]bool)
	for _, x := range []struct {
		what, kind string
		bar        float64
		camera     int
		faults     []simcam.Fault
		wait       time.Duration
	}{
		{"camera lost", "cameraLost", 15, 0, []simcam.Fault{simcam.Offline, simcam.Stall}, 40 * time.Second},
		{"camera covered", "cameraTampered", 5, 1, []simcam.Fault{simcam.Cover}, 20 * time.Second},
		{"picture frozen", "cameraTampered", 10, 2, []simcam.Fault{simcam.Freeze}, 30 * time.Second},
	} {
		log.Printf("video-alarm: %s", x.what)
		r := &videoAlarmResult{Fault: x.what, Bar: x.bar, Cameras: alarmSites * alarmEach, Faults: alarmSites}
		cpu, began := srv.cpu(), time.Now()
		var h histogram
		var mu sync.Mutex
		var wg sync.WaitGroup
		for site := range alarmSites {
			id := alarmCamera(site, x.camera)
			harmed[id] = true
			time.Sleep(230 * time.Millisecond) // at another moment of the cameras' two seconds
			at := time.Now()
			if err := y.farm.SetFault(id, x.faults[site%len(x.faults)]); err != nil {
				return out, err
			}
			wg.Go(func() {
				in, ok := feed.first(ctx, x.kind, "camera/"+id, at.Add(x.wait))
				mu.Lock()
				defer mu.Unlock()
				if !ok {
					r.Never++
					log.Printf("video-alarm: nothing was told of %s", id)
					return
				}
				h.add(in.heard.Sub(at))
				log.Printf("video-alarm: %s of %s (%s) after %.2f s", in.Kind, id, x.faults[site%len(x.faults)], in.heard.Sub(at).Seconds())
			})
		}
		wg.Wait()
		r.Incident, r.Average, r.Server = h.latency(), loadAverage()[0], round((srv.cpu()-cpu).Seconds()/time.Since(began).Seconds(), 3)
		r.Other = feed.others(func(camera string) bool { return harmed[camera] })
		out = append(out, r)
		for site := range alarmSites {
			if err := y.farm.SetFault(alarmCamera(site, x.camera), simcam.NoFault); err != nil {
				return out, err
			}
		}
		if err := allLive(ctx, srv.api, alarmSites*alarmEach); err != nil {
			return out, err
		}
	}
	r, err := chargerAlarm(ctx, srv, feed, stations, &turn)
	r.Other = feed.others(func(camera string) bool { return harmed[camera] })
	return append(out, r), err
}

// alarmNetwork makes the sites with their cameras, and names the stations.
func alarmNetwork(ctx context.Context, a *api, farm *simcam.Farm) error {
	views := simcam.Views()
	for site := range alarmSites {
		if err := makeSite(ctx, a, alarmSite(site)); err != nil {
			return err
		}
		for n := range alarmEach {
			id := alarmCamera(site, n)
			if err := farm.Add(simcam.Spec{Name: id, View: views[site%len(views)], Scene: "quiet"}); err != nil {
				return err
			}
			body := map[string]any{
				"id": id, "siteId": alarmSite(site), "label": id, "recording": "continuous",
				"mainUrl": farm.URL(id, simcam.MainStream), "subUrl": farm.URL(id, simcam.SubStream),
			}
			if err := a.do(ctx, "POST", "/api/v1/cameras", body, nil); err != nil {
				return fmt.Errorf("create camera: %w", err)
			}
		}
	}
	return nil
}

// heartbeats keeps the stations connected: what they are sent is read with their
// answers.
func heartbeats(ctx context.Context, stations []*station, turn *sync.Mutex) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	beat := call("Heartbeat", `{}`)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, s := range stations {
			turn.Lock()
			_, err := s.call(beat, time.Now())
			turn.Unlock()
			if err != nil {
				log.Printf("video-alarm: heartbeat of %s: %v", s.id, err)
				return
			}
		}
	}
}

// chargerAlarm lets chargers report a fault and plays the clips of their sites'
// cameras.
func chargerAlarm(ctx context.Context, srv *server, feed *incidentFeed, stations []*station, turn *sync.Mutex) (*videoAlarmResult, error) {
	log.Print("video-alarm: charger fault")
	r := &videoAlarmResult{Fault: "charger fault, clips of its site", Bar: 3, Cameras: alarmSites * alarmEach, Faults: len(stations), Shortest: 1e9, Behind: 1e9}
	fault := call("StatusNotification", `{"connectorId":1,"errorCode":"GroundFailure","status":"Faulted","timestamp":"`+timeMark+`"}`)
	cpu, began := srv.cpu(), time.Now()
	var incidents, clips histogram
	for i, s := range stations {
		time.Sleep(1700 * time.Millisecond)
		turn.Lock()
		at := time.Now()
		_, err := s.call(fault, at)
		turn.Unlock()
		if err != nil {
			return r, err
		}
		in, ok := r.find(ctx, feed, s.id, at)
		if !ok {
			r.Never++
			log.Printf("video-alarm: nothing was told of %s", s.id)
			continue
		}
		incidents.add(in.heard.Sub(at))
		log.Printf("video-alarm: %s of %s at %s after %.2f s", in.Kind, s.id, in.SiteID, in.heard.Sub(at).Seconds())
		files, whole, err := r.play(ctx, srv, in.ID, i, at)
		if err != nil {
			return r, err
		}
		clips.add(whole.Sub(at))
		for _, f := range files {
			codec, seconds, err := probe(ctx, f.path)
			if err != nil || codec != "h264" || seconds <= 0 {
				r.Probe = fmt.Sprintf("%s: %q, %.1f s, %v", filepath.Base(f.path), codec, seconds, err)
				continue
			}
			r.Playable++
			r.Shortest, r.Behind = min(r.Shortest, round(seconds, 1)), min(r.Behind, round(f.to.Sub(at).Seconds(), 1))
			if err := os.Remove(f.path); err != nil {
				return r, fmt.Errorf("remove a clip: %w", err)
			}
		}
	}
	r.Incident, r.Clips, r.Average, r.Server = incidents.latency(), clips.latency(), loadAverage()[0], round((srv.cpu()-cpu).Seconds()/time.Since(began).Seconds(), 3)
	if want := len(stations) * alarmEach; r.Playable != want {
		return r, fmt.Errorf("%d of %d clips can be played", r.Playable, want)
	}
	return r, nil
}

// find waits for the incident of a station's fault, whatever it is called.
func (r *videoAlarmResult) find(ctx context.Context, feed *incidentFeed, station string, at time.Time) (told, bool) {
	for until := at.Add(20 * time.Second); time.Now().Before(until) && ctx.Err() == nil; {
		feed.mu.Lock()
		i := slices.IndexFunc(feed.list, func(x told) bool {
			return x.heard.After(at) && x.OpenedAt.After(at.Add(-time.Second)) && slices.ContainsFunc(x.Subjects, func(s string) bool { return strings.HasPrefix(s, "station/"+station) })
		})
		more := feed.more
		if i >= 0 {
			defer feed.mu.Unlock()
			return feed.list[i], true
		}
		feed.mu.Unlock()
		select {
		case <-more:
		case <-time.After(time.Second):
		}
	}
	return told{}, false
}

type playedClip struct {
	path string
	to   time.Time // of its last picture
}

// play asks for the incident's clips until each camera of the site answers with
// pictures from before and behind the fault.
func (r *videoAlarmResult) play(ctx context.Context, srv *server, incident string, site int, at time.Time) ([]playedClip, time.Time, error) {
	var files []playedClip
	var whole time.Time
	have := make(map[string]bool)
	for until := at.Add(20 * time.Second); time.Now().Before(until) && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		var detail struct {
			CameraClips []struct {
				CameraID string
				From, To time.Time
			}
		}
		if err := srv.api.do(ctx, "GET", "/api/v1/incidents/"+incident, nil, &detail); err != nil {
			return files, whole, err
		}
		for _, c := range detail.CameraClips {
			if have[c.CameraID] {
				continue
			}
			path := filepath.Join(filepath.Dir(srv.data), fmt.Sprintf("clip-%d-%s.mp4", site, c.CameraID))
			to, ok, err := fetchClip(ctx, srv.api, c.CameraID, c.From, c.To, path)
			if err != nil {
				return files, whole, err
			}
			if ok && to.After(at) {
				have[c.CameraID] = true
				files = append(files, playedClip{path, to})
			}
		}
		if len(have) == alarmEach {
			return files, time.Now(), nil
		}
	}
	return files, time.Now(), fmt.Errorf("%d of %d cameras of %s have a clip", len(have), alarmEach, alarmSite(site))
}

// fetchClip saves a clip; false while there is none.
func fetchClip(ctx context.Context, a *api, camera string, from, to time.Time, path string) (end time.Time, ok bool, err error) {
	q := url.Values{"from": {from.Format(time.RFC3339Nano)}, "to": {to.Format(time.RFC3339Nano)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+"/api/v1/cameras/"+camera+"/clip.mp4?"+q.Encode(), nil)
	if err != nil {
		return end, false, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	resp, err := a.client.Do(req)
	if err != nil {
		return end, false, fmt.Errorf("ask for a clip: %w", err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return end, false, nil
	default:
		return end, false, fmt.Errorf("clip of %s: %s", camera, resp.Status)
	}
	if end, err = time.Parse(time.RFC3339Nano, resp.Header.Get("Chargewatch-To")); err != nil {
		return end, false, fmt.Errorf("clip of %s: %w", camera, err)
	}
	f, err := os.Create(path)
	if err != nil {
		return end, false, fmt.Errorf("save a clip: %w", err)
	}
	_, err = f.ReadFrom(resp.Body)
	if err := errors.Join(err, f.Close()); err != nil {
		return end, false, fmt.Errorf("save a clip: %w", err)
	}
	return end, true, nil
}
