package evidence

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// Link lets somebody without an account take a pack, who has its address and its
// passcode. Neither is kept here.
type Link struct {
	ID        string      `json:"id"`
	Token     segment.Sum `json:"token"`
	Salt      []byte      `json:"salt"`
	Passcode  segment.Sum `json:"passcode"`
	MadeAt    time.Time   `json:"madeAt"`
	ExpiresAt time.Time   `json:"expiresAt"`
	Seen      int         `json:"seen"` // how often its page was opened with the passcode
	Taken     int         `json:"taken"`
	UsedAt    time.Time   `json:"usedAt,omitzero"`
	Wrong     int         `json:"wrong"` // passcodes
	Ended     bool        `json:"ended,omitempty"`
}

// Bounds of links.
const (
	maxLinks    = 20
	maxWrong    = 10 // then a link is over: nobody guesses a passcode of 12 letters
	LongestLink = 30 * 24 * time.Hour
)

// Errors that callers tell apart.
var (
	ErrLink     = errors.New("the link is not valid or over")
	ErrPasscode = errors.New("this is not the passcode")
	ErrLinks    = errors.New("a pack has at most 20 links")
)

// Open reports whether a link can be used.
func (l Link) Open(now time.Time) bool {
	return !l.Ended && l.Wrong < maxWrong && now.Before(l.ExpiresAt)
}

// Share makes a link to a pack. The token and the passcode are shown once.
func (a *Archive) Share(id string, until time.Time) (l Link, token, passcode string, err error) {
	now := a.maker.Now().UTC()
	if !until.After(now) || until.Sub(now) > LongestLink {
		return Link{}, "", "", ErrLink
	}
	token, passcode = rand.Text(), rand.Text()[:12]
	l = Link{ID: strings.ToLower(rand.Text()[:8]), Token: sha256.Sum256([]byte(token)), Salt: []byte(rand.Text()), MadeAt: now, ExpiresAt: until.UTC()}
	l.Passcode = hidden(l.Salt, passcode)
	var refused error
	err = a.change(id, func(j *Job) {
		switch {
		case j.State == Deleted || j.State == Failed:
			refused = ErrUnknown
		case len(j.Links) >= maxLinks:
			refused = ErrLinks
		default:
			j.Links = append(j.Links, l)
		}
	})
	if err == nil {
		err = refused
	}
	return l, token, passcode, err
}

// hidden is how a passcode is kept. It is drawn by us with 60 bits, so one hash is
// enough.
func hidden(salt []byte, passcode string) segment.Sum {
	return sha256.Sum256(append(slices.Clone(salt), strings.ToUpper(strings.Join(strings.Fields(strings.ReplaceAll(passcode, "-", "")), ""))...))
}

// Unshare ends a link.
func (a *Archive) Unshare(id, link string) error {
	found := false
	err := a.change(id, func(j *Job) {
		for i := range j.Links {
			if j.Links[i].ID == link {
				j.Links[i].Ended, found = true, true
			}
		}
	})
	if err == nil && !found {
		err = ErrLink
	}
	return err
}

// Shared finds the pack of a link that can be used.
func (a *Archive) Shared(token string) (Job, error) {
	sum := segment.Sum(sha256.Sum256([]byte(token)))
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, j := range a.jobs {
		for _, l := range j.Links {
			if subtle.ConstantTimeCompare(l.Token[:], sum[:]) == 1 && l.Open(a.maker.Now()) {
				return j.copy(), nil
			}
		}
	}
	return Job{}, ErrLink
}

// Unlock uses a link with its passcode, to take the pack or to see what it holds. A
// wrong one counts.
func (a *Archive) Unlock(token, passcode string, take bool) (Job, string, error) {
	j, err := a.Shared(token)
	if err != nil {
		return Job{}, "", err
	}
	sum := segment.Sum(sha256.Sum256([]byte(token)))
	used := ""
	right := false
	if err := a.change(j.Request.ID, func(j *Job) {
		for i := range j.Links {
			l := &j.Links[i]
			if l.Token != sum || !l.Open(a.maker.Now()) {
				continue
			}
			used = l.ID
			want := hidden(l.Salt, passcode)
			right = subtle.ConstantTimeCompare(l.Passcode[:], want[:]) == 1
			switch {
			case !right:
				l.Wrong++
				continue
			case take:
				l.Taken++
			default:
				l.Seen++
			}
			l.UsedAt = a.maker.Now().UTC()
		}
	}); err != nil {
		return Job{}, "", err
	}
	switch {
	case used == "":
		return Job{}, "", ErrLink
	case !right:
		return Job{}, used, ErrPasscode
	}
	return j, used, nil
}
