package pki

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"testing"
	"time"
)

var errKilled = errors.New("killed")

// killed is a folder whose process is killed after so many changes: nothing is done after.
type killed struct {
	folder
	left *int
}

func (k killed) die() error {
	if *k.left == 0 {
		return errKilled
	}
	*k.left--
	return nil
}

// WriteFile may be killed while the new file is half written, too.
func (k killed) WriteFile(name string, data []byte, mode os.FileMode) error {
	if err := k.die(); err != nil {
		return err
	}
	if err := k.die(); err != nil {
		return errors.Join(err, k.Root.WriteFile(name+".new", data[:len(data)/2], mode))
	}
	return k.folder.WriteFile(name, data, mode)
}

func (k killed) Rename(from, to string) error {
	if err := k.die(); err != nil {
		return err
	}
	return k.folder.Rename(from, to)
}

func (k killed) Remove(name string) error {
	if err := k.die(); err != nil {
		return err
	}
	return k.folder.Remove(name)
}

// The change of the root is killed before, after and in the middle of each thing that it
// does to the folder. The next start serves certificates under the old root or under the
// new one, and the change goes on to the new one.
func TestAChangeOfTheRootIsKilled(t *testing.T) {
	now := time.Now()
	serve := func(t *testing.T, root files) *x509.Certificate {
		t.Helper()
		a, err := openOwn(root, now)
		if err != nil {
			t.Fatal("no root is served: ", err)
		}
		made, err := a.Client(now, "anybody")
		if err != nil {
			t.Fatal("the root signs nothing: ", err)
		}
		leaf, err := x509.ParseCertificate(made.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := leaf.CheckSignatureFrom(a.cert); err != nil {
			t.Fatal("the key is not that of the root: ", err)
		}
		return a.cert
	}
	change := func(root files) error {
		want, err := nextRoot(root, now)
		if err != nil {
			return err
		}
		return useNextRoot(root, want)
	}
	done, older, newer := false, 0, 0
	for after := 0; !done; after++ {
		if after > 100 {
			t.Fatal("the change never ends")
		}
		root, err := os.OpenRoot(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		disk := folder{root}
		first := serve(t, disk)

		left := after
		switch err := change(killed{disk, &left}); {
		case err == nil:
			done = true
		case !errors.Is(err, errKilled):
			t.Fatalf("killed after %d: %v", after, err)
		}
		if found := serve(t, disk); found.Equal(first) {
			older++
		} else {
			newer++
		}
		if done {
			break
		}
		// The one who goes on knows the new root by its row; the first one made is it.
		a, err := openOwn(disk, now)
		if err != nil {
			t.Fatal(err)
		}
		want := a.cert
		if want.Equal(first) {
			if want, err = nextRoot(disk, now); err != nil {
				t.Fatalf("killed after %d: %v", after, err)
			}
		}
		if err := useNextRoot(disk, want); err != nil {
			t.Fatalf("killed after %d, it does not go on: %v", after, err)
		}
		if found := serve(t, disk); !found.Equal(want) {
			t.Errorf("killed after %d, it goes on under another root", after)
		}
	}
	if older < 5 || newer < 2 {
		t.Errorf("killed %d times under the old root and %d under the new one: the points are not all there", older, newer)
	}
}

// What is given up is forgotten, wherever that is killed.
func TestDroppingTheNextRootIsKilled(t *testing.T) {
	now := time.Now()
	for after := range 3 {
		root, err := os.OpenRoot(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		disk := folder{root}
		a, err := openOwn(disk, now)
		if err != nil {
			t.Fatal(err)
		}
		given, err := nextRoot(disk, now)
		if err != nil {
			t.Fatal(err)
		}
		left := after
		if err := dropNextRoot(killed{disk, &left}); err != nil && !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		if again, err := openOwn(disk, now); err != nil || !again.cert.Equal(a.cert) {
			t.Fatalf("killed after %d: another root is served, %v", after, err)
		}
		if err := dropNextRoot(disk); err != nil {
			t.Fatal(err)
		}
		if next, err := nextRoot(disk, now); err != nil || next.Equal(given) {
			t.Errorf("killed after %d: what was given up is used again, %v", after, err)
		}
	}
}

// Certificates of the server whose key was written and they not are made again.
func TestACertificateOfTheServerIsCutOff(t *testing.T) {
	now := time.Now()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	a, err := Own(root, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Server(now, []string{"127.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	other, err := root.ReadFile(caKeyFile)
	if err == nil {
		err = root.WriteFile(serverECDSA+".key", other, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := a.Server(now, []string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := shake(t, Config(pairs, nil, false), &tls.Config{RootCAs: a.Pool()}); err != nil {
		t.Error(err)
	}
}
