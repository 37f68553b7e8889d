// Keeps the page fresh where scripts run; without it a reload does the same.
(() => {
  const stale = document.getElementById('stale');
  const parts = (root) => [...root.querySelectorAll('[data-live]')];
  async function refresh() {
    if (document.hidden) return;
    try {
      const response = await fetch(location.href, { credentials: 'omit' });
      if (!response.ok) throw new Error(response.status);
      const next = parts(new DOMParser().parseFromString(await response.text(), 'text/html'));
      const now = parts(document);
      if (next.length !== now.length) {
        location.reload();
        return;
      }
      const held = document.activeElement?.getAttribute('href');
      now.forEach((part, i) => part.replaceWith(next[i]));
      if (held && !document.activeElement?.getAttribute('href')) {
        document.querySelector(`[data-live] a[href="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
      }
      stale.hidden = true;
    } catch {
      stale.hidden = false;
    }
  }
  setInterval(refresh, 20000);
  document.addEventListener('visibilitychange', refresh);
})();
