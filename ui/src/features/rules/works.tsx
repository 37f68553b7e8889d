import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import type { Detector } from './queries';
import styles from './rules.module.css';

type Working = Detector['working'];
type OtherSite = Working['other'][number];
type State = Working['state'];

/** What is missing, in words: one of several where any of them will do. */
function useMissing(d: Detector): (state: State, missing: readonly string[]) => string {
  const t = useT();
  const tag = useTag();
  return (state, missing) => {
    if (missing.length === 0) return '';
    const any = missing.every((m) => d.signals.some((s) => s.source === m && s.for === 'any'));
    const names = [...new Set(missing.map((m) => t(`rules.source.${m}` as MessageKey)))];
    const what = new Intl.ListFormat(tag, { type: any ? 'disjunction' : 'conjunction' }).format(names);
    if (state === 'off') return t('rules.needs', { what });
    const have = d.signals.filter((s) => !missing.includes(s.source)).map((s) => s.source);
    const list = [...new Set(have.map((s) => t(`rules.source.${s}` as MessageKey)))];
    return t('rules.partly', { have: new Intl.ListFormat(tag).format(list), what });
  };
}

const icons = { full: 'check', partial: 'warn', off: 'pause' } as const;

/** How much of a detector works with what sites have, and where it is otherwise. */
export function Works({ d }: { d: Detector }) {
  const t = useT();
  const missing = useMissing(d);
  const [open, setOpen] = useState(false);
  const w = d.working;
  // Sites where it is alike are told of together.
  const groups = new Map<string, [OtherSite, ...OtherSite[]]>();
  for (const s of w.other) {
    const like = `${s.state} ${s.missing.join()}`;
    const group = groups.get(like);
    if (group) group.push(s);
    else groups.set(like, [s]);
  }
  const more = w.others - w.other.length;
  return (
    <div className={styles.works}>
      <span className={styles.state}>
        <Icon name={icons[w.state]} size={14} /> {t(`rules.works.${w.state}`)}
      </span>
      {w.missing.length > 0 && <span className="meta">{missing(w.state, w.missing)}</span>}
      {d.waiting && <span className="meta">{t('rules.waits')}</span>}
      {w.others > 0 && (
        <button type="button" className={styles.link} aria-expanded={open} onClick={() => setOpen(!open)}>
          {t('rules.otherSites', { n: w.others })}
        </button>
      )}
      {open && (
        <ul className={styles.others}>
          {[...groups.values()].map(([first, ...rest]) => (
            <li key={first.siteId}>
              <span className={styles.state}>
                <Icon name={icons[first.state]} size={14} /> {t(`rules.works.${first.state}`)}
              </span>{' '}
              {first.missing.length > 0 && (
                <span className="meta">{missing(first.state, first.missing)}</span>
              )}
              <span className={styles.sites}>
                {[first, ...rest].map((s) => (
                  <Link key={s.siteId} to="/sites/$id" params={{ id: s.siteId }}>
                    {s.name}
                  </Link>
                ))}
              </span>
            </li>
          ))}
          {more > 0 && <li className="meta">{t('rules.moreSites', { n: more })}</li>}
        </ul>
      )}
    </div>
  );
}
