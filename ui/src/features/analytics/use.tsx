// How the use went over time. What ports did is stacked to the whole of their
// time, so that time nobody saw is never taken for time nobody came.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useT, useTag } from '../../i18n/i18n';
import { ChartPanel } from '../../ui/chart';
import { useZone } from '../../ui/zone';
import type { Beside } from './heat';
import { layersOf } from './layers';
import { scaleOf } from './measure';
import { binsOf, joined, measured, sharesOf, stepFor } from './occupancy';
import { Part } from './part';
import styles from './patterns.module.css';
import { type Asked, occupancyQuery } from './queries';
import type { Measure } from './search';
import { percentOf, told } from './tiles';
import { binName, Swatch, Timeline } from './timeline';

const ALONE: Record<Measure, string> = {
  occupied: 'var(--s-charging)',
  charging: 'var(--s-charging)',
  energy: 'var(--ink-2)',
  starts: 'var(--ink-2)',
  allBusy: 'var(--ink-2)',
};

/** What the values are of. */
const NOTES = {
  occupied: 'layers',
  charging: 'operative',
  energy: 'alone',
  starts: 'alone',
  allBusy: 'time',
} as const satisfies Record<Measure, string>;

export function Use({
  asked,
  beside,
  measure,
  onSelect,
}: {
  asked: Asked;
  beside: Beside | null;
  measure: Measure;
  onSelect: (from: number, to: number) => void;
}) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const step = stepFor(asked.to - asked.from);
  const query = useQuery({ ...occupancyQuery(asked, step), placeholderData: keepPreviousData });
  const other = useQuery({
    ...occupancyQuery(beside?.asked ?? asked, step),
    placeholderData: keepPreviousData,
    enabled: beside !== null,
  });
  const points = query.data?.series[0]?.points;
  const stretches = useMemo(() => joined(points ?? [], step, asked.to), [points, step, asked.to]);
  const bins = useMemo(
    () => binsOf(measure, stretches, (s) => binName(tag, s.from, s.to, zone)),
    [measure, stretches, tag, zone],
  );
  const otherPoints = beside && other.data ? other.data.series[0]?.points : undefined;
  const line = useMemo(() => {
    if (!otherPoints || !beside) return undefined;
    // Step by step from the begin of each: the same weekday lies under the same weekday.
    const others = joined(otherPoints, step, beside.asked.to);
    const first = asked.from - beside.asked.from;
    const at = new Map(others.map((s) => [Math.round((s.from + first) / 7_200_000), s]));
    return {
      name: beside.name,
      values: stretches.map((s) => {
        const o =
          step === '1d'
            ? at.get(Math.round(s.from / 7_200_000))
            : others.find((x) => x.from + first === s.from);
        if (!o) return null;
        const known = measured(measure, o);
        if (measure !== 'occupied' || known === null) return known;
        const shares = sharesOf(o.points);
        return shares && shares[0]! + shares[1]! + shares[2]!;
      }),
    };
  }, [otherPoints, beside, step, asked.from, stretches, measure]);
  const layers = useMemo(
    () =>
      measure === 'occupied'
        ? layersOf(t)
        : [{ key: measure, name: t(`analytics.measure.${measure}`), color: ALONE[measure] }],
    [t, measure],
  );
  const title = t(`analytics.use.title.${measure}`);
  const most = Math.max(0, ...bins.map((b) => b.parts?.reduce((a, v) => a + v, 0) ?? 0));
  const scale = scaleOf(tag, measure, most);
  const weekly = stretches.some((s) => s.points.length > 1);
  return (
    <Part title={title} query={query} rows={7} nothing={() => bins.length === 0}>
      {() => {
        const sums = measure === 'occupied' ? sharesOf(stretches.flatMap((s) => s.points)) : null;
        const shown = layers.filter((_, k) => measure !== 'occupied' || (sums?.[k] ?? 0) > 0);
        return (
          <ChartPanel
            title={title}
            label={title}
            note={t(`analytics.use.note.${NOTES[measure]}`, {
              step: t(`analytics.step.${weekly ? '1w' : step}`),
            })}
            twin={{
              file: `use-${measure}`,
              rows: stretches.map((s, i) => ({ s, bin: bins[i]! })),
              columns: [
                {
                  name: t('analytics.col.when'),
                  csv: 'from',
                  words: true,
                  value: ({ s }) => new Date(s.from).toISOString(),
                  show: ({ bin }) => bin.name,
                },
                ...layers.map((l, k) => ({
                  name: l.name,
                  csv:
                    measure === 'occupied' ? `${l.key}_share` : measure === 'energy' ? 'energy_wh' : measure,
                  value: ({ bin }: { bin: (typeof bins)[number] }) => bin.parts?.[k] ?? null,
                  show: ({ bin }: { bin: (typeof bins)[number] }) =>
                    bin.parts ? scale.show(bin.parts[k] ?? 0) : t('analytics.unseen'),
                })),
              ],
            }}
          >
            <Timeline
              label={title}
              layers={layers}
              bins={bins}
              show={scale.show}
              most={measure === 'energy' || measure === 'starts' ? undefined : 1}
              beside={line}
              onSelect={onSelect}
            />
            {(shown.length > 1 || line) && (
              <ul className={`num ${styles.legend}`}>
                {measure === 'occupied' &&
                  shown.map((l) => (
                    <li key={l.key}>
                      <Swatch layer={l} />
                      {l.name}
                      <b>{told(percentOf(tag, sums?.[layers.indexOf(l)]))}</b>
                    </li>
                  ))}
                {line && (
                  <li>
                    <i className={styles.dash} aria-hidden="true" />
                    {measure === 'occupied'
                      ? t('analytics.use.besideOccupied', { name: line.name })
                      : line.name}
                  </li>
                )}
              </ul>
            )}
          </ChartPanel>
        );
      }}
    </Part>
  );
}
