package reading

import (
	"strings"

	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

// MeterValue is what was measured at one moment.
type MeterValue struct {
	At      Time
	Samples []Sample
}

// Sample is one measured value. The words have the defaults of the
// specification where the station left them out; the unit of what is no energy
// has none. Nothing is converted: value × 10^multiplier in that unit is what the
// station said.
type Sample struct {
	Value      float64
	Multiplier int
	// OK says that Value could be read; signed data has none in 1.6.
	OK bool
	// Raw is the value as it was sent.
	Raw       string
	Measurand string
	Phase     string // empty for the whole
	Location  string
	Context   string
	Unit      string
	Format    string // SignedData if Raw is signed data
	Signed    *Signed
}

// Signed is the signed form of a sample in 2.x.
type Signed struct {
	Data      string
	Method    string
	Encoding  string
	PublicKey string
}

// maxPower is the largest multiplier, up or down, that makes sense of a sample;
// with another one the sample is not OK.
const maxPower = 30

// What a station means that leaves a word out.
const (
	DefaultMeasurand = "Energy.Active.Import.Register"
	DefaultContext   = "Sample.Periodic"
	DefaultLocation  = "Outlet"
	DefaultFormat    = "Raw"
	DefaultUnit      = "Wh"
)

// Form is how a family of versions writes a sample.
type Form uint8

// In 1.6 values are texts and have unit and format beside them; in 2.x they are
// numbers with a unitOfMeasure.
const (
	Form16 Form = iota
	Form2
)

// MeterValues reads an array of meter values. The memory of all samples and all
// raw texts of a message is one piece each, so keeping one sample keeps them
// all; copy out what is to stay.
func (r *Reader) MeterValues(obj jsondoc.Node, path string, need Need, form Form) []MeterValue {
	n, many := r.list(obj, path, need)
	if !n.Exists() {
		return nil
	}
	before := r.Under(path)
	defer r.Back(before)
	m := meter{r: r, form: form}
	var buffer [256]byte
	if !many {
		raw, count := survey(n, buffer[:0])
		m.reserve(raw, 1, count)
		m.value(n)
		return m.values
	}
	raw, total := buffer[:0], 0
	for v := range n.All() {
		var count int
		raw, count = survey(v, raw)
		total += count
	}
	m.reserve(raw, n.Len(), total)
	for v := range n.All() {
		m.value(v)
	}
	return m.values
}

type meter struct {
	r       *Reader
	form    Form
	values  []MeterValue
	samples []Sample
	raw     string // the texts of all values that are still to come
}

// survey counts the samples of a meter value and collects their texts, in the
// order in which they will be read.
func survey(v jsondoc.Node, raw []byte) ([]byte, int) {
	n := Field(v, "/sampledValue")
	if n.Kind() == jsondoc.Object {
		return append(raw, n.Get("value").Text()...), 1
	}
	for s := range n.All() {
		raw = append(raw, s.Get("value").Text()...)
	}
	return raw, n.Len()
}

func (m *meter) reserve(raw []byte, values, samples int) {
	m.raw = string(raw)
	m.values = make([]MeterValue, 0, min(values, maxElements))
	m.samples = make([]Sample, 0, min(samples, maxElements))
}

func (m *meter) value(v jsondoc.Node) {
	if !m.r.take("") {
		return
	}
	if v.Kind() != jsondoc.Object {
		m.r.Quirk(ocppj.QuirkUnreadable, "/*", "meter value is a "+v.Kind().String())
		return
	}
	at := m.r.Time(v, "/*/timestamp", Required)
	from := len(m.samples)
	n, many := m.r.list(v, "/*/sampledValue", Required)
	switch {
	case many:
		for s := range n.All() {
			m.sample(s)
		}
	case n.Exists():
		m.sample(n)
	}
	m.values = append(m.values, MeterValue{At: at, Samples: m.samples[from:len(m.samples):len(m.samples)]})
}

func (m *meter) sample(n jsondoc.Node) {
	const at = "/*/sampledValue/*"
	if !m.r.take(at) {
		return
	}
	if n.Kind() != jsondoc.Object {
		m.r.Quirk(ocppj.QuirkUnreadable, at, "sample is a "+n.Kind().String())
		return
	}
	m.samples = append(m.samples, Sample{})
	s := &m.samples[len(m.samples)-1]
	var value jsondoc.Node
	for f := range n.All() {
		switch string(f.Key()) {
		case "value":
			value = f
		case "measurand":
			s.Measurand = m.word(f, at+"/measurand")
		case "phase":
			s.Phase = m.word(f, at+"/phase")
		case "location":
			s.Location = m.word(f, at+"/location")
		case "context":
			s.Context = m.word(f, at+"/context")
		case "unit":
			s.Unit = m.word(f, at+"/unit")
		case "format":
			s.Format = m.word(f, at+"/format")
		case "unitOfMeasure":
			m.unit(s, f)
		case "signedMeterValue":
			m.signed(s, f)
		}
	}
	defaults(s)
	m.number(s, value)
	length := len(value.Text())
	s.Raw, m.raw = m.raw[:length], m.raw[length:]
}

func (m *meter) word(n jsondoc.Node, path string) string {
	if n.Kind() == jsondoc.String {
		return intern(n.Text())
	}
	s, fit := n.String()
	m.r.judge(n, fit, path, Optional)
	return s
}

func (m *meter) number(s *Sample, n jsondoc.Node) {
	const at = "/*/sampledValue/*/value"
	if s.Format == "SignedData" {
		return
	}
	v, fit := n.Float()
	s.Value, s.OK = v, fit.OK() && s.Multiplier >= -maxPower && s.Multiplier <= maxPower
	// In 1.6 a text is right and a number is the quirk.
	switch {
	case m.form == Form16 && n.Kind() == jsondoc.String && fit.OK():
	case m.form == Form16 && n.Kind() == jsondoc.Number:
		m.r.Quirk(ocppj.QuirkWrongType, at, "given as number")
	default:
		m.r.judge(n, fit, at, Required)
	}
}

func (m *meter) unit(s *Sample, n jsondoc.Node) {
	const at = "/*/sampledValue/*/unitOfMeasure"
	if n.Kind() != jsondoc.Object {
		// A unit that stands alone is clear enough.
		s.Unit = m.word(n, at)
		if s.Unit != "" {
			m.r.Quirk(ocppj.QuirkWrongType, at, "given as "+n.Kind().String())
		}
		return
	}
	s.Unit = m.r.Word(n, at+"/unit", Optional)
	power := m.r.Int(n, at+"/multiplier", Optional)
	if power < -maxPower || power > maxPower {
		m.r.Quirk(ocppj.QuirkOutOfRange, at+"/multiplier", "no power of ten that a meter could mean")
	}
	s.Multiplier = int(min(max(power, -maxPower-1), maxPower+1))
}

func (m *meter) signed(s *Sample, n jsondoc.Node) {
	const at = "/*/sampledValue/*/signedMeterValue"
	switch n.Kind() {
	case jsondoc.Object:
	case jsondoc.Null:
		m.r.judge(n, jsondoc.NullValue, at, Optional)
		return
	default:
		m.r.judge(n, jsondoc.Unreadable, at, Optional)
		return
	}
	s.Signed = &Signed{
		Data:      m.r.Text(n, at+"/signedMeterData", Required),
		Method:    m.r.Text(n, at+"/signingMethod", Optional),
		Encoding:  m.r.Text(n, at+"/encodingMethod", Required),
		PublicKey: m.r.Text(n, at+"/publicKey", Optional),
	}
}

func defaults(s *Sample) {
	if s.Measurand == "" {
		s.Measurand = DefaultMeasurand
	}
	if s.Context == "" {
		s.Context = DefaultContext
	}
	if s.Location == "" {
		s.Location = DefaultLocation
	}
	if s.Format == "" {
		s.Format = DefaultFormat
	}
	if s.Unit == "" && strings.HasPrefix(s.Measurand, "Energy.") {
		s.Unit = DefaultUnit
	}
}
