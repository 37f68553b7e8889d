package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/chargewatch/chargewatch/internal/store"
)

// Slack posts through an incoming webhook.
func Slack() Kind {
	return Kind{
		Spec: Spec{Type: "slack", Together: 20, Needs: "internet and TLS", Fields: []Field{
			{Name: "url", Form: URL, Choices: []string{"https", "http"}, Required: true, Secret: true, Doc: "address of the incoming webhook"},
			language(),
			pictures(picturesNone, picturesLinked), // a webhook takes no files
			authority(),
		}},
		Make: func(c store.Channel, t Tools) (Channel, error) {
			client, err := chatClient(&c, t)
			return &slack{client: client, url: c.Secrets["url"]}, err
		},
	}
}

// chatClient is the HTTP client of a chat, with the operator's own authority.
func chatClient(c *store.Channel, t Tools) (*http.Client, error) {
	conf, err := trust(settings{c}.text("caCertificate"), "")
	if err != nil {
		return nil, &store.InvalidError{Field: "settings.caCertificate", Reason: err.Error()}
	}
	return t.Reach.Client(conf), nil
}

type slack struct {
	client *http.Client
	url    string
}

// slackText keeps text from being read as markup: Slack knows three characters
// that matter.
func slackText(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

func (s *slack) Send(ctx context.Context, m Message) error {
	type part map[string]any
	var blocks []part
	for k := range m.Items {
		i := &m.Items[k]
		blocks = append(blocks, part{"type": "header", "text": part{"type": "plain_text", "text": cut(i.headline(), 140)}})
		text := lines(i.body())
		for _, f := range i.facts() {
			text += "\n" + f[0] + ": " + f[1]
		}
		// plain_text shows what stations say as it is, asterisks included.
		blocks = append(blocks, part{"type": "section", "text": part{"type": "plain_text", "text": cut(strings.TrimSpace(text), 2900)}})
		var buttons []part
		if i.Acknowledge != "" {
			buttons = append(buttons, part{"type": "button", "text": part{"type": "plain_text", "text": i.Say("Acknowledge")}, "url": i.Acknowledge})
		}
		if i.Page != "" {
			buttons = append(buttons, part{"type": "button", "text": part{"type": "plain_text", "text": i.Say("Open")}, "url": i.Page})
		}
		if i.Pictures != "" {
			buttons = append(buttons, part{"type": "button", "text": part{"type": "plain_text", "text": i.Say("Pictures (sign in)")}, "url": i.Pictures})
		}
		if len(buttons) > 0 && len(m.Items) <= 12 { // a message holds 50 blocks
			blocks = append(blocks, part{"type": "actions", "elements": buttons})
		}
	}
	_, err := postJSON(ctx, s.client, s.url, part{"text": slackText(m.title()), "blocks": blocks}, http.Header{"Idempotency-Key": {m.Key}})
	return err
}

// Teams posts an adaptive card through the webhook of a workflow.
func Teams() Kind {
	return Kind{
		Spec: Spec{Type: "teams", Together: 10, Needs: "internet and TLS", Fields: []Field{
			{Name: "url", Form: URL, Required: true, Secret: true, Doc: "address of a workflow that begins with a webhook request"},
			language(),
			authority(),
		}},
		Make: func(c store.Channel, t Tools) (Channel, error) {
			client, err := chatClient(&c, t)
			return &teams{client: client, url: c.Secrets["url"]}, err
		},
	}
}

type teams struct {
	client *http.Client
	url    string
}

// cardText keeps text from being read as the markup of a card.
func cardText(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "#", `\#`, "`", "\\`", "~", `\~`).Replace(text)
}

func (s *teams) Send(ctx context.Context, m Message) error {
	type part map[string]any
	var body, actions []part
	for k := range m.Items {
		i := &m.Items[k]
		colour := "Default"
		switch {
		case i.Ends():
			colour = "Good"
		case i.Severity == "S1" || i.Severity == "S2":
			colour = "Attention"
		case i.Severity == "S3":
			colour = "Warning"
		}
		body = append(body, part{"type": "TextBlock", "size": "Medium", "weight": "Bolder", "wrap": true, "color": colour, "text": cardText(cut(i.headline(), 300))})
		if text := i.body(); text != "" {
			body = append(body, part{"type": "TextBlock", "wrap": true, "text": cardText(cut(lines(text), 1500))})
		}
		var facts []part
		for _, f := range i.facts() {
			facts = append(facts, part{"title": f[0], "value": cardText(f[1])})
		}
		body = append(body, part{"type": "FactSet", "facts": facts})
		if len(m.Items) == 1 && i.Acknowledge != "" {
			actions = append(actions, part{"type": "Action.OpenUrl", "title": i.Say("Acknowledge"), "url": i.Acknowledge})
		}
		if len(m.Items) == 1 && i.Page != "" {
			actions = append(actions, part{"type": "Action.OpenUrl", "title": i.Say("Open"), "url": i.Page})
		}
	}
	card := part{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body}
	if len(actions) > 0 {
		card["actions"] = actions
	}
	_, err := postJSON(ctx, s.client, s.url, part{"type": "message", "attachments": []part{
		{"contentType": "application/vnd.microsoft.card.adaptive", "content": card},
	}}, http.Header{"Idempotency-Key": {m.Key}})
	return err
}

