package output

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/chargewatch/chargewatch/internal/outward"
	"github.com/chargewatch/chargewatch/internal/store"
)

// The errors that callers tell apart.
var (
	// ErrUnreachable is returned when nothing arrived at the device.
	ErrUnreachable = errors.New("the device is not reached")
	// ErrNoAnswer is returned when something may have arrived.
	ErrNoAnswer = errors.New("the device does not answer; it may have done it")
	// ErrRefused is returned when the device said no.
	ErrRefused = errors.New("the device refuses")
	// ErrTooLong is returned for more time than the output may be on.
	ErrTooLong = errors.New("it may not be on for so long")
	// ErrNobody is returned when the one who asked answers, or somebody of whom it is
	// not known who it is.
	ErrNobody = errors.New("somebody else has to agree")
	// ErrOver is returned for a request that is not open any more.
	ErrOver = errors.New("the request is over")
	// ErrPhrase is returned for an announcement that the speaker does not have.
	ErrPhrase = errors.New("there is no such announcement")
)

// order is one thing that a device is to do.
type order struct {
	id       string // the same for each try
	on       bool
	seconds  int // after which it goes off by itself, if it can
	test     bool
	incident string
	phrase   *store.Phrase
}

// driver tells a device what to do and waits until it says that it did.
type driver interface {
	send(ctx context.Context, o *store.Output, secret string, x order) error
}

// webhook posts to whatever drives the device, signed with its secret.
type webhook struct {
	client *http.Client
	now    func() time.Time
}

// hook is the body of a webhook.
type hook struct {
	Version  int        `json:"version"`
	ID       string     `json:"id"`
	Output   hookOutput `json:"output"`
	On       bool       `json:"on"`
	Seconds  int        `json:"seconds,omitempty"`
	Test     bool       `json:"test,omitempty"`
	Incident string     `json:"incident,omitempty"`
	// Announcement is the key of what a speaker is to say.
	Announcement string `json:"announcement,omitempty"`
	Text         string `json:"text,omitempty"`
	Language     string `json:"language,omitempty"`
}

type hookOutput struct {
	ID    string           `json:"id"`
	Label string           `json:"label"`
	Kind  store.OutputKind `json:"kind"`
	Site  string           `json:"site"`
}

func (w *webhook) send(ctx context.Context, o *store.Output, secret string, x order) error {
	h := hook{
		Version: 1, ID: x.id, On: x.on, Seconds: x.seconds, Test: x.test, Incident: x.incident,
		Output: hookOutput{ID: o.ID, Label: o.Label, Kind: o.Kind, Site: o.SiteID},
	}
	if x.phrase != nil {
		h.Announcement, h.Text, h.Language = x.phrase.Key, x.phrase.Text, x.phrase.Language
	}
	body, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("encode the message: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, o.Address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", x.id)
	r.Header.Set(outward.SignatureHeader, outward.Sign([]byte(secret), w.now(), body))
	resp, err := w.client.Do(r)
	if err != nil {
		return unanswered(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)); err != nil {
		return fmt.Errorf("read its answer: %w: %w", ErrNoAnswer, err)
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%w with status %d", ErrRefused, resp.StatusCode)
	}
	return nil
}

// maxAnswer is what is read of an answer; nothing in it is used.
const maxAnswer = 64 << 10

// unanswered tells what never left from what may have arrived.
func unanswered(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" || errors.Is(err, outward.ErrDenied) {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("%w: %w", ErrUnreachable, dns)
	}
	return fmt.Errorf("%w: %w", ErrNoAnswer, err)
}

// code names an error for events and screens.
func code(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, outward.ErrDenied):
		return "denied"
	case errors.Is(err, ErrUnreachable):
		return "unreachable"
	case errors.Is(err, ErrNoAnswer):
		return "noAnswer"
	case errors.Is(err, ErrRefused):
		return "refused"
	}
	return "failed"
}
