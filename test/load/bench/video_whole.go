package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// whole says what was recorded of what was sent. Each picture is known by its
// size, so that one that is missing or comes twice is seen wherever files end.
type whole struct {
	Cameras  int      `json:"cameras"`
	Pictures int      `json:"pictures"`
	Least    int      `json:"picturesOfTheCameraWithLeast"`
	Missing  int      `json:"missing"`  // between the first and the last of a camera
	Holes    int      `json:"holes"`    // where some are missing
	Unread   int      `json:"unread"`   // cameras whose files are not what was sent
	Examples []string `json:"examples"` // of what is wrong
}

func (w *whole) String() string {
	if w == nil {
		return "not recorded"
	}
	if w.Missing+w.Holes+w.Unread == 0 {
		return fmt.Sprintf("all %d of %d cameras", w.Pictures, w.Cameras)
	}
	return fmt.Sprintf("%d of %d cameras; %d missing in %d holes, %d cameras unread", w.Pictures, w.Cameras, w.Missing, w.Holes, w.Unread)
}

// check reads all recordings with a program of others.
func (f *filming) check(r *recorder) (*whole, error) {
	w := &whole{Cameras: f.n, Least: -1, Examples: []string{}}
	var mu sync.Mutex
	var failed error
	work := make(chan int)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for i := range work {
				list, err := r.files(i)
				var seen []packet
				for _, name := range slices.Sorted(slices.Values(list)) {
					var some []packet
					if some, err = packets(name); err != nil {
						break
					}
					seen = append(seen, some...)
				}
				mu.Lock()
				if err != nil {
					failed = err
				} else {
					w.add(camID(i), f.clip, seen)
				}
				mu.Unlock()
			}
		})
	}
	for i := range f.n {
		work <- i
	}
	close(work)
	wg.Wait()
	return w, failed
}

// packet is a picture as it lies in a file.
type packet struct {
	size int
	key  bool
}

func packets(name string) ([]packet, error) {
	out, err := exec.Command("nice", "ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=size,flags", "-of", "csv=p=0", name).Output()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	var list []packet
	for line := range bytes.Lines(out) {
		size, flags, _ := strings.Cut(strings.TrimSpace(string(line)), ",")
		n, err := strconv.Atoi(size)
		if err != nil {
			continue
		}
		list = append(list, packet{n, strings.HasPrefix(flags, "K")})
	}
	return list, nil
}

// fits reports whether a picture is one of the clip.
func fits(want int, p packet) bool { return p.key == (want == 0) && (p.key || p.size == want) }

// surely is how many pictures in a row say where in the clip one is.
const surely = 8

// add compares what was recorded of a camera with what it showed, round and round.
func (w *whole) add(name string, clip []int, seen []packet) {
	w.Pictures += len(seen)
	if w.Least < 0 || len(seen) < w.Least {
		w.Least = len(seen)
	}
	place := func(i, from int) int { // how many pictures further the clip goes on as seen[i:] does
		for skip := range clip {
			ok := true
			for k := 0; k < surely && i+k < len(seen); k++ {
				if !fits(clip[(from+skip+k)%len(clip)], seen[i+k]) {
					ok = false
					break
				}
			}
			if ok {
				return skip
			}
		}
		return -1
	}
	note := func(format string, v ...any) {
		if len(w.Examples) < 10 {
			w.Examples = append(w.Examples, name+": "+fmt.Sprintf(format, v...))
		}
	}
	at := place(0, 0)
	if at < 0 || len(seen) == 0 {
		w.Unread++
		note("the first of %d pictures is none of the clip", len(seen))
		return
	}
	for i := 0; i < len(seen); i++ {
		if fits(clip[at%len(clip)], seen[i]) {
			at++
			continue
		}
		if i == len(seen)-1 && !seen[i].key {
			return // it was being received when the program was ended
		}
		skip := place(i, at)
		if skip < 0 {
			w.Unread++
			note("picture %d of %d is none of the clip", i, len(seen))
			return
		}
		w.Holes++
		w.Missing += skip
		note("%d pictures are missing at %d of %d", skip, i, len(seen))
		at += skip + 1
	}
}
