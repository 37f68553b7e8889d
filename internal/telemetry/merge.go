package telemetry

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/chargewatch/chargewatch/internal/telemetry/block"
)

// What a block of one hour keeps of a port that sends more than any meter
// should: two samples a second in each column.
const (
	maxRows  = 7200
	rowEvery = 500 // ms
)

// merger puts samples of one port and one hour together from any number of
// parts in any order. Where two values claim the same moment of a column the
// larger one stays, so that the order of the parts never matters.
type merger struct {
	hour    int64
	keys    [][]byte // as stored, parallel to columns
	columns []block.Column
	sorted  []bool
	dropped int
}

func (m *merger) reset(hour int64) {
	m.hour = hour
	m.keys, m.columns, m.sorted, m.dropped = m.keys[:0], m.columns[:0], m.sorted[:0], 0
}

// column finds the column of a stored key; guess is where it was the last time.
func (m *merger) column(raw []byte, guess int) (int, bool) {
	if guess < len(m.keys) && bytes.Equal(m.keys[guess], raw) {
		return guess, true
	}
	for i, k := range m.keys {
		if bytes.Equal(k, raw) {
			return i, true
		}
	}
	key, _, err := block.ReadKey(raw)
	if err != nil || len(m.columns) == block.MaxColumns {
		m.dropped++
		return 0, false
	}
	m.keys = append(m.keys, raw)
	m.sorted = append(m.sorted, true)
	// Room that an earlier use left behind is taken again.
	if n := len(m.columns); n < cap(m.columns) {
		m.columns = m.columns[:n+1]
		c := &m.columns[n]
		c.Key, c.Times, c.Values = key, c.Times[:0], c.Values[:0]
	} else {
		m.columns = append(m.columns, block.Column{Key: key})
	}
	return len(m.columns) - 1, true
}

func (m *merger) add(i int, at int64, v float64) {
	c := &m.columns[i]
	if n := len(c.Times); n > 0 && at <= c.Times[n-1] {
		m.sorted[i] = false
	}
	c.Times, c.Values = append(c.Times, at), append(c.Values, v)
}

// records adds what the hot tail holds; want nil takes every column.
func (m *merger) records(data []byte, want func(block.Key) bool) error {
	for len(data) > 0 {
		offset, n := binary.Varint(data)
		if n <= 0 {
			return errChunk
		}
		data = data[n:]
		count, n := binary.Uvarint(data)
		if n <= 0 || count > uint64(len(data)) {
			return errChunk
		}
		data = data[n:]
		at := m.hour*hourMillis + offset
		guess := 0
		for range count {
			size, ok := keySize(data)
			if !ok {
				return errChunk
			}
			raw := data[:size]
			v, rest, ok := readValue(data[size:])
			if !ok {
				return errChunk
			}
			data = rest
			if want != nil {
				key, _, err := block.ReadKey(raw)
				if err != nil {
					return errChunk
				}
				if !want(key) {
					continue
				}
			}
			if i, ok := m.column(raw, guess); ok {
				m.add(i, at, v)
				guess = i + 1
			}
		}
	}
	return nil
}

// keySize is the length of the key at the front; nearly all take two bytes.
func keySize(data []byte) (int, bool) {
	if len(data) > 2 && data[0] != 0 && data[1] < 0x70 && data[1]&0x0f != 0x0f {
		return 2, true
	}
	_, rest, err := block.ReadKey(data)
	return len(data) - len(rest), err == nil
}

// blocks adds decoded columns.
func (m *merger) blocks(columns []block.Column) {
	for _, c := range columns {
		i, ok := m.column(c.Key.Append(nil), len(m.columns))
		if !ok {
			continue
		}
		for n, at := range c.Times {
			m.add(i, at, c.Values[n])
		}
	}
}

// finish returns the columns in order of key, each in order of time without
// doubles. They are valid until reset.
func (m *merger) finish() []block.Column {
	total := 0
	for i := range m.columns {
		c := &m.columns[i]
		if !m.sorted[i] {
			sortColumn(c)
		}
		if len(c.Times) > maxRows {
			m.dropped += thin(c)
		}
		total += len(c.Times)
	}
	slices.SortFunc(m.columns, func(a, b block.Column) int { return a.Key.Compare(b.Key) })
	for total > block.MaxSamples {
		last := len(m.columns) - 1
		total -= len(m.columns[last].Times)
		m.dropped += len(m.columns[last].Times)
		m.columns = m.columns[:last]
	}
	// The keys no longer stand beside their columns.
	m.keys, m.sorted = m.keys[:0], m.sorted[:0]
	return m.columns
}

func sortColumn(c *block.Column) {
	order := make([]int, len(c.Times))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case c.Times[a] != c.Times[b]:
			return int(c.Times[a] - c.Times[b])
		case c.Values[a] > c.Values[b]:
			return -1
		case c.Values[a] < c.Values[b]:
			return 1
		}
		return 0
	})
	times, values := make([]int64, 0, len(order)), make([]float64, 0, len(order))
	for _, i := range order {
		if n := len(times); n > 0 && times[n-1] == c.Times[i] {
			continue
		}
		times, values = append(times, c.Times[i]), append(values, c.Values[i])
	}
	c.Times, c.Values = times, values
}

// thin keeps the first sample of each half second.
func thin(c *block.Column) (dropped int) {
	kept := 0
	for i, at := range c.Times {
		if kept > 0 && at/rowEvery == c.Times[kept-1]/rowEvery {
			continue
		}
		c.Times[kept], c.Values[kept] = at, c.Values[i]
		kept++
	}
	dropped = len(c.Times) - kept
	c.Times, c.Values = c.Times[:kept], c.Values[:kept]
	return dropped
}
