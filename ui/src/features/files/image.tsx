import { FileInput, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { FormDialog, faultAt } from '../settings/dialog';
import { addImage, type Image } from './files';
import styles from './files.module.css';

/** Brings an image into the library. */
export function ImageForm({ close, changed }: { close: () => void; changed: () => unknown }) {
  const t = useT();
  const [file, setFile] = useState<File | null>(null);
  const [version, setVersion] = useState('');
  const [vendor, setVendor] = useState('');
  const [model, setModel] = useState('');
  const [notes, setNotes] = useState('');
  return (
    <FormDialog
      title={t('files.add')}
      close={close}
      send={() =>
        addImage({ file: file!, version: version.trim(), vendor: vendor.trim(), model: model.trim(), notes })
      }
      sent={changed}
      action={t('files.add')}
      failed={t('files.notAdded')}
      ready={file !== null && version.trim() !== ''}
    >
      {(error) => (
        <>
          <FileInput
            label={t('files.imageFile')}
            placeholder={t('files.choose')}
            value={file}
            onChange={setFile}
            required
            data-autofocus
          />
          <TextInput
            label={t('files.version')}
            description={t('files.versionHint')}
            value={version}
            onChange={(e) => setVersion(e.currentTarget.value)}
            error={faultAt(error, 'version')}
            required
            maxLength={50}
            autoComplete="off"
            spellCheck={false}
          />
          <TextInput
            label={t('files.vendor')}
            description={t('files.vendorHint')}
            value={vendor}
            onChange={(e) => setVendor(e.currentTarget.value)}
            error={faultAt(error, 'vendor')}
            maxLength={50}
            autoComplete="off"
          />
          <TextInput
            label={t('files.model')}
            description={t('files.modelHint')}
            value={model}
            onChange={(e) => setModel(e.currentTarget.value)}
            error={faultAt(error, 'model')}
            maxLength={50}
            autoComplete="off"
          />
          <Textarea
            label={t('files.notes')}
            value={notes}
            onChange={(e) => setNotes(e.currentTarget.value)}
            error={faultAt(error, 'notes')}
            maxLength={2000}
            autosize
            minRows={2}
            maxRows={6}
          />
        </>
      )}
    </FormDialog>
  );
}

/** Keeps the signature of an image and the certificate of who signed, if they fit. */
export function SignatureForm({
  of,
  close,
  changed,
}: {
  of: Image;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const [signature, setSignature] = useState('');
  const [certificate, setCertificate] = useState('');
  return (
    <FormDialog
      title={t('files.signTitle', { version: of.version })}
      close={close}
      send={() =>
        ok(
          api.PUT('/firmware/images/{id}/signature', {
            params: { path: { id: of.id } },
            body: { signature: signature.replace(/\s/g, ''), certificate: certificate.trim() },
          }),
        )
      }
      sent={changed}
      action={t('files.check')}
      failed={t('files.notSignedBy')}
      ready={(signature.trim() === '') === (certificate.trim() === '')}
    >
      {(error) => (
        <>
          <Textarea
            label={t('files.signature')}
            description={t('files.signatureHint')}
            classNames={{ input: styles.pem! }}
            value={signature}
            onChange={(e) => setSignature(e.currentTarget.value)}
            error={faultAt(error, 'signature')}
            minRows={2}
            maxRows={6}
            autosize
            spellCheck={false}
            data-autofocus
          />
          <Textarea
            label={t('files.certificate')}
            description={t('files.certificateHint')}
            classNames={{ input: styles.pem! }}
            value={certificate}
            onChange={(e) => setCertificate(e.currentTarget.value)}
            error={faultAt(error, 'certificate')}
            minRows={3}
            maxRows={8}
            autosize
            spellCheck={false}
          />
        </>
      )}
    </FormDialog>
  );
}
