import { Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api, ok } from '../../api/client';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useSiteNames } from '../../ui/sites';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { Effect, FormDialog } from '../settings/dialog';
import styles from './access.module.css';
import { ForbidForm } from './forbid-form';
import { HolidaysForm } from './holidays-form';
import { PolicyForm } from './policy-form';
import {
  ACCESS,
  type Forbid,
  forbidsQuery,
  type Holidays,
  holidaysQuery,
  type Policy,
  policiesQuery,
  type Schedule,
  schedulesQuery,
} from './queries';
import { ScheduleForm } from './schedule-form';
import { scheduleWords, usePrincipals, useScopeWords, useWhen } from './told';

export function Policies() {
  return (
    <div className={styles.parts}>
      <Rows />
      <Forbids />
      <div className={styles.pair}>
        <Schedules />
        <Calendars />
      </div>
    </div>
  );
}

type Asked<T> = { kind: 'save' | 'drop'; of?: T | undefined } | null;

/** One of the lists here: what it holds, how to add to it and to take from it. */
function Part<T extends { id?: string; name: string }>({
  title,
  add,
  query,
  none,
  noneText,
  rows,
  form,
  drop,
  dropText,
}: {
  title: string;
  add: string;
  query: { data: T[] | undefined; error: unknown; refetch: () => unknown };
  none: string;
  noneText: string;
  rows: (all: T[], menu: ((x: T) => ReactNode) | undefined) => ReactNode;
  form: (of: T | undefined, close: () => void, changed: () => unknown) => ReactNode;
  drop: (id: string) => Promise<unknown>;
  dropText: string;
}) {
  const t = useT();
  const queries = useQueryClient();
  const mayWrite = useAllowed('policies.write');
  const [asked, setAsked] = useState<Asked<T>>(null);
  const close = () => setAsked(null);
  const changed = () => queries.invalidateQueries({ queryKey: ACCESS });
  const { data, error, refetch } = query;
  const button = mayWrite && (
    <Button
      variant={data?.length ? 'default' : 'filled'}
      leftSection={<Icon name="plus" size={14} />}
      onClick={() => setAsked({ kind: 'save' })}
    >
      {add}
    </Button>
  );
  const menu = mayWrite
    ? (x: T) => (
        <ActMenu
          of={x.name}
          acts={[
            { label: t('access.edit'), icon: 'edit', run: () => setAsked({ kind: 'save', of: x }) },
            {
              label: t('access.remove'),
              icon: 'trash',
              grave: true,
              run: () => setAsked({ kind: 'drop', of: x }),
            },
          ]}
        />
      )
    : undefined;
  return (
    <Panel title={title} flush aside={data?.length ? button : undefined}>
      {error && !data ? (
        <Failed what={title} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={3} />
      ) : data.length === 0 ? (
        <Empty title={none} action={button}>
          {noneText}
        </Empty>
      ) : (
        rows(data, menu)
      )}
      {asked?.kind === 'save' && form(asked.of, close, changed)}
      {asked?.kind === 'drop' && asked.of && (
        <FormDialog
          title={t('access.removeTitle', { name: asked.of.name })}
          close={close}
          send={() => drop(asked.of?.id ?? '')}
          sent={changed}
          action={t('access.remove')}
          failed={t('access.notRemoved')}
          grave
        >
          <Effect>{dropText}</Effect>
        </FormDialog>
      )}
    </Panel>
  );
}

function Rows() {
  const t = useT();
  const query = useQuery(policiesQuery());
  const who = usePrincipals(query.data?.map((p) => p.to) ?? []);
  const { what, where } = useScopeWords();
  const when = useWhen();
  const [shown, setShown] = useState<Policy | null>(null);
  return (
    <>
      <Part
        title={t('access.policies')}
        add={t('access.addPolicy')}
        query={query}
        none={t('access.noPolicies')}
        noneText={t('access.noPoliciesText')}
        drop={(id) => ok(api.DELETE('/policies/{id}', { params: { path: { id } } }))}
        dropText={t('access.dropPolicyText')}
        form={(of, close, changed) => <PolicyForm of={of} close={close} changed={changed} />}
        rows={(all, menu) => (
          <TableFrame label={t('access.policies')}>
            <thead>
              <tr>
                <th scope="col">{t('access.name')}</th>
                <th scope="col">{t('access.who')}</th>
                <th scope="col">{t('access.whatHead')}</th>
                <th scope="col">{t('access.where')}</th>
                <th scope="col">{t('access.when')}</th>
                <th aria-label={t('access.acts')} />
              </tr>
            </thead>
            <tbody>
              {all.map((p) => (
                <tr key={p.id}>
                  <th scope="row">
                    <button type="button" className={styles.link} onClick={() => setShown(p)}>
                      {p.name}
                    </button>
                  </th>
                  <td className={styles.wrap}>{p.to.map(who).join(', ')}</td>
                  <td className={styles.wrap}>{what(p)}</td>
                  <td className={styles.wrap}>{where(p)}</td>
                  <td className={styles.wrap}>
                    {when(p)}
                    <Away policy={p} />
                  </td>
                  <td className={table.end}>{menu?.(p)}</td>
                </tr>
              ))}
            </tbody>
          </TableFrame>
        )}
      />
      {shown && <PolicyForm of={shown} readOnly close={() => setShown(null)} changed={() => {}} />}
    </>
  );
}

