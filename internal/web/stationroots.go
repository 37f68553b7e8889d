package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// RootCertificateShape is a root that stations have to know.
type RootCertificateShape struct {
	Fingerprint string    `json:"fingerprint" doc:"SHA-256"`
	Subject     string    `json:"subject"`
	NotBefore   time.Time `json:"notBefore"`
	NotAfter    time.Time `json:"notAfter"`
	DaysLeft    int       `json:"daysLeft"`
	Certificate string    `json:"certificate" doc:"PEM"`
}

// RootLackShape is a station that comes by TLS and is not known to have the new root.
type RootLackShape struct {
	Station string `json:"station"`
	Why     string `json:"why" enum:"waiting,refused,unfit,relayed"`
	Said    string `json:"said" doc:"its last word"`
}

// RootChangeShape is how far the change of the server's root is.
type RootChangeShape struct {
	State      store.RootState      `json:"state" enum:"installing,switching,switched,removing,done,abandoned" doc:"installing: stations get the new one beside the old; switched: the server stands under the new one; removing: the old one is deleted from stations"`
	Made       bool                 `json:"made" doc:"by this server; else imported"`
	Root       RootCertificateShape `json:"root"`
	StartedAt  time.Time            `json:"startedAt"`
	SwitchedAt *time.Time           `json:"switchedAt"`
	FinishedAt *time.Time           `json:"finishedAt"`
	Stations   int                  `json:"stations" doc:"that are let in"`
	Has        int                  `json:"has"`
	Refused    int                  `json:"refused"`
	Unfit      int                  `json:"unfit" doc:"do not know the request"`
	Relayed    int                  `json:"relayed" doc:"are not asked"`
	Waiting    int                  `json:"waiting" doc:"were not there yet, or did not answer"`
	Gone       int                  `json:"gone" doc:"deleted the old one"`
	Kept       int                  `json:"kept" doc:"kept the old one"`
	Lacking    []RootLackShape      `json:"lacking" doc:"come by TLS and are not known to have the new root: at most 1000"`
	LackingAll int                  `json:"lackingAll" doc:"how many those are"`
	ByTLS      int                  `json:"byTls" doc:"stations that come by TLS, or have to"`
	Without    int                  `json:"without" doc:"how many of them somebody did without"`
}

// StationRootsShape is what the server's certificate stands under, and its change.
type StationRootsShape struct {
	Roots  []RootCertificateShape `json:"roots" doc:"none: TLS is off, or the chain ends below its root"`
	Change *RootChangeShape       `json:"change" doc:"that is under way or was the last"`
}

// RootAnswerShape is what a station did with a root.
type RootAnswerShape struct {
	Has  string `json:"has" enum:",has,took,refused,unfit" doc:"took: it said Accepted and does not tell what it has; empty: not known"`
	Said string `json:"said"`
}

type (
	stationRootsOutput struct{ Body StationRootsShape }
	rootAnswerOutput   struct{ Body RootAnswerShape }
	changeRootInput    struct {
		Body struct {
			Certificate string `json:"certificate,omitempty" maxLength:"5500" doc:"PEM of a root; empty: one is made"`
		}
	}
	switchRootInput struct {
		Body struct {
			Without []string `json:"without,omitempty" maxItems:"100000" maxLength:"48" doc:"every station that comes by TLS and does not have the new root; they will be lost"`
		}
	}
	installRootInput struct {
		Station string `path:"station" maxLength:"48"`
		Body    struct {
			Certificate string `json:"certificate,omitempty" maxLength:"5500" doc:"PEM of a root; empty: that of this server"`
		}
	}
	deleteRootInput struct {
		Station string `path:"station" maxLength:"48"`
		Body    struct {
			HashAlgorithm  string `json:"hashAlgorithm" enum:"SHA256,SHA384,SHA512"`
			IssuerNameHash string `json:"issuerNameHash" minLength:"1" maxLength:"128"`
			IssuerKeyHash  string `json:"issuerKeyHash" minLength:"1" maxLength:"128"`
			SerialNumber   string `json:"serialNumber" minLength:"1" maxLength:"40"`
		}
	}
)

// CertificateName is how a station names a certificate.
type CertificateName struct{ HashAlgorithm, IssuerNameHash, IssuerKeyHash, SerialNumber string }

// StationRoots brings roots to stations, and changes that of the server.
type StationRoots interface {
	StationRoots(ctx context.Context) (StationRootsShape, error)
	RootNames(ctx context.Context) RootNames
	ChangeRoot(ctx context.Context, by store.Actor, certificate string) (*store.RootChange, error)
	SwitchRoot(ctx context.Context, by store.Actor, without []string) error
	RemoveOldRoot(ctx context.Context, by store.Actor) error
	FinishRoot(ctx context.Context, by store.Actor) error
	AbandonRoot(ctx context.Context, by store.Actor) error
	GiveRoot(ctx context.Context, by store.Actor, station, certificate string) (has, said string, err error)
	TakeRoot(ctx context.Context, by store.Actor, station string, name CertificateName) (said string, err error)
}

