import { ActionIcon, Button, Textarea, TextInput } from '@mantine/core';
import type { Site } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import styles from './settings.module.css';

/** until is as the browser's own field writes a local time: 2026-11-22T18:00. */
export type NoticeDraft = { key: number; text: string; until: string };

const two = (n: number) => String(n).padStart(2, '0');

const local = (at: Date): string =>
  `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;

export const noticesOf = (all: Site['notices']): NoticeDraft[] =>
  all.map((n, key) => ({ key, text: n.text, until: n.until ? local(new Date(n.until)) : '' }));

export const noticesSent = (all: NoticeDraft[]): Site['notices'] =>
  all.map((n) => ({
    text: n.text.trim(),
    until: n.until === '' ? null : new Date(n.until).toISOString(),
  }));

const MOST = 10;

/** What drivers are told at a site, each until a time or until it is removed. */
export function Notices({
  notices,
  change,
}: {
  notices: NoticeDraft[];
  change: (next: NoticeDraft[]) => void;
}) {
  const t = useT();
  const set = (key: number, next: Partial<NoticeDraft>) =>
    change(notices.map((n) => (n.key === key ? { ...n, ...next } : n)));
  return (
    <div className={styles.notices}>
      <p className={form.label}>{t('notice.title')}</p>
      {notices.map((n, i) => (
        <div key={n.key} className={styles.notice}>
          <Textarea
            label={t('notice.text', { n: i + 1 })}
            value={n.text}
            onChange={(e) => set(n.key, { text: e.currentTarget.value })}
            maxLength={500}
            minRows={2}
            autosize
            error={n.text.trim() === '' && t('notice.empty')}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            size={28}
            aria-label={t('notice.remove', { n: i + 1 })}
            onClick={() => change(notices.filter((x) => x.key !== n.key))}
          >
            <Icon name="trash" size={16} />
          </ActionIcon>
          <TextInput
            label={t('notice.until', { n: i + 1 })}
            description={t('notice.untilHint')}
            type="datetime-local"
            value={n.until}
            onChange={(e) => set(n.key, { until: e.currentTarget.value })}
          />
        </div>
      ))}
      {notices.length < MOST && (
        <Button
          variant="default"
          leftSection={<Icon name="plus" size={14} />}
          onClick={() =>
            change([...notices, { key: Math.max(0, ...notices.map((n) => n.key)) + 1, text: '', until: '' }])
          }
        >
          {t('notice.add')}
        </Button>
      )}
    </div>
  );
}
