package segment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// Sample is one picture of a part to be written.
type Sample struct {
	Unit     *stream.Unit
	Duration uint32 // ticks
}

// Sizes of the boxes whose length does not depend on their content.
const (
	prftSize = 32
	mfhdSize = 16
	tfhdSize = 16
	tfdtSize = 20
	trunHead = 20
	perPic   = 16
	// Where, counted from the start of a part, its base time lies.
	prftBase = 24
	tfdtBase = prftSize + 8 + mfhdSize + 8 + tfhdSize + 12
)

const (
	keyFlags   = 0x02000000 // depends on no other
	deltaFlags = 0x01010000 // depends on others, no key picture
)

// AppendPart writes pictures that follow each other: when the first was taken,
// where each lies, and the pictures; then the sound that came with them. base counts
// from the first of the file.
func AppendPart(dst []byte, number uint32, base int64, samples []Sample, sound []Sound) []byte {
	first := samples[0].Unit
	dst, prft := open(dst, "prft")
	dst = u32(dst, 1<<24|24) // version 1; the time is that of capture
	dst = u32(dst, pictureTrack)
	dst = u64(dst, toNTP(first.At))
	dst = u64(dst, uint64(base))
	shut(dst, prft)

	dst, moof := open(dst, "moof")
	dst, mfhd := open(dst, "mfhd")
	dst = u32(dst, 0)
	dst = u32(dst, number)
	shut(dst, mfhd)
	dst, traf := open(dst, "traf")
	dst, tfhd := open(dst, "tfhd")
	dst = u32(dst, 0x020000) // offsets count from the moof
	dst = u32(dst, pictureTrack)
	shut(dst, tfhd)
	dst, tfdt := open(dst, "tfdt")
	dst = u32(dst, 1<<24)
	dst = u64(dst, uint64(base))
	shut(dst, tfdt)
	dst, trun := open(dst, "trun")
	dst = u32(dst, 1<<24|0x1|0x100|0x200|0x400|0x800)
	dst = u32(dst, uint32(len(samples)))
	data := 8 + mfhdSize + 8 + tfhdSize + tfdtSize + trunHead + perPic*len(samples) + soundSize(len(sound)) + 8
	dst = u32(dst, uint32(data))
	for _, s := range samples {
		dst = u32(dst, s.Duration)
		size := sampleSize(s.Unit)
		data += size
		dst = u32(dst, uint32(size))
		if s.Unit.Key {
			dst = u32(dst, keyFlags)
		} else {
			dst = u32(dst, deltaFlags)
		}
		dst = u32(dst, uint32(int32(Ticks(s.Unit.PTS-s.Unit.DTS))))
	}
	shut(dst, trun)
	shut(dst, traf)
	if len(sound) > 0 {
		dst = appendSound(dst, data, sound)
	}
	shut(dst, moof)

	dst, mdat := open(dst, "mdat")
	for _, s := range samples {
		for _, n := range s.Unit.NALUs {
			if kept(s.Unit.Format, n) {
				dst = append(u32(dst, uint32(len(n))), n...)
			}
		}
	}
	for _, s := range sound {
		dst = append(dst, s.Data...)
	}
	shut(dst, mdat)
	return dst
}

// SetBase gives a part without sound another place in time.
func SetBase(part []byte, base int64) {
	binary.BigEndian.PutUint64(part[prftBase:], uint64(base))
	binary.BigEndian.PutUint64(part[tfdtBase:], uint64(base))
}

func sampleSize(u *stream.Unit) int {
	size := 0
	for _, n := range u.NALUs {
		if kept(u.Format, n) {
			size += 4 + len(n)
		}
	}
	return size
}

// kept reports whether a NALU belongs into the file: parameter sets that the
// head has already, and delimiters, do not.
func kept(f *stream.Format, n []byte) bool {
	if len(n) == 0 {
		return false
	}
	if f.Codec == stream.H265 {
		switch n[0] >> 1 & 0x3f {
		case 32:
			return !bytes.Equal(n, f.VPS)
		case 33:
			return !bytes.Equal(n, f.SPS)
		case 34:
			return !bytes.Equal(n, f.PPS)
		case 35:
			return false
		}
		return true
	}
	switch n[0] & 0x1f {
	case 7:
		return !bytes.Equal(n, f.SPS)
	case 8:
		return !bytes.Equal(n, f.PPS)
	case 9:
		return false
	}
	return true
}

// Picture is where a picture lies in a file.
type Picture struct {
	Offset   int64
	Size     uint32
	Duration uint32 // ticks
	Shift    int32  // from decoding to showing, ticks
	Key      bool
}

// Part is a part as it was read.
type Part struct {
	Offset, Size int64
	At           time.Time // when its first picture was taken
	Base         int64     // ticks since the first of the file
	Length       int64     // ticks
	Pictures     []Picture
	Sound        []Heard // that came with them
	SoundBase    int64   // where it begins, in ticks since the first picture of the file
}

