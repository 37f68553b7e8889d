package door

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"

	"github.com/chargewatch/chargewatch/internal/mqtt"
)

// onBroker is a device on a broker that somebody runs.
type onBroker struct {
	url, user, password string
	kind, name          string
}

// run plays the device until ctx ends.
func (o onBroker) run(ctx context.Context, control io.Reader, stdout, stderr io.Writer) error {
	at, err := mqtt.ParseURL(o.url)
	if err != nil {
		return fmt.Errorf("read the address of the broker: %w", err)
	}
	trust, err := at.TLS("")
	if err != nil {
		return err
	}
	client := mqtt.New(mqtt.Options{
		Broker: mqtt.Broker{Dial: (&net.Dialer{}).DialContext, Address: at.Address, TLS: trust, User: o.user, Password: o.password},
		Logger: slog.New(slog.NewTextHandler(stderr, nil)),
	})
	d, err := NewDevice(ctx, client, DeviceKind(o.kind), o.name)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s %s at %s; its reader is %s/reader\n", o.kind, o.name, o.url, o.name)
	if control != nil {
		go o.obey(d, control, stdout, stderr)
	}
	return client.Run(ctx)
}

// obey does what lines say until they end.
func (o onBroker) obey(d *Device, r io.Reader, stdout, stderr io.Writer) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		w := append(strings.Fields(lines.Text()), "", "", "")
		switch what := w[0] + " " + w[1]; {
		case w[0] == "":
			continue
		case w[0] == "open", w[0] == "shut":
			d.Stand(w[0] == "open")
		case what == "power on", what == "power off":
			d.Power(w[1] == "on")
		case what == "relay on", what == "relay off":
			d.Turn(w[1] == "on")
		case w[0] == "swipe" && w[1] != "":
			if err := d.Swipe(o.name+"/reader", w[1], w[2]); err != nil {
				fmt.Fprintln(stderr, err)
				continue
			}
		default:
			fmt.Fprintf(stderr, "unknown command %q\n", lines.Text())
			continue
		}
		fmt.Fprintln(stdout, "done")
	}
}

// Swipe shows a card, and a code if there is one, at a reader with a topic.
func (d *Device) Swipe(topic, card, pin string) error {
	said := map[string]string{"card": card}
	if pin != "" {
		said["pin"] = pin
	}
	text, err := json.Marshal(said)
	if err != nil {
		return fmt.Errorf("show a card: %w", err)
	}
	d.say(topic, string(text), false)
	return nil
}
