import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Problem } from '../../api/problem';
import { meQuery } from '../../api/queries';
import { useT } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { useLive } from '../../live/hooks';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useSiteNames } from '../../ui/sites';
import { KindIcon } from './kind';
import { clockText, failureKey, isOn, kindOf, type Output, outputName } from './output';
import styles from './outputs.module.css';
import { OutputState } from './state';
import { useAnswer, useSwitch } from './switch';

export function useServerClock(): number {
  const { client } = useLive();
  return useNow(1000) + client.clockOffset;
}

/** One siren, light, speaker or relay: how it is, its button, what became of the last press. */
export function OutputRow({
  of: o,
  incident,
  may,
  ask,
}: {
  of: Output;
  incident: string | undefined;
  may: boolean;
  ask: (o: Output) => void;
}) {
  const t = useT();
  const now = useServerClock();
  const press = useSwitch(o.id, incident);
  const kind = kindOf(o.kind);
  const on = isOn(o);
  const left = o.until ? Date.parse(o.until) - now : 0;
  // A light harms nobody: with an incident to name it needs no further word.
  const atOnce = kind === 'light' && incident !== undefined && !o.twoPerson;
  const failure = failureKey(o);
  const said = press.error instanceof Problem && failure === null ? press.error : null;
  const turn = () => (on ? press.mutate({ on: false }) : atOnce ? press.mutate({ on: true }) : ask(o));
  return (
    <li className={styles.row} data-output={o.id} data-state={o.state}>
      <KindIcon kind={o.kind} size={24} />
      <div className={styles.what}>
        <p className={styles.name}>
          {outputName(o)}
          {o.simulated && <span className="meta">{t('outputs.simulated')}</span>}
        </p>
        <p className={styles.now}>
          <OutputState state={o.state} />
          {on && o.since && (
            <span className="meta">
              <Age at={o.since} />
            </span>
          )}
          {o.state !== 'overdue' && on && left > 0 && (
            <span className="num">{t('outputs.goesOff', { left: clockText(left) })}</span>
          )}
        </p>
        {on && <Why of={o} />}
        {(failure || said) && (
          <p className={styles.failure} role="alert">
            <Icon name="warn" size={16} />
            <span>
              {failure ? t(failure) : said?.detail || said?.title}
              {failure && o.errorAt && (
                <span className="meta">
                  {' '}
                  <Age at={o.errorAt} />
                </span>
              )}
            </span>
          </p>
        )}
      </div>
      {may && (
        <div className={styles.act}>
          <Button
            size="md"
            fullWidth
            variant={on ? 'filled' : 'default'}
            loading={press.isPending}
            onClick={turn}
            disabled={!on && o.request !== null}
            aria-label={t(on ? `outputs.off.${kind}.of` : `outputs.on.${kind}.of`, { name: outputName(o) })}
            {...(incident && kind === 'light' ? { 'aria-keyshortcuts': 'l' } : {})}
            {...(incident && kind === 'speaker' ? { 'aria-keyshortcuts': 't' } : {})}
          >
            {t(on ? `outputs.off.${kind}` : `outputs.on.${kind}`)}
          </Button>
        </div>
      )}
      {o.request && <Asked of={o} request={o.request} may={may} now={now} />}
    </li>
  );
}

/** Who switched it on, and why. */
function Why({ of: o }: { of: Output }) {
  const t = useT();
  const who =
    o.cause === 'incident'
      ? t('outputs.byItself')
      : o.approvedByName
        ? t('outputs.byBoth', { by: o.byName || t('outputs.somebody'), second: o.approvedByName })
        : t('outputs.by', { by: o.byName || t('outputs.somebody') });
  const phrase = o.announcements.find((a) => a.key === o.announcement);
  return (
    <p className={`meta ${styles.why}`}>
      {[who, o.cause === 'test' ? t('outputs.aTest') : '', o.reason].filter(Boolean).join(' · ')}
      {phrase && <q>{phrase.text}</q>}
    </p>
  );
}

/** Somebody waits for a second person. */
export function Asked({
  of: o,
  request,
  may,
  now,
  linked = false,
}: {
  of: Output;
  request: NonNullable<Output['request']>;
  may: boolean;
  now: number;
  /** With the way to its incident, where that is not on the page. */
  linked?: boolean;
}) {
  const t = useT();
  const { data: me } = useQuery(meQuery());
  const siteName = useSiteNames();
  const answer = useAnswer(o.id);
  const left = Date.parse(request.expiresAt) - now;
  const mine = me?.id === request.by;
  const kind = kindOf(o.kind);
  if (left <= 0) return null;
  return (
    <div className={styles.asked} role="status">
      <p>
        {mine
          ? t('outputs.youAsked', { name: outputName(o), left: clockText(left) })
          : t(`outputs.asks.${kind}`, {
              who: request.byName || t('outputs.somebody'),
              name: outputName(o),
            })}
        {!mine && <span className="num meta"> {t('outputs.timeLeft', { left: clockText(left) })}</span>}
        <span className={`meta ${styles.reason}`}>
          {siteName(o.siteId)}
          {linked && request.incident && (
            <>
              {' · '}
              <Link to="/incidents/$id" params={{ id: request.incident }} search={{}}>
                {t('outputs.seeIncident')}
              </Link>
            </>
          )}
        </span>
        {request.reason && <span className={`meta ${styles.reason}`}>{request.reason}</span>}
      </p>
      {may && (
        <div className={styles.answers}>
          {!mine && (
            <Button
              size="md"
              loading={answer.isPending && answer.variables?.accept}
              onClick={() => answer.mutate({ request: request.id, accept: true })}
            >
              {t(`outputs.agree.${kind}`)}
            </Button>
          )}
          <Button
            size="md"
            variant="default"
            loading={answer.isPending && !answer.variables?.accept}
            onClick={() => answer.mutate({ request: request.id, accept: false })}
          >
            {t(mine ? 'outputs.withdraw' : 'outputs.decline')}
          </Button>
        </div>
      )}
      {answer.error instanceof Problem && (
        <p className={styles.failure} role="alert">
          <Icon name="warn" size={16} />
          {answer.error.status === 403
            ? t('outputs.notYou')
            : answer.error.status === 409
              ? t('outputs.tooLate')
              : answer.error.detail || answer.error.title}
        </p>
      )}
    </div>
  );
}
