package segment

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// Movie is a plain MP4 made of pictures as they were recorded, none encoded
// again. What a player needs to know lies before the pictures.
type Movie struct {
	From time.Time // of its first visible picture
	// Blind leaves the pictures out: what is left is the sound.
	Blind bool
	// Inits describe the pictures, in the order that chunks refer to.
	Inits  [][]byte
	Chunks []Chunk
	// Skip is how many ticks at the start are decoded and not shown.
	Skip int64
}

// Chunk is a row of pictures that lie behind each other, and the sound that lies
// behind them.
type Chunk struct {
	Init     int // of Inits
	Pictures []Picture
	Sound    []Heard
	// SoundAt is when the sound begins, in ticks since the first of the pictures.
	SoundAt int64
}

// size is how many bytes it takes, with sound; blind: without the pictures.
func (c *Chunk) size(blind bool) (n int64) {
	if !blind {
		for _, p := range c.Pictures {
			n += int64(p.Size)
		}
	}
	for _, h := range c.Sound {
		n += int64(h.Size)
	}
	return n
}

// macEpoch is how many seconds MP4 counts from before Unix does.
const macEpoch = 2082844800

// Head is everything before the pictures; size is that of all pictures.
func (m *Movie) Head() (head []byte, size int64, err error) {
	var count, length int64
	for _, c := range m.Chunks {
		for _, p := range c.Pictures {
			if !m.Blind {
				size += int64(p.Size)
			}
			length += int64(p.Duration)
			count++
		}
		for _, h := range c.Sound {
			size += int64(h.Size)
		}
	}
	if count == 0 || len(m.Inits) == 0 {
		return nil, 0, fmt.Errorf("no pictures: %w", ErrForm)
	}
	first, err := next(m.Inits[0])
	if err != nil {
		return nil, 0, err
	}
	tkhd, err := find(m.Inits[0], "moov", "trak", "tkhd")
	if err != nil || len(tkhd) != 92 {
		return nil, 0, fmt.Errorf("the size of pictures: %w", ErrForm)
	}
	stsd, err := m.descriptions()
	if err != nil {
		return nil, 0, err
	}
	sound, err := m.soundtrack()
	if err != nil {
		return nil, 0, err
	}
	if m.Blind && sound == nil {
		return nil, 0, ErrSilent
	}
	head = append(head, m.Inits[0][:first.size]...)
	// Offsets are as long whatever they are, so the size is known before them.
	moov := m.moov(tkhd[84:92], stsd, length, 0, sound)
	data := int64(len(head)+len(moov)) + 16
	head = append(head, m.moov(tkhd[84:92], stsd, length, data, sound)...)
	head = u32(head, 1) // a long size follows
	head = append(head, "mdat"...)
	return u64(head, uint64(size+16)), size, nil
}

// descriptions joins those of all pictures.
func (m *Movie) descriptions() ([]byte, error) {
	b, at := open(nil, "stsd")
	b = u32(b, 0)
	b = u32(b, uint32(len(m.Inits)))
	for _, init := range m.Inits {
		one, err := Description(init)
		if err != nil || len(one) < 16 || binary.BigEndian.Uint32(one[12:]) != 1 {
			return nil, fmt.Errorf("the description of pictures: %w", ErrForm)
		}
		b = append(b, one[16:]...)
	}
	shut(b, at)
	return b, nil
}

func matrix(b []byte) []byte {
	for _, v := range [9]uint32{0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000} {
		b = u32(b, v)
	}
	return b
}

