package sim

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The ways in which files go wrong.
const (
	UploadHuge    Mode = "uploadHuge"    // Size: MiB that it sends
	UploadAstray  Mode = "uploadAstray"  // the name of the file leads elsewhere
	UploadCut     Mode = "uploadCut"     // the connection breaks in the middle
	UploadNever   Mode = "uploadNever"   // it says that it uploaded, and sends nothing
	DownloadFails Mode = "downloadFails" // nothing can be fetched
	DownloadCut   Mode = "downloadCut"   // the connection breaks once; it goes on from there
	InstallFails  Mode = "installFails"  // the image is refused when it is to be installed
	InstallLies   Mode = "installLies"   // it says that it installed, and runs what ran before
)

// mostFetched bounds what a station takes as firmware.
const mostFetched = 1 << 30

// transport reaches the machine of the central system, and nothing else: what a person
// types into a demo as an address must not make us call the world.
type transport struct {
	host   string
	client *http.Client
}

func newTransport(base string, conf *tls.Config) *transport {
	u, err := url.Parse(base)
	if err != nil {
		return nil
	}
	return &transport{host: u.Hostname(), client: &http.Client{
		Transport: &http.Transport{
			DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext, TLSClientConfig: conf, TLSHandshakeTimeout: dialTimeout,
			ResponseHeaderTimeout: time.Minute, DisableKeepAlives: true, ExpectContinueTimeout: time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// reaches reports whether a file can really be moved: it is on the machine of the central
// system, over HTTP, and the station lives in the present. Everything else is played.
func (st *station) reaches(location string) bool {
	t := st.f.transport
	if t == nil || st.past != nil || st.warming {
		return false
	}
	u, err := url.Parse(location)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() == t.host
}

// errRefused is the answer of a server that does not want what it is sent.
type errRefused int

func (e errRefused) Error() string { return fmt.Sprintf("the server says %d", int(e)) }

// put sends a file as the firmware of different makers does: whole, in chunks, or as a
// form.
func (t *transport) put(ctx context.Context, location, name string, data io.Reader, size int64, style int) error {
	method, kind := http.MethodPut, "application/gzip"
	switch style % 3 {
	case 1:
		size = -1
	case 2:
		method = http.MethodPost
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		part, err := w.CreateFormFile("file", name)
		if err == nil {
			_, err = io.Copy(part, data)
		}
		if err = errors.Join(err, w.Close()); err != nil {
			return fmt.Errorf("make a form: %w", err)
		}
		kind, data, size = w.FormDataContentType(), &form, int64(form.Len())
	}
	to := location
	if strings.HasSuffix(to, "/") && style%3 != 2 {
		to += name
	}
	r, err := http.NewRequestWithContext(ctx, method, to, io.NopCloser(data))
	if err != nil {
		return fmt.Errorf("ask for an upload: %w", err)
	}
	r.ContentLength = size
	r.Header.Set("Content-Type", kind)
	resp, err := t.client.Do(r)
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return errRefused(resp.StatusCode)
	}
	return nil
}

// get fetches a file, and goes on where it was cut off.
func (t *transport) get(ctx context.Context, location string, cut bool) ([]byte, error) {
	var have bytes.Buffer
	for try := range 4 {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, location, nil)
		if err != nil {
			return nil, fmt.Errorf("ask for a download: %w", err)
		}
		if have.Len() > 0 {
			r.Header.Set("Range", fmt.Sprintf("bytes=%d-", have.Len()))
		}
		resp, err := t.client.Do(r)
		if err != nil {
			return nil, fmt.Errorf("download: %w", err)
		}
		switch {
		case resp.StatusCode == http.StatusOK:
			have.Reset()
		case resp.StatusCode == http.StatusPartialContent && have.Len() > 0:
		default:
			resp.Body.Close()
			return nil, errRefused(resp.StatusCode)
		}
		from := io.Reader(io.LimitReader(resp.Body, mostFetched))
		if cut && try == 0 {
			from = io.LimitReader(from, max(1, resp.ContentLength/2))
		}
		_, err = io.Copy(&have, from)
		resp.Body.Close()
		if err == nil && !(cut && try == 0) {
			return have.Bytes(), nil
		}
	}
	return nil, errors.New("download: cut off too often")
}

// uploadFile really sends a log.
func (st *station) uploadFile(request int, location, name string) {
	st.jobs++
	job := st.jobs
	st.steps(job, []time.Duration{2 * time.Second, time.Second}, func(i int) {
		if i == 0 {
			st.d.logStatus(request, "Uploading")
			return
		}
		data, size := io.Reader(nil), int64(0)
		whole := st.logFile(name)
		data, size = bytes.NewReader(whole), int64(len(whole))
		if mib, ok := st.failing(UploadHuge, nil); ok {
			size = int64(mib) << 20
			data = io.LimitReader(zeros{}, size)
		}
		if _, ok := st.failing(UploadAstray, nil); ok {
			name = "%2e%2e%2f" + name
		}
		if _, ok := st.failing(UploadCut, nil); ok {
			data = &cutOff{r: data, left: size / 2}
		}
		_, never := st.failing(UploadNever, nil)
		style, t, ctx := st.number, st.f.transport, st.f.ctx
		st.f.work.Go(func() {
			var err error
			if !never {
				err = t.put(ctx, location, name, data, size, style)
			}
			st.do(func() {
				if st.jobs != job {
					return
				}
				if err != nil {
					st.d.logStatus(request, "UploadFailed")
					return
				}
				st.d.logStatus(request, "Uploaded")
			})
		})
	})
}

// zeros is a file without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// cutOff breaks in the middle.
type cutOff struct {
	r    io.Reader
	left int64
}

func (c *cutOff) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

// logFile is what a station keeps for its maker: an archive with one log.
func (st *station) logFile(name string) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s %s %s serial %s firmware %s\n", st.spec.Model.Vendor, st.spec.Model.Name, st.spec.ID, st.spec.Serial, st.firmware)
	at := st.now.Add(-24 * time.Hour)
	for i := range 2000 {
		at = at.Add(43 * time.Second)
		e := st.evses[i%len(st.evses)]
		fmt.Fprintf(&text, "%s evse=%d register_wh=%.1f supply_v=%.1f board_c=%.1f\n", st.stamp(at), e.id, e.reg, 228+float64(i%40)/10, 31+float64(i%70)/10)
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	t := tar.NewWriter(z)
	// Writing to memory does not fail.
	_ = t.WriteHeader(&tar.Header{Name: strings.TrimSuffix(name, ".tar.gz") + ".log", Mode: 0o600, Size: int64(text.Len()), ModTime: st.now})
	_, _ = t.Write(text.Bytes())
	_ = t.Close()
	_ = z.Close()
	return out.Bytes()
}

// Image is how firmware for simulated stations begins: a line of JSON, and anything
// behind it.
type Image struct {
	Version string `json:"simulatedFirmware"`
	// FailsAt are stations that cannot install it; * is all.
	FailsAt []string `json:"failsAt,omitempty"`
	// InstallSeconds is how long each of its two parts takes: to install it, and to
	// start with it. Without, 15 and 40.
	InstallSeconds float64 `json:"installSeconds,omitempty"`
}

func (i Image) long() (install, start time.Duration) {
	if i.InstallSeconds > 0 {
		d := time.Duration(min(i.InstallSeconds, 3600) * float64(time.Second))
		return d, d
	}
	return 15 * time.Second, 40 * time.Second
}

// signature is what came with firmware.
type signature struct{ value, certificate string }

// verify checks firmware as OCPP signs it.
func (s signature) verify(data []byte) bool {
	raw, err := base64.StdEncoding.DecodeString(s.value)
	block, _ := pem.Decode([]byte(s.certificate))
	if err != nil || block == nil {
		return false
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return false
	}
	sum := sha256.Sum256(data)
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPSS(key, crypto.SHA256, sum[:], raw, nil) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, sum[:], raw)
	}
	return false
}

