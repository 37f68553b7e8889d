import { Autocomplete, Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { api, ok } from '../../api/client';
import { Problem } from '../../api/problem';
import { commandsQuery } from '../../api/queries';
import type { Attempt, Command, Evse, StationDetail } from '../../api/shapes';
import { sessionEnergy, text } from '../../format/quantity';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Panel } from '../../ui/panel';
import { type Built, build, type Draft, effectOf } from '../station/actions';
import { answerWord } from '../station/history';
import { mergeCommand } from '../station/merge';
import styles from './desk.module.css';
import { attemptsQuery, sessionQuery } from './queries';

type Kind = 'start' | 'stop' | 'unlock' | 'reset';

const submit: Record<Kind, MessageKey> = {
  start: 'act.start',
  stop: 'act.stop',
  unlock: 'act.unlock',
  reset: 'act.reset',
};
const confirm: Record<Kind, MessageKey> = {
  start: 'act.start',
  stop: 'act.stopNow',
  unlock: 'act.unlockNow',
  reset: 'act.resetNow',
};

/** The cards lately shown at the port, each once, with their type. */
export function recentTokens(tries: readonly Attempt[]): { value: string; type: string }[] {
  const seen = new Map<string, string>();
  // A masked value is no token.
  for (const a of tries)
    if (a.idToken && !a.idToken.includes('*') && !seen.has(a.idToken)) seen.set(a.idToken, a.idTokenType);
  return [...seen].map(([value, type]) => ({ value, type }));
}

/** What can be done for the caller, with what it does before it is done. */
export function Actions({ station, evse }: { station: StationDetail; evse: Evse }) {
  const t = useT();
  const tag = useTag();
  const queries = useQueryClient();
  const { data: tries } = useQuery(attemptsQuery({ station: station.id, evse: evse.id }));
  const { data: session } = useQuery({
    ...sessionQuery(evse.sessionId ?? ''),
    enabled: evse.sessionId !== null,
  });
  const [token, setToken] = useState('');
  const [remoteStartId] = useState(() => Math.floor(Math.random() * 2 ** 31));
  const recent = recentTokens(tries ?? []);
  const running = evse.sessionId !== null;
  const old = station.protocol === 'ocpp1.6' || station.protocol === '';
  const draft = (kind: Kind): Draft => ({
    kind,
    port: kind === 'reset' ? 0 : evse.id,
    resetNow: !old,
    operative: false,
    trigger: '',
    idToken: token,
    tokenType: recent.find((r) => r.value === token.trim())?.type || 'ISO14443',
    transactionId: session?.transactionId ?? '',
    remoteStartId,
    action: '',
    payload: '',
  });
  const send = useMutation({
    mutationFn: ({ body }: { kind: Kind; body: Built }) =>
      ok(
        api.POST('/stations/{station}/commands', {
          params: { path: { station: station.id }, query: { wait: '0s' } },
          body,
        }),
      ),
    onSuccess: (command) => {
      queries.setQueryData(commandsQuery(station.id).queryKey, (list: Command[] | undefined) =>
        mergeCommand(list ?? [], command),
      );
    },
  });
  const act = (kind: Kind) => {
    const body = build(draft(kind), station.protocol);
    if (body) send.mutate({ kind, body });
  };
  const effect = (kind: Kind): { words: string; grave: boolean } => {
    if (kind === 'stop') {
      return running
        ? {
            words: t('act.stopEffect', {
              energy: session ? text(sessionEnergy(tag, session.energyWh)) : '–',
            }),
            grave: true,
          }
        : { words: t('act.nothingRuns'), grave: false };
    }
    const e = effectOf(draft(kind), station);
    return { words: t(e.key, e.values), grave: e.grave };
  };
  const line = (kind: Kind, can: boolean) => (
    <Act
      kind={kind}
      {...effect(kind)}
      disabled={!can || !station.online}
      busy={send.isPending && send.variables?.kind === kind}
      run={() => act(kind)}
    />
  );
  return (
    <Panel title={t('act.title')}>
      <div className={styles.acts}>
        {!station.online && <p className={styles.hint}>{t('act.offline')}</p>}
        <Autocomplete
          label={t('act.token')}
          placeholder={recent.length > 0 ? t('act.tokenRecent') : t('act.tokenType')}
          data={recent.map((r) => r.value)}
          value={token}
          onChange={setToken}
          maxLength={old ? 20 : 255}
          autoComplete="off"
          spellCheck={false}
        />
        {line('start', token.trim() !== '' && !running)}
        {line('stop', running && session !== undefined)}
        {line('unlock', true)}
        {line('reset', true)}
        <Result station={station.id} error={send.error} latest={send.data} />
      </div>
    </Panel>
  );
}

