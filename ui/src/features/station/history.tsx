import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { commandsQuery, meQuery } from '../../api/queries';
import type { Command } from '../../api/shapes';
import { span } from '../../format/time';
import { useT } from '../../i18n/i18n';
import { useTicking } from '../../live/clock';
import { useLive } from '../../live/hooks';
import { Age } from '../../ui/figures';
import { Empty, Failed, Skeleton } from '../../ui/panel';
import styles from './commands.module.css';
import { isDone, outcomeText } from './send';

/** Each command and how it ended. Nothing is called done before the station said so. */
export function History({ station }: { station: string }) {
  const t = useT();
  const { data, error, refetch } = useQuery(commandsQuery(station));
  if (error && !data)
    return <Failed what={t('command.history')} error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton />;
  if (data.length === 0) return <Empty title={t('command.none')}>{t('command.noneText')}</Empty>;
  return (
    <ul className={styles.history} aria-live="polite">
      {data.map((c) => (
        <Item key={c.id} command={c} />
      ))}
    </ul>
  );
}

export { answerWord } from './send';

/** Who asked, by name where the reader may know it: the record itself holds only an opaque id. */
function By({ id, name }: { id: string; name: string }) {
  const t = useT();
  const { data: me } = useQuery(meQuery());
  if (id === me?.id) return t('command.byYou');
  return name ? t('command.by', { name }) : null;
}

function Item({ command: c }: { command: Command }) {
  const t = useT();
  const said = c.response !== null && c.response !== undefined ? JSON.stringify(c.response, null, 2) : '';
  const refusedByStation = c.status === 'answered' && !isDone(c);
  return (
    <li className={styles.item}>
      <div className={styles.itemHead}>
        <span className={styles.itemAction}>{c.action}</span>
        <span className="meta">
          <Age at={c.requestedAt} /> <By id={c.requestedBy} name={c.requestedByName ?? ''} />
        </span>
      </div>
      <p className={styles.outcome} data-status={refusedByStation ? 'error' : c.status}>
        <span className={styles.mark} aria-hidden="true" />
        {c.status === 'sent' ? <Waiting at={c.requestedAt} /> : outcomeText(t, c)}
        {c.finishedAt && c.status === 'answered' && (
          <span className="meta num">{span3(Date.parse(c.finishedAt) - Date.parse(c.requestedAt))}</span>
        )}
        {c.late && <span className={styles.lateMark}>{t('outcome.late')}</span>}
      </p>
      {c.errorDescription && <p className="meta">{c.errorDescription}</p>}
      <details className={styles.more}>
        <summary>{t('command.details')}</summary>
        <p className="meta">{t('command.payload')}</p>
        <pre className="mono">{JSON.stringify(c.payload, null, 2)}</pre>
        {said && (
          <>
            <p className="meta">{t('command.response')}</p>
            <pre className="mono">{said}</pre>
          </>
        )}
      </details>
    </li>
  );
}

const span3 = (ms: number): string => (ms < 1000 ? `${Math.max(0, ms)} ms` : span(ms));

function Waiting({ at }: { at: string }) {
  const t = useT();
  const { client } = useLive();
  const since = Date.parse(at);
  return (
    <span className="num">
      {useTicking(
        useCallback(
          () => t('outcome.sent', { age: span(Date.now() + client.clockOffset - since) }),
          [t, client, since],
        ),
      )}
    </span>
  );
}
