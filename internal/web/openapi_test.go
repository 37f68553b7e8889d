package web

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write api/openapi.json")

// The user interface and other people's clients are generated from the
// committed description, so it must be what the server says.
func TestOpenAPIIsCommitted(t *testing.T) {
	p := newPlant(t)
	data, err := p.Describe()
	if err != nil {
		t.Fatal(err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, data, "", "  "); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	file := filepath.Join("..", "..", "api", "openapi.json")
	if *update {
		if err := os.WriteFile(file, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, pretty.Bytes()) {
		t.Error("api/openapi.json is not what the server says; run: go test ./internal/web -run OpenAPI -update")
	}
}

// Arrays are never null, so that generated clients need no checks.
func TestOpenAPIHasNoNullArrays(t *testing.T) {
	p := newPlant(t)
	data, err := p.Describe()
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(path, x)
			}
		case map[string]any:
			if types, ok := v["type"].([]any); ok {
				for _, x := range types {
					if x == "array" {
						t.Errorf("%s may be null", path)
					}
				}
			}
			if v["contentEncoding"] != nil {
				t.Errorf("%s is bytes in base64", path)
			}
			for key, x := range v {
				walk(strings.TrimPrefix(path+"/"+key, "/"), x)
			}
		}
	}
	walk("", doc)
}
