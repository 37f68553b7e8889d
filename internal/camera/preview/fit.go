package preview

import "image"

// fit brings a picture into the proportions that the camera has, by making it
// narrower or less high.
func fit(m *image.YCbCr, width, height int) *image.YCbCr {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	if width <= 0 || height <= 0 {
		return m
	}
	tw, th := w, h
	switch want, have := float64(width)/float64(height), float64(w)/float64(h); {
	case want < have*0.98:
		tw = max(int(float64(h)*want), 16) &^ 1
	case want > have*1.02:
		th = max(int(float64(w)/want), 16) &^ 1
	default:
		return m
	}
	to := image.NewYCbCr(image.Rect(0, 0, tw, th), image.YCbCrSubsampleRatio420)
	resample(to.Y, tw, th, to.YStride, m.Y, w, h, m.YStride)
	resample(to.Cb, tw/2, th/2, to.CStride, m.Cb, w/2, h/2, m.CStride)
	resample(to.Cr, tw/2, th/2, to.CStride, m.Cr, w/2, h/2, m.CStride)
	return to
}

// resample mixes the two nearest in each direction.
func resample(to []byte, tw, th, ts int, from []byte, fw, fh, fs int) {
	for y := range th {
		y0, y1, fy := between(y, th, fh)
		for x := range tw {
			x0, x1, fx := between(x, tw, fw)
			upper := int(from[y0*fs+x0])*(256-fx) + int(from[y0*fs+x1])*fx
			lower := int(from[y1*fs+x0])*(256-fx) + int(from[y1*fs+x1])*fx
			to[y*ts+x] = byte((upper*(256-fy) + lower*fy + 1<<15) >> 16) //nolint:gosec // A mean of bytes.
		}
	}
}

// between says between which two of n a place lies that is i of count, and how far.
func between(i, count, n int) (a, b, share int) {
	at := (2*i+1)*n*128/count - 128 // in 256ths
	at = min(max(at, 0), (n-1)*256)
	a = at / 256
	return a, min(a+1, n-1), at % 256
}
