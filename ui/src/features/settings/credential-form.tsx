import { NumberInput, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { FormDialog, faultAt } from './dialog';
import type { Credential } from './queries';
import styles from './settings.module.css';

export const STATUSES = ['Accepted', 'Blocked', 'Expired', 'Invalid'] as const;
type Status = (typeof STATUSES)[number];
const KINDS = ['rfid', 'pin', 'plate', 'duress'] as const;
type Kind = (typeof KINDS)[number];
const types = [
  'ISO14443',
  'ISO15693',
  'eMAID',
  'Central',
  'KeyCode',
  'Local',
  'MacAddress',
  'NoAuthorization',
] as const;

const NEVER = '0001-01-01T00:00:00Z';

/** Decides about a token, or changes what was decided; for somebody, when a person is named. */
export function CredentialForm({
  of,
  person,
  hasPin = false,
  close,
  changed,
}: {
  of?: Credential;
  /** Whose a new one is. */
  person?: string;
  /** A duress code stands beside a PIN. */
  hasPin?: boolean;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const [kind, setKind] = useState<Kind>('rfid');
  const [token, setToken] = useState('');
  const [type, setType] = useState<string | null>(of?.type || null);
  const [label, setLabel] = useState(of?.label ?? '');
  const [status, setStatus] = useState<Status>((of?.status as Status) ?? 'Accepted');
  const [until, setUntil] = useState(of?.expiresAt?.slice(0, 10) ?? '');
  const [group, setGroup] = useState(of?.parentIdToken ?? '');
  const [atOnce, setAtOnce] = useState<number | string>(of?.maxConcurrent || '');
  const common = {
    status,
    label: label.trim(),
    parentIdToken: group.trim(),
    maxConcurrent: Number(atOnce) || 0,
  };
  // A card is good on the day it expires.
  const end = until === '' ? null : new Date(`${until}T23:59:59`).toISOString();
  return (
    <FormDialog
      title={of ? t('credential.editTitle', { name: of.label || of.idToken }) : t('credential.add')}
      close={close}
      send={() =>
        of
          ? ok(
              api.PATCH('/credentials/{id}', {
                params: { path: { id: of.id } },
                body: { ...common, expiresAt: end ?? NEVER },
              }),
            )
          : ok(
              api.POST('/credentials', {
                body: {
                  ...common,
                  idToken: token.trim(),
                  kind,
                  ...(person ? { personId: person } : {}),
                  ...(type && kind === 'rfid' ? { type } : {}),
                  ...(end ? { expiresAt: end } : {}),
                },
              }),
            )
      }
      sent={changed}
      action={of ? t('action.save') : t('credential.add')}
      failed={of ? t('credential.notChanged') : t('credential.notAdded')}
      refusals={{ 409: t('credential.taken') }}
      ready={of !== undefined || token.trim() !== ''}
    >
      {(error) => (
        <>
          {!of && person && (
            <Select
              label={t('credential.kind')}
              data={KINDS.filter((k) => k !== 'duress' || hasPin).map((k) => ({
                value: k,
                label: t(`credential.kind.${k}`),
              }))}
              value={kind}
              onChange={(v) => v && setKind(v as Kind)}
              allowDeselect={false}
            />
          )}
          {!of && (
            <div className={styles.pair}>
              <TextInput
                label={t(kind === 'rfid' ? 'credential.token' : `credential.kind.${kind}`)}
                description={t(
                  kind === 'rfid'
                    ? 'credential.tokenHint'
                    : kind === 'pin'
                      ? 'credential.pinHint'
                      : kind === 'duress'
                        ? 'credential.duressHint'
                        : 'credential.plateHint',
                )}
                {...(kind === 'pin' || kind === 'duress' ? { inputMode: 'numeric' as const } : {})}
                value={token}
                onChange={(e) => setToken(e.currentTarget.value)}
                error={faultAt(error, 'idToken')}
                required
                maxLength={255}
                data-autofocus
                autoComplete="off"
                spellCheck={false}
              />
              {kind === 'rfid' && (
                <Select
                  label={t('credential.type')}
                  description={t('credential.typeHint')}
                  placeholder={t('credential.anyType')}
                  data={[...types]}
                  value={type}
                  onChange={setType}
                  error={faultAt(error, 'type')}
                  clearable
                  clearButtonProps={{ 'aria-label': t('filter.clear') }}
                />
              )}
            </div>
          )}
          <TextInput
            label={t('credential.label')}
            description={t('credential.labelHint')}
            value={label}
            onChange={(e) => setLabel(e.currentTarget.value)}
            error={faultAt(error, 'label')}
            maxLength={100}
            autoComplete="off"
            data-autofocus={of ? true : undefined}
          />
          <div className={styles.pair}>
            <Select
              label={t('credential.state')}
              data={STATUSES.map((s) => ({ value: s, label: t(`credential.${s}`) }))}
              value={status}
              onChange={(v) => v && setStatus(v as Status)}
              allowDeselect={false}
            />
            <TextInput
              label={t('credential.until')}
              type="date"
              value={until}
              onChange={(e) => setUntil(e.currentTarget.value)}
              error={faultAt(error, 'expiresAt')}
            />
          </div>
          <div className={styles.pair}>
            <TextInput
              label={t('credential.group')}
              description={t('credential.groupHint')}
              value={group}
              onChange={(e) => setGroup(e.currentTarget.value)}
              error={faultAt(error, 'parentIdToken')}
              maxLength={255}
              autoComplete="off"
              spellCheck={false}
            />
            <NumberInput
              label={t('credential.atOnce')}
              description={t('credential.atOnceHint')}
              value={atOnce}
              onChange={setAtOnce}
              min={0}
              max={1000}
              allowDecimal={false}
              error={faultAt(error, 'maxConcurrent')}
            />
          </div>
        </>
      )}
    </FormDialog>
  );
}
