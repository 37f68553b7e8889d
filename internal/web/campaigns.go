package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/campaign"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Campaigns is work at many stations.
type Campaigns interface {
	Kinds() []string
	Permission(kind string) string
	Preview(ctx context.Context, by campaign.By, plan campaign.Plan) (*campaign.Preview, error)
	Start(ctx context.Context, by campaign.By, plan campaign.Plan) (*campaign.Campaign, error)
	Get(ctx context.Context, id string) (*campaign.Campaign, error)
	List(ctx context.Context, before int64, limit int) ([]*campaign.Campaign, error)
	Stations(ctx context.Context, c *campaign.Campaign, q store.CampaignStationQuery) ([]store.CampaignStation, error)
	Pause(ctx context.Context, by store.Actor, id string) error
	Resume(ctx context.Context, by store.Actor, id string) error
	Stop(ctx context.Context, by store.Actor, id string) error
}

// CampaignShape is work at many stations and how far it is.
type CampaignShape struct {
	ID            string              `json:"id"`
	Kind          string              `json:"kind"`
	Name          string              `json:"name"`
	State         store.CampaignState `json:"state" enum:"running,paused,stopped,finished" doc:"what was begun comes to its end in each of them"`
	Stage         store.CampaignStage `json:"stage" enum:"canary,soak,rest"`
	StartedBy     string              `json:"startedBy" doc:"opaque id"`
	StartedByName string              `json:"startedByName" doc:"empty once forgotten"`
	StartedAt     time.Time           `json:"startedAt"`
	SoakUntil     *time.Time          `json:"soakUntil" doc:"until when the first are watched"`
	EndedAt       *time.Time          `json:"endedAt"`
	Stations      int                 `json:"stations"`
	Counts        CampaignCounts      `json:"counts"`
	Canary        CampaignCounts      `json:"canary" doc:"of the first ones alone"`
	Codes         []CampaignCode      `json:"codes" doc:"the same by what came of it"`
	LeftOut       []campaign.LeftOut  `json:"leftOut" doc:"stations of the cohort that are not among them"`
	Why           *CampaignWhy        `json:"why" doc:"it was stopped; null: it was not"`
	Plan          campaign.Plan       `json:"plan" doc:"in lists with at most 20 of the ids that it names"`
}

// CampaignCounts counts stations by what became of them.
type CampaignCounts struct {
	Pending int `json:"pending"`
	Waiting int `json:"waiting" doc:"offline, busy, or to be tried again"`
	Working int `json:"working"`
	Done    int `json:"done"`
	Failed  int `json:"failed"`
	Skipped int `json:"skipped" doc:"nothing was done there"`
	Unknown int `json:"unknown" doc:"it was asked, and the answer is not known"`
}

func (c *CampaignCounts) add(state store.WorkState, n int) {
	switch state {
	case store.WorkPending:
		c.Pending += n
	case store.WorkWaiting:
		c.Waiting += n
	case store.WorkWorking:
		c.Working += n
	case store.WorkDone:
		c.Done += n
	case store.WorkFailed:
		c.Failed += n
	case store.WorkSkipped:
		c.Skipped += n
	case store.WorkUnknown:
		c.Unknown += n
	}
}

// CampaignCode counts stations that came to the same.
type CampaignCode struct {
	State store.WorkState `json:"state" enum:"pending,waiting,working,done,failed,skipped,unknown"`
	Code  string          `json:"code" doc:"a word such as Accepted, Rejected, timeout, offline, stopped"`
	Count int             `json:"count"`
}

// CampaignWhy says for what reason a campaign was stopped.
type CampaignWhy struct {
	campaign.Why
	Sentence string `json:"sentence"`
}

