package servertest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	ocpp16 "github.com/lorenzodonini/ocpp-go/ocpp1.6"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/core"
	local16 "github.com/lorenzodonini/ocpp-go/ocpp1.6/localauth"
	ocpp201 "github.com/lorenzodonini/ocpp-go/ocpp2.0.1"
	local201 "github.com/lorenzodonini/ocpp-go/ocpp2.0.1/localauth"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/provisioning"
	"github.com/lorenzodonini/ocpp-go/ws"

	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// cards is a list of tokens as a station keeps it.
type cards struct {
	mu       sync.Mutex
	version  int
	tokens   map[string]string // token to status and end
	messages []string          // kinds of updates, with how much was in them
	settings map[string]string
}

func newCards(settings map[string]string) *cards {
	return &cards{tokens: make(map[string]string), settings: settings}
}

func (c *cards) update(kind string, version int, put map[string]string, gone []string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.messages = append(c.messages, fmt.Sprintf("%s %d+%d", kind, len(put), len(gone)))
	if kind == "Full" {
		clear(c.tokens)
	} else if version <= c.version {
		return false
	}
	c.version = version
	maps.Copy(c.tokens, put)
	for _, x := range gone {
		delete(c.tokens, x)
	}
	return true
}

func (c *cards) setting(name string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.settings[name]
}

func (c *cards) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, k := range slices.Sorted(maps.Keys(c.tokens)) {
		out = append(out, k+" "+c.tokens[k])
	}
	return strings.Join(out, ", ")
}

func (c *cards) now() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.version
}

func (c *cards) said() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.messages)
}

// listed16 is a charge point of ocpp-go with a list.
type listed16 struct {
	point16
	*cards
}

func (p *listed16) OnGetConfiguration(r *core.GetConfigurationRequest) (*core.GetConfigurationConfirmation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []core.ConfigurationKey
	for _, k := range r.Key {
		if v, ok := p.settings[k]; ok {
			out = append(out, core.ConfigurationKey{Key: k, Value: &v})
		}
	}
	return core.NewGetConfigurationConfirmation(out), nil
}

func (p *listed16) OnChangeConfiguration(r *core.ChangeConfigurationRequest) (*core.ChangeConfigurationConfirmation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settings[r.Key] = r.Value
	return core.NewChangeConfigurationConfirmation(core.ConfigurationStatusAccepted), nil
}

func (p *listed16) OnGetLocalListVersion(*local16.GetLocalListVersionRequest) (*local16.GetLocalListVersionConfirmation, error) {
	return local16.NewGetLocalListVersionConfirmation(p.now()), nil
}

func (p *listed16) OnSendLocalList(r *local16.SendLocalListRequest) (*local16.SendLocalListConfirmation, error) {
	put, gone := make(map[string]string), []string(nil)
	for _, x := range r.LocalAuthorizationList {
		switch {
		case x.IdTagInfo == nil:
			gone = append(gone, x.IdTag)
		case x.IdTagInfo.ExpiryDate != nil:
			put[x.IdTag] = string(x.IdTagInfo.Status) + " until " + x.IdTagInfo.ExpiryDate.UTC().Format(time.RFC3339)
		default:
			put[x.IdTag] = string(x.IdTagInfo.Status)
		}
	}
	if !p.update(string(r.UpdateType), r.ListVersion, put, gone) {
		return local16.NewSendLocalListConfirmation(local16.UpdateStatusVersionMismatch), nil
	}
	return local16.NewSendLocalListConfirmation(local16.UpdateStatusAccepted), nil
}

// listed201 is a charging station of ocpp-go with a list.
type listed201 struct {
	station201
	*cards
}

func (p *listed201) OnGetVariables(r *provisioning.GetVariablesRequest) (*provisioning.GetVariablesResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []provisioning.GetVariableResult
	for _, x := range r.GetVariableData {
		one := provisioning.GetVariableResult{AttributeStatus: provisioning.GetVariableStatusUnknownVariable, Component: x.Component, Variable: x.Variable}
		if v, ok := p.settings[x.Component.Name+"/"+x.Variable.Name]; ok {
			one.AttributeStatus, one.AttributeValue = provisioning.GetVariableStatusAccepted, v
		}
		out = append(out, one)
	}
	return provisioning.NewGetVariablesResponse(out), nil
}

