package plug

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/chargewatch/chargewatch/internal/event"
)

// terms are what a station says of its list, in the words of its version.
type terms struct {
	modern bool
	none   bool // it keeps no lists
	room   int  // for how many; 0: it does not say
	items  int  // in one message
	bytes  int
}

// What is sent at once to a station that does not say how much it takes.
const (
	usualItems = 100
	usualBytes = 48 << 10 // below the smallest limits of frames that are common
	entryBytes = 160      // of an entry without what is sent along
)

// MaxLimit is where the limit of a variable is found among settings, behind its name.
const MaxLimit = ";MaxLimit"

func termsOf(a *Agreed, modern bool) terms {
	t := terms{modern: modern, items: usualItems, bytes: usualBytes}
	number := func(key string) int {
		n, err := strconv.Atoi(a.Settings[key])
		if err != nil || n < 0 {
			return 0
		}
		return n
	}
	if modern {
		known := slices.ContainsFunc(slices.Collect(maps.Keys(a.Settings)), func(k string) bool { return strings.HasPrefix(k, listComponent+"/") })
		t.none = !known
		t.room = number(listComponent + "/Entries" + MaxLimit)
		t.items = max(1, orElse(number(listComponent+"/ItemsPerMessage"), t.items))
		t.bytes = min(t.bytes, orElse(number(listComponent+"/BytesPerMessage"), t.bytes))
		return t
	}
	t.room = number("LocalAuthListMaxLength")
	t.items = max(1, orElse(number("SendLocalListMaxLength"), t.items))
	if features, known := a.Settings["SupportedFeatureProfiles"]; known {
		t.none = t.room == 0 && !slices.ContainsFunc(strings.Split(features, ","), func(f string) bool {
			return strings.EqualFold(strings.TrimSpace(f), "LocalAuthListManagement")
		})
	}
	return t
}

