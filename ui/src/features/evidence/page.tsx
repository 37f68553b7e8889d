import { Button, Switch } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useScope } from '../../app/view';
import { bytes, count } from '../../format/quantity';
import { exact, hourMinute, span } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { useZone, ZoneNote } from '../../ui/zone';
import { Details } from './details';
import styles from './evidence.module.css';
import { ExportDialog } from './export-dialog';
import { type Pack, packsQuery } from './queries';
import type { EvidenceSearch } from './search';
import { PackState } from './state';
import { Verify } from './verify';

const route = getRouteApi('/inside/evidence');

export default function EvidencePage() {
  const t = useT();
  const tag = useTag();
  const scope = useScope();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    packsQuery(),
  );
  const change = (part: Partial<EvidenceSearch>, replace = true) =>
    void navigate({ search: (s) => ({ ...s, ...part }), replace, resetScroll: false });
  const all = useMemo(
    () => data?.pages.flatMap((p) => p.items).filter((p) => scope === undefined || p.siteIds.includes(scope)),
    [data, scope],
  );
  const gone = all?.filter((p) => p.state === 'deleted').length ?? 0;
  const shown = search.deleted ? all : all?.filter((p) => p.state !== 'deleted');
  const add = (
    <Button leftSection={<Icon name="shield" size={16} />} onClick={() => change({ export: true })}>
      {t('evidence.make')}
    </Button>
  );
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <h1 className={styles.title}>{t('nav.evidence')}</h1>
        <ZoneNote />
        {gone > 0 && (
          <Switch
            size="xs"
            label={t('evidence.showDeleted', { n: count(tag, gone) })}
            checked={search.deleted === true}
            onChange={(e) => change({ deleted: e.currentTarget.checked || undefined })}
          />
        )}
        {add}
      </header>
      <Panel title={t('evidence.packs')} flush>
        {error && !shown ? (
          <Failed what={t('evidence.packs')} error={error} retry={() => void refetch()} />
        ) : !shown ? (
          <Skeleton rows={5} />
        ) : shown.length === 0 ? (
          <Empty title={t('evidence.none')} action={add}>
            {t('evidence.noneText')}
          </Empty>
        ) : (
          <>
            <TableFrame label={t('evidence.packs')}>
              <thead>
                <tr>
                  <th scope="col">{t('evidence.reason')}</th>
                  <th scope="col">{t('evidence.stateHead')}</th>
                  <th scope="col">{t('evidence.period')}</th>
                  <th scope="col">{t('evidence.cameras')}</th>
                  <th scope="col">{t('evidence.by')}</th>
                  <th scope="col">{t('evidence.asked')}</th>
                  <th scope="col" className={table.end}>
                    {t('evidence.size')}
                  </th>
                  <th scope="col" className={table.end}>
                    {t('evidence.links')}
                  </th>
                </tr>
              </thead>
              <tbody>
                {shown.map((p) => (
                  <Row key={p.id} pack={p} open={() => change({ pack: p.id }, false)} />
                ))}
              </tbody>
            </TableFrame>
            {hasNextPage && (
              <div className={styles.more}>
                <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
                  {t('evidence.more')}
                </Button>
              </div>
            )}
          </>
        )}
      </Panel>
      <Verify />
      {search.pack && (
        <Details
          id={search.pack}
          close={() => change({ pack: undefined })}
          show={(pack) => change({ pack })}
        />
      )}
      {search.export && (
        <ExportDialog
          search={search}
          close={() =>
            change({
              export: undefined,
              cameras: undefined,
              from: undefined,
              to: undefined,
              incident: undefined,
            })
          }
          made={(pack) =>
            change({
              export: undefined,
              cameras: undefined,
              from: undefined,
              to: undefined,
              incident: undefined,
              pack,
            })
          }
        />
      )}
    </div>
  );
}

function Row({ pack: p, open }: { pack: Pack; open: () => void }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const [from, to] = [Date.parse(p.from), Date.parse(p.to)];
  const names = p.cameras.map((c) => c.label || c.id);
  const used = p.links.filter((l) => l.open).length;
  return (
    <tr data-gone={p.state === 'deleted' || undefined} className={styles.row}>
      <td className={styles.reason}>
        <button type="button" className={styles.open} onClick={open}>
          {p.reason}
        </button>
        {p.original && <span className="meta"> {t('evidence.derived')}</span>}
      </td>
      <td>
        <PackState pack={p} />
      </td>
      <td className="num" title={`${exact(tag, from, zone)} – ${exact(tag, to, zone)}`}>
        {exact(tag, from, zone).replace(/[,;]?\s*\d{1,2}:\d{2}:\d{2}.*$/, '')}, {hourMinute(tag, from, zone)}–
        {hourMinute(tag, to, zone)}
        <span className="meta"> {span(to - from)}</span>
      </td>
      <td className={styles.cut} title={names.join(', ')}>
        {names.length <= 2
          ? names.join(', ')
          : t('evidence.camerasMore', { first: names[0]!, n: count(tag, names.length - 1) })}
      </td>
      <td>{p.byName || p.by}</td>
      <td>
        <Age at={p.askedAt} />
      </td>
      <td className={`${table.end} num`}>{p.bytes > 0 ? bytes(tag, p.bytes) : '–'}</td>
      <td className={`${table.end} num`}>{used > 0 ? count(tag, used) : '–'}</td>
    </tr>
  );
}
