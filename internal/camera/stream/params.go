package stream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strings"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
)

// Pictures are between these, in pixels of a side.
const (
	minSide = 16
	maxSide = 16384
)

// errNoPicture is returned for an access unit that shows nothing.
var errNoPicture = errors.New("there is no picture in it")

// sets are the parameter sets of a stream: from its description, and from the
// stream itself as it goes.
type sets struct {
	codec         Codec
	vps, sps, pps []byte
	format        *Format
	sound         *SoundFormat
}

// sorted is an access unit as we pass it on.
type sorted struct {
	nalus [][]byte
	key   bool
}

// take sorts an access unit: delimiters and padding are left out, parameter sets
// are remembered, and a key picture gets those in front that it lacks.
func (s *sets) take(au [][]byte) (sorted, error) {
	var out sorted
	var picture, own bool
	nalus := make([][]byte, 0, len(au)+3)
	var vps, sps, pps []byte
	for _, n := range au {
		if len(n) < 2 {
			continue
		}
		switch s.class(n) {
		case classPadding:
			continue
		case classVPS:
			vps = first(vps, n)
		case classSPS:
			sps = first(sps, n)
		case classPPS:
			pps = first(pps, n)
			own = true
		case classKey:
			picture, out.key = true, true
		case classPicture:
			picture = true
		}
		nalus = append(nalus, n)
	}
	if !picture {
		s.remember(vps, sps, pps)
		return out, errNoPicture
	}
	s.remember(vps, sps, pps)
	if !out.key {
		out.nalus = nalus
		return out, nil
	}
	if err := s.describe(); err != nil {
		return out, err
	}
	if s.codec == H264 && own && sps != nil && s.class(nalus[0]) == classSPS ||
		s.codec == H265 && own && sps != nil && vps != nil && s.class(nalus[0]) == classVPS {
		out.nalus = nalus
		return out, nil
	}
	out.nalus = s.head(nalus)
	return out, nil
}

// head puts the parameter sets in front, those of the access unit itself first.
func (s *sets) head(nalus [][]byte) [][]byte {
	out := make([][]byte, 0, len(nalus)+3)
	for _, c := range []class{classVPS, classSPS, classPPS} {
		n := len(out)
		for _, x := range nalus {
			if s.class(x) == c {
				out = append(out, x)
			}
		}
		if kept := map[class][]byte{classVPS: s.vps, classSPS: s.sps, classPPS: s.pps}[c]; len(out) == n && kept != nil {
			out = append(out, kept)
		}
	}
	for _, x := range nalus {
		if c := s.class(x); c != classVPS && c != classSPS && c != classPPS {
			out = append(out, x)
		}
	}
	return out
}

func first(have, now []byte) []byte {
	if have != nil {
		return have
	}
	return now
}

// remember keeps parameter sets; other ones make another format.
func (s *sets) remember(vps, sps, pps []byte) {
	for _, p := range []struct {
		to  *[]byte
		now []byte
	}{{&s.vps, vps}, {&s.sps, sps}, {&s.pps, pps}} {
		if p.now != nil && !bytes.Equal(*p.to, p.now) {
			*p.to = bytes.Clone(p.now)
			s.format = nil
		}
	}
}

// describe makes the format of what was remembered.
func (s *sets) describe() error {
	if s.format != nil {
		return nil
	}
	f := &Format{Codec: s.codec, VPS: s.vps, SPS: s.sps, PPS: s.pps, Sound: s.sound}
	switch {
	case s.sps == nil || s.pps == nil:
		return errors.New("the camera tells neither in the description nor in the stream how to decode")
	case s.codec == H264:
		var sps h264.SPS
		if err := sps.Unmarshal(s.sps); err != nil {
			return fmt.Errorf("read the sequence parameter set: %w", err)
		}
		f.Width, f.Height = sps.Width(), sps.Height()
		f.Mime = fmt.Sprintf("avc1.%02x%02x%02x", s.sps[1], s.sps[2], s.sps[3])
	default:
		var sps h265.SPS
		if err := sps.Unmarshal(s.sps); err != nil {
			return fmt.Errorf("read the sequence parameter set: %w", err)
		}
		f.Width, f.Height = sps.Width(), sps.Height()
		mime, err := hvc1(s.sps)
		if err != nil {
			return err
		}
		f.Mime = mime
	}
	if f.Width < minSide || f.Height < minSide || f.Width > maxSide || f.Height > maxSide {
		return fmt.Errorf("a picture of %d by %d is none", f.Width, f.Height)
	}
	s.format = f
	return nil
}

// hvc1 names profile, tier and level as annex E of ISO/IEC 14496-15 does.
func hvc1(sps []byte) (string, error) {
	b := h264.EmulationPreventionRemove(sps)
	if len(b) < 15 {
		return "", errors.New("the sequence parameter set is too short")
	}
	b = b[3:] // header, ids
	space := [...]string{"", "A", "B", "C"}[b[0]>>6]
	tier := "L"
	if b[0]&0x20 != 0 {
		tier = "H"
	}
	mime := fmt.Sprintf("hvc1.%s%d.%X.%s%d", space, b[0]&0x1f, bits.Reverse32(binary.BigEndian.Uint32(b[1:5])), tier, b[11])
	constraints := bytes.TrimRight(b[5:11], "\x00")
	var out strings.Builder
	for _, c := range constraints {
		fmt.Fprintf(&out, ".%X", c)
	}
	return mime + out.String(), nil
}

// class is what a NAL unit is to us.
type class uint8

const (
	classOther class = iota
	classPadding
	classVPS
	classSPS
	classPPS
	classKey
	classPicture
)

func (s *sets) class(n []byte) class {
	if s.codec == H264 {
		switch h264.NALUType(n[0] & 0x1f) {
		case h264.NALUTypeAccessUnitDelimiter, h264.NALUTypeFillerData, h264.NALUTypeEndOfSequence, h264.NALUTypeEndOfStream:
			return classPadding
		case h264.NALUTypeSPS:
			return classSPS
		case h264.NALUTypePPS:
			return classPPS
		case h264.NALUTypeIDR:
			return classKey
		case h264.NALUTypeNonIDR, h264.NALUTypeDataPartitionA:
			return classPicture
		}
		return classOther
	}
	switch t := h265.NALUType(n[0] >> 1 & 0x3f); {
	case t == h265.NALUType_VPS_NUT:
		return classVPS
	case t == h265.NALUType_SPS_NUT:
		return classSPS
	case t == h265.NALUType_PPS_NUT:
		return classPPS
	case t == h265.NALUType_AUD_NUT, t == h265.NALUType_EOS_NUT, t == h265.NALUType_EOB_NUT, t == h265.NALUType_FD_NUT:
		return classPadding
	case t >= h265.NALUType_BLA_W_LP && t <= h265.NALUType_CRA_NUT:
		return classKey
	case t < h265.NALUType_BLA_W_LP:
		return classPicture
	}
	return classOther
}
