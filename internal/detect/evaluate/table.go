package evaluate

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// WriteTable writes a score for people, in Markdown.
func (s *Score) WriteTable(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "| figure | value |\n|---|---|\n")
	fmt.Fprintf(b, "| station-days | %.0f |\n", s.StationDays)
	fmt.Fprintf(b, "| S1 and S2: missed of those put in | %d of %d |\n", s.UrgentMissed, s.UrgentLabels)
	fmt.Fprintf(b, "| S1 and S2 false per 1,000 station-days | %.2f |\n", s.Per1000(s.FalseUrgent))
	fmt.Fprintf(b, "| S3 false per 1,000 station-days | %.2f |\n", s.Per1000(s.FalseS3))
	if s.Notices > 0 {
		fmt.Fprintf(b, "| people interrupted per 1,000 station-days | %.2f |\n", s.Per1000(s.Notices))
	}
	if s.Notices > 0 {
		fmt.Fprintf(b, "| of the S1 and S2 put in: called for, taken before they were urgent, neither | %d, %d, %d |\n", s.Called, s.InHand, s.Silent)
	}
	fmt.Fprintf(b, "| drivers who failed before it was found: median, p95 | %d, %d |\n", Median(s.Failed), Quantile(s.Failed, 0.95))
	if s.Remedies != nil {
		s.Remedies.write(b)
	}
	fmt.Fprintf(b, "\n| detector | true | beside | false | precision | found | of | recall | delay median | p95 |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for i := range s.Detectors {
		d := &s.Detectors[i]
		fmt.Fprintf(b, "| %s | %d | %d | %d | %.2f | %d | %d | %.2f | %s | %s |\n", d.ID, d.True, d.Beside, d.False, d.Precision(), d.Found, d.Labels, d.Recall(),
			short(Median(d.Delays), len(d.Delays)), short(Quantile(d.Delays, 0.95), len(d.Delays)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func short(d time.Duration, n int) string {
	switch {
	case n == 0:
		return ""
	case d < time.Minute:
		return d.Round(time.Second).String()
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}

// WriteFaults lists what to work on: what was missed, and what was false, by
// detector.
func (s *Score) WriteFaults(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "## Missed\n\n")
	for i := range s.Missed {
		l := &s.Missed[i]
		fmt.Fprintf(b, "- %s %s (%s): %s %s to %s: %s\n", strings.Join(l.Detectors, "/"), l.Scenario, l.Severity, l.Subjects[0],
			l.From.Format("01-02 15:04"), l.To.Format("01-02 15:04"), l.About)
	}
	fmt.Fprintf(b, "\n## False\n\n")
	list := slices.Clone(s.False)
	slices.SortStableFunc(list, func(a, b False) int { return cmp.Compare(a.Detector, b.Detector) })
	type sort struct{ detector, code, severity, fell string }
	count := make(map[sort]int)
	example := make(map[sort]*False)
	var order []sort
	for i := range list {
		f := &list[i]
		k := sort{f.Detector, f.Code, f.Severity, "ordinary life"}
		if f.Fell != nil {
			k.fell = f.Fell.Scenario
		}
		if count[k] == 0 {
			order, example[k] = append(order, k), f
		}
		count[k]++
	}
	for _, k := range order {
		f := example[k]
		fmt.Fprintf(b, "- %s %s %s: %d at %s, as %s at %s%s\n", k.detector, k.code, k.severity, count[k], k.fell, f.Subject, f.At.Format("01-02 15:04"), f.Facts)
	}
	fmt.Fprintf(b, "\n## Drivers who failed before it was found\n\n")
	for _, k := range slices.Sorted(maps.Keys(s.FailedAt)) {
		fmt.Fprintf(b, "- %s: %s\n", k, strings.Trim(fmt.Sprint(s.FailedAt[k]), "[]"))
	}
	if m := s.Remedies; m != nil && m.Vain > 0 {
		fmt.Fprintf(b, "\n## Resets in vain\n\n")
		for _, k := range slices.Sorted(maps.Keys(m.VainAt)) {
			fmt.Fprintf(b, "- %s: %d\n", k, m.VainAt[k])
		}
	}
	if m := s.Remedies; m != nil && m.Resets > 0 {
		fmt.Fprintf(b, "\n## Resets by what asked for them\n\n")
		for _, k := range slices.Sorted(maps.Keys(m.DoneBy)) {
			fmt.Fprintf(b, "- %s: %d, in vain %d\n", k, m.DoneBy[k], m.VainBy[k])
		}
	}
	fmt.Fprintf(b, "\n## Calls by cause\n\n")
	calls, where := make(map[string]int), make(map[string][]string)
	for i := range s.Calls {
		n := &s.Calls[i]
		cause, again := cmp.Or(n.Label, "ordinary life"), ""
		if n.Again {
			again = ", again"
		}
		k := fmt.Sprintf("%s%s: %s %s %s", cause, again, n.Severity, n.Change, n.Kind)
		calls[k]++
		if len(where[k]) < 3 {
			where[k] = append(where[k], fmt.Sprintf("%s at %s", n.Subject, n.At.Format("01-02 15:04")))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(calls)) {
		fmt.Fprintf(b, "- %s: %d, as %s\n", k, calls[k], strings.Join(where[k], ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
