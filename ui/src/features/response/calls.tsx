// Whom to call about the site of the incident, and what came of it.
import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { FormFault } from '../../ui/form';
import { useAllowed } from '../../ui/me';
import { Panel } from '../../ui/panel';
import type { Detail } from '../incidents/shape';
import { useMe } from '../incidents/who';
import { whoText } from '../incidents/words';
import styles from './calls.module.css';
import { type Contact, roleOf } from './queries';
import { useRespond } from './send';

export const OUTCOMES = ['reached', 'noAnswer', 'voicemail'] as const;
type Outcome = (typeof OUTCOMES)[number];

export function CallList({ incident: i }: { incident: Detail }) {
  const t = useT();
  const staff = useAllowed('notes.read');
  const mayEdit = useAllowed('sites.write');
  if (!staff || !i.siteId || !i.closedByVerdict) return null;
  return (
    <Panel id="calls" title={t('response.calls')} flush={i.calls.length > 0}>
      {i.calls.length === 0 ? (
        <p className="meta">
          {t('response.nobodyText')}{' '}
          {mayEdit && (
            <Link to="/settings" search={{ tab: 'response' } as never}>
              {t('response.toSettings')}
            </Link>
          )}
        </p>
      ) : (
        <ul className={styles.contacts}>
          {i.calls.map((c) => (
            <One key={c.id} incident={i} contact={c} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function One({ incident: i, contact: c }: { incident: Detail; contact: Contact }) {
  const t = useT();
  const me = useMe();
  const may = useAllowed('incidents.act') && i.state !== 'closed';
  const respond = useRespond(i.id);
  const tries = i.log.filter((l) => l.change === 'called' && l.contact === c.id);
  const last = tries[0];
  const outcome = OUTCOMES.find((o) => o === last?.value);
  return (
    <li data-contact={c.id}>
      <div className={styles.whom}>
        <span className="meta">{t(`response.role.${roleOf(c.role)}`)}</span>
        <span className={styles.contactName}>{c.name}</span>
        <a href={`tel:${c.phone.replace(/[^+\d]/g, '')}`} className={`${styles.phone} num`}>
          {c.phone}
        </a>
        {(c.hours || c.note) && (
          <span className={`${styles.below} meta`}>{[c.hours, c.note].filter(Boolean).join(' · ')}</span>
        )}
      </div>
      <div className={styles.came}>
        {last && outcome && (
          <span className="meta">
            {t('response.call', { outcome: t(`response.call.${outcome}`), n: tries.length })}
            {last.by && `, ${whoText(t, i, last.by, me)}`} <Age at={last.at} />
          </span>
        )}
        {may && (
          <div className={styles.outcomes} role="group" aria-label={t('response.cameOf', { who: c.name })}>
            {OUTCOMES.map((o: Outcome) => (
              <Button
                key={o}
                size="compact-sm"
                variant="default"
                loading={respond.isPending && respond.variables?.body.outcome === o}
                onClick={() => respond.mutate({ action: 'call', body: { contact: c.id ?? '', outcome: o } })}
              >
                {t(`response.call.${o}`)}
              </Button>
            ))}
          </div>
        )}
      </div>
      <FormFault what={t('response.notLogged')} error={respond.error} />
    </li>
  );
}
