package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/campaign"
	"github.com/chargewatch/chargewatch/internal/depot"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/knowledge"
	"github.com/chargewatch/chargewatch/internal/outlook"
	"github.com/chargewatch/chargewatch/internal/picture"
	"github.com/chargewatch/chargewatch/internal/store"
)

// two is a network of two sites with the same of everything; whatever is of the
// second has FOREIGN in its name.
type two struct {
	*plant
	session  map[string]string // by site
	incident map[string]string
	order    map[string]string
	photo    map[string]string
	study    map[string]string
	file     map[string]string // that the station sent
	campaign map[string]string
	upgrade  map[string]string // campaigns that bring firmware
}

const (
	own     = "own"
	foreign = "FOREIGN"
)

func newTwo(t *testing.T) *two {
	known, err := knowledge.Open()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { data.Close() })
	photos, err := picture.Open(data, "photos")
	if err != nil {
		t.Fatal(err)
	}
	studies, open := withStudies(t)
	var files *depot.Service
	used := &usage{}
	p := newPlant(t, studies, withCampaigns, func(o *Options) {
		o.Usage, o.Cells = used, quarterHours{used}
		o.Outlooks = outlook.New(outlook.Options{Usage: used, Fleet: o.Fleet, Sites: o.Store})
		o.Photos, o.Viewing, o.Footage, o.Evidence = photos, noPictures{}, noFootage{}, onePack{}
		if files, err = depot.Open(t.Context(), depot.Options{Data: data, Store: o.Store, Base: func(string) string { return "" }}); err != nil {
			t.Fatal(err)
		}
		o.Depot = files
		o.Telemetry, o.Flows, o.Frames, o.Knowledge = noSeries{}, noSeries{}, noFrames{}, known
	})
	open()
	n := &two{file: make(map[string]string), study: make(map[string]string), campaign: make(map[string]string), upgrade: make(map[string]string), plant: p, session: make(map[string]string), incident: make(map[string]string), order: make(map[string]string), photo: make(map[string]string)}
	for _, site := range []string{own, foreign} {
		p.site(site)
		if _, err := p.store.CreateCamera(t.Context(), store.System, store.Camera{
			ID: "cam-" + site, SiteID: site, Label: "Gate " + site, MainURL: "rtsp://10.0.0.9/" + site,
		}, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := p.store.CreateCamera(t.Context(), store.System, store.Camera{ID: "gone-" + site, SiteID: site, MainURL: "rtsp://10.0.0.9/gone"}, ""); err != nil {
			t.Fatal(err)
		}
		if err := p.store.DeleteCamera(t.Context(), store.System, "gone-"+site); err != nil {
			t.Fatal(err)
		}
		if _, err := p.store.CreateController(t.Context(), store.System, store.Controller{
			ID: "ctl-" + site, SiteID: site, Driver: store.DriverUHPPOTE, Address: "10.0.0.8:60000", Serial: uint32(405419000 + len(site)),
		}, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := p.store.CreateDoor(t.Context(), store.System, store.Door{
			ID: "door-" + site, SiteID: site, Label: "Gate " + site, Kind: access.Gate, Controller: "ctl-" + site, Number: 1,
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := p.store.CreateOutput(t.Context(), store.System, store.Output{
			ID: "out-" + site, SiteID: site, Label: "Siren " + site, Kind: store.Siren, Driver: store.OutputWebhook, Address: "https://10.0.0.7/" + site,
		}, "a secret of a test"); err != nil {
			t.Fatal(err)
		}
		p.say(event.Output("out-"+site), &event.OutputSwitch{SiteID: site, Label: "Siren " + site, Output: "siren", Cause: event.OutputTest})
		p.say(event.Door("door-"+site), &event.Access{SiteID: site, Reason: "at " + site, DecidedBy: "controller", Allowed: true})
		if _, err := p.store.SetRetention(t.Context(), store.System, store.Retention{SiteID: site, Days: 7, Purpose: "raids at " + site}); err != nil {
			t.Fatal(err)
		}
		question, err := p.store.CreateStudy(t.Context(), store.Study{Kind: planKind, Site: site, Question: json.RawMessage(`{"site":"` + site + `","assumptions":{"patienceMinutes":10,"promiseMinutes":5,"promisePercent":10,"weeks":26}}`)})
		if err != nil {
			t.Fatal(err)
		}
		n.study[site] = question.ID
		station := "S-" + site
		p.enrol(site, station, event.EVSELayout{EVSE: 1, RatedW: 50_000})
		if _, err := p.store.PutPlan(t.Context(), store.System, store.Plan{Site: site, Type: "image/png", Width: 1, Height: 1}, []byte("picture")); err != nil {
			t.Fatal(err)
		}
		p.connect(station, "ocpp1.6")
		n.campaign[site], n.upgrade[site] = p.campaignAt(site, campaign.CommandKind), p.campaignAt(site, "firmware")
		token, err := p.store.Intern(t.Context(), "", "TOKEN-"+site)
		if err != nil {
			t.Fatal(err)
		}
		p.say(event.Port(station, 1, 1), &event.Transaction{Stage: event.TransactionStarted, AssignID: true, TokenID: token})
		p.say(event.Port(station, 1, 1), &event.Status{Status: "Charging", Info: "at " + site})
		st, _ := p.log.Snapshot().Station(station)
		n.session[site] = st.EVSEs[0].Session.ID
		n.incident[site] = p.incidentAt(station)
		w, err := p.store.CreateWorkOrder(t.Context(), store.System, store.WorkOrder{
			SiteID: site, Station: station, Title: "Look at " + site, Severity: event.S3, IncidentID: n.incident[site],
		})
		if err != nil {
			t.Fatal(err)
		}
		n.order[site] = w.ID
		n.file[site] = sent(t, p.store, data, station)
		shot, _, err := p.store.ReserveOrderPhoto(t.Context(), store.System, store.OrderPhoto{Order: w.ID, Digest: "of " + site})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(photos.Put(shot.ID, &picture.Photo{Full: []byte("full"), Small: []byte("small")}), p.store.KeepOrderPhoto(t.Context(), shot)); err != nil {
			t.Fatal(err)
		}
		n.photo[site] = shot.ID
		p.links.replies(func(string, string, []byte) Outcome {
			return Outcome{Status: "answered", Response: json.RawMessage(`{"status":"Accepted"}`)}
		})
		for _, body := range []string{
			`{"action":"ReserveNow","payload":{"connectorId":1,"reservationId":1,"idTag":"TOKEN-` + site + `","expiryDate":"2099-01-01T00:00:00Z"}}`,
			`{"action":"ChangeConfiguration","payload":{"key":"Site","value":"` + site + `"}}`,
		} {
			p.script(store.RoleAdmin).want(http.StatusOK, "POST", "/stations/"+station+"/commands", body, nil)
		}
		p.store.RefuseHandshake(station, "192.0.2.1:1", "wrong password for "+site)
		if _, err := p.store.PutCredential(t.Context(), store.System, "", store.CredentialInput{IDToken: "TOKEN-" + site}); err != nil {
			t.Fatal(err)
		}
	}
	used.count(p)
	return n
}

// sent is a file that a station sent.
func sent(t *testing.T, st *store.Store, data *os.Root, station string) string {
	t.Helper()
	j, err := st.CreateFileJob(t.Context(), store.FileJob{Station: station, Kind: store.FileDiagnostics, State: store.FileReceived})
	if err != nil {
		t.Fatal(err)
	}
	j.Open, j.Stored, j.ReceivedAt, j.Name = false, 4, j.MadeAt, "log.txt"
	if err := errors.Join(st.PutFileJob(t.Context(), j), data.WriteFile(depot.Received+"/"+j.ID, []byte("file"), 0o600)); err != nil {
		t.Fatal(err)
	}
	return j.ID
}

type noSeries struct{}

func (noSeries) Series(_ context.Context, q SeriesQuery) (Series, error) {
	return Series{Step: q.Step, Points: []SeriesPoint{{At: q.From, Min: 1, Mean: 2, Max: 3}}}, nil
}

func (noSeries) Flow(_ context.Context, _ string, _ int, _ time.Time, _ time.Duration, n int) (Flow, error) {
	return Flow{WattMillis: make([]float64, n), Millis: make([]int64, n)}, nil
}

func (noSeries) Late(time.Time) uint64 { return 0 }

func (noSeries) Horizon() time.Time { return time.Time{} }

type noPictures struct{}

func (noPictures) Watch(context.Context, string, string, string) (Watching, error) {
	return Watching{}, &ViewingError{http.StatusConflict, "noPicture", "no picture now"}
}
func (noPictures) EndWatch(string, string) bool { return true }
func (noPictures) Playlist(w http.ResponseWriter, _ *http.Request, camera, _, _ string) error {
	_, err := w.Write([]byte(camera))
	return err
}

func (noPictures) Still(_ context.Context, camera, _ string, _ []store.CameraZone) (CameraStill, error) {
	return CameraStill{JPEG: []byte(camera), At: time.Unix(1, 0)}, nil
}

type noFrames struct{}

func (noFrames) Read(_ context.Context, q FrameQuery) ([]Frame, string, error) {
	return []Frame{{At: time.Unix(1, 0), Station: q.Station, In: true, Data: []byte(`[2,"1","Heartbeat",{}]`)}}, "", nil
}

func (noFrames) Follow(ctx context.Context, _ string, _ func(Frame)) error {
	<-ctx.Done()
	return nil
}

// path fills the parameters of a route with what is of a site.
func (n *two) path(r Route, site string) string {
	id := n.session[site]
	if strings.Contains(r.Path, "/incidents/") {
		id = n.incident[site]
	}
	if strings.Contains(r.Path, "/workorders/") {
		id = n.order[site]
	}
	if strings.Contains(r.Path, "/analytics/plans/") {
		id = n.study[site]
	}
	if strings.Contains(r.Path, "/campaigns/") {
		id = n.campaign[site]
	}
	if strings.Contains(r.Path, "/comparison") {
		id = n.upgrade[site]
	}
	if strings.Contains(r.Path, "/evidence/") {
		id = "pack-" + site
	}
	if r.Need.kind == needGlobal {
		id = "nobody"
	}
	path := strings.NewReplacer("{station}", "S-"+site, "{site}", site, "{camera}", "cam-"+site, "{door}", "door-"+site, "{controller}", "ctl-"+site, "{output}", "out-"+site, "{session}", "x", "{stream}", "main", "{file}", "index.m3u8", "{id}", id, "{profile}", "default", "{action}", "note", "{photo}", n.photo[site], "{transfer}", n.file[site]).Replace(r.Path)
	if r.Path == base+"/telemetry" {
		path += "?station=S-" + site
	}
	if ofOneSite(r) {
		path += "?site=" + site
	}
	switch {
	case strings.HasSuffix(r.Path, "/recordings"), strings.HasSuffix(r.Path, "/clip.mp4"), strings.HasSuffix(r.Path, "/playback/index.m3u8"), strings.HasSuffix(r.Path, "/sound.m4a"), strings.HasSuffix(r.Path, "/door-moments"):
		path += "?from=2026-11-22T12:00:00Z&to=2026-11-22T12:10:00Z"
	case strings.HasSuffix(r.Path, "/picture.jpg"), strings.HasSuffix(r.Path, "/thumbnail.jpg"):
		path += "?at=2026-11-22T12:00:00Z"
	}
	return path
}

// ofOneSite reports whether a route asks for a site in its query.
func ofOneSite(r Route) bool {
	return slices.Contains([]string{base + "/analytics/plan", base + "/analytics/plan.csv", base + "/analytics/plan/quick",
		base + "/analytics/forecast", base + "/analytics/forecast.csv", base + "/analytics/forecast/free"}, r.Path)
}

// status calls a route and leaves its body, which may have no end.
func (c *caller) status(method, path, body string) int {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	defer cancel()
	if method == "" {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// What anyone may call is what the contract lists, and nothing else.
func TestPublicRoutes(t *testing.T) {
	p := newPlant(t)
	var public []string
	for _, r := range p.Routes() {
		if r.Need.kind == needNothing {
			public = append(public, strings.TrimSpace(r.Method+" "+r.Path))
			continue
		}
		nobody := &caller{t: t, url: p.url, http: &http.Client{}}
		path := strings.NewReplacer("{station}", "x", "{site}", "x", "{camera}", "x", "{door}", "x", "{controller}", "x", "{output}", "x", "{session}", "x", "{stream}", "x", "{file}", "x", "{id}", "x", "{profile}", "x", "{action}", "note").Replace(r.Path)
		if got := nobody.status(r.Method, path, "{}"); got != http.StatusUnauthorized {
			t.Errorf("%s %s without sign-in: %d", r.Method, r.Path, got)
		}
		liar := &caller{t: t, url: p.url, http: &http.Client{}, token: "cw_no"}
		if got := liar.status(r.Method, path, "{}"); got != http.StatusUnauthorized {
			t.Errorf("%s %s with a wrong token: %d", r.Method, r.Path, got)
		}
	}
	slices.Sort(public)
	want := []string{
		"/", "/api/", "GET /ack", "GET /healthz", "GET /pass", "GET /readyz", "GET /shared", "GET /status", "GET /status.json", "GET /status/{path...}",
		"POST /ack", "POST /api/v1/kiosks/claim", "POST /api/v1/kiosks/pair", "POST /api/v1/signin", "POST /shared", "POST /status/p/{publicId}/report",
	}
	if !slices.Equal(public, want) {
		t.Errorf("public: %v, want %v", public, want)
	}
}

// Every route, every role, at the own site and at a foreign one.
func TestRolesAndSites(t *testing.T) {
	n := newTwo(t)
	for _, role := range store.Roles() {
		c := n.script(role, own)
		has := permissionsOf(role)
		for _, r := range n.Routes() {
			if r.Need.kind <= needSignIn {
				continue
			}
			t.Run(fmt.Sprintf("%s %s %s", role, r.Method, r.Path), func(t *testing.T) {
				c := &caller{t: t, url: c.url, token: c.token, http: c.http}
				if !slices.Contains(has, r.Need.permission) || r.Need.kind == needGlobal {
					for _, site := range []string{own, foreign} {
						if got := c.status(r.Method, n.path(r, site), "{}"); got != http.StatusForbidden {
							t.Errorf("%s: %d, want 403", n.path(r, site), got)
						}
					}
					return
				}
				single := strings.Contains(r.Path, "{") || ofOneSite(r) || strings.HasSuffix(r.Path, "/telemetry")
				if r.Method != http.MethodGet { // checked body by body below
					if got := c.status(r.Method, n.path(r, foreign), "{}"); single && got != http.StatusNotFound {
						t.Errorf("%s: %d, want 404", n.path(r, foreign), got)
					}
					return
				}
				if single {
					if got, text := c.do(r.Method, n.path(r, foreign), ""); got != http.StatusNotFound || strings.Contains(text, foreign) {
						t.Errorf("foreign: %d %s", got, text)
					}
					if got := c.status(r.Method, n.path(r, own), ""); got != http.StatusOK {
						t.Errorf("own: %d", got)
					}
					return
				}
				if strings.Contains(r.Path, "/live") { // see TestLiveTopicsStayInsideTheGrant
					return
				}
				queries := []string{"", "?limit=1000", "?station=S-" + foreign, "?site=" + foreign, "?q=" + foreign,
					"?subject=station/S-" + foreign, "?kind=station.configured,status,command,access", "?credential=TOKEN-" + foreign}
				if strings.Contains(r.Path, "/analytics/export/") { // those refuse what they do not know
					queries = []string{"", "?site=" + own}
					if got, text := c.do(r.Method, r.Path+"?site="+foreign, ""); got != http.StatusNotFound || strings.Contains(text, foreign) {
						t.Errorf("foreign: %d %s", got, text)
					}
				}
				for _, query := range queries {
					got, text := c.do(r.Method, r.Path+query, "")
					if got != http.StatusOK || strings.Contains(text, foreign) {
						t.Errorf("%s: %d %s", query, got, text)
					}
				}
			})
		}
	}
}

// A change may not reach another site through its body.
func TestWritesStayInsideTheGrant(t *testing.T) {
	n := newTwo(t)
	c := n.script(store.RoleAdmin, own)
	tests := map[string]struct {
		method, path, body string
		want               int
	}{
		"enrol at another site":     {"POST", "/stations", `{"id":"N1","siteId":"FOREIGN"}`, 403},
		"enrol at no site":          {"POST", "/stations", `{"id":"N1"}`, 403},
		"enrol over another's":      {"POST", "/stations", `{"id":"S-FOREIGN","siteId":"own"}`, 409},
		"move away":                 {"PATCH", "/stations/S-own", `{"siteId":"FOREIGN"}`, 403},
		"move to no site":           {"PATCH", "/stations/S-own", `{"siteId":""}`, 403},
		"approve at another site":   {"POST", "/stations/S-own/approve", `{"siteId":"FOREIGN"}`, 403},
		"change another's":          {"PATCH", "/stations/S-FOREIGN", `{"label":"x"}`, 404},
		"remove another's":          {"DELETE", "/stations/S-FOREIGN", "", 404},
		"command another's":         {"POST", "/stations/S-FOREIGN/commands", `{"action":"Reset"}`, 404},
		"change another site":       {"PATCH", "/sites/FOREIGN", `{"name":"x"}`, 404},
		"delete another site":       {"DELETE", "/sites/FOREIGN", "", 404},
		"add a site":                {"POST", "/sites", `{"id":"new"}`, 403},
		"make a person":             {"POST", "/users", `{"name":"x","grants":[]}`, 403},
		"make a token":              {"POST", "/tokens", `{"name":"x","grants":[{"role":"admin","sites":["*"]}]}`, 403},
		"decide about a token":      {"POST", "/credentials", `{"idToken":"x"}`, 403},
		"enrol at the own site":     {"POST", "/stations", `{"id":"N1","siteId":"own"}`, 201},
		"change the own site":       {"PATCH", "/sites/own", `{"name":"mine"}`, 200},
		"command the own":           {"POST", "/stations/S-own/commands", `{"action":"Reset"}`, 200},
		"a station that is nowhere": {"PATCH", "/stations/none", `{"label":"x"}`, 404},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got, text := c.do(tc.method, tc.path, tc.body); got != tc.want {
				t.Errorf("%d, want %d: %s", got, tc.want, text)
			}
		})
	}
	status, text := c.csv("id,siteId\nN7,own\nN8,FOREIGN\nN9,\n")
	if status != http.StatusUnprocessableEntity || !strings.Contains(text, "line[3]") || !strings.Contains(text, "line[4]") {
		t.Errorf("import: %d %s", status, text)
	}
	if _, ok := n.store.Station("N7"); ok {
		t.Error("half an import was done")
	}
}

func (c *caller) csv(data string) (int, string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), "POST", c.url+base+"/stations/import", strings.NewReader(data))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "text/csv")
	r.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.http.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, b.String()
}

func TestNoRouteWithoutAPermission(t *testing.T) {
	p := newPlant(t)
	for name, need := range map[string]Need{
		"nothing at all":  {},
		"a kind alone":    {kind: needGlobal},
		"a site's alone":  {kind: needSite},
		"a list's alone":  {kind: needFiltered},
		"a station alone": {kind: needStation},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it was registered")
				}
			}()
			add(p.Server, need, huma.Operation{OperationID: "x", Method: http.MethodGet, Path: "/x"},
				func(context.Context, *struct{}) (*noContent, error) { return nil, nil })
		})
	}
}
