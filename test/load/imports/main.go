// Command imports measures the import of past sessions: whether everything that is
// wrong with files of public data is found, and what an import costs those who wait
// for the journal meanwhile.
//
//	go run ./test/load/imports --data ../shared/data
package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/usage/past"
	"github.com/chargewatch/chargewatch/internal/usage/past/pasttest"
)

func main() {
	data := flag.String("data", "../shared/data", "`FOLDER` of public data sets")
	rows := flag.Int("rows", 400_000, "rows imported while the journal is at work")
	flag.Parse()
	if err := measure(context.Background(), *data, *rows); err != nil {
		log.Fatal(err)
	}
}

func measure(ctx context.Context, data string, rows int) error {
	fmt.Printf("# Import of past sessions\n\n%s, %d cores, %s\n\n", runtime.Version(), runtime.NumCPU(), time.Now().UTC().Format(time.RFC3339))
	clean, err := dundee(filepath.Join(data, "dundee", "sessions.csv"))
	if err != nil {
		return err
	}
	if err := dirty(clean); err != nil {
		return err
	}
	fmt.Print("\n## Whole files\n\n| file | rows | as they stand | repaired | left out | duplicates | ports | kWh | time |\n|---|---|---|---|---|---|---|---|---|\n")
	for name, zone := range map[string]string{"dundee": "Europe/London", "hamburg": "Europe/Berlin", "trondheim-residential": "Europe/Oslo"} {
		if err := whole(filepath.Join(data, name, "sessions.csv"), name, zone); err != nil {
			return err
		}
	}
	return beside(ctx, rows)
}

// dundee reads the cleaned sessions: the truth behind the files that are made of them.
func dundee(name string) (out []pasttest.Clean, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the data: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r := csv.NewReader(f)
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	at := func(row []string, column string) string { return row[slices.Index(head, column)] }
	last := make(map[string]time.Time)
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		start, err1 := time.Parse(time.RFC3339, at(row, "start_utc"))
		end, err2 := time.Parse(time.RFC3339, at(row, "end_utc"))
		kWh, err3 := strconv.ParseFloat(at(row, "energy_kwh"), 64)
		id, err4 := strconv.Atoi(at(row, "session_id"))
		port, err5 := strconv.Atoi(at(row, "connector"))
		if errors.Join(err1, err2, err3, err4, err5) != nil || kWh <= 0 || kWh > 100 || !end.After(start) || end.Sub(start) > 5*24*time.Hour || at(row, "cp_id") == "" || at(row, "site") == "" {
			continue // dirt of its own: what is true of it nobody knows
		}
		key := at(row, "cp_id") + "/" + at(row, "connector")
		if start.Before(last[key]) {
			continue
		}
		last[key] = end
		out = append(out, pasttest.Clean{
			ID: id, Site: at(row, "site"), Station: at(row, "cp_id"), Port: port, Start: start, End: end, KWh: kWh, Model: at(row, "model"),
		})
	}
}

// dirty makes raw files of clean sessions and compares what is found with what is true.
func dirty(clean []pasttest.Clean) error {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		return fmt.Errorf("load the zone: %w", err)
	}
	files := pasttest.Make(clean, pasttest.Options{Seed: 20260501, Zone: london, Files: 4, Swapped: func(n int) bool { return n < 3 }})
	there, hit, wrong := map[past.Kind]int{}, map[past.Kind]int{}, map[past.Kind]int{}
	var turned, turnedRight, turnedWrong, times, sessions, rows int
	for _, f := range files {
		x, err := examine(f.Data, london)
		if err != nil {
			return err
		}
		rows += x.Rows
		for k, n := range f.WantAll {
			there[k] += n
		}
		for _, l := range x.Lines {
			if l.Outcome == past.Quarantined || l.Outcome == past.Duplicate {
				if f.Want[l.Number] == l.Kind {
					hit[l.Kind]++
				} else {
					wrong[l.Kind]++
				}
			}
		}
		for _, is := range f.Turned {
			if is {
				turned++
			}
		}
		for i := range x.Len() {
			s := x.Session(i)
			sessions++
			flags := strings.Split(s.Flag, ",")
			switch said := slices.Contains(flags, past.DatesSwapped.String()); {
			case said && f.Turned[s.Line]:
				turnedRight++
			case said:
				turnedWrong++
			}
			if want := f.True[s.Line]; s.Start.Equal(want[0]) && (want[1].IsZero() || s.End.Equal(want[1])) {
				times++
			}
			for _, k := range []past.Kind{past.EnergyNegative, past.EnergyAbsurd, past.EndTrimmed, past.LongStay, past.SiteTidied, past.AutumnHour} {
				if !slices.Contains(flags, k.String()) {
					continue
				}
				if f.Want[s.Line] == k {
					hit[k]++
				} else {
					wrong[k]++
				}
			}
		}
	}
	fmt.Printf("## Raw files made of Dundee (%d rows in 4 files, 3 of them with day and month swapped)\n\n", rows)
	fmt.Printf("Dates that stood swapped: %d; put right %d (recall %.4f), turned wrongly %d (precision %.4f).\nSessions at their true time: %d of %d.\n\n",
		turned, turnedRight, share(turnedRight, turned), turnedWrong, share(turnedRight, turnedRight+turnedWrong), times, sessions)
	fmt.Print("| dirt | there | found as that | others found as that |\n|---|---|---|---|\n")
	for _, k := range past.Kinds() {
		if there[k] > 0 {
			fmt.Printf("| %s | %d | %d | %d |\n", k, there[k], hit[k], wrong[k])
		}
	}
	return nil
}

func share(n, of int) float64 {
	if of == 0 {
		return 1
	}
	return float64(n) / float64(of)
}

func examine(data []byte, zone *time.Location) (*past.Examination, error) {
	form, err := past.Look(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return past.Examine(form, form.Guess, past.Options{
		Open: func() (io.Reader, error) { return bytes.NewReader(data), nil }, Zone: zone, Now: time.Now(), Lines: 1 << 20,
	})
}

// whole reads a set as it is at hand.
func whole(name, title, zone string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read the data: %w", err)
	}
	z, err := time.LoadLocation(zone)
	if err != nil {
		return fmt.Errorf("load the zone: %w", err)
	}
	begun := time.Now()
	x, err := examine(data, z)
	if err != nil {
		return err
	}
	fmt.Printf("| %s | %d | %d | %d | %d | %d | %d | %.0f | %s |\n", title, x.Rows, x.Outcomes[past.Imported], x.Outcomes[past.Repaired],
		x.Outcomes[past.Quarantined], x.Outcomes[past.Duplicate], x.Ports, x.EnergyWh/1000, time.Since(begun).Round(time.Millisecond))
	return nil
}
