package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	wallTiles = 12
	// A browser that is gone is noticed after ten seconds, and a stream that nobody
	// looks at is pulled on for a minute.
	wallRest = 80 * time.Second
	// staleFrom is when a picture that is shown as one of now is not of now any more:
	// the page greys it out itself when no other came for so long.
	staleFrom = 3 * time.Second
)

// videoWallResult is how the wall of cameras does that is opened and left open.
type videoWallResult struct {
	Tiles    int       `json:"tiles"`
	Cold     []float64 `json:"openedColdToAllShowingMs"` // nobody had looked for a while
	Warm     []float64 `json:"openedWarmToAllShowingMs"`
	Minutes  float64   `json:"minutes"`
	Looks    int       `json:"looksAtTiles"`
	Grey     int       `json:"saidNotToBeOfNow"`
	Black    int       `json:"black"`
	Smeared  int       `json:"unreadable"`
	Stale    int       `json:"staleShownAsOfNow"`
	Foreign  int       `json:"ofAnotherCamera"`
	Standing int       `json:"standingStill"` // shown as of now without a new picture for that long
	FPS      float64   `json:"fpsOfATile"`
	Worst    float64   `json:"fpsOfTheSlowestTile"`
	Dropped  int       `json:"picturesTheBrowserDropped"`
	Age      latency   `json:"ageOfWhatIsShown"`
	Heap     []float64 `json:"heapMB"`
	Growth   float64   `json:"heapGrowthPercent"` // of the last fifth over the first
	Server   float64   `json:"serverCoreShare"`
	Browser  float64   `json:"browserCoreShare"`
	Faults   []string  `json:"scriptErrors"`
	Average  float64   `json:"loadAverage"`

	last map[int]tileLook // by tile
}

type tileLook struct {
	shot
	Fresh, Still, Dark     bool
	Frames, Dropped, Width int

	movedAt time.Time // when Frames last grew
	first   int
	firstAt time.Time
}

func (r *videoWallResult) table() (head, row []string) {
	list := func(opened []float64) string {
		var words []string
		for _, ms := range opened {
			words = append(words, fmt.Sprintf("%.0f", ms))
		}
		return strings.Join(words, ", ")
	}
	return []string{"tiles", "opened cold to all showing ms", "warm", "minutes", "looks", "grey", "black", "unreadable", "stale as of now", "another camera's", "standing", "fps mean / slowest", "age p50 / p95 / p99 / max ms", "heap growth %", "server core %", "browser core %", "script errors", "load average"},
		[]string{
			fmt.Sprint(r.Tiles), list(r.Cold), list(r.Warm), fmt.Sprint(r.Minutes), fmt.Sprint(r.Looks), fmt.Sprint(r.Grey), fmt.Sprint(r.Black), fmt.Sprint(r.Smeared), fmt.Sprint(r.Stale),
			fmt.Sprint(r.Foreign), fmt.Sprint(r.Standing), fmt.Sprintf("%.1f / %.1f", r.FPS, r.Worst), quantiles(r.Age), fmt.Sprintf("%.1f", r.Growth),
			fmt.Sprintf("%.0f", r.Server*100), fmt.Sprintf("%.0f", r.Browser*100), fmt.Sprint(len(r.Faults)), fmt.Sprintf("%.1f", r.Average),
		}
}

// videoWall opens the wall and leaves it open, and reads every tile each second.
func videoWall(ctx context.Context, srv *server, y *videoYard, opens int, long time.Duration) (*videoWallResult, error) {
	c, err := srv.signIn(ctx)
	if err != nil {
		return nil, err
	}
	r := &videoWallResult{Tiles: wallTiles, Minutes: round(long.Minutes(), 1), last: make(map[int]tileLook)}
	rests := slices.Repeat([]int64{wallRest.Milliseconds()}, opens)
	rests = append(rests, slices.Repeat([]int64{time.Second.Milliseconds()}, opens/2)...)
	page, err := browse(ctx, map[string]any{
		"mode": "videoWall", "base": srv.api.base, "cookie": c, "path": "/cameras?grid=12", "tiles": wallTiles, "restsMs": rests,
		"lengthMs": long.Milliseconds(), "everyMs": min(30_000, max(1000, long.Milliseconds()/20)), "picture": filepath.Join(filepath.Dir(srv.data), "wall.png"),
	})
	if err != nil {
		return nil, err
	}
	var ages histogram
	cpu, browser, began := srv.cpu(), time.Duration(0), time.Now()
	var heard error
	var got struct{ Faults []string }
	err = page.result(&got, func(key string, value json.RawMessage) {
		if err := r.hear(y, key, value, &ages); err != nil {
			heard = errors.Join(heard, err)
		}
		switch looks := r.Looks / wallTiles; {
		case key != "tiles":
		case looks == 1:
			cpu, browser, began = srv.cpu(), childrenCPU(page.cmd.Process.Pid), time.Now()
		case looks%20 == 0:
			took := time.Since(began).Seconds()
			r.Server, r.Browser = round((srv.cpu()-cpu).Seconds()/took, 3), round((childrenCPU(page.cmd.Process.Pid)-browser).Seconds()/took, 3)
		}
	})
	if err := errors.Join(err, heard); err != nil {
		return r, err
	}
	r.Faults, r.Age, r.Average = got.Faults, ages.latency(), loadAverage()[0]
	r.conclude()
	return r, nil
}

