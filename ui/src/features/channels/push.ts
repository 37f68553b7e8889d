// The browser's side of Web Push: what is missing, and the subscription itself.
const WORKER = '/push-worker.js';

export type Missing = 'secure' | 'browser' | 'blocked';

/** Why this browser cannot be told of incidents; null: it can. */
export function missing(): Missing | null {
  if (!window.isSecureContext) return 'secure';
  if (!('serviceWorker' in navigator) || !('PushManager' in window) || !('Notification' in window))
    return 'browser';
  return Notification.permission === 'denied' ? 'blocked' : null;
}

export class Blocked extends Error {}
/** The browser's own push service did not answer. */
export class NoService extends Error {}

/** "Chrome on Android": how people tell their devices apart. */
export function deviceName(agent: string): string {
  const browser =
    [
      ['Edg/', 'Edge'],
      ['OPR/', 'Opera'],
      ['Firefox/', 'Firefox'],
      ['Chrome/', 'Chrome'],
      ['Safari/', 'Safari'],
    ].find(([mark]) => agent.includes(mark!))?.[1] ?? 'Browser';
  const system = [
    ['Android', 'Android'],
    ['iPhone', 'iPhone'],
    ['iPad', 'iPad'],
    ['Windows', 'Windows'],
    ['Mac OS', 'Mac'],
    ['CrOS', 'ChromeOS'],
    ['Linux', 'Linux'],
  ].find(([mark]) => agent.includes(mark!))?.[1];
  return system ? `${browser}, ${system}` : browser;
}

const bytes = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));

export type Subscribed = { endpoint: string; p256dh: string; auth: string };

const keysOf = (s: PushSubscription): Subscribed => {
  const { endpoint = '', keys = {} } = s.toJSON();
  return { endpoint, p256dh: keys.p256dh ?? '', auth: keys.auth ?? '' };
};

/** Asks the person, then the browser's push service, for a subscription with our key. */
export async function subscribe(key: string): Promise<Subscribed> {
  if ((await Notification.requestPermission()) !== 'granted') throw new Blocked();
  await navigator.serviceWorker.register(WORKER);
  const at = await navigator.serviceWorker.ready;
  const old = await at.pushManager.getSubscription();
  try {
    // One made with another key of ours is worth nothing.
    if (old) await old.unsubscribe();
    return keysOf(
      await at.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) }),
    );
  } catch {
    throw new NoService();
  }
}

/** Ends the subscription of this browser, if there is one. */
export async function unsubscribe(): Promise<void> {
  if (missing() === 'secure' || missing() === 'browser') return;
  const at = await navigator.serviceWorker.getRegistration(WORKER);
  await (await at?.pushManager.getSubscription())?.unsubscribe();
}
