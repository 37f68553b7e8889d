//go:build ignore

// Gen writes the message tables of package spec from the JSON schemas that the
// npm package ocpp-rpc carries. Run it by "go generate" after "npm ci" in
// test/schemas; the tables it writes are what is committed.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/format"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const schemas = "../../../../test/schemas/node_modules/ocpp-rpc/lib/schemas"

type schema struct {
	ID                   string             `json:"$id"`
	Ref                  string             `json:"$ref"`
	Type                 string             `json:"type"`
	Format               string             `json:"format"`
	Enum                 []string           `json:"enum"`
	MaxLength            *int               `json:"maxLength"`
	Minimum              *json.Number       `json:"minimum"`
	Maximum              *json.Number       `json:"maximum"`
	MultipleOf           *json.Number       `json:"multipleOf"`
	MinItems             *int               `json:"minItems"`
	MaxItems             *int               `json:"maxItems"`
	Items                *schema            `json:"items"`
	Required             []string           `json:"required"`
	AdditionalProperties *bool              `json:"additionalProperties"`
	Properties           ordered            `json:"properties"`
	Definitions          map[string]*schema `json:"definitions"`
}

// ordered keeps the order in which the schema lists the properties.
type ordered []property

type property struct {
	name   string
	schema *schema
}

func (o *ordered) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		p := property{name: key.(string)}
		if err := d.Decode(&p.schema); err != nil {
			return err
		}
		*o = append(*o, p)
	}
	return nil
}

// fromStation lists who sends what; the schemas do not say. What stands in
// neither list is sent to the station.
var fromStation = map[string]string{
	"1.6": `Authorize BootNotification DiagnosticsStatusNotification FirmwareStatusNotification Heartbeat
		LogStatusNotification MeterValues SecurityEventNotification SignCertificate
		SignedFirmwareStatusNotification StartTransaction StatusNotification StopTransaction`,
	"2.0.1": from2,
	"2.1": from2 + ` BatterySwap ClosePeriodicEventStream GetCertificateChainStatus NotifyDERAlarm
		NotifyDERStartStop NotifyPeriodicEventStream NotifyPriorityCharging NotifySettlement
		OpenPeriodicEventStream PullDynamicScheduleUpdate ReportDERControl VatNumberValidation`,
}

const from2 = `Authorize BootNotification ClearedChargingLimit FirmwareStatusNotification
	Get15118EVCertificate GetCertificateStatus Heartbeat LogStatusNotification MeterValues
	NotifyChargingLimit NotifyCustomerInformation NotifyDisplayMessages NotifyEVChargingNeeds
	NotifyEVChargingSchedule NotifyEvent NotifyMonitoringReport NotifyReport
	PublishFirmwareStatusNotification ReportChargingProfiles ReservationStatusUpdate
	SecurityEventNotification SignCertificate StatusNotification TransactionEvent`

// names16 gives the lists and objects that 1.6 defines in place the names its
// specification has for them, where those of their fields would not do.
var names16 = map[string]string{
	"CancelReservationStatus":             "AcceptedRejected", // shared by a dozen answers
	"BootNotificationStatus":              "RegistrationStatus",
	"Status":                              "AuthorizationStatus",
	"StatusNotificationStatus":            "ChargePointStatus",
	"ErrorCode":                           "ChargePointErrorCode",
	"Context":                             "ReadingContext",
	"Format":                              "ValueFormat",
	"Unit":                                "UnitOfMeasure",
	"Type":                                "AvailabilityType",
	"LocalAuthorizationList":              "AuthorizationData",
	"FirmwareStatus":                      "SignedFirmwareStatus",
	"FirmwareStatusNotificationStatus":    "FirmwareStatus",
	"DiagnosticsStatusNotificationStatus": "DiagnosticsStatus",
	"LogStatus":                           "GetLogStatus",
	"CsChargingProfiles":                  "ChargingProfile",
}

type table struct {
	version string
	two     bool
	names   map[string]string // notation -> name
	lines   map[string]string // name -> line
	order   []string
}

func main() {
	log.SetFlags(0)
	write("1.6", "ocpp1_6.json", "table16", "v16.go",
		"OCPP 1.6: core, firmware, local list, reservation, smart charging, trigger\n// and the security extension")
	write("2.0.1", "ocpp2_0_1.json", "table201", "v201.go", "OCPP 2.0.1")
	write("2.1", "ocpp2_1.json", "table21", "v21.go", "OCPP 2.1")
}