func (p *listed201) OnSetVariables(r *provisioning.SetVariablesRequest) (*provisioning.SetVariablesResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []provisioning.SetVariableResult
	for _, x := range r.SetVariableData {
		p.settings[x.Component.Name+"/"+x.Variable.Name] = x.AttributeValue
		out = append(out, provisioning.SetVariableResult{AttributeStatus: provisioning.SetVariableStatusAccepted, Component: x.Component, Variable: x.Variable})
	}
	return provisioning.NewSetVariablesResponse(out), nil
}

func (p *listed201) OnGetLocalListVersion(*local201.GetLocalListVersionRequest) (*local201.GetLocalListVersionResponse, error) {
	return local201.NewGetLocalListVersionResponse(p.now()), nil
}

func (p *listed201) OnSendLocalList(r *local201.SendLocalListRequest) (*local201.SendLocalListResponse, error) {
	put, gone := make(map[string]string), []string(nil)
	for _, x := range r.LocalAuthorizationList {
		name := x.IdToken.IdToken + " " + string(x.IdToken.Type)
		switch {
		case x.IdTokenInfo == nil:
			gone = append(gone, name)
		case x.IdTokenInfo.CacheExpiryDateTime != nil:
			put[name] = string(x.IdTokenInfo.Status) + " until " + x.IdTokenInfo.CacheExpiryDateTime.UTC().Format(time.RFC3339)
		default:
			put[name] = string(x.IdTokenInfo.Status)
		}
	}
	if !p.update(string(r.UpdateType), r.VersionNumber, put, gone) {
		return local201.NewSendLocalListResponse(local201.SendLocalListStatusVersionMismatch), nil
	}
	return local201.NewSendLocalListResponse(local201.SendLocalListStatusAccepted), nil
}

