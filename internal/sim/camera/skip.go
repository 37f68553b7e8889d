package camera

import (
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// skipper writes pictures that say no more than: as before. A camera whose
// sensor has died sends them on and on.
type skipper struct {
	frameNumBits, pocBits int
	blocks                int
	deblocking            bool
}

var errNotPlain = errors.New("not a plain baseline stream")

func newSkipper(sps, pps []byte) (*skipper, error) {
	var s h264.SPS
	if err := s.Unmarshal(sps); err != nil {
		return nil, fmt.Errorf("read SPS: %w", err)
	}
	if !s.FrameMbsOnlyFlag || s.PicOrderCntType == 1 {
		return nil, errNotPlain
	}
	w := &skipper{frameNumBits: int(s.Log2MaxFrameNumMinus4) + 4, blocks: int((s.PicWidthInMbsMinus1 + 1) * (s.PicHeightInMapUnitsMinus1 + 1))}
	if s.PicOrderCntType == 0 {
		w.pocBits = int(s.Log2MaxPicOrderCntLsbMinus4) + 4
	}
	r := bitReader{data: pps[1:]}
	r.ue() // pic_parameter_set_id
	r.ue() // seq_parameter_set_id
	if r.bits(1) != 0 {
		return nil, fmt.Errorf("CABAC: %w", errNotPlain)
	}
	r.bits(1) // bottom_field_pic_order_in_frame_present_flag
	if r.ue() != 0 {
		return nil, fmt.Errorf("slice groups: %w", errNotPlain)
	}
	r.ue() // num_ref_idx_l0_default_active_minus1
	r.ue() // num_ref_idx_l1_default_active_minus1
	if r.bits(1) != 0 {
		return nil, fmt.Errorf("weighted prediction: %w", errNotPlain)
	}
	r.bits(2) // weighted_bipred_idc
	r.ue()    // pic_init_qp_minus26
	r.ue()    // pic_init_qs_minus26
	r.ue()    // chroma_qp_index_offset
	w.deblocking = r.bits(1) != 0
	return w, nil
}

// skip is the n-th picture of a group, all of it skipped.
func (s *skipper) skip(n int) []byte {
	var w bitWriter
	w.bits(0x41, 8) // a slice that others refer to
	w.ue(0)         // first_mb_in_slice
	w.ue(5)         // slice_type: all P
	w.ue(0)         // pic_parameter_set_id
	w.bits(uint32(n)&(1<<s.frameNumBits-1), s.frameNumBits)
	if s.pocBits > 0 {
		w.bits(uint32(2*n)&(1<<s.pocBits-1), s.pocBits)
	}
	w.bits(0, 1) // num_ref_idx_active_override_flag
	w.bits(0, 1) // ref_pic_list_modification_flag_l0
	w.bits(0, 1) // adaptive_ref_pic_marking_mode_flag
	w.ue(0)      // slice_qp_delta
	if s.deblocking {
		w.ue(1) // disable_deblocking_filter_idc
	}
	w.ue(uint32(s.blocks)) // mb_skip_run
	w.bits(1, 1)
	for w.n%8 != 0 {
		w.bits(0, 1)
	}
	return w.escaped()
}

type bitReader struct {
	data []byte
	at   int
}

func (r *bitReader) bits(n int) (v uint32) {
	for range n {
		v <<= 1
		if i := r.at / 8; i < len(r.data) {
			v |= uint32(r.data[i]>>(7-r.at%8)) & 1
		}
		r.at++
	}
	return v
}

func (r *bitReader) ue() uint32 {
	zeros := 0
	for r.bits(1) == 0 && zeros < 31 {
		zeros++
	}
	return 1<<zeros - 1 + r.bits(zeros)
}

type bitWriter struct {
	data []byte
	n    int
}

func (w *bitWriter) bits(v uint32, n int) {
	for i := n - 1; i >= 0; i-- {
		if w.n%8 == 0 {
			w.data = append(w.data, 0)
		}
		w.data[w.n/8] |= byte(v>>i&1) << (7 - w.n%8)
		w.n++
	}
}

func (w *bitWriter) ue(v uint32) {
	n := 0
	for (v+1)>>n > 1 {
		n++
	}
	w.bits(0, n)
	w.bits(v+1, n+1)
}

// escaped puts bytes in so that no start code stands inside.
func (w *bitWriter) escaped() []byte {
	out := make([]byte, 0, len(w.data)+2)
	zeros := 0
	for _, b := range w.data {
		if zeros == 2 && b <= 3 {
			out = append(out, 3)
			zeros = 0
		}
		if b == 0 {
			zeros++
		} else {
			zeros = 0
		}
		out = append(out, b)
	}
	return out
}
