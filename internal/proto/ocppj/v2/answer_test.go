package v2_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/spec"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/v2"
)

func TestAnswersAreValid(t *testing.T) {
	now := noon().At
	why := &v2.StatusInfo{Reason: strings.Repeat("r", 30), Info: strings.Repeat("é", 600)}
	full := v2.IDTokenInfo{
		Status: "NotAtThisLocation", Expiry: now, Priority: new(int64(-2)), Group: &v2.IDToken{ID: "G", Type: "Central"},
		EVSEs: []int64{1, 2}, Language: "de-DE-1996", Message: &v2.PersonalMessage{Format: "UTF8", Language: "de", Content: strings.Repeat("ü", 600)},
	}
	bare := v2.IDTokenInfo{Status: "Accepted", Group: &v2.IDToken{ID: strings.Repeat("x", 37), Type: "Central"}}
	hash := v2.OCSPRequest{Hash: "SHA256", IssuerName: "a", IssuerKey: "b", Serial: "c"}
	chain := &v2.GetCertificateChainStatus{Requests: []v2.ChainRequest{{OCSP: hash, Source: "OCSP"}, {OCSP: hash, Source: "CRL"}}}
	tests := map[string]struct {
		action string
		got    []byte
		want   string // if it is short
	}{
		"boot":          {"BootNotification", v2.AppendBoot(nil, "Accepted", now, 300, nil), `{"status":"Accepted","currentTime":"2026-08-22T10:15:30.000Z","interval":300}`},
		"boot, why":     {"BootNotification", v2.AppendBoot(nil, "Pending", now, 60, why), ""},
		"heartbeat":     {"Heartbeat", v2.AppendHeartbeat(nil, now), `{"currentTime":"2026-08-22T10:15:30.000Z"}`},
		"status":        {"StatusNotification", v2.AppendEmpty(nil), `{}`},
		"authorize":     {"Authorize", v2.AppendAuthorize(nil, full, "CertificateRevoked"), ""},
		"plain":         {"Authorize", v2.AppendAuthorize(nil, bare, ""), `{"idTokenInfo":{"status":"Accepted"}}`},
		"transaction":   {"TransactionEvent", v2.AppendTransactionEvent(nil, v2.TransactionAnswer{}), `{}`},
		"priority":      {"TransactionEvent", v2.AppendTransactionEvent(nil, v2.TransactionAnswer{Priority: new(int64(3))}), `{"chargingPriority":3}`},
		"all of it":     {"TransactionEvent", v2.AppendTransactionEvent(nil, v2.TransactionAnswer{TotalCost: new(12.35), Priority: new(int64(1)), Info: &full, Message: full.Message}), ""},
		"no number":     {"TransactionEvent", v2.AppendTransactionEvent(nil, v2.TransactionAnswer{TotalCost: new(math.NaN())}), `{"totalCost":0}`},
		"transfer":      {"DataTransfer", v2.AppendDataTransfer(nil, "UnknownVendorId", nil), `{"status":"UnknownVendorId"}`},
		"with data":     {"DataTransfer", v2.AppendDataTransfer(nil, "Accepted", []byte(`[1]`)), `{"status":"Accepted","data":[1]}`},
		"sign":          {"SignCertificate", v2.AppendStatus(nil, "Rejected", why), ""},
		"needs":         {"NotifyEVChargingNeeds", v2.AppendStatus(nil, "Accepted", nil), `{"status":"Accepted"}`},
		"schedule":      {"NotifyEVChargingSchedule", v2.AppendStatus(nil, "Accepted", nil), ""},
		"stream":        {"OpenPeriodicEventStream", v2.AppendStatus(nil, "Accepted", nil), ""},
		"15118":         {"Get15118EVCertificate", v2.AppendGet15118EVCertificate(nil, "Failed", "", why), ""},
		"ocsp":          {"GetCertificateStatus", v2.AppendGetCertificateStatus(nil, "Accepted", "result", nil), `{"status":"Accepted","ocspResult":"result"}`},
		"no ocsp":       {"GetCertificateStatus", v2.AppendGetCertificateStatus(nil, "Failed", "", nil), `{"status":"Failed"}`},
		"vat":           {"VatNumberValidation", v2.AppendVatNumberValidation(nil, "Rejected", &v2.VatNumberValidation{Number: strings.Repeat("1", 30), EVSE: new(int64(2))}, nil), ""},
		"odd vat":       {"VatNumberValidation", v2.AppendVatNumberValidation(nil, "Rejected", &v2.VatNumberValidation{EVSE: new(int64(-2))}, why), ""},
		"settlement":    {"NotifySettlement", v2.AppendNotifySettlement(nil, "", "https://u"), `{"receiptUrl":"https://u"}`},
		"no receipt":    {"NotifySettlement", v2.AppendNotifySettlement(nil, "", ""), `{}`},
		"dynamic":       {"PullDynamicScheduleUpdate", v2.AppendPullDynamicScheduleUpdate(nil, "Accepted", []byte(`{"limit":6}`), nil), `{"status":"Accepted","scheduleUpdate":{"limit":6}}`},
		"chain":         {"GetCertificateChainStatus", v2.AppendGetCertificateChainStatus(nil, chain, []v2.ChainStatus{{"Good", now}, {"Unknown", now}}), ""},
		"other, empty":  {"ReportDERControl", v2.AppendEmpty(nil), `{}`},
		"stream closed": {"ClosePeriodicEventStream", v2.AppendEmpty(nil), `{}`},
	}
	table := spec.New()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.want != "" && string(tt.got) != tt.want || !json.Valid(tt.got) {
				t.Errorf("got %s", tt.got)
			}
			var d jsondoc.Doc
			if err := d.Parse(tt.got); err != nil {
				t.Fatal(err)
			}
			for _, v := range []ocppj.Version{ocppj.V201, ocppj.V21} {
				if !table.Known(v, tt.action) {
					continue
				}
				if faults := table.CheckResponse(v, tt.action, d.Root()); faults != nil {
					t.Errorf("%v: %v in %s", v, faults, tt.got)
				}
			}
		})
	}
}

// Every action that is answered by a message without required fields can be
// answered by AppendEmpty; of each other there must be a builder above.
func TestWhatEmptyAnswers(t *testing.T) {
	table := spec.New()
	var d jsondoc.Doc
	if err := d.Parse(v2.AppendEmpty(nil)); err != nil {
		t.Fatal(err)
	}
	own := map[string]bool{
		"Authorize": true, "BootNotification": true, "DataTransfer": true, "Get15118EVCertificate": true, "GetCertificateStatus": true,
		"GetCertificateChainStatus": true, "Heartbeat": true, "NotifyEVChargingNeeds": true, "NotifyEVChargingSchedule": true,
		"OpenPeriodicEventStream": true, "PullDynamicScheduleUpdate": true, "SignCertificate": true, "VatNumberValidation": true,
	}
	for _, v := range []ocppj.Version{ocppj.V201, ocppj.V21} {
		for _, action := range table.Actions(v, spec.FromStation) {
			if !table.Answered(v, action) {
				continue
			}
			if empty := table.CheckResponse(v, action, d.Root()) == nil; empty == own[action] {
				t.Errorf("%v %s: an empty answer is fine: %v", v, action, empty)
			}
		}
	}
}
