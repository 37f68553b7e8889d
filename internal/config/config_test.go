package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func none(string) (string, bool) { return "", false }

func file(t *testing.T, text string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFlagsBeatEnvironmentBeatsFile(t *testing.T) {
	p := file(t, "http: 127.0.0.1:1\nocpp: 127.0.0.1:2\ndata: /x\nstation:\n  heartbeatInterval: 60s\nretention:\n  events: 30d\n")
	env := func(k string) (string, bool) {
		v, ok := map[string]string{"CHARGEWATCH_CONFIG": p, "CHARGEWATCH_OCPP": "127.0.0.1:3", "CHARGEWATCH_DATA": "/y"}[k]
		return v, ok
	}
	n := 0
	c, rest, err := Load("serve", []string{"--data", "/z", "--behind-proxy", "--n", "4", "left"}, env,
		func(s *flag.FlagSet) { s.IntVar(&n, "n", 0, "") })
	if err != nil {
		t.Fatal(err)
	}
	if c.HTTP != "127.0.0.1:1" || c.OCPP != "127.0.0.1:3" || c.Data != "/z" || !c.BehindProxy || n != 4 || len(rest) != 1 {
		t.Errorf("got %+v, n %d, rest %v", c, n, rest)
	}
	if time.Duration(c.Station.HeartbeatInterval) != time.Minute || time.Duration(c.Retention.Events) != 720*time.Hour {
		t.Errorf("durations: %v %v", c.Station.HeartbeatInterval, c.Retention.Events)
	}
}

func TestErrorsNameThePlace(t *testing.T) {
	tests := map[string]struct {
		text string
		args []string
		want []string
	}{
		"an unknown key names its line":          {"http: 127.0.0.1:1\nhtttp: x\n", nil, []string{"c.yaml line 2", "htttp"}},
		"a duration without unit":                {"station:\n  heartbeatInterval: soon\n", nil, []string{"c.yaml line 2", "soon"}},
		"HTTP off loopback without TLS":          {"", []string{"--http", "0.0.0.0:80"}, []string{"loopback", "--behind-proxy"}},
		"a mode that does not exist":             {"", []string{"--onboarding", "maybe"}, []string{"maybe"}},
		"a profile with TLS but no certificates": {"listeners:\n  - address: 127.0.0.1:9\n    profile: 2\n", nil, []string{"listeners[0]", "needs tls"}},
		"a flag that does not exist":             {"", []string{"--colour"}, []string{"colour"}},
		"several faults are told at once":        {"", []string{"--log", "loud", "--log-format", "xml"}, []string{"loud", "xml"}},
		"a switch that is neither on nor off":    {"", []string{"--behind-proxy=perhaps"}, []string{"--behind-proxy", "perhaps"}},
		"text in place of a list":                {"listeners: 8443\n", nil, []string{"c.yaml line 1"}},
		"a file that is no YAML":                 {"http: [\n", nil, []string{"c.yaml line 1"}},
		"a network that is none":                 {"", []string{"--allow-net", "home"}, []string{"home"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"--config", file(t, tt.text)}, tt.args...)
			_, _, err := Load("serve", args, none, nil)
			if err == nil {
				t.Fatal("was accepted")
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not say %q", err, w)
				}
			}
		})
	}
}

func TestErrorsNameTheVariable(t *testing.T) {
	env := func(k string) (string, bool) {
		v, ok := map[string]string{"CHARGEWATCH_BEHIND_PROXY": "perhaps"}[k]
		return v, ok
	}
	_, _, err := Load("serve", nil, env, nil)
	if err == nil || !strings.Contains(err.Error(), "CHARGEWATCH_BEHIND_PROXY") || !strings.Contains(err.Error(), "perhaps") {
		t.Errorf("got %v", err)
	}
}

func TestWordsMayStandBeforeFlags(t *testing.T) {
	c, rest, err := Load("backup", []string{"one", "--data", "/z", "two"}, none, nil)
	if err != nil || c.Data != "/z" || len(rest) != 2 || rest[0] != "one" || rest[1] != "two" {
		t.Errorf("got %q, %q, %v", c.Data, rest, err)
	}
}

func TestHelpListsEachFlagWithDefaultAndVariable(t *testing.T) {
	_, _, err := Load("serve", []string{"-h"}, none, func(s *flag.FlagSet) { s.Int("batch", 7, "events at once") })
	help, ok := errors.AsType[*Help](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"--batch int", "(default 7)", "--http HOST:PORT", "(default 127.0.0.1:8080)", "[CHARGEWATCH_LOG_FORMAT]", "[CHARGEWATCH_CONFIG]"} {
		if !strings.Contains(help.Flags, want) {
			t.Errorf("the help lacks %q:\n%s", want, help.Flags)
		}
	}
}

func TestTheDefaultIsValid(t *testing.T) {
	c := Default()
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}
