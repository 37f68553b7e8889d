package frames

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

const hidden = "hunter2-hunter2"

func TestSecretsAreRemoved(t *testing.T) {
	tests := map[string]struct{ frame, want string }{
		"1.6 ChangeConfiguration": {
			`[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"hunter2-hunter2"}]`,
			`[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"***"}]`},
		"value before key, other case, spaces": {
			`[2, "1", "ChangeConfiguration", { "value" : "hunter2-hunter2", "key" : "authorizationKEY" }]`,
			`[2, "1", "ChangeConfiguration", { "value" : "***", "key" : "authorizationKEY" }]`},
		"1.6 GetConfiguration answers it and its neighbours stay": {
			`[3,"1",{"configurationKey":[{"key":"HeartbeatInterval","readonly":false,"value":"300"},{"key":"AuthorizationKey","readonly":false,"value":"hunter2-hunter2"},{"key":"Vendor","value":"x"}]}]`,
			`[3,"1",{"configurationKey":[{"key":"HeartbeatInterval","readonly":false,"value":"300"},{"key":"AuthorizationKey","readonly":false,"value":"***"},{"key":"Vendor","value":"x"}]}]`},
		"2.x SetVariables": {
			`[2,"1","SetVariables",{"setVariableData":[{"attributeValue":"60","component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}},{"attributeValue":"hunter2-hunter2","component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}]}]`,
			`[2,"1","SetVariables",{"setVariableData":[{"attributeValue":"60","component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}},{"attributeValue":"***","component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}]}]`},
		"2.x NotifyReport": {
			`[2,"1","NotifyReport",{"reportData":[{"component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"},"variableAttribute":[{"type":"Actual","value":"hunter2-hunter2"}]},{"component":{"name":"A"},"variable":{"name":"B"},"variableAttribute":[{"value":"7"}]}]}]`,
			`[2,"1","NotifyReport",{"reportData":[{"component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"},"variableAttribute":[{"type":"Actual","value":"***"}]},{"component":{"name":"A"},"variable":{"name":"B"},"variableAttribute":[{"value":"7"}]}]}]`},
		"a report without the value hides no other": {
			`[2,"1","NotifyReport",{"reportData":[{"variable":{"name":"BasicAuthPassword"},"variableAttribute":[{"mutability":"WriteOnly"}]},{"variable":{"name":"B"},"variableAttribute":[{"value":"7"}]}]}]`,
			`[2,"1","NotifyReport",{"reportData":[{"variable":{"name":"BasicAuthPassword"},"variableAttribute":[{"mutability":"WriteOnly"}]},{"variable":{"name":"B"},"variableAttribute":[{"value":"7"}]}]}]`},
		"2.x NotifyEvent": {
			`[2,"1","NotifyEvent",{"eventData":[{"actualValue":"hunter2-hunter2","component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}]}]`,
			`[2,"1","NotifyEvent",{"eventData":[{"actualValue":"***","component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}]}]`},
		"2.x SetNetworkProfile": {
			`[2,"1","SetNetworkProfile",{"connectionData":{"apn":{"apnPassword":"hunter2-hunter2","apn":"net"},"vpn":{"key":"hunter2-hunter2","password":"hunter2-hunter2","user":"u"},"basicAuthPassword":"hunter2-hunter2"}}]`,
			`[2,"1","SetNetworkProfile",{"connectionData":{"apn":{"apnPassword":"***","apn":"net"},"vpn":{"key":"***","password":"***","user":"u"},"basicAuthPassword":"***"}}]`},
		"an escaped quote does not end the secret": {
			`[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"a\"hunter2-hunter2"}]`,
			`[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"***"}]`},
		"the password of an upload": {
			`[2,"1","GetDiagnostics",{"location":"ftp://user:hunter2-hunter2@files.example/up"}]`,
			`[2,"1","GetDiagnostics",{"location":"ftp://user:***@files.example/up"}]`},
		"two locations and a user without password": {
			`[2,"1","UpdateFirmware",{"location":"https://a@h/x https://b:hunter2-hunter2@h/y"}]`,
			`[2,"1","UpdateFirmware",{"location":"https://a@h/x https://b:***@h/y"}]`},
		"a private key in any member": {
			`[2,"1","DataTransfer",{"vendorId":"v","data":"-----BEGIN EC PRIVATE KEY-----\nhunter2-hunter2\n-----END EC PRIVATE KEY-----"}]`,
			`[2,"1","DataTransfer",{"vendorId":"v","data":"***"}]`},
		"a frame cut short is not kept": {
			`[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"hunter2-hunter2`, unreadable},
		"a frame too deep to read is not kept": {
			strings.Repeat(`[`, 100) + `{"key":"AuthorizationKey","value":"hunter2-hunter2"}` + strings.Repeat(`]`, 100), unreadable},
		"a password of digits without quotes": {
			`[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":12345678}]`,
			`[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"***"}]`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			before := strings.Clone(tc.frame)
			got, removed := RemoveSecrets([]byte(tc.frame))
			if string(got) != tc.want || removed != (tc.want != tc.frame) || tc.frame != before {
				t.Errorf("removed %v\n got %s\nwant %s", removed, got, tc.want)
			}
			l := openLog(t, Options{})
			l.Add(Frame{At: noon, Station: "A", Data: []byte(tc.frame)})
			l.Flush(t.Context())
			if kept := readAll(t, l, Query{Station: "A"}); len(kept) != 1 || string(kept[0].Data) != tc.want || bytes.Contains(kept[0].Data, []byte(hidden)) {
				t.Errorf("kept %s", kept[0].Data)
			}
		})
	}
}

