import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Suspense } from 'react';
import { firmwareEventsQuery } from '../../api/queries';
import type { StationDetail } from '../../api/shapes';
import { dayTime, exact, span } from '../../format/time';
import { useT, useTag, words } from '../../i18n/i18n';
import { useLive } from '../../live/hooks';
import { later } from '../../ui/later';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { useZone, ZoneNote } from '../../ui/zone';
import { CertificateList } from './certificates';
import { updateSteps, versionsOf } from './versions';

const StationFiles = later(async () => {
  const [files] = await Promise.all([import('../files/station'), words.need('files')]);
  return files;
});

/** What runs on the station, what ran before, and what its certificates are. */
export function Firmware({ station }: { station: StationDetail }) {
  return (
    <>
      <Suspense fallback={<Skeleton rows={2} />}>
        <StationFiles station={station} />
      </Suspense>
      <Versions station={station} />
      <CertificateList station={station} />
    </>
  );
}

function Versions({ station }: { station: StationDetail }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const { client } = useLive();
  const mayCommand = useAllowed('stations.command');
  const { data, error, refetch } = useQuery(firmwareEventsQuery(station.id));
  const versions = versionsOf(data ?? [], Date.now() + client.clockOffset);
  const steps = updateSteps(data ?? []);
  const time = (at: number) => (
    <time dateTime={new Date(at).toISOString()} title={exact(tag, at, zone)}>
      {dayTime(tag, at, zone)}
    </time>
  );
  return (
    <>
      <Panel
        title={t('firmware.title')}
        flush
        aside={
          <>
            <ZoneNote />
            {mayCommand && (
              <Button
                component={Link}
                size="compact-sm"
                variant="default"
                to="/stations/$id"
                params={{ id: station.id } as never}
                search={{ tab: 'commands', prepare: 'firmware' } as never}
              >
                {t('firmware.update')}
              </Button>
            )}
          </>
        }
      >
        {error && !data ? (
          <Failed what={t('firmware.title')} error={error} retry={() => void refetch()} />
        ) : !data ? (
          <Skeleton />
        ) : versions.length === 0 ? (
          <Empty title={t('firmware.none')}>{t('firmware.noneText')}</Empty>
        ) : (
          <TableFrame label={t('firmware.title')}>
            <thead>
              <tr>
                <th scope="col">{t('firmware.version')}</th>
                <th scope="col">{t('firmware.since')}</th>
                <th scope="col">{t('firmware.ran')}</th>
                <th scope="col" className={table.end}>
                  {t('firmware.boots')}
                </th>
              </tr>
            </thead>
            <tbody>
              {versions.map((v, i) => (
                <tr key={`${v.version}/${v.from}`}>
                  <th scope="row">
                    <span className="mono">{v.version}</span>{' '}
                    {i === 0 && <span className="meta">{t('firmware.current')}</span>}
                  </th>
                  <td className="num">{time(v.from)}</td>
                  <td className="num">{span(v.to - v.from)}</td>
                  <td className={`${table.end} num`}>{v.boots}</td>
                </tr>
              ))}
            </tbody>
          </TableFrame>
        )}
      </Panel>
      {steps.length > 0 && (
        <Panel title={t('firmware.updates')} flush>
          <TableFrame label={t('firmware.updates')}>
            <thead>
              <tr>
                <th scope="col">{t('curve.time')}</th>
                <th scope="col">{t('firmware.step')}</th>
                <th scope="col">{t('firmware.request')}</th>
              </tr>
            </thead>
            <tbody>
              {steps.map((s) => (
                <tr key={s.seq}>
                  <td className="num">{time(s.at)}</td>
                  <td>
                    <span className={s.failed ? table.fault : undefined}>{s.status}</span>
                  </td>
                  <td className="num">{s.request ?? '–'}</td>
                </tr>
              ))}
            </tbody>
          </TableFrame>
        </Panel>
      )}
    </>
  );
}
