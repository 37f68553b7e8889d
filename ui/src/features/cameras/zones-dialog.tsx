import { Button, Modal, MultiSelect, SegmentedControl, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { useToast } from '../../ui/toast';
import settings from '../settings/settings.module.css';
import styles from './cameras.module.css';
import { Canvas } from './canvas';
import { type CameraSetup, portsQuery, type Zone } from './queries';
import { cornersOf, freshZone, KINDS, type Kind, MOST_ZONES, sameZones } from './zones';

/** The parts of a camera's picture: what is watched, what is left out, what is private. */
export function ZonesDialog({
  of,
  close,
  changed,
}: {
  of: CameraSetup;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const toast = useToast();
  const before = of.zones;
  const [zones, setZones] = useState<Zone[]>(() => structuredClone(before) as Zone[]);
  const [chosen, setChosen] = useState(0);
  const [picture, setPicture] = useState(0);
  const { data: ports } = useQuery(portsQuery(of.siteId));
  const save = useMutation({
    mutationFn: (list: Zone[]) =>
      ok(
        api.PATCH('/cameras/{camera}', {
          params: { path: { camera: of.id } },
          body: { zones: list },
        }),
      ),
  });
  const set = (i: number, part: Partial<Zone>) =>
    setZones(zones.map((z, n) => (n === i ? { ...z, ...part } : z)));
  const name = of.label || of.id;
  const title = (z: Zone, i: number) => z.label || t(`cameras.zoneOf.${z.kind as Kind}`, { n: i + 1 });
  const zone = zones[chosen];
  const done = () => {
    if (sameZones(before, zones)) return close();
    save.mutate(zones, {
      onSuccess: async () => {
        await changed();
        toast({
          text: t('cameras.zonesSaved', { name }),
          tone: 'good',
          undo: () => save.mutate(before as Zone[], { onSuccess: () => void changed() }),
        });
        close();
      },
    });
  };
  return (
    <Modal
      opened
      onClose={close}
      title={t('cameras.zonesTitle', { name })}
      size={1080}
      closeOnClickOutside={sameZones(before, zones)}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <div className={styles.editor}>
        <div>
          <Canvas
            camera={of.id}
            picture={picture}
            zones={zones.map((z, i) => ({ kind: z.kind as Kind, corners: cornersOf(z), name: title(z, i) }))}
            chosen={chosen}
            choose={setChosen}
            change={(i, corners) => set(i, { polygon: corners })}
          />
          <div className={styles.hint}>
            <p className={`meta ${styles.note}`}>{t('cameras.zonesHint')}</p>
            <Button
              size="compact-sm"
              variant="subtle"
              color="gray"
              leftSection={<Icon name="retry" size={14} />}
              onClick={() => setPicture(picture + 1)}
            >
              {t('cameras.pictureAgain')}
            </Button>
          </div>
        </div>
        <div className={styles.side}>
          {zones.length === 0 ? (
            <p className={settings.lead}>{t('cameras.zonesNone')}</p>
          ) : (
            <ul className={styles.zones} aria-label={t('cameras.zones')}>
              {zones.map((z, i) => (
                <li key={z.id ?? `new-${i}`}>
                  <button
                    type="button"
                    className={styles.zone}
                    aria-pressed={i === chosen}
                    onClick={() => setChosen(i)}
                  >
                    <span className={styles.swatch} data-kind={z.kind} aria-hidden="true" />
                    <span>{title(z, i)}</span>
                    <span className="meta">{t(`cameras.kind.${z.kind as Kind}`)}</span>
                  </button>
                </li>
              ))}
            </ul>
          )}
          {zones.length < MOST_ZONES && (
            <Button
              variant="default"
              leftSection={<Icon name="plus" size={14} />}
              onClick={() => {
                setZones([...zones, freshZone(zones, 'watch')]);
                setChosen(zones.length);
              }}
            >
              {t('cameras.zoneAdd')}
            </Button>
          )}
          {zone && (
            <fieldset className={settings.fieldset} key={zone.id ?? chosen}>
              <legend>{title(zone, chosen)}</legend>
              <SegmentedControl
                aria-label={t('cameras.kind')}
                data={KINDS.map((k) => ({ value: k, label: t(`cameras.kind.${k}`) }))}
                value={zone.kind}
                onChange={(k) => set(chosen, { kind: k as Kind })}
                fullWidth
              />
              <p className={`meta ${styles.note}`}>{t(`cameras.kindHint.${zone.kind as Kind}`)}</p>
              <TextInput
                label={t('cameras.zoneName')}
                value={zone.label ?? ''}
                onChange={(e) => set(chosen, { label: e.currentTarget.value })}
                maxLength={200}
              />
              {zone.kind === 'watch' && (
                <MultiSelect
                  label={t('cameras.zonePorts')}
                  description={t('cameras.zonePortsHint')}
                  data={(ports ?? []).map((p) => ({
                    value: p.value,
                    label: t('cameras.port', { station: p.station, n: p.evse }),
                  }))}
                  value={zone.evses ?? []}
                  onChange={(evses) => set(chosen, { evses })}
                  nothingFoundMessage={t('cameras.noPorts')}
                  searchable
                  clearable
                  clearButtonProps={{ 'aria-label': t('filter.clear') }}
                />
              )}
              <Button
                variant="subtle"
                color="gray"
                leftSection={<Icon name="trash" size={14} />}
                style={{ alignSelf: 'flex-start' }}
                onClick={() => {
                  setZones(zones.filter((_, n) => n !== chosen));
                  setChosen(Math.max(0, chosen - 1));
                }}
              >
                {t('cameras.zoneRemove')}
              </Button>
            </fieldset>
          )}
          <FormFault what={t('cameras.zonesNotSaved')} error={save.error} />
          <div className={form.actions}>
            <Button variant="default" onClick={close}>
              {t('action.cancel')}
            </Button>
            <Button onClick={done} loading={save.isPending}>
              {t('cameras.zonesSave')}
            </Button>
          </div>
        </div>
      </div>
    </Modal>
  );
}
