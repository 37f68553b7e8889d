import { Button, Menu } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useRef, useState } from 'react';
import { api, ok } from '../../api/client';
import { pinsQuery, siteQuery, sitesQuery, stationsQuery } from '../../api/queries';
import type { Pin, Site } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useToast } from '../../ui/toast';
import { Board } from './board';
import { freePlace, placePin, samePins } from './pins';
import styles from './plan.module.css';
import { prepare, sendPlan, TAKES, Unreadable } from './upload';

/** The plan or photo of the site, with its stations where they stand. */
export function PlanPanel({ site }: { site: Site }) {
  const t = useT();
  const queries = useQueryClient();
  const toast = useToast();
  const mayWrite = useAllowed('sites.write');
  const picker = useRef<HTMLInputElement>(null);
  const [draft, setDraft] = useState<Pin[] | null>(null);
  const [removing, setRemoving] = useState(false);
  const {
    data: pins,
    error,
    refetch,
  } = useQuery({ ...pinsQuery(site.id), enabled: site.plan !== undefined });
  const { data: known } = useQuery(stationsQuery());
  const here = useMemo(
    () => (known ?? []).filter((d) => d.siteId === site.id).map((d) => ({ id: d.id, label: d.label })),
    [known, site.id],
  );
  const again = () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: siteQuery(site.id).queryKey }),
      queries.invalidateQueries({ queryKey: sitesQuery().queryKey }),
    ]);
  const upload = useMutation({
    mutationFn: async (file: File) => sendPlan(site.id, await prepare(file)),
    onSuccess: again,
  });
  const save = useMutation({
    mutationFn: (items: Pin[]) =>
      ok(api.PUT('/sites/{site}/plan/pins', { params: { path: { site: site.id } }, body: { items } })),
    onSuccess: (answer) => queries.setQueryData(pinsQuery(site.id).queryKey, answer.items),
  });
  const remove = useMutation({
    mutationFn: () => ok(api.DELETE('/sites/{site}/plan', { params: { path: { site: site.id } } })),
    onSuccess: async () => {
      setRemoving(false);
      setDraft(null);
      await again();
    },
  });
  const done = () => {
    const before = pins ?? [];
    const next = draft ?? [];
    setDraft(null);
    if (samePins(before, next)) return;
    save.mutate(next, {
      onSuccess: () => toast({ text: t('plan.saved'), tone: 'good', undo: () => save.mutate(before) }),
      onError: () => setDraft(next),
    });
  };
  const shown = draft ?? pins ?? [];
  const missing = here.filter((s) => !shown.some((p) => p.station === s.id));
  const choose = (
    <input
      ref={picker}
      type="file"
      accept={TAKES}
      hidden
      onChange={(e) => {
        const file = e.currentTarget.files?.[0];
        e.currentTarget.value = '';
        if (file) upload.mutate(file);
      }}
    />
  );
  const uploadFault =
    upload.error instanceof Unreadable ? (
      <p className={styles.fault} role="alert">
        <Icon name="warn" size={16} /> {t('plan.unreadable')}
      </p>
    ) : (
      <FormFault what={t('plan.failed')} error={upload.error} />
    );
  return (
    <Panel
      title={t('plan.title')}
      flush
      aside={
        site.plan && mayWrite ? (
          draft ? (
            <>
              <Button size="compact-xs" variant="default" onClick={() => setDraft(null)}>
                {t('action.cancel')}
              </Button>
              <Button size="compact-xs" onClick={done} loading={save.isPending}>
                {t('plan.save')}
              </Button>
            </>
          ) : (
            <>
              <Button
                size="compact-xs"
                variant="default"
                onClick={() => setDraft(pins ?? [])}
                disabled={!pins}
              >
                {t('plan.place')}
              </Button>
              <Menu position="bottom-end">
                <Menu.Target>
                  <Button size="compact-xs" variant="subtle" color="gray" aria-label={t('plan.more')}>
                    <Icon name="more" size={16} />
                  </Button>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item onClick={() => picker.current?.click()}>{t('plan.replace')}</Menu.Item>
                  <Menu.Item onClick={() => setRemoving(true)}>{t('plan.remove')}</Menu.Item>
                </Menu.Dropdown>
              </Menu>
            </>
          )
        ) : undefined
      }
    >
      {mayWrite && choose}
      {removing && (
        <div className={styles.confirm} role="alertdialog" aria-label={t('plan.remove')}>
          <p>{t('plan.removeEffect', { n: shown.length })}</p>
          <Button size="xs" variant="default" onClick={() => setRemoving(false)}>
            {t('action.cancel')}
          </Button>
          <Button size="xs" color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
            {t('plan.remove')}
          </Button>
        </div>
      )}
      {site.plan === undefined ? (
        <Empty
          title={t('plan.none')}
          action={
            mayWrite ? (
              <Button
                variant="default"
                leftSection={<Icon name="upload" size={14} />}
                loading={upload.isPending}
                onClick={() => picker.current?.click()}
              >
                {t('plan.upload')}
              </Button>
            ) : undefined
          }
        >
          <p>{t('plan.noneText')}</p>
        </Empty>
      ) : error && !pins ? (
        <Failed what={t('plan.pins')} error={error} retry={() => void refetch()} />
      ) : !pins ? (
        <Skeleton rows={5} />
      ) : (
        <>
          {draft && <p className={styles.help}>{t('plan.help')}</p>}
          <Board
            site={site}
            plan={site.plan}
            pins={shown}
            stations={here}
            change={draft ? setDraft : undefined}
          />
          {draft
            ? missing.length > 0 && (
                <div className={styles.tray}>
                  <p className="meta">{t('plan.tray')}</p>
                  <ul>
                    {missing.map((s) => (
                      <li key={s.id}>
                        <Button
                          size="compact-xs"
                          variant="default"
                          leftSection={<Icon name="plus" size={12} />}
                          onClick={() => {
                            const at = freePlace(draft);
                            setDraft(placePin(draft, s.id, at.x, at.y));
                          }}
                        >
                          <span className="mono">{s.id}</span>
                        </Button>
                      </li>
                    ))}
                  </ul>
                </div>
              )
            : missing.length > 0 && (
                <p className={`${styles.missing} meta`}>{t('plan.missing', { n: missing.length })}</p>
              )}
        </>
      )}
      {upload.error && <div className={styles.faults}>{uploadFault}</div>}
      {(save.error || remove.error) && (
        <div className={styles.faults}>
          <FormFault
            what={save.error ? t('plan.notSaved') : t('plan.notRemoved')}
            error={save.error ?? remove.error}
          />
        </div>
      )}
    </Panel>
  );
}
