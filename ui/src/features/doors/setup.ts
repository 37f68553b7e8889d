import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import type { MessageKey } from '../../i18n/i18n';

type Schemas = components['schemas'];
export type Controller = Schemas['ControllerShape'];
export type Found = Schemas['FoundController'];
export type Fault = Schemas['ControllerFaultShape'];

export type Driver = Controller['driver'];
export const DRIVERS = ['uhppote', 'mqtt', 'http'] as const satisfies readonly Driver[];

export const CONTROLLERS = ['controllers'] as const;

const PAGE = 1000;

export const controllersQuery = () =>
  queryOptions({
    queryKey: CONTROLLERS,
    queryFn: async ({ signal }): Promise<Controller[]> => {
      const out: Controller[] = [];
      for (let cursor: string | undefined; ; ) {
        const page = await ok(
          api.GET('/controllers', { params: { query: { limit: PAGE, cursor } }, signal }),
        );
        out.push(...page.items);
        cursor = page.nextCursor || undefined;
        if (!cursor) return out;
      }
    },
    refetchInterval: 10_000,
  });

export const controllerName = (c: { id: string; label: string; serial: number }): string =>
  c.label || (c.serial > 0 ? String(c.serial) : c.id);

/** A clock that is further off lets people in at wrong times. */
const CLOCK_OFF = 2;
export const clockIsOff = (c: Pick<Controller, 'clockOffsetSeconds'>): boolean =>
  Math.abs(c.clockOffsetSeconds) > CLOCK_OFF;

const FAULTS = new Set([
  'offline',
  'clock',
  'listener',
  'unrecorded',
  'drift',
  'foreign',
  'lost',
  'keypad',
  'rules',
  'airlock',
  'policy',
]);
/** Whether it answers; one that said nothing yet neither does nor does not. */
export const standing = (c: Pick<Controller, 'online' | 'faults'>): 'online' | 'offline' | 'unheard' =>
  c.online ? 'online' : c.faults.some((f) => f.fault === 'offline') ? 'offline' : 'unheard';

/** What is not said by the state already. */
export const saysMore = (c: Pick<Controller, 'online'>, f: Fault): boolean =>
  f.fault !== 'offline' || c.online || (f.detail !== '' && f.detail !== 'it does not answer');

export const faultKey = (fault: string): MessageKey =>
  `doors.fault.${FAULTS.has(fault) ? (fault as 'offline') : 'other'}`;
