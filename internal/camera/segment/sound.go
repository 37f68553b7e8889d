package segment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// The tracks of a file.
const (
	pictureTrack = 1
	soundTrack   = 2
)

// Sound is some sound of a part to be written.
type Sound struct {
	Start    int64  // ticks since the first picture of the file
	Duration uint32 // ticks
	Data     []byte
}

// Heard is where some sound lies in a file.
type Heard struct {
	Offset   int64
	Size     uint32
	Duration uint32 // ticks
}

func soundCodec(f *stream.SoundFormat) (codecs.Codec, error) {
	switch f.Codec {
	case stream.AAC:
		var c mpeg4audio.AudioSpecificConfig
		if err := c.Unmarshal(f.Config); err != nil {
			return nil, fmt.Errorf("describe the sound: %w", err)
		}
		return &codecs.MPEG4Audio{Config: c}, nil
	case stream.Opus:
		return &codecs.Opus{ChannelCount: f.Channels}, nil
	}
	return nil, fmt.Errorf("sound of codec %q cannot be recorded", f.Codec)
}

const (
	soundTrun = 20
	perSound  = 8
)

// soundSize is how long the boxes are that say where the sound of a part lies.
func soundSize(n int) int {
	if n == 0 {
		return 0
	}
	return 8 + tfhdSize + tfdtSize + soundTrun + perSound*n
}

// appendSound writes where the sound of a part lies; offset counts from its moof.
func appendSound(dst []byte, offset int, sound []Sound) []byte {
	dst, traf := open(dst, "traf")
	dst, tfhd := open(dst, "tfhd")
	dst = u32(dst, 0x020000)
	dst = u32(dst, soundTrack)
	shut(dst, tfhd)
	dst, tfdt := open(dst, "tfdt")
	dst = u32(dst, 1<<24)
	dst = u64(dst, uint64(sound[0].Start))
	shut(dst, tfdt)
	dst, trun := open(dst, "trun")
	dst = u32(dst, 1<<24|0x1|0x100|0x200)
	dst = u32(dst, uint32(len(sound)))
	dst = u32(dst, uint32(offset))
	for _, s := range sound {
		dst = u32(u32(dst, s.Duration), uint32(len(s.Data)))
	}
	shut(dst, trun)
	shut(dst, traf)
	return dst
}

// second is the box of the sound inside a moof, nil if there is none.
func second(moof []byte) ([]byte, error) {
	b := moof[8:]
	seen := 0
	for len(b) > 0 {
		x, err := next(b)
		if err != nil {
			return nil, err
		}
		if x.kind == "traf" {
			if seen++; seen == 2 {
				if x.size != len(b) {
					return nil, ErrForm
				}
				return b, nil
			}
		}
		b = b[x.size:]
	}
	return nil, nil
}

// heard reads where the sound of a part is. It lies behind the pictures.
func (p *Part) heard(moof []byte, offset, at int64) (end int64, err error) {
	traf, err := second(moof)
	if err != nil || traf == nil {
		return at, err
	}
	if len(traf) < 8+tfhdSize+tfdtSize+soundTrun || string(traf[12:16]) != "tfhd" || binary.BigEndian.Uint32(traf[20:]) != soundTrack {
		return 0, ErrForm
	}
	tfdt := traf[8+tfhdSize:]
	trun := tfdt[tfdtSize:]
	n := binary.BigEndian.Uint32(trun[12:])
	if string(tfdt[4:8]) != "tfdt" || tfdt[8] != 1 || string(trun[4:8]) != "trun" || binary.BigEndian.Uint32(trun[8:]) != 1<<24|0x301 ||
		n == 0 || uint64(n)*perSound+soundTrun != uint64(len(trun)) || offset+int64(binary.BigEndian.Uint32(trun[16:])) != at {
		return 0, ErrForm
	}
	base := binary.BigEndian.Uint64(tfdt[12:])
	if base > 1<<62 {
		return 0, ErrForm
	}
	p.SoundBase = int64(base)
	p.Sound = make([]Heard, n)
	for i := range p.Sound {
		e := trun[soundTrun+perSound*i:]
		p.Sound[i] = Heard{Offset: at, Duration: binary.BigEndian.Uint32(e), Size: binary.BigEndian.Uint32(e[4:])}
		at += int64(p.Sound[i].Size)
	}
	return at, nil
}

// Muted is a part without its sound, as long as it is: it may be the same bytes.
func Muted(part []byte) ([]byte, error) {
	if len(part) < prftSize+8 {
		return nil, ErrForm
	}
	moof, err := next(part[prftSize:])
	if err != nil || moof.kind != "moof" {
		return nil, ErrForm
	}
	whole := part[prftSize : prftSize+moof.size]
	traf, err := second(whole)
	if err != nil || traf == nil {
		return part, err
	}
	trun, err := find(whole, "moof", "traf", "trun")
	if err != nil || len(trun) < trunHead {
		return nil, ErrForm
	}
	pictures := 0
	for i := trunHead; i+perPic <= len(trun); i += perPic {
		pictures += int(binary.BigEndian.Uint32(trun[i+4:]))
	}
	data := part[prftSize+moof.size:]
	if len(data) < 8+pictures {
		return nil, ErrForm
	}
	out := slices.Clone(part[:prftSize+moof.size-len(traf)])
	binary.BigEndian.PutUint32(out[prftSize:], uint32(moof.size-len(traf)))
	if trun, err = find(out[prftSize:], "moof", "traf", "trun"); err != nil {
		return nil, err
	}
	binary.BigEndian.PutUint32(trun[16:], uint32(moof.size-len(traf)+8))
	out = append(u32(out, uint32(8+pictures)), "mdat"...)
	return append(out, data[8:8+pictures]...), nil
}

// MutedSize is how long a part is without its sound.
func (p *Part) MutedSize() int64 {
	size := p.Size - int64(soundSize(len(p.Sound)))
	for _, s := range p.Sound {
		size -= int64(s.Size)
	}
	return size
}

// Pictures is a description of the pictures alone.
func Pictures(init []byte) ([]byte, error) {
	var in fmp4.Init
	if err := in.Unmarshal(bytes.NewReader(init)); err != nil {
		return nil, fmt.Errorf("read the description of pictures: %w", err)
	}
	if len(in.Tracks) == 1 {
		return init, nil
	}
	in.Tracks = in.Tracks[:1]
	var buf seekablebuffer.Buffer
	if err := in.Marshal(&buf); err != nil {
		return nil, fmt.Errorf("describe the pictures: %w", err)
	}
	return buf.Bytes(), nil
}

// ErrSilent is returned for what has no sound.
var ErrSilent = errors.New("there is no sound")

// soundDescription is the stsd box of the sound.
func soundDescription(init []byte) ([]byte, error) {
	moov, err := find(init, "moov")
	if err != nil {
		return nil, err
	}
	seen := 0
	for b := moov[8:]; len(b) > 0; {
		x, err := next(b)
		if err != nil {
			return nil, err
		}
		if x.kind == "trak" {
			if seen++; seen == soundTrack {
				return find(b[:x.size], "trak", "mdia", "minf", "stbl", "stsd")
			}
		}
		b = b[x.size:]
	}
	return nil, ErrSilent
}

// HasSound reports whether a description is also of sound.
func HasSound(init []byte) bool {
	_, err := soundDescription(init)
	return err == nil
}
