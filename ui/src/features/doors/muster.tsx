// Who is inside, as far as badges tell. A list for the assembly point: it can be
// printed, and says what it does not know.
import { Button } from '@mantine/core';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import { count } from '../../format/quantity';
import { exact, span } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { useLive } from '../../live/hooks';
import { Icon } from '../../ui/icons';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import paper from '../../ui/paper.module.css';
import { useSiteNames } from '../../ui/sites';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { useZone } from '../../ui/zone';
import { type Door, doorName } from './door';
import styles from './doors.module.css';
import { DOORS } from './feed';
import { InsideAreas } from './inside';

const musterQuery = (site: string | undefined) =>
  queryOptions({
    queryKey: [...DOORS, 'muster', site ?? ''],
    queryFn: ({ signal }) => ok(api.GET('/access/muster', { params: { query: { site } }, signal })),
    refetchInterval: 15_000,
  });

export function Muster({ site, doors }: { site: string | undefined; doors: readonly Door[] | undefined }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const siteName = useSiteNames();
  const { client } = useLive();
  const now = useNow(10_000) + client.clockOffset;
  const { data, error, refetch } = useQuery(musterQuery(site));
  const known = new Map((doors ?? []).map((d) => [d.id, d]));
  if (error && !data) return <Failed what={t('doors.muster')} error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton rows={6} />;
  return (
    <div className={`${styles.muster} ${paper.paper}`}>
      <div className={styles.musterHead}>
        <div>
          <p className={styles.musterLead}>{t('doors.muster.lead')}</p>
          <p className="meta">{t('doors.muster.asOf', { at: exact(tag, Date.parse(data.asOf), zone) })}</p>
          {!data.whole && (
            <p className={styles.doubt}>
              <Icon name="warn" size={14} />
              {t('doors.muster.cut')}
            </p>
          )}
        </div>
        <Button
          className={styles.print ?? ''}
          variant="default"
          leftSection={<Icon name="download" size={14} />}
          onClick={() => window.print()}
        >
          {t('doors.muster.print')}
        </Button>
      </div>
      <InsideAreas site={site} doors={doors} />
      {data.sites.length === 0 ? (
        <Panel flush>
          <Empty title={t('doors.muster.none')}>{t('doors.muster.noneText')}</Empty>
        </Panel>
      ) : (
        data.sites.map((s) => {
          const inside = data.items.filter((x) => x.siteId === s.siteId);
          return (
            <Panel
              key={s.siteId}
              flush
              title={siteName(s.siteId)}
              aside={
                <span className="num">
                  {t('doors.muster.count', { n: s.inside, shown: count(tag, s.inside) })}
                </span>
              }
            >
              {((!s.exits && inside.length > 0) || s.silent > 0) && (
                <div className={styles.doubts}>
                  {!s.exits && inside.length > 0 && (
                    <p className={styles.doubt}>
                      <Icon name="warn" size={14} />
                      {t('doors.muster.noExits')}
                    </p>
                  )}
                  {s.silent > 0 && (
                    <p className={styles.doubt}>
                      <Icon name="warn" size={14} />
                      {t('doors.muster.silent', { n: s.silent, shown: count(tag, s.silent) })}
                    </p>
                  )}
                </div>
              )}
              {inside.length === 0 ? (
                <p className={styles.nobody}>{t('doors.muster.nobody')}</p>
              ) : (
                <TableFrame label={t('doors.muster.of', { site: siteName(s.siteId) })}>
                  <thead>
                    <tr>
                      <th scope="col">{t('doors.muster.name')}</th>
                      <th scope="col">{t('doors.muster.door')}</th>
                      <th scope="col">{t('doors.muster.at')}</th>
                      <th scope="col" className={table.end}>
                        {t('doors.muster.for')}
                      </th>
                      <th scope="col" className={styles.tick}>
                        {t('doors.muster.seen')}
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {inside.map((x) => (
                      <tr key={x.personId || x.credentialId}>
                        <th scope="row">{x.name || t('doors.who.unnamed')}</th>
                        <td>{known.has(x.doorId) ? doorName(known.get(x.doorId)!) : x.doorId}</td>
                        <td className="num">{exact(tag, Date.parse(x.at), zone)}</td>
                        <td className={`${table.end} num`}>{span(now - Date.parse(x.at))}</td>
                        <td className={styles.tick}>
                          <span className={styles.box} />
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </TableFrame>
              )}
            </Panel>
          );
        })
      )}
    </div>
  );
}
