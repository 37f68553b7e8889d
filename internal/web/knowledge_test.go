package web

import (
	"net/http"
	"testing"

	"github.com/chargewatch/chargewatch/internal/knowledge"
	"github.com/chargewatch/chargewatch/internal/store"
)

func TestKnowledge(t *testing.T) {
	known, err := knowledge.Open(
		knowledge.File{Name: "acme.json", Data: []byte(`{"format":1,"title":"ACME","entries":[{"id":"acme.17","like":"mrec.CX011","match":{"vendor":"acme","vendorCode":"0x17"},"parts":["Cable 7"]}]}`)},
		knowledge.File{Name: "bad.json", Data: []byte("{\"format\":1,\"title\":\"x\",\"entries\":[\n{\"id\":\"a\"}]}")},
	)
	if err != nil {
		t.Fatal(err)
	}
	p := newPlant(t, func(o *Options) { o.Knowledge = known })
	p.site("own")
	viewer := p.script(store.RoleViewer, "own")

	for name, tc := range map[string]struct{ query, want string }{
		"a code":                   {"protocol=ocpp1.6&code=GroundFailure", "ocpp16.GroundFailure"},
		"a vendor's code":          {"vendor=ACME&protocol=ocpp1.6&code=OtherError&vendorCode=0x17", "acme.17"},
		"a component":              {"protocol=ocpp2.1&component=FloodSensor&variable=Tripped", "ocpp2.FloodSensor.Tripped"},
		"something nobody knows":   {"code=Flux", ""},
		"a question about nothing": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got struct{ Entry *KnowledgeShape }
			viewer.get("/knowledge?"+tc.query, &got)
			switch {
			case tc.want == "" && got.Entry != nil:
				t.Errorf("%+v", got.Entry)
			case tc.want != "" && (got.Entry == nil || got.Entry.ID != tc.want || got.Entry.Title.DE == "" || got.Entry.Parts == nil):
				t.Errorf("%+v, want %s", got.Entry, tc.want)
			}
		})
	}
	viewer.want(http.StatusUnprocessableEntity, "GET", "/knowledge?protocol=a-protocol-with-a-long-name", "", nil)

	var packs Items[PackShape]
	viewer.get("/knowledge/packs", &packs)
	byName := make(map[string]PackShape)
	for _, x := range packs.Items {
		byName[x.Name] = x
	}
	if x := byName["acme.json"]; !x.Used || x.Layer != knowledge.LayerUser || x.Entries != 1 || x.Unverified != 1 {
		t.Errorf("%+v", x)
	}
	if x := byName["bad.json"]; x.Used || x.Entries != 0 || len(x.Faults) == 0 || x.Faults[0].Line != 2 || x.Faults[0].Entry != "a" || x.Faults[0].Field != "match" {
		t.Errorf("%+v", x)
	}
	if x := byName["ocpp16.json"]; !x.Used || x.Entries != 16 {
		t.Errorf("%+v", x)
	}

	bare := newPlant(t)
	bare.script(store.RoleAdmin).want(http.StatusNotImplemented, "GET", "/knowledge", "", nil)
	bare.script(store.RoleAdmin).want(http.StatusNotImplemented, "GET", "/knowledge/packs", "", nil)
}
