import { Button, Drawer } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api, ok } from '../../api/client';
import type { SystemEvent } from '../../api/shapes';
import { exact } from '../../format/time';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { useLive } from '../../live/hooks';
import { CopyButton } from '../../ui/copy';
import listPage from '../../ui/listpage.module.css';
import { useSites } from '../../ui/sites';
import { useZone, ZoneProvider } from '../../ui/zone';
import styles from './events.module.css';
import { subjectPort } from './kinds';
import { eventWords, kindWord } from './sentence';

const qualities: Record<SystemEvent['timeQuality'], MessageKey> = {
  device: 'time.device',
  corrected: 'time.corrected',
  received: 'time.received',
};
const origins: Record<SystemEvent['origin'], MessageKey> = {
  station: 'origin.station',
  upstream: 'origin.upstream',
  us: 'origin.us',
};

/** One event whole: its times, who said it, and the record as it stands in the journal. */
export function Details({ event: e, close }: { event: SystemEvent; close: () => void }) {
  const t = useT();
  const { store } = useLive();
  const sites = useSites();
  const port = subjectPort(e.subject);
  const site = port ? store.station(port.station)?.site : undefined;
  return (
    <ZoneProvider value={sites.get(site ?? '')?.timeZone || undefined}>
      <Drawer
        opened
        onClose={close}
        position="right"
        size={560}
        title={`${kindWord(t, e.kind)}, ${e.subject.replace(/^station\//, '')}`}
        closeButtonProps={{ 'aria-label': t('action.close') }}
      >
        <Body event={e} />
      </Drawer>
    </ZoneProvider>
  );
}

function Body({ event: e }: { event: SystemEvent }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const port = subjectPort(e.subject);
  const raw = JSON.stringify(e.data, null, 2);
  const time = (at: string | null) => (at ? exact(tag, Date.parse(at), zone) : '–');
  return (
    <div className={listPage.details}>
      <p className={styles.sentence}>{eventWords(t, e)}</p>
      <dl className={listPage.facts}>
        <div>
          <dt>{t('events.at')}</dt>
          <dd>
            {time(e.at)} <span className="meta">{t(qualities[e.timeQuality])}</span>
          </dd>
        </div>
        <div>
          <dt>{t('events.deviceAt')}</dt>
          <dd>{time(e.deviceAt)}</dd>
        </div>
        <div>
          <dt>{t('events.receivedAt')}</dt>
          <dd>{time(e.receivedAt)}</dd>
        </div>
        <div>
          <dt>{t('events.origin')}</dt>
          <dd>{t(origins[e.origin])}</dd>
        </div>
        <div>
          <dt>{t('events.seq')}</dt>
          <dd className="num">
            {e.seq}
            {e.cause !== null && <span className="meta"> {t('events.cause', { seq: e.cause })}</span>}
          </dd>
        </div>
        {e.quirks.length > 0 && (
          <div>
            <dt>{t('events.quirks')}</dt>
            <dd className="mono">{e.quirks.join(', ')}</dd>
          </div>
        )}
      </dl>
      <div className={styles.raw}>
        <CopyButton value={raw} what="JSON" />
        <pre className="mono scroll" tabIndex={0}>
          {raw}
        </pre>
      </div>
      {port && (
        <div className={styles.links}>
          <Button
            component={Link}
            to="/stations/$id"
            params={{ id: port.station } as never}
            search={{ port: port.evse || undefined } as never}
            variant="default"
          >
            {t('events.toStation')}
          </Button>
          <SessionLink event={e} station={port.station} />
        </div>
      )}
    </div>
  );
}

/** The session that an event of a transaction belongs to. */
function SessionLink({ event: e, station }: { event: SystemEvent; station: string }) {
  const t = useT();
  const transaction = typeof e.data.transactionId === 'string' ? e.data.transactionId : '';
  const { data } = useQuery({
    queryKey: ['sessions', 'of', station, transaction],
    queryFn: ({ signal }) =>
      ok(api.GET('/sessions', { params: { query: { station, transaction, limit: 1 } }, signal })).then(
        (p) => p.items[0] ?? null,
      ),
    enabled: transaction !== '',
  });
  if (!data) return null;
  return (
    <Button component={Link} to="/sessions" search={{ station, open: data.id } as never} variant="default">
      {t('events.toSession')}
    </Button>
  );
}
