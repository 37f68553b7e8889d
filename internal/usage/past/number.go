package past

import (
	"math"
	"strconv"
	"strings"
)

// parseNumber reads a number with its decimal mark; the other mark separates
// thousands. A unit behind it is left to the caller.
func parseNumber(s string, decimal byte) (v float64, unit string, ok bool) {
	s = strings.TrimSpace(s)
	i := 0
	var b strings.Builder
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= '0' && c <= '9', c == '-' && b.Len() == 0, (c == 'e' || c == 'E') && i+1 < len(s) && (s[i+1] == '-' || s[i+1] == '+'):
			b.WriteByte(c)
			if c == 'e' || c == 'E' {
				i++
				b.WriteByte(s[i])
			}
			continue
		case c == '+' && b.Len() == 0:
			continue
		case c == decimal:
			b.WriteByte('.')
			continue
		case (c == '.' || c == ',' || c == '\'' || c == ' ') && i > 0 && digits(s[i+1:]) >= 3:
			continue // thousands
		}
		break
	}
	v, err := strconv.ParseFloat(b.String(), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return math.NaN(), "", false
	}
	return v, strings.ToLower(strings.TrimSpace(s[i:])), true
}

// decimalOf finds the decimal mark of a column's values.
func decimalOf(values []string) byte {
	points, commas := 0, 0
	for _, s := range values {
		p, c := strings.LastIndexByte(s, '.'), strings.LastIndexByte(s, ',')
		switch {
		case p >= 0 && c >= 0 && p > c:
			points += 2
		case p >= 0 && c >= 0:
			commas += 2
		case p >= 0 && digits(s[p+1:]) != 3:
			points++
		case c >= 0 && digits(s[c+1:]) != 3:
			commas++
		case c >= 0 && strings.TrimLeft(s[:c], "-0") == "": // 0,125 has no thousands
			commas++
		case p >= 0 && strings.TrimLeft(s[:p], "-0") == "":
			points++
		}
	}
	if commas > points {
		return ','
	}
	return '.'
}

// Units of energy and time, in Wh and seconds.
func energyUnit(unit string) (float64, bool) {
	switch strings.ToLower(unit) {
	case "wh":
		return 1, true
	case "kwh":
		return 1e3, true
	case "mwh":
		return 1e6, true
	}
	return 0, false
}

func timeUnit(unit string) (float64, bool) {
	switch strings.ToLower(unit) {
	case "s", "sec", "secs", "second", "seconds", "sek", "sekunden":
		return 1, true
	case "min", "mins", "minute", "minutes", "minuten", "m":
		return 60, true
	case "h", "hour", "hours", "std", "stunden", "hrs":
		return 3600, true
	case "hms":
		return 0, true
	}
	return 0, false
}

// parseDuration reads 1:28:23, 2 days 01:00:00, PT1H28M, 88 min or a number of a unit.
func parseDuration(s string, decimal byte, unit float64) (ms int64, ok bool) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "PT") || strings.HasPrefix(s, "P0DT") {
		return parseISODuration(s[strings.IndexByte(s, 'T')+1:])
	}
	if strings.IndexByte(s, ':') > 0 {
		day := int64(0)
		if head, tail, found := strings.Cut(s, " "); found && strings.IndexByte(head, ':') < 0 {
			n, err := strconv.ParseInt(head, 10, 32)
			if err != nil || n < 0 || n > 10000 {
				return 0, false
			}
			day, s = n, tail[strings.LastIndexByte(tail, ' ')+1:]
		}
		parts := strings.Split(s, ":")
		if len(parts) > 3 {
			return 0, false
		}
		total := 0.0
		for i, p := range parts {
			v, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
			if err != nil || v < 0 || !(v < 1e7) || i > 0 && v >= 61 {
				return 0, false
			}
			total = total*60 + v
		}
		if len(parts) == 2 { // hours and minutes
			total *= 60
		}
		return day*86400000 + int64(math.Round(total*1000)), true
	}
	v, own, ok := parseNumber(s, decimal)
	if !ok || math.Abs(v) > 1e10 {
		return 0, false
	}
	if u, known := timeUnit(own); known && u > 0 {
		unit = u
	} else if own != "" {
		return 0, false
	}
	if unit == 0 {
		unit = 60
	}
	return int64(math.Round(v * unit * 1000)), true
}

func parseISODuration(s string) (int64, bool) {
	total := 0.0
	for s != "" {
		i := strings.IndexAny(s, "HMS")
		if i <= 0 {
			return 0, false
		}
		v, err := strconv.ParseFloat(s[:i], 64)
		if err != nil || !(v >= 0 && v < 1e8) {
			return 0, false
		}
		switch s[i] {
		case 'H':
			v *= 3600
		case 'M':
			v *= 60
		}
		total += v
		s = s[i+1:]
	}
	return int64(math.Round(total * 1000)), true
}

// ratedOf reads a rated power in W: a number of kW, or a text that names it, such as
// "7kW dual outlet".
func ratedOf(s string, decimal byte) float64 {
	if v, unit, ok := parseNumber(s, decimal); ok {
		switch {
		case unit == "w" || unit == "" && v >= 1000:
			return bounded(v)
		case unit == "" || strings.HasPrefix(unit, "kw"):
			return bounded(v * 1000)
		}
	}
	low := strings.ToLower(s)
	for i := strings.Index(low, "kw"); i > 0; {
		j := i
		for j > 0 && low[j-1] == ' ' {
			j--
		}
		end := j
		for j > 0 && (low[j-1] >= '0' && low[j-1] <= '9' || low[j-1] == '.' || low[j-1] == ',') {
			j--
		}
		if v, err := strconv.ParseFloat(strings.ReplaceAll(low[j:end], ",", "."), 64); err == nil {
			return bounded(v * 1000)
		}
		next := strings.Index(low[i+2:], "kw")
		if next < 0 {
			break
		}
		i += 2 + next
	}
	return math.NaN()
}

func bounded(w float64) float64 {
	if w >= 1000 && w <= 5e6 {
		return w
	}
	return math.NaN()
}

// portOf reads the number of a connector: 2, "Connector 2", B.
func portOf(s string) (int, bool) {
	if s == "" {
		return 0, false
	}
	if len(s) == 1 {
		if c := s[0] | 0x20; c >= 'a' && c <= 'z' {
			if n := int(c-'a') + 1; n <= maxPort {
				return n, true
			}
		}
	}
	end := len(s)
	for end > 0 && (s[end-1] < '0' || s[end-1] > '9') {
		end--
	}
	from := end
	for from > 0 && s[from-1] >= '0' && s[from-1] <= '9' {
		from--
	}
	n, err := strconv.Atoi(s[from:end])
	if err != nil || n < 1 || n > maxPort || strings.Trim(s[end:], " )].0") != "" && from > 0 {
		return 0, false
	}
	return n, true
}
