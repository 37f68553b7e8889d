package stage

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// desk is the API of the server that a site is set up with.
type desk struct {
	base, token string
	client      *http.Client
}

// answerMost bounds what is read of an answer.
const answerMost = 4 << 20

// refusal is an answer that is none of success.
type refusal struct {
	status int
	said   string
}

func (r *refusal) Error() string { return fmt.Sprintf("the server says %d: %s", r.status, r.said) }

func newDesk(base, token string) *desk {
	return &desk{base: strings.TrimRight(base, "/") + "/api/v1", token: token, client: &http.Client{Timeout: 30 * time.Second}}
}

// ask sends a body and reads the answer into another; either may be nil.
func (d *desk) ask(ctx context.Context, method, path string, body, into any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
	return d.send(ctx, method, path, text, "Authorization", "Bearer "+d.token, into)
}

// sign sends a body that is signed, as a webhook does.
func (d *desk) sign(ctx context.Context, path, secret string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("sign for %s: %w", path, err)
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	sum := hmac.New(sha256.New, []byte(secret))
	sum.Write([]byte(at + "."))
	sum.Write(text)
	return d.send(ctx, http.MethodPost, path, text, "X-Chargewatch-Signature", "t="+at+",v1="+hex.EncodeToString(sum.Sum(nil)), nil)
}

func (d *desk) send(ctx context.Context, method, path string, text []byte, field, value string, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, d.base+path, bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header.Set(field, value)
	if len(text) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, answerMost))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %w", method, path, &refusal{resp.StatusCode, string(b[:min(len(b), 400)])})
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	return nil
}

// gone removes something, unless it is gone already.
func (d *desk) gone(ctx context.Context, path string) error {
	err := d.ask(ctx, http.MethodDelete, path, nil, nil)
	if r, ok := errors.AsType[*refusal](err); ok && r.status == http.StatusNotFound {
		return nil
	}
	return err
}

// until asks again and again until something is so.
func (d *desk) until(ctx context.Context, path, field, want string) error {
	last := ""
	for ctx.Err() == nil {
		var answer map[string]any
		if err := d.ask(ctx, http.MethodGet, path, nil, &answer); err != nil {
			return err
		}
		if last = fmt.Sprint(answer[field]); last == want {
			return nil
		}
		if pause(ctx, 250*time.Millisecond) != nil {
			break
		}
	}
	return fmt.Errorf("%s: %s is %s and not %s: %w", path, field, last, want, context.Cause(ctx))
}
