// Where a person can go. The rail, the phone's bar, the search box, the help
// and the keys all read this one table.
import type { MessageKey } from '../i18n/i18n';
import type { IconName } from '../ui/icons';

export type Place = {
  to: string;
  icon: IconName;
  key: MessageKey;
  /** Two keys in a row, such as "g m". */
  keys: string;
  /** Shown to those who hold it; everyone without. */
  permission?: string;
  /** Whether it stands in the phone's bar; the others are on its page "Me". */
  phone?: true;
  /** Whether it stands in the phone's bar only. */
  phoneOnly?: true;
};

export const places = [
  { to: '/', icon: 'overview', key: 'nav.overview', keys: 'g o', phone: true },
  {
    to: '/incidents',
    icon: 'siren',
    key: 'nav.incidents',
    keys: 'g i',
    permission: 'incidents.read',
    phone: true,
  },
  { to: '/map', icon: 'map', key: 'nav.map', keys: 'g m', permission: 'sites.read', phone: true },
  { to: '/cameras', icon: 'camera', key: 'nav.cameras', keys: 'g c', permission: 'cameras.read' },
  { to: '/doors', icon: 'door', key: 'nav.doors', keys: 'g l', permission: 'doors.read' },
  {
    to: '/evidence',
    icon: 'shield',
    key: 'nav.evidence',
    keys: 'g v',
    permission: 'evidence.export',
  },
  { to: '/access', icon: 'key', key: 'nav.access', keys: 'g a', permission: 'people.read' },
  { to: '/sites', icon: 'site', key: 'nav.sites', keys: 'g p', permission: 'sites.read' },
  { to: '/stations', icon: 'stations', key: 'nav.stations', keys: 'g s' },
  { to: '/sessions', icon: 'session', key: 'nav.sessions', keys: 'g e', permission: 'sessions.read' },
  { to: '/events', icon: 'event', key: 'nav.events', keys: 'g j', permission: 'events.read' },
  { to: '/desk', icon: 'headset', key: 'nav.desk', keys: 'g d', permission: 'sessions.read' },
  {
    to: '/analytics',
    icon: 'chart',
    key: 'nav.analytics',
    keys: 'g t',
    permission: 'analytics.read',
  },
  {
    to: '/maintenance',
    icon: 'wrench',
    key: 'nav.maintenance',
    keys: 'g w',
    permission: 'workorders.read',
  },
  { to: '/rules', icon: 'filter', key: 'nav.rules', keys: 'g r', permission: 'silences.write' },
  { to: '/channels', icon: 'bell', key: 'nav.channels', keys: 'g n', permission: 'channels.read' },
  { to: '/playbooks', icon: 'play', key: 'nav.playbooks', keys: 'g b', permission: 'remedies.read' },
  { to: '/health', icon: 'health', key: 'nav.health', keys: 'g h', permission: 'system.read' },
  { to: '/settings', icon: 'settings', key: 'nav.settings', keys: 'g ,' },
  {
    to: '/scan',
    icon: 'scan',
    key: 'nav.scan',
    keys: 'g q',
    permission: 'stations.read',
    phone: true,
    phoneOnly: true,
  },
  { to: '/me', icon: 'user', key: 'nav.me', keys: 'g u', phone: true, phoneOnly: true },
] as const satisfies Place[];

export type PlacePath = (typeof places)[number]['to'];

/** The places open to somebody with these permissions. */
export function placesFor(
  permissions: readonly string[] | undefined,
  all: readonly Place[] = places,
): (Place & { to: PlacePath })[] {
  return all.filter((p) => !p.permission || permissions?.includes?.(p.permission)) as (Place & {
    to: PlacePath;
  })[];
}
