package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/outward"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Webhook posts each notice as JSON, signed with a shared secret.
func Webhook() Kind {
	return Kind{
		Spec: Spec{Type: "webhook", Together: 1, Fields: []Field{
			{Name: "url", Form: URL, Required: true},
			{Name: "secret", Form: Text, Required: true, Secret: true, Doc: "signs each message: HMAC-SHA256 of timestamp, a dot and the body"},
			{Name: "authorization", Form: Text, Secret: true, Doc: "sent as the header Authorization"},
			authority(),
		}},
		Make: func(c store.Channel, t Tools) (Channel, error) {
			x := settings{&c}
			conf, err := trust(x.text("caCertificate"), "")
			if err != nil {
				return nil, &store.InvalidError{Field: "settings.caCertificate", Reason: err.Error()}
			}
			if len(x.secret("secret")) < 16 {
				return nil, &store.InvalidError{Field: "secrets.secret", Reason: "at least 16 characters"}
			}
			return &webhook{client: t.Reach.Client(conf), url: x.text("url"), secret: []byte(x.secret("secret")), auth: x.secret("authorization"), now: t.Now}, nil
		},
	}
}

type webhook struct {
	client *http.Client
	url    string
	secret []byte
	auth   string
	now    func() time.Time
}

// hook is the body of a webhook.
type hook struct {
	Version        int             `json:"version"`
	IdempotencyKey string          `json:"idempotencyKey"`
	Test           bool            `json:"test,omitempty"`
	Notice         incident.Notice `json:"notice"`
	Page           string          `json:"page,omitempty"`
	Acknowledge    string          `json:"acknowledge,omitempty"`
}

func (w *webhook) Send(ctx context.Context, m Message) error {
	for i := range m.Items {
		item := &m.Items[i]
		body, err := json.Marshal(hook{Version: 1, IdempotencyKey: item.Key, Test: m.Test, Notice: item.Notice, Page: item.Page, Acknowledge: item.Acknowledge})
		if err != nil {
			return fmt.Errorf("encode the message: %w", err)
		}
		h := http.Header{outward.SignatureHeader: {outward.Sign(w.secret, w.now(), body)}, "Idempotency-Key": {item.Key}}
		if w.auth != "" {
			h.Set("Authorization", w.auth)
		}
		if _, err := post(ctx, w.client, http.MethodPost, w.url, "application/json", body, h); err != nil {
			return err
		}
	}
	return nil
}
