import { Accordion, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useLocale, useT } from '../../i18n/i18n';
import { Panel, Skeleton } from '../../ui/panel';
import type { Vocabulary } from './queries';
import styles from './rules.module.css';

/** What an expression may say; a click puts it where the cursor stands. */
export function Help({
  words,
  insert,
  on,
}: {
  words: Vocabulary | undefined;
  insert: (text: string) => void;
  on: string[];
}) {
  const t = useT();
  const { locale } = useLocale();
  const [sought, setSought] = useState('');
  if (!words)
    return (
      <Panel title={t('rules.help')}>
        <Skeleton rows={6} />
      </Panel>
    );
  const find = sought.trim().toLowerCase();
  const fits = (...texts: string[]) => !find || texts.some((x) => x.toLowerCase().includes(find));
  const known = (kinds: readonly string[]) => kinds.length === 0 || kinds.some((k) => on.includes(k));
  const groups = words.variables
    .map((v) => ({
      ...v,
      fields: v.fields.filter((f) => known(f.kinds) && fits(f.name, f.words[locale])),
    }))
    .filter((v) => v.fields.length > 0);
  return (
    <Panel title={t('rules.help')}>
      <TextInput
        aria-label={t('rules.helpFind')}
        placeholder={t('rules.helpFind')}
        value={sought}
        onChange={(e) => setSought(e.currentTarget.value)}
      />
      <Accordion
        multiple
        {...(find ? { value: [...groups.map((g) => g.name), 'functions'] } : { defaultValue: ['port'] })}
      >
        {groups.map((v) => (
          <Accordion.Item key={v.name} value={v.name}>
            <Accordion.Control>
              <code className="mono">{v.name}</code>
            </Accordion.Control>
            <Accordion.Panel>
              <ul className={styles.words}>
                {v.fields.map((f) => (
                  <li key={f.name}>
                    <button type="button" className={styles.link} onClick={() => insert(f.name)}>
                      <code className="mono">{f.name}</code>
                    </button>
                    <span className="meta">
                      {f.type}
                      {f.unit && `, ${f.unit}`}
                    </span>
                    <span className={styles.say}>{f.words[locale]}</span>
                  </li>
                ))}
              </ul>
            </Accordion.Panel>
          </Accordion.Item>
        ))}
        <Accordion.Item value="functions">
          <Accordion.Control>{t('rules.functions')}</Accordion.Control>
          <Accordion.Panel>
            <ul className={styles.words}>
              {words.functions
                .filter((f) => fits(f.example, f.words[locale]))
                .map((f) => (
                  <li key={f.example}>
                    <button type="button" className={styles.link} onClick={() => insert(f.example)}>
                      <code className="mono">{f.example}</code>
                    </button>
                    <span className={styles.say}>{f.words[locale]}</span>
                  </li>
                ))}
            </ul>
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
    </Panel>
  );
}
