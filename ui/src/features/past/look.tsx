// A file that waits: what its columns are taken for, what is found in it, where its
// sites go. Each change is read anew, so that what is shown is what would come.
import { Button, Select } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { bytes, count } from '../../format/quantity';
import { day } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import { Findings } from './findings';
import styles from './past.module.css';
import { Places } from './places';
import { change, forget, previewQuery, run, type Settings } from './queries';

export const FIELDS = [
  'site',
  'station',
  'port',
  'start',
  'startTime',
  'end',
  'endTime',
  'duration',
  'chargingEnd',
  'chargingTime',
  'energy',
  'peakPower',
  'ratedPower',
  'token',
] as const;

const ORDERS = ['dayFirst', 'monthFirst', 'swapped', 'asWritten'] as const;

export function Look({ id, close }: { id: number; close: () => void }) {
  const t = useT();
  const tag = useTag();
  const queries = useQueryClient();
  const { data: shown, error, refetch } = useQuery(previewQuery(id));
  const said = useMutation({
    mutationFn: (to: Settings) => change(id, to),
    onSuccess: (p) => queries.setQueryData(previewQuery(id).queryKey, p),
  });
  const over = {
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['imports'], exact: true });
      close();
    },
  };
  const begin = useMutation({ mutationFn: () => run(id), ...over });
  const drop = useMutation({ mutationFn: () => forget(id), ...over });
  const name = shown?.import.name ?? '';
  if (!shown)
    return (
      <Panel title={t('past.look')}>
        {error ? (
          <Failed what={t('past.look')} error={error} retry={() => void refetch()} />
        ) : (
          <Skeleton rows={8} />
        )}
      </Panel>
    );
  const { settings, counts, columns, decide } = shown;
  const { mapping } = settings;
  const read = (more: Partial<Settings['mapping']>) =>
    said.mutate({ ...settings, mapping: { ...mapping, ...more } });
  const ready = (counts?.imported ?? 0) + (counts?.repaired ?? 0);
  const busy = said.isPending || begin.isPending || drop.isPending;
  return (
    <Panel
      title={name}
      aside={
        <span className="meta">
          {bytes(tag, shown.import.bytes)}
          {counts?.from && counts.to
            ? ` · ${day(tag, Date.parse(counts.from), mapping.zone || 'UTC')} – ${day(tag, Date.parse(counts.to), mapping.zone || 'UTC')}`
            : ''}
        </span>
      }
    >
      <div className={styles.look} aria-busy={said.isPending}>
        {shown.before != null && (
          <p className={styles.notice} role="status">
            <Icon name="copy" size={16} /> {t('past.before', { id: shown.before })}
          </p>
        )}
        {decide.length > 0 && (
          <div className={styles.notice} role="status">
            <Icon name="help" size={16} />
            <div>
              <p className={styles.strong}>{t('past.decide')}</p>
              <ul className={styles.plain}>
                {decide.map((d) => (
                  <li key={d}>{t(`past.decide.${d as 'zone' | 'dates' | 'mapping' | 'sites'}`)}</li>
                ))}
              </ul>
            </div>
          </div>
        )}
        {counts && <Findings counts={counts} />}
        <section>
          <h3 className={styles.heading}>{t('past.columns')}</h3>
          <div className={styles.fields}>
            {FIELDS.map((f) => {
              const at = mapping.columns[f];
              return (
                <Select
                  key={f}
                  label={t(`past.field.${f}`)}
                  placeholder={t('past.none')}
                  data={columns.map((c, i) => ({ value: String(i), label: c.name || `${i + 1}` }))}
                  value={at === undefined ? null : String(at)}
                  onChange={(v) => {
                    const { [f]: _, ...rest } = mapping.columns;
                    read({ columns: v === null ? rest : { ...rest, [f]: Number(v) } });
                  }}
                  description={at === undefined ? ' ' : (columns[at]?.examples[0] ?? ' ')}
                  inputWrapperOrder={['label', 'input', 'description']}
                  classNames={{ description: styles.example! }}
                  disabled={busy}
                  clearable
                  searchable
                />
              );
            })}
            <Select
              label={t('past.zone')}
              placeholder={t('past.zone.none')}
              data={Intl.supportedValuesOf('timeZone')}
              value={mapping.zone || null}
              onChange={(zone) => read({ zone: zone ?? '' })}
              description={t('past.zone.hint')}
              inputWrapperOrder={['label', 'input', 'description']}
              disabled={busy}
              limit={80}
              clearable
              searchable
            />
            <Select
              label={t('past.dates')}
              placeholder={t('past.dates.auto')}
              data={ORDERS.map((o) => ({ value: o, label: t(`past.dates.${o}`) }))}
              value={mapping.dates || null}
              onChange={(dates) => read({ dates: (dates ?? '') as '' | (typeof ORDERS)[number] })}
              disabled={busy}
              clearable
            />
          </div>
        </section>
        {shown.sites.length > 0 && (
          <Places sites={shown.sites} settings={settings} disabled={busy} say={(to) => said.mutate(to)} />
        )}
        <FormFault what={t('past.change.refused')} error={said.error} />
        <FormFault what={t('past.run.refused')} error={begin.error ?? drop.error} />
        <div className={form.actions}>
          <Button variant="default" onClick={close}>
            {t('past.later')}
          </Button>
          <Button variant="default" onClick={() => drop.mutate()} loading={drop.isPending} disabled={busy}>
            {t('past.discard')}
          </Button>
          <Button
            onClick={() => begin.mutate()}
            loading={begin.isPending}
            disabled={busy || decide.length > 0 || ready === 0}
          >
            {t('past.run', { n: count(tag, ready) })}
          </Button>
        </div>
      </div>
    </Panel>
  );
}
