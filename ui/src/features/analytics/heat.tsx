// When the use is: hour by weekday, beside another period or site on the same
// scale where one is compared.
import { Select } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useT, useTag } from '../../i18n/i18n';
import { ChartPanel } from '../../ui/chart';
import { roundUp } from './axis';
import { HeatLegend, HeatMap } from './heatmap';
import { scaleOf } from './measure';
import { Part } from './part';
import styles from './patterns.module.css';
import { type Asked, heatQuery } from './queries';
import { MEASURES, type Measure } from './search';
import { hoursText, weekdayName } from './weekdays';

export type Beside = { name: string; asked: Asked };

export function Measures({ value, set }: { value: Measure; set: (m: Measure) => void }) {
  const t = useT();
  return (
    <Select
      size="xs"
      w={152}
      aria-label={t('analytics.measure')}
      allowDeselect={false}
      data={MEASURES.map((m) => ({ value: m, label: t(`analytics.measure.${m}`) }))}
      value={value}
      onChange={(v) => set((v as Measure | null) ?? 'occupied')}
    />
  );
}

export function Heat({
  asked,
  own,
  beside,
  measure,
  className,
}: {
  asked: Asked;
  /** What is shown, in words, for two maps beside each other. */
  own: string;
  beside: Beside | null;
  measure: Measure;
  className?: string;
}) {
  const t = useT();
  const tag = useTag();
  const title = t(`analytics.heat.title.${measure}`);
  const query = useQuery({ ...heatQuery(asked, measure), placeholderData: keepPreviousData });
  const other = useQuery({
    ...heatQuery(beside?.asked ?? asked, measure),
    placeholderData: keepPreviousData,
    enabled: beside !== null,
  });
  const with_ = beside && other.data ? { name: beside.name, cells: other.data.cells } : undefined;
  return (
    <Part
      title={title}
      query={query}
      rows={8}
      className={className}
      nothing={({ cells }) => cells.every((c) => c.value === null)}
    >
      {({ cells }) => {
        const all = [...cells, ...(with_?.cells ?? [])];
        const top = roundUp(Math.max(0, ...all.map((c) => c.value ?? 0)));
        const scale = scaleOf(tag, measure, top);
        const unseen = all.some((c) => c.value === null);
        const seen = cells.filter((c) => c.value !== null);
        const weeks = Math.max(0, ...cells.map((c) => c.weeks));
        return (
          <ChartPanel
            title={title}
            label={title}
            note={t(`analytics.heat.note.${measure}`, { n: weeks })}
            twin={{
              file: `heatmap-${measure}`,
              rows: cells,
              columns: [
                {
                  name: t('analytics.col.weekday'),
                  csv: 'weekday',
                  words: true,
                  value: (c) => c.weekday,
                  show: (c) => weekdayName(tag, c.weekday, 'long'),
                },
                {
                  name: t('analytics.col.hours'),
                  csv: 'hour',
                  words: true,
                  value: (c) => c.hour,
                  show: (c) => hoursText(c.hour, c.hour + 1),
                },
                {
                  name: t(`analytics.measure.${measure}`),
                  csv: `${measure}${measure === 'energy' ? '_wh' : measure === 'starts' ? '_per_hour' : '_share'}`,
                  value: (c) => c.value,
                  show: (c) => (c.value === null ? t('analytics.unseen') : scale.show(c.value)),
                },
                { name: t('analytics.col.weeks'), csv: 'weeks', value: (c) => c.weeks },
              ],
            }}
          >
            <div className={styles.maps}>
              <div>
                {with_ && <p className={styles.mapName}>{own}</p>}
                <HeatMap
                  label={with_ ? `${title}: ${own}` : title}
                  cells={cells}
                  top={top}
                  show={scale.show}
                  beside={with_}
                />
              </div>
              {with_ && (
                <div>
                  <p className={styles.mapName}>{with_.name}</p>
                  <HeatMap
                    label={`${title}: ${with_.name}`}
                    cells={with_.cells}
                    top={top}
                    show={scale.show}
                    beside={{ name: own, cells }}
                  />
                </div>
              )}
            </div>
            {seen.length > 0 && <HeatLegend top={top} show={scale.show} unseen={unseen} />}
          </ChartPanel>
        );
      }}
    </Part>
  );
}
