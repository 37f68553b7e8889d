package app

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/audit"
	"github.com/chargewatch/chargewatch/internal/camera/evidence"
	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/outward"
	"github.com/chargewatch/chargewatch/internal/store"
)

// A trail of a data folder in which people do things.
type trail struct {
	*auditTrail
	t      *testing.T
	folder string
	pem    string // file with the public key
}

func newTrail(t *testing.T, to string, reachable ...netip.AddrPort) *trail {
	t.Helper()
	folder := t.TempDir()
	data, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { data.Close() })
	key, err := evidence.OpenKey(data)
	if err != nil {
		t.Fatal(err)
	}
	db, err := coredb.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	st, err := store.Open(t.Context(), store.Options{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{data: data, log: slog.New(slog.DiscardHandler), Store: st, reach: outward.New(outward.Options{Exactly: reachable})}
	s.Config = config.Default()
	s.Config.Audit.CheckpointsTo = to
	pem := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(pem, evidence.PEM(key.Public()), 0o600); err != nil {
		t.Fatal(err)
	}
	return &trail{newAuditTrail(s, key), t, folder, pem}
}

// act lets people do so many things.
func (x *trail) act(n int) {
	x.t.Helper()
	for i := range n {
		if err := x.s.Store.Record(x.t.Context(), "u-1", "door.unlock", fmt.Sprintf("door/%d", i), map[string]any{"reason": "delivery"}); err != nil {
			x.t.Fatal(err)
		}
	}
}

// verify runs the command and returns what it says.
func (x *trail) verify(more ...string) (string, error) {
	x.t.Helper()
	var out bytes.Buffer
	err := verifyAudit(x.t.Context(), append([]string{"--key", x.pem, "--data", x.folder}, more...), streams{out: &out, err: io.Discard})
	return out.String(), err
}

func TestWhatLeftTheMachineTellsThatTheLogWasCut(t *testing.T) {
	elsewhere := t.TempDir()
	x := newTrail(t, elsewhere)
	x.act(3)
	x.mark(t.Context())
	x.mark(t.Context()) // nobody did anything
	x.act(2)
	x.mark(t.Context())
	left, err := filepath.Glob(filepath.Join(elsewhere, "chargewatch-audit-*.jsonl"))
	if err != nil || len(left) == 0 {
		t.Fatal(left, err)
	}
	if said, err := x.verify("--checkpoints", left[0]); err != nil || !strings.Contains(said, "5 records, chain unbroken, 2 checkpoints hold") {
		t.Fatalf("%v: %s", err, said)
	}
	export := filepath.Join(t.TempDir(), "audit.jsonl")
	var lines []string
	if err := x.s.Store.WalkAudit(t.Context(), func(e *store.AuditEntry) error {
		b, err := jsonLine(e)
		lines = append(lines, b)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		list []string
		says string
	}{
		"whole":   {lines, "5 records"},
		"cut":     {lines[:4], "record 5: cut off"},
		"changed": {append([]string{strings.Replace(lines[0], "delivery", "nothing", 1)}, lines[1:]...), "record 1: changed"},
		"removed": {append([]string{lines[0]}, lines[2:]...), "record 2: missing"},
	} {
		if err := os.WriteFile(export, []byte(strings.Join(c.list, "")), 0o600); err != nil {
			t.Fatal(err)
		}
		said, err := x.verify("--checkpoints", left[0], export)
		if (err == nil) != (name == "whole") || err != nil && !errors.Is(err, errNotWhole) || !strings.Contains(said, c.says) {
			t.Errorf("%s: %v, %s", name, err, said)
		}
	}
	other := newTrail(t, "")
	if said, err := func() (string, error) { x.pem = other.pem; return x.verify("--checkpoints", left[0]) }(); err == nil || !strings.Contains(said, "not signed by this key") {
		t.Errorf("by another key: %v, %s", err, said)
	}
}

func TestCheckpointsReachASyslog(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		text, _ := io.ReadAll(bufio.NewReader(c))
		got <- string(text)
	}()
	x := newTrail(t, "syslog://"+l.Addr().String(), netip.MustParseAddrPort(l.Addr().String()))
	x.act(1)
	x.mark(t.Context())
	text := <-got
	i := strings.Index(text, "{")
	if i < 0 || !strings.Contains(text, "<109>1 ") {
		t.Fatal(text)
	}
	list, err := audit.ParseCheckpoints(strings.NewReader(text[i:]))
	if err != nil || len(list) != 1 || !list[0].SignedBy(x.key.Public()) || list[0].SignedBy(make(ed25519.PublicKey, ed25519.PublicKeySize)) {
		t.Errorf("%+v, %v", list, err)
	}
	// An address that nobody allowed is not reached, and the checkpoint stays here.
	y := newTrail(t, "syslog://"+l.Addr().String())
	y.act(1)
	y.mark(context.WithoutCancel(t.Context()))
	if said, err := y.verify(); err != nil || !strings.Contains(said, "1 checkpoints hold") {
		t.Errorf("%v: %s", err, said)
	}
}

func jsonLine(e *store.AuditEntry) (string, error) {
	var b bytes.Buffer
	err := json.NewEncoder(&b).Encode(e)
	return b.String(), err
}
