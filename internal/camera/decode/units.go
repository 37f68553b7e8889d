package decode

import (
	"errors"
	"fmt"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// maxUnitBytes bounds one picture on its way to the decoder.
const maxUnitBytes = 8 << 20

const (
	maxParameterSets = 8
	maxSlices        = 512
)

var errNoKey = errors.New("it is no key picture with its parameter sets")

// keyPicture returns what the decoder needs of a key picture, and nothing that
// could make it two: the parameter sets and the slices of the first picture.
func keyPicture(u *stream.Unit) ([][]byte, error) {
	if u == nil || u.Format == nil || !u.Key {
		return nil, errNoKey
	}
	if u.Size() > maxUnitBytes {
		return nil, fmt.Errorf("a picture of %d bytes", u.Size())
	}
	kind := h264Kind
	if u.Format.Codec == stream.H265 {
		kind = h265Kind
	}
	var sets, slices, firsts int
	out := make([][]byte, 0, len(u.NALUs))
	for _, n := range u.NALUs {
		switch k := kind(n); {
		case k == partSet && slices == 0:
			sets++
		case k == partHint && slices == 0:
		case k == partFirst:
			firsts++
			slices++
		case k == partSlice && slices > 0:
			slices++
		default:
			continue
		}
		if firsts == 2 {
			break
		}
		out = append(out, n)
	}
	if firsts == 0 || sets < 2 || sets > maxParameterSets || slices > maxSlices {
		return nil, errNoKey
	}
	return out, nil
}

// part is what a network abstraction unit is to us.
type part int

const (
	partOther part = iota
	partSet
	partHint
	partFirst // the first slice of a picture
	partSlice
)

func h264Kind(n []byte) part {
	if len(n) < 2 {
		return partOther
	}
	switch n[0] & 0x1F {
	case 7, 8:
		return partSet
	case 6:
		return partHint // may say from where on it can be decoded
	case 1, 5:
		if n[1]&0x80 != 0 { // first_mb_in_slice is 0
			return partFirst
		}
		return partSlice
	}
	return partOther
}

func h265Kind(n []byte) part {
	if len(n) < 3 {
		return partOther
	}
	switch t := n[0] >> 1 & 0x3F; {
	case t >= 32 && t <= 34:
		return partSet
	case t < 32:
		if n[2]&0x80 != 0 { // first_slice_segment_in_pic_flag
			return partFirst
		}
		return partSlice
	}
	return partOther
}
