import type { components } from '../../api/gen';
import { useT } from '../../i18n/i18n';
import { Once } from '../settings/dialog';

/** What another system and this server sign with, and where it tells what happens. */
export function BridgeSecret({ made }: { made: components['schemas']['ControllerSecretOutputBody'] }) {
  const t = useT();
  return (
    <>
      <Once what={t('doors.eventsWhat')} value={location.origin + made.events} note="" />
      <Once what={t('doors.secretWhat')} value={made.secret} note={t('doors.secretOnce')} />
    </>
  );
}