// CampaignStationShape is what became of one station.
type CampaignStationShape struct {
	Station     string          `json:"station"`
	SiteID      string          `json:"siteId"`
	Model       string          `json:"model" doc:"and firmware: when the campaign was started"`
	Firmware    string          `json:"firmware"`
	FirmwareNow string          `json:"firmwareNow"`
	Canary      bool            `json:"canary" doc:"one of the first"`
	State       store.WorkState `json:"state" enum:"pending,waiting,working,done,failed,skipped,unknown"`
	Code        string          `json:"code"`
	Text        string          `json:"text"`
	Attempts    int             `json:"attempts"`
	BeganAt     *time.Time      `json:"beganAt"`
	At          time.Time       `json:"at" doc:"of its state"`
	RetryAt     *time.Time      `json:"retryAt"`
	Before      json.RawMessage `json:"before" doc:"what was changed, as it was; null: nothing to compare"`
	After       json.RawMessage `json:"after"`
}

type (
	campaignInput struct {
		ID string `path:"id" maxLength:"64"`
	}
	campaignOutput        struct{ Body CampaignShape }
	newCampaignInput      struct{ Body campaign.Plan }
	campaignPreviewOutput struct{ Body campaign.Preview }
	campaignStationsInput struct {
		Page
		ID    string `path:"id" maxLength:"64"`
		State string `query:"state" enum:"pending,waiting,working,done,failed,skipped,unknown"`
		Code  string `query:"code" maxLength:"64"`
		Q     string `query:"q" maxLength:"48" doc:"part of the id"`
	}
	bulkCommandInput struct {
		Body struct {
			Action      string                        `json:"action" minLength:"1" maxLength:"64"`
			Payload     json.RawMessage               `json:"payload,omitempty" doc:"as in the specification"`
			ByProtocol  map[string]campaign.CommandOf `json:"byProtocol,omitempty" doc:"another action and payload for stations of a version, such as ocpp2.0.1"`
			AlsoRelayed bool                          `json:"alsoRelayed,omitempty" doc:"stations that are relayed to another system are asked too"`
			Preview     bool                          `json:"preview,omitempty" doc:"say what would be done, and do nothing"`
			Name        string                        `json:"name,omitempty" maxLength:"100"`
			Cohort      campaign.Cohort               `json:"cohort"`
			Canary      campaign.Canary               `json:"canary,omitzero"`
			Pace        campaign.Pace                 `json:"pace,omitzero"`
			StopOn      campaign.StopOn               `json:"stopOn,omitzero"`
			NotBefore   *time.Time                    `json:"notBefore,omitempty"`
			Window      *campaign.Window              `json:"window,omitempty"`
			WhenIdle    bool                          `json:"whenIdle,omitempty"`
			Retries     int                           `json:"retries,omitempty" minimum:"0" maximum:"10"`
			GiveUp      int                           `json:"giveUpAfterSeconds,omitempty" minimum:"0" maximum:"2592000"`
			Expect      int                           `json:"expect,omitempty" minimum:"0"`
		}
	}
	bulkCommandOutput struct {
		Status int
		Body   struct {
			Preview  *campaign.Preview `json:"preview" doc:"null unless it was asked for"`
			Campaign *CampaignShape    `json:"campaign" doc:"null for a preview"`
		}
	}
)

// namedInLists bounds the stations that a plan names where many plans are listed.
const namedInLists = 20

var errNoCampaigns = problemf(http.StatusNotImplemented, "this server has no campaigns")

