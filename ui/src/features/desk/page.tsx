import { getRouteApi } from '@tanstack/react-router';
import { useCallback, useEffect, useRef } from 'react';
import type { Found } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { Empty, Panel } from '../../ui/panel';
import { TokenTries } from './attempts';
import styles from './desk.module.css';
import { Find } from './find';
import { PortDesk } from './port';
import { parsePort } from './search';

const route = getRouteApi('/inside/desk');

/** For the one who takes calls: what the caller reads out leads to the port, and the port says what to tell. */
export default function DeskPage() {
  const t = useT();
  const { evse, token, q } = route.useSearch();
  const navigate = route.useNavigate();
  const result = useRef<HTMLDivElement>(null);
  const chosen = useRef(false);
  const choose = useCallback(
    (f: Found) => {
      chosen.current = true;
      if (f.kind === 'token')
        void navigate({ search: (s) => ({ ...s, q: undefined, evse: undefined, token: f.id }) });
      else if (f.kind === 'site') void navigate({ to: '/stations', search: { site: f.id } });
      else {
        const port = `${f.station}/${f.evse || 1}`;
        void navigate({ search: (s) => ({ ...s, q: undefined, token: undefined, evse: port }) });
      }
    },
    [navigate],
  );
  const port = parsePort(evse);
  // Whoever chose by keyboard goes on from the answer, not from the top of the page.
  useEffect(() => {
    if (chosen.current && (evse || token)) {
      chosen.current = false;
      result.current?.focus();
    }
  }, [evse, token]);
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <h1 className={styles.title}>{t('nav.desk')}</h1>
        <Find
          initial={q ?? ''}
          keep={(text) => void navigate({ search: (s) => ({ ...s, q: text || undefined }), replace: true })}
          choose={choose}
          autoFocus={!port && !token}
        />
      </header>
      <div ref={result} tabIndex={-1} className={styles.result}>
        {port ? (
          <PortDesk key={evse} station={port.station} evse={port.evse} />
        ) : token ? (
          <TokenTries token={token} />
        ) : (
          <Panel flush>
            <Empty title={t('desk.empty')}>
              <p>{t('desk.emptyText')}</p>
            </Empty>
          </Panel>
        )}
      </div>
    </div>
  );
}
