import { ActionIcon, Button, Popover, SegmentedControl, TextInput, Tooltip } from '@mantine/core';
import { useMatches } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { dayTime, zoneName } from '../format/time';
import { fromClock, toClock } from '../format/zoned';
import { type MessageKey, useT, useTag } from '../i18n/i18n';
import { toClipboard } from '../ui/clipboard';
import { Icon } from '../ui/icons';
import { useToast } from '../ui/toast';
import { ownZone, usePageZone } from '../ui/zone';
import styles from './range.module.css';
import {
  DEFAULT_SPAN,
  frozen,
  type Range,
  rangeText,
  SPANS,
  type Span,
  useRange,
  useSetView,
  useView,
  type ZoneChoice,
} from './view';

const spans = Object.keys(SPANS) as Span[];
const spanKey = (s: Span): MessageKey => `range.${s}`;

/** Copies the address of this page with its stretch of time fixed. */
export function useCopyLink(): () => Promise<void> {
  const t = useT();
  const tag = useTag();
  const range = useRange();
  const { zone } = usePageZone();
  const toast = useToast();
  const timed = useTimed();
  return async () => {
    const done = await toClipboard(timed ? frozen(location.href, range) : location.href);
    if (!done) toast({ text: t('copy.failed'), tone: 'bad' });
    else if (!timed || range.span === null) toast({ text: t('range.copied'), tone: 'good' });
    else {
      toast({
        text: t('range.frozen', {
          from: dayTime(tag, range.from, zone),
          to: dayTime(tag, range.to, zone),
          zone: zoneName(tag, range.to, zone),
        }),
        tone: 'good',
      });
    }
  };
}

/** Whether the page shows anything that depends on the stretch of time. */
export function useTimed(): boolean {
  return useMatches({ select: (all) => !all.some((m) => m.staticData.timeless) });
}

/** Which stretch of time all pages show, and by whose clock. */
export default function RangePicker() {
  const t = useT();
  const tag = useTag();
  const range = useRange();
  const timed = useTimed();
  const [open, setOpen] = useState(false);
  const { zone } = usePageZone();
  const zoneShort = zoneName(tag, timed ? range.to : Date.now(), zone);
  const label = range.span
    ? t(spanKey(range.span))
    : `${dayTime(tag, range.from, zone)} – ${dayTime(tag, range.to, zone)}`;
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-start" width={416} trapFocus returnFocus>
      <Popover.Target>
        <button
          type="button"
          className={styles.button}
          onClick={() => setOpen((o) => !o)}
          aria-label={
            timed
              ? t('range.now', { range: label, zone: zoneShort })
              : t('range.zoneNow', { zone: zoneShort })
          }
          aria-haspopup="dialog"
          aria-expanded={open}
        >
          <Icon name="clock" size={16} />
          {timed && <span className={`num ${styles.span}`}>{label}</span>}{' '}
          <span className={styles.zone}>{zoneShort}</span>
        </button>
      </Popover.Target>
      <Popover.Dropdown className={styles.panel} aria-label={timed ? t('range.label') : t('range.zone')}>
        {timed && <Spans range={range} close={() => setOpen(false)} />}
        <Zone />
      </Popover.Dropdown>
    </Popover>
  );
}

function Spans({ range, close }: { range: Range; close: () => void }) {
  const t = useT();
  const set = useSetView();
  const copy = useCopyLink();
  const { zone } = usePageZone();
  const [from, setFrom] = useState(() => toClock(range.from, zone));
  const [to, setTo] = useState(() => toClock(range.to, zone));
  const [fault, setFault] = useState('');
  const show = (next: string) => {
    set({ range: next === DEFAULT_SPAN ? undefined : next });
    close();
  };
  const step = (by: number) => {
    const width = range.to - range.from;
    const at = { from: range.from + by * width, to: range.to + by * width };
    set({ range: rangeText(at.from, at.to) });
    setFrom(toClock(at.from, zone));
    setTo(toClock(at.to, zone));
  };
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const a = fromClock(from, zone);
    const b = fromClock(to, zone);
    if (!(a < b)) setFault(t('range.order'));
    else show(rangeText(a, b));
  };
  return (
    <section>
      <h2 className={styles.title}>{t('range.label')}</h2>
      <div className={styles.spans}>
        {spans.map((s) => (
          <Button
            key={s}
            variant={range.span === s ? 'light' : 'default'}
            aria-pressed={range.span === s}
            onClick={() => show(s)}
          >
            {t(`${spanKey(s)}.short` as MessageKey)}
          </Button>
        ))}
      </div>
      <form onSubmit={submit} className={styles.fixed}>
        <TextInput
          type="datetime-local"
          label={t('range.from')}
          value={from}
          onChange={(e) => setFrom(e.currentTarget.value)}
          required
        />
        <TextInput
          type="datetime-local"
          label={t('range.to')}
          value={to}
          onChange={(e) => setTo(e.currentTarget.value)}
          required
          error={fault}
        />
        <div className={styles.actions}>
          <Tooltip label={t('range.earlier')}>
            <ActionIcon variant="default" size={30} aria-label={t('range.earlier')} onClick={() => step(-1)}>
              <Icon name="left" size={16} />
            </ActionIcon>
          </Tooltip>
          <Tooltip label={t('range.later')}>
            <ActionIcon
              variant="default"
              size={30}
              aria-label={t('range.later')}
              disabled={range.span !== null}
              onClick={() => step(1)}
            >
              <Icon name="right" size={16} />
            </ActionIcon>
          </Tooltip>
          <Button variant="default" leftSection={<Icon name="link" size={14} />} onClick={() => void copy()}>
            {t('range.copy')}
          </Button>
          <Button type="submit" className={styles.show}>
            {t('range.show')}
          </Button>
        </div>
      </form>
    </section>
  );
}

function Zone() {
  const t = useT();
  const tag = useTag();
  const set = useSetView();
  const { zone: choice } = useView();
  const { zone, site } = usePageZone();
  const choices: { value: ZoneChoice; label: string }[] = [
    { value: 'site', label: t('zone.site') },
    { value: 'mine', label: t('zone.mine') },
    { value: 'utc', label: t('zone.utc') },
  ];
  return (
    <section>
      <h2 className={styles.title}>{t('range.zone')}</h2>
      <SegmentedControl
        fullWidth
        aria-label={t('range.zone')}
        value={choice ?? 'site'}
        onChange={(v) => set({ zone: v === 'mine' || v === 'utc' ? v : undefined })}
        data={choices}
      />
      <p className={`meta ${styles.note}`}>
        {t('zone.note', { zone: zone ?? ownZone(), short: zoneName(tag, Date.now(), zone) })}
        {choice === undefined && site === undefined && ` ${t('zone.several')}`}
      </p>
    </section>
  );
}
