import { Button, Menu, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import { span as lengthOf } from '../../format/time';
import { fromClock, toClock } from '../../format/zoned';
import { type MessageKey, useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import type { Camera } from './camera';
import styles from './review.module.css';
import { MINUTE } from './window';

/** How many cameras are looked at beside each other. */
export const MOST = 4;
const LONGEST_CLIP = 6 * 60 * MINUTE;

/** Which cameras are looked at: one is changed, up to four stand side by side. */
export function Chooser({
  sorted,
  chosen,
  put,
  siteName,
}: {
  sorted: readonly Camera[];
  chosen: readonly Camera[];
  put: (ids: readonly string[]) => void;
  siteName: (id: string) => string;
}) {
  const t = useT();
  const ids = chosen.map((c) => c.id);
  // Removed ones stand together, with their sites, behind those that are there.
  const groupOf = (c: Camera) => (c.removedAt ? t('video.removed') : siteName(c.siteId));
  const labelOf = (c: Camera) =>
    [c.label || c.id, c.removedAt && siteName(c.siteId)].filter(Boolean).join(' · ');
  const groups = new Map<string, { value: string; label: string }[]>();
  for (const c of sorted) {
    if (ids.includes(c.id)) continue;
    const name = groupOf(c);
    groups.set(name, [...(groups.get(name) ?? []), { value: c.id, label: labelOf(c) }]);
  }
  const data = [...groups].map(([group, items]) => ({ group, items }));
  const one = chosen.length === 1 ? chosen[0] : undefined;
  return (
    <div className={styles.chooser}>
      {one && (
        <Select
          size="xs"
          w={220}
          searchable
          aria-label={t('video.review.camera')}
          value={one.id}
          onChange={(v) => v && put([v])}
          data={[{ group: groupOf(one), items: [{ value: one.id, label: labelOf(one) }] }, ...data].reduce<
            typeof data
          >((all, g) => {
            const same = all.find((x) => x.group === g.group);
            if (same) same.items = [...same.items, ...g.items];
            else all.push({ ...g });
            return all;
          }, [])}
          allowDeselect={false}
        />
      )}
      {chosen.length < MOST && data.length > 0 && (
        <Select
          size="xs"
          w={200}
          searchable
          aria-label={t('video.review.add')}
          placeholder={t('video.review.add')}
          value={null}
          onChange={(v) => v && put([...ids, v])}
          data={data}
        />
      )}
    </div>
  );
}

/** A typed time goes there at Enter; while somebody types, time does not run over it. */
export function TypedTime({
  at,
  zone,
  go,
  ref,
}: {
  at: number;
  zone: string | undefined;
  go: (at: number) => void;
  ref: React.Ref<HTMLInputElement>;
}) {
  const t = useT();
  const [text, setText] = useState<string | null>(null);
  const shown = toClock(at, zone, true);
  return (
    <TextInput
      ref={ref}
      size="xs"
      type="datetime-local"
      step={1}
      aria-label={t('video.review.goto')}
      aria-keyshortcuts="t"
      title={`${t('video.review.goto')} (t)`}
      value={text ?? shown}
      onFocus={() => setText(shown)}
      onBlur={() => setText(null)}
      onChange={(e) => setText(e.currentTarget.value)}
      onKeyDown={(e) => {
        if (e.key === 'Escape') e.currentTarget.blur();
        if (e.key !== 'Enter') return;
        const next = fromClock(e.currentTarget.value, zone);
        if (Number.isFinite(next)) go(next);
        e.currentTarget.blur();
      }}
    />
  );
}

const clipUrl = (camera: string, from: number, to: number) => {
  const time = (x: number) => encodeURIComponent(new Date(x).toISOString());
  return `/api/v1/cameras/${encodeURIComponent(camera)}/clip.mp4?from=${time(from)}&to=${time(to)}`;
};

/** Saves what is chosen, else a minute around the moment, as it was recorded. */
export function Save({
  cameras,
  at,
  cut,
}: {
  cameras: readonly Camera[];
  at: number;
  cut: { in?: number | undefined; out?: number | undefined };
}) {
  const t = useT();
  const whole = cut.in !== undefined && cut.out !== undefined;
  const [from, to] = whole ? [cut.in!, cut.out!] : [at - 30_000, at + 30_000];
  const first = cameras[0];
  if (!first) return null;
  const label: [MessageKey, Record<string, string>] = whole
    ? ['video.cut.save', { length: lengthOf(to - from) }]
    : ['video.review.save', {}];
  const props = {
    size: 'compact-sm' as const,
    variant: 'default',
    leftSection: <Icon name="download" size={16} />,
  };
  if (to - from > LONGEST_CLIP) {
    return (
      <Button {...props} disabled>
        {t('video.cut.long')}
      </Button>
    );
  }
  if (cameras.length === 1) {
    return (
      <Button component="a" {...props} href={clipUrl(first.id, from, to)} download>
        {t(...label)}
      </Button>
    );
  }
  return (
    <Menu position="top-end" width={240}>
      <Menu.Target>
        <Button {...props}>{t(...label)}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        {cameras.map((c) => (
          <Menu.Item key={c.id} component="a" href={clipUrl(c.id, from, to)} download>
            {c.label || c.id}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