func (m *Movie) moov(size, stsd []byte, length, data int64, sound *soundtrack) []byte {
	made := uint64(m.From.Unix() + macEpoch)
	shown := uint64(max(length-m.Skip, 1))
	b, moov := open(nil, "moov")
	b, mvhd := open(b, "mvhd")
	b = u64(u64(u32(b, 1<<24), made), made)
	b = u64(u32(b, Scale), shown)
	b = u32(b, 0x10000)
	b = append(b, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = matrix(b)
	b = append(b, make([]byte, 24)...)
	b = u32(b, 3)
	shut(b, mvhd)
	if !m.Blind {
		b = m.trak(b, size, stsd, length, shown, made, data)
	}
	if sound != nil {
		b = m.soundTrak(b, sound, shown, made, data)
	}
	shut(b, moov)
	return b
}

func (m *Movie) trak(b, size, stsd []byte, length int64, shown, made uint64, data int64) []byte {
	b, trak := open(b, "trak")
	b, tkhd := open(b, "tkhd")
	b = u64(u64(u32(b, 1<<24|3), made), made)
	b = u32(u32(b, 1), 0)
	b = u64(b, shown)
	b = append(b, make([]byte, 16)...)
	b = matrix(b)
	b = append(b, size...)
	shut(b, tkhd)
	b, edts := open(b, "edts")
	b, elst := open(b, "elst")
	b = u32(u32(b, 1<<24), 1)
	b = u64(u64(b, shown), uint64(m.Skip+m.delay()))
	b = u32(b, 0x10000)
	shut(b, elst)
	shut(b, edts)
	b, mdia := open(b, "mdia")
	b, mdhd := open(b, "mdhd")
	b = u64(u64(u32(b, 1<<24), made), made)
	b = u64(u32(b, Scale), uint64(length))
	b = u16(u16(b, 0x55c4), 0)
	shut(b, mdhd)
	b, hdlr := open(b, "hdlr")
	b = u32(u32(b, 0), 0)
	b = append(b, "vide"...)
	b = append(b, make([]byte, 12)...)
	b = append(b, "video\x00"...)
	shut(b, hdlr)
	b, minf := open(b, "minf")
	b, vmhd := open(b, "vmhd")
	b = u64(u32(b, 1), 0)
	shut(b, vmhd)
	b = here(b)
	b = m.stbl(b, stsd, data)
	shut(b, minf)
	shut(b, mdia)
	shut(b, trak)
	return b
}

// delay is how long after it is decoded the first picture is shown.
func (m *Movie) delay() int64 {
	least := int64(math.MaxInt64)
	n := 0
	at := int64(0)
	for _, c := range m.Chunks {
		for _, p := range c.Pictures {
			least = min(least, at+int64(p.Shift))
			at += int64(p.Duration)
			// No picture is shown before one that lies so many ahead of it.
			if n++; n > 32 {
				return max(least, 0)
			}
		}
	}
	return max(least, 0)
}

func (m *Movie) stbl(b, stsd []byte, data int64) []byte {
	b, stbl := open(b, "stbl")
	b = append(b, stsd...)
	b = m.pairs(b, "stts", 0, func(p Picture) uint32 { return p.Duration })
	b = m.pairs(b, "ctts", 1<<24, func(p Picture) uint32 { return uint32(p.Shift) })
	b, stss := open(b, "stss")
	b = u32(u32(b, 0), 0)
	keys, n := uint32(0), uint32(0)
	for _, c := range m.Chunks {
		for _, p := range c.Pictures {
			if n++; p.Key {
				keys++
				b = u32(b, n)
			}
		}
	}
	binary.BigEndian.PutUint32(b[stss+12:], keys)
	shut(b, stss)
	b, stsz := open(b, "stsz")
	b = u32(u32(u32(b, 0), 0), n)
	for _, c := range m.Chunks {
		for _, p := range c.Pictures {
			b = u32(b, p.Size)
		}
	}
	shut(b, stsz)
	b, stsc := open(b, "stsc")
	b = u32(u32(b, 0), 0)
	rows, pictures, init := uint32(0), -1, -1
	for i, c := range m.Chunks {
		if len(c.Pictures) != pictures || c.Init != init {
			pictures, init = len(c.Pictures), c.Init
			rows++
			b = u32(u32(u32(b, uint32(i+1)), uint32(pictures)), uint32(init+1))
		}
	}
	binary.BigEndian.PutUint32(b[stsc+12:], rows)
	shut(b, stsc)
	b, co64 := open(b, "co64")
	b = u32(u32(b, 0), uint32(len(m.Chunks)))
	for _, c := range m.Chunks {
		b = u64(b, uint64(data))
		data += c.size(false)
	}
	shut(b, co64)
	shut(b, stbl)
	return b
}

// pairs writes a table of how many pictures in a row have the same value.
func (m *Movie) pairs(b []byte, kind string, version uint32, of func(Picture) uint32) []byte {
	b, at := open(b, kind)
	b = u32(u32(b, version), 0)
	rows, run, value := uint32(0), uint32(0), uint32(0)
	flush := func() {
		if run > 0 {
			rows++
			b = u32(u32(b, run), value)
		}
	}
	for _, c := range m.Chunks {
		for _, p := range c.Pictures {
			if v := of(p); run == 0 || v != value {
				flush()
				run, value = 0, v
			}
			run++
		}
	}
	flush()
	binary.BigEndian.PutUint32(b[at+12:], rows)
	shut(b, at)
	return b
}