func orElse(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

const listComponent = "LocalAuthListCtrlr"

// setting is one by which a station decides alone.
type setting struct{ name, want string }

// wanted are the settings with which a station serves those on its list and nobody
// else: not those it does not know, and not those it served once.
func (t terms) wanted() []setting {
	if t.modern {
		return []setting{
			{listComponent + "/Enabled", "true"}, {"AuthCtrlr/LocalAuthorizeOffline", "true"},
			{"AuthCtrlr/OfflineTxForUnknownIdEnabled", "false"}, {"AuthCacheCtrlr/Enabled", "false"},
		}
	}
	return []setting{
		{"LocalAuthListEnabled", "true"}, {"LocalAuthorizeOffline", "true"}, {"AllowOfflineTxForUnknownId", "false"}, {"AuthorizationCacheEnabled", "false"},
	}
}

// ask is the command that asks for settings, question its payload.
func (t terms) ask() string {
	if t.modern {
		return "GetVariables"
	}
	return "GetConfiguration"
}

type named struct {
	Name string `json:"name"`
}

type asked2 struct {
	Value     string `json:"attributeValue,omitempty"`
	Component named  `json:"component"`
	Variable  named  `json:"variable"`
}

func ask2(key, value string) asked2 {
	component, variable, _ := strings.Cut(key, "/")
	return asked2{value, named{component}, named{variable}}
}

func (t terms) question() any {
	var keys []string
	for _, x := range t.wanted() {
		keys = append(keys, x.name)
	}
	if !t.modern {
		return struct {
			Keys []string `json:"key"`
		}{append(keys, "SupportedFeatureProfiles", "LocalAuthListMaxLength", "SendLocalListMaxLength")}
	}
	var data []asked2
	for _, k := range append(keys, listComponent+"/Entries", listComponent+"/ItemsPerMessage", listComponent+"/BytesPerMessage") {
		data = append(data, ask2(k, ""))
	}
	return struct {
		Data []asked2 `json:"getVariableData"`
	}{data}
}

// limits is the payload that asks what there is room for: OCPP 2.x tells it in reports
// only.
func (t terms) limits(request int) any {
	type wanted struct {
		Component named `json:"component"`
		Variable  named `json:"variable"`
	}
	return struct {
		Request int      `json:"requestId"`
		Wanted  []wanted `json:"componentVariable"`
	}{request, []wanted{{named{listComponent}, named{"Entries"}}}}
}

// change is settings that are to be another.
type change struct {
	modern bool
	keys   []setting
}

// change is what of the settings is to be changed: none that the station does not
// have, or refused to change.
func (t terms) change(want []setting, is, refused map[string]string) *change {
	c := &change{modern: t.modern}
	for _, x := range want {
		have, known := is[x.name]
		if _, no := refused[x.name]; known && !no && !strings.EqualFold(have, x.want) && (t.modern || len(c.keys) == 0) {
			c.keys = append(c.keys, x)
		}
	}
	if len(c.keys) == 0 {
		return nil
	}
	return c
}

// before are the settings as they were.
func before(was map[string]string) []setting {
	var out []setting
	for _, k := range slices.Sorted(maps.Keys(was)) {
		out = append(out, setting{k, was[k]})
	}
	return out
}

func (c *change) wish() *wish {
	w := &wish{action: "ChangeConfiguration", keys: c.keys}
	if !c.modern {
		w.payload = struct {
			Key   string `json:"key"`
			Value string `json:"value"`
		}{c.keys[0].name, c.keys[0].want}
		return w
	}
	var data []asked2
	for _, k := range c.keys {
		data = append(data, ask2(k.name, k.want))
	}
	w.action, w.payload = "SetVariables", struct {
		Data []asked2 `json:"setVariableData"`
	}{data}
	return w
}

// send is the next message that brings a station's list to what it is to be. All of it
// is sent anew where that is asked for or shorter; what does not fit into a message
// follows as differences.
func (t terms) send(a *Agreed, want *list, anew bool) *wish {
	var gone, put []string
	for id := range a.Entries {
		if _, ok := want.entries[id]; !ok {
			gone = append(gone, id)
		}
	}
	for id, info := range want.entries {
		if a.Entries[id] != info {
			put = append(put, id)
		}
	}
	slices.Sort(gone)
	slices.Sort(put)
	w := &wish{action: "SendLocalList", urgent: len(gone) > 0, version: a.Version + 1}
	if a.Reported != nil {
		w.version = max(w.version, *a.Reported+1)
	}
	kind := "Differential"
	if anew || len(gone)+len(put) > len(want.entries) && len(want.entries) <= t.items {
		kind, gone, put = "Full", nil, slices.Sorted(maps.Keys(want.entries))
	}
	left := t.bytes
	fits := func(ids []string) []string {
		n := 0
		for n < len(ids) && n < t.items && left > 0 {
			left -= entryBytes + len(want.entries[ids[n]])
			n++
		}
		return ids[:n]
	}
	gone = fits(gone)
	put = fits(put[:min(len(put), t.items-len(gone))])
	w.size = len(put)
	if kind != "Full" {
		w.size = len(a.Entries) - len(gone) + len(put)
	}
	w.payload = t.message(w.version, kind, a, want, gone, put)
	return w
}

func (t terms) message(version int, kind string, a *Agreed, want *list, gone, put []string) any {
	if t.modern {
		type entry struct {
			Token token2          `json:"idToken"`
			Info  json.RawMessage `json:"idTokenInfo,omitempty"`
		}
		var entries []entry
		for _, id := range gone {
			entries = append(entries, entry{Token: token2{reference(id), kindOr(a.Types[id])}})
		}
		for _, id := range put {
			entries = append(entries, entry{token2{reference(id), kindOr(want.types[id])}, json.RawMessage(want.entries[id])})
		}
		return struct {
			Version int     `json:"versionNumber"`
			Kind    string  `json:"updateType"`
			List    []entry `json:"localAuthorizationList,omitempty"`
		}{version, kind, entries}
	}
	type entry struct {
		Tag  string          `json:"idTag"`
		Info json.RawMessage `json:"idTagInfo,omitempty"`
	}
	var entries []entry
	for _, id := range gone {
		entries = append(entries, entry{Tag: reference(id)})
	}
	for _, id := range put {
		entries = append(entries, entry{reference(id), json.RawMessage(want.entries[id])})
	}
	return struct {
		Version int     `json:"listVersion"`
		Kind    string  `json:"updateType"`
		List    []entry `json:"localAuthorizationList,omitempty"`
	}{version, kind, entries}
}

// kindOr is the type of a token; one that only OCPP 1.6 showed is a card.
func kindOr(typ string) string {
	if typ == "" {
		return "ISO14443"
	}
	return typ
}

// answer is what a station says to one of our commands.
type answer struct {
	Status   string `json:"status"`
	Version1 *int   `json:"listVersion"`
	Version2 *int   `json:"versionNumber"`
	Set      []struct {
		Status    string `json:"attributeStatus"`
		Component named  `json:"component"`
		Variable  named  `json:"variable"`
	} `json:"setVariableResult"`
}

func answerOf(b *event.CommandResult) answer {
	var out answer
	if len(b.Response) > 0 && json.Unmarshal(b.Response, &out) != nil {
		return answer{} // a station may answer anything
	}
	return out
}

func (a *answer) version() *int {
	if a.Version1 != nil {
		return a.Version1
	}
	return a.Version2
}

// settings is what the station says to each change of some settings.
func (a *answer) settings(keys []setting) map[string]string {
	out := make(map[string]string)
	if a.Status != "" && len(keys) == 1 {
		out[keys[0].name] = a.Status
	}
	for _, x := range a.Set {
		out[x.Component.Name+"/"+x.Variable.Name] = x.Status
	}
	return out
}
