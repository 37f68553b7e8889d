package onvif

import (
	"context"
	"crypto/rand"
	"crypto/sha1" // #nosec: the tokens of ONVIF are defined on it
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Errors of a device.
var (
	// ErrUnauthorized is returned if user name or password are wrong.
	ErrUnauthorized = errors.New("the camera does not let us in: user name or password are wrong")
	// ErrUnsupported is returned for what the device does not do.
	ErrUnsupported = errors.New("the camera does not support this")
	// ErrUnreachable is returned if nobody answers.
	ErrUnreachable = errors.New("nobody answers there")
	// ErrAddress is returned for an address that is none of a device.
	ErrAddress = errors.New("want http://HOST/PATH")
)

// FaultError is a device's own refusal.
type FaultError struct {
	Status  int
	Subcode string
	Reason  string
}

func (e *FaultError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("the camera refuses: status %d %s", e.Status, e.Subcode)
	}
	return fmt.Sprintf("the camera refuses: %s", e.Reason)
}

// Options configures a Client.
type Options struct {
	// Dial connects; it refuses what may not be reached.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Check says why an address that a device named may not be reached.
	Check func(ctx context.Context, address string) error
}

// Client talks to devices. It keeps no connection open between calls.
type Client struct {
	o    Options
	http *http.Client
}

// Bounds of a call.
const (
	callFor    = 10 * time.Second
	maxHeaders = 64 << 10
)

// New returns a client.
func New(o Options) *Client {
	return &Client{o, &http.Client{
		Transport: &http.Transport{
			DialContext: o.Dial, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeaders,
			TLSHandshakeTimeout: callFor,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Device is a camera's ONVIF address and who we are there.
type Device struct {
	URL                string // of the device service
	Username, Password string
}

// session is one device during one piece of work.
type session struct {
	c      *Client
	d      Device
	home   *url.URL
	offset time.Duration // of its clock

	mu        sync.Mutex
	challenge *challenge // of HTTP digest authentication, once it asked for it
}

// open finds the device and how wrong its clock is.
func (c *Client) open(ctx context.Context, d Device) (*session, error) {
	u, err := url.Parse(d.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return nil, fmt.Errorf("%q: %w", d.URL, ErrAddress)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/onvif/device_service"
	}
	s := &session{c: c, d: d, home: u}
	before := time.Now()
	answer, err := s.call(ctx, u, `<GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/>`, false)
	if err != nil {
		if refused, ok := errors.AsType[*FaultError](err); ok || errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrUnsupported) {
			_ = refused // its clock is then taken for right
			return s, nil
		}
		return nil, err
	}
	after := time.Now()
	if t, ok := clock(answer); ok {
		s.offset = t.Sub(before.Add(after.Sub(before) / 2)).Round(time.Second)
	}
	return s, nil
}

// clock reads a device's time.
func clock(answer *element) (time.Time, bool) {
	utc := answer.find("UTCDateTime")
	var n [6]int
	for i, path := range [6][2]string{{"Date", "Year"}, {"Date", "Month"}, {"Date", "Day"}, {"Time", "Hour"}, {"Time", "Minute"}, {"Time", "Second"}} {
		if _, err := fmt.Sscanf(utc.at(path[0], path[1]).value(), "%d", &n[i]); err != nil {
			return time.Time{}, false
		}
	}
	if n[0] < 1970 || n[0] > 2200 || n[1] < 1 || n[1] > 12 || n[2] < 1 || n[2] > 31 {
		return time.Time{}, false
	}
	return time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC), true
}

// service is where a service is that a device named: always at the host that
// people typed in. Behind a router devices name hosts that nobody can reach, and
// a hostile one names somebody else's.
func (s *session) service(address string) *url.URL {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	if u.Hostname() != s.home.Hostname() {
		u.Scheme, u.Host = s.home.Scheme, s.home.Host
	}
	if u.Scheme != s.home.Scheme {
		u.Scheme, u.Host = s.home.Scheme, s.home.Host
	}
	u.User, u.Fragment = nil, ""
	return u
}

// ask calls an action as who we are.
func (s *session) ask(ctx context.Context, to *url.URL, body string) (*element, error) {
	ctx, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	return s.call(ctx, to, body, true)
}

// call sends a message and returns what the body of the answer holds.
func (s *session) call(ctx context.Context, to *url.URL, body string, signed bool) (*element, error) {
	status, data, err := s.post(ctx, to, body, signed)
	if err != nil {
		return nil, err
	}
	root, err := parse(data)
	if err != nil {
		switch {
		case status == http.StatusUnauthorized || status == http.StatusForbidden:
			return nil, ErrUnauthorized
		case status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented:
			return nil, fmt.Errorf("status %d: %w", status, ErrUnsupported)
		case status >= 300:
			return nil, &FaultError{Status: status}
		}
		return nil, err
	}
	if fault := root.find("Fault"); fault != nil {
		return nil, refusal(status, fault)
	}
	if status >= 300 {
		return nil, &FaultError{Status: status}
	}
	answer := root.child("Body")
	if answer == nil || len(answer.children) == 0 {
		return nil, fmt.Errorf("%w: it has no body", errNoXML)
	}
	return answer.children[0], nil
}

// refusal reads a fault of SOAP 1.1 or 1.2.
func refusal(status int, fault *element) error {
	var codes strings.Builder
	for code := fault.child("Code"); code != nil; code = code.child("Subcode") {
		codes.WriteString(code.child("Value").value() + " ")
	}
	codes.WriteString(fault.child("faultcode").value())
	reason := fault.at("Reason", "Text").value()
	if reason == "" {
		reason = fault.child("faultstring").value()
	}
	all := codes.String()
	switch {
	case strings.Contains(all, "NotAuthorized") || strings.Contains(all, "FailedAuthentication") || status == http.StatusUnauthorized:
		return ErrUnauthorized
	case strings.Contains(all, "ActionNotSupported") || strings.Contains(all, "NotImplemented"):
		return fmt.Errorf("%s: %w", clean(reason), ErrUnsupported)
	}
	return &FaultError{status, clean(strings.TrimSpace(all)), clean(reason)}
}

// Readable makes a line that can be shown of what a device may have said.
func Readable(s string) string { return clean(s) }

// clean makes a line that can be shown of what a device says.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200])
	}
	return strings.TrimSpace(s)
}

