package record

import (
	"bytes"
	"testing"
	"time"
)

func FuzzPreviewTable(f *testing.F) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	f.Add(packPreviews([]Preview{{at, []byte("one")}, {at.Add(time.Second), []byte("two")}}))
	f.Add([]byte(previewMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := readPreviewTable(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for i, p := range list {
			if p.offset < 0 || p.size <= 0 || p.offset+int64(p.size) > int64(len(b)) || i > 0 && p.at.Before(list[i-1].at) {
				t.Errorf("%+v of %d bytes", p, len(b))
			}
		}
	})
}