// fetchFirmware really downloads an image, and plays its installation.
func (st *station) fetchFirmware(request int, location string, at time.Time, signed *signature) {
	st.jobs++
	job := st.jobs
	_, cut := st.failing(DownloadCut, nil)
	_, fails := st.failing(DownloadFails, nil)
	t, ctx := st.f.transport, st.f.ctx
	st.steps(job, []time.Duration{max(2*time.Second, at.Sub(st.now))}, func(int) {
		st.d.firmwareStatus(request, "Downloading")
		st.f.work.Go(func() {
			data, err := []byte(nil), error(errRefused(0))
			if !fails {
				data, err = t.get(ctx, location, cut)
			}
			st.do(func() {
				switch {
				case st.jobs != job:
				case err != nil:
					st.d.firmwareStatus(request, "DownloadFailed")
				default:
					st.d.firmwareStatus(request, "Downloaded")
					st.installImage(job, request, data, signed)
				}
			})
		})
	})
}

// installImage plays what follows a download.
func (st *station) installImage(job int64, request int, data []byte, signed *signature) {
	image := Image{Version: nextFirmware(st.firmware)}
	if line, _, _ := bytes.Cut(data, []byte("\n")); len(line) < 4096 {
		_ = json.Unmarshal(line, &image) // other firmware is installed too
	}
	install, start := image.long()
	genuine := signed == nil || signed.verify(data)
	statuses, gaps := []string{"Installing"}, []time.Duration{5 * time.Second}
	if signed != nil {
		statuses, gaps = append([]string{"SignatureVerified"}, statuses...), append([]time.Duration{2 * time.Second}, gaps...)
	}
	if !genuine {
		statuses, gaps = []string{"InvalidSignature"}, gaps[:1]
	}
	st.steps(job, gaps, func(i int) {
		st.d.firmwareStatus(request, statuses[i])
		if statuses[i] != "Installing" {
			return
		}
		st.after(install, func() {
			if _, fails := st.failing(InstallFails, nil); fails || slices.Contains(image.FailsAt, "*") || slices.Contains(image.FailsAt, st.spec.ID) {
				st.d.firmwareStatus(request, "InstallationFailed")
				return
			}
			if _, lies := st.failing(InstallLies, nil); !lies {
				st.firmware = image.Version
			}
			st.reboot(reasonReboot, "FirmwareUpdate", start)
			st.installed = func() {
				st.d.firmwareStatus(request, "Installed")
				st.d.security("FirmwareUpdated", st.firmware)
			}
		})
	})
}
