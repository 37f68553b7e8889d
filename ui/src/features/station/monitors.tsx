import { Button, Switch } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import { monitorsQuery } from '../../api/queries';
import type { StationDetail, StationMonitors, Watched } from '../../api/shapes';
import { type Translate, useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { useToast } from '../../ui/toast';
import styles from './monitors.module.css';

const key = (w: Watched) =>
  [
    w.component,
    w.componentInstance,
    w.evse,
    w.connector,
    w.variable,
    w.variableInstance,
    w.type,
    w.value,
    w.severity,
  ].join('/');

const holds = (w: Watched) => w.status === 'Accepted' || w.status === '';

/** What a station of OCPP 2.x was asked to watch by itself, and what it said to that. */
export function Monitors({ station }: { station: StationDetail }) {
  const t = useT();
  const { data, error, refetch } = useQuery(monitorsQuery(station.id));
  const watched = data?.items.filter(holds) ?? [];
  const refused = data?.items.filter((w) => !holds(w)) ?? [];
  return (
    <>
      <Panel title={t('monitors.title')} flush aside={data && <Standing data={data} />}>
        {error && !data ? (
          <Failed what={t('monitors.title')} error={error} retry={() => void refetch()} />
        ) : !data ? (
          <Skeleton rows={4} />
        ) : (
          <>
            <OnOff station={station.id} data={data} />
            {data.paused && <p className={styles.note}>{t('monitors.paused')}</p>}
            {data.blind && <p className={styles.note}>{t('monitors.blind')}</p>}
            {watched.length > 0 ? <WatchedTable list={watched} /> : <Nothing data={data} />}
          </>
        )}
      </Panel>
      {refused.length > 0 && (
        <Panel title={t('monitors.refused')} flush>
          <RefusedTable list={refused} />
        </Panel>
      )}
    </>
  );
}

function Standing({ data }: { data: StationMonitors }) {
  const t = useT();
  if (!data.on || data.cannot) return null;
  if (data.working) return <span className="meta">{t('monitors.asking')}</span>;
  const at = data.checkedAt ?? data.settledAt;
  return at === null ? null : (
    <span className="meta">
      {t(data.checkedAt === null ? 'monitors.settled' : 'monitors.checked')} <Age at={at} />
    </span>
  );
}

function OnOff({ station, data }: { station: string; data: StationMonitors }) {
  const t = useT();
  const toast = useToast();
  const queries = useQueryClient();
  const may = useAllowed('remedies.write');
  const set = useMutation({
    mutationFn: (monitoring: 'on' | 'off' | 'default') =>
      ok(api.PUT('/monitoring', { body: { monitoring, stations: [station] } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: monitorsQuery(station).queryKey }),
    onError: () => toast({ text: t('monitors.switch.failed'), tone: 'bad' }),
  });
  const whose = {
    default: t('monitors.switch.default'),
    all: t('monitors.switch.all'),
    site: t('monitors.switch.site'),
    station: t('monitors.switch.own'),
  }[data.scope];
  return (
    <div className={styles.top}>
      <p className={styles.lead}>{t('monitors.lead')}</p>
      <div className={styles.switch}>
        <Switch
          label={t('monitors.switch')}
          description={whose}
          checked={data.on}
          disabled={!may || set.isPending}
          onChange={(e) => set.mutate(e.currentTarget.checked ? 'on' : 'off')}
        />
        {may && data.scope === 'station' && (
          <Button
            size="compact-sm"
            variant="default"
            disabled={set.isPending}
            onClick={() => set.mutate('default')}
          >
            {t('monitors.switch.follow')}
          </Button>
        )}
      </div>
    </div>
  );
}

function Nothing({ data }: { data: StationMonitors }) {
  const t = useT();
  if (!data.on) return <Empty title={t('monitors.off')}>{t('monitors.offText')}</Empty>;
  if (data.cannot === 'unsupported')
    return <Empty title={t('monitors.unsupported')}>{t('monitors.unsupportedText')}</Empty>;
  if (data.cannot === 'disabled')
    return (
      <Empty title={t('monitors.disabled')}>
        {t('monitors.disabledText', { setting: 'MonitoringCtrlr.Enabled' })}
      </Empty>
    );
  if (data.items.length > 0) return <Empty title={t('monitors.none')} />;
  return <Empty title={t('monitors.waiting')}>{t('monitors.waitingText')}</Empty>;
}

function WatchedTable({ list }: { list: Watched[] }) {
  const t = useT();
  return (
    <TableFrame label={t('monitors.title')}>
      <thead>
        <tr>
          <th scope="col">{t('monitors.what')}</th>
          <th scope="col">{t('monitors.where')}</th>
          <th scope="col">{t('monitors.limit')}</th>
          <th scope="col">{t('monitors.severity')}</th>
          <th scope="col">{t('monitors.since')}</th>
          <th scope="col" className={table.end} title={t('monitors.numberHint')}>
            {t('monitors.number')}
          </th>
        </tr>
      </thead>
      <tbody>
        {list.map((w) => (
          <tr key={key(w)}>
            <th scope="row">
              <What of={w} />
            </th>
            <td>{where(t, w)}</td>
            <td className="num">{limit(t, w)}</td>
            <td>{severity(w.severity)}</td>
            <td>
              {w.leaving ? (
                t('monitors.leaving')
              ) : w.status === '' || !w.since ? (
                <span className="meta">{t('monitors.asking')}</span>
              ) : (
                <Age at={w.since} />
              )}
            </td>
            <td className={`${table.end} num`}>{w.number ?? '–'}</td>
          </tr>
        ))}
      </tbody>
    </TableFrame>
  );
}

function RefusedTable({ list }: { list: Watched[] }) {
  const t = useT();
  return (
    <TableFrame label={t('monitors.refused')}>
      <thead>
        <tr>
          <th scope="col">{t('monitors.what')}</th>
          <th scope="col">{t('monitors.where')}</th>
          <th scope="col">{t('monitors.answer')}</th>
          <th scope="col">{t('monitors.means')}</th>
          <th scope="col">{t('monitors.since')}</th>
        </tr>
      </thead>
      <tbody>
        {list.map((w) => (
          <tr key={key(w)}>
            <th scope="row">
              <What of={w} />
            </th>
            <td>{where(t, w)}</td>
            <td className="mono">{w.status}</td>
            <td className={styles.means}>{means(t, w)}</td>
            <td>{w.since ? <Age at={w.since} /> : '–'}</td>
          </tr>
        ))}
      </tbody>
    </TableFrame>
  );
}

function What({ of: w }: { of: Watched }) {
  const t = useT();
  const name = part(t, w.component);
  const exact = `${w.component}${w.componentInstance && `[${w.componentInstance}]`}.${w.variable}${w.variableInstance && `[${w.variableInstance}]`}`;
  return (
    <span className={styles.what}>
      {name && <span>{name}</span>}
      <span className={name ? `mono meta ${styles.exact}` : 'mono'}>{exact}</span>
    </span>
  );
}

function part(t: Translate, component: string): string {
  switch (component) {
    case 'TemperatureSensor':
      return t('monitors.part.temperature');
    case 'CableBreakawaySensor':
      return t('monitors.part.cable');
    case 'ConnectorPlugRetentionLock':
      return t('monitors.part.lock');
    case 'Connector':
      return t('monitors.part.connector');
    case 'EVSE':
      return t('monitors.part.evse');
    case 'PowerContactor':
      return t('monitors.part.contactor');
    case 'RCD':
      return t('monitors.part.rcd');
    case 'GroundIsolationProtection':
      return t('monitors.part.insulation');
    case 'OverCurrentProtection':
      return t('monitors.part.overCurrent');
    case 'FiscalMetering':
      return t('monitors.part.meter');
    case 'EmergencyStopSensor':
      return t('monitors.part.stop');
    case 'FloodSensor':
      return t('monitors.part.flood');
    case 'TokenReader':
      return t('monitors.part.reader');
    case 'AirCoolingSystem':
      return t('monitors.part.fan');
    case 'LiquidCoolingSystem':
      return t('monitors.part.pump');
    case 'ChargingStation':
      return t('monitors.part.station');
    default:
      return '';
  }
}

function where(t: Translate, w: Watched): string {
  if (w.evse === 0) return t('monitors.station');
  return w.connector === 0
    ? t('monitors.port', { n: w.evse })
    : t('monitors.plug', { n: w.evse, plug: w.connector });
}

function limit(t: Translate, w: Watched): string {
  const value = w.variable === 'Temperature' ? `${w.value} °C` : String(w.value);
  switch (w.type) {
    case 'UpperThreshold':
      return t('monitors.above', { value });
    case 'LowerThreshold':
      return t('monitors.below', { value });
    case 'Delta':
      return w.value === 1 ? t('monitors.changes') : t('monitors.changesBy', { value });
    default:
      return t('monitors.every', { value: String(w.value) });
  }
}

/** As incidents count it: danger, urgent, a work order, a note. */
const severity = (n: number) => (n === 0 ? 'S1' : n <= 3 ? 'S2' : n <= 5 ? 'S3' : 'S4');

function means(t: Translate, w: Watched): string {
  switch (w.status) {
    case 'UnknownComponent':
    case 'UnknownVariable':
    case 'UnsupportedMonitorType':
    case 'Rejected':
    case 'Duplicate':
    case 'NoAnswer':
    case 'NotCleared':
      return t(`monitors.status.${w.status}`);
    case 'Error':
      return t('monitors.status.Error', { reason: w.reason || '–' });
    default:
      return t('monitors.status.other', { status: w.status });
  }
}
