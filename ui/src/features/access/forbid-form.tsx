import { MultiSelect, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { useSites } from '../../ui/sites';
import { FormDialog, faultAt } from '../settings/dialog';
import styles from './access.module.css';
import type { Forbid } from './queries';

const EXAMPLE = `forbid (principal, action, resource)
when { resource.kind == "cabinet" && (context.minute < 360 || context.minute >= 1320) };`;

/** Writes a policy that can only forbid; what is wrong is shown where it stands. */
export function ForbidForm({
  of,
  close,
  changed,
}: {
  of?: Forbid | undefined;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const sites = useSites();
  const [name, setName] = useState(of?.name ?? '');
  const [text, setText] = useState(of?.text ?? EXAMPLE);
  const [sent, setSent] = useState('');
  const [at, setAt] = useState<string[]>(of?.sites ?? []);
  const body = { name: name.trim(), text, sites: at };
  return (
    <FormDialog
      title={of ? t('access.editTitle', { name: of.name }) : t('access.addForbid')}
      close={close}
      send={() => {
        setSent(text);
        return of
          ? ok(api.PUT('/access/forbids/{id}', { params: { path: { id: of.id ?? '' } }, body }))
          : ok(api.POST('/access/forbids', { body }));
      }}
      sent={changed}
      action={of ? t('access.save') : t('access.addForbid')}
      failed={t('access.notSaved')}
      ready={name.trim() !== '' && text.trim() !== ''}
    >
      {(error) => {
        const fault = faultAt(error, 'text');
        return (
          <>
            <p className={styles.text}>{t('access.forbidText')}</p>
            <TextInput
              label={t('access.name')}
              value={name}
              onChange={(e) => setName(e.currentTarget.value)}
              error={faultAt(error, 'name')}
              maxLength={100}
              required
              data-autofocus
              autoComplete="off"
            />
            <Textarea
              label={t('access.cedar')}
              value={text}
              onChange={(e) => setText(e.currentTarget.value)}
              error={fault}
              maxLength={4096}
              autosize
              minRows={5}
              maxRows={16}
              spellCheck={false}
              styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12 } }}
            />
            {fault && text === sent && <Place text={sent} fault={fault} />}
            <MultiSelect
              label={t('access.sitesField')}
              placeholder={at.length === 0 ? t('access.everySite') : ''}
              data={[...sites.values()].map((s) => ({ value: s.id, label: s.name || s.id }))}
              value={at}
              onChange={setAt}
              searchable
              error={faultAt(error, 'sites')}
            />
          </>
        );
      }}
    </FormDialog>
  );
}

/** The line that is at fault, with a mark under the place. */
function Place({ text, fault }: { text: string; fault: string }) {
  const m = /:(\d+):(\d+)/.exec(fault);
  const line = m && text.split('\n')[Number(m[1]) - 1];
  if (!m || line === null || line === undefined) return null;
  return (
    <pre className={styles.code}>
      {m[1]}: {line}
      {'\n'}
      <span className={styles.mark}>{`${' '.repeat(m[1]!.length + 1 + Number(m[2]))}^`}</span>
    </pre>
  );
}
