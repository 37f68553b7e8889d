package web

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/chargewatch/chargewatch/internal/proto/signed"
)

// openAPI makes the API that add registers routes with. Description, docs page
// and schemas are served by routes of ours, so that they too need a permission.
func (s *Server) openAPI() {
	const ref = "#/components/schemas/"
	registry := huma.NewMapRegistry(ref, schemaName)
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Chargewatch", Version: "1",
				Description: "Monitoring for EV-charging infrastructure. Times are RFC 3339 UTC, units stand in the name, errors are problem documents (RFC 9457), lists take limit and cursor.",
				License:     &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
			},
			Servers: []*huma.Server{{URL: base}},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"session":   {Type: "apiKey", In: "cookie", Name: "chargewatch"},
					"token":     {Type: "http", Scheme: "bearer"},
					"signature": {Type: "apiKey", In: "header", Name: signed.Header, Description: "HMAC-SHA256 of the body with a secret that was given out for it"},
				},
			},
		},
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{newFaultWords().inTheirWords},
	}
	s.api = humago.NewWithPrefix(s.mux, base, config)
}

// schemaName is the name of a type; those that plans and campaigns are made of share
// words with other things and say where they belong.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if strings.Contains(t.PkgPath(), "/planning/") && t.Name() != "" {
		return "Expansion" + name
	}
	if strings.HasSuffix(t.PkgPath(), "/internal/campaign") && t.Name() != "" {
		return "Campaign" + name
	}
	return name
}

// Describe returns the OpenAPI 3.1 description.
func (s *Server) Describe() ([]byte, error) {
	return s.api.OpenAPI().MarshalJSON()
}

// plainArrays says that arrays are never null, as we send them.
func plainArrays(schema *huma.Schema) {
	if schema == nil {
		return
	}
	if schema.Type == huma.TypeArray {
		schema.Nullable = false
	}
	plainArrays(schema.Items)
	for _, p := range schema.Properties {
		plainArrays(p)
	}
	if extra, ok := schema.AdditionalProperties.(*huma.Schema); ok {
		plainArrays(extra)
	}
	for _, of := range [][]*huma.Schema{schema.OneOf, schema.AnyOf, schema.AllOf} {
		for _, p := range of {
			plainArrays(p)
		}
	}
}

func (s *Server) describe(w http.ResponseWriter, r *http.Request) {
	data, err := s.Describe()
	if err != nil {
		writeProblem(w, s.problem(r.Context(), err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(data) // the caller may have gone
}
