// Sessions from before: files of other systems are brought in, looked at, imported
// and taken back; everything that is known of usage goes out.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { meQuery } from '../../api/queries';
import { useScope } from '../../app/view';
import { useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { Panel } from '../../ui/panel';
import { Drop } from './drop';
import { Imports } from './list';
import { Look } from './look';
import styles from './past.module.css';

export default function Past() {
  const t = useT();
  const site = useScope();
  const queries = useQueryClient();
  const { data: me } = useQuery(meQuery());
  const [open, setOpen] = useState<number | null>(null);
  const may = me?.permissions.includes('analytics.write') ?? false;
  const files = (['sessions', 'rollups'] as const).flatMap((what) =>
    (['csv', 'parquet'] as const).map((form) => ({
      what,
      form,
      href: `/api/v1/analytics/export/${what}.${form}${site === undefined ? '' : `?site=${encodeURIComponent(site)}`}`,
    })),
  );
  return (
    <div className={styles.page}>
      {may && open === null && (
        <Panel title={t('past.bring')}>
          <Drop
            taken={(p) => {
              queries.setQueryData(['imports', p.import.id, 'preview'], p);
              void queries.invalidateQueries({ queryKey: ['imports'], exact: true });
              setOpen(p.import.id);
            }}
          />
        </Panel>
      )}
      {may && open !== null && <Look key={open} id={open} close={() => setOpen(null)} />}
      {may && <Imports look={setOpen} open={open} />}
      <Panel title={t('past.export')}>
        <p className={styles.lead}>{site === undefined ? t('past.export.all') : t('past.export.site')}</p>
        <ul className={styles.files}>
          {files.map(({ what, form, href }) => (
            <li key={href}>
              <a href={href} download className={styles.file}>
                <Icon name="download" size={16} />
                <span>
                  {t(`past.export.${what}`)}
                  <span className="meta"> {t(`past.form.${form}`)}</span>
                </span>
              </a>
            </li>
          ))}
        </ul>
      </Panel>
    </div>
  );
}
