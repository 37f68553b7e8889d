// A raid that people play at the simulated network: what is done, when, and the
// incident that comes of it.
import { Button, Select } from '@mantine/core';
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import { Problem } from '../../api/problem';
import { clock, SECOND, span } from '../../format/time';
import { type MessageKey, type Translate, useT, useTag } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { useLive } from '../../live/hooks';
import { FormFault } from '../../ui/form';
import { Icon } from '../../ui/icons';
import { Failed, Panel } from '../../ui/panel';
import { SeverityShape } from '../incidents/severity';
import styles from './panel.module.css';

type Raid = components['schemas']['DemoRaidShape'];
type Step = components['schemas']['RaidStep'];

/** Null: there is no simulated network here. */
const raidQuery = () =>
  queryOptions({
    queryKey: ['demo', 'raid'],
    queryFn: async ({ signal }) => {
      try {
        return await ok(api.GET('/demo/raid', { signal }));
      } catch (error) {
        if (error instanceof Problem && [403, 404, 501].includes(error.status)) return null;
        throw error;
      }
    },
    refetchInterval: (q) => (running(q.state.data) ? SECOND : false),
    staleTime: 10 * SECOND,
  });

const running = (r: Raid | null | undefined): boolean => r?.state === 'playing' || r?.state === 'healing';

export default function RaidPanel({ className = '' }: { className?: string | undefined }) {
  const t = useT();
  const queries = useQueryClient();
  const { data, error } = useQuery(raidQuery());
  const [kind, setKind] = useState('idle');
  const settle = (now: Raid) => queries.setQueryData(raidQuery().queryKey, now);
  const play = useMutation({
    mutationFn: () => ok(api.POST('/demo/raid', { body: { kind } })),
    onSuccess: settle,
    onError: () => queries.invalidateQueries({ queryKey: raidQuery().queryKey }),
  });
  const stop = useMutation({ mutationFn: () => ok(api.DELETE('/demo/raid')), onSuccess: settle });
  if (error && !data) {
    return (
      <Panel title={t('raid.title')} flush className={className}>
        <Failed what={t('raid.failed')} error={error} />
      </Panel>
    );
  }
  const kinds = data?.kinds ?? [];
  if (data === undefined) return <div className={className} />;
  if (data === null || kinds.length === 0) return null;
  const on = running(data);
  return (
    <Panel
      className={className}
      title={
        data.state === 'none'
          ? t('raid.title')
          : t('raid.at', { what: t(`raid.kind.${data.kind}` as MessageKey), site: data.siteName })
      }
      aside={on && <Left raid={data} />}
    >
      {data.state === 'none' && <p className={styles.about}>{t('raid.about')}</p>}
      {data.state === 'over' && <p className={styles.about}>{t('raid.over')}</p>}
      {data.state !== 'none' && <Course raid={data} />}
      <FormFault what={t('raid.failed')} error={play.error ?? stop.error} />
      {on ? (
        <div className={styles.acts}>
          <Button
            variant="default"
            loading={stop.isPending}
            disabled={data.state === 'healing'}
            onClick={() => stop.mutate()}
          >
            {t('raid.stop')}
          </Button>
        </div>
      ) : (
        <form
          className={styles.acts}
          onSubmit={(e) => {
            e.preventDefault();
            play.mutate();
          }}
        >
          <Select
            aria-label={t('raid.kind')}
            className={styles.kind ?? ''}
            size="xs"
            allowDeselect={false}
            value={kinds.includes(kind) ? kind : kinds[0]!}
            onChange={(v) => setKind(v ?? 'idle')}
            data={kinds.map((k) => ({ value: k, label: t(`raid.kind.${k}` as MessageKey) }))}
          />
          <Button
            type="submit"
            loading={play.isPending}
            variant={data.state === 'none' ? 'filled' : 'default'}
            leftSection={<Icon name="play" size={16} />}
          >
            {t(data.state === 'none' ? 'raid.play' : 'raid.again')}
          </Button>
        </form>
      )}
    </Panel>
  );
}

/** How long it goes on. */
function Left({ raid }: { raid: Raid }) {
  const t = useT();
  const { client } = useLive();
  const now = useNow(SECOND) + client.clockOffset;
  if (raid.state === 'healing') return <span className="meta">{t('raid.healing')}</span>;
  const left = Math.max(0, Date.parse(raid.endsAt ?? '') - now);
  return (
    <span className="meta num">{t('raid.left', { span: span(Math.ceil(left / SECOND) * SECOND) })}</span>
  );
}

/** What was done, the newest in sight, beside the incident that came of it. */
function Course({ raid }: { raid: Raid }) {
  const t = useT();
  const tag = useTag();
  const list = useRef<HTMLOListElement>(null);
  const steps = raid.steps.filter((s) => s.do !== 'cut');
  const alarmAt = raid.alarmAt ? Date.parse(raid.alarmAt) : undefined;
  const count = steps.length;
  // biome-ignore lint/correctness/useExhaustiveDependencies: it goes on with each step
  useEffect(() => {
    const box = list.current;
    if (box) box.scrollTop = box.scrollHeight;
  }, [count]);
  return (
    <div className={styles.course}>
      <ol ref={list} className={styles.steps} aria-label={t('raid.steps')} tabIndex={0}>
        {steps.length === 0 && <li className={styles.waiting}>{t('raid.waiting')}</li>}
        {steps.map((s) => (
          <li
            key={`${s.at} ${s.do} ${s.station ?? s.label ?? ''} ${s.evse ?? ''}`}
            data-harm={s.harm ?? false}
          >
            <time className="num" dateTime={s.at}>
              {clock(tag, Date.parse(s.at))}
            </time>
            <span>{stepText(t, s)}</span>
          </li>
        ))}
      </ol>
      <div className={styles.alarm} role="status">
        {raid.incidentId ? (
          <>
            <p className={styles.told}>
              <SeverityShape severity={raid.severity} size={20} />
              <span>{alarmText(t, raid, alarmAt)}</span>
            </p>
            <Button
              component={Link}
              {...({ to: '/incidents/$id', params: { id: raid.incidentId } } as object)}
            >
              {t('raid.open')}
            </Button>
          </>
        ) : (
          <p className={styles.told} data-none="true">
            {t('raid.none')}
          </p>
        )}
        {running(raid) && (
          <Link to="/cameras" search={{ site: raid.siteId } as never} className={styles.watch}>
            {t('raid.watch')}
          </Link>
        )}
      </div>
    </div>
  );
}

/** What was done, in one sentence. */
function stepText(t: Translate, s: Step): string {
  const who = s.what && ['person', 'animal', 'vehicle'].includes(s.what) ? s.what : 'other';
  return t(`raid.step.${s.do}` as MessageKey, {
    station: s.station ?? '',
    port: s.evse ?? 0,
    label: s.label ?? s.camera ?? s.door ?? '',
    who: t(`raid.who.${who}` as MessageKey),
  });
}

/** How the alarm lies to the first harm. */
function alarmText(t: Translate, raid: Raid, at: number | undefined): string {
  const cut = raid.steps.find((s) => s.do === 'cut');
  if (!cut || at === undefined) return t('raid.alarm', { severity: raid.severity });
  const seconds = (at - Date.parse(cut.at)) / SECOND;
  return t(seconds < 0 ? 'raid.alarmBefore' : 'raid.alarmAfter', {
    severity: raid.severity,
    seconds: Math.abs(seconds) < 10 ? Math.abs(seconds).toFixed(1) : Math.round(Math.abs(seconds)),
  });
}
