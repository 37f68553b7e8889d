import { Button, FileButton, Modal, Textarea } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useT } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { TableFrame } from '../../ui/table';
import styles from './settings.module.css';

export type ImportRow = {
  line: number;
  id: string;
  name?: string;
  status: string;
  reason: string;
  password?: string;
};

const PREVIEW = 200;
const MOST_BYTES = 8 << 20;

/**
 * A file of many: chosen or pasted, checked by the server, shown row by row as
 * it would become, and only then taken.
 */
export function ImportDialog({
  title,
  hint,
  example,
  close,
  send,
  taken,
  options,
  done,
}: {
  title: string;
  hint: string;
  example: string;
  close: () => void;
  send: (csv: string, dryRun: boolean) => Promise<{ rows: ImportRow[] }>;
  /** After rows were written. */
  taken: () => unknown;
  options?: ReactNode;
  /** What to hand over once they were written, such as passwords. */
  done?: (rows: ImportRow[]) => ReactNode;
}) {
  const t = useT();
  const [text, setText] = useState('');
  const [tooLarge, setTooLarge] = useState(false);
  const check = useMutation({ mutationFn: () => send(text, true) });
  const write = useMutation({ mutationFn: () => send(text, false), onSuccess: () => taken() });
  const change = (next: string) => {
    setText(next);
    check.reset();
  };
  const rows = write.data?.rows ?? check.data?.rows;
  const words = (status: string): string => {
    switch (status) {
      case 'checked':
      case 'created':
        return write.data ? t('import.created') : t('import.new');
      case 'changed':
        return write.data ? t('import.changed') : t('import.change');
      case 'exists':
        return t('import.exists');
      default:
        return t('import.failed');
    }
  };
  const counts = [...new Set(rows?.map((r) => words(r.status)))].map(
    (w) => `${rows!.filter((r) => words(r.status) === w).length} ${w}`,
  );
  const some = rows?.some((r) => r.status !== 'exists');
  return (
    <Modal
      opened
      onClose={close}
      title={title}
      size={rows ? 800 : 592}
      closeOnClickOutside={false}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <div className={form.form} style={{ maxWidth: 'none' }}>
        {!rows && (
          <>
            <p className={styles.lead}>{hint}</p>
            <Textarea
              label={t('import.text')}
              placeholder={example}
              value={text}
              onChange={(e) => change(e.currentTarget.value)}
              minRows={6}
              maxRows={14}
              autosize
              spellCheck={false}
              styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12 } }}
              error={tooLarge && t('import.tooLarge')}
              data-autofocus
            />
            <div>
              <FileButton
                accept=".csv,text/csv,text/plain"
                onChange={async (file) => {
                  if (!file) return;
                  setTooLarge(file.size > MOST_BYTES);
                  if (file.size <= MOST_BYTES) change(await file.text());
                }}
              >
                {(props) => (
                  <Button variant="default" leftSection={<Icon name="upload" size={14} />} {...props}>
                    {t('import.choose')}
                  </Button>
                )}
              </FileButton>
            </div>
            {options}
            <FormFault what={t('import.refused')} error={check.error} />
          </>
        )}
        {rows && (
          <>
            <p className={styles.text} role="status">
              {write.data ? t('import.written') : t('import.preview')} {counts.join(', ')}.
            </p>
            <div className={styles.preview}>
              <TableFrame label={title}>
                <thead>
                  <tr>
                    <th scope="col">{t('import.line')}</th>
                    <th scope="col">{t('import.id')}</th>
                    <th scope="col">{t('import.result')}</th>
                  </tr>
                </thead>
                <tbody>
                  {rows.slice(0, PREVIEW).map((r) => (
                    <tr key={r.line}>
                      <td className="num">{r.line}</td>
                      <th scope="row">
                        {r.name ? `${r.name} ` : ''}
                        <span className="mono">{r.id}</span>
                      </th>
                      <td className={r.status === 'failed' ? styles.bad : undefined}>
                        {words(r.status)}
                        {r.reason && `: ${r.reason}`}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </TableFrame>
            </div>
            {rows.length > PREVIEW && (
              <p className="meta">{t('import.first', { n: PREVIEW, total: rows.length })}</p>
            )}
            {write.data && done?.(write.data.rows)}
            <FormFault what={t('import.refused')} error={write.error} />
          </>
        )}
        <div className={form.actions}>
          {write.data ? (
            <Button onClick={close}>{t('action.done')}</Button>
          ) : rows ? (
            <>
              <Button variant="default" onClick={() => check.reset()}>
                {t('import.back')}
              </Button>
              <Button loading={write.isPending} disabled={!some} onClick={() => write.mutate()}>
                {t('import.take')}
              </Button>
            </>
          ) : (
            <>
              <Button variant="default" onClick={close}>
                {t('action.cancel')}
              </Button>
              <Button loading={check.isPending} disabled={text.trim() === ''} onClick={() => check.mutate()}>
                {t('import.check')}
              </Button>
            </>
          )}
        </div>
      </div>
    </Modal>
  );
}
