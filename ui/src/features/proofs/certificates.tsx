// The certificates that a station got, each of which can be refused from now on.
import { Button, Modal, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { day } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { Empty, Failed, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import { Effect, FormDialog } from '../settings/dialog';
import styles from './proofs.module.css';
import { type Made, proofQuery } from './queries';

export function Certificates({
  id,
  close,
  changed,
}: {
  id: string;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const tag = useTag();
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(proofQuery(id));
  const [revoke, setRevoke] = useState<Made | null>(null);
  const [reason, setReason] = useState('');
  if (revoke)
    return (
      <FormDialog
        title={t('proofs.revokeTitle', { id })}
        close={() => setRevoke(null)}
        send={() =>
          ok(
            api.POST('/stations/{station}/security/certificates/{fingerprint}/revoke', {
              params: { path: { station: id, fingerprint: revoke.fingerprint } },
              body: { reason: reason.trim() },
            }),
          )
        }
        sent={() =>
          Promise.all([changed(), queries.invalidateQueries({ queryKey: ['stations', 'security', id] })])
        }
        action={t('proofs.revoke')}
        failed={t('proofs.notRevoked')}
        ready={reason.trim() !== ''}
        grave
      >
        <Effect>{t('proofs.revokeText')}</Effect>
        <TextInput
          label={t('proofs.reason')}
          value={reason}
          onChange={(e) => setReason(e.currentTarget.value)}
          maxLength={200}
          required
          data-autofocus
        />
      </FormDialog>
    );
  return (
    <Modal
      opened
      onClose={close}
      title={t('proofs.certificatesTitle', { id })}
      size={720}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {error && !data ? (
        <Failed what={t('proofs.certificates')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={3} />
      ) : data.certificates.length === 0 ? (
        <Empty title={t('proofs.noCertificates')}>{t('proofs.noCertificatesText')}</Empty>
      ) : (
        <TableFrame label={t('proofs.certificates')} className={styles.made ?? ''}>
          <thead>
            <tr>
              <th scope="col">{t('proofs.serial')}</th>
              <th scope="col">{t('proofs.made')}</th>
              <th scope="col">{t('proofs.ends')}</th>
              <th scope="col">{t('proofs.state')}</th>
              <th scope="col">
                <span className="srOnly">{t('list.actions')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {data.certificates.map((c) => (
              <tr key={c.fingerprint}>
                <th scope="row" className={`mono ${styles.serial}`} title={pairsOf(c)}>
                  {c.serial.slice(0, 16)}
                </th>
                <td>{day(tag, Date.parse(c.issuedAt))}</td>
                <td>{day(tag, Date.parse(c.notAfter))}</td>
                <td>
                  {t(`proofs.cert.${c.state}`)}
                  {c.state === 'revoked' && c.reason && <span className="meta"> {c.reason}</span>}
                </td>
                <td>
                  {c.state !== 'revoked' && (
                    <Button
                      variant="subtle"
                      color="red"
                      size="xs"
                      onClick={() => {
                        setReason('');
                        setRevoke(c);
                      }}
                    >
                      {t('proofs.revoke')}
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </TableFrame>
      )}
    </Modal>
  );
}

const pairsOf = (c: Made): string => `${c.subject} · SHA-256 ${c.fingerprint}`;
