// One campaign: how far it is, why it stopped, and what became of each station.

import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { firmwareImagesQuery, usersQuery } from '../../api/queries';
import { count as number } from '../../format/quantity';
import { hourMinute } from '../../format/time';
import { type Translate, useT, useTag } from '../../i18n/i18n';
import chip from '../../ui/chip.module.css';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useSiteNames } from '../../ui/sites';
import { TableFrame } from '../../ui/table';
import { useToast } from '../../ui/toast';
import { useZone } from '../../ui/zone';
import { Effect, FormDialog } from '../settings/dialog';
import { OutcomeMark, Progress, StateMark } from './bar';
import styles from './campaigns.module.css';
import { Comparison } from './comparison';
import { codeText, kindText, minutesText, nameOf, OUTCOMES, saidOf, whyText } from './outcome';
import { workOfKind } from './plan';
import {
  CAMPAIGNS,
  type Campaign,
  campaignQuery,
  type Outcome,
  PAGE,
  resultsQuery,
  settled,
  type Why,
} from './queries';

export function One({
  id,
  back,
  again,
}: {
  id: string;
  back: () => void;
  again: (stations: string[]) => void;
}) {
  const t = useT();
  const { data, error, refetch } = useQuery(campaignQuery(id));
  return (
    <div className={styles.page}>
      <div>
        <Button variant="subtle" color="gray" leftSection={<Icon name="left" size={14} />} onClick={back}>
          {t('campaigns.back')}
        </Button>
      </div>
      {error && !data ? (
        <Panel>
          <Failed what={t('campaigns.one')} error={error} retry={() => void refetch()} />
        </Panel>
      ) : !data ? (
        <Panel>
          <Skeleton rows={6} />
        </Panel>
      ) : (
        <Shown campaign={data} again={again} />
      )}
    </div>
  );
}

