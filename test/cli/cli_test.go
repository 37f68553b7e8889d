// Package cli tests the program as operators and scripts meet it: its words,
// exit statuses, files and signals.
//
// Each *.txtar file beside this one tells one story; the program runs as a
// process of its own. Beside the words of testscript a story may say
//
//	exits STATUS WORD...     run chargewatch WORD... and require that status
//	starts NAME WORD...      start chargewatch WORD... and wait until it is ready;
//	                         sets HTTP (base address), OCPP (station address), LINK
//	stops NAME               send SIGTERM; it must end with 0 within 10 s
//	keeps VAR                set VAR to what the last command printed
//	asks PATH STATUS         GET HTTP/PATH with the token TOKEN; prints the answer
//	awaits PATH PATTERN      ask until the answer matches
//	seals FOLDER             put all of telemetry into blocks
//	sql FILE STATEMENT       change a database
//	overwrites FILE AT BYTES put other bytes into the middle of a file
package cli

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite" // the database/sql driver "sqlite"

	"github.com/chargewatch/chargewatch/internal/app"
	"github.com/chargewatch/chargewatch/internal/telemetry"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"chargewatch": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		status := app.Main(ctx, os.Args[1:], os.Stdout, os.Stderr)
		stop()
		os.Exit(status)
	}})
}

func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: ".",
		Setup: func(env *testscript.Env) error {
			env.Values[started{}] = map[string]*process{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "starts": starts, "stops": stops, "keeps": keeps, "asks": asks, "awaits": awaits,
			"seals": seals, "sql": statement, "overwrites": overwrites,
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

const (
	readyWithin = 60 * time.Second // a loaded machine is slow, a hanging one is not waited for
	drainWithin = 10 * time.Second // as the manual promises
)

// words checks how a story uses a command.
func words(ts *testscript.TestScript, neg bool, args []string, atLeast int, usage string) {
	if neg || len(args) < atLeast {
		ts.Fatalf("usage: %s", usage)
	}
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 1, "exits STATUS WORD...")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	have := 0
	if err := ts.Exec("chargewatch", args[1:]...); err != nil {
		e, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("run chargewatch: %v", err)
		}
		have = e.ExitCode()
	}
	if have != want {
		ts.Fatalf("exit status %d, want %d", have, want)
	}
}

// started is the key of a story's running processes.
type started struct{}

type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when err is set
	err   error
}

func starts(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 2, "starts NAME WORD...")
	cmd := exec.Command("chargewatch", args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	log, err := os.Create(filepath.Join(ts.Getenv("WORK"), args[0]+".log"))
	ts.Check(err)
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	p := &process{cmd: cmd, ended: make(chan struct{})}
	ready := make(chan []string, 1)
	go func() {
		var said []string
		for in := bufio.NewScanner(out); in.Scan(); {
			said = append(said, in.Text())
			if strings.Contains(in.Text(), "is ready: ") {
				ready <- said
			}
		}
		p.err = errors.Join(cmd.Wait(), log.Close())
		close(p.ended)
	}()
	ts.Defer(func() {
		cmd.Process.Kill() // it may have ended, as it should
		<-p.ended
	})
	processes(ts)[args[0]] = p
	select {
	case said := <-ready:
		address(ts, said)
	case <-p.ended:
		ts.Fatalf("%s ended before it was ready: %v\n%s", args[0], p.err, ts.ReadFile(log.Name()))
	case <-time.After(readyWithin):
		ts.Fatalf("%s was not ready within %s\n%s", args[0], readyWithin, ts.ReadFile(log.Name()))
	}
}

// address reads where a server is from what it said.
func address(ts *testscript.TestScript, said []string) {
	text := strings.Join(said, "\n")
	for name, pattern := range map[string]string{
		"HTTP": `is ready: (https?://[^/\s]+)`, "LINK": `is ready: (\S+)`, "OCPP": `connect to (wss?://\S+)/IDENTITY`,
	} {
		m := regexp.MustCompile(pattern).FindStringSubmatch(text)
		if m == nil {
			ts.Fatalf("no %s in what the server said:\n%s", name, text)
		}
		ts.Setenv(name, m[1])
	}
}

func processes(ts *testscript.TestScript) map[string]*process {
	return ts.Value(started{}).(map[string]*process)
}

func stops(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 1, "stops NAME")
	p := processes(ts)[args[0]]
	if p == nil {
		ts.Fatalf("nothing called %s was started", args[0])
	}
	ts.Check(p.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-p.ended:
	case <-time.After(drainWithin):
		ts.Fatalf("%s did not end within %s", args[0], drainWithin)
	}
	if p.err != nil {
		ts.Fatalf("%s: %v\n%s", args[0], p.err, ts.ReadFile(filepath.Join(ts.Getenv("WORK"), args[0]+".log")))
	}
}

func keeps(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 1, "keeps VAR")
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

func get(ts *testscript.TestScript, path string) (status int, body []byte) {
	req, err := http.NewRequest(http.MethodGet, ts.Getenv("HTTP")+path, nil)
	ts.Check(err)
	if token := ts.Getenv("TOKEN"); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	ts.Check(err)
	return res.StatusCode, body
}

func asks(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 2, "asks PATH STATUS")
	status, body := get(ts, args[0])
	if strconv.Itoa(status) != args[1] {
		ts.Fatalf("%s answers %d, want %s: %s", args[0], status, args[1], body)
	}
	_, err := ts.Stdout().Write(body)
	ts.Check(err)
}

func awaits(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 2, "awaits PATH PATTERN")
	pattern := regexp.MustCompile(args[1])
	var body []byte
	for end := time.Now().Add(readyWithin); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if _, body = get(ts, args[0]); pattern.Match(body) {
			return
		}
	}
	ts.Fatalf("%s does not come to match %s: %s", args[0], args[1], body)
}

func seals(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 1, "seals FOLDER")
	ctx := context.Background()
	tm, err := telemetry.Open(ctx, telemetry.Options{Folder: ts.MkAbs(args[0])})
	ts.Check(err)
	ts.Check(errors.Join(tm.Seal(ctx), tm.Close(ctx)))
}

func statement(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 2, "sql FILE STATEMENT")
	db, err := sql.Open("sqlite", "file:"+ts.MkAbs(args[0])+"?mode=rw")
	ts.Check(err)
	defer db.Close()
	res, err := db.Exec(args[1])
	ts.Check(err)
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		ts.Fatalf("%s changed nothing (%v)", args[1], err)
	}
}

func overwrites(ts *testscript.TestScript, neg bool, args []string) {
	words(ts, neg, args, 3, "overwrites FILE AT BYTES")
	at, errAt := strconv.ParseInt(args[1], 10, 64)
	n, errN := strconv.Atoi(args[2])
	ts.Check(errors.Join(errAt, errN))
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_RDWR, 0)
	ts.Check(err)
	defer f.Close()
	info, err := f.Stat()
	ts.Check(err)
	if at+int64(n) > info.Size() {
		ts.Fatalf("%s has only %d bytes", args[0], info.Size())
	}
	_, err = f.WriteAt([]byte(strings.Repeat("\xa5", n)), at)
	ts.Check(err)
	fmt.Fprintf(ts.Stderr(), "%d bytes of %s overwritten\n", n, args[0])
}
