import { Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { configurationQuery, reportsQuery } from '../../api/queries';
import type { StationDetail } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import styles from './configuration.module.css';
import { isDone, outcomeText, useSend } from './send';

/** After so long without another part a report is not waited for. */
const SILENCE = 45_000;

/** Asks a station to tell its settings: at once in 1.6, in parts that follow in 2.x. */
export function FetchSettings({ station, primary = false }: { station: StationDetail; primary?: boolean }) {
  const t = useT();
  const queries = useQueryClient();
  const send = useSend(station.id, '35s');
  const old = !station.protocol.startsWith('ocpp2');
  const [request, setRequest] = useState<number | null>(null);
  const [quiet, setQuiet] = useState(false);
  const started = useRef('');
  const waits = request !== null && !quiet;
  const { data: reports } = useQuery({
    ...reportsQuery(station.id, started.current),
    enabled: waits,
    refetchInterval: 1500,
  });
  const parts = reports?.filter((r) => r.data.requestId === request) ?? [];
  const whole = parts.some((r) => r.data.more !== true);
  const count = parts.length;

  useEffect(() => {
    if (!waits) return;
    if (count > 0) void queries.invalidateQueries({ queryKey: configurationQuery(station.id).queryKey });
    if (whole) {
      setRequest(null);
      return;
    }
    const timer = setTimeout(() => setQuiet(true), SILENCE);
    return () => clearTimeout(timer);
  }, [waits, count, whole, queries, station.id]);

  const fetchNow = () => {
    setQuiet(false);
    if (old) {
      send.mutate({ action: 'GetConfiguration', payload: {} });
      return;
    }
    const id = Math.floor(Math.random() * 2 ** 30);
    started.current = new Date(Date.now() - 60_000).toISOString();
    send.mutate(
      { action: 'GetBaseReport', payload: { requestId: id, reportBase: 'FullInventory' } },
      { onSuccess: (c) => setRequest(isDone(c) ? id : null) },
    );
  };
  const failed = send.data && !isDone(send.data) ? outcomeText(t, send.data) : null;
  return (
    <span className={styles.fetch}>
      <Button
        size={primary ? 'sm' : 'compact-sm'}
        variant={primary ? 'filled' : 'default'}
        leftSection={<Icon name="retry" size={14} />}
        loading={send.isPending}
        disabled={!station.online || (waits && !whole)}
        onClick={fetchNow}
      >
        {t('settings2.fetch')}
      </Button>
      <span className="meta" role="status">
        {send.error
          ? t('command.failed')
          : (failed ??
            (!station.online
              ? t('settings2.offline')
              : quiet
                ? t('settings2.silence', { n: count })
                : waits
                  ? t('settings2.parts', { n: count })
                  : ''))}
      </span>
    </span>
  );
}
