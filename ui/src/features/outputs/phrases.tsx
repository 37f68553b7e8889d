import { ActionIcon, Button, Select, Textarea } from '@mantine/core';
import { useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { faultAt } from '../settings/dialog';
import type { Phrase } from './output';
import styles from './outputs.module.css';

const MOST = 20;

/** A key that none of the list has: what devices know an announcement by. */
function freshKey(list: readonly Phrase[]): string {
  for (let n = list.length + 1; ; n++) {
    const key = `text-${n}`;
    if (!list.some((p) => p.key === key)) return key;
  }
}

/** What a speaker can say: the usual texts, or its own. */
export function Phrases({
  list,
  usual,
  change,
  error,
}: {
  list: Phrase[];
  /** What it says as long as there is none. */
  usual: readonly Phrase[];
  change: (list: Phrase[]) => void;
  error: unknown;
}) {
  const t = useT();
  const set = (k: number, part: Partial<Phrase>) =>
    change(list.map((p, i) => (i === k ? { ...p, ...part } : p)));
  return (
    <fieldset className={styles.set}>
      <legend>{t('outputs.phrases')}</legend>
      <p className="meta">{t(list.length === 0 ? 'outputs.phrasesUsual' : 'outputs.phrasesOwn')}</p>
      {list.map((p, k) => (
        <div key={`${p.key} ${p.language}`} className={styles.phrase}>
          <Textarea
            aria-label={t('outputs.phraseText', { n: k + 1 })}
            value={p.text}
            onChange={(e) => set(k, { text: e.currentTarget.value })}
            error={
              faultAt(error, `announcements[${k}].text`) ??
              faultAt(error, `announcements[${k}].key`) ??
              faultAt(error, `announcements[${k}]`)
            }
            maxLength={500}
            autosize
            minRows={1}
          />
          <Select
            aria-label={t('outputs.phraseLanguage', { n: k + 1 })}
            data={[
              { value: 'en', label: 'EN' },
              { value: 'de', label: 'DE' },
            ]}
            value={p.language}
            onChange={(v) => v && set(k, { language: v as 'en' | 'de' })}
            allowDeselect={false}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            size={36}
            aria-label={t('outputs.phraseDrop', { n: k + 1 })}
            onClick={() => change(list.filter((_, i) => i !== k))}
          >
            <Icon name="trash" size={16} />
          </ActionIcon>
        </div>
      ))}
      <div className={styles.answers}>
        {list.length < MOST && (
          <Button
            variant="default"
            size="xs"
            leftSection={<Icon name="plus" size={14} />}
            onClick={() => change([...list, { key: freshKey(list), language: 'en', text: '' }])}
          >
            {t('outputs.phraseAdd')}
          </Button>
        )}
        {list.length === 0 && usual.length > 0 && (
          <Button variant="default" size="xs" onClick={() => change([...usual])}>
            {t('outputs.phrasesCopy')}
          </Button>
        )}
      </div>
    </fieldset>
  );
}