func TestFramesWithoutSecretsStayAsTheyAre(t *testing.T) {
	for name, frame := range map[string]string{
		"the key is only asked for":      `[2,"1","GetConfiguration",{"key":["AuthorizationKey"]}]`,
		"a status of a write":            `[3,"1",{"setVariableResult":[{"attributeStatus":"Accepted","variable":{"name":"BasicAuthPassword"}}]}]`,
		"a meter value":                  `[2,"1","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-06-01T12:00:00Z","sampledValue":[{"value":"7","unit":"kWh"}]}]}]`,
		"a broken frame without secrets": `[2,"1","MeterVal`,
		"an address with an at sign":     `[2,"1","DataTransfer",{"data":"https://h/a@b:c"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			if got, removed := RemoveSecrets([]byte(frame)); removed || string(got) != frame {
				t.Errorf("%v %s", removed, got)
			}
		})
	}
}

func TestHead(t *testing.T) {
	tests := map[string][3]string{
		`[2,"19223201","BootNotification",{}]`:   {"CALL", "19223201", "BootNotification"},
		` [ 2 , "a" , "Reset" , {} ]`:            {"CALL", "a", "Reset"},
		`[3,"a",{}]`:                             {"CALLRESULT", "a", ""},
		`[4,"a","GenericError","",{}]`:           {"CALLERROR", "a", ""},
		`[5,"a","GenericError","",{}]`:           {"CALLRESULTERROR", "a", ""},
		`[6,"a","NotifyPeriodicEventStream",{}]`: {"SEND", "a", "NotifyPeriodicEventStream"},
		`[22,"a","X",{}]`:                        {},
		`[`:                                      {},
		``:                                       {},
		`{"a":1}`:                                {},
		`[2,5,"X"]`:                              {"CALL", "", ""},
		`[2,"` + strings.Repeat("x", 100) + `",1`: {"CALL", "", ""},
	}
	for frame, want := range tests {
		kind, id, about := Head([]byte(frame))
		if got := [3]string{kind, id, about}; got != want {
			t.Errorf("%s: %q, want %q", frame, got, want)
		}
	}
}

func FuzzRemoveSecrets(f *testing.F) {
	f.Add([]byte(`[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"x"}]`), "hunter2hunter2")
	f.Add([]byte(`{"vpn":{"key":"a"},"l":"ftp://u:p@h"}`), "a")
	f.Add([]byte(`{"variable":{"name":"BasicAuthPassword"},"variableAttribute":[{"value":"x"}]}`), "b")
	f.Fuzz(func(t *testing.T, frame []byte, secret string) {
		got, removed := RemoveSecrets(frame)
		if !removed && !bytes.Equal(got, frame) {
			t.Fatal("changed without saying so")
		}
		if json.Valid(frame) && !json.Valid(got) {
			t.Fatalf("%s became %s", frame, got)
		}
		if json.Valid(frame) && removed && string(got) == unreadable && len(frame) < 2*maxDepth {
			t.Fatalf("valid but unreadable: %s", frame)
		}
		Head(frame)
		// Whatever stands around it, a secret of known shape goes.
		value, err := json.Marshal(secret)
		if err != nil || len(secret) < 8 || strings.Contains(`[2,"","ChangeConfiguration",{"key":"AuthorizationKey","value":"***"}]`, secret) {
			return
		}
		call := append(append([]byte(`[2,"","ChangeConfiguration",{"key":"AuthorizationKey","value":`), value...), `}]`...)
		clean, removed := RemoveSecrets(call)
		if !removed || bytes.Contains(clean, value[1:len(value)-1]) {
			t.Fatalf("%s became %s", call, clean)
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	frame := []byte(`[2,"b2c1a6a0-4b5c-4a56-9a43-1f1d7d6a5c11","MeterValues",{"connectorId":1,"transactionId":1729,"meterValue":[{"timestamp":"2026-06-01T12:00:00Z","sampledValue":[` +
		strings.TrimSuffix(strings.Repeat(`{"value":"230.4","context":"Sample.Periodic","measurand":"Voltage","phase":"L1-N","location":"Outlet","unit":"V"},`, 8), ",") + `]}]}]`)
	l := openLog(b, Options{Buffer: 1 << 30})
	f := Frame{At: noon, Station: "DE-CW-00042", ConnID: "c-123456", Data: frame}
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		l.Add(f)
		if n++; n%5000 == 0 {
			b.StopTimer()
			l.Flush(b.Context())
			b.StartTimer()
		}
	}
	if l.Stats().Dropped > 0 {
		b.Error("dropped")
	}
}
