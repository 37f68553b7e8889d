import { Button, Drawer } from '@mantine/core';
import { useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { Problem } from '../../api/problem';
import { type MessageKey, useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, PanelBoundary, Skeleton } from '../../ui/panel';
import { useToast } from '../../ui/toast';
import { Effect, FormDialog } from '../settings/dialog';
import { Expiry } from '../settings/tokens';
import styles from './access.module.css';
import { Cards } from './cards';
import { PersonForm } from './person-form';
import {
  ACCESS,
  attemptsQuery,
  companiesQuery,
  groupsQuery,
  type Person,
  type PersonDetail,
  personQuery,
  policiesQuery,
} from './queries';
import { concerns, useScopeWords, useWhen } from './told';

/** Whether somebody may anything at all. */
export function PersonState({ of: p }: { of: Person }) {
  const t = useT();
  const over = p.until && Date.parse(p.until) <= Date.now();
  const [icon, look, key]: ['close' | 'clock' | 'check', string, MessageKey] = p.suspended
    ? ['close', styles.bad!, 'access.state.suspended']
    : over
      ? ['clock', styles.weak!, 'access.state.over']
      : ['check', '', 'access.state.active'];
  return (
    <span className={`${styles.state} ${look}`}>
      <Icon name={icon} size={14} />
      {t(key)}
    </span>
  );
}

/** Everything about one person, and what can be done. */
export function PersonDrawer({ id, close }: { id: string; close: () => void }) {
  const t = useT();
  const { data, error, refetch } = useQuery(personQuery(id));
  const gone = error instanceof Problem && error.status === 404;
  return (
    <Drawer
      opened
      onClose={close}
      position="right"
      size={640}
      title={data?.name ?? t('access.person')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {gone ? (
        <Empty title={t('access.gone')}>{t('access.goneText')}</Empty>
      ) : error && !data ? (
        <Failed what={t('access.person')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={8} />
      ) : (
        <PanelBoundary>
          <Body person={data} close={close} />
        </PanelBoundary>
      )}
    </Drawer>
  );
}

function Body({ person: p, close }: { person: PersonDetail; close: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const toast = useToast();
  const mayWrite = useAllowed('people.write');
  const sessions = useAllowed('sessions.read');
  const policies = useAllowed('policies.read');
  const [asked, setAsked] = useState<'edit' | 'suspend' | 'erase' | null>(null);
  const changed = () => queries.invalidateQueries({ queryKey: ACCESS });
  const path = { params: { path: { id: p.id } } };
  const suspend = (suspended: boolean) => {
    const { id: _, changedAt: _c, credentialCount: _n, blockedCount: _b, credentials: _x, ...body } = p;
    return ok(api.PUT('/people/{id}', { ...path, body: { ...body, suspended } }));
  };
  return (
    <div className={styles.detail}>
      <Facts person={p} />
      {mayWrite && (
        <div className={styles.acts}>
          <Button
            variant="default"
            leftSection={<Icon name="edit" size={16} />}
            onClick={() => setAsked('edit')}
          >
            {t('access.edit')}
          </Button>
          <Button
            variant="default"
            leftSection={<Icon name={p.suspended ? 'check' : 'pause'} size={16} />}
            onClick={() => setAsked('suspend')}
          >
            {t(p.suspended ? 'access.resume' : 'access.suspend')}
          </Button>
          <Button
            component="a"
            variant="default"
            href={`/api/v1/people/${encodeURIComponent(p.id)}/export`}
            download={`${p.id}.json`}
            leftSection={<Icon name="download" size={16} />}
          >
            {t('access.exportOne')}
          </Button>
          <Button
            variant="default"
            leftSection={<Icon name="trash" size={16} />}
            onClick={() => setAsked('erase')}
          >
            {t('access.erase')}
          </Button>
        </div>
      )}
      <Cards person={p} changed={changed} />
      {policies && <Rights person={p} />}
      {sessions && p.credentials.length > 0 && <Tries person={p} />}
      {asked === 'edit' && <PersonForm of={p} close={() => setAsked(null)} saved={changed} />}
      {asked === 'suspend' && (
        <FormDialog
          title={t(p.suspended ? 'access.resumeTitle' : 'access.suspendTitle', { name: p.name })}
          close={() => setAsked(null)}
          send={() => suspend(!p.suspended)}
          sent={changed}
          action={t(p.suspended ? 'access.resume' : 'access.suspend')}
          failed={t('access.notSaved')}
          grave={!p.suspended}
        >
          <Effect>{t(p.suspended ? 'access.resumeText' : 'access.suspendText')}</Effect>
        </FormDialog>
      )}
      {asked === 'erase' && (
        <FormDialog
          title={t('access.eraseTitle', { name: p.name })}
          close={() => setAsked(null)}
          send={() => ok(api.DELETE('/people/{id}', path))}
          sent={async () => {
            close();
            queries.removeQueries({ queryKey: personQuery(p.id).queryKey });
            toast({ text: t('access.erased') });
            await changed();
          }}
          action={t('access.erase')}
          failed={t('access.notErased')}
          grave
          reauth
        >
          <Effect>{t('access.eraseText', { n: p.credentials.length })}</Effect>
        </FormDialog>
      )}
    </div>
  );
}

function Facts({ person: p }: { person: PersonDetail }) {
  const t = useT();
  const { data: groups } = useQuery(groupsQuery());
  const { data: companies } = useQuery(companiesQuery());
  return (
    <dl className={styles.facts}>
      <dt>{t('access.state')}</dt>
      <dd>
        <PersonState of={p} />
      </dd>
      {p.company && (
        <>
          <dt>{t('access.company')}</dt>
          <dd>{companies?.find((c) => c.id === p.company)?.name ?? p.company}</dd>
        </>
      )}
      {p.groups && p.groups.length > 0 && (
        <>
          <dt>{t('access.groups')}</dt>
          <dd>{p.groups.map((g) => groups?.find((x) => x.id === g)?.name ?? g).join(', ')}</dd>
        </>
      )}
      {p.until && (
        <>
          <dt>{t('access.until')}</dt>
          <dd>
            <Expiry at={p.until} />
          </dd>
        </>
      )}
      {p.mail && (
        <>
          <dt>{t('access.mail')}</dt>
          <dd>
            <a href={`mailto:${encodeURIComponent(p.mail)}`}>{p.mail}</a>
          </dd>
        </>
      )}
      {p.phone && (
        <>
          <dt>{t('access.phone')}</dt>
          <dd>
            <a href={`tel:${p.phone.replace(/[^+\d]/g, '')}`}>{p.phone}</a>
          </dd>
        </>
      )}
      {p.note && (
        <>
          <dt>{t('access.note')}</dt>
          <dd>{p.note}</dd>
        </>
      )}
    </dl>
  );
}

/** What somebody may do, told by the policies that are about them. */
function Rights({ person: p }: { person: PersonDetail }) {
  const t = useT();
  const { what, where } = useScopeWords();
  const when = useWhen();
  const { data, error, refetch } = useQuery(policiesQuery());
  const ids = p.credentials.map((c) => c.id);
  const mine = data?.filter((x) => concerns(x.to, p, ids));
  return (
    <section>
      <h3>{t('access.rights')}</h3>
      {error && !data ? (
        <Failed what={t('access.rights')} error={error} retry={() => void refetch()} />
      ) : !mine ? (
        <Skeleton rows={2} />
      ) : mine.length === 0 ? (
        <p className="meta">{t('access.noRights')}</p>
      ) : (
        <ul className={styles.rights}>
          {mine.map((x) => (
            <li key={x.id}>
              <span className={styles.grow}>
                <p>{x.name}</p>
                <p className="meta">
                  {what(x)} · {where(x)} · {when(x)}
                </p>
              </span>
            </li>
          ))}
        </ul>
      )}
      {(p.suspended || p.credentials.length === 0) && mine && mine.length > 0 && (
        <p className="meta">{t(p.suspended ? 'access.rightsSuspended' : 'access.rightsNoCard')}</p>
      )}
    </section>
  );
}

const MOST_TRIES = 8;

/** The last tries to charge with any of the credentials. */
function Tries({ person: p }: { person: PersonDetail }) {
  const t = useT();
  const asked = useQueries({ queries: p.credentials.slice(0, 10).map((c) => attemptsQuery(c.tokenId)) });
  const failed = asked.find((a) => a.error && !a.data);
  const all = asked
    .flatMap((a) => a.data ?? [])
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
    .slice(0, MOST_TRIES);
  return (
    <section>
      <h3>{t('access.tries')}</h3>
      {failed ? (
        <Failed what={t('access.tries')} error={failed.error} retry={() => void failed.refetch()} />
      ) : asked.some((a) => !a.data) ? (
        <Skeleton rows={3} />
      ) : all.length === 0 ? (
        <p className="meta">{t('access.noTries')}</p>
      ) : (
        <ul className={styles.tries}>
          {all.map((a) => (
            <li key={`${a.station}/${a.evse}/${a.at}`}>
              <span className={`${styles.state} ${a.failed ? styles.bad : ''}`}>
                <Icon name={a.failed ? 'warn' : a.endedAt ? 'check' : 'clock'} size={14} />
                {t(a.failed ? 'access.try.failed' : a.endedAt ? 'access.try.worked' : 'access.try.running')}
              </span>
              <span className={`${styles.grow} mono`}>{a.evse ? `${a.station}/${a.evse}` : a.station}</span>
              <Age at={a.at} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
