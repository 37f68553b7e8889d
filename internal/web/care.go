package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/store"
)

// NoteShape is what a person wrote about a station.
type NoteShape struct {
	ID         string    `json:"id"`
	Author     string    `json:"author" doc:"opaque id"`
	AuthorName string    `json:"authorName" doc:"empty once forgotten"`
	At         time.Time `json:"at"`
	Text       string    `json:"text" doc:"plain text"`
	Mine       bool      `json:"mine" doc:"the caller wrote it"`
}

type newNoteInput struct {
	Station string `path:"station" maxLength:"48"`
	Body    struct {
		Text string `json:"text" minLength:"1" maxLength:"8000" doc:"plain text, at most 2,000 characters"`
	}
}

type noteInput struct {
	Station string `path:"station" maxLength:"48"`
	ID      string `path:"id" maxLength:"64"`
}

type noteOutput struct{ Body NoteShape }

// CertificatesShape is what is known of a station's certificates.
type CertificatesShape struct {
	Own       *CertificateShape           `json:"own,omitempty" doc:"the one it proved itself with when it last connected"`
	OwnSeenAt *time.Time                  `json:"ownSeenAt"`
	Installed []InstalledCertificateShape `json:"installed" doc:"as it last said"`
	AskedAt   *time.Time                  `json:"askedAt" doc:"null: it was never asked"`
}

// CertificateShape is what a TLS certificate says of itself.
type CertificateShape struct {
	Subject   string     `json:"subject"`
	Issuer    string     `json:"issuer"`
	Serial    string     `json:"serial" doc:"hexadecimal"`
	NotBefore *time.Time `json:"notBefore"`
	NotAfter  *time.Time `json:"notAfter"`
}

// InstalledCertificateShape names a certificate as OCPP does.
type InstalledCertificateShape struct {
	Type           string    `json:"type"`
	HashAlgorithm  string    `json:"hashAlgorithm"`
	IssuerNameHash string    `json:"issuerNameHash"`
	IssuerKeyHash  string    `json:"issuerKeyHash"`
	Serial         string    `json:"serial"`
	Parent         string    `json:"parent" doc:"serial of the one it stands under"`
	At             time.Time `json:"at"`
}

type certificatesOutput struct{ Body CertificatesShape }

func (s *Server) registerCare() {
	add(s, atStation(NotesRead), huma.Operation{
		OperationID: "listNotes", Method: http.MethodGet, Path: "/stations/{station}/notes", Tags: []string{"stations"},
		Summary: "What people wrote about it, newest first",
	}, s.listNotes)
	add(s, atStation(NotesWrite), huma.Operation{
		OperationID: "addNote", Method: http.MethodPost, Path: "/stations/{station}/notes", Tags: []string{"stations"},
		Summary: "Write something down", DefaultStatus: http.StatusCreated,
	}, s.addNote)
	add(s, atStation(NotesWrite), huma.Operation{
		OperationID: "deleteNote", Method: http.MethodDelete, Path: "/stations/{station}/notes/{id}", Tags: []string{"stations"},
		Summary: "Remove a note of one's own; those who may change the station remove any", DefaultStatus: http.StatusNoContent,
	}, s.deleteNote)
	add(s, atStation(StationsRead), huma.Operation{
		OperationID: "getCertificates", Method: http.MethodGet, Path: "/stations/{station}/certificates", Tags: []string{"stations"},
		Summary: "The certificate it proved itself with, and those it says it has",
	}, s.getCertificates)
}

func (s *Server) listNotes(ctx context.Context, in *stationInput) (*listOutput[NoteShape], error) {
	found, err := s.o.Store.Notes(ctx, in.Station)
	if err != nil {
		return nil, err
	}
	out, err := s.noteShapes(ctx, found)
	if err != nil {
		return nil, err
	}
	return listOf(out, ""), nil
}

func (s *Server) noteShapes(ctx context.Context, found []store.Note) ([]NoteShape, error) {
	ids := make([]string, 0, len(found))
	for _, n := range found {
		ids = append(ids, string(n.Author))
	}
	names, err := s.o.Store.UserNames(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]NoteShape, 0, len(found))
	for _, n := range found {
		out = append(out, NoteShape{
			ID: n.ID, Author: string(n.Author), AuthorName: names[string(n.Author)], At: n.At, Text: n.Text,
			Mine: n.Author == who(ctx).actor(),
		})
	}
	return out, nil
}

func (s *Server) addNote(ctx context.Context, in *newNoteInput) (*noteOutput, error) {
	n, err := s.o.Store.AddNote(ctx, who(ctx).actor(), in.Station, in.Body.Text)
	if err != nil {
		return nil, err
	}
	out, err := s.noteShapes(ctx, []store.Note{n})
	if err != nil {
		return nil, err
	}
	return &noteOutput{Body: out[0]}, nil
}

func (s *Server) deleteNote(ctx context.Context, in *noteInput) (*noContent, error) {
	site, _ := s.siteOf(in.Station)
	others := scope(ctx, StationsWrite).Allows(site)
	return nil, s.o.Store.DeleteNote(ctx, who(ctx).actor(), in.Station, in.ID, others)
}

func (s *Server) getCertificates(ctx context.Context, in *stationInput) (*certificatesOutput, error) {
	installed, asked, err := s.o.Store.InstalledCertificates(ctx, in.Station)
	if err != nil {
		return nil, err
	}
	out := CertificatesShape{AskedAt: instant(asked), Installed: make([]InstalledCertificateShape, 0, len(installed))}
	for _, c := range installed {
		out.Installed = append(out.Installed, InstalledCertificateShape(c))
	}
	last, _, err := s.o.History.Events(ctx, journal.EventQuery{
		Subject: event.Station(in.Station), Kinds: []event.Kind{event.KindConnected}, Limit: 1,
	})
	if err != nil {
		return nil, err
	}
	if len(last) > 0 {
		if b, ok := last[0].Body.(*event.Connected); ok && b.Cert != nil {
			out.Own = &CertificateShape{
				Subject: b.Cert.Subject, Issuer: b.Cert.Issuer, Serial: b.Cert.Serial,
				NotBefore: instant(b.Cert.NotBefore), NotAfter: instant(b.Cert.NotAfter),
			}
			out.OwnSeenAt = instant(last[0].At)
		}
	}
	return &certificatesOutput{Body: out}, nil
}
