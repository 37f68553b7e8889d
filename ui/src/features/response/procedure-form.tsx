import { Button, Select, Switch, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import type { Site } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { FormDialog, faultAt } from '../settings/dialog';
import styles from './calls.module.css';
import { Lines, nextKey } from './lines';
import { classOf, type Procedure } from './queries';

type Draft = { key: number; id: string; en: string; de: string; required: boolean };

const MOST = 30;

/** A name that no step of the list has had: what was done under another stays with that. */
const nameFor = (used: readonly Draft[]): string => {
  const taken = new Set(used.map((s) => s.id));
  for (let n = used.length + 1; ; n++) if (!taken.has(`step${n}`)) return `step${n}`;
};

/** Makes the next version of a list; incidents that have begun keep theirs. */
export function ProcedureForm({
  of,
  atSite,
  sites,
  close,
  changed,
}: {
  of: Procedure;
  atSite: boolean;
  sites: readonly Site[];
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const [site, setSite] = useState<string | null>(null);
  const [steps, setSteps] = useState<Draft[]>(() =>
    of.steps.map((s, key) => ({
      key,
      id: s.id,
      en: s.text.en ?? '',
      de: s.text.de ?? '',
      required: s.required ?? false,
    })),
  );
  const id = atSite ? `${of.class}@${site}` : of.id;
  return (
    <FormDialog
      title={t('response.procedure', { what: t(`response.class.${classOf(of.class)}`) })}
      close={close}
      wide
      ready={steps.length > 0 && steps.every((s) => (s.en + s.de).trim() !== '') && (!atSite || !!site)}
      send={() =>
        ok(
          api.PUT('/procedures/{id}', {
            params: { path: { id } },
            body: {
              steps: steps.map((s) => ({
                id: s.id,
                required: s.required,
                text: {
                  ...(s.en.trim() ? { en: s.en.trim() } : {}),
                  ...(s.de.trim() ? { de: s.de.trim() } : {}),
                },
              })),
            },
          }),
        )
      }
      sent={changed}
      action={t('response.saveProcedure')}
      failed={t('response.notSaved')}
    >
      {(error) => (
        <div className={styles.form}>
          <p className="meta">{t('response.versions')}</p>
          {atSite && (
            <Select
              label={t('response.site')}
              data={sites.map((s) => ({ value: s.id, label: s.name }))}
              value={site}
              onChange={setSite}
              searchable={sites.length > 8}
              required
            />
          )}
          <Lines rows={steps} change={setSteps}>
            {(s, set, n) => (
              <>
                <TextInput
                  label={t('response.stepEn', { n })}
                  value={s.en}
                  onChange={(e) => set({ en: e.currentTarget.value })}
                  maxLength={300}
                  error={faultAt(error, `steps.${n - 1}.text`)}
                />
                <TextInput
                  label={t('response.stepDe', { n })}
                  value={s.de}
                  onChange={(e) => set({ de: e.currentTarget.value })}
                  maxLength={300}
                />
                <Switch
                  label={t('response.required')}
                  checked={s.required}
                  onChange={(e) => set({ required: e.currentTarget.checked })}
                />
              </>
            )}
          </Lines>
          {steps.length < MOST && (
            <Button
              variant="default"
              className={styles.add}
              leftSection={<Icon name="plus" size={14} />}
              onClick={() =>
                setSteps((all) => [
                  ...all,
                  { key: nextKey(all), id: nameFor(all), en: '', de: '', required: false },
                ])
              }
            >
              {t('response.addStep')}
            </Button>
          )}
        </div>
      )}
    </FormDialog>
  );
}
