package stream

import (
	"time"
)

// Codec is how pictures are compressed.
type Codec string

// The codecs that cameras speak.
const (
	H264 Codec = "h264"
	H265 Codec = "h265"
)

// Format is what a decoder has to know before the first picture. It is never
// changed in place: another picture size is another Format.
type Format struct {
	Codec         Codec
	VPS, SPS, PPS []byte // VPS for H.265 only
	Width, Height int
	// Mime is the name of RFC 6381: avc1.4d401f.
	Mime string
	// Sound is what is heard beside the pictures; nil: nothing is.
	Sound *SoundFormat
}

// Unit is one picture as it came: an access unit. Readers share it and change
// nothing in it.
type Unit struct {
	Format *Format
	// NALUs are those of the picture, without start codes. A key picture begins with
	// its parameter sets, put in if the camera left them out.
	NALUs [][]byte
	// PTS and DTS count from the start of the connection and are repaired: DTS only
	// grows.
	PTS, DTS time.Duration
	// At is when the picture was taken, by our clock: the camera's own time (RTCP)
	// corrected by its offset if it is plausible, else the time of arrival.
	At time.Time
	// ReceivedAt is when it was whole here.
	ReceivedAt time.Time
	// CameraAt is the camera's own statement; zero if it makes none.
	CameraAt time.Time
	// Key pictures need no other.
	Key bool
	// Broken is set on the first picture behind a hole: a new connection, a jump of
	// time, lost packets. What came before does not lead up to it.
	Broken bool
	// Epoch counts connections: PTS of two epochs do not compare.
	Epoch uint64
	// Sound came since the picture before. There is none unless it was asked for.
	Sound []Sound
}

// Size is the number of bytes of the picture, without sound.
func (u *Unit) Size() int {
	n := 0
	for _, x := range u.NALUs {
		n += len(x)
	}
	return n
}
