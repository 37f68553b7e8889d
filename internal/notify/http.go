package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Refused is the answer of another side that did not take a message.
type Refused struct {
	Reason string
	// Permanent: the same message would be refused again.
	Permanent bool
	// RetryAfter is how long the other side wants to be left alone.
	RetryAfter time.Duration
}

func (r *Refused) Error() string { return r.Reason }

// userAgent is how we name ourselves.
const userAgent = "Chargewatch"

// post sends a body and takes any answer of 200 to 299 as a receipt.
func post(ctx context.Context, client *http.Client, method, to, kind string, body []byte, header http.Header) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the address cannot be used") // the error would show it
	}
	for k, v := range header {
		r.Header[k] = v
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	r.Header.Set("User-Agent", userAgent)
	resp, err := client.Do(r)
	if err != nil {
		// Addresses carry secrets: only what went wrong may be said.
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return nil, fmt.Errorf("not reached: %w", err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10)) // what came is enough
	if resp.StatusCode/100 == 2 {
		return answer, nil
	}
	refused := &Refused{Reason: "answered " + strconv.Itoa(resp.StatusCode) + " " + http.StatusText(resp.StatusCode)}
	if text := line(string(answer)); text != "" && !strings.HasPrefix(text, "<") {
		refused.Reason += ": " + cut(text, 200)
	}
	switch resp.StatusCode {
	case http.StatusBadRequest, http.StatusGone, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		refused.Permanent = true
	}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
		refused.RetryAfter = time.Duration(min(s, 3600)) * time.Second
	}
	return nil, refused
}

// postJSON is post for what is encoded as JSON.
func postJSON(ctx context.Context, client *http.Client, to string, body any, header http.Header) ([]byte, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode the message: %w", err)
	}
	return post(ctx, client, http.MethodPost, to, "application/json", data, header)
}

// errPEM is returned for a certificate that is none.
var errPEM = errors.New("must be certificates in PEM form")

func pool(text string) (*x509.CertPool, error) {
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM([]byte(text)) {
		return nil, errPEM
	}
	return p, nil
}

// trust is a TLS configuration that believes an authority of the operator's own
// beside nobody else, or the system's if there is none.
func trust(pemText, host string) (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	if pemText == "" {
		return conf, nil
	}
	p, err := pool(pemText)
	if err != nil {
		return nil, err
	}
	conf.RootCAs = p
	return conf, nil
}

// authority is the setting for a private certificate authority.
func authority() Field {
	return Field{Name: "caCertificate", Form: PEM, Doc: "the authority that signed the other side's certificate, if it is your own"}
}
