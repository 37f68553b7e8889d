package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/chargewatch/chargewatch/internal/disk"
	"github.com/chargewatch/chargewatch/internal/picture"
	"github.com/chargewatch/chargewatch/internal/web"
)

// photoFolder holds the photos of work orders.
const photoFolder = "photos"

// photos keeps them while the disk has room. A photo is worth more than a clip:
// it is taken until telemetry has to give way.
type photos struct {
	*picture.Folder
	guard *disk.Guard
}

// Put writes a photo unless the disk is nearly full.
func (p photos) Put(id string, shot *picture.Photo) error {
	if p.guard.Stage() >= disk.ShortenCurves {
		return web.ErrNoRoom
	}
	return p.Folder.Put(id, shot)
}

// openPhotos opens the folder and finishes what a kill left half done.
func (s *Server) openPhotos(ctx context.Context) (photos, error) {
	folder, err := picture.Open(s.data, photoFolder)
	if err != nil {
		return photos{}, err
	}
	left, err := s.Store.UnfinishedPhotos(ctx)
	if err != nil {
		return photos{}, err
	}
	for _, id := range left {
		if err := errors.Join(folder.Remove(id), s.Store.ForgetOrderPhoto(ctx, id)); err != nil {
			return photos{}, fmt.Errorf("clear a photo that was not finished: %w", err)
		}
	}
	return photos{folder, s.guard}, nil
}