/** A grave act takes two presses: the first says again what it ends. */
function Act({
  kind,
  words,
  grave,
  disabled,
  busy,
  run,
}: {
  kind: Kind;
  words: string;
  grave: boolean;
  disabled: boolean;
  busy: boolean;
  run: () => void;
}) {
  const t = useT();
  const [asked, setAsked] = useState(false);
  const sure = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (asked) sure.current?.focus();
  }, [asked]);
  useEffect(() => {
    if (disabled) setAsked(false);
  }, [disabled]);
  const go = () => {
    setAsked(false);
    run();
  };
  const effectId = `desk-effect-${kind}`;
  return (
    <div className={styles.act} data-grave={grave}>
      {asked ? (
        <span className={styles.sure}>
          <Button ref={sure} color="red" variant="light" onClick={go} aria-describedby={effectId}>
            {t(confirm[kind])}
          </Button>
          <Button variant="subtle" color="gray" onClick={() => setAsked(false)}>
            {t('action.cancel')}
          </Button>
        </span>
      ) : (
        <Button
          variant={kind === 'start' ? 'filled' : 'default'}
          className={styles.actButton}
          disabled={disabled}
          loading={busy}
          onClick={grave ? () => setAsked(true) : go}
          aria-describedby={effectId}
        >
          {t(submit[kind])}
        </Button>
      )}
      <p id={effectId} className={styles.effect}>
        {words}
      </p>
    </div>
  );
}

/** What the station said to the newest command of this call. */
function Result({
  station,
  error,
  latest,
}: {
  station: string;
  error: unknown;
  latest: Command | undefined;
}) {
  const t = useT();
  const { data } = useQuery({ ...commandsQuery(station), enabled: latest !== undefined });
  const c = data?.find((x) => x.id === latest?.id) ?? latest;
  const [tone, words] = error
    ? ['bad', t('result.notSent', { why: error instanceof Problem ? error.detail || error.title : '–' })]
    : !c
      ? ['none', '']
      : outcome(t, c);
  return (
    <p className={styles.outcome} data-tone={tone} role="status">
      {words && <span className={styles.outcomeMark} aria-hidden="true" />}
      <span>{words}</span>
      {c && !error && (
        <span className="meta">
          {c.action} · <Age at={c.finishedAt ?? c.requestedAt} />
        </span>
      )}
    </p>
  );
}

function outcome(t: ReturnType<typeof useT>, c: Command): [tone: string, words: string] {
  const answer = answerWord(c.response);
  switch (c.status) {
    case 'sent':
      return ['wait', t('result.sent')];
    case 'answered':
      return /^(Accepted|Unlocked|Scheduled)/.test(answer) || answer === ''
        ? ['good', t('result.done', { answer: answer || 'OK' })]
        : ['bad', t('result.refusedByStation', { answer })];
    case 'error':
      return ['bad', t('result.error', { code: c.errorCode || '–' })];
    case 'timeout':
      return ['bad', t('result.timeout')];
    case 'offline':
      return ['bad', t('result.offline')];
    default:
      return ['bad', t('result.refused')];
  }
}
