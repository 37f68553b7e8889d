package config

import (
	"regexp"
	"testing"
	"time"
)

func TestEachSettingKnowsWhoSetIt(t *testing.T) {
	path := file(t, "# a comment\ndata: /from/file\nhttp: 127.0.0.1:1\nstation:\n  commandTimeout: 10s\nlisteners:\n  - address: 127.0.0.1:2\n    profile: 1\nretention: {events: 10d}\n")
	env := func(k string) (string, bool) {
		v, ok := map[string]string{"CHARGEWATCH_HTTP": "127.0.0.1:3", "CHARGEWATCH_LOG_FORMAT": "json"}[k]
		return v, ok
	}
	c, _, err := Load("serve", []string{"--config", path, "--data", "/from/flag", "--behind-proxy"}, env, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]Setting)
	for _, s := range c.Settings() {
		got[s.Key] = s
	}
	for key, want := range map[string]Setting{
		"data":                   {Value: "/from/flag", Default: "./data", Source: Source{FromFlag, "--data"}},
		"http":                   {Value: "127.0.0.1:3", Default: "127.0.0.1:8080", Source: Source{FromEnvironment, "CHARGEWATCH_HTTP"}},
		"logFormat":              {Value: "json", Default: "text", Source: Source{FromEnvironment, "CHARGEWATCH_LOG_FORMAT"}},
		"behindProxy":            {Value: "true", Default: "false", Source: Source{FromFlag, "--behind-proxy"}},
		"station.commandTimeout": {Value: "10s", Default: "30s", Source: Source{FromFile, path + " line 5"}},
		"listeners":              {Value: "127.0.0.1:2 profile 1", Source: Source{FromFile, path + " line 6"}},
		"retention.events":       {Value: "10d", Default: "400d", Source: Source{FromFile, path + " line 9"}},
		"ocpp":                   {Value: "127.0.0.1:8887", Default: "127.0.0.1:8887", Source: Source{From: FromDefault}},
		"retention.framesBytes":  {Value: "2147483648", Default: "2147483648", Source: Source{From: FromDefault}},
	} {
		want.Key = key
		if got[key] != want {
			t.Errorf("%s: %+v, want %+v", key, got[key], want)
		}
	}
}

// Every option is a setting, and no setting is a secret that people may read.
func TestSettingsAreCompleteAndNoSecrets(t *testing.T) {
	c := Default()
	secret := regexp.MustCompile(`(?i)password|secret|token|privatekey`)
	have := make(map[string]bool)
	for _, s := range c.Settings() {
		have[s.Key] = true
		if secret.MatchString(s.Key) {
			t.Errorf("%s would be shown", s.Key)
		}
	}
	for _, o := range options() {
		if !have[o.key()] {
			t.Errorf("--%s is not among the settings as %s", o.name, o.key())
		}
	}
}

func TestDurationsAreWrittenAsPeopleWriteThem(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 0, "30s": 30 * time.Second, "5m": 5 * time.Minute, "1h30m": 90 * time.Minute, "12h": 12 * time.Hour,
		"1h0m1s": time.Hour + time.Second, "400d": 400 * 24 * time.Hour, "25h": 25 * time.Hour,
	} {
		if got := Duration(d).String(); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
		var back Duration
		if err := back.UnmarshalText([]byte(want)); err != nil || time.Duration(back) != d {
			t.Errorf("%q reads as %s, %v", want, time.Duration(back), err)
		}
	}
}
