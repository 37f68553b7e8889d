package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/knowledge"
)

// Knowledge says what error codes mean.
type Knowledge interface {
	Explain(q knowledge.Query) (knowledge.Entry, bool)
	States() []knowledge.State
}

var errNoKnowledge = problemf(http.StatusNotImplemented, "this server has no error knowledge")

// TextShape is a sentence in the languages of the product.
type TextShape struct {
	EN string `json:"en"`
	DE string `json:"de"`
}

// KnowledgeShape is what is known about an error.
type KnowledgeShape struct {
	ID       string          `json:"id"`
	Pack     string          `json:"pack"`
	Layer    knowledge.Layer `json:"layer" enum:"protocol,public,vendor,user" doc:"user: a pack of the operator"`
	Title    TextShape       `json:"title"`
	Meaning  TextShape       `json:"meaning"`
	Acts     knowledge.Actor `json:"acts" enum:"driver,operator,technician,installer,gridOperator,vendor" doc:"who acts first"`
	Severity event.Severity  `json:"severity" enum:"S1,S2,S3,S4"`
	Safety   bool            `json:"safety"`
	Reset    knowledge.Reset `json:"reset" enum:"yes,no,never" doc:"whether a reset may be tried; no: it does not help; never: it is dangerous"`
	Playbook string          `json:"playbook" doc:"what machines can do first; empty: people"`
	Remedy   TextShape       `json:"remedy"`
	Parts    []TextShape     `json:"parts"`
	Checks   []TextShape     `json:"checks" doc:"of a work order, in their order"`
	Source   string          `json:"source"`
	Verified bool            `json:"verified" doc:"false: the source could not be read"`
}

// PackShape is what became of a pack.
type PackShape struct {
	Name       string           `json:"name"`
	Title      TextShape        `json:"title"`
	Version    string           `json:"version"`
	Layer      knowledge.Layer  `json:"layer" enum:"protocol,public,vendor,user"`
	Used       bool             `json:"used" doc:"false: refused because of its faults"`
	Entries    int              `json:"entries"`
	Unverified int              `json:"unverified"`
	Faults     []PackFaultShape `json:"faults"`
}

// PackFaultShape is one thing wrong with a pack.
type PackFaultShape struct {
	Line  int    `json:"line" doc:"0: unknown"`
	Entry string `json:"entry" doc:"its id, or its number if it has none; empty: the pack itself"`
	Field string `json:"field"`
	Text  string `json:"text"`
}

type knowledgeInput struct {
	Vendor        string `query:"vendor" maxLength:"255"`
	Model         string `query:"model" maxLength:"255"`
	Protocol      string `query:"protocol" maxLength:"20" doc:"ocpp1.6, ocpp2.0.1 or ocpp2.1"`
	Code          string `query:"code" maxLength:"255" doc:"errorCode of OCPP 1.6"`
	VendorID      string `query:"vendorId" maxLength:"255"`
	VendorCode    string `query:"vendorCode" maxLength:"255" doc:"vendorErrorCode of OCPP 1.6, techCode of OCPP 2.x"`
	Info          string `query:"info" maxLength:"500" doc:"info of OCPP 1.6, techInfo of OCPP 2.x"`
	Component     string `query:"component" maxLength:"255"`
	Variable      string `query:"variable" maxLength:"255"`
	SecurityEvent string `query:"securityEvent" maxLength:"255"`
	Finding       string `query:"finding" maxLength:"255" doc:"code of a finding"`
	Detector      string `query:"detector" maxLength:"255" doc:"id of its detector"`
}

type knowledgeOutput struct {
	Body struct {
		Entry *KnowledgeShape `json:"entry" doc:"null: nothing is known about it"`
	}
}

func (s *Server) registerKnowledge() {
	add(s, filtered(StationsRead), huma.Operation{
		OperationID: "explainError", Method: http.MethodGet, Path: "/knowledge", Tags: []string{"knowledge"},
		Summary: "What an error means, who acts on it and what to try first",
	}, s.explainError)
	add(s, filtered(StationsRead), huma.Operation{
		OperationID: "listPacks", Method: http.MethodGet, Path: "/knowledge/packs", Tags: []string{"knowledge"},
		Summary: "The packs of error knowledge: embedded ones, then those of the operator, with what is wrong with them",
	}, s.listPacks)
}

func (s *Server) explainError(_ context.Context, in *knowledgeInput) (*knowledgeOutput, error) {
	if s.o.Knowledge == nil {
		return nil, errNoKnowledge
	}
	out := &knowledgeOutput{}
	if e, ok := s.o.Knowledge.Explain(knowledge.Query(*in)); ok {
		out.Body.Entry = &KnowledgeShape{
			ID: e.ID, Pack: e.Pack, Layer: e.Layer, Title: TextShape(e.Title), Meaning: TextShape(e.Meaning), Acts: e.Acts, Severity: e.Severity,
			Safety: e.Safety, Reset: e.Reset, Playbook: e.Remedy.Playbook, Remedy: TextShape(e.Remedy.Text), Parts: textShapes(e.Parts),
			Checks: textShapes(e.Checks), Source: e.Source, Verified: e.Verified,
		}
	}
	return out, nil
}

func textShapes(list []knowledge.Text) []TextShape {
	out := make([]TextShape, len(list))
	for i, t := range list {
		out[i] = TextShape(t)
	}
	return out
}

func (s *Server) listPacks(context.Context, *struct{}) (*listOutput[PackShape], error) {
	if s.o.Knowledge == nil {
		return nil, errNoKnowledge
	}
	out := []PackShape{}
	for _, p := range s.o.Knowledge.States() {
		shape := PackShape{
			Name: p.Name, Title: TextShape(p.Title), Version: p.Version, Layer: p.Layer, Used: len(p.Faults) == 0, Entries: p.Entries,
			Unverified: p.Unverified, Faults: []PackFaultShape{},
		}
		for _, f := range p.Faults {
			shape.Faults = append(shape.Faults, PackFaultShape{Line: f.Line, Entry: f.Entry, Field: f.Field, Text: f.Text})
		}
		out = append(out, shape)
	}
	return listOf(out, ""), nil
}
