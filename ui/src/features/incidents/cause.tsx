import { useQuery } from '@tanstack/react-query';
import { type MessageKey, useLocale, useT } from '../../i18n/i18n';
import { Failed } from '../../ui/panel';
import styles from './cause.module.css';
import { knowledgeQuery } from './queries';
import type { Incident } from './shape';
import { faultOf } from './words';

const ACTORS = ['driver', 'operator', 'technician', 'installer', 'gridOperator', 'vendor'] as const;
const actorKey = (who: string): MessageKey => `incident.actor.${ACTORS.find((a) => a === who) ?? 'operator'}`;

/** The cause as it was found, and what is known about it: what it means, who acts, what first. */
export function Cause({ incident: i }: { incident: Incident }) {
  const t = useT();
  const { locale } = useLocale();
  const { data, error, refetch } = useQuery(knowledgeQuery(asked(i)));
  const say = (text: { en: string; de: string }) => text[locale] || text.en;
  const entry = data?.entry;
  const german = i.causeDe || (entry && say(entry.title));
  const cause = (locale === 'de' && german) || i.cause;
  return (
    <div className={styles.cause}>
      <p className={styles.sentence}>{cause}</p>
      {error && !data ? (
        <Failed what={t('incident.knowledge')} error={error} retry={() => void refetch()} />
      ) : entry ? (
        <dl className={styles.known}>
          <div>
            <dt>{t('incident.means')}</dt>
            <dd>{say(entry.meaning)}</dd>
          </div>
          <div>
            <dt>{t('incident.first')}</dt>
            <dd>
              {say(entry.remedy)}
              {entry.reset === 'never' && <strong> {t('incident.neverReset')}</strong>}
            </dd>
          </div>
          <div>
            <dt>{t('incident.acts')}</dt>
            <dd>{t(actorKey(entry.acts))}</dd>
          </div>
          {entry.checks.length > 0 && (
            <div>
              <dt>{t('incident.checks')}</dt>
              <dd>
                <ol className={styles.checks}>
                  {entry.checks.map((c) => (
                    <li key={c.en}>{say(c)}</li>
                  ))}
                </ol>
              </dd>
            </div>
          )}
          {entry.parts.length > 0 && (
            <div>
              <dt>{t('incident.parts')}</dt>
              <dd>{entry.parts.map(say).join(', ')}</dd>
            </div>
          )}
          {!entry.verified && <p className="meta">{t('incident.unverified')}</p>}
        </dl>
      ) : (
        data && <p className="meta">{t('incident.noKnowledge')}</p>
      )}
    </div>
  );
}

/** What the leading finding says of the error. */
function asked(i: Incident): Record<string, string> {
  const fact = (name: string) => i.evidence.find((e) => e.name === name)?.text ?? '';
  const fault = faultOf(i.kind);
  const code = fault && (fact('errorCode') || fault.code);
  const [component, variable] = code?.includes('.') ? code.split('.') : [];
  const q: Record<string, string | undefined> = {
    vendor: i.labels.vendor,
    model: i.labels.model,
    info: fact('info').slice(0, 500),
    ...(component ? { component, variable } : { code: code ?? undefined }),
    vendorCode: (fault && (fact('vendorErrorCode') || fault.vendorCode)) ?? undefined,
    ...(fault ? {} : { finding: i.kind, detector: i.detectors[0] }),
  };
  return Object.fromEntries(Object.entries(q).filter((e): e is [string, string] => !!e[1]));
}
