package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/outward"
)

// elsewhere is a place off this machine where lines are left that prove something
// later: a folder of another machine, an address they are posted to, or a syslog.
type elsewhere struct {
	to    string // empty: nowhere
	name  string // of the files in a folder
	reach *outward.Guard
}

// kind is what the place is.
func (e *elsewhere) kind() string {
	scheme, _, address := strings.Cut(e.to, "://")
	switch {
	case e.to == "":
		return ""
	case !address:
		return "folder"
	case scheme == "syslog":
		return "syslog"
	}
	return "address"
}

func (e *elsewhere) put(ctx context.Context, line []byte) error {
	switch e.kind() {
	case "":
		return nil
	case "folder":
		return e.leave(line)
	case "syslog":
		return e.log(ctx, line)
	}
	return e.send(ctx, line)
}

// leave appends to a file of the day in a folder, such as a share of another machine.
func (e *elsewhere) leave(line []byte) error {
	name := filepath.Join(e.to, e.name+"-"+time.Now().UTC().Format("20060102")+".jsonl")
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return fmt.Errorf("leave in the folder: %w", err)
	}
	_, err = f.Write(line)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("leave in the folder: %w", err)
	}
	return nil
}

const sendWithin = 20 * time.Second

// send posts the line to an address.
func (e *elsewhere) send(ctx context.Context, line []byte) error {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.to, bytes.NewReader(line))
	if err != nil {
		return fmt.Errorf("send to the address: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := e.reach.Client(nil).Do(r)
	if err != nil {
		return fmt.Errorf("send to the address: %w", err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection serves again
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("send to the address: answered %s", resp.Status)
	}
	return nil
}

// log sends the line to a syslog over TCP: RFC 5424, counted as RFC 6587 says
// (octet counting), with facility "log audit" and severity "notice".
func (e *elsewhere) log(ctx context.Context, line []byte) error {
	u, err := url.Parse(e.to)
	if err != nil {
		return fmt.Errorf("send to the syslog: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	c, err := e.reach.Dial(ctx, "tcp", u.Host)
	if err != nil {
		return fmt.Errorf("send to the syslog: %w", err)
	}
	defer c.Close()
	if end, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(end)
	}
	const priority = 13<<3 | 5
	text := fmt.Sprintf("<%d>1 %s - chargewatch - %s - %s", priority, time.Now().UTC().Format(time.RFC3339), e.name, bytes.TrimSpace(line))
	if _, err := fmt.Fprintf(c, "%d %s", len(text), text); err != nil {
		return fmt.Errorf("send to the syslog: %w", err)
	}
	return nil
}
