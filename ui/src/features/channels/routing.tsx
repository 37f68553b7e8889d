import { ActionIcon, Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api, ok } from '../../api/client';
import { Problem } from '../../api/problem';
import { span } from '../../format/time';
import { useT } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { useToast } from '../../ui/toast';
import { Effect, FormDialog } from '../settings/dialog';
import channelStyles from './channels.module.css';
import { Escalations } from './escalations';
import { faultUnder } from './fields';
import { Heartbeat } from './heartbeat';
import { timesText } from './hours';
import { groupName } from './names';
import { channelsQuery, escalationsQuery, type Route, type Routing, routingQuery } from './queries';
import { RouteForm } from './route-form';
import { lastTried, moved, takesAll } from './routes';
import styles from './routing.module.css';

/** Who hears of what: routes in their order, who is told next, and what stands around them. */
export default function RoutingPart() {
  return (
    <div className={styles.page}>
      <Routes />
      <Escalations />
      <Links />
      <Heartbeat />
    </div>
  );
}

/** Replaces the routing; what another page saved meanwhile is read first. */
function useSave() {
  const queries = useQueryClient();
  return async (change: (now: Routing) => Routing): Promise<void> => {
    const now = await queries.fetchQuery({ ...routingQuery(), staleTime: 0 });
    const saved = await ok(api.PUT('/routing', { body: change(now) }));
    queries.setQueryData(routingQuery().queryKey, saved);
  };
}

function Routes() {
  const t = useT();
  const toast = useToast();
  const save = useSave();
  const mayWrite = useAllowed('channels.write');
  const { data, error, refetch } = useQuery(routingQuery());
  const [open, setOpen] = useState<{ kind: 'add' | 'all' } | { kind: 'edit' | 'delete'; of: Route } | null>(
    null,
  );
  const [told, setTold] = useState('');
  const move = useMutation({
    mutationFn: ({ name, by }: { name: string; by: -1 | 1 }) =>
      save((now) => ({
        ...now,
        routes: moved(
          now.routes,
          now.routes.findIndex((r) => r.name === name),
          by,
        ),
      })),
    onSuccess: (_, { name, by }) => {
      const at = (data?.routes.findIndex((r) => r.name === name) ?? 0) + by;
      setTold(t('channels.routeMoved', { name, n: at + 1 }));
    },
    onError: (e) => toast({ text: t('channels.notChanged', { why: e.message }), tone: 'bad' }),
  });
  const close = () => setOpen(null);
  const routes = data?.routes ?? [];
  const last = lastTried(routes);
  const add = mayWrite && (
    <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setOpen({ kind: 'add' })}>
      {t('channels.routeAdd')}
    </Button>
  );
  return (
    <Panel title={t('channels.routes')} flush aside={routes.length > 0 && add}>
      {error && !data ? (
        <Failed what={t('channels.routes')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={4} />
      ) : routes.length === 0 ? (
        <Empty title={t('channels.noRoutes')} action={add}>
          <p className={channelStyles.teach}>{t('channels.noRoutesText')}</p>
        </Empty>
      ) : (
        <>
          <ol className={styles.list} aria-label={t('channels.routes')}>
            {routes.map((r, i) => (
              <Row
                key={r.name}
                route={r}
                place={i + 1}
                reached={last < 0 || i <= last}
                acts={
                  mayWrite && (
                    <>
                      <ActionIcon
                        variant="subtle"
                        color="gray"
                        size={28}
                        aria-label={t('channels.moveUp', { name: r.name })}
                        aria-disabled={i === 0}
                        onClick={() => i > 0 && !move.isPending && move.mutate({ name: r.name, by: -1 })}
                      >
                        <span className={styles.up}>
                          <Icon name="down" size={16} />
                        </span>
                      </ActionIcon>
                      <ActionIcon
                        variant="subtle"
                        color="gray"
                        size={28}
                        aria-label={t('channels.moveDown', { name: r.name })}
                        aria-disabled={i === routes.length - 1}
                        onClick={() =>
                          i < routes.length - 1 && !move.isPending && move.mutate({ name: r.name, by: 1 })
                        }
                      >
                        <Icon name="down" size={16} />
                      </ActionIcon>
                      <ActionIcon
                        variant="subtle"
                        color="gray"
                        size={28}
                        aria-label={t('channels.editTitle', { name: r.name })}
                        onClick={() => setOpen({ kind: 'edit', of: r })}
                      >
                        <Icon name="edit" size={16} />
                      </ActionIcon>
                      <ActionIcon
                        variant="subtle"
                        color="gray"
                        size={28}
                        aria-label={t('channels.remove', { name: r.name })}
                        onClick={() => setOpen({ kind: 'delete', of: r })}
                      >
                        <Icon name="trash" size={16} />
                      </ActionIcon>
                    </>
                  )
                }
              />
            ))}
          </ol>
          {last < 0 ? (
            <div className={styles.foot}>
              <p className={styles.warn}>
                <Icon name="warn" size={16} />
                {t('channels.noDefault')}
              </p>
              {mayWrite && (
                <Button variant="default" onClick={() => setOpen({ kind: 'all' })}>
                  {t('channels.addDefault')}
                </Button>
              )}
            </div>
          ) : (
            <div className={styles.foot}>
              <p>{t('channels.hasDefault', { name: routes[last]!.name })}</p>
            </div>
          )}
        </>
      )}
      <p className="srOnly" role="status">
        {told}
      </p>
      {(open?.kind === 'add' || open?.kind === 'all') && (
        <RouteForm
          close={close}
          last={open.kind === 'all'}
          save={(r) =>
            save((now) => {
              // Before the route that takes all, where it would never be tried behind it.
              const end = lastTried(now.routes);
              const at = end < 0 || open.kind === 'all' ? now.routes.length : end;
              return { ...now, routes: now.routes.toSpliced(at, 0, r) };
            })
          }
          place={last < 0 || open.kind === 'all' ? routes.length : last}
        />
      )}
      {open?.kind === 'edit' && (
        <RouteForm
          of={open.of}
          close={close}
          save={(r) =>
            save((now) => ({ ...now, routes: now.routes.map((x) => (x.name === open.of.name ? r : x)) }))
          }
          place={routes.findIndex((r) => r.name === open.of.name)}
        />
      )}
      {open?.kind === 'delete' && (
        <FormDialog
          title={t('channels.deleteTitle', { name: open.of.name })}
          close={close}
          send={() => save((now) => ({ ...now, routes: now.routes.filter((x) => x.name !== open.of.name) }))}
          sent={() => {}}
          action={t('channels.routeDelete')}
          failed={t('channels.notDeleted')}
          grave
        >
          <Effect>{t('channels.routeDeleteText')}</Effect>
        </FormDialog>
      )}
    </Panel>
  );
}

