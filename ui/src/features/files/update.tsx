import { Checkbox, Select } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import type { StationDetail } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { Effect, FormDialog, faultAt } from '../settings/dialog';
import { filesQuery, fits, imagesQuery } from './files';

/** Has a station fetch and install an image of the library. */
export function UpdateDialog({ station, close }: { station: StationDetail; close: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const { data } = useQuery(imagesQuery());
  const [image, setImage] = useState<string | null>(null);
  const [unsigned, setUnsigned] = useState(false);
  const choices = (data ?? []).filter((x) => fits(x, station.vendor, station.model));
  const chosen = choices.find((x) => x.id === image);
  const charging = station.evses.some((e) => e.sessionId !== null);
  return (
    <FormDialog
      title={t('files.updateTitle', { id: station.id })}
      close={close}
      send={() =>
        ok(
          api.POST('/stations/{station}/firmware', {
            params: { path: { station: station.id } },
            body: { imageId: image ?? '', ...(unsigned ? { unsigned } : {}) },
          }),
        )
      }
      sent={() => queries.invalidateQueries({ queryKey: filesQuery(station.id).queryKey })}
      action={t('files.update')}
      failed={t('files.notAsked')}
      ready={chosen !== undefined}
    >
      {(error) => (
        <>
          <Select
            label={t('files.image')}
            description={data && choices.length === 0 ? t('files.noImage') : undefined}
            data={choices.map((x) => ({ value: x.id, label: `${x.version} · ${x.name}` }))}
            value={image}
            onChange={setImage}
            error={faultAt(error, 'imageId') ?? faultAt(error, 'image')}
            required
            data-autofocus
          />
          {chosen?.signed && (
            <Checkbox
              label={t('files.unsigned')}
              checked={unsigned}
              onChange={(e) => setUnsigned(e.currentTarget.checked)}
            />
          )}
          <Effect>{t(charging ? 'files.effectCharging' : 'files.effect')}</Effect>
        </>
      )}
    </FormDialog>
  );
}
