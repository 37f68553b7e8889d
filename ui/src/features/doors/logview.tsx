import { Button, SegmentedControl, Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { AccessEvent } from '../../api/shapes';
import { count } from '../../format/quantity';
import { exact, span } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useSiteNames } from '../../ui/sites';
import { StateShape } from '../../ui/state';
import { useZone } from '../../ui/zone';
import { type Door, doorName } from './door';
import { policyNamesQuery, useLog } from './feed';
import { codeKey, lateBy, methodKey } from './log';
import styles from './logview.module.css';
import { useLost } from './lost';
import { Moment } from './moment';
import type { DoorsSearch } from './search';

/** Who was at the doors and what came of it, as it happens. */
export function LogPanel({
  doors,
  site,
  search,
  change,
}: {
  doors: readonly Door[] | undefined;
  site: string | undefined;
  search: DoorsSearch;
  change: (part: Partial<DoorsSearch>) => void;
}) {
  const t = useT();
  const tag = useTag();
  const siteName = useSiteNames();
  const [held, setHeld] = useState(false);
  const { data: policies } = useQuery({ ...policyNamesQuery(), enabled: useAllowed('policies.read') });
  const asked = { site, door: search.door, decision: search.decision };
  const log = useLog(asked, true, held);
  const items = log.data?.pages.flatMap((p) => p.items);
  const known = new Map((doors ?? []).map((d) => [d.id, d]));
  const choices = (doors ?? [])
    .filter((d) => site === undefined || d.siteId === site)
    .map((d) => ({
      value: d.id,
      label: site === undefined ? `${doorName(d)} · ${siteName(d.siteId)}` : doorName(d),
    }))
    .sort((a, b) => a.label.localeCompare(b.label));
  const narrowed = search.door !== undefined || search.decision !== undefined;
  const all = () => change({ door: undefined, decision: undefined });
  return (
    <Panel title={t('doors.log')} flush className={styles.panel ?? ''}>
      <div className={styles.filters}>
        <Select
          size="xs"
          aria-label={t('doors.log.door')}
          placeholder={t('doors.log.everyDoor')}
          data={choices}
          value={search.door ?? null}
          onChange={(v) => change({ door: v ?? undefined })}
          searchable
          clearable
          clearButtonProps={{ 'aria-label': t('filter.clear') }}
        />
        <SegmentedControl
          size="xs"
          aria-label={t('doors.log.decision')}
          value={search.decision ?? 'all'}
          onChange={(v) => change({ decision: v === 'allow' || v === 'deny' ? v : undefined })}
          data={[
            { value: 'all', label: t('doors.log.all') },
            { value: 'allow', label: t('doors.allow') },
            { value: 'deny', label: t('doors.deny') },
          ]}
        />
      </div>
      {log.error && !items ? (
        <Failed what={t('doors.log')} error={log.error} retry={() => void log.refetch()} />
      ) : !items ? (
        <Skeleton rows={6} height={56} />
      ) : items.length === 0 && !log.hasNextPage ? (
        <Empty
          title={t(narrowed ? 'doors.log.noneSuch' : 'doors.log.none')}
          action={
            narrowed && (
              <Button variant="default" onClick={all}>
                {t('doors.log.showAll')}
              </Button>
            )
          }
        >
          {!narrowed && t('doors.log.noneText')}
        </Empty>
      ) : (
        <div
          className={styles.scroll}
          onPointerEnter={(e) => e.pointerType === 'mouse' && setHeld(true)}
          onPointerLeave={() => setHeld(false)}
        >
          {log.waiting > 0 && (
            <button type="button" className={styles.news} onClick={log.show}>
              {t('doors.log.news', { n: log.waiting, shown: count(tag, log.waiting) })}
            </button>
          )}
          <ol className={styles.list}>
            {items.map((e) => (
              <Row
                key={e.seq}
                event={e}
                door={known.get(e.doorId)}
                site={site}
                policy={policies?.get(e.policy)}
              />
            ))}
          </ol>
          {log.hasNextPage && (
            <div className={styles.more}>
              <Button
                variant="default"
                size="xs"
                loading={log.isFetchingNextPage}
                onClick={() => void log.fetchNextPage()}
              >
                {t('doors.log.more')}
              </Button>
            </div>
          )}
        </div>
      )}
    </Panel>
  );
}

function Row({
  event: e,
  door,
  site,
  policy,
}: {
  event: AccessEvent;
  door: Door | undefined;
  /** The site that the page is limited to. */
  site: string | undefined;
  /** What the row of the policies is called that decided. */
  policy: string | undefined;
}) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const mayReview = useAllowed('video.review');
  const mayBlock = useAllowed('credentials.write');
  const lost = useLost();
  const siteName = useSiteNames();
  const allowed = e.decision === 'allow';
  const code = codeKey(e.code);
  const method = methodKey(e.method);
  const at = Date.parse(e.at);
  const late = lateBy(e);
  const who =
    e.name ||
    (e.method === 'button'
      ? t('doors.who.button')
      : e.method === 'remote'
        ? t('doors.who.remote')
        : e.credentialId
          ? t('doors.who.unnamed')
          : t('doors.who.unknown'));
  return (
    <li className={styles.row} data-decision={e.decision}>
      {e.cameraId && mayReview ? (
        <Moment
          camera={e.cameraId}
          at={at}
          received={Date.parse(e.receivedAt)}
          label={`${who}, ${exact(tag, at, zone)}`}
        />
      ) : (
        <span className={styles.noPicture} aria-hidden="true" />
      )}
      <div className={styles.text}>
        <p className={styles.what}>
          <StateShape family={allowed ? 'available' : 'faulted'} size={12} />
          <span className={styles.decision} title={t(`doors.decidedBy.${e.decidedBy}`)}>
            {t(!allowed ? 'doors.deny' : e.out ? 'doors.allowOut' : 'doors.allow')}
          </span>
          <strong className={styles.who}>{who}</strong>
        </p>
        <p className={`meta ${styles.where}`}>
          {[
            door ? doorName(door) : e.doorId,
            site === undefined && siteName(e.siteId),
            t(e.out ? 'doors.out' : 'doors.in'),
            method && t(method),
            e.withId && t('doors.with', { who: e.withName || t('doors.who.unnamed') }),
          ]
            .filter(Boolean)
            .join(' · ')}
        </p>
        <p className={`meta ${styles.why}`}>
          {code ? t(code) : e.reason}
          {policy && ` ${t('doors.byPolicy', { policy })}`}
        </p>
        {e.passback && (
          <p className={styles.differs}>
            <Icon name="warn" size={14} />
            <span>{t(`doors.passback.${e.passback}`)}</span>
          </p>
        )}
        {!e.agrees && (
          <p className={styles.differs}>
            <Icon name="warn" size={14} />
            <span>{e.why ? t('doors.differsWhy', { why: e.why }) : t('doors.differs')}</span>
          </p>
        )}
      </div>
      <div className={styles.when}>
        <span className="meta">
          <Age at={e.at} />
        </span>
        {late > 0 && (
          <span className="meta" title={exact(tag, Date.parse(e.receivedAt), zone)}>
            {t('doors.late', { by: span(late) })}
          </span>
        )}
        <ActMenu
          of={who}
          acts={[
            mayBlock &&
              e.credentialId !== '' && {
                label: t('doors.lost'),
                icon: 'card' as const,
                grave: true,
                run: () => lost(e.credentialId, who),
              },
          ]}
        />
      </div>
    </li>
  );
}
