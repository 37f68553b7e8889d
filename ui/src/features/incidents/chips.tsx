import { dayTime } from '../../format/time';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { useZone } from '../../ui/zone';
import styles from './chips.module.css';
import { useServerNow } from './now';
import { type Incident, snoozed } from './shape';
import { capital, closeKey } from './words';

const states: Record<string, MessageKey> = {
  acknowledged: 'incident.chip.acknowledged',
  remedying: 'incident.chip.remedying',
  verifying: 'incident.chip.verifying',
};
const responses: Record<string, MessageKey> = {
  dispatched: 'incident.chip.dispatched',
  onSite: 'incident.chip.onSite',
  contained: 'incident.chip.contained',
};

/** What is to be known of an incident beside how bad it is. An open one without more needs none. */
export function Chips({ incident: i }: { incident: Incident }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const now = useServerNow();
  const chips: { text: string; strong?: boolean }[] = [];
  const add = (key: MessageKey | undefined) => key && chips.push({ text: t(key) });
  if (i.safety) chips.push({ text: t('incident.chip.safety'), strong: true });
  if (i.repairedAt !== null && (i.state === 'open' || i.state === 'acknowledged'))
    add('incident.chip.repaired');
  if (i.state === 'closed') chips.push({ text: capital(t(closeKey(i.closeReason))) });
  else add(states[i.state]);
  add(responses[i.response]);
  if (snoozed(i, now))
    chips.push({ text: t('incident.chip.snoozed', { at: dayTime(tag, Date.parse(i.snoozedUntil!), zone) }) });
  if (i.flapping) add('incident.chip.flapping');
  if (i.stoppedReporting) add('incident.chip.silent');
  if (i.inhibitedBy) add('incident.chip.inhibited');
  if (i.silencedBy) add(i.planned ? 'incident.chip.planned' : 'incident.chip.muted');
  return chips.map((c) => (
    <span key={c.text} className={styles.chip} data-strong={c.strong ?? false}>
      {c.text}
    </span>
  ));
}
