// One line of the list. Lines are drawn by the dozen while someone scrolls, so a
// line asks the page for nothing itself: words, names and links come from the
// list, and a line that leaves becomes the next one.
import { memo, useCallback, useMemo } from 'react';
import { kilowatts, NONE } from '../../format/quantity';
import { age, exact } from '../../format/time';
import { type Translate, useT, useTag } from '../../i18n/i18n';
import { useTicking } from '../../live/clock';
import { useLive, useStationPorts } from '../../live/hooks';
import { URGENCY } from '../../live/status';
import type { PortView, StationEntry } from '../../live/store';
import { ageWords } from '../../ui/figures';
import { useSiteNames } from '../../ui/sites';
import { familyKey, StateLabel, StateShape, statusKey } from '../../ui/state';
import { useZone } from '../../ui/zone';
import { type Column, NARROW } from './columns';
import styles from './list.module.css';
import type { Row } from './order';

const PORTS_SHOWN = 4;

export type RowWords = {
  t: Translate;
  tag: string;
  siteName: (id: string) => string;
  age: (at: number) => string;
  exact: (at: number) => string;
  /** What stands behind the shape of a port, for those who do not see it. */
  port: (p: PortView) => { title: string; spoken: string };
};

export function useRowWords(): RowWords {
  const t = useT();
  const tag = useTag();
  const siteName = useSiteNames();
  const zone = useZone();
  const { client } = useLive();
  return useMemo(() => {
    const ago = ageWords(t);
    const said = new Map<string, { title: string; spoken: string }>();
    return {
      t,
      tag,
      siteName,
      age: (at) => age(tag, ago, at, Date.now() + client.clockOffset, zone),
      exact: (at) => exact(tag, at, zone),
      port: (p) => {
        const state = p.online ? p.status : 'offline';
        const key = `${p.port}/${state}/${p.status}`;
        let words = said.get(key);
        if (!words) {
          words = {
            title: `${p.port}: ${t(statusKey(p.status))}`,
            spoken: t('list.port', {
              port: p.port,
              state: t(state === 'offline' ? familyKey('offline') : statusKey(p.status)),
            }),
          };
          // Ports are numbered, so there are a few dozen; hostile names must not make more.
          if (said.size < 1000) said.set(key, words);
        }
        return words;
      },
    };
  }, [t, tag, siteName, zone, client]);
}

function Since({ at, words }: { at: number; words: RowWords }) {
  const text = useTicking(useCallback(() => words.age(at), [words, at]));
  return (
    <time className="num" dateTime={new Date(at).toISOString()} title={words.exact(at)}>
      {text}
    </time>
  );
}

type RowProps = {
  row: Row;
  index: number;
  top: number;
  height: number;
  href: (id: string) => string;
  words: RowWords;
  columns: readonly Column[];
  /** Whether it is picked; undefined where rows cannot be. */
  picked?: boolean;
};

export const ListRow = memo(function ListRow(props: RowProps) {
  return props.row.entry ? <LiveRow {...props} entry={props.row.entry} /> : <RowView {...props} ports={[]} />;
});

function LiveRow({ entry, ...props }: RowProps & { entry: StationEntry }) {
  return <RowView {...props} ports={useStationPorts(entry)} />;
}

/** The site stands in the next column; what tells stations of one site apart is the rest of the name. */
function withoutSite(label: string, site: string): string {
  return label.startsWith(`${site} `) ? `… ${label.slice(site.length + 1)}` : label;
}

function worst(ports: readonly PortView[]): PortView | undefined {
  let found: PortView | undefined;
  for (const p of ports) if (!found || URGENCY[p.family] < URGENCY[found.family]) found = p;
  return found;
}

/** What flows at a station's ports; null when they charge and none says how much, undefined when none is in use. */
export function powerOf(ports: readonly PortView[]): number | null | undefined {
  let sum: number | null | undefined;
  for (const p of ports) {
    if (p.powerW !== null) sum = (sum ?? 0) + p.powerW;
    else if (p.family === 'charging') sum ??= null;
  }
  return sum;
}