// Telegram sends as a bot to a chat.
func Telegram() Kind {
	return Kind{
		Spec: Spec{Type: "telegram", Together: 10, Needs: "internet and TLS", Fields: []Field{
			{Name: "chatId", Form: Text, Required: true, Doc: "number of the chat, or @name of a channel"},
			{Name: "token", Form: Text, Required: true, Secret: true, Doc: "of the bot"},
			{Name: "url", Form: URL, Default: "https://api.telegram.org"},
			language(),
			pictures(picturesNone, picturesLinked, picturesAttached),
			authority(),
		}},
		Make: func(c store.Channel, t Tools) (Channel, error) {
			x := settings{&c}
			if strings.ContainsAny(x.secret("token"), "/?#% ") {
				return nil, &store.InvalidError{Field: "secrets.token", Reason: "not the token of a bot"}
			}
			client, err := chatClient(&c, t)
			return &telegram{client: client, url: strings.TrimRight(x.text("url"), "/") + "/bot" + x.secret("token"), chat: x.text("chatId")}, err
		},
	}
}

type telegram struct {
	client    *http.Client
	url, chat string
}

func (s *telegram) Send(ctx context.Context, m Message) error {
	// Without parse_mode text stays text.
	body := map[string]any{
		"chat_id": s.chat, "text": cut(m.plain(), 4000), "disable_notification": m.worst() > "S2" || m.over(),
		"link_preview_options": map[string]any{"is_disabled": true},
	}
	if len(m.Items) == 1 {
		var row []map[string]string
		if to := m.Items[0].Acknowledge; to != "" {
			row = append(row, map[string]string{"text": m.Items[0].Say("Acknowledge"), "url": to})
		}
		if to := m.Items[0].Page; to != "" {
			row = append(row, map[string]string{"text": m.Items[0].Say("Open"), "url": to})
		}
		if len(row) > 0 {
			body["reply_markup"] = map[string]any{"inline_keyboard": []any{row}}
		}
	}
	if p := m.picture(); p != nil {
		fields := map[string]string{"chat_id": s.chat, "caption": cut(m.plain(), 1000), "disable_notification": strconv.FormatBool(body["disable_notification"] == true)}
		if keys, ok := body["reply_markup"]; ok {
			text, err := json.Marshal(keys)
			if err != nil {
				return fmt.Errorf("encode the message: %w", err)
			}
			fields["reply_markup"] = string(text)
		}
		return postPhoto(ctx, s.client, s.url+"/sendPhoto", fields, p)
	}
	_, err := postJSON(ctx, s.client, s.url+"/sendMessage", body, nil)
	return err
}

// Ntfy publishes to a topic of ntfy, a public server or one's own.
func Ntfy() Kind {
	return Kind{
		Spec: Spec{Type: "ntfy", Together: 10, Fields: []Field{
			{Name: "url", Form: URL, Default: "https://ntfy.sh"},
			{Name: "topic", Form: Text, Required: true},
			{Name: "token", Form: Text, Secret: true},
			language(),
			pictures(picturesNone, picturesLinked, picturesAttached),
			authority(),
		}},
		Make: func(c store.Channel, t Tools) (Channel, error) {
			x := settings{&c}
			if strings.ContainsFunc(x.text("topic"), func(r rune) bool {
				return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
			}) || len(x.text("topic")) > 64 {
				return nil, &store.InvalidError{Field: "settings.topic", Reason: "1 to 64 letters, digits, - and _"}
			}
			client, err := chatClient(&c, t)
			return &ntfy{client: client, url: x.text("url"), topic: x.text("topic"), token: x.secret("token")}, err
		},
	}
}

type ntfy struct {
	client            *http.Client
	url, topic, token string
}

func (s *ntfy) Send(ctx context.Context, m Message) error {
	priority := map[string]int{"S1": 5, "S2": 4, "S3": 3, "S4": 2}[m.worst()]
	if m.over() {
		priority = 2
	}
	body := map[string]any{"topic": s.topic, "title": cut(m.title(), 240), "message": cut(m.plain(), 3800), "priority": priority, "tags": []string{m.worst()}}
	if len(m.Items) == 1 {
		if to := m.Items[0].Page; to != "" {
			body["click"] = to
		}
		// Opens a page, like every link: only its button acknowledges.
		if to := m.Items[0].Acknowledge; to != "" {
			body["actions"] = []map[string]any{{"action": "view", "label": m.Items[0].Say("Acknowledge"), "url": to}}
		}
	}
	h := http.Header{}
	if s.token != "" {
		h.Set("Authorization", "Bearer "+s.token)
	}
	if p := m.picture(); p != nil {
		// The body is the picture, and what is said of it stands in the address.
		q := url.Values{"title": {cut(m.title(), 240)}, "message": {cut(m.plain(), 1500)}, "priority": {strconv.Itoa(priority)}, "tags": {m.worst()}, "filename": {p.name()}}
		if to, ok := body["click"].(string); ok {
			q.Set("click", to)
		}
		if actions, ok := body["actions"]; ok {
			text, err := json.Marshal(actions)
			if err != nil {
				return fmt.Errorf("encode the message: %w", err)
			}
			q.Set("actions", string(text))
		}
		_, err := post(ctx, s.client, http.MethodPut, strings.TrimRight(s.url, "/")+"/"+s.topic+"?"+q.Encode(), "image/jpeg", p.JPEG, h)
		return err
	}
	_, err := postJSON(ctx, s.client, s.url, body, h)
	return err
}
