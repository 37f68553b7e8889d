package app

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/chargewatch/chargewatch/internal/intake"
	sessions "github.com/chargewatch/chargewatch/internal/usage/past"
)

// findingWords are what is found in a file, in the words of the command line.
func findingWords(kind string) string {
	words := map[string]string{
		"datesSwapped": "day and month put in their place", "autumnHour": "ends in the hour that comes twice, taken as its second time",
		"springHour": "times that no clock showed, taken an hour later", "endFromDuration": "ends made of the duration",
		"endTrimmed": "ended when the next session began", "energyNegative": "negative energy, now unknown", "energyAbsurd": "more energy than can be, now unknown",
		"siteTidied": "spaces in names of sites", "siteMerged": "spellings of a site merged", "siteFilled": "site found by the station", "portAssumed": "no connector, taken as 1",
		"noStart": "no start", "noEnd": "no end", "end1970": "end in 1970", "endBeforeStart": "end before the start", "noStation": "no station", "noSite": "no site",
		"notMatched": "site left out", "tooLong": "longer than 92 days", "inFuture": "in the future", "overlap": "while another car was at the port",
		"wrongColumns": "other columns than the header", "lineTooLong": "line too long", "twice": "twice in the file", "here": "here by an import before", "watched": "recorded by this server",
		"longStay": "long stays", "zeroDuration": "without duration", "zeroEnergy": "without energy", "autumnUnclear": "in the hour that comes twice, taken as its first time",
		"latin1": "rows that are not UTF-8, read as Windows-1252", "blankLines": "empty lines", "headerAgain": "names of columns once more",
		"portsUnnamed": "ports counted by use, as the file names none", "hole": "holes: times of which the file says nothing, taken as not observed",
		"spellings": "pairs of sites that may be one place: --merge NAME=NAME", "datesUnclear": "dates that can be read in two ways",
	}
	return cmp.Or(words[kind], kind)
}

// tell prints what a file comes to.
func (o *importer) tell(p *intake.Preview) {
	c := p.Counts
	fmt.Fprintf(o.out, "%s: %s rows", p.Import.Name, grouped(int64(c.Rows)))
	if !c.From.IsZero() {
		fmt.Fprintf(o.out, ", %s to %s, %d ports at %d sites", c.From.Format("2006-01-02"), c.To.Format("2006-01-02"), c.Ports, len(p.Sites))
	}
	fmt.Fprintln(o.out)
	for _, f := range sessions.Fields() {
		if at, ok := p.Settings.Mapping.Columns[f]; ok {
			fmt.Fprintf(o.out, "  %-12s is %q\n", f, p.Form.Columns[at].Name)
		}
	}
	if c.Rows == 0 {
		return
	}
	if p.Before != nil {
		fmt.Fprintf(o.out, "This very file is import %d of %s already.\n", p.Before.ID, p.Before.MadeAt.Format("2006-01-02"))
	}
	class := func(title, name string, n int) {
		if n >= 0 {
			fmt.Fprintf(o.out, "%-12s %9s\n", title, grouped(int64(n)))
		} else if name != "" {
			fmt.Fprintln(o.out, title)
		}
		for _, f := range c.Findings {
			if f.Class != name {
				continue
			}
			fmt.Fprintf(o.out, "  %9s  %s", grouped(int64(f.Count)), findingWords(f.Kind))
			if len(f.Examples) > 0 {
				fmt.Fprint(o.out, ", such as", example(f.Examples[0]))
			}
			fmt.Fprintln(o.out)
		}
	}
	class("as they stand", "", c.Imported)
	class("repaired", "repaired", c.Repaired)
	class("quarantined", "quarantined", c.Quarantined)
	class("duplicates", "duplicate", c.Duplicates)
	for _, f := range c.Findings {
		if f.Class == "flagged" {
			class("taken and flagged:", "flagged", -1)
			break
		}
	}
	for _, f := range c.Findings {
		if f.Class == "note" {
			class("of the file:", "note", -1)
			break
		}
	}
	if c.Order != nil && c.Order.Swapped > 0 {
		fmt.Fprintf(o.out, "Day and month: %s. In the file's own time lie %s of the rows as written, %s as read; in its order %s and %s of the neighbours.\n",
			c.Order.Sure, percent(c.Order.InPeriodBefore), percent(c.Order.InPeriodAfter), percent(c.Order.InOrderBefore), percent(c.Order.InOrderAfter))
	}
}

func example(x sessions.Example) string {
	out := ""
	if x.Line > 0 {
		out = fmt.Sprintf(" line %d", x.Line)
	}
	switch {
	case x.Before != "" && x.After != "":
		return out + fmt.Sprintf(" (%s -> %s)", x.Before, x.After)
	case x.Before != "":
		return out + fmt.Sprintf(" (%s)", x.Before)
	}
	return out
}

func percent(v float64) string { return strconv.FormatFloat(100*v, 'f', 1, 64) + " %" }

// grouped writes a number so that it can be read.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// writeRows writes the rows that are not taken as they stand.
func (o *importer) writeRows(p *intake.Preview) (err error) {
	f, err := os.OpenFile(o.rows, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	names := []string{"line", "outcome", "reason"}
	for _, x := range sessions.Fields() {
		names = append(names, string(x))
	}
	var b strings.Builder
	b.WriteString(strings.Join(names, ",") + "\n")
	for _, l := range p.Lines() {
		fmt.Fprintf(&b, "%d,%s,%s,%s\n", l.Number, l.Outcome, l.Kind, l.Text)
	}
	if _, err := f.WriteString(b.String()); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	return nil
}
