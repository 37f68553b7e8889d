import '@fontsource-variable/inter/wght.css';
import '@fontsource/jetbrains-mono/latin-400.css';
import './theme/mantine.css';
import './theme/tokens.css';
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { whenSignedOut } from './api/client';
import { Problem } from './api/problem';
import { meQuery } from './api/queries';
import { createAppRouter } from './app/router';
import { I18n } from './i18n/i18n';
import { LiveProvider } from './live/hooks';
import { LiveClient, type SocketLike } from './live/socket';
import { PortStore } from './live/store';
import { resolver, theme } from './theme/theme';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // A refusal stays a refusal; only a server that did not answer is asked again.
      retry: (failures, error) => error instanceof Problem && error.status >= 500 && failures < 1,
      retryDelay: 500,
      refetchOnWindowFocus: true,
    },
  },
});

const store = new PortStore();
const client = new LiveClient({
  store,
  open: () => {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    return new WebSocket(`${scheme}://${location.host}/api/v1/live`) as unknown as SocketLike;
  },
  // A browser does not say why a socket was refused; the session may be over.
  onRefused: () => void queries.fetchQuery({ ...meQuery(), staleTime: 0 }).catch(() => {}),
});
document.addEventListener('visibilitychange', () => client.setHidden(document.hidden));

const router = createAppRouter(queries);

whenSignedOut(() => {
  const { pathname, search } = router.state.location;
  if (pathname === '/signin' || pathname === '/kiosk') return;
  queries.clear();
  if ('kiosk' in search && search.kiosk) {
    void router.navigate({ to: '/kiosk', replace: true });
    return;
  }
  void router.navigate({ to: '/signin', search: { next: router.state.location.href }, replace: true });
});

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={resolver} defaultColorScheme="auto">
      <I18n>
        <QueryClientProvider client={queries}>
          <LiveProvider value={{ store, client }}>
            <RouterProvider router={router} />
          </LiveProvider>
        </QueryClientProvider>
      </I18n>
    </MantineProvider>
  </StrictMode>,
);
