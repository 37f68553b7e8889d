package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// soundtrack is the sound of a movie as its track lists it.
type soundtrack struct {
	stsd    []byte
	of      []int // for each description of pictures that of the sound, from 1; 0: none
	starts  int64 // ticks of the movie before the first of it
	lengths []uint32
	sizes   []uint32
	rows    []soundRow
}

// soundRow is sound that lies in one piece.
type soundRow struct {
	chunk, n, skip int // n of the sound of a chunk, behind so many that are left out
	description    int
}

// soundtrack lays the sound of all chunks beside the pictures: nil without any. Where
// there is none for a while, what came before it lasts longer; where it would lie on
// other sound it is left out.
func (m *Movie) soundtrack() (*soundtrack, error) {
	t := &soundtrack{of: make([]int, len(m.Inits)), starts: -1}
	b, at := open(nil, "stsd")
	b = u32(u32(b, 0), 0)
	count := 0
	for i, init := range m.Inits {
		one, err := soundDescription(init)
		if errors.Is(err, ErrSilent) {
			continue
		}
		if err != nil || len(one) < 16 || binary.BigEndian.Uint32(one[12:]) != 1 {
			return nil, fmt.Errorf("the description of sound: %w", ErrForm)
		}
		b = append(b, one[16:]...)
		count++
		t.of[i] = count
	}
	binary.BigEndian.PutUint32(b[at+12:], uint32(count))
	shut(b, at)
	t.stsd = b
	const slack = Scale / 10
	before := m.Skip + m.delay() // is not shown, and not heard
	var pictures, end int64
	for i, c := range m.Chunks {
		base := pictures
		for _, p := range c.Pictures {
			pictures += int64(p.Duration)
		}
		if t.of[c.Init] == 0 {
			continue
		}
		row := soundRow{chunk: i, description: t.of[c.Init]}
		next := base + c.SoundAt
		for _, h := range c.Sound {
			start := next
			next += int64(h.Duration)
			if start < before || t.starts >= 0 && start < end-slack {
				if row.n > 0 {
					break // it lies in one piece
				}
				row.skip++
				continue
			}
			switch {
			case t.starts < 0:
				t.starts = start - before
				end = start
			case start > end+slack:
				t.lengths[len(t.lengths)-1] += uint32(start - end)
				end = start
			}
			t.lengths = append(t.lengths, h.Duration)
			t.sizes = append(t.sizes, h.Size)
			end += int64(h.Duration)
			row.n++
		}
		if row.n > 0 {
			t.rows = append(t.rows, row)
		}
	}
	if len(t.sizes) == 0 {
		return nil, nil
	}
	return t, nil
}

func (m *Movie) soundTrak(b []byte, t *soundtrack, shown, made uint64, data int64) []byte {
	var length uint64
	for _, n := range t.lengths {
		length += uint64(n)
	}
	b, trak := open(b, "trak")
	b, tkhd := open(b, "tkhd")
	b = u64(u64(u32(b, 1<<24|3), made), made)
	b = u32(u32(b, soundTrack), 0)
	b = u64(b, min(shown, uint64(t.starts)+length))
	b = append(b, make([]byte, 12)...)
	b = u16(u16(b, 0x100), 0) // as loud as it is
	b = matrix(b)
	b = u32(u32(b, 0), 0)
	shut(b, tkhd)
	b, edts := open(b, "edts")
	b, elst := open(b, "elst")
	rows := uint32(1)
	if t.starts > 0 {
		rows = 2
	}
	b = u32(u32(b, 1<<24), rows)
	if t.starts > 0 {
		b = u64(u64(b, uint64(t.starts)), 1<<64-1) // nothing at first
		b = u32(b, 0x10000)
	}
	b = u64(u64(b, length), 0)
	b = u32(b, 0x10000)
	shut(b, elst)
	shut(b, edts)
	b, mdia := open(b, "mdia")
	b, mdhd := open(b, "mdhd")
	b = u64(u64(u32(b, 1<<24), made), made)
	b = u64(u32(b, Scale), length)
	b = u16(u16(b, 0x55c4), 0)
	shut(b, mdhd)
	b, hdlr := open(b, "hdlr")
	b = u32(u32(b, 0), 0)
	b = append(b, "soun"...)
	b = append(b, make([]byte, 12)...)
	b = append(b, "sound\x00"...)
	shut(b, hdlr)
	b, minf := open(b, "minf")
	b, smhd := open(b, "smhd")
	b = u64(b, 0)
	shut(b, smhd)
	b = here(b)
	b, stbl := open(b, "stbl")
	b = append(b, t.stsd...)
	b, stts := open(b, "stts")
	b = u32(u32(b, 0), 0)
	runs := uint32(0)
	for i := 0; i < len(t.lengths); {
		j := i
		for j < len(t.lengths) && t.lengths[j] == t.lengths[i] {
			j++
		}
		b = u32(u32(b, uint32(j-i)), t.lengths[i])
		runs++
		i = j
	}
	binary.BigEndian.PutUint32(b[stts+12:], runs)
	shut(b, stts)
	b, stsz := open(b, "stsz")
	b = u32(u32(u32(b, 0), 0), uint32(len(t.sizes)))
	for _, n := range t.sizes {
		b = u32(b, n)
	}
	shut(b, stsz)
	b, stsc := open(b, "stsc")
	b = u32(u32(b, 0), 0)
	count, last := uint32(0), soundRow{}
	for i, r := range t.rows {
		if i == 0 || r.n != last.n || r.description != last.description {
			b = u32(u32(u32(b, uint32(i+1)), uint32(r.n)), uint32(r.description))
			count++
		}
		last = r
	}
	binary.BigEndian.PutUint32(b[stsc+12:], count)
	shut(b, stsc)
	b, co64 := open(b, "co64")
	b = u32(u32(b, 0), uint32(len(t.rows)))
	chunk := 0
	for _, r := range t.rows {
		for ; chunk < r.chunk; chunk++ {
			data += m.Chunks[chunk].size(m.Blind)
		}
		at := data
		if !m.Blind {
			for _, p := range m.Chunks[chunk].Pictures {
				at += int64(p.Size)
			}
		}
		for _, h := range m.Chunks[chunk].Sound[:r.skip] {
			at += int64(h.Size)
		}
		b = u64(b, uint64(at))
	}
	shut(b, co64)
	shut(b, stbl)
	shut(b, minf)
	shut(b, mdia)
	shut(b, trak)
	return b
}

// here says that the data lies in the same file.
func here(b []byte) []byte {
	b, dinf := open(b, "dinf")
	b, dref := open(b, "dref")
	b = u32(u32(b, 0), 1)
	b, url := open(b, "url ")
	b = u32(b, 1)
	shut(b, url)
	shut(b, dref)
	shut(b, dinf)
	return b
}
