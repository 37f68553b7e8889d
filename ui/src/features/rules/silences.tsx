import { Button, MultiSelect, Select, Switch, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, ok } from '../../api/client';
import { exact, HOUR } from '../../format/time';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { Effect, FormDialog, faultAt } from '../settings/dialog';
import { type Silence, type SilenceBody, silencesQuery } from './queries';
import styles from './rules.module.css';

const DAYS = ['mo', 'tu', 'we', 'th', 'fr', 'sa', 'su'] as const;
const SPANS = ['1', '4', '12', '24', '72', '168', '720'] as const;

export function Silences() {
  const t = useT();
  const tag = useTag();
  const queries = useQueryClient();
  const mayWrite = useAllowed('silences.write');
  const { data, error, refetch } = useQuery(silencesQuery());
  const [adding, setAdding] = useState(false);
  const [ending, setEnding] = useState<Silence | null>(null);
  const changed = () => queries.invalidateQueries({ queryKey: ['rules', 'silences'] });
  const add = mayWrite && (
    <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setAdding(true)}>
      {t('silence.add')}
    </Button>
  );
  return (
    <Panel title={t('rules.tab.silences')} aside={add} flush>
      {error && !data ? (
        <Failed what={t('silence.part')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={4} />
      ) : data.length === 0 ? (
        <Empty title={t('silence.none')} action={add}>
          {t('silence.noneText')}
        </Empty>
      ) : (
        <TableFrame label={t('rules.tab.silences')}>
          <thead>
            <tr>
              <th scope="col">{t('silence.reason')}</th>
              <th scope="col">{t('silence.type')}</th>
              <th scope="col">{t('rules.state')}</th>
              <th scope="col">{t('silence.about')}</th>
              <th scope="col" className={table.end}>
                {t('silence.muting')}
              </th>
              <th scope="col">{t('silence.by')}</th>
              <th aria-label={t('rules.acts')} />
            </tr>
          </thead>
          <tbody>
            {data.map((s) => (
              <tr key={s.id}>
                <td className={table.prose}>{s.reason}</td>
                <td>{t(`silence.type.${s.type}`)}</td>
                <td>
                  <span className={styles.state}>
                    <Icon name={s.active ? 'check' : s.over ? 'close' : 'clock'} size={14} />
                    {t(s.active ? 'silence.active' : s.over ? 'silence.over' : 'silence.waits')}
                    {s.until && <span className="meta">{exact(tag, Date.parse(s.until))}</span>}
                  </span>
                </td>
                <td className={table.prose}>
                  <About of={s} />
                </td>
                <td className={`${table.end} num`}>{s.muting}</td>
                <td>{s.changedBy}</td>
                <td className={table.end}>
                  <Button size="compact-sm" variant="default" onClick={() => setEnding(s)}>
                    {t(s.over ? 'rules.delete' : 'silence.end')}
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </TableFrame>
      )}
      {adding && <Add close={() => setAdding(false)} saved={changed} />}
      {ending && (
        <FormDialog
          title={t('silence.endTitle')}
          close={() => setEnding(null)}
          send={() => ok(api.DELETE('/silences/{id}', { params: { path: { id: ending.id } } }))}
          sent={changed}
          action={t(ending.over ? 'rules.delete' : 'silence.end')}
          failed={t('silence.notEnded')}
          grave
        >
          <Effect>{t('silence.endText', { reason: ending.reason })}</Effect>
        </FormDialog>
      )}
    </Panel>
  );
}

function About({ of }: { of: Silence }) {
  const t = useT();
  const sites = useSites();
  const parts = [
    ...(of.sites ?? []).map((id) => sites.get(id)?.name || id),
    ...(of.stations ?? []),
    ...(of.matchers ?? []).map((m) => `${m.label} ${m.op} ${m.value}`),
  ];
  return (
    <span className={styles.sets}>
      {parts.length === 0 ? t('silence.everything') : parts.map((p) => <span key={p}>{p}</span>)}
      {(of.weekly ?? []).map((w) => (
        <span key={`${w.days}${w.from}`} className="meta">
          {(w.days ?? []).map((d) => t(`silence.day.${d}` as MessageKey)).join(' ')} {w.from}–{w.to}
        </span>
      ))}
    </span>
  );
}

const LABELS = [
  'kind',
  'severity',
  'family',
  'vendor',
  'model',
  'firmware',
  'carrier',
  'station',
  'powerClass',
];

function Add({ close, saved }: { close: () => void; saved: () => unknown }) {
  const t = useT();
  const sites = useSites();
  const [type, setType] = useState<'silence' | 'window'>('silence');
  const [reason, setReason] = useState('');
  const [chosen, setChosen] = useState<string[]>([]);
  const [label, setLabel] = useState('');
  const [value, setValue] = useState('');
  const [hours, setHours] = useState<string>('4');
  const [weekly, setWeekly] = useState(false);
  const [days, setDays] = useState<string[]>(['mo']);
  const [from, setFrom] = useState('22:00');
  const [to, setTo] = useState('06:00');
  const [safety, setSafety] = useState(false);
  const zone = chosen.map((id) => sites.get(id)?.timeZone).find(Boolean);
  const make = (): SilenceBody => ({
    type,
    reason: reason.trim() || '-',
    sites: chosen,
    safety,
    ...(label && value ? { matchers: [{ label, op: '=~', value }] } : {}),
    ...(weekly
      ? {
          weekly: [{ days, from, to }],
          zone: zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
        }
      : { end: new Date(Date.now() + Number(hours) * HOUR).toISOString() }),
  });
  const asked = JSON.stringify([chosen, label, value, weekly, days, from, to, safety]);
  const [preview, setPreview] = useState<{ count: number; titles: string[] } | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is asked is in asked
  useEffect(() => {
    const stop = new AbortController();
    const wait = setTimeout(() => {
      ok(api.POST('/silences/preview', { body: make(), signal: stop.signal })).then(
        (p) => setPreview({ count: p.count, titles: p.incidents.slice(0, 5).map((i) => i.title) }),
        () => setPreview(null),
      );
    }, 300);
    return () => {
      clearTimeout(wait);
      stop.abort();
    };
  }, [asked]);
  return (
    <FormDialog
      title={t('silence.add')}
      close={close}
      send={() => ok(api.POST('/silences', { body: make() }))}
      sent={saved}
      action={t('silence.start')}
      failed={t('silence.notStarted')}
      ready={reason.trim() !== ''}
    >
      {(error) => (
        <>
          <Select
            label={t('silence.type')}
            allowDeselect={false}
            data={(['silence', 'window'] as const).map((v) => ({ value: v, label: t(`silence.long.${v}`) }))}
            value={type}
            onChange={(v) => v && setType(v as typeof type)}
          />
          <TextInput
            label={t('silence.reason')}
            required
            maxLength={400}
            value={reason}
            error={faultAt(error, 'reason')}
            onChange={(e) => setReason(e.currentTarget.value)}
          />
          <MultiSelect
            label={t('rules.sites')}
            description={t('silence.sitesText')}
            searchable
            data={[...sites.values()].map((s) => ({ value: s.id, label: s.name || s.id }))}
            value={chosen}
            error={faultAt(error, 'sites')}
            onChange={setChosen}
          />
          <div className={styles.pair}>
            <Select
              label={t('silence.label')}
              clearable
              data={LABELS}
              value={label || null}
              onChange={(v) => setLabel(v ?? '')}
            />
            <TextInput
              label={t('silence.value')}
              classNames={{ input: styles.code }}
              disabled={!label}
              value={value}
              error={faultAt(error, 'matchers.0.value')}
              onChange={(e) => setValue(e.currentTarget.value)}
            />
          </div>
          <Switch
            label={t('silence.weekly')}
            checked={weekly}
            onChange={(e) => setWeekly(e.currentTarget.checked)}
          />
          {weekly ? (
            <>
              <MultiSelect
                label={t('silence.days')}
                data={DAYS.map((d) => ({ value: d, label: t(`silence.day.${d}`) }))}
                value={days}
                error={faultAt(error, 'weekly.0.days')}
                onChange={setDays}
              />
              <div className={styles.pair}>
                <TextInput
                  label={t('silence.from')}
                  type="time"
                  value={from}
                  error={faultAt(error, 'weekly.0.from')}
                  onChange={(e) => setFrom(e.currentTarget.value)}
                />
                <TextInput
                  label={t('silence.to')}
                  type="time"
                  value={to}
                  error={faultAt(error, 'weekly.0.to')}
                  onChange={(e) => setTo(e.currentTarget.value)}
                />
              </div>
            </>
          ) : (
            <Select
              label={t('silence.for')}
              allowDeselect={false}
              data={SPANS.map((h) => ({ value: h, label: t('silence.hours', { n: Number(h) }) }))}
              value={hours}
              onChange={(v) => v && setHours(v)}
            />
          )}
          <Switch
            label={t('silence.safety')}
            checked={safety}
            onChange={(e) => setSafety(e.currentTarget.checked)}
          />
          {preview && (
            <div aria-live="polite">
              <p className="meta">{t('silence.wouldMute', { n: preview.count })}</p>
              <ul className={styles.firings}>
                {preview.titles.map((x, i) => (
                  <li key={i}>{x}</li>
                ))}
              </ul>
            </div>
          )}
        </>
      )}
    </FormDialog>
  );
}