function Row({
  route: r,
  place,
  reached,
  acts,
}: {
  route: Route;
  place: number;
  reached: boolean;
  acts: ReactNode;
}) {
  const t = useT();
  const sites = useSites();
  const { data: channels } = useQuery(channelsQuery());
  const { data: escalations } = useQuery(escalationsQuery());
  const m = r.match;
  const when = [
    m?.severities?.join(', '),
    m?.kinds?.join(', '),
    m?.sites?.map((id) => sites.get(id)?.name ?? id).join(', '),
    m?.stations?.join(', '),
    Object.entries(m?.labels ?? {})
      .map(([k, v]) => `${k} = ${v}`)
      .join(', '),
  ].filter(Boolean);
  const to = [
    ...(r.channels ?? []).map((id) => channels?.find((c) => c.id === id)?.name ?? id),
    ...(r.escalation ? [escalations?.find((e) => e.id === r.escalation)?.name ?? r.escalation] : []),
  ];
  const timing = [
    r.groupBy &&
      r.groupBy.length > 0 &&
      t('channels.groupedBy', { by: r.groupBy.map((x) => groupName(t, x)).join(', ') }),
    r.groupWaitSeconds ? t('channels.waits', { span: span(r.groupWaitSeconds * 1000) }) : '',
    r.groupIntervalSeconds ? t('channels.atMost', { span: span(r.groupIntervalSeconds * 1000) }) : '',
    r.repeatSeconds ? t('channels.repeats', { span: span(r.repeatSeconds * 1000) }) : '',
  ].filter(Boolean);
  return (
    <li className={styles.row}>
      <span className={`${styles.place} num`}>{place}</span>
      <div>
        <p className={styles.name}>{r.name}</p>
        <p className={styles.leads}>
          <span>{takesAll(r) ? t('channels.everything') : when.join(' · ')}</span>
          <Icon name="right" size={14} />
          {to.length > 0 ? (
            <span>{to.join(', ')}</span>
          ) : (
            <span className={styles.place}>{t('channels.nobody')}</span>
          )}
        </p>
        {timing.length > 0 && <p className="meta">{timing.join(' · ')}</p>}
        {(r.quiet ?? []).map((h) => (
          <p key={`${h.days}${h.from}${h.to}${h.timeZone}`} className="meta">
            {t('channels.quietLine', { when: timesText(t, h), zone: h.timeZone })}
          </p>
        ))}
        {r.continue && <p className="meta">{t('channels.goesOnLine')}</p>}
        {r.withoutDuress && <p className="meta">{t('channels.withoutDuressLine')}</p>}
        {!reached && (
          <p className={styles.warn}>
            <Icon name="warn" size={14} />
            {t('channels.neverReached')}
          </p>
        )}
      </div>
      {acts && <div className={styles.acts}>{acts}</div>}
    </li>
  );
}

/** The address that links in messages begin with. */
function Links() {
  const t = useT();
  const save = useSave();
  const mayWrite = useAllowed('channels.write');
  const { data } = useQuery(routingQuery());
  const [typed, setTyped] = useState<string | null>(null);
  const put = useMutation({
    mutationFn: (linkBase: string) => save((now) => ({ ...now, linkBase })),
    onSuccess: () => setTyped(null),
  });
  if (!data) return null;
  const here = window.location.origin;
  const value = typed ?? data.linkBase ?? '';
  const error = put.error instanceof Problem ? put.error : null;
  const fault = faultUnder(error, 'linkBase');
  return (
    <Panel title={t('channels.links')}>
      <form
        className={styles.small}
        onSubmit={(e) => {
          e.preventDefault();
          put.mutate(value.trim());
        }}
      >
        <p>{t('channels.linksText')}</p>
        <div className={styles.line}>
          <TextInput
            label={t('channels.linkBase')}
            placeholder={here}
            value={value}
            onChange={(e) => setTyped(e.currentTarget.value)}
            error={fault}
            readOnly={!mayWrite}
            inputMode="url"
            autoComplete="off"
            spellCheck={false}
          />
          {mayWrite && value === '' && (
            <Button variant="default" size="sm" onClick={() => setTyped(here)}>
              {t('channels.linkHere')}
            </Button>
          )}
          {mayWrite && typed !== null && typed !== (data.linkBase ?? '') && (
            <Button type="submit" size="sm" loading={put.isPending}>
              {t('channels.save')}
            </Button>
          )}
        </div>
        {put.error && !fault && <FormFault what={t('channels.notSaved')} error={put.error} />}
      </form>
    </Panel>
  );
}
