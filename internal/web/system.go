package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Setting is one value of the configuration and who set it.
type Setting struct {
	Key     string `json:"key" doc:"as the configuration file calls it"`
	Value   string `json:"value"`
	Default string `json:"default"`
	Source  string `json:"source" enum:"default,file,environment,flag"`
	Place   string `json:"place" doc:"file and line, variable or flag; empty for defaults"`
	Restart bool   `json:"restart" doc:"a change counts after the next start"`
}

// Listener is an open port for stations.
type Listener struct {
	Address string `json:"address" doc:"as bound; the host may be a wildcard"`
	Port    int    `json:"port"`
	TLS     bool   `json:"tls"`
	Profile int    `json:"profile" doc:"weakest security profile it serves; 0: as the station is enrolled"`
	// Certificates of clients are asked for.
	ClientCertificates bool `json:"clientCertificates"`
	LegacyRSA          bool `json:"legacyRSA"`
}

// Strongest is the best security profile a station can have here.
func (l Listener) strongest() int {
	switch {
	case l.ClientCertificates:
		return 3
	case l.TLS:
		return 2
	}
	return 1
}

// System is the server as those who run it see it.
type System interface {
	Settings() []Setting
	Listeners() []Listener
	Storage(ctx context.Context) (Storage, error)
}

type settingsOutput struct {
	Body struct {
		Items []Setting `json:"items"`
	}
}

// OCPPShape is how stations come in.
type OCPPShape struct {
	Onboarding string     `json:"onboarding" enum:"open,approve,closed" doc:"what happens to unknown stations"`
	Listeners  []Listener `json:"listeners"`
	// Strongest is the best of the listeners.
	Strongest   int    `json:"strongest" doc:"best security profile any listener can give"`
	Fingerprint string `json:"fingerprint" doc:"SHA-256 of our own certificate authority, if we have one"`
}

type ocppOutput struct{ Body OCPPShape }

func (s *Server) registerSystem() {
	op := func(id, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{"system"}}
	}
	add(s, global(SystemConfigure), op("getSystemConfiguration", "/system/configuration", "Every setting and who set it"), s.listSettings)
	add(s, global(SystemRead), op("getStorage", "/system/storage", "What is kept, how it grows, and when the disk is full"), s.getStorage)
	add(s, global(SystemRead), op("getHealth", "/system/health", "Whether the server itself is well"), s.getHealth)
	add(s, global(SystemRead), op("getHealthHistory", "/system/health/history", "Readings of the last hour"), s.getHealthHistory)
	s.raw(http.MethodGet, base+"/system/diagnostics", global(SystemConfigure), s.diagnostics)
	add(s, filtered(StationsWrite), op("getOCPP", "/system/ocpp", "Where stations connect, and what becomes of unknown ones"), s.getOCPP)
	add(s, filtered(StationsWrite), op("listStationSecurity", "/system/station-security", "How each station proves itself"), s.listStationSecurity)
}

func (s *Server) listSettings(context.Context, *struct{}) (*settingsOutput, error) {
	if s.o.System == nil {
		return nil, problemf(http.StatusNotImplemented, "this server does not know its configuration")
	}
	out := &settingsOutput{}
	out.Body.Items = list(s.o.System.Settings())
	return out, nil
}

// ocpp is what stations meet.
func (s *Server) ocpp() OCPPShape {
	out := OCPPShape{Onboarding: s.o.Onboarding, Fingerprint: s.o.Fingerprint, Strongest: 1}
	if s.o.System != nil {
		out.Listeners = s.o.System.Listeners()
	}
	for _, l := range out.Listeners {
		out.Strongest = max(out.Strongest, l.strongest())
	}
	out.Listeners = list(out.Listeners)
	return out
}

func (s *Server) getOCPP(context.Context, *struct{}) (*ocppOutput, error) {
	return &ocppOutput{Body: s.ocpp()}, nil
}
