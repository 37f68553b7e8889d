package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// stay is a car plugged in, as a published set has it.
type stay struct {
	site, post, model string
	from, to          time.Time
	kWh               float64 // NaN: the set has none
	kW                float64 // at which it is taken to have charged
}

// charged is when it is taken to have stopped charging.
func (s *stay) charged() time.Time {
	return earlier(s.to, s.from.Add(time.Duration(s.kWh/s.kW*float64(time.Hour))))
}

func rows(path string, each func(field func(name string) string) error) (err error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return fmt.Errorf("data: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r := csv.NewReader(f)
	head, err := r.Read()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := each(func(name string) string { return rec[slices.Index(head, name)] }); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
}

// dundee reads the public posts of Dundee. Rows without a usable time are left
// out; the power is that of the model.
func dundee(dir string) ([]stay, error) {
	var out []stay
	err := rows(filepath.Join(dir, "dundee", "sessions.csv"), func(field func(string) string) error {
		switch field("flag") {
		case "over_24h", "no_end", "end_before_start", "no_station", "zero_duration":
			return nil
		}
		from, err := time.Parse(time.RFC3339, field("start_utc"))
		if err != nil {
			return err
		}
		to, err := time.Parse(time.RFC3339, field("end_utc"))
		if err != nil {
			return err
		}
		kWh, err := strconv.ParseFloat(field("energy_kwh"), 64)
		if err != nil || kWh < 0 || kWh > 100 {
			kWh = 0
		}
		site := field("site")
		if !strings.Contains(site, "TEST") {
			site, _, _ = strings.Cut(site, ",")
		}
		kW := 50.0
		switch {
		case strings.Contains(field("model"), "7kW"):
			kW = 7.4
		case strings.Contains(field("model"), "22kW"):
			kW = 22
		}
		out = append(out, stay{site: site, post: field("cp_id"), model: field("model"), from: from, to: to, kWh: kWh, kW: kW})
		return nil
	})
	return out, err
}

// trondheim reads the garages; each user has a place of their own, so there are
// as many ports as users. Its power is not published: 7.2 kW is taken.
func trondheim(dir string) ([]stay, error) {
	zone, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		return nil, fmt.Errorf("zone: %w", err)
	}
	var out []stay
	err = rows(filepath.Join(dir, "trondheim-residential", "sessions.csv"), func(field func(string) string) error {
		from, err := time.ParseInLocation("2006-01-02 15:04", field("start_local"), zone)
		if err != nil {
			return err
		}
		to, err := time.ParseInLocation("2006-01-02 15:04", field("end_local"), zone)
		if err != nil || !to.After(from) {
			return nil
		}
		kWh, err := strconv.ParseFloat(field("energy_kwh"), 64)
		if err != nil {
			kWh = 0
		}
		out = append(out, stay{site: field("garage"), post: field("user"), from: from, to: to, kWh: kWh, kW: 7.2})
		return nil
	})
	return out, err
}

// hamburg reads what statuses told: no energy.
func hamburg(dir string) ([]stay, error) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return nil, fmt.Errorf("zone: %w", err)
	}
	var out []stay
	err = rows(filepath.Join(dir, "hamburg", "sessions.csv"), func(field func(string) string) error {
		from, err := time.ParseInLocation(time.DateTime, field("start_local"), zone)
		if err != nil {
			return err
		}
		to, err := time.ParseInLocation(time.DateTime, field("end_local"), zone)
		if err != nil || !to.After(from) {
			return nil
		}
		out = append(out, stay{site: field("location_id"), post: field("charger_id"), from: from, to: to, kWh: math.NaN()})
		return nil
	})
	return out, err
}

// quarters sums the stays into quarters of an hour: mean cars plugged in and kWh.
func quarters(stays []stay, from, to time.Time) (busy, kWh []float64) {
	n := int(to.Sub(from) / (15 * time.Minute))
	busy, kWh = make([]float64, n), make([]float64, n)
	add := func(into []float64, a, b time.Time, rate float64) {
		x := max(0, a.Sub(from).Minutes()/15)
		y := min(float64(n), b.Sub(from).Minutes()/15)
		for i := int(x); float64(i) < y; i++ {
			into[i] += rate * (min(y, float64(i+1)) - max(x, float64(i)))
		}
	}
	for _, s := range stays {
		add(busy, s.from, s.to, 1)
		if s.kWh > 0 && s.kW > 0 {
			end := s.charged()
			rate := s.kWh / (end.Sub(s.from).Minutes() / 15)
			add(kWh, s.from, end, rate)
		}
	}
	return busy, kWh
}

func hourly(quarter []float64, sum bool) []float64 {
	out := make([]float64, len(quarter)/4)
	for i := range out {
		for _, x := range quarter[4*i : 4*i+4] {
			out[i] += x
		}
		if !sum {
			out[i] /= 4
		}
	}
	return out
}

// latest is the last quarter of each hour.
func latest(quarter []float64, by float64) []float64 {
	out := make([]float64, len(quarter)/4)
	for i := range out {
		out[i] = by * quarter[4*i+3]
	}
	return out
}
