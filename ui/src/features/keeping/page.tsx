import { Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { sitesQuery } from '../../api/queries';
import { storage, text } from '../../format/quantity';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Age, Figure } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { type Column, List } from '../settings/list';
import figures from '../settings/retention.module.css';
import settings from '../settings/settings.module.css';
import { CameraKeepForm, RuleForm, USUAL } from './forms';
import styles from './keeping.module.css';
import { SecondPlace } from './place';
import { type KeptCamera, keptQuery, type Rule, retentionQuery } from './queries';

type Open = { kind: 'add' } | { kind: 'rule'; of: Rule } | { kind: 'camera'; of: KeptCamera };

const limits: Record<string, MessageKey> = {
  bytes: 'keeping.by.bytes',
  site: 'keeping.by.site',
  volume: 'keeping.by.volume',
  disk: 'keeping.by.disk',
};

/** How long pictures stay: what was promised, what is true, and what decides it. */
export default function Keeping() {
  const t = useT();
  const tag = useTag();
  const queries = useQueryClient();
  const rules = useQuery(retentionQuery());
  const kept = useQuery(keptQuery());
  const { data: sites = [] } = useQuery(sitesQuery());
  const mayWrite = useAllowed('cameras.write');
  const mayConfigure = useAllowed('system.configure');
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const changed = () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: ['video'] }),
      queries.invalidateQueries({ queryKey: ['cameras'] }),
    ]);
  const siteName = (id: string) => sites.find((s) => s.id === id)?.name || id;
  const number = (n: number) => new Intl.NumberFormat(tag, { maximumFractionDigits: 1 }).format(n);
  const days = (n: number) => t('keeping.nDays', { n, shown: number(n) });
  const size = (n: number) => text(storage(tag, n));
  const ruleOf = (id: string) => rules.data?.sites.find((r) => r.siteId === id);
  const usualDays = rules.data?.everywhere.days || USUAL.days;
  const filmed = (kept.data ?? []).filter((c) => c.recording !== 'off' && !c.removedAt);
  const short = filmed.filter((c) => c.short);
  const unknown = filmed.filter((c) => c.perDayBytes === 0);
  const perDay = filmed.reduce((sum, c) => sum + c.perDayBytes, 0);
  const verdict =
    short.length > 0 ? 'short' : filmed.length === 0 ? 'none' : unknown.length > 0 ? 'early' : 'holds';
  const columns: Column<KeptCamera>[] = [
    {
      head: t('keeping.camera'),
      cell: (c) => (
        <>
          {c.label || c.cameraId}
          {c.removedAt && (
            <span className={`meta ${styles.below}`}>
              <Age at={c.removedAt} prefix={t('keeping.removed')} />
            </span>
          )}
        </>
      ),
      csv: (c) => c.label || c.cameraId,
    },
    { head: t('keeping.site'), cell: (c) => siteName(c.siteId) || '–', csv: (c) => c.siteId },
    {
      head: t('keeping.promised'),
      end: true,
      cell: (c) =>
        c.recording === 'off' && !c.removedAt ? (
          <span className={settings.off}>{t('keeping.off')}</span>
        ) : (
          <>
            {days(c.promisedDays)}
            <span className={`meta ${styles.below}`}>
              {t(c.ownDays > 0 ? 'keeping.own' : ruleOf(c.siteId)?.days ? 'keeping.ofSite' : 'keeping.ofAll')}
            </span>
          </>
        ),
      csv: (c) => c.promisedDays,
    },
    {
      head: t('keeping.effective'),
      end: true,
      cell: (c) =>
        c.recording === 'off' || c.removedAt ? (
          '–'
        ) : c.effectiveDays === null ? (
          <span className={settings.off}>{t('keeping.unknown')}</span>
        ) : c.short ? (
          <span className={settings.weak}>
            <span className={settings.mark}>
              <Icon name="warn" size={14} />
              {days(c.effectiveDays)}
            </span>
            <span className={styles.below}>{t(limits[c.limitedBy] ?? 'keeping.by.disk')}</span>
          </span>
        ) : (
          days(c.effectiveDays)
        ),
      csv: (c) => c.effectiveDays,
    },
    {
      head: t('keeping.bytes'),
      end: true,
      cell: (c) => (c.bytes > 0 ? size(c.bytes) : '–'),
      csv: (c) => c.bytes,
    },
    {
      head: t('keeping.perDay'),
      end: true,
      cell: (c) =>
        c.perDayBytes > 0 ? (
          <>
            {size(c.perDayBytes)}
            {c.expected && <span className={`meta ${styles.below}`}>{t('keeping.expected')}</span>}
          </>
        ) : (
          '–'
        ),
      csv: (c) => c.perDayBytes,
    },
    {
      head: t('keeping.oldest'),
      cell: (c) => (c.oldestAt ? <Age at={c.oldestAt} /> : '–'),
      csv: (c) => c.oldestAt,
    },
    {
      head: t('keeping.held'),
      end: true,
      cell: (c) => (c.heldTimes > 0 ? t('keeping.nHeld', { n: c.heldTimes }) : '–'),
      csv: (c) => c.heldTimes,
    },
  ];
  return (
    <>
      <Panel title={t('keeping.room')}>
        {rules.error && !rules.data ? (
          <Failed what={t('keeping.room')} error={rules.error} retry={() => void rules.refetch()} />
        ) : !rules.data || !kept.data ? (
          <Skeleton rows={3} />
        ) : (
          <div className={figures.disk}>
            <div>
              <p className={figures.verdict}>
                {verdict === 'short' ? (
                  <span className={settings.bad}>
                    <Icon name="warn" size={18} />
                  </span>
                ) : (
                  <Icon name={verdict === 'holds' ? 'check' : 'clock'} size={18} />
                )}
                {t(`keeping.verdict.${verdict}`, { n: short.length })}
              </p>
              <p className={settings.lead}>{t(`keeping.verdictText.${verdict}`)}</p>
            </div>
            {rules.data.space && (
              <dl className={figures.figures}>
                {(
                  [
                    ['keeping.recordings', rules.data.space.bytes],
                    ['keeping.growth', perDay],
                    ['keeping.more', rules.data.space.roomBytes],
                    ['keeping.free', rules.data.space.freeBytes],
                  ] as const
                ).map(([key, n]) => (
                  <div key={key}>
                    <dt>{t(key)}</dt>
                    <dd>
                      <Figure q={storage(tag, n)} />
                    </dd>
                  </div>
                ))}
              </dl>
            )}
          </div>
        )}
      </Panel>
      <Panel
        title={t('keeping.rules')}
        flush
        aside={
          mayWrite &&
          rules.data && (
            <Button
              variant="default"
              leftSection={<Icon name="plus" size={14} />}
              onClick={() => setOpen({ kind: 'add' })}
              disabled={sites.length === 0}
            >
              {t('keeping.add')}
            </Button>
          )
        }
      >
        {rules.error && !rules.data ? (
          <Failed what={t('keeping.rules')} error={rules.error} retry={() => void rules.refetch()} />
        ) : !rules.data ? (
          <Skeleton rows={2} />
        ) : (
          <TableFrame label={t('keeping.rules')}>
            <thead>
              <tr>
                <th scope="col">{t('keeping.where')}</th>
                <th scope="col" className={table.end}>
                  {t('keeping.days')}
                </th>
                <th scope="col" className={table.end}>
                  {t('keeping.incidentDays')}
                </th>
                <th scope="col" className={table.end}>
                  {t('keeping.bound')}
                </th>
                <th scope="col">{t('keeping.purpose')}</th>
                {mayWrite && (
                  <th scope="col" className={settings.acts}>
                    <span className="srOnly">{t('keeping.change')}</span>
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {[rules.data.everywhere, ...rules.data.sites.filter(decided)].map((r) => (
                <tr key={r.siteId}>
                  <th scope="row">{r.siteId ? siteName(r.siteId) : t('keeping.everywhere')}</th>
                  <td className={`${table.end} num`}>
                    {r.days > 0 ? (
                      days(r.days)
                    ) : (
                      <Inherited>{days(r.siteId ? usualDays : USUAL.days)}</Inherited>
                    )}
                  </td>
                  <td className={`${table.end} num`}>
                    {r.incidentDays > 0 ? (
                      days(r.incidentDays)
                    ) : (
                      <Inherited>
                        {days((r.siteId && rules.data.everywhere.incidentDays) || USUAL.incidentDays)}
                      </Inherited>
                    )}
                  </td>
                  <td className={`${table.end} num`}>
                    {r.maxBytes > 0 ? size(r.maxBytes) : <Inherited>{t('keeping.noBound')}</Inherited>}
                  </td>
                  <td className={table.prose}>
                    {r.purpose || <span className={settings.off}>–</span>}
                    {r.changedAt && (
                      <span className={`meta ${styles.below}`}>
                        <Age at={r.changedAt} prefix={t('keeping.decided')} />
                      </span>
                    )}
                  </td>
                  {mayWrite && (
                    <td className={settings.acts}>
                      <ActMenu
                        of={r.siteId ? siteName(r.siteId) : t('keeping.everywhere')}
                        acts={[
                          {
                            label: t('keeping.change'),
                            icon: 'edit',
                            run: () => setOpen({ kind: 'rule', of: r }),
                          },
                        ]}
                      />
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </TableFrame>
        )}
      </Panel>
      {mayConfigure && (
        <SecondPlace cameraName={(id) => kept.data?.find((c) => c.cameraId === id)?.label || id} />
      )}
      <List<KeptCamera>
        title={t('keeping.cameras')}
        rows={kept.data}
        error={kept.error}
        retry={() => void kept.refetch()}
        columns={columns}
        keyOf={(c) => c.cameraId}
        finds={(c) => `${c.label} ${c.cameraId} ${siteName(c.siteId)} ${c.siteId} ${c.purpose}`}
        file="recordings"
        empty={<Empty title={t('keeping.noCameras')}>{t('keeping.noCamerasText')}</Empty>}
        {...(mayWrite
          ? {
              menu: (c: KeptCamera) =>
                c.removedAt ? null : (
                  <ActMenu
                    of={c.label || c.cameraId}
                    acts={[
                      {
                        label: t('keeping.change'),
                        icon: 'edit',
                        run: () => setOpen({ kind: 'camera', of: c }),
                      },
                    ]}
                  />
                ),
            }
          : {})}
      />
      {open?.kind === 'add' && rules.data && (
        <RuleForm
          everywhere={rules.data.everywhere}
          sites={sites.filter((s) => !decided(ruleOf(s.id)))}
          close={close}
          changed={changed}
        />
      )}
      {open?.kind === 'rule' && rules.data && (
        <RuleForm
          of={open.of}
          everywhere={rules.data.everywhere}
          sites={sites}
          close={close}
          changed={changed}
        />
      )}
      {open?.kind === 'camera' && (
        <CameraKeepForm
          of={open.of}
          fallback={ruleOf(open.of.siteId)?.days || usualDays}
          sitePurpose={ruleOf(open.of.siteId)?.purpose ?? ''}
          close={close}
          changed={changed}
        />
      )}
    </>
  );
}

/** A rule that was taken back says nothing. */
const decided = (r: Rule | undefined): boolean =>
  r !== undefined && (r.days > 0 || r.incidentDays > 0 || r.maxBytes > 0 || r.purpose !== '');

const Inherited = ({ children }: { children: string }) => <span className={settings.off}>{children}</span>;