func (s *Server) registerCampaigns() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"campaigns"}}
	}
	large := func(o huma.Operation) huma.Operation { o.MaxBodyBytes = 2 << 20; return o } // 20,000 ids
	bulk := large(op("bulkCommand", http.MethodPost, "/commands/bulk", "Send a command to many stations, as a campaign of kind command", http.StatusCreated))
	bulk.Description = "With preview nothing is done (200). Otherwise a campaign is started (201): GET /campaigns/{id} tells how far it is. Passwords and keys are refused: stations get new ones by rotation."
	add(s, filtered(StationsCommand), bulk, s.bulkCommand)
	add(s, filtered(StationsCommand), op("listCampaigns", http.MethodGet, "/campaigns", "Work at many stations, newest first; that at stations of others is left out", 0), s.listCampaigns)
	add(s, filtered(StationsCommand), large(op("previewCampaign", http.MethodPost, "/campaigns/preview", "What a campaign would do if it were started now", 0)), s.previewCampaign)
	add(s, filtered(StationsCommand), large(op("startCampaign", http.MethodPost, "/campaigns", "Start work at many stations, which are fixed now", http.StatusCreated)), s.startCampaign)
	add(s, filtered(StationsCommand), op("getCampaign", http.MethodGet, "/campaigns/{id}", "One campaign", 0), s.getCampaign)
	add(s, filtered(StationsCommand), op("listCampaignStations", http.MethodGet, "/campaigns/{id}/stations", "What became of each station, in the order of work", 0), s.listCampaignStations)
	file := op("exportCampaignStations", http.MethodGet, "/campaigns/{id}/stations.csv", "The same as a table", 0)
	file.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: "string"}}}}}
	add(s, filtered(StationsCommand), file, s.exportCampaignStations)
	s.registerComparison()
	add(s, filtered(StationsCommand), op("pauseCampaign", http.MethodPost, "/campaigns/{id}/pause", "Begin nothing more until it is resumed", 0), s.moveCampaign("the campaign is not running", Campaigns.Pause))
	add(s, filtered(StationsCommand), op("resumeCampaign", http.MethodPost, "/campaigns/{id}/resume", "Let a paused campaign go on", 0), s.moveCampaign("the campaign is not paused", Campaigns.Resume))
	add(s, filtered(StationsCommand), op("stopCampaign", http.MethodPost, "/campaigns/{id}/stop", "Begin nothing more at all", 0), s.moveCampaign("the campaign is over", Campaigns.Stop))
}

// needOf is the permission that work of a kind needs.
func (s *Server) needOf(kind string) Permission {
	if p := s.o.Campaigns.Permission(kind); p != "" {
		return Permission(p)
	}
	return StationsCommand
}

func (s *Server) byWhom(ctx context.Context, kind string) campaign.By {
	return campaign.By{Actor: who(ctx).actor(), Sees: scope(ctx, StationsRead).Allows, May: scope(ctx, s.needOf(kind)).Allows}
}

// withoutSecrets has tokens in params by reference, and refuses what must not be kept.
func (s *Server) withoutSecrets(ctx context.Context, plan *campaign.Plan) error {
	if len(plan.Params) == 0 {
		return nil
	}
	kept, err := s.forRecord(ctx, plan.Params)
	if err != nil {
		return &store.InvalidError{Field: "params", Reason: "it cannot be read"}
	}
	if bytes.Contains(kept, []byte(hidden)) {
		return &store.InvalidError{Field: "params", Reason: "passwords and keys are not sent to many stations: have them rotated, each station gets one of its own"}
	}
	plan.Params = kept
	return nil
}

