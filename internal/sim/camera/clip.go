package camera

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"github.com/chargewatch/chargewatch/internal/sim/camera/clips"
)

// payloadMost is the size of a packet's payload.
const payloadMost = 1400

// picture is an access unit as packets: the payloads of RTP, shared by all who
// send it.
type picture struct {
	key    bool
	params [][]byte // SPS and PPS of a key picture
	slices [][]byte
	size   int
}

// clip is a parsed clip of one stream.
type clip struct {
	name     string
	sps, pps []byte
	pictures []picture
	// skips are pictures that repeat the one before, by their number since the last
	// key picture.
	skips []picture
}

// group is the number of pictures from one key picture to the next.
func group(rate int) int { return 2 * rate }

var errClip = errors.New("not a clip")

// parseClip reads H.264 in Annex B form with one slice a picture.
func parseClip(name string, data []byte) (*clip, error) {
	c := &clip{name: name}
	var params [][]byte
	for nalu := range nalus(data) {
		switch nalu[0] & 0x1f {
		case 7:
			c.sps = nalu
			params = [][]byte{nalu}
		case 8:
			c.pps = nalu
			params = append(params, nalu)
		case 1, 5:
			p := picture{key: nalu[0]&0x1f == 5, slices: packets(nalu), size: len(nalu)}
			if p.key {
				p.params = params
			}
			c.pictures = append(c.pictures, p)
		}
	}
	if c.sps == nil || c.pps == nil || len(c.pictures) == 0 || !c.pictures[0].key {
		return nil, fmt.Errorf("clip %s: %w", name, errClip)
	}
	w, err := newSkipper(c.sps, c.pps)
	if errors.Is(err, errNotPlain) {
		return c, nil // it cannot be made to stand still
	}
	if err != nil {
		return nil, fmt.Errorf("clip %s: %w", name, err)
	}
	c.skips = make([]picture, min(1<<w.frameNumBits, 256))
	for i := range c.skips {
		nalu := w.skip(i)
		c.skips[i] = picture{slices: packets(nalu), size: len(nalu)}
	}
	return c, nil
}

// nalus yields what stands between start codes.
func nalus(data []byte) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		code := []byte{0, 0, 1}
		at := bytes.Index(data, code)
		for at >= 0 {
			data = data[at+3:]
			at = bytes.Index(data, code)
			nalu := data
			if at >= 0 {
				nalu = data[:at]
			}
			if nalu = bytes.TrimRight(nalu, "\x00"); len(nalu) > 0 && !yield(nalu) {
				return
			}
		}
	}
}

// packets cuts a NAL unit into payloads (RFC 6184, FU-A).
func packets(nalu []byte) [][]byte {
	if len(nalu) <= payloadMost {
		return [][]byte{nalu}
	}
	var out [][]byte
	head, kind := nalu[0]&0xe0|28, nalu[0]&0x1f
	rest := nalu[1:]
	for start := byte(0x80); len(rest) > 0; start = 0 {
		n := min(len(rest), payloadMost-2)
		end := byte(0)
		if n == len(rest) {
			end = 0x40
		}
		out = append(out, append([]byte{head, start | end | kind}, rest[:n]...))
		rest = rest[n:]
	}
	return out
}

// shelf has the clips that are in use, parsed once.
type shelf struct {
	mu    sync.Mutex
	clips map[string]*clip
}

// take returns a clip of a stream.
func (s *shelf) take(stream, name string) (*clip, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := stream + "/" + name
	if c := s.clips[key]; c != nil {
		return c, nil
	}
	data, err := clips.Read(stream, name)
	if err != nil {
		return nil, err
	}
	c, err := parseClip(name, data)
	if err != nil {
		return nil, err
	}
	s.put(key, c)
	return c, nil
}

// ready parses a clip that somebody brought, once.
func (s *shelf) ready(data []byte) (*clip, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := fmt.Sprintf("own/%x", sha256.Sum256(data))
	if c := s.clips[key]; c != nil {
		return c, nil
	}
	c, err := parseClip("of one's own", data)
	if err == nil {
		s.put(key, c)
	}
	return c, err
}

func (s *shelf) put(key string, c *clip) {
	if s.clips == nil {
		s.clips = make(map[string]*clip)
	}
	s.clips[key] = c
}
