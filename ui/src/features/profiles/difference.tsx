// How a station stands to the configuration profiles that hold for it.
import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import { configurationQuery } from '../../api/queries';
import type { StationDetail } from '../../api/shapes';
import { type Translate, useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Panel } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import { useToast } from '../../ui/toast';
import {
  type Difference as Diff,
  differenceQuery,
  knownQuery,
  meaning,
  type Standing,
  spaced,
} from './profile';
import styles from './profiles.module.css';

const GOOD = ['set', 'verified'];
const BAD = ['failed', 'drifted', 'incomplete'];

export default function Difference({ station }: { station: StationDetail }) {
  const t = useT();
  const may = useAllowed('stations.command');
  const { data: x } = useQuery(differenceQuery(station.id));
  if (!x) return null;
  const busy = x.state === 'working';
  return (
    <Panel
      title={t('diff.title')}
      flush
      aside={
        <>
          {x.readAt && (
            <span className="meta">
              {t('diff.readAt')} <Age at={x.readAt} />
            </span>
          )}
          {may && x.state !== 'none' && x.state !== 'foreign' && (
            <Acts station={station.id} disabled={busy || !station.online} />
          )}
        </>
      }
    >
      <p className={styles.state}>
        <span
          className={GOOD.includes(x.state) ? styles.ok : BAD.includes(x.state) ? styles.bad : styles.wait}
        >
          <Icon
            name={GOOD.includes(x.state) ? 'check' : BAD.includes(x.state) ? 'warn' : 'clock'}
            size={16}
          />
        </span>
        <span>
          {t(`diff.all.${x.state}`)}{' '}
          {x.said && <span className="meta">{t('diff.says', { said: x.said })} </span>}
          {x.profiles.length > 0 && (
            <span className="meta">{t('diff.by', { names: x.profiles.toReversed().join(', ') })}</span>
          )}
        </span>
      </p>
      {x.settings.length > 0 && <SettingsTable standing={x} />}
    </Panel>
  );
}

function Acts({ station, disabled }: { station: string; disabled: boolean }) {
  const t = useT();
  const toast = useToast();
  const queries = useQueryClient();
  const take = (x: Standing) => {
    queries.setQueryData(differenceQuery(station).queryKey, x);
    void queries.invalidateQueries({ queryKey: configurationQuery(station).queryKey });
  };
  const failed = (e: Error) => toast({ text: e.message || t('diff.notDone'), tone: 'bad' });
  const read = useMutation({
    mutationFn: () =>
      ok(
        api.GET('/stations/{station}/configuration/difference', {
          params: { path: { station }, query: { read: true } },
        }),
      ),
    onSuccess: take,
    onError: failed,
  });
  const apply = useMutation({
    mutationFn: () =>
      ok(api.POST('/stations/{station}/configuration/apply', { params: { path: { station } } })),
    onSuccess: take,
    onError: failed,
  });
  const off = disabled || read.isPending || apply.isPending;
  return (
    <>
      <Button
        size="compact-sm"
        variant="default"
        loading={read.isPending}
        disabled={off}
        onClick={() => read.mutate()}
      >
        {t('diff.read')}
      </Button>
      <Button size="compact-sm" loading={apply.isPending} disabled={off} onClick={() => apply.mutate()}>
        {t('diff.apply')}
      </Button>
    </>
  );
}

/** How each setting of a station stands. */
export function SettingsTable({ standing }: { standing: Standing }) {
  const t = useT();
  const known = useQuery(knownQuery()).data;
  return (
    <TableFrame label={t('diff.title')} className={styles.stack!}>
      <thead>
        <tr>
          <th scope="col">{t('profiles.setting')}</th>
          <th scope="col">{t('diff.is')}</th>
          <th scope="col">{t('diff.want')}</th>
          <th scope="col">{t('diff.state')}</th>
        </tr>
      </thead>
      <tbody>
        {standing.settings.map((s) => (
          <tr key={s.name}>
            <th scope="row">
              <span className={styles.setting}>
                <span>{meaning(t, s.name, known) || s.word}</span>
                <span className="mono meta">{s.word}</span>
              </span>
            </th>
            <td className={styles.value} data-label={t('diff.is')}>
              {s.is === null ? <span className="meta">{t('diff.none')}</span> : shown(t, s.is)}
            </td>
            <td className={styles.value} data-label={t('diff.want')}>
              {shown(t, s.want)}
            </td>
            <td className={styles.value} data-label={t('diff.state')}>
              <State of={s} />
            </td>
          </tr>
        ))}
      </tbody>
    </TableFrame>
  );
}

const shown = (t: Translate, value: string) => (value === '' ? t('profiles.empty') : spaced(value));

const FINE = ['same', 'verified'];
const WRONG = ['differs', 'refused', 'unanswered'];

function State({ of: s }: { of: Diff }) {
  const t = useT();
  const notes = [
    s.drifted && t('diff.drifted'),
    s.missing.length > 0 && t('diff.missing', { list: s.missing.join(', ') }),
    s.unseen.length > 0 && t('diff.unseen', { list: s.unseen.join(', ') }),
    s.state === 'accepted' &&
      s.kind === 'number' &&
      /^\d+$/.test(s.said) &&
      t('diff.every', { said: s.said }),
    (s.state === 'refused' || s.state === 'unanswered') && s.said && t('diff.says', { said: s.said }),
  ].filter(Boolean);
  return (
    <span className={styles.setting}>
      <span className={FINE.includes(s.state) ? styles.ok : WRONG.includes(s.state) ? styles.bad : undefined}>
        {t(`diff.s.${s.state}`)}
      </span>
      {notes.length > 0 && <span className="meta">{notes.join('; ')}</span>}
    </span>
  );
}
