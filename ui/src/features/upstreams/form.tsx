import { PasswordInput, Radio, Switch, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import form from '../../ui/form.module.css';
import { FormDialog, faultAt } from '../settings/dialog';
import type { Proof, Upstream } from './upstream';
import styles from './upstreams.module.css';

const EXAMPLE = 'wss://csms.example.com/ocpp';
const PROOFS: Proof[] = ['station', 'password', 'certificate'];

/** Where another central system is, and how we prove ourselves there. */
export function UpstreamForm({
  of,
  close,
  changed,
}: {
  of: Upstream | undefined;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const [name, setName] = useState(of?.name ?? '');
  const [url, setUrl] = useState(of?.url ?? '');
  const [proof, setProof] = useState<Proof>(of?.proof ?? 'station');
  const [secret, setSecret] = useState('');
  const [certificate, setCertificate] = useState(of?.certificate ?? '');
  const [authority, setAuthority] = useState(of?.authority ?? '');
  const [configure, setConfigure] = useState(of?.configure ?? false);
  const scheme = /^wss?:\/\/[^/?#@]+/.test(url.trim());
  const secure = url.trim().startsWith('wss://');
  // What proved us at one address is not sent to another.
  const again =
    of !== undefined &&
    proof !== 'station' &&
    (url.trim() !== of.url || proof !== of.proof || certificate.trim() !== of.certificate.trim());
  const needs = proof !== 'station' && (!of || again) && secret === '';
  const send = () => {
    const body = {
      name: name.trim(),
      url: url.trim(),
      proof,
      certificate: proof === 'certificate' ? certificate : '',
      authority: secure ? authority : '',
      configure,
      ...(proof !== 'station' && secret ? { secret } : {}),
    };
    return of
      ? ok(api.PATCH('/upstreams/{id}', { params: { path: { id: of.id } }, body }))
      : ok(api.POST('/upstreams', { body }));
  };
  return (
    <FormDialog
      title={of ? t('upstreams.editTitle', { name: of.name }) : t('upstreams.add')}
      close={close}
      send={send}
      sent={changed}
      action={of ? t('upstreams.save') : t('upstreams.add')}
      failed={t('upstreams.notSaved')}
      ready={name.trim() !== '' && scheme && !needs}
    >
      {(error) => (
        <>
          <TextInput
            label={t('upstreams.name')}
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
            error={faultAt(error, 'name')}
            required
            maxLength={100}
            data-autofocus
            autoComplete="off"
          />
          <TextInput
            label={t('upstreams.url')}
            description={t('upstreams.urlHint')}
            placeholder={EXAMPLE}
            value={url}
            onChange={(e) => setUrl(e.currentTarget.value)}
            error={(url !== '' && !scheme && t('upstreams.urlRule')) || faultAt(error, 'url')}
            required
            maxLength={300}
            autoComplete="off"
            spellCheck={false}
          />
          {scheme && !secure && <p className={`meta ${styles.hint}`}>{t('upstreams.plainHint')}</p>}
          <Radio.Group
            label={t('upstreams.proofLabel')}
            value={proof}
            onChange={(v) => setProof(PROOFS.find((p) => p === v) ?? 'station')}
            error={faultAt(error, 'proof')}
          >
            <div className={form.options}>
              {PROOFS.map((p) => (
                <Radio
                  key={p}
                  value={p}
                  label={t(`upstreams.proof.${p}`)}
                  description={t(`upstreams.proofHint.${p}`)}
                  disabled={p === 'certificate' && !secure}
                />
              ))}
            </div>
          </Radio.Group>
          {proof === 'password' && (
            <PasswordInput
              label={t('upstreams.password')}
              description={of && !again ? t('upstreams.kept') : again ? t('upstreams.again') : undefined}
              value={secret}
              onChange={(e) => setSecret(e.currentTarget.value)}
              error={faultAt(error, 'secret')}
              required={needs}
              maxLength={64}
              autoComplete="new-password"
            />
          )}
          {proof === 'certificate' && (
            <>
              <Textarea
                label={t('upstreams.certificate')}
                description={t('upstreams.pem')}
                classNames={{ input: styles.pem! }}
                value={certificate}
                onChange={(e) => setCertificate(e.currentTarget.value)}
                error={faultAt(error, 'certificate')}
                required
                minRows={3}
                maxRows={8}
                autosize
                spellCheck={false}
              />
              <Textarea
                label={t('upstreams.key')}
                description={
                  of && !again ? t('upstreams.kept') : again ? t('upstreams.again') : t('upstreams.pem')
                }
                classNames={{ input: styles.pem! }}
                value={secret}
                onChange={(e) => setSecret(e.currentTarget.value)}
                error={faultAt(error, 'secret')}
                required={needs}
                minRows={3}
                maxRows={8}
                autosize
                spellCheck={false}
                autoComplete="off"
              />
            </>
          )}
          {secure && (
            <Textarea
              label={t('upstreams.authority')}
              description={t('upstreams.authorityHint')}
              classNames={{ input: styles.pem! }}
              value={authority}
              onChange={(e) => setAuthority(e.currentTarget.value)}
              error={faultAt(error, 'authority')}
              minRows={2}
              maxRows={8}
              autosize
              spellCheck={false}
            />
          )}
          <Switch
            label={t('upstreams.configure')}
            description={t('upstreams.configureHint')}
            checked={configure}
            onChange={(e) => setConfigure(e.currentTarget.checked)}
          />
        </>
      )}
    </FormDialog>
  );
}