function Shown({ campaign: c, again }: { campaign: Campaign; again: (stations: string[]) => void }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const maySeeUse = useAllowed('analytics.read');
  const n = c.canary.done + c.canary.failed + c.canary.unknown + c.canary.working;
  return (
    <>
      <Panel
        title={nameOf(t, c)}
        aside={
          <span className="meta">
            <Age at={c.startedAt} /> {c.startedByName && t('campaigns.by', { name: c.startedByName })}
          </span>
        }
      >
        <div className={styles.overall}>
          <div className={styles.headLine} aria-live="polite">
            <StateMark campaign={c} />
            <Acts campaign={c} again={again} />
          </div>
          <Progress counts={c.counts} total={c.stations} />
          <dl className={styles.figures}>
            {OUTCOMES.filter((o) => c.counts[o] > 0 || o === 'done').map((o) => (
              <div key={o}>
                <dt>
                  <OutcomeMark outcome={o} />
                </dt>
                <dd>{number(tag, c.counts[o])}</dd>
              </div>
            ))}
          </dl>
          {c.why && <WhyLine why={c.why} />}
          {c.state === 'running' && c.stage === 'soak' && c.soakUntil && (
            <p className={styles.why}>
              <Icon name="clock" size={16} />
              {t('campaigns.soaking', {
                n: c.canary.done,
                time: hourMinute(tag, Date.parse(c.soakUntil), zone),
              })}
            </p>
          )}
          {n > 0 && c.state !== 'finished' && c.stage !== 'soak' && (
            <p className="meta">{t('campaigns.canaryResult', { done: c.canary.done, n })}</p>
          )}
        </div>
      </Panel>
      {c.kind === 'firmware' && c.counts.done > 0 && maySeeUse && <Comparison id={c.id} />}
      <Results campaign={c} />
      <div className={styles.columns}>
        <Panel title={t('campaigns.how')}>
          <ul className={styles.facts}>
            {careOf(t, c).map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </Panel>
        <Panel title={t('campaigns.what')}>
          <Done campaign={c} />
          {c.leftOut.length > 0 && (
            <>
              <p>{t('campaigns.leftOut')}</p>
              <ul className={styles.facts}>
                {c.leftOut.map((l) => (
                  <li key={l.reason}>
                    {t('campaigns.leftOutWith', {
                      n: number(tag, l.count),
                      why: codeText(t, l.reason),
                      examples: l.examples.join(', ') + (l.count > l.examples.length ? ' …' : ''),
                    })}
                  </li>
                ))}
              </ul>
            </>
          )}
        </Panel>
      </div>
    </>
  );
}

/** What is done, in words; a command as it is sent. */
function Done({ campaign: c }: { campaign: Campaign }) {
  const t = useT();
  if (c.kind === 'firmware') return <Firmware params={c.plan.params} />;
  const work = workOfKind(c.kind, c.plan.params);
  if (work !== null)
    return (
      <p className={styles.done}>
        {t(`campaigns.work.${work}`)}
        <span className={`${styles.about} meta`}>{t(`campaigns.work.${work}.text`)}</span>
      </p>
    );
  return (
    <p className={`${styles.done} mono`}>
      {kindText(t, c.kind)} {paramsText(c.plan.params)}
    </p>
  );
}

function Firmware({ params }: { params: unknown }) {
  const t = useT();
  const { data } = useQuery(firmwareImagesQuery());
  const of = params as { imageId?: string; unsigned?: boolean } | undefined;
  const image = data?.find((x) => x.id === of?.imageId);
  return (
    <p className={styles.done}>
      {t('campaigns.work.firmware')}:{' '}
      <span className="mono">{image ? `${image.version} · ${image.name}` : (of?.imageId ?? '')}</span>
      {of?.unsigned && <span className={`${styles.about} meta`}>{t('campaigns.form.unsigned')}</span>}
    </p>
  );
}

function WhyLine({ why }: { why: Why }) {
  const t = useT();
  const maySee = useAllowed('users.read');
  const { data: users } = useQuery({ ...usersQuery(), enabled: maySee && why.code === 'person' });
  return (
    <p className={styles.why} data-bad={why.code !== 'person'}>
      <Icon name={why.code === 'person' ? 'pause' : 'warn'} size={16} />
      {whyText(t, why, users?.find((u) => u.id === why.by)?.name)}
    </p>
  );
}

function Acts({ campaign: c, again }: { campaign: Campaign; again: (stations: string[]) => void }) {
  const t = useT();
  const toast = useToast();
  const queries = useQueryClient();
  const [stopping, setStopping] = useState(false);
  const path = { params: { path: { id: c.id } } };
  const changed = () => queries.invalidateQueries({ queryKey: CAMPAIGNS });
  const move = useMutation({
    mutationFn: (to: 'pause' | 'resume') =>
      ok(to === 'pause' ? api.POST('/campaigns/{id}/pause', path) : api.POST('/campaigns/{id}/resume', path)),
    onError: () => toast({ text: t('campaigns.notMoved'), tone: 'bad' }),
    onSettled: changed,
  });
  const rest = useMutation({
    mutationFn: async () => {
      const left: string[] = [];
      for (const state of ['failed', 'skipped', 'unknown'] as const) {
        let cursor = '';
        do {
          const page = await ok(
            api.GET('/campaigns/{id}/stations', {
              params: { path: { id: c.id }, query: { state, limit: 1000, ...(cursor && { cursor }) } },
            }),
          );
          left.push(...page.items.map((x) => x.station));
          cursor = page.nextCursor;
        } while (cursor !== '');
      }
      return left;
    },
    onSuccess: again,
    onError: () => toast({ text: t('campaigns.notMoved'), tone: 'bad' }),
  });
  const open = c.state === 'running' || c.state === 'paused';
  return (
    <div className={styles.acts}>
      {c.state === 'running' && (
        <Button
          variant="default"
          leftSection={<Icon name="pause" size={14} />}
          loading={move.isPending}
          onClick={() => move.mutate('pause')}
        >
          {t('campaigns.pause')}
        </Button>
      )}
      {c.state === 'paused' && (
        <Button
          leftSection={<Icon name="play" size={14} />}
          loading={move.isPending}
          onClick={() => move.mutate('resume')}
        >
          {t('campaigns.resume')}
        </Button>
      )}
      {open && (
        <Button variant="default" onClick={() => setStopping(true)}>
          {t('campaigns.stop')}
        </Button>
      )}
      {settled(c) && c.counts.failed + c.counts.skipped + c.counts.unknown > 0 && (
        <Button
          variant="default"
          leftSection={<Icon name="retry" size={14} />}
          loading={rest.isPending}
          onClick={() => rest.mutate()}
        >
          {t('campaigns.again')}
        </Button>
      )}
      {stopping && (
        <FormDialog
          title={t('campaigns.stopTitle')}
          close={() => setStopping(false)}
          send={() => ok(api.POST('/campaigns/{id}/stop', path))}
          sent={changed}
          action={t('campaigns.stop')}
          failed={t('campaigns.notMoved')}
          grave
        >
          <Effect>{t('campaigns.stopText', { n: c.counts.pending + c.counts.waiting })}</Effect>
        </FormDialog>
      )}
    </div>
  );
}

function Results({ campaign: c }: { campaign: Campaign }) {
  const t = useT();
  const tag = useTag();
  const siteName = useSiteNames();
  const [state, setState] = useState<Outcome | undefined>(undefined);
  const { data, error, refetch } = useQuery(resultsQuery(c.id, state, !settled(c)));
  const all = state === undefined ? c.stations : c.counts[state];
  return (
    <Panel title={t('campaigns.results')} flush>
      <div className={styles.filters} role="group" aria-label={t('campaigns.filter')}>
        <button
          type="button"
          className={chip.chip}
          aria-pressed={state === undefined}
          onClick={() => setState(undefined)}
        >
          {t('campaigns.outcome.all')} <span className="num">{number(tag, c.stations)}</span>
        </button>
        {OUTCOMES.filter((o) => c.counts[o] > 0 || o === state).map((o) => (
          <button
            key={o}
            type="button"
            className={chip.chip}
            aria-pressed={state === o}
            onClick={() => setState(state === o ? undefined : o)}
          >
            <OutcomeMark outcome={o} /> <span className="num">{number(tag, c.counts[o])}</span>
          </button>
        ))}
        <Button
          component="a"
          href={`/api/v1/campaigns/${c.id}/stations.csv`}
          download
          variant="default"
          leftSection={<Icon name="download" size={14} />}
        >
          {t('campaigns.csv')}
        </Button>
      </div>
      {state === 'skipped' && <p className={styles.note}>{t('campaigns.means.skipped')}</p>}
      {state === 'unknown' && <p className={styles.note}>{t('campaigns.means.unknown')}</p>}
      {error && !data ? (
        <Failed what={t('campaigns.results')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={6} />
      ) : data.items.length === 0 ? (
        <Empty title={t('campaigns.nobody')} />
      ) : (
        <TableFrame label={t('campaigns.results')}>
          <thead>
            <tr>
              <th scope="col">{t('campaigns.station')}</th>
              <th scope="col">{t('campaigns.site')}</th>
              <th scope="col">{t('campaigns.outcome')}</th>
              <th scope="col">{t('campaigns.said')}</th>
              <th scope="col">{t('campaigns.firmware')}</th>
              <th scope="col">{t('campaigns.at')}</th>
            </tr>
          </thead>
          <tbody>
            {data.items.map((x) => (
              <tr key={x.station}>
                <th scope="row">
                  <Link to="/stations/$id" params={{ id: x.station }} className="mono">
                    {x.station}
                  </Link>
                  {x.canary && <span className={styles.firstMark}>{t('campaigns.first')}</span>}
                </th>
                <td>{siteName(x.siteId)}</td>
                <td>
                  <OutcomeMark outcome={x.state} />
                </td>
                <td className={styles.said}>{saidOf(t, x)}</td>
                <td className="mono">
                  {x.firmware === x.firmwareNow || x.firmwareNow === ''
                    ? x.firmware
                    : `${x.firmware} → ${x.firmwareNow}`}
                </td>
                <td>
                  <Age at={x.at} />
                </td>
              </tr>
            ))}
          </tbody>
        </TableFrame>
      )}
      {data && data.items.length === PAGE && all > PAGE && (
        <p className={styles.note}>{t('campaigns.cut', { n: number(tag, PAGE) })}</p>
      )}
    </Panel>
  );
}

function careOf(t: Translate, c: Campaign): string[] {
  const p = c.plan;
  const first = p.canary?.count ?? 0;
  const failed = p.stopOn?.failed ?? 0;
  const percent = p.stopOn?.failedPercent ?? 0;
  return [
    first > 0 && !p.canary?.waitSeconds
      ? t('campaigns.how.canaryUnwatched', { n: first })
      : first > 0
        ? t('campaigns.how.canary', { n: first, time: minutesText(t, p.canary?.waitSeconds ?? 0) })
        : t('campaigns.how.noCanary'),
    t('campaigns.how.pace', {
      n: p.pace?.perMinute ?? 0,
      atOnce: p.pace?.atOnce ?? 0,
      perSite: p.pace?.perSite ?? 0,
    }),
    ...(failed > 0 ? [t('campaigns.how.stopFailed', { n: failed })] : []),
    ...(percent > 0 ? [t('campaigns.how.stopPercent', { n: percent })] : []),
    ...(p.window ? [t('campaigns.how.window', { from: p.window.from, to: p.window.to })] : []),
    ...(p.whenIdle ? [t('campaigns.how.whenIdle')] : []),
  ];
}

function paramsText(params: unknown): string {
  const p = params as { action?: unknown; payload?: unknown } | undefined;
  if (typeof p?.action === 'string') return `${p.action} ${JSON.stringify(p.payload ?? {})}`;
  return p === undefined || Object.keys(p).length === 0 ? '' : JSON.stringify(p);
}
