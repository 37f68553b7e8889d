import { ActionIcon, Tooltip } from '@mantine/core';
import { useCallback } from 'react';
import { exact, span } from '../format/time';
import { useT, useTag } from '../i18n/i18n';
import { useTicking } from '../live/clock';
import { useLiveStatus } from '../live/hooks';
import { STALE_AFTER } from '../live/socket';
import { Icon } from '../ui/icons';
import { QuietBoundary } from '../ui/panel';
import connection from './connection.module.css';
import { LanguageMenu, SimulatedMark, ThemeMenu, UserMenu } from './menus';
import styles from './shell.module.css';

/** The end of the bar: what the page shows, help and menus. They float, and what floats is heavy. */
export default function BarEnd({ help, changePassword }: { help: () => void; changePassword: () => void }) {
  const t = useT();
  return (
    <>
      <QuietBoundary>
        <SimulatedMark />
      </QuietBoundary>
      <ConnectionState />
      <Tooltip label={t('help.title')}>
        <ActionIcon
          className={styles.wideOnly}
          variant="subtle"
          color="gray"
          size={36}
          aria-label={t('help.title')}
          onClick={help}
        >
          <Icon name="help" />
        </ActionIcon>
      </Tooltip>
      <span className={styles.wideMenus}>
        <ThemeMenu />
        <LanguageMenu />
        <UserMenu changePassword={changePassword} />
      </span>
    </>
  );
}

/** Whether what is on screen is live, and how old it is. Always in sight. */
function ConnectionState() {
  const t = useT();
  const tag = useTag();
  const { phase, lastFrameAt } = useLiveStatus();
  const live = phase === 'live';
  const text = useTicking(
    useCallback(() => {
      if (lastFrameAt === 0) return t('live.connecting');
      const old = Date.now() - lastFrameAt;
      if (live && old < STALE_AFTER) return t('live.live');
      return t('live.old', { age: span(old) });
    }, [t, live, lastFrameAt]),
  );
  return (
    <Tooltip label={lastFrameAt ? t('live.shownFrom', { at: exact(tag, lastFrameAt) }) : t('live.none')}>
      <span className={connection.state} data-live={live} role="status" aria-live="off">
        <span className={connection.dot} aria-hidden="true" />
        <span className={`num ${connection.text}`}>{text}</span>
      </span>
    </Tooltip>
  );
}
