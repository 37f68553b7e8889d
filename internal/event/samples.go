package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Samples are measurements grouped by their time, oldest first as sent.
type Samples []SampleGroup

// SampleGroup is what was measured at one moment.
type SampleGroup struct {
	At     time.Time
	Values []Sample
}

// Sample is one measured value in the unit of its measurand: W, Wh, A, V, Hz,
// Celsius, Percent, var, varh, VA, VAh. Unit is set only where it is another.
type Sample struct {
	Measurand string
	Phase     string
	Location  string // empty means Outlet
	Context   string // empty means Sample.Periodic
	Unit      string
	Value     float64
}

// All yields every sample with its time.
func (s Samples) All() iter.Seq2[time.Time, Sample] {
	return func(yield func(time.Time, Sample) bool) {
		for _, g := range s {
			for _, v := range g.Values {
				if !yield(g.At, v) {
					return
				}
			}
		}
	}
}

// short names of the measurands that stations send most; the rest are written
// out. The table is storage format: entries are added, never changed.
func shortName(measurand string) string {
	switch measurand {
	case "Energy.Active.Import.Register":
		return "E"
	case "Power.Active.Import":
		return "P"
	case "Power.Offered":
		return "Po"
	case "Current.Import":
		return "I"
	case "Current.Offered":
		return "Io"
	case "Voltage":
		return "U"
	case "SoC":
		return "S"
	case "Temperature":
		return "T"
	case "Frequency":
		return "F"
	}
	return ""
}

func longName(short string) string {
	switch short {
	case "E":
		return "Energy.Active.Import.Register"
	case "P":
		return "Power.Active.Import"
	case "Po":
		return "Power.Offered"
	case "I":
		return "Current.Import"
	case "Io":
		return "Current.Offered"
	case "U":
		return "Voltage"
	case "S":
		return "SoC"
	case "T":
		return "Temperature"
	case "F":
		return "Frequency"
	}
	return short
}

// AppendText appends the compact text form that the journal stores:
//
//	groups   = group *( "|" group )
//	group    = unix-milliseconds *( " " sample )
//	sample   = name [ "/" phase ] [ "@" location ] [ "!" context ] [ "~" unit ] "=" value
//
// Names are the short ones of shortName or percent-encoded text; a word that is
// equal to a short name but means itself has its first byte encoded.
func (s Samples) AppendText(dst []byte) []byte {
	for i, g := range s {
		if i > 0 {
			dst = append(dst, '|')
		}
		ms := int64(0)
		if !g.At.IsZero() {
			ms = g.At.UnixMilli()
		}
		dst = strconv.AppendInt(dst, ms, 10)
		for _, v := range g.Values {
			dst = append(dst, ' ')
			switch short := shortName(v.Measurand); {
			case short != "":
				dst = append(dst, short...)
			case longName(v.Measurand) != v.Measurand: // a station's own word that looks like one of ours
				dst = append(appendByte(dst, v.Measurand[0]), v.Measurand[1:]...)
			default:
				dst = appendEscaped(dst, v.Measurand)
			}
			dst = appendPart(dst, '/', v.Phase)
			dst = appendPart(dst, '@', v.Location)
			dst = appendPart(dst, '!', v.Context)
			dst = appendPart(dst, '~', v.Unit)
			dst = append(dst, '=')
			dst = appendValue(dst, v.Value)
		}
	}
	return dst
}

func appendValue(dst []byte, v float64) []byte {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.AppendInt(dst, int64(v), 10)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, 64)
}

func appendPart(dst []byte, mark byte, text string) []byte {
	if text == "" {
		return dst
	}
	return appendEscaped(append(dst, mark), text)
}

func appendEscaped(dst []byte, text string) []byte {
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_':
			dst = append(dst, c)
		default:
			dst = appendByte(dst, c)
		}
	}
	return dst
}

// appendByte percent-encodes one byte.
func appendByte(dst []byte, c byte) []byte {
	const hex = "0123456789ABCDEF"
	return append(dst, '%', hex[c>>4], hex[c&15])
}

// ErrSamples is returned for text that is not the compact form.
var ErrSamples = errors.New("not in the form of stored samples")

// ParseSamples reads what AppendText wrote.
func ParseSamples(text string) (Samples, error) {
	if text == "" {
		return nil, nil
	}
	groups := make(Samples, 0, strings.Count(text, "|")+1)
	for part := range strings.SplitSeq(text, "|") {
		head, rest, _ := strings.Cut(part, " ")
		ms, err := strconv.ParseInt(head, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("time %q: %w", head, ErrSamples)
		}
		g := SampleGroup{}
		if ms != 0 {
			g.At = time.UnixMilli(ms).UTC()
		}
		if rest != "" {
			g.Values = make([]Sample, 0, strings.Count(rest, " ")+1)
			for item := range strings.SplitSeq(rest, " ") {
				v, err := parseSample(item)
				if err != nil {
					return nil, err
				}
				g.Values = append(g.Values, v)
			}
		}
		groups = append(groups, g)
	}
	return groups, nil
}

func parseSample(item string) (Sample, error) {
	name, value, ok := strings.Cut(item, "=")
	if !ok {
		return Sample{}, fmt.Errorf("sample %q: %w", item, ErrSamples)
	}
	var v Sample
	var err error
	if v.Value, err = strconv.ParseFloat(value, 64); err != nil {
		return Sample{}, fmt.Errorf("value %q: %w", value, ErrSamples)
	}
	for _, p := range []struct {
		mark string
		into *string
	}{{"~", &v.Unit}, {"!", &v.Context}, {"@", &v.Location}, {"/", &v.Phase}} {
		head, tail, found := strings.Cut(name, p.mark)
		if !found {
			continue
		}
		name = head
		if *p.into, err = url.PathUnescape(tail); err != nil {
			return Sample{}, fmt.Errorf("sample %q: %w", item, ErrSamples)
		}
	}
	if v.Measurand, err = url.PathUnescape(name); err != nil {
		return Sample{}, fmt.Errorf("sample %q: %w", item, ErrSamples)
	}
	if v.Measurand == name { // short names are never encoded
		v.Measurand = longName(name)
	}
	return v, nil
}

// MarshalJSON writes the compact form as one JSON string. Its alphabet needs
// no JSON escapes.
func (s Samples) MarshalJSON() ([]byte, error) {
	return append(s.AppendText([]byte{'"'}), '"'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Samples) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("read samples: %w", err)
	}
	parsed, err := ParseSamples(text)
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}
