// Shows what the server pushes to this browser, and opens the incident when it is
// pressed. It keeps nothing and answers no request of a page.
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (e) => e.waitUntil(self.clients.claim()));

self.addEventListener('push', (e) => {
  let told = {};
  try {
    told = e.data?.json() ?? {};
  } catch {
    // A push that is not ours still has to show something, or the browser blames us.
  }
  const text = (v, fallback) => (typeof v === 'string' && v !== '' ? v : fallback);
  e.waitUntil(
    self.registration.showNotification(text(told.title, 'Chargewatch'), {
      body: text(told.body, ''),
      tag: text(told.tag, undefined),
      icon: '/icon.svg',
      badge: '/icon.svg',
      renotify: Boolean(told.tag),
      requireInteraction: told.severity === 'S1',
      data: { url: text(told.url, '/incidents') },
    }),
  );
});

/** A page of ours; anything else leads to the incidents. */
function ours(url) {
  try {
    const at = new URL(url, self.location.origin);
    if (at.origin === self.location.origin) return at.href;
  } catch {
    // Not an address.
  }
  return `${self.location.origin}/incidents`;
}

self.addEventListener('notificationclick', (e) => {
  e.notification.close();
  const url = ours(e.notification.data?.url);
  e.waitUntil(
    (async () => {
      for (const w of await self.clients.matchAll({ type: 'window', includeUncontrolled: true })) {
        try {
          const shown = await w.navigate(url);
          await (shown ?? w).focus();
          return;
        } catch {
          // A window that cannot be moved; another one will do.
        }
      }
      await self.clients.openWindow(url);
    })(),
  );
});
