package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

func TestNotes(t *testing.T) {
	p := newPlant(t)
	p.site("own")
	p.enrol("own", "A")
	p.enrol("own", "B")
	technician, operator, admin := p.script(store.RoleTechnician, "own"), p.script(store.RoleOperator, "own"), p.script(store.RoleAdmin)

	var n NoteShape
	technician.want(http.StatusCreated, "POST", "/stations/A/notes", `{"text":"  Lock sticks.\r\nPull <b>hard</b>.\u0007 "}`, &n)
	if n.Text != "Lock sticks.\nPull <b>hard</b>." || n.AuthorName != "technician" || !n.Mine || time.Since(n.At) > time.Minute {
		t.Errorf("note %+v", n)
	}
	var list Items[NoteShape]
	operator.get("/stations/A/notes", &list)
	if len(list.Items) != 1 || list.Items[0].Mine || list.Items[0].AuthorName != "technician" {
		t.Errorf("as the operator reads it: %+v", list.Items)
	}
	operator.get("/stations/B/notes", &list)
	if len(list.Items) != 0 {
		t.Errorf("notes of another station: %+v", list.Items)
	}
	for name, c := range map[string]struct {
		who                *caller
		method, path, body string
		want               int
	}{
		"nothing but blanks":             {technician, "POST", "/stations/A/notes", `{"text":" \n\u0000 "}`, 422},
		"longer than anybody reads":      {technician, "POST", "/stations/A/notes", `{"text":"` + strings.Repeat("ä", 2001) + `"}`, 422},
		"as long as it may be":           {technician, "POST", "/stations/B/notes", `{"text":"` + strings.Repeat("ä", 2000) + `"}`, 201},
		"of no station":                  {technician, "POST", "/stations/C/notes", `{"text":"x"}`, 404},
		"read by a viewer":               {p.script(store.RoleViewer), "GET", "/stations/A/notes", "", 403},
		"written by a host":              {p.script(store.RoleHost), "POST", "/stations/A/notes", `{"text":"x"}`, 403},
		"removed by somebody else":       {operator, "DELETE", "/stations/A/notes/" + n.ID, "", 403},
		"removed by way of another":      {technician, "DELETE", "/stations/B/notes/" + n.ID, "", 404},
		"removed that never was written": {technician, "DELETE", "/stations/A/notes/x", "", 404},
	} {
		t.Run(name, func(t *testing.T) {
			if got, text := c.who.do(c.method, c.path, c.body); got != c.want {
				t.Errorf("%d %s, want %d", got, text, c.want)
			}
		})
	}
	admin.want(http.StatusNoContent, "DELETE", "/stations/A/notes/"+n.ID, "", nil)
	technician.get("/stations/A/notes", &list)
	if len(list.Items) != 0 {
		t.Errorf("after removal: %+v", list.Items)
	}
	entries, err := p.store.Audit(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var acts []string
	for _, e := range entries {
		if strings.HasPrefix(e.Action, "note.") {
			acts = append(acts, e.Action+" "+e.Subject)
		}
		if strings.Contains(string(e.Detail), "Lock") {
			t.Errorf("the audit log holds the text: %s", e.Detail)
		}
	}
	if got := strings.Join(acts, ", "); got != "note.delete station/A, note.create station/B, note.create station/A" {
		t.Errorf("audit: %s", got)
	}
	admin.want(http.StatusNoContent, "DELETE", "/stations/B", "", nil)
	p.enrol("own", "B")
	technician.get("/stations/B/notes", &list)
	if len(list.Items) != 0 {
		t.Error("a station that was removed left its notes to the next of that name")
	}
}

func TestCertificates(t *testing.T) {
	p := newPlant(t)
	p.site("own")
	p.enrol("own", "A")
	p.connect("A", "ocpp2.0.1")
	viewer, operator := p.script(store.RoleViewer), p.script(store.RoleOperator)
	var got CertificatesShape
	viewer.get("/stations/A/certificates", &got)
	if got.Own != nil || got.AskedAt != nil || len(got.Installed) != 0 {
		t.Errorf("before anything is known: %+v", got)
	}
	until := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	p.say(event.Station("A"), &event.Connected{ConnID: "c2", Protocol: "ocpp2.0.1", SecurityProfile: 3,
		Cert: &event.Certificate{Subject: "CN=A", Issuer: "CN=CA", Serial: "1f", NotAfter: until}})
	answer := ""
	p.links.replies(func(string, string, []byte) Outcome {
		return Outcome{Status: "answered", Response: json.RawMessage(answer)}
	})
	hash := func(serial string) string {
		return `{"hashAlgorithm":"SHA256","issuerNameHash":"aa","issuerKeyHash":"bb","serialNumber":"` + serial + `"}`
	}
	ask := func(request, response string) {
		answer = response
		operator.want(http.StatusOK, "POST", "/stations/A/commands", `{"action":"GetInstalledCertificateIds","payload":`+request+`}`, nil)
	}
	ask(`{}`, `{"status":"Accepted","certificateHashDataChain":[{"certificateType":"CSMSRootCertificate","certificateHashData":`+hash("1")+`},
		{"certificateType":"V2GCertificateChain","certificateHashData":`+hash("2")+`,"childCertificateHashData":[`+hash("3")+`]}]}`)
	viewer.get("/stations/A/certificates", &got)
	if got.Own == nil || got.Own.Subject != "CN=A" || !got.Own.NotAfter.Equal(until) || got.Own.NotBefore != nil || got.OwnSeenAt == nil {
		t.Errorf("its own: %+v", got.Own)
	}
	if got.AskedAt == nil || len(got.Installed) != 3 || got.Installed[2].Parent != "2" || got.Installed[0].Type != "CSMSRootCertificate" {
		t.Errorf("installed: %+v", got.Installed)
	}
	// Asked about one use, only that use is told anew.
	ask(`{"certificateType":["CSMSRootCertificate"]}`, `{"status":"NotFound"}`)
	viewer.get("/stations/A/certificates", &got)
	if len(got.Installed) != 2 || got.Installed[0].Type != "V2GCertificateChain" {
		t.Errorf("after one use was told anew: %+v", got.Installed)
	}
	// 1.6 says it without the use.
	ask(`{"certificateType":"CentralSystemRootCertificate"}`, `{"status":"Accepted","certificateHashData":[`+hash("9")+`]}`)
	viewer.get("/stations/A/certificates", &got)
	if len(got.Installed) != 3 || got.Installed[0].Type != "CentralSystemRootCertificate" || got.Installed[0].Serial != "9" {
		t.Errorf("as 1.6 says it: %+v", got.Installed)
	}
	for name, nonsense := range map[string]string{
		"no answer to the question": `{"status":"Accepted","certificateHashDataChain":7}`,
		"a word nobody knows":       `{"status":"Perhaps"}`,
	} {
		ask(`{}`, nonsense)
		if viewer.get("/stations/A/certificates", &got); len(got.Installed) != 3 {
			t.Errorf("%s changed the list: %+v", name, got.Installed)
		}
	}
	answer = `{"status":"Accepted"}`
	operator.want(http.StatusOK, "POST", "/stations/A/commands", `{"action":"DeleteCertificate","payload":{"certificateHashData":`+hash("9")+`}}`, nil)
	if viewer.get("/stations/A/certificates", &got); len(got.Installed) != 2 {
		t.Errorf("after one was deleted: %+v", got.Installed)
	}
}

func TestCommandsNameWhoAsked(t *testing.T) {
	p := newPlant(t)
	p.site("own")
	p.enrol("own", "A")
	p.connect("A", "ocpp1.6")
	p.script(store.RoleOperator).want(http.StatusOK, "POST", "/stations/A/commands", `{"action":"Reset","payload":{"type":"Soft"}}`, nil)
	for role, want := range map[store.Role]string{store.RoleTechnician: "operator", store.RoleViewer: ""} {
		var list Items[CommandShape]
		p.script(role).get("/stations/A/commands", &list)
		if len(list.Items) != 1 || list.Items[0].RequestedByName != want {
			t.Errorf("as a %s reads it: %+v", role, list.Items)
		}
	}
}
