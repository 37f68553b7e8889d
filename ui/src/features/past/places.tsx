import { Button, Select } from '@mantine/core';
import { useState } from 'react';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { useSites } from '../../ui/sites';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import styles from './past.module.css';
import type { Place, Preview, Settings } from './queries';

const NEW = '+';
const LEAVE = '-';
const FIRST = 40;

const chosen = (p: Place): string | null => p.siteId || (p.create ? NEW : p.leave ? LEAVE : null);
const placeOf = (v: string | null): Place =>
  v === null ? {} : v === NEW ? { create: true } : v === LEAVE ? { leave: true } : { siteId: v };

/** Where the sites of a file go. Spellings of one place are shown beside each other; a person merges them. */
export function Places({
  sites,
  settings,
  disabled,
  say,
}: {
  sites: Preview['sites'];
  settings: Settings;
  disabled: boolean;
  say: (to: Settings) => void;
}) {
  const t = useT();
  const tag = useTag();
  const known = useSites();
  const [all, setAll] = useState(false);
  const open = sites.filter((s) => chosen(s.place) === null);
  const put = (name: string, place: Place) =>
    say(
      name === ''
        ? { ...settings, site: place }
        : { ...settings, sites: { ...settings.sites, [name]: place } },
    );
  const every = (place: Place) => {
    const next = { ...settings, sites: { ...settings.sites } };
    for (const s of open) {
      if (s.name === '') next.site = place;
      else next.sites[s.name] = place;
    }
    say(next);
  };
  const merge = (from: string, to: string) =>
    say({ ...settings, mapping: { ...settings.mapping, merge: { ...settings.mapping.merge, [from]: to } } });
  const options = [
    { value: NEW, label: t('past.place.new') },
    { value: LEAVE, label: t('past.place.leave') },
    ...[...known.values()]
      .map((s) => ({ value: s.id, label: s.name || s.id }))
      .sort((a, b) => a.label.localeCompare(b.label)),
  ];
  return (
    <section>
      <div className={styles.headline}>
        <h3 className={styles.heading}>{t('past.sites', { n: sites.length })}</h3>
        {open.length > 1 && (
          <div className={styles.bulk}>
            <span className="meta">{t('past.place.open', { n: open.length })}</span>
            <Button size="xs" variant="default" disabled={disabled} onClick={() => every({ create: true })}>
              {t('past.place.allNew')}
            </Button>
            <Button size="xs" variant="default" disabled={disabled} onClick={() => every({ leave: true })}>
              {t('past.place.allLeave')}
            </Button>
          </div>
        )}
      </div>
      <TableFrame label={t('past.sites', { n: sites.length })}>
        <thead>
          <tr>
            <th scope="col">{t('past.place.name')}</th>
            <th scope="col" className={table.end}>
              {t('past.place.rows')}
            </th>
            <th scope="col" className={table.end}>
              {t('past.place.stations')}
            </th>
            <th scope="col">{t('past.place.goes')}</th>
          </tr>
        </thead>
        <tbody>
          {(all ? sites : sites.slice(0, FIRST)).map((s) => (
            <tr key={s.name}>
              <th scope="row" className={table.prose}>
                {s.name || t('past.place.unnamed')}
                {s.alike.map((other) => (
                  <span key={other} className={styles.alike}>
                    {t('past.alike', { other })}{' '}
                    <button
                      type="button"
                      className={styles.merge}
                      disabled={disabled}
                      onClick={() => merge(other, s.name)}
                    >
                      {t('past.merge')}
                    </button>
                  </span>
                ))}
              </th>
              <td className={`num ${table.end}`}>{count(tag, s.rows)}</td>
              <td className={`num ${table.end}`}>{s.stations > 0 ? count(tag, s.stations) : ''}</td>
              <td>
                <Select
                  aria-label={t('past.place.of', { name: s.name || t('past.place.unnamed') })}
                  placeholder={t('past.place.choose')}
                  data={options}
                  value={chosen(s.place)}
                  onChange={(v) => put(s.name, placeOf(v))}
                  disabled={disabled}
                  allowDeselect={false}
                  limit={60}
                  searchable
                  size="xs"
                  className={styles.place}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </TableFrame>
      {!all && sites.length > FIRST && (
        <Button variant="subtle" size="xs" onClick={() => setAll(true)}>
          {t('past.place.more', { n: count(tag, sites.length - FIRST) })}
        </Button>
      )}
    </section>
  );
}