// connect starts a client of ocpp-go; it panics when it is stopped twice.
func connect(t *testing.T, s *servertest.Server, c interface {
	Start(url string) error
	Stop()
}) {
	t.Helper()
	if err := c.Start(strings.TrimSuffix(s.URL, "/")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
}

// askAPI asks the API as an administrator.
func askAPI(t *testing.T, s *servertest.Server, method, path string, want int, into any) {
	t.Helper()
	_, secret, err := s.Store.CreateAPIToken(t.Context(), store.System, store.APIToken{Name: "test", Grants: []store.Grant{{Role: store.RoleAdmin, Sites: []string{store.AllSites}}}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.HTTPAddress()+"/api/v1"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if a.StatusCode != want {
		t.Fatalf("%s %s: %s", method, path, a.Status)
	}
	if into != nil {
		if err := json.NewDecoder(a.Body).Decode(into); err != nil {
			t.Fatal(err)
		}
	}
}

// listOf is how the list of a station is.
func listOf(t *testing.T, s *servertest.Server, id string) (web.StationListShape, bool) {
	t.Helper()
	var out web.LocalListShape
	askAPI(t, s, http.MethodGet, "/stations/"+id+"/local-list", http.StatusOK, &out)
	if out.Kept == nil {
		return web.StationListShape{}, false
	}
	return *out.Kept, true
}

// Foreign stations of both versions get the list of who may charge there, keep to it
// when we are away, lose a lost card at once and are found when their list is another.
func TestStationsOfOthersKeepOurLists(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	if _, err := s.Store.CreateSite(t.Context(), store.System, store.Site{ID: "site", StationLists: true}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"OLD", "NEW"} {
		if _, _, err := s.Store.EnrolStation(t.Context(), store.System, store.NewStation{ID: id, SiteID: "site"}); err != nil {
			t.Fatal(err)
		}
	}
	end := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
	lost, err := s.Store.PutCredential(t.Context(), store.System, "", store.CredentialInput{IDToken: "LOST-1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []store.CredentialInput{{IDToken: "STAYS-2"}, {IDToken: "ENDS-3", ExpiresAt: end}, {IDToken: "BLOCKED-4", Status: "Blocked"}, {IDToken: "1234", Kind: "plate"},
		{IDToken: "LONGER-THAN-A-TAG-OF-1.6", Type: "Central"}} {
		if _, err := s.Store.PutCredential(t.Context(), store.System, "", c); err != nil {
			t.Fatal(err)
		}
	}
	old := newCards(map[string]string{
		"SupportedFeatureProfiles": "Core,LocalAuthListManagement", "LocalAuthListMaxLength": "100", "SendLocalListMaxLength": "2",
		"LocalAuthListEnabled": "false", "LocalAuthorizeOffline": "true", "AllowOfflineTxForUnknownId": "true", "AuthorizationCacheEnabled": "true",
	})
	point := ocpp16.NewChargePoint("OLD", nil, ws.NewClient())
	p := &listed16{cards: old}
	point.SetCoreHandler(p)
	point.SetLocalAuthListHandler(p)
	connect(t, s, point)
	newer := newCards(map[string]string{
		"LocalAuthListCtrlr/Enabled": "true", "LocalAuthListCtrlr/ItemsPerMessage": "10", "LocalAuthListCtrlr/BytesPerMessage": "10000",
		"AuthCtrlr/LocalAuthorizeOffline": "false", "AuthCtrlr/OfflineTxForUnknownIdEnabled": "true", "AuthCacheCtrlr/Enabled": "true",
	})
	station := ocpp201.NewChargingStation("NEW", nil, ws.NewClient())
	q := &listed201{cards: newer}
	station.SetProvisioningHandler(q)
	station.SetLocalAuthListHandler(q)
	connect(t, s, station)

	until := " until " + end.Format(time.RFC3339)
	settled := func(c *cards, id, want string) {
		t.Helper()
		for range 3 { // some ten messages, each within the second of a round
			for range 100 {
				if x, ok := listOf(t, s, id); ok && x.State == "current" && c.String() == want {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		}
		x, _ := listOf(t, s, id)
		t.Fatalf("%s has %q, and not %q; %v; %+v", id, c, want, c.said(), x)
	}
	settled(old, "OLD", "ENDS-3 Accepted"+until+", LOST-1 Accepted, STAYS-2 Accepted")
	settled(newer, "NEW", "ENDS-3 ISO14443 Accepted"+until+", LONGER-THAN-A-TAG-OF-1.6 Central Accepted, LOST-1 ISO14443 Accepted, STAYS-2 ISO14443 Accepted")
	for c, want := range map[*cards]map[string]string{
		old:   {"LocalAuthListEnabled": "true", "AllowOfflineTxForUnknownId": "false", "AuthorizationCacheEnabled": "false"},
		newer: {"AuthCtrlr/LocalAuthorizeOffline": "true", "AuthCtrlr/OfflineTxForUnknownIdEnabled": "false", "AuthCacheCtrlr/Enabled": "false"},
	} {
		for name, value := range want {
			if got := c.setting(name); got != value {
				t.Errorf("%s is %q", name, got)
			}
		}
	}
	if got := old.said(); !slices.Equal(got, []string{"Full 2+0", "Differential 1+0"}) {
		t.Errorf("in messages of two: %v", got)
	}
	if x, _ := listOf(t, s, "OLD"); x.Permitted != 4 || x.Entries != 3 || x.Capacity != 100 || len(x.Left) != 1 || x.Left[0].Why != "long" {
		t.Errorf("what is said of it: %+v", x)
	}

	if _, _, err := s.Store.LoseCredential(t.Context(), store.System, lost.ID, ""); err != nil {
		t.Fatal(err)
	}
	settled(old, "OLD", "ENDS-3 Accepted"+until+", STAYS-2 Accepted")
	settled(newer, "NEW", "ENDS-3 ISO14443 Accepted"+until+", LONGER-THAN-A-TAG-OF-1.6 Central Accepted, STAYS-2 ISO14443 Accepted")
	if got := old.said(); got[len(got)-1] != "Differential 0+1" {
		t.Errorf("a lost card: %v", got)
	}

	// Somebody else writes the list: that is a finding, and it is set back.
	old.update("Full", 99, map[string]string{"THIEF": "Accepted"}, nil)
	askAPI(t, s, http.MethodPost, "/stations/OLD/local-list/send", http.StatusAccepted, nil)
	settled(old, "OLD", "ENDS-3 Accepted"+until+", STAYS-2 Accepted")
	if old.now() <= 99 {
		t.Errorf("version %d", old.now())
	}

	// No values of tokens are recorded.
	commands, _, err := s.Journal.Commands(t.Context(), journal.CommandQuery{Station: "OLD", Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := json.Marshal(commands); err != nil || strings.Contains(string(b), "STAYS-2") || !strings.Contains(string(b), store.TokenRefPrefix) {
		t.Errorf("recorded: %s %v", b, err)
	}

	// Lists are no longer wanted: they are emptied, and settings are what they were.
	if _, err := s.Store.UpdateSite(t.Context(), store.System, "site", func(x *store.Site) { x.StationLists = false }); err != nil {
		t.Fatal(err)
	}
	servertest.Eventually(t, "the settings as they were", func() bool {
		_, kept := listOf(t, s, "OLD")
		return !kept && old.String() == "" && old.setting("AllowOfflineTxForUnknownId") == "true" && old.setting("AuthorizationCacheEnabled") == "true"
	})
}
