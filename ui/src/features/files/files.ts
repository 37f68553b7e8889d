import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import { FIRMWARE_IMAGES as IMAGES, firmwareImagesQuery as imagesQuery } from '../../api/queries';
import type { MessageKey } from '../../i18n/i18n';

export { IMAGES, imagesQuery };

type Schemas = components['schemas'];
export type StationFile = Schemas['StationFileShape'];
export type Image = Schemas['FirmwareImageShape'];

export const filesQuery = (station: string) =>
  queryOptions({
    queryKey: ['station-files', station],
    queryFn: async ({ signal }) =>
      (await ok(api.GET('/stations/{station}/files', { params: { path: { station } }, signal }))).items,
    refetchInterval: (query) => (query.state.data?.some((f) => !f.over) ? 2_000 : 30_000),
  });

/** Whether an image is for a station of that vendor and model. */
export const fits = (x: Image, vendor: string, model: string): boolean =>
  (x.vendor === '' || x.vendor.toLowerCase() === vendor.toLowerCase()) &&
  model.toLowerCase().startsWith(x.model.toLowerCase());

export const stateWord = (f: StationFile): MessageKey => `files.state.${f.state}` as MessageKey;

/** Good and bad ends; the rest is under way. */
export const tone = (f: StationFile): 'good' | 'bad' | 'open' | 'none' => {
  if (f.state === 'received' || f.state === 'updated') return 'good';
  if (f.state === 'cancelled') return 'none';
  return f.over ? 'bad' : 'open';
};

export const contentPath = (f: StationFile): string =>
  `/api/v1/stations/${encodeURIComponent(f.station)}/files/${f.id}/content`;

export type NewImage = { file: File; version: string; vendor: string; model: string; notes: string };

/** Puts an image into the library. */
export async function addImage(x: NewImage): Promise<Image> {
  const query = new URLSearchParams({
    name: x.file.name,
    version: x.version,
    vendor: x.vendor,
    model: x.model,
    notes: x.notes,
  });
  return ok<Image>(
    fetch(`/api/v1/firmware/images?${query}`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/octet-stream',
        'Accept-Language': document.documentElement.lang || 'en',
      },
      body: x.file,
    }).then(async (response) => {
      const data = await response.json();
      return { response, data, error: response.ok ? undefined : data };
    }),
  );
}