// ReadPart reads the head of the part at offset; the pictures themselves are not
// looked at. It returns io.EOF at the end and ErrForm for what is no whole part.
func ReadPart(r io.ReaderAt, offset, size int64) (*Part, error) {
	if offset == size {
		return nil, io.EOF
	}
	b := make([]byte, min(4<<10, size-offset))
	if err := readFull(r, b, offset); err != nil {
		return nil, err
	}
	if len(b) < prftSize+16 {
		return nil, ErrForm
	}
	x, err := next(b)
	if err != nil || x.kind != "prft" || x.size != prftSize {
		return nil, ErrForm
	}
	p := &Part{Offset: offset, At: fromNTP(binary.BigEndian.Uint64(x.body[8:]))}
	moof := int64(binary.BigEndian.Uint32(b[prftSize:]))
	if string(b[prftSize+4:prftSize+8]) != "moof" || moof < 8 || moof > maxMoof || offset+prftSize+moof+8 > size {
		return nil, ErrForm
	}
	if need := prftSize + moof + 8; int64(len(b)) < need {
		b = make([]byte, need)
		if err := readFull(r, b, offset); err != nil {
			return nil, err
		}
	}
	data := b[prftSize+moof:]
	mdat := int64(binary.BigEndian.Uint32(data))
	if string(data[4:8]) != "mdat" || mdat < 8 || mdat > maxMdat || offset+prftSize+moof+mdat > size {
		return nil, ErrForm
	}
	p.Size = prftSize + moof + mdat
	return p, p.moof(b[prftSize:prftSize+moof], offset+prftSize, mdat)
}

// moof reads where the pictures are.
func (p *Part) moof(b []byte, offset, mdat int64) error {
	tfdt, err := find(b, "moof", "traf", "tfdt")
	if err != nil || len(tfdt) != tfdtSize || tfdt[8] != 1 || len(b) < tfdtBase-prftSize+8 || &tfdt[12] != &b[tfdtBase-prftSize] {
		return ErrForm
	}
	base := binary.BigEndian.Uint64(tfdt[12:])
	trun, err := find(b, "moof", "traf", "trun")
	if err != nil || len(trun) < trunHead || binary.BigEndian.Uint32(trun[8:]) != 1<<24|0xf01 {
		return ErrForm
	}
	n := binary.BigEndian.Uint32(trun[12:])
	if n == 0 || uint64(n)*perPic+trunHead != uint64(len(trun)) || base > math.MaxInt64/2 {
		return ErrForm
	}
	p.Base = int64(base)
	at := offset + int64(binary.BigEndian.Uint32(trun[16:]))
	if at != offset+int64(len(b))+8 {
		return ErrForm
	}
	end := offset + int64(len(b)) + mdat
	p.Pictures = make([]Picture, n)
	for i := range p.Pictures {
		e := trun[trunHead+perPic*i:]
		pic := Picture{
			Offset: at, Duration: binary.BigEndian.Uint32(e), Size: binary.BigEndian.Uint32(e[4:]),
			Key: binary.BigEndian.Uint32(e[8:])&0x10000 == 0, Shift: int32(binary.BigEndian.Uint32(e[12:])),
		}
		p.Pictures[i] = pic
		p.Length += int64(pic.Duration)
		at += int64(pic.Size)
	}
	if at, err = p.heard(b, offset, at); err != nil || at != end {
		return ErrForm
	}
	return nil
}

// Scan reads all parts of a file and returns how many bytes of it are whole.
// Bytes that are no part end the file and are no error; a failing disk is.
func Scan(r io.ReaderAt, size int64, visit func(*Part) error) (*Opening, int64, error) {
	o, err := ReadOpening(r, size)
	if err != nil {
		return nil, 0, err
	}
	at := o.Size
	for {
		p, err := ReadPart(r, at, size)
		if errors.Is(err, io.EOF) || errors.Is(err, ErrForm) {
			return o, at, nil
		}
		if err != nil {
			return o, at, err
		}
		if err := visit(p); err != nil {
			return o, at, err
		}
		at += p.Size
	}
}

func readFull(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return ErrForm
	}
	return fmt.Errorf("read a part: %w", err)
}

// NALUs splits a picture as it lies in the file.
func NALUs(b []byte) ([][]byte, error) {
	var out [][]byte
	for len(b) > 0 {
		if len(b) < 4 {
			return nil, ErrForm
		}
		n := int64(binary.BigEndian.Uint32(b))
		if n == 0 || n > int64(len(b)-4) {
			return nil, ErrForm
		}
		out = append(out, b[4:4+n])
		b = b[4+n:]
	}
	return out, nil
}
