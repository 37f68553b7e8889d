package setting

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/chargewatch/chargewatch/internal/provision"
)

// read reads an answer as far as it is one; a station may answer anything.
func read(response json.RawMessage, into any) bool {
	return len(response) > 0 && json.Unmarshal(response, into) == nil
}

// word is what a station says, short enough to be shown.
func word(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return -1
		}
		return r
	}, text)
	const most = 60
	if r := []rune(text); len(r) > most {
		return string(r[:most])
	}
	return text
}

// maxText is the longest value of OCPP 2.x.
const maxText = 2500

func clip(text *string) *string {
	if text == nil || len(*text) <= maxText {
		return text
	}
	short := strings.ToValidUTF8((*text)[:maxText], "")
	return &short
}

// askFor asks for settings in as many messages as the station needs. A word that it
// does not know is there without a value; one that it says nothing of is not there.
func (j *job) askFor(ctx context.Context, words []string) (map[string]*provision.Value, error) {
	out := make(map[string]*provision.Value)
	wanted := make(map[string]bool, len(words))
	for _, w := range words {
		wanted[strings.ToLower(w)] = true
	}
	put := func(w string, v *provision.Value) {
		if w = strings.ToLower(w); wanted[w] {
			out[w] = v
		}
	}
	for len(words) > 0 {
		n := min(len(words), j.items)
		understood, err := j.askSome(ctx, words[:n], put)
		if err != nil {
			return nil, err
		}
		if !understood && n > 1 {
			j.items = max(1, n/2)
			continue
		}
		words = words[n:]
	}
	if len(out) == 0 {
		j.rec.Problem = Unreadable
		return nil, stopped{Unreadable}
	}
	return out, nil
}

func (j *job) askSome(ctx context.Context, words []string, put func(string, *provision.Value)) (understood bool, err error) {
	if j.modern {
		return j.askVariables(ctx, words, put)
	}
	return j.askKeys(ctx, words, put)
}

func (j *job) askKeys(ctx context.Context, words []string, put func(string, *provision.Value)) (bool, error) {
	out, err := j.ask(ctx, "GetConfiguration", map[string][]string{"key": words})
	if err != nil || out.Status != "answered" {
		return false, err
	}
	var said struct {
		Known []struct {
			Key      string          `json:"key"`
			ReadOnly bool            `json:"readonly"`
			Value    json.RawMessage `json:"value"`
		} `json:"configurationKey"`
		Unknown []string `json:"unknownKey"`
	}
	if !read(out.Response, &said) {
		j.failing++
		return false, nil
	}
	for _, w := range said.Unknown {
		put(w, nil)
	}
	for _, k := range said.Known {
		put(k.Key, &provision.Value{Text: clip(text(k.Value)), ReadOnly: k.ReadOnly})
	}
	return true, nil
}

// text reads a value, also one that is not written as text.
func text(raw json.RawMessage) *string {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return &s
	}
	s = string(raw)
	if s[0] == '{' || s[0] == '[' {
		return nil
	}
	return &s
}

type component struct {
	Name string `json:"name"`
}

type variable struct {
	Name     string `json:"name"`
	Instance string `json:"instance,omitempty"`
}

// attribute is one variable in a message of OCPP 2.x.
type attribute struct {
	Value     *string   `json:"attributeValue,omitempty"`
	Component component `json:"component"`
	Variable  variable  `json:"variable"`
}

func attributeOf(word string, value *string) attribute {
	c, rest, _ := strings.Cut(word, "/")
	v, instance, _ := strings.Cut(rest, "/")
	return attribute{value, component{c}, variable{v, instance}}
}

// result is what a station says of one variable.
type result struct {
	Status    string          `json:"attributeStatus"`
	Type      string          `json:"attributeType"`
	Value     json.RawMessage `json:"attributeValue"`
	Component struct {
		component
		Instance string          `json:"instance"`
		EVSE     json.RawMessage `json:"evse"`
	} `json:"component"`
	Variable variable `json:"variable"`
}

// word is what the result is of; empty: of something that was not asked for.
func (r *result) word() string {
	if r.Component.Instance != "" || len(r.Component.EVSE) > 0 || r.Type != "" && r.Type != "Actual" {
		return ""
	}
	w := r.Component.Name + "/" + r.Variable.Name
	if r.Variable.Instance != "" {
		w += "/" + r.Variable.Instance
	}
	return w
}

func (j *job) askVariables(ctx context.Context, words []string, put func(string, *provision.Value)) (bool, error) {
	asked := make([]attribute, len(words))
	for i, w := range words {
		asked[i] = attributeOf(w, nil)
	}
	out, err := j.ask(ctx, "GetVariables", map[string][]attribute{"getVariableData": asked})
	if err != nil || out.Status != "answered" {
		return false, err
	}
	var said struct {
		Results []result `json:"getVariableResult"`
	}
	if !read(out.Response, &said) {
		j.failing++
		return false, nil
	}
	for i := range said.Results {
		switch x := &said.Results[i]; x.Status {
		case "Accepted":
			put(x.word(), &provision.Value{Text: clip(text(x.Value))})
		case "UnknownComponent", "UnknownVariable", "NotSupportedAttributeType":
			put(x.word(), nil)
		case "Rejected": // it is there, and only written
			put(x.word(), &provision.Value{})
		}
	}
	return true, nil
}

// given is a value that a station is given.
type given struct{ word, value string }

// giveValues gives values, and returns what the station said to each. One that it says
// nothing of has an empty word.
func (j *job) giveValues(ctx context.Context, list []given) ([]string, error) {
	answers := make([]string, len(list))
	if !j.modern {
		for i, x := range list {
			out, err := j.ask(ctx, "ChangeConfiguration", map[string]string{"key": x.word, "value": x.value})
			if err != nil {
				return nil, err
			}
			var said struct {
				Status string `json:"status"`
			}
			if answers[i] = word(out.ErrorCode); out.Status == "answered" && read(out.Response, &said) {
				answers[i] = word(said.Status)
			}
		}
		return answers, nil
	}
	asked := make([]attribute, len(list))
	for i, x := range list {
		asked[i] = attributeOf(x.word, &x.value)
	}
	out, err := j.ask(ctx, "SetVariables", map[string][]attribute{"setVariableData": asked})
	if err != nil {
		return nil, err
	}
	if out.Status != "answered" && len(list) > 1 { // perhaps too many at once
		j.items = max(1, len(list)/2)
		for at := 0; at < len(list); at += j.items {
			end := min(at+j.items, len(list))
			some, err := j.giveValues(ctx, list[at:end])
			if err != nil {
				return nil, err
			}
			copy(answers[at:end], some)
		}
		return answers, nil
	}
	var said struct {
		Results []result `json:"setVariableResult"`
	}
	if out.Status != "answered" || !read(out.Response, &said) {
		for i := range answers {
			answers[i] = word(out.ErrorCode)
		}
		return answers, nil
	}
	for i := range said.Results {
		for k, x := range list {
			if strings.EqualFold(x.word, said.Results[i].word()) {
				answers[k] = word(said.Results[i].Status)
			}
		}
	}
	return answers, nil
}
