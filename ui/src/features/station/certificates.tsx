import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { certificatesQuery } from '../../api/queries';
import type { Certificates, StationDetail } from '../../api/shapes';
import { day, exact } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useLive } from '../../live/hooks';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import { useZone } from '../../ui/zone';
import styles from './certificates.module.css';
import { answerWord, isDone, outcomeText, useSend } from './send';

const SOON = 30 * 86_400_000;

export function CertificateList({ station }: { station: StationDetail }) {
  const t = useT();
  const mayCommand = useAllowed('stations.command');
  const { data, error, refetch } = useQuery(certificatesQuery(station.id));
  return (
    <Panel
      title={t('certificates.title')}
      flush
      aside={
        <>
          {data?.askedAt && (
            <span className="meta">
              {t('certificates.told')} <Age at={data.askedAt} />
            </span>
          )}
          {mayCommand && data?.askedAt && <Fetch station={station} />}
        </>
      }
    >
      {error && !data ? (
        <Failed what={t('certificates.title')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton />
      ) : (
        <>
          <Own certificates={data} profile={station.securityProfile} />
          {data.askedAt === null ? (
            <Empty
              title={t('certificates.unasked')}
              action={mayCommand ? <Fetch station={station} /> : undefined}
            >
              {t('certificates.unaskedText')}
            </Empty>
          ) : data.installed.length === 0 ? (
            <Empty title={t('certificates.none')}>{t('certificates.noneText')}</Empty>
          ) : (
            <TableFrame label={t('certificates.installed')}>
              <thead>
                <tr>
                  <th scope="col">{t('certificates.use')}</th>
                  <th scope="col">{t('certificates.serial')}</th>
                  <th scope="col">{t('certificates.parent')}</th>
                  <th scope="col">{t('certificates.issuer')}</th>
                </tr>
              </thead>
              <tbody>
                {data.installed.map((c) => (
                  <tr key={`${c.type}/${c.issuerNameHash}/${c.issuerKeyHash}/${c.serial}`}>
                    <th scope="row">{c.type || '–'}</th>
                    <td className="mono">{c.serial}</td>
                    <td className="mono">{c.parent || '–'}</td>
                    <td className="mono" title={`${c.hashAlgorithm} ${c.issuerNameHash}`}>
                      {c.hashAlgorithm} {c.issuerNameHash.slice(0, 16)}…
                    </td>
                  </tr>
                ))}
              </tbody>
            </TableFrame>
          )}
        </>
      )}
    </Panel>
  );
}

function Own({ certificates: c, profile }: { certificates: Certificates; profile: number }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const { client } = useLive();
  if (!c.own) {
    return (
      <p className={styles.own}>{profile === 3 ? t('certificates.ownUnknown') : t('certificates.ownNone')}</p>
    );
  }
  const until = c.own.notAfter ? Date.parse(c.own.notAfter) : null;
  const left = until === null ? null : until - (Date.now() + client.clockOffset);
  return (
    <dl className={styles.facts}>
      <div>
        <dt>{t('certificates.own')}</dt>
        <dd className="mono">{c.own.subject}</dd>
      </div>
      <div>
        <dt>{t('certificates.by')}</dt>
        <dd className="mono">{c.own.issuer || '–'}</dd>
      </div>
      <div>
        <dt>{t('certificates.until')}</dt>
        <dd>
          {until === null ? '–' : <time title={exact(tag, until, zone)}>{day(tag, until, zone)}</time>}
          {left !== null && left < SOON && (
            <strong className={styles.soon}>
              <Icon name="warn" size={14} />
              {left < 0
                ? t('certificates.expired')
                : t('certificates.soon', { n: Math.floor(left / 86_400_000) })}
            </strong>
          )}
        </dd>
      </div>
    </dl>
  );
}

/** 1.6 is asked for each use on its own, 2.x for all at once. */
function Fetch({ station }: { station: StationDetail }) {
  const t = useT();
  const first = useSend(station.id, '35s');
  const second = useSend(station.id, '35s');
  const old = !station.protocol.startsWith('ocpp2');
  const ask = () => {
    if (!old) {
      first.mutate({ action: 'GetInstalledCertificateIds', payload: {} });
      return;
    }
    const of = (certificateType: string) => ({
      action: 'GetInstalledCertificateIds',
      payload: { certificateType },
    });
    first.mutate(of('CentralSystemRootCertificate'), {
      onSuccess: (c) => c.status === 'answered' && second.mutate(of('ManufacturerRootCertificate')),
    });
  };
  const answer = second.data ?? first.data;
  const fault = first.error ?? second.error;
  const nothing = answer && answer.status === 'answered' ? null : answer;
  return (
    <span className={styles.fetch}>
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<Icon name="retry" size={14} />}
        loading={first.isPending || second.isPending}
        disabled={!station.online}
        onClick={ask}
      >
        {t('settings2.fetch')}
      </Button>
      <span className="meta" role="status">
        {fault
          ? t('command.failed')
          : nothing
            ? nothing.errorCode === 'NotImplemented' || nothing.errorCode === 'NotSupported'
              ? t('certificates.unsupported')
              : outcomeText(t, nothing)
            : answer && !isDone(answer) && answerWord(answer.response) !== 'NotFound'
              ? outcomeText(t, answer)
              : !station.online
                ? t('settings2.offline')
                : ''}
      </span>
    </span>
  );
}
