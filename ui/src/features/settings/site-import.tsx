import { Switch } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { ImportDialog } from './import';

const example = `id,name,address,latitude,longitude,timeZone,openingHours,gridLimitW,freeVend,public
ham-1,Harbour,"Kai 1, Hamburg",53.5438,9.9665,Europe/Berlin,24/7,250000,no,yes`;

export function SiteImport({ close, changed }: { close: () => void; changed: () => unknown }) {
  const t = useT();
  const [update, setUpdate] = useState(false);
  return (
    <ImportDialog
      title={t('site.import')}
      hint={t('site.importHint')}
      example={example}
      close={close}
      send={(csv, dryRun) =>
        ok(
          api.POST('/sites/import', {
            params: { query: { dryRun, update } },
            body: csv,
            bodySerializer: (b: unknown) => b as string,
            headers: { 'Content-Type': 'text/csv' },
          }),
        )
      }
      taken={changed}
      options={
        <Switch
          label={t('site.update')}
          description={t('site.updateHint')}
          checked={update}
          onChange={(e) => setUpdate(e.currentTarget.checked)}
        />
      }
    />
  );
}
