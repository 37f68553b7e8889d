// The picture with its pins. Pins are buttons: with a pointer they are dragged,
// with the keyboard the arrows move them.
import { useRouter } from '@tanstack/react-router';
import { type KeyboardEvent, type PointerEvent, useRef, useState } from 'react';
import type { Pin, Site } from '../../api/shapes';
import { kilowatts } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { useLayout, useLive, useStationPorts } from '../../live/hooks';
import { URGENCY } from '../../live/status';
import type { PortView, StationEntry } from '../../live/store';
import { Failed } from '../../ui/panel';
import { familyKey, StateShape } from '../../ui/state';
import { dropPin, placePin, stepPin } from './pins';
import styles from './plan.module.css';

const HEIGHT = 560;

type BoardProps = {
  site: Site;
  plan: NonNullable<Site['plan']>;
  pins: readonly Pin[];
  stations: readonly { id: string; label: string }[];
  /** There while pins are being placed. */
  change?: (pins: Pin[]) => void;
};

export function Board({ site, plan, pins, stations, change }: BoardProps) {
  const t = useT();
  const { store } = useLive();
  useLayout();
  const box = useRef<HTMLDivElement>(null);
  const [broken, setBroken] = useState(false);
  const label = new Map(stations.map((s) => [s.id, s.label]));
  if (broken) return <Failed what={t('plan.picture')} error={null} retry={() => setBroken(false)} />;
  return (
    <div className={styles.frame}>
      <div
        ref={box}
        className={styles.board}
        data-placing={change !== undefined}
        style={{
          aspectRatio: `${plan.width} / ${plan.height}`,
          width: `min(100%, ${Math.round((HEIGHT * plan.width) / plan.height)}px)`,
        }}
      >
        <img
          className={styles.image}
          src={`/api/v1/sites/${encodeURIComponent(site.id)}/plan?v=${plan.digest}`}
          alt={t('plan.alt', { site: site.name || site.id })}
          draggable={false}
          onError={() => setBroken(true)}
        />
        {pins.map((p) => {
          const entry = store.station(p.station);
          const props = {
            pin: p,
            name: label.get(p.station) || p.station,
            box: () => box.current,
            pins,
            change,
          };
          return entry ? (
            <LivePin key={p.station} entry={entry} {...props} />
          ) : (
            <PinView key={p.station} ports={[]} {...props} />
          );
        })}
      </div>
    </div>
  );
}

type PinProps = {
  pin: Pin;
  name: string;
  box: () => HTMLElement | null;
  pins: readonly Pin[];
  change?: (pins: Pin[]) => void;
};

function LivePin({ entry, ...props }: PinProps & { entry: StationEntry }) {
  return <PinView {...props} ports={useStationPorts(entry)} />;
}

function PinView({ pin, name, box, pins, change, ports }: PinProps & { ports: PortView[] }) {
  const t = useT();
  const tag = useTag();
  const router = useRouter();
  const dragged = useRef(false);
  const worst = ports.reduce<PortView | undefined>(
    (a, b) => (a === undefined || URGENCY[b.family] < URGENCY[a.family] ? b : a),
    undefined,
  );
  const family = worst?.family ?? 'unknown';
  const free = ports.filter((p) => p.free).length;
  const watts = ports.reduce((sum, p) => sum + (p.online ? (p.powerW ?? 0) : 0), 0);
  const text = change
    ? pin.station
    : ports.length === 0
      ? ''
      : watts > 0
        ? `${kilowatts(tag, watts)} kW`
        : `${free}/${ports.length}`;
  const spoken = t('plan.pin', {
    station: pin.station,
    state: t(familyKey(family)),
    free,
    total: ports.length,
  });
  const move = (e: PointerEvent<HTMLButtonElement>) => {
    if (!change || !e.currentTarget.hasPointerCapture(e.pointerId)) return;
    const r = box()?.getBoundingClientRect();
    if (!r) return;
    dragged.current = true;
    change(placePin(pins, pin.station, (e.clientX - r.left) / r.width, (e.clientY - r.top) / r.height));
  };
  const onKey = (e: KeyboardEvent) => {
    if (!change || e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === 'Delete' || e.key === 'Backspace') {
      e.preventDefault();
      change(dropPin(pins, pin.station));
      return;
    }
    const next = stepPin(pins, pin.station, e.key, e.shiftKey);
    if (!next) return;
    e.preventDefault();
    change(next);
  };
  return (
    <button
      type="button"
      className={styles.pin}
      style={{ left: `${pin.x * 100}%`, top: `${pin.y * 100}%` }}
      data-pin={pin.station}
      aria-label={change ? t('plan.move', { station: pin.station }) : `${spoken} ${text}`}
      title={change ? pin.station : `${name} · ${spoken}`}
      onPointerDown={(e) => {
        if (!change) return;
        dragged.current = false;
        e.currentTarget.setPointerCapture(e.pointerId);
      }}
      onPointerMove={move}
      onKeyDown={onKey}
      onClick={() => {
        if (!change && !dragged.current)
          void router.navigate({ to: '/stations/$id', params: { id: pin.station } });
      }}
    >
      <StateShape family={family} size={16} />
      <span className={`${styles.pinText} ${change ? 'mono' : 'num'}`}>{text}</span>
    </button>
  );
}
