import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useT } from '../../i18n/i18n';
import { Empty, Panel } from '../../ui/panel';
import { StationAddress } from './address';
import { Refused } from './pending';

/** The page before the first station: what to do, and what already knocked. */
export function FirstStation({ pending }: { pending: number }) {
  const t = useT();
  return (
    <>
      <Panel flush>
        <Empty
          title={t('first.title')}
          action={
            <>
              <Button component={Link} to="/welcome" variant="filled">
                {t('first.setUp')}
              </Button>
              <StationAddress />
            </>
          }
        >
          <p>{t('first.text')}</p>
          {pending > 0 && (
            <Button component={Link} to="/stations" search={{ tab: 'pending' } as never} variant="filled">
              {t('first.pending', { n: pending })}
            </Button>
          )}
        </Empty>
      </Panel>
      <Panel title={t('refused.title')} flush>
        <Refused />
      </Panel>
    </>
  );
}
