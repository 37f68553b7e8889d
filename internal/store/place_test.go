package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func bucket() SecondPlace {
	return SecondPlace{Kind: PlaceS3, Endpoint: "https://s3.example", Bucket: "pictures", AccessKey: "AKIA"}
}

func TestTheSecretOfTheSecondPlaceIsSealedAndGoesNowhereElse(t *testing.T) {
	b := locked(t)
	if _, err := b.SecondPlace(t.Context()); !errors.Is(err, ErrNotFound) {
		t.Errorf("none yet: %v", err)
	}
	p := must[SecondPlace](t)(b.WithSecret(t.Context(), bucket(), new("very secret")))
	must[SecondPlace](t)(b.SetSecondPlace(t.Context(), admin, p))
	kept := must[SecondPlace](t)(b.SecondPlace(t.Context()))
	if kept.Secret != "very secret" || kept.Region != "us-east-1" || kept.By != admin {
		t.Error("it is not as it was set")
	}
	shown := must[[]byte](t)(json.Marshal(map[string]any{"p": kept, "s": kept.Secret}))
	list := must[[]AuditEntry](t)(b.Audit(t.Context(), 0, 10))
	var row string
	if err := b.db.Reader().QueryRow(`SELECT group_concat(value) FROM settings`).Scan(&row); err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%s %v %+v %#v %s %s", shown, kept, kept, kept, row, list[0].Detail); strings.Contains(text, "very secret") {
		t.Errorf("it shows: %s", text)
	}
	if again := must[SecondPlace](t)(b.WithSecret(t.Context(), bucket(), nil)); again.Secret != "very secret" {
		t.Error("it has to be typed again for the same place")
	}
	for name, spoil := range map[string]func(*SecondPlace){
		"another host":   func(p *SecondPlace) { p.Endpoint = "https://evil.example" },
		"another bucket": func(p *SecondPlace) { p.Bucket = "others" },
		"another key":    func(p *SecondPlace) { p.AccessKey = "AKIB" },
		"host style":     func(p *SecondPlace) { p.HostStyle = true },
	} {
		x := bucket()
		spoil(&x)
		var bad *InvalidError
		if _, err := b.WithSecret(t.Context(), x, nil); !errors.As(err, &bad) || bad.Field != "secretKey" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := b.RemoveSecondPlace(t.Context(), admin); err != nil {
		t.Fatal(err)
	}
	if err := b.RemoveSecondPlace(t.Context(), admin); !errors.Is(err, ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
}

func TestWhatASecondPlaceCannotBe(t *testing.T) {
	for _, c := range []struct {
		field string
		spoil func(*SecondPlace)
	}{
		{"kind", func(p *SecondPlace) { p.Kind = "ftp" }},
		{"endpoint", func(p *SecondPlace) { p.Endpoint = "s3.example" }},
		{"endpoint", func(p *SecondPlace) { p.Endpoint = "https://u:p@s3.example" }},
		{"endpoint", func(p *SecondPlace) { p.Endpoint = "https://s3.example/path" }},
		{"endpoint", func(p *SecondPlace) { p.Endpoint = "file:///etc" }},
		{"bucket", func(p *SecondPlace) { p.Bucket = "A/B" }},
		{"region", func(p *SecondPlace) { p.Region = "a/b" }},
		{"accessKey", func(p *SecondPlace) { p.AccessKey = "" }},
		{"folder", func(p *SecondPlace) { *p = SecondPlace{Kind: PlaceFolder, Folder: "relative"} }},
	} {
		p := bucket()
		c.spoil(&p)
		var bad *InvalidError
		if err := p.Validate(); !errors.As(err, &bad) || bad.Field != c.field {
			t.Errorf("%+v: %v, want a fault at %s", p, err, c.field)
		}
	}
}