// post sends a message, a second time if the device asks who we are.
func (s *session) post(ctx context.Context, to *url.URL, body string, signed bool) (int, []byte, error) {
	for again := false; ; again = true {
		text := envelope(body, "")
		if signed && s.d.Username != "" {
			text = envelope(body, s.token())
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), strings.NewReader(text))
		if err != nil {
			return 0, nil, fmt.Errorf("ask the camera: %w", err)
		}
		r.Header.Set("Content-Type", `application/soap+xml; charset=utf-8`)
		r.Header.Set("User-Agent", "chargewatch")
		s.mu.Lock()
		if s.challenge != nil && signed {
			r.Header.Set("Authorization", s.challenge.answer(s.d, r.Method, to.RequestURI()))
		}
		s.mu.Unlock()
		resp, err := s.c.http.Do(r)
		if err != nil {
			return 0, nil, fmt.Errorf("%w: %w", ErrUnreachable, unwrapURL(err))
		}
		data, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
		resp.Body.Close()
		if err != nil {
			return 0, nil, fmt.Errorf("read the camera's answer: %w", err)
		}
		if len(data) > maxDocument {
			return 0, nil, errTooLarge
		}
		if resp.StatusCode == http.StatusUnauthorized && signed && !again && s.d.Username != "" {
			if c := readChallenge(resp.Header.Values("WWW-Authenticate")); c != nil {
				s.mu.Lock()
				s.challenge = c
				s.mu.Unlock()
				continue
			}
		}
		return resp.StatusCode, data, nil
	}
}

// unwrapURL leaves the address out of an error.
func unwrapURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

func envelope(body, header string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>` + header + `</s:Header><s:Body>` + body + `</s:Body></s:Envelope>`
}

// token proves that we know the password, at the time of the device.
func (s *session) token() string {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // does not fail
	created := time.Now().Add(s.offset).UTC().Format("2006-01-02T15:04:05.000Z")
	h := sha1.New()
	h.Write(nonce)
	h.Write([]byte(created + s.d.Password))
	b64 := base64.StdEncoding.EncodeToString
	return `<Security s:mustUnderstand="1" xmlns="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"><UsernameToken><Username>` + escape(s.d.Username) +
		`</Username><Password Type="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest">` + b64(h.Sum(nil)) +
		`</Password><Nonce EncodingType="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary">` + b64(nonce) +
		`</Nonce><Created xmlns="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd">` + created + `</Created></UsernameToken></Security>`
}