function RowView({
  row,
  index,
  top,
  height,
  href,
  words,
  ports,
  columns,
  picked,
}: RowProps & { ports: PortView[] }) {
  const { t, tag, siteName } = words;
  const lead = worst(ports);
  const status = lead?.status ?? row.detail?.status ?? 'Unknown';
  const online = lead?.online ?? row.detail?.online ?? false;
  const powerW = powerOf(ports);
  const since = Math.max(0, ...ports.map((p) => p.statusAt)) * 1000;
  const never = row.entry === null && !row.detail?.lastFrameAt;
  const cell = (column: Column, k: number) => {
    const at = k < NARROW ? '' : styles.extra;
    switch (column) {
      case 'site':
        return (
          <span key={column} role="cell" className={`${styles.site} ${at}`}>
            {siteName(row.site)}
          </span>
        );
      case 'ports':
        return (
          <span key={column} role="cell" className={`${styles.ports} ${at}`}>
            {ports.slice(0, PORTS_SHOWN).map((p, i) => {
              const said = words.port(p);
              return (
                <span key={i} className={styles.port} title={said.title}>
                  <StateShape family={p.family} size={14} />
                  <span className="srOnly">{said.spoken}</span>
                </span>
              );
            })}
            {ports.length > PORTS_SHOWN && <span className="meta">+{ports.length - PORTS_SHOWN}</span>}
          </span>
        );
      case 'state':
        return (
          <span key={column} role="cell" className={`${styles.state} ${at}`}>
            {never ? (
              <span className="meta">{t('list.never')}</span>
            ) : (
              <StateLabel status={status} online={online} />
            )}
          </span>
        );
      case 'power':
        return (
          <span key={column} role="cell" className={`${styles.power} num ${at}`}>
            {powerW !== undefined && (
              <>
                {powerW === null ? NONE : kilowatts(tag, powerW)}
                <span className={styles.unit}>kW</span>
              </>
            )}
          </span>
        );
      case 'since':
        return (
          <span key={column} role="cell" className={`${styles.since} num ${at}`}>
            {since > 0 && <Since at={since} words={words} />}
          </span>
        );
      case 'heard': {
        const heard = row.detail?.lastFrameAt ? Date.parse(row.detail.lastFrameAt) : 0;
        return (
          <span key={column} role="cell" className={`${styles.since} num ${at}`}>
            {heard > 0 && <Since at={heard} words={words} />}
          </span>
        );
      }
      case 'tags':
        return (
          <span key={column} role="cell" className={`${styles.tags} ${at}`}>
            {row.detail?.tags.map((x) => (
              <span key={x} className={styles.tag}>
                {x}
              </span>
            ))}
          </span>
        );
      default:
        return (
          <span key={column} role="cell" className={`${styles[column]} ${at}`}>
            {textOf(row, column)}
          </span>
        );
    }
  };
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      data-row={index}
      data-picked={picked || undefined}
      className={styles.row}
      style={{ position: 'absolute', insetInline: 0, top, height }}
    >
      {picked !== undefined && (
        <span role="cell" className={styles.pick}>
          <input
            type="checkbox"
            tabIndex={-1}
            data-pick={index}
            checked={picked}
            readOnly
            aria-label={t('list.pick', { id: row.id })}
          />
        </span>
      )}
      <span role="cell" className={styles.station}>
        <a href={href(row.id)} data-station={row.id} className={`${styles.link} mono`}>
          {row.id}
        </a>
        {row.label && row.label !== row.id && (
          <span className={styles.label} title={row.label}>
            {withoutSite(row.label, siteName(row.site))}
          </span>
        )}
      </span>
      {columns.map(cell)}
    </div>
  );
}

function textOf(row: Row, column: 'model' | 'firmware' | 'protocol'): string {
  const d = row.detail;
  if (!d) return '';
  return column === 'model'
    ? [d.vendor, d.model].filter(Boolean).join(' ')
    : column === 'firmware'
      ? d.firmware
      : d.protocol.replace('ocpp', '');
}