func write(version, file, name, out, what string) {
	raw, err := os.ReadFile(filepath.Join(schemas, file))
	if err != nil {
		log.Fatal(err)
	}
	var all []*schema
	if err := json.Unmarshal(raw, &all); err != nil {
		log.Fatal(err)
	}
	t := &table{version: version, two: version != "1.6", names: map[string]string{}, lines: map[string]string{}}
	requests, responses := map[string]*schema{}, map[string]*schema{}
	for _, s := range all {
		id := strings.TrimPrefix(s.ID, "urn:")
		if action, ok := cutSuffixes(id, ".conf", "Response"); ok {
			responses[action] = s
			continue
		}
		action, _ := cutSuffixes(id, ".req", "Request")
		requests[action] = s
	}
	var calls []string
	for _, action := range slices.Sorted(maps.Keys(requests)) {
		word := "to"
		switch {
		case action == "DataTransfer":
			word = "both"
		case slices.Contains(strings.Fields(fromStation[version]), action):
			word = "from"
		}
		line := word + " " + action + ": " + t.body(action, requests[action], requests[action])
		if r := responses[action]; r != nil {
			line += " -> " + t.body(action, r, r)
		} else {
			line = strings.Replace(line, "from ", "send ", 1)
		}
		calls = append(calls, line)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "// Code generated by gen/main.go; DO NOT EDIT.\n\npackage spec\n\n")
	fmt.Fprintf(&b, "// %s is %s.\n", name, what)
	fmt.Fprintf(&b, "// The notation is explained in notation.go.\nconst %s = `\n", name)
	if t.two {
		fmt.Fprintf(&b, "all customData CustomData\n")
	}
	for _, name := range slices.Sorted(maps.Keys(t.lines)) {
		b.WriteString(wrap(t.lines[name]))
	}
	b.WriteByte('\n')
	for _, line := range calls {
		b.WriteString(wrap(line))
	}
	b.WriteString("`\n")
	src, err := format.Source(b.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(out, src, 0o644); err != nil {
		log.Fatal(err)
	}
	log.Printf("%s: %d messages, %d shared shapes, %d bytes", out, len(calls), len(t.lines), len(src))
}

func cutSuffixes(s string, suffixes ...string) (string, bool) {
	for _, x := range suffixes {
		if cut, ok := strings.CutSuffix(s, x); ok {
			return cut, true
		}
	}
	return s, false
}

// body writes the members of an object; root is where references resolve.
func (t *table) body(context string, s, root *schema) string {
	var fields []string
	custom := false
	for _, p := range s.Properties {
		if p.name == "customData" && t.two {
			if p.schema.Ref != "#/definitions/CustomDataType" || slices.Contains(s.Required, p.name) {
				log.Fatalf("%s: another customData", context)
			}
			custom = true
			t.typeOf(context, p.name, p.schema, root)
			continue
		}
		mark := ""
		if slices.Contains(s.Required, p.name) {
			mark = "!"
		}
		fields = append(fields, p.name+mark+" "+t.typeOf(context, p.name, p.schema, root))
	}
	for _, r := range s.Required {
		if !slices.ContainsFunc(s.Properties, func(p property) bool { return p.name == r }) {
			log.Fatalf("%s requires %s, which it does not have", context, r)
		}
	}
	if s.AdditionalProperties == nil || *s.AdditionalProperties {
		fields = append(fields, "*")
	}
	if t.two && !custom {
		fields = append(fields, "-")
	}
	if len(fields) == 0 {
		return "none"
	}
	return strings.Join(fields, ", ")
}

func (t *table) typeOf(context, field string, s, root *schema) string {
	if s.Ref != "" {
		name := strings.TrimPrefix(s.Ref, "#/definitions/")
		return t.named(context, name, root.Definitions[name], root)
	}
	switch {
	case s.Enum != nil, s.Type == "object":
		return t.named(context, strings.ToUpper(field[:1])+field[1:], s, root)
	case s.Type == "string" && s.Format == "date-time":
		return "time"
	case s.Type == "string" && s.Format == "uri":
		return "uri"
	case s.Type == "string" && s.MaxLength != nil:
		return fmt.Sprintf("text/%d", *s.MaxLength)
	case s.Type == "string":
		return "text"
	case s.Type == "integer", s.Type == "number":
		word := map[string]string{"integer": "int", "number": "number"}[s.Type]
		if s.Minimum != nil || s.Maximum != nil {
			word += fmt.Sprintf("[%s..%s]", number(s.Minimum), number(s.Maximum))
		}
		if s.MultipleOf != nil {
			word += "*" + s.MultipleOf.String()
		}
		return word
	case s.Type == "boolean":
		return "bool"
	case s.Type == "array":
		lo, hi := "", ""
		if s.MinItems != nil {
			lo = fmt.Sprint(*s.MinItems)
		}
		if s.MaxItems != nil {
			hi = fmt.Sprint(*s.MaxItems)
		}
		return t.typeOf(context, strings.TrimSuffix(field, "s"), s.Items, root) + "{" + lo + ".." + hi + "}"
	case s.Type == "":
		return "any"
	}
	log.Fatalf("%s: type %q", context, s.Type)
	return ""
}

func number(n *json.Number) string {
	if n == nil {
		return ""
	}
	return strings.TrimSuffix(n.String(), ".0")
}

// named enters a list of words or an object under a name and returns the name.
// What has the same name and another content gets the name of its message in
// front.
func (t *table) named(context, name string, s, root *schema) string {
	kind := "type"
	body := ""
	if s.Enum != nil {
		kind, body = "enum", strings.Join(s.Enum, " ")
		if len(strings.Fields(body)) != len(s.Enum) {
			log.Fatalf("%s: blank in a word", name)
		}
	} else if s.Type != "object" {
		return t.typeOf(context, name, s, root)
	}
	if name != "Type" {
		name = strings.TrimSuffix(strings.TrimSuffix(name, "Type"), "Enum")
	}
	if kind == "enum" && t.two {
		name += "Enum"
	}
	if kind == "type" {
		body = t.body(context, s, root)
	}
	if !t.two {
		if known, ok := t.names[kind+body]; ok {
			return known
		}
	}
	for _, try := range []string{name, context + name} {
		if better := names16[try]; better != "" && !t.two {
			try = better
		}
		line := kind + " " + try + ": " + body
		if old, ok := t.lines[try]; !ok || old == line {
			t.lines[try] = line
			t.names[kind+body] = try
			return try
		}
	}
	log.Fatalf("%s: no name for %s", context, name)
	return ""
}

// wrap breaks a line at 140 characters; a continuation starts with a tab.
func wrap(line string) string {
	var b strings.Builder
	width := 0
	for i, word := range strings.Split(line, " ") {
		if i > 0 && width+1+len(word) > 140 {
			b.WriteString("\n\t")
			width = 4
		} else if i > 0 {
			b.WriteByte(' ')
			width++
		}
		b.WriteString(word)
		width += len(word)
	}
	b.WriteByte('\n')
	return b.String()
}