func (s *Server) previewCampaign(ctx context.Context, in *newCampaignInput) (*campaignPreviewOutput, error) {
	p, err := s.preview(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	return &campaignPreviewOutput{Body: *p}, nil
}

func (s *Server) preview(ctx context.Context, plan campaign.Plan) (*campaign.Preview, error) {
	if s.o.Campaigns == nil {
		return nil, errNoCampaigns
	}
	if err := s.withoutSecrets(ctx, &plan); err != nil {
		return nil, err
	}
	return s.o.Campaigns.Preview(ctx, s.byWhom(ctx, plan.Kind), plan)
}

func (s *Server) startCampaign(ctx context.Context, in *newCampaignInput) (*campaignOutput, error) {
	c, err := s.start(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	return &campaignOutput{Body: *c}, nil
}

func (s *Server) start(ctx context.Context, plan campaign.Plan) (*CampaignShape, error) {
	if s.o.Campaigns == nil {
		return nil, errNoCampaigns
	}
	if err := s.withoutSecrets(ctx, &plan); err != nil {
		return nil, err
	}
	c, err := s.o.Campaigns.Start(ctx, s.byWhom(ctx, plan.Kind), plan)
	if err != nil {
		return nil, err
	}
	return s.campaignShape(ctx, c)
}

func (s *Server) bulkCommand(ctx context.Context, in *bulkCommandInput) (*bulkCommandOutput, error) {
	b := &in.Body
	params, err := json.Marshal(campaign.Command{CommandOf: campaign.CommandOf{Action: b.Action, Payload: b.Payload}, ByProtocol: b.ByProtocol, AlsoRelayed: b.AlsoRelayed})
	if err != nil {
		return nil, err
	}
	plan := campaign.Plan{
		Kind: campaign.CommandKind, Params: params, Name: b.Name, Cohort: b.Cohort, Canary: b.Canary, Pace: b.Pace, StopOn: b.StopOn,
		NotBefore: b.NotBefore, Window: b.Window, WhenIdle: b.WhenIdle, Retries: b.Retries, GiveUpAfterSeconds: b.GiveUp, Expect: b.Expect,
	}
	out := &bulkCommandOutput{Status: http.StatusOK}
	if b.Preview {
		out.Body.Preview, err = s.preview(ctx, plan)
	} else {
		out.Status = http.StatusCreated
		out.Body.Campaign, err = s.start(ctx, plan)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Server) campaignShape(ctx context.Context, c *campaign.Campaign) (*CampaignShape, error) {
	out := &CampaignShape{
		ID: c.ID, Kind: c.Kind, Name: c.Name, State: c.State, Stage: c.Stage, StartedBy: string(c.By), StartedAt: c.MadeAt.UTC(), SoakUntil: instant(c.SoakUntil),
		EndedAt: instant(c.EndedAt), Stations: c.Total, Codes: []CampaignCode{}, LeftOut: list(c.LeftOut), Plan: c.Plan,
	}
	byCode := make(map[CampaignCode]int)
	for _, x := range c.Counts {
		out.Counts.add(x.State, x.Count)
		if x.Canary {
			out.Canary.add(x.State, x.Count)
		}
		one := CampaignCode{State: x.State, Code: x.Code}
		if _, ok := byCode[one]; !ok {
			byCode[one] = len(out.Codes)
			out.Codes = append(out.Codes, one)
		}
		out.Codes[byCode[one]].Count += x.Count
	}
	if c.Why != nil {
		out.Why = &CampaignWhy{*c.Why, c.Why.Say()}
	}
	names, err := s.o.Store.UserNames(ctx, []string{string(c.By)})
	if err != nil {
		return nil, err
	}
	out.StartedByName = names[string(c.By)]
	return out, s.forReader(ctx, scope(ctx, IDTokensRead).All(), &out.Plan.Params)
}

// sees reports whether somebody may do all of a campaign: who may not command each of
// its stations is not told of it.
func sees(allowed Scope, c *campaign.Campaign) bool {
	for _, site := range c.Sites {
		if !allowed.Allows(site) {
			return false
		}
	}
	return true
}

// campaign finds one that the caller may see.
func (s *Server) campaign(ctx context.Context, id string) (*campaign.Campaign, error) {
	if s.o.Campaigns == nil {
		return nil, errNoCampaigns
	}
	c, err := s.o.Campaigns.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if !sees(scope(ctx, StationsCommand), c) {
		return nil, store.ErrNotFound
	}
	return c, nil
}

func (s *Server) listCampaigns(ctx context.Context, in *Page) (*listOutput[CampaignShape], error) {
	if s.o.Campaigns == nil {
		return listOf([]CampaignShape{}, ""), nil
	}
	place, err := decodeCursor("campaigns", in.Cursor)
	if err != nil {
		return nil, err
	}
	before := int64(0)
	if place != "" {
		if before, err = strconv.ParseInt(place, 10, 64); err != nil || before <= 0 {
			return nil, errCursor
		}
	}
	allowed := scope(ctx, StationsCommand)
	out := []CampaignShape{}
	for {
		page, err := s.o.Campaigns.List(ctx, before, in.Limit)
		if err != nil {
			return nil, err
		}
		for _, c := range page {
			if len(out) == in.Limit {
				return listOf(out, encodeCursor("campaigns", strconv.FormatInt(before, 10))), nil
			}
			if before = c.Seq; !sees(allowed, c) {
				continue
			}
			shape, err := s.campaignShape(ctx, c)
			if err != nil {
				return nil, err
			}
			named := &shape.Plan.Cohort.Stations
			*named = (*named)[:min(len(*named), namedInLists)]
			out = append(out, *shape)
		}
		if len(page) < in.Limit {
			return listOf(out, ""), nil
		}
	}
}

func (s *Server) getCampaign(ctx context.Context, in *campaignInput) (*campaignOutput, error) {
	c, err := s.campaign(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	shape, err := s.campaignShape(ctx, c)
	if err != nil {
		return nil, err
	}
	return &campaignOutput{Body: *shape}, nil
}

func (s *Server) campaignStation(x *store.CampaignStation) CampaignStationShape {
	out := CampaignStationShape{
		Station: x.Station, SiteID: x.Site, Model: x.Model, Firmware: x.Firmware, Canary: x.Canary, State: x.State, Code: x.Code, Text: x.Text,
		Attempts: x.Attempts, BeganAt: instant(x.BeganAt), At: x.At.UTC(), RetryAt: instant(x.RetryAt), Before: x.Before, After: x.After,
	}
	if st, ok := s.o.Fleet.Snapshot().Station(x.Station); ok {
		out.FirmwareNow = st.Firmware
	}
	return out
}

func (s *Server) listCampaignStations(ctx context.Context, in *campaignStationsInput) (*listOutput[CampaignStationShape], error) {
	c, err := s.campaign(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	place, err := decodeCursor("campaignStations", in.Cursor)
	if err != nil {
		return nil, err
	}
	q := store.CampaignStationQuery{State: store.WorkState(in.State), Code: in.Code, Text: in.Q, After: -1, Limit: in.Limit + 1}
	if place != "" {
		if q.After, err = strconv.Atoi(place); err != nil || q.After < 0 {
			return nil, errCursor
		}
	}
	found, err := s.o.Campaigns.Stations(ctx, c, q)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(found) > in.Limit {
		found = found[:in.Limit]
		next = encodeCursor("campaignStations", strconv.Itoa(found[in.Limit-1].Place))
	}
	out := make([]CampaignStationShape, 0, len(found))
	for i := range found {
		out = append(out, s.campaignStation(&found[i]))
	}
	return listOf(out, next), nil
}

func (s *Server) exportCampaignStations(ctx context.Context, in *campaignInput) (*csvOutput, error) {
	c, err := s.campaign(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	all, err := s.o.Campaigns.Stations(ctx, c, store.CampaignStationQuery{After: -1, Limit: store.MaxCampaignStations})
	if err != nil {
		return nil, err
	}
	when := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.Format(time.RFC3339)
	}
	return table("campaign-"+c.ID, func(row func(...string)) {
		row("station", "siteId", "model", "firmware", "firmwareNow", "canary", "state", "code", "text", "attempts", "beganAtUtc", "atUtc")
		for i := range all {
			x := s.campaignStation(&all[i])
			row(cell(x.Station), cell(x.SiteID), cell(x.Model), cell(x.Firmware), cell(x.FirmwareNow), strconv.FormatBool(x.Canary), string(x.State), cell(x.Code), cell(x.Text),
				strconv.Itoa(x.Attempts), when(x.BeganAt), when(&x.At))
		}
	}), nil
}

func (s *Server) moveCampaign(not string, move func(Campaigns, context.Context, store.Actor, string) error) func(context.Context, *campaignInput) (*campaignOutput, error) {
	return func(ctx context.Context, in *campaignInput) (*campaignOutput, error) {
		c, err := s.campaign(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		if !sees(scope(ctx, s.needOf(c.Kind)), c) {
			return nil, errForbidden
		}
		err = move(s.o.Campaigns, ctx, who(ctx).actor(), in.ID)
		if errors.Is(err, store.ErrInUse) {
			return nil, problemf(http.StatusConflict, not)
		}
		if err != nil {
			return nil, err
		}
		return s.getCampaign(ctx, in)
	}
}
