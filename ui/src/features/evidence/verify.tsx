import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { span } from '../../format/time';
import { useT } from '../../i18n/i18n';
import { CopyLine } from '../../ui/copy';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import styles from './evidence.module.css';
import { keyQuery } from './queries';

/** What the other side needs to check a pack, and whether heads of the chains leave the machine. */
export function Verify() {
  const t = useT();
  const { data, error, refetch } = useQuery(keyQuery());
  return (
    <Panel
      title={t('evidence.verify')}
      aside={
        <Button
          component="a"
          size="compact-sm"
          variant="default"
          href="/api/v1/evidence/key.pem"
          download="evidence-key.pem"
          leftSection={<Icon name="download" size={16} />}
        >
          {t('evidence.keyFile')}
        </Button>
      }
    >
      {error && !data ? (
        <Failed what={t('evidence.verify')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={3} />
      ) : (
        <div className={styles.verify}>
          <p className={styles.lead}>{t('evidence.verifyLead')}</p>
          <ol className={styles.steps}>
            <li>
              {t('evidence.verifyPrint')}
              <CopyLine value={data.fingerprint} what={t('evidence.fingerprint')} />
            </li>
            <li>
              {t('evidence.verifyRun')}
              <CopyLine value={t('evidence.command')} what={t('evidence.theCommand')} />
            </li>
            <li>{t('evidence.verifyResult')}</li>
          </ol>
          <Heads {...data} />
        </div>
      )}
    </Panel>
  );
}

function Heads({
  headsTo,
  headsAt,
  headsFault,
  headsEverySeconds,
}: {
  headsTo: string;
  headsAt: string | null;
  headsFault: string;
  headsEverySeconds: number;
}) {
  const t = useT();
  const every = span(headsEverySeconds * 1000);
  return (
    <div className={styles.heads}>
      <h3 className={styles.small}>{t('evidence.heads')}</h3>
      <p>{t('evidence.headsWhy')}</p>
      {headsTo === '' ? (
        <p className={styles.weak}>
          <Icon name="warn" size={16} />
          <span>{t('evidence.headsNowhere', { every })}</span>
        </p>
      ) : headsFault ? (
        <p className={styles.bad}>
          <Icon name="warn" size={16} />
          <span>
            {t('evidence.headsFault', { fault: headsFault })}{' '}
            {headsAt && <Age at={headsAt} prefix={`${t('evidence.headsLast')} `} />}
          </span>
        </p>
      ) : (
        <p className={styles.fine}>
          <Icon name="check" size={16} />
          <span>
            {t(headsTo === 'folder' ? 'evidence.headsFolder' : 'evidence.headsAddress', { every })}{' '}
            {headsAt ? <Age at={headsAt} prefix={`${t('evidence.headsLast')} `} /> : t('evidence.headsSoon')}
          </span>
        </p>
      )}
    </div>
  );
}