func (s *Server) registerStationRoots() {
	op := func(id, method, path, summary, text string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Description: text, Tags: []string{"stations"}}
	}
	const path = "/system/station-root"
	change := func(do func(context.Context, store.Actor) error) func(context.Context, *struct{}) (*stationRootsOutput, error) {
		return func(ctx context.Context, _ *struct{}) (*stationRootsOutput, error) {
			if s.o.Proofs == nil {
				return nil, noProofs()
			}
			if err := do(ctx, who(ctx).actor()); err != nil {
				return nil, err
			}
			return s.getStationRoots(ctx, nil)
		}
	}
	add(s, global(StationsWrite), op("getStationRoots", http.MethodGet, path, "The root of the server's certificate, and its change", ""), s.getStationRoots)
	add(s, global(StationsWrite), op("changeStationRoot", http.MethodPost, path, "Bring another root to stations",
		"Each is given it when it is there, beside the one it has. The server goes on as before."), s.changeRoot)
	add(s, global(StationsWrite), op("switchStationRoot", http.MethodPost, path+"/switch", "Have the server stand under the new root",
		"Refused while a station that comes by TLS does not have it and is not named."), s.switchRoot)
	add(s, global(StationsWrite), op("removeOldStationRoot", http.MethodPost, path+"/remove", "Delete the old root from stations", ""),
		change(func(ctx context.Context, by store.Actor) error { return s.o.Proofs.RemoveOldRoot(ctx, by) }))
	add(s, global(StationsWrite), op("finishStationRoot", http.MethodPost, path+"/finish", "End the change of the root", "Stations that still have the old root keep it."),
		change(func(ctx context.Context, by store.Actor) error { return s.o.Proofs.FinishRoot(ctx, by) }))
	add(s, global(StationsWrite), op("abandonStationRoot", http.MethodDelete, path, "Give up the change of the root",
		"Only before the server stands under the new one. Stations that have it keep it."),
		change(func(ctx context.Context, by store.Actor) error { return s.o.Proofs.AbandonRoot(ctx, by) }))
	add(s, atStation(StationsWrite), op("installStationRoot", http.MethodPost, "/stations/{station}/security/roots", "Install a root for the server in a station",
		"It is asked afterwards which it has."), s.installRoot)
	add(s, atStation(StationsWrite), op("deleteStationRoot", http.MethodPost, "/stations/{station}/security/roots/delete", "Delete a root from a station",
		"Refused for the root that the server stands under."), s.deleteRoot)
}

func (s *Server) getStationRoots(ctx context.Context, _ *struct{}) (*stationRootsOutput, error) {
	if s.o.Proofs == nil {
		return nil, noProofs()
	}
	out, err := s.o.Proofs.StationRoots(ctx)
	if err != nil {
		return nil, err
	}
	return &stationRootsOutput{Body: out}, nil
}

func (s *Server) changeRoot(ctx context.Context, in *changeRootInput) (*stationRootsOutput, error) {
	if s.o.Proofs == nil {
		return nil, noProofs()
	}
	if _, err := s.o.Proofs.ChangeRoot(ctx, who(ctx).actor(), in.Body.Certificate); err != nil {
		return nil, err
	}
	return s.getStationRoots(ctx, nil)
}

func (s *Server) switchRoot(ctx context.Context, in *switchRootInput) (*stationRootsOutput, error) {
	if s.o.Proofs == nil {
		return nil, noProofs()
	}
	if err := s.o.Proofs.SwitchRoot(ctx, who(ctx).actor(), in.Body.Without); err != nil {
		return nil, err
	}
	return s.getStationRoots(ctx, nil)
}

func (s *Server) installRoot(ctx context.Context, in *installRootInput) (*rootAnswerOutput, error) {
	if s.o.Proofs == nil {
		return nil, noProofs()
	}
	has, said, err := s.o.Proofs.GiveRoot(ctx, who(ctx).actor(), in.Station, in.Body.Certificate)
	if err != nil {
		return nil, err
	}
	return &rootAnswerOutput{Body: RootAnswerShape{has, said}}, nil
}

func (s *Server) deleteRoot(ctx context.Context, in *deleteRootInput) (*rootAnswerOutput, error) {
	if s.o.Proofs == nil {
		return nil, noProofs()
	}
	said, err := s.o.Proofs.TakeRoot(ctx, who(ctx).actor(), in.Station, CertificateName(in.Body))
	if err != nil {
		return nil, err
	}
	return &rootAnswerOutput{Body: RootAnswerShape{Said: said}}, nil
}
