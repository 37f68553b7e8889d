import { Button, Select, Textarea } from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT, useTag } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { Canvas } from '../cameras/canvas';
import { type Corner, cornersOf, freshZone, MOST_ZONES } from '../cameras/zones';
import { Effect, FormDialog, faultAt } from '../settings/dialog';
import styles from './evidence.module.css';
import type { Pack } from './queries';

type Areas = Record<string, Corner[][]>;

/** Draws what a second pack hides. */
export function HideDialog({
  pack,
  close,
  made,
}: {
  pack: Pack;
  close: () => void;
  made: (id: string) => unknown;
}) {
  const t = useT();
  const tag = useTag();
  const [camera, setCamera] = useState(pack.cameras[0]?.id ?? '');
  const [areas, setAreas] = useState<Areas>({});
  const [chosen, setChosen] = useState(0);
  const [reason, setReason] = useState('');
  const [moment, setMoment] = useState(0.5);
  const [from, to] = [Date.parse(pack.from), Date.parse(pack.to)];
  const at = new Date(from + (to - from) * moment).toISOString();
  const own = areas[camera] ?? [];
  const put = (list: Corner[][]) => setAreas({ ...areas, [camera]: list });
  const name = (i: number) => t('evidence.area', { n: i + 1 });
  return (
    <FormDialog<Pack>
      title={t('evidence.hide')}
      close={close}
      send={() =>
        ok(
          api.POST('/evidence/{id}/hidden', {
            params: { path: { id: pack.id } },
            body: {
              reason: reason.trim(),
              language: tag.startsWith('de') ? 'de' : 'en',
              areas: Object.entries(areas).flatMap(([id, list]) =>
                list.map((polygon) => ({ camera: id, polygon })),
              ),
            },
          }),
        )
      }
      sent={(x) => made(x.id)}
      action={t('evidence.makeHidden')}
      failed={t('evidence.notHidden')}
      ready={reason.trim().length >= 3}
      reauth
    >
      {(error) => (
        <>
          <Effect>{t('evidence.hideText')}</Effect>
          {pack.cameras.length > 1 && (
            <Select
              label={t('evidence.camera')}
              data={pack.cameras.map((c) => ({ value: c.id, label: c.label || c.id }))}
              value={camera}
              onChange={(v) => {
                if (!v) return;
                setCamera(v);
                setChosen(0);
              }}
              allowDeselect={false}
            />
          )}
          <div>
            <Canvas
              camera={camera}
              picture={0}
              of={`/api/v1/cameras/${encodeURIComponent(camera)}/playback/picture.jpg?at=${encodeURIComponent(at)}`}
              zones={own.map((corners, i) => ({ kind: 'privacy', corners, name: name(i) }))}
              chosen={chosen}
              choose={setChosen}
              change={(i, corners) => put(own.map((c, n) => (n === i ? corners : c)))}
            />
            <div className={styles.tools}>
              {own.length < MOST_ZONES && (
                <Button
                  size="compact-sm"
                  variant="default"
                  leftSection={<Icon name="plus" size={14} />}
                  onClick={() => {
                    const zone = freshZone(
                      own.map((polygon) => ({ kind: 'privacy' as const, polygon })),
                      'privacy',
                    );
                    put([...own, cornersOf(zone)]);
                    setChosen(own.length);
                  }}
                >
                  {t('evidence.areaAdd')}
                </Button>
              )}
              {own[chosen] && (
                <Button
                  size="compact-sm"
                  variant="default"
                  leftSection={<Icon name="trash" size={14} />}
                  onClick={() => {
                    put(own.filter((_, n) => n !== chosen));
                    setChosen(Math.max(0, chosen - 1));
                  }}
                >
                  {t('evidence.areaDrop', { name: name(chosen) })}
                </Button>
              )}
              <Button
                size="compact-sm"
                variant="subtle"
                color="gray"
                onClick={() => setMoment((m) => (m >= 0.95 ? 0.05 : Math.min(0.95, m + 0.15)))}
              >
                {t('evidence.otherPicture')}
              </Button>
            </div>
            <p className="meta">{t('evidence.hideHint')}</p>
          </div>
          <Textarea
            label={t('evidence.reason')}
            value={reason}
            onChange={(e) => setReason(e.currentTarget.value)}
            error={faultAt(error, 'reason') ?? faultAt(error, 'areas')}
            minLength={3}
            maxLength={500}
            autosize
            minRows={2}
            required
          />
        </>
      )}
    </FormDialog>
  );
}
