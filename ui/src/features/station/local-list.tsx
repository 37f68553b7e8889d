import { Button } from '@mantine/core';
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import { count } from '../../format/quantity';
import { type Translate, useT, useTag } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Panel } from '../../ui/panel';
import table from '../../ui/table.module.css';
import { useToast } from '../../ui/toast';
import styles from './local-list.module.css';

type Kept = components['schemas']['StationListShape'];

const listQuery = (station: string) =>
  queryOptions({
    queryKey: ['local-list', station],
    queryFn: ({ signal }) =>
      ok(api.GET('/stations/{station}/local-list', { params: { path: { station } }, signal })),
    refetchInterval: 5_000,
  });

/** Whom the station serves by itself while the server is away; nothing where its site does not want that. */
export function LocalList({ station }: { station: string }) {
  const t = useT();
  const may = useAllowed('stations.command');
  const { data } = useQuery(listQuery(station));
  const kept = data?.kept;
  if (!kept) return null;
  return (
    <Panel title={t('list.title')} aside={may && <SendNow station={station} kept={kept} />}>
      <State kept={kept} />
      <Facts kept={kept} />
      <Left kept={kept} />
      <Settings kept={kept} />
    </Panel>
  );
}

function SendNow({ station, kept }: { station: string; kept: Kept }) {
  const t = useT();
  const toast = useToast();
  const queries = useQueryClient();
  const send = useMutation({
    mutationFn: () => ok(api.POST('/stations/{station}/local-list/send', { params: { path: { station } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: listQuery(station).queryKey }),
    onError: () => toast({ text: t('list.notSent'), tone: 'bad' }),
  });
  return (
    <Button
      size="compact-sm"
      variant="default"
      loading={send.isPending}
      disabled={kept.state === 'offline' || kept.state === 'everybody'}
      onClick={() => send.mutate()}
    >
      {t('list.send')}
    </Button>
  );
}

const icons = { current: 'check', refused: 'warn', unsupported: 'warn' } as const;

function State({ kept }: { kept: Kept }) {
  const t = useT();
  const bad = kept.state === 'refused' || kept.state === 'unsupported';
  const icon = icons[kept.state as keyof typeof icons] ?? 'info';
  return (
    <p className={styles.state}>
      <span className={bad ? table.fault : undefined}>
        <Icon name={icon} size={16} />
      </span>
      <span>
        <strong>{t(`list.state.${kept.state as 'current'}`)}</strong>{' '}
        <span className="meta">
          {kept.problem ? t('list.says', { said: kept.problem }) : t(`list.text.${kept.state as 'current'}`)}
        </span>
      </span>
    </p>
  );
}

function Facts({ kept }: { kept: Kept }) {
  const t = useT();
  const tag = useTag();
  if (kept.state === 'everybody') return null;
  const facts = [
    {
      name: t('list.cards'),
      value: kept.capacity
        ? t('list.ofRoom', { there: count(tag, kept.there), room: count(tag, kept.capacity) })
        : count(tag, kept.there),
      note:
        kept.there === kept.entries
          ? t('list.permitted', { shown: count(tag, kept.permitted) })
          : t('list.toHave', { shown: count(tag, kept.entries) }),
    },
    {
      name: t('list.version'),
      value: kept.versionReported ?? kept.versionThere,
      note: kept.version === kept.versionThere ? t('list.same') : t('list.intended', { n: kept.version }),
    },
    { name: t('list.checked'), value: kept.checkedAt ? <Age at={kept.checkedAt} /> : '–', note: '' },
  ];
  return (
    <dl className={styles.facts}>
      {facts.map((f) => (
        <div key={f.name}>
          <dt>{f.name}</dt>
          <dd className="num">{f.value}</dd>
          {f.note && <dd className="meta">{f.note}</dd>}
        </div>
      ))}
    </dl>
  );
}

const whys = (t: Translate) => ({
  hours: t('list.why.hours'),
  part: t('list.why.part'),
  noKeypad: t('list.why.noKeypad'),
  forbidden: t('list.why.forbidden'),
  long: t('list.why.long'),
  room: t('list.why.room'),
});

function Left({ kept }: { kept: Kept }) {
  const t = useT();
  const tag = useTag();
  return (
    <>
      {kept.left.length > 0 && (
        <div className={styles.part}>
          <h3>{t('list.left')}</h3>
          <ul>
            {kept.left.map((x) => (
              <li key={x.why}>
                <span className="num">{count(tag, x.count)}</span> {whys(t)[x.why]}
              </li>
            ))}
          </ul>
        </div>
      )}
      {kept.forbids.length > 0 && (
        <div className={styles.part}>
          <h3>{t('list.online')}</h3>
          <p>{t('list.forbids', { n: kept.forbids.length })}</p>
        </div>
      )}
    </>
  );
}

function Settings({ kept }: { kept: Kept }) {
  const t = useT();
  const wrong = kept.settings.filter((s) => s.is !== '' && s.is.toLowerCase() !== s.want);
  if (wrong.length === 0 || kept.state === 'emptying' || kept.state === 'everybody') return null;
  return (
    <div className={styles.part}>
      <h3>{t('list.settings')}</h3>
      <ul>
        {wrong.map((s) => (
          <li key={s.name}>
            <span className="mono">{s.name}</span>{' '}
            <span className={s.refused ? table.fault : undefined}>
              {s.refused
                ? t('list.setting.refused', { is: s.is, want: s.want, said: s.refused })
                : t('list.setting.wrong', { is: s.is, want: s.want })}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