func (r *videoWallResult) hear(y *videoYard, key string, value json.RawMessage, ages *histogram) error {
	switch key {
	case "opened":
		var o struct {
			All    bool
			RestMs int64
			Tiles  []struct {
				After float64
				Width int
			}
			Asked   struct{ First, Answered float64 }
			Steps   struct{ Made, Answered, Reached, Connected, Packet float64 }
			Network json.RawMessage
		}
		if err := json.Unmarshal(value, &o); err != nil {
			return fmt.Errorf("read an opening: %w", err)
		}
		slowest, large := 0.0, 0
		for _, t := range o.Tiles {
			slowest = max(slowest, t.After)
			if t.Width > 640 {
				large++
			}
		}
		if !o.All {
			slowest = 30_000
		}
		log.Printf("video-wall: asked after %.0f ms, answered after %.0f, reached %.0f, connected %.0f, first packet %.0f, %d tiles after %.0f ms, %d of them by the main stream; load %.1f; %s",
			o.Asked.First, o.Steps.Answered, o.Steps.Reached, o.Steps.Connected, o.Steps.Packet, len(o.Tiles), slowest, large, loadAverage()[0], o.Network)
		if o.RestMs == wallRest.Milliseconds() {
			r.Cold = append(r.Cold, round(slowest, 0))
		} else {
			r.Warm = append(r.Warm, round(slowest, 0))
		}
	case "heap":
		var mb float64
		if err := json.Unmarshal(value, &mb); err != nil {
			return fmt.Errorf("read the heap: %w", err)
		}
		r.Heap = append(r.Heap, round(mb, 2))
	case "tiles":
		var tiles []tileLook
		if err := json.Unmarshal(value, &tiles); err != nil {
			return fmt.Errorf("read the tiles: %w", err)
		}
		if len(tiles) != wallTiles {
			return fmt.Errorf("the wall has %d tiles", len(tiles))
		}
		for i, t := range tiles {
			r.look(y, i, t, ages)
		}
	}
	return nil
}

// look judges a tile as it is shown.
func (r *videoWallResult) look(y *videoYard, i int, t tileLook, ages *histogram) {
	r.Looks++
	was, known := r.last[i]
	t.movedAt, t.first, t.firstAt = was.movedAt, was.first, was.firstAt
	if !known || t.Frames < was.Frames {
		t.first, t.firstAt = t.Frames, t.when()
	}
	if !known || t.Frames != was.Frames {
		t.movedAt = t.when()
	}
	if d := t.Dropped - was.Dropped; known && d > 0 {
		r.Dropped += d
	}
	r.last[i] = t
	if !t.Fresh {
		r.Grey++
		log.Printf("video-wall: tile %d says that its picture is not of now", i+1)
		return
	}
	age, readable := y.age(t.shot)
	switch {
	case t.Dark:
		r.Black++
	case !readable:
		r.Smeared++
	case t.Camera != i+1 && t.Camera != i+1+subNumber:
		r.Foreign++
	case age > staleFrom:
		r.Stale++
		log.Printf("video-wall: tile %d shows picture %d of camera %d, %.3f s old", i+1, t.N, t.Camera, age.Seconds())
	}
	if readable {
		ages.add(age)
	}
	if t.when().Sub(t.movedAt) > staleFrom {
		r.Standing++
	}
}

func (r *videoWallResult) conclude() {
	r.Worst = 1000
	for _, t := range r.last {
		fps := float64(t.Frames-t.first) / t.when().Sub(t.firstAt).Seconds()
		r.FPS += fps / float64(len(r.last))
		r.Worst = min(r.Worst, fps)
	}
	r.FPS, r.Worst = round(r.FPS, 2), round(r.Worst, 2)
	settled := r.Heap[min(2, len(r.Heap)):]
	if fifth := len(settled) / 5; fifth > 0 {
		mean := func(list []float64) (sum float64) {
			for _, mb := range list {
				sum += mb
			}
			return sum / float64(len(list))
		}
		r.Growth = round((mean(settled[len(settled)-fifth:])/mean(settled[:fifth])-1)*100, 1)
	}
}
