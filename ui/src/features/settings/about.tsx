import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { meQuery } from '../../api/queries';
import { type MessageKey, useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Panel } from '../../ui/panel';
import { healthQuery } from '../health/queries';
import { List } from './list';
import { type Setting, settingsQuery } from './queries';
import styles from './settings.module.css';

/** What this server is, what it was told and by whom. */
export default function About() {
  const t = useT();
  const { data: me } = useQuery(meQuery());
  const mayConfigure = useAllowed('system.configure');
  const mayHealth = useAllowed('system.read');
  const { data } = useQuery({ ...healthQuery(), enabled: mayHealth });
  return (
    <>
      <Panel title={t('settings.about')}>
        <dl className={styles.facts}>
          <dt>{t('about.you')}</dt>
          <dd>{me?.name}</dd>
          {data && (
            <>
              <dt>{t('about.version')}</dt>
              <dd className="mono">{data.build}</dd>
            </>
          )}
          {mayHealth && (
            <>
              <dt>{t('about.health')}</dt>
              <dd>
                <Link to="/health">{t('about.healthLink')}</Link>
              </dd>
            </>
          )}
          <dt>{t('about.docs')}</dt>
          <dd>
            <a href="/api/docs">{t('about.api')}</a>
          </dd>
        </dl>
      </Panel>
      {mayConfigure && (
        <Panel
          title={t('about.bundle')}
          aside={
            <Button
              component="a"
              href="/api/v1/system/diagnostics"
              download
              variant="default"
              leftSection={<Icon name="download" size={14} />}
            >
              {t('about.bundleGet')}
            </Button>
          }
        >
          <p className={styles.lead}>{t('about.bundleText')}</p>
        </Panel>
      )}
      {mayConfigure && <Configuration />}
    </>
  );
}

function Configuration() {
  const t = useT();
  const { data, error, refetch } = useQuery(settingsQuery());
  const source = (s: Setting) => t(`about.source.${s.source}` as MessageKey);
  return (
    <>
      <p className={styles.lead}>{t('about.lead')}</p>
      <List<Setting>
        title={t('about.configuration')}
        rows={data}
        error={error}
        retry={() => void refetch()}
        keyOf={(s) => s.key}
        finds={(s) => `${s.key} ${s.value} ${source(s)} ${s.place}`}
        file="configuration"
        columns={[
          { head: t('about.key'), cell: (s) => <span className="mono">{s.key}</span>, csv: (s) => s.key },
          {
            head: t('about.value'),
            prose: true,
            cell: (s) =>
              s.value === '' ? (
                <span className={styles.off}>{t('about.empty')}</span>
              ) : (
                <span className="mono">{s.value}</span>
              ),
            csv: (s) => s.value,
          },
          {
            head: t('about.source'),
            cell: (s) => (
              <>
                {source(s)} {s.place && <span className="meta mono">{s.place}</span>}
              </>
            ),
            csv: (s) => [s.source, s.place].filter(Boolean).join(' '),
          },
          {
            head: t('about.default'),
            cell: (s) =>
              s.value === s.default ? (
                <span className={styles.off}>–</span>
              ) : (
                <span className="mono">{s.default || t('about.empty')}</span>
              ),
            csv: (s) => s.default,
          },
          {
            head: t('about.counts'),
            cell: (s) => t(s.restart ? 'about.restart' : 'about.atOnce'),
            csv: (s) => s.restart,
          },
        ]}
        empty={<Empty title={t('about.empty')} />}
      />
    </>
  );
}