/** What of a policy holds at stations while the server is away. */
function Away({ policy }: { policy: Policy }) {
  const t = useT();
  const atPorts = policy.kinds?.includes('evse') || policy.places?.some((p) => p.startsWith('station/'));
  if (!atPorts) return null;
  const holds = policy.pin ? 'pin' : policy.schedule ? 'hours' : 'always';
  return <div className="meta">{t(`access.away.${holds}`)}</div>;
}

function Forbids() {
  const t = useT();
  const site = useSiteNames();
  return (
    <Part<Forbid>
      title={t('access.forbids')}
      add={t('access.addForbid')}
      query={useQuery(forbidsQuery())}
      none={t('access.noForbids')}
      noneText={t('access.noForbidsText')}
      drop={(id) => ok(api.DELETE('/access/forbids/{id}', { params: { path: { id } } }))}
      dropText={t('access.dropForbidText')}
      form={(of, close, changed) => <ForbidForm of={of} close={close} changed={changed} />}
      rows={(all, menu) => (
        <ul className={styles.locks}>
          {all.map((f) => (
            <li key={f.id} className={styles.lock}>
              <span className={styles.grow}>
                <p className={styles.lockName}>{f.name}</p>
                <p className="meta">
                  {f.sites?.length ? f.sites.map(site).join(', ') : t('access.everySite')} ·{' '}
                  {t('access.needsServer')}
                </p>
              </span>
              {menu?.(f)}
            </li>
          ))}
        </ul>
      )}
    />
  );
}

function Schedules() {
  const t = useT();
  const tag = useTag();
  const { data: calendars } = useQuery(holidaysQuery());
  return (
    <Part<Schedule>
      title={t('access.schedules')}
      add={t('access.addSchedule')}
      query={useQuery(schedulesQuery())}
      none={t('access.noSchedules')}
      noneText={t('access.noSchedulesText')}
      drop={(id) => ok(api.DELETE('/access/schedules/{id}', { params: { path: { id } } }))}
      dropText={t('access.dropScheduleText')}
      form={(of, close, changed) => <ScheduleForm of={of} close={close} changed={changed} />}
      rows={(all, menu) => (
        <ul className={styles.locks}>
          {all.map((s) => (
            <li key={s.id} className={styles.lock}>
              <span className={styles.grow}>
                <p className={styles.lockName}>{s.name}</p>
                <p className="meta">
                  {scheduleWords(tag, s) || t('access.never')}
                  {s.calendar &&
                    ` · ${t(
                      `access.onHoliday.${(s.onHoliday || 'closed') as 'closed' | 'sunday' | 'usual'}`,
                      {
                        calendar: calendars?.find((c) => c.id === s.calendar)?.name ?? s.calendar,
                      },
                    )}`}
                </p>
              </span>
              {menu?.(s)}
            </li>
          ))}
        </ul>
      )}
    />
  );
}

function Calendars() {
  const t = useT();
  const tag = useTag();
  return (
    <Part<Holidays>
      title={t('access.holidays')}
      add={t('access.addHolidays')}
      query={useQuery(holidaysQuery())}
      none={t('access.noHolidays')}
      noneText={t('access.noHolidaysText')}
      drop={(id) => ok(api.DELETE('/access/holidays/{id}', { params: { path: { id } } }))}
      dropText={t('access.dropHolidaysText')}
      form={(of, close, changed) => <HolidaysForm of={of} close={close} changed={changed} />}
      rows={(all, menu) => (
        <ul className={styles.locks}>
          {all.map((h) => (
            <li key={h.id} className={styles.lock}>
              <span className={styles.grow}>
                <p className={styles.lockName}>{h.name}</p>
                <p className="meta">
                  {t('access.days', {
                    n: Object.keys(h.days).length,
                    shown: count(tag, Object.keys(h.days).length),
                  })}
                </p>
              </span>
              {menu?.(h)}
            </li>
          ))}
        </ul>
      )}
    />
  );
}
