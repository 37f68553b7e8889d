import { Button, Select } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import { useSiteNames, useSites } from '../../ui/sites';
import { useToast } from '../../ui/toast';
import { useMe } from '../incidents/who';
import { Effect, FormDialog } from '../settings/dialog';
import styles from './mode.module.css';
import { type Decided, type Mode, type Remedies, remediesQuery } from './queries';

const MODES: readonly Mode[] = ['off', 'dryRun', 'triggerOnly', 'on'];
const EVERYWHERE = 'all';

type Asked = { scope: string | null; mode: Mode | 'default' };

/** How far the machine may go: one control for everything, and what differs from it. */
export function ModePanel() {
  const t = useT();
  const mayWrite = useAllowed('remedies.write');
  const { data, error, refetch } = useQuery(remediesQuery());
  const [asked, setAsked] = useState<Asked | null>(null);
  return (
    <Panel
      title={t('playbooks.mode')}
      aside={
        mayWrite && data && data.mode !== 'off' ? (
          <Button
            variant="default"
            className={styles.kill!}
            leftSection={<Icon name="pause" size={14} />}
            onClick={() => setAsked({ scope: EVERYWHERE, mode: 'off' })}
          >
            {t('playbooks.mode.kill')}
          </Button>
        ) : undefined
      }
      flush={!data}
    >
      {error && !data ? (
        <Failed what={t('playbooks.mode.part')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={2} />
      ) : (
        <Decisions data={data} mayWrite={mayWrite} ask={setAsked} />
      )}
      {asked && data && <AskMode {...asked} data={data} close={() => setAsked(null)} />}
    </Panel>
  );
}

function Decisions({ data, mayWrite, ask }: { data: Remedies; mayWrite: boolean; ask: (a: Asked) => void }) {
  const t = useT();
  const scopeName = useScopeName();
  const everywhere = data.modes.find((m) => m.scope === EVERYWHERE);
  const narrow = data.modes.filter((m) => m.scope !== EVERYWHERE);
  return (
    <div className={styles.mode}>
      {data.mode === 'off' && (
        <p className={styles.stopped} role="status">
          <Icon name="pause" size={16} />
          {t('playbooks.mode.stopped')}
        </p>
      )}
      <ul className={styles.modes} aria-label={t('playbooks.mode')}>
        {MODES.map((m) => {
          const on = m === data.mode;
          const inside = (
            <>
              <span className={styles.name}>
                {t(`playbooks.mode.${m}`)}
                {on && (
                  <span className={styles.now}>
                    <Icon name="check" size={14} />
                    {t('playbooks.mode.now')}
                  </span>
                )}
              </span>
              <span className={styles.text}>{t(`playbooks.mode.${m}.text`)}</span>
            </>
          );
          return (
            <li key={m}>
              {mayWrite && !on ? (
                <button
                  type="button"
                  className={styles.card}
                  onClick={() => ask({ scope: EVERYWHERE, mode: m })}
                >
                  {inside}
                </button>
              ) : (
                <div className={styles.card} data-on={on} aria-current={on || undefined}>
                  {inside}
                </div>
              )}
            </li>
          );
        })}
      </ul>
      <p className={styles.who}>{everywhere ? <SetBy of={everywhere} /> : t('playbooks.mode.asShipped')}</p>
      <div className={styles.narrow}>
        <div className={styles.narrowHead}>
          <h3 className={styles.sub}>{t('playbooks.mode.narrow')}</h3>
          {mayWrite && (
            <Button
              size="compact-sm"
              variant="default"
              leftSection={<Icon name="site" size={14} />}
              onClick={() => ask({ scope: null, mode: 'dryRun' })}
            >
              {t('playbooks.mode.site')}
            </Button>
          )}
        </div>
        {narrow.length === 0 ? (
          <p className="meta">{t('playbooks.mode.narrowNone')}</p>
        ) : (
          <>
            <ul className={styles.scopes}>
              {narrow.map((m) => (
                <li key={m.scope} className={styles.scope}>
                  <span>{scopeName(m.scope)}</span>
                  <strong>{t(`playbooks.mode.${m.mode}`)}</strong>
                  <span className="meta">
                    <SetBy of={m} />
                  </span>
                  {mayWrite && (
                    <Button
                      size="compact-sm"
                      variant="subtle"
                      color="gray"
                      aria-label={t('playbooks.mode.changeOf', { scope: scopeName(m.scope) })}
                      onClick={() => ask({ scope: m.scope, mode: m.mode })}
                    >
                      {t('playbooks.mode.change')}
                    </Button>
                  )}
                </li>
              ))}
            </ul>
            <p className="meta">{t('playbooks.mode.offWins')}</p>
          </>
        )}
      </div>
    </div>
  );
}

function SetBy({ of: m }: { of: Decided }) {
  const t = useT();
  const me = useMe();
  const who = m.changedBy === me && me !== '' ? t('playbooks.mode.you') : m.name;
  return (
    <>
      {who ? t('playbooks.mode.setBy', { who }) : t('playbooks.mode.setBySomebody')}
      {m.changedAt && (
        <>
          {', '}
          <Age at={m.changedAt} />
        </>
      )}
    </>
  );
}

export function useScopeName(): (scope: string) => string {
  const t = useT();
  const siteName = useSiteNames();
  return (scope) => {
    if (scope === EVERYWHERE) return t('playbooks.mode.everywhere');
    const [kind, ...rest] = scope.split('/');
    const id = rest.join('/');
    return kind === 'site'
      ? t('playbooks.mode.siteOf', { name: siteName(id) })
      : t('playbooks.mode.stationOf', { name: id });
  };
}

/** Says the effect, once, before a mode holds. */
function AskMode({ scope: given, mode: first, data, close }: Asked & { data: Remedies; close: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const toast = useToast();
  const scopeName = useScopeName();
  const sites = useSites();
  const [site, setSite] = useState<string | null>(null);
  const [mode, setMode] = useState<Mode | 'default'>(first);
  const scope = given ?? (site === null ? null : `site/${site}`);
  const narrow = given !== EVERYWHERE;
  const modeName = t(mode === 'default' ? 'playbooks.mode.follow' : `playbooks.mode.${mode}`);
  const id = scope?.split('/').slice(1).join('/') ?? '';
  return (
    <FormDialog
      title={
        scope === null
          ? t('playbooks.mode.site')
          : scope === EVERYWHERE && mode === 'off'
            ? t('playbooks.mode.killTitle')
            : t('playbooks.mode.ask', { mode: modeName, scope: scopeName(scope) })
      }
      close={close}
      send={() =>
        ok(
          api.PUT('/remedies/mode', {
            body: {
              mode,
              ...(scope?.startsWith('site/') ? { sites: [id] } : {}),
              ...(scope?.startsWith('station/') ? { stations: [id] } : {}),
            },
          }),
        )
      }
      sent={(answer) => {
        queries.setQueryData(remediesQuery().queryKey, answer);
        toast({
          text: t('playbooks.mode.done', { mode: modeName, scope: scopeName(scope ?? EVERYWHERE) }),
          tone: 'good',
        });
      }}
      action={
        mode === 'off' && !narrow ? t('playbooks.mode.kill') : t('playbooks.mode.set', { mode: modeName })
      }
      failed={t('playbooks.mode.failed')}
      refusals={{ 403: t('playbooks.mode.forbidden') }}
      grave={mode === 'off'}
      ready={scope !== null}
    >
      {given === null && (
        <Select
          label={t('playbooks.mode.siteField')}
          data={[...sites.values()].map((s) => ({ value: s.id, label: s.name }))}
          value={site}
          onChange={setSite}
          searchable
          required
          data-autofocus
          nothingFoundMessage={t('playbooks.try.none')}
        />
      )}
      {narrow && (
        <Select
          label={t('playbooks.mode.modeField')}
          data={[
            ...MODES.map((m) => ({ value: m as string, label: t(`playbooks.mode.${m}`) })),
            ...(given === null ? [] : [{ value: 'default', label: t('playbooks.mode.follow') }]),
          ]}
          value={mode}
          onChange={(v) => v && setMode(v as Mode | 'default')}
          allowDeselect={false}
        />
      )}
      <Effect>
        {t(mode === 'default' ? 'playbooks.mode.follow.text' : `playbooks.mode.${mode}.text`)}
        {mode === 'on' && ` ${t('playbooks.mode.onEffect')}`}
      </Effect>
      {mode === 'off' && !narrow && (
        <Effect>
          {t('playbooks.mode.running', { n: data.running.length })} {t('playbooks.mode.debts')}
        </Effect>
      )}
    </FormDialog>
  );
}
