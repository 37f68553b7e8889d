package plug

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/access"
)

func TestWhomAFullStationServes(t *testing.T) {
	all := func() (out []access.Plug) {
		for i := range 12 {
			id := fmt.Sprintf("%02d", i)
			out = append(out, access.Plug{Credential: &access.Credential{ID: "c" + id, TokenID: "t" + id}, Named: i == 10 || i == 11})
		}
		return out
	}
	tests := map[string]struct {
		seen []string
		room int
		want string
	}{
		"staff, and whoever comes first where nobody charged": {nil, 4, "c10 c11 c00 c01"},
		"who charged there, the newest first, beside staff":   {[]string{"t07", "t03", "t07", "t05", "t01"}, 4, "c07 c03 c05 c10"},
		"who charged there and has no right any more":         {[]string{"gone", "t03"}, 4, "c03 c10 c11 c00"},
		"room for one": {[]string{"t03"}, 1, "c03"},
		"room for all": {nil, 20, "c10 c11 c00 c01 c02 c03 c04 c05 c06 c07 c08 c09"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, x := range needed(all(), tc.seen, tc.room) {
				got = append(got, x.Credential.ID)
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestTheNextMessage(t *testing.T) {
	entries := func(n int) map[string]string {
		out := make(map[string]string)
		for i := range n {
			out[fmt.Sprintf("t%02d", i)] = `{"status":"Accepted"}`
		}
		return out
	}
	tests := map[string]struct {
		has, want map[string]string
		anew      bool
		items     int
		reported  int
		kind      string
		gone, put int
		version   int
		urgent    bool
	}{
		"a first list":                               {nil, entries(3), true, 10, 0, "Full", 0, 3, 5, false},
		"a first list that needs more than one":      {nil, entries(30), true, 10, 0, "Full", 0, 10, 5, false},
		"what is left of it":                         {entries(10), entries(30), false, 10, 0, "Differential", 0, 10, 5, false},
		"one card less goes first":                   {entries(10), entries(9), false, 10, 0, "Differential", 1, 0, 5, true},
		"nobody any more, in one message":            {entries(10), nil, false, 10, 0, "Full", 0, 0, 5, true},
		"above the version that the station told of": {entries(2), entries(3), true, 10, 99, "Full", 0, 3, 100, false},
	}
	for name, tc := range tests {
		for _, modern := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " ", modern), func(t *testing.T) {
				a := &Agreed{Version: 4, Entries: tc.has}
				if tc.reported > 0 {
					a.Reported = &tc.reported
				}
				w := terms{modern: modern, items: tc.items, bytes: usualBytes}.send(a, &list{entries: tc.want}, tc.anew)
				b, err := json.Marshal(w.payload)
				if err != nil {
					t.Fatal(err)
				}
				var m struct {
					Version1 int    `json:"listVersion"`
					Version2 int    `json:"versionNumber"`
					Kind     string `json:"updateType"`
					List     []struct {
						Info1 json.RawMessage `json:"idTagInfo"`
						Info2 json.RawMessage `json:"idTokenInfo"`
					} `json:"localAuthorizationList"`
				}
				if err := json.Unmarshal(b, &m); err != nil {
					t.Fatal(err)
				}
				gone := 0
				for _, x := range m.List {
					if len(x.Info1)+len(x.Info2) == 0 {
						gone++
					}
				}
				if m.Kind != tc.kind || gone != tc.gone || len(m.List)-gone != tc.put || max(m.Version1, m.Version2) != tc.version || w.urgent != tc.urgent {
					t.Errorf("urgent %t: %s", w.urgent, b)
				}
			})
		}
	}
}

func TestSettingsOfAStation(t *testing.T) {
	for name, tc := range map[string]struct {
		modern   bool
		settings map[string]string
		none     bool
		room     int
		items    int
		change   []string
	}{
		"one that says nothing":              {false, nil, false, 0, usualItems, nil},
		"one without lists":                  {false, map[string]string{"SupportedFeatureProfiles": "Core, Reservation"}, true, 0, usualItems, nil},
		"one with lists, one key at a time":  {false, map[string]string{"SupportedFeatureProfiles": "Core, LocalAuthListManagement", "LocalAuthListMaxLength": "50", "SendLocalListMaxLength": "20", "LocalAuthListEnabled": "False", "AllowOfflineTxForUnknownId": "true"}, false, 50, 20, []string{"LocalAuthListEnabled"}},
		"one of 2.x without lists":           {true, map[string]string{"AuthCtrlr/LocalAuthorizeOffline": "true"}, true, 0, usualItems, nil},
		"one of 2.x, what is wrong together": {true, map[string]string{"LocalAuthListCtrlr/Enabled": "true", "LocalAuthListCtrlr/Entries;MaxLimit": "300", "AuthCtrlr/LocalAuthorizeOffline": "false", "AuthCacheCtrlr/Enabled": "true"}, false, 300, usualItems, []string{"AuthCtrlr/LocalAuthorizeOffline", "AuthCacheCtrlr/Enabled"}},
		"one with numbers that are none":     {false, map[string]string{"LocalAuthListMaxLength": "-5", "SendLocalListMaxLength": "many"}, false, 0, usualItems, nil},
	} {
		t.Run(name, func(t *testing.T) {
			x := termsOf(&Agreed{Settings: tc.settings}, tc.modern)
			var change []string
			if c := x.change(x.wanted(), tc.settings, nil); c != nil {
				for _, k := range c.keys {
					change = append(change, k.name)
				}
			}
			if x.none != tc.none || x.room != tc.room || x.items != tc.items || !slices.Equal(change, tc.change) {
				t.Errorf("%+v changes %v", x, change)
			}
		})
	}
}
