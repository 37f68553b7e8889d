import { Button, Group } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import type { Site } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { Panel } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import { Effect, FormDialog, Once } from '../settings/dialog';
import settings from '../settings/settings.module.css';
import styles from './cameras.module.css';
import type { CameraSetup } from './queries';

type Open = { act: 'make' | 'drop'; site: string };

/** One secret for all cameras of a site, for a system that looks at many of them. */
export function SecretsPanel({
  cameras,
  sites,
}: {
  cameras: readonly CameraSetup[] | undefined;
  sites: readonly Site[] | undefined;
}) {
  const t = useT();
  const queries = useQueryClient();
  const [open, setOpen] = useState<Open | null>(null);
  const ids = [...new Set((cameras ?? []).map((c) => c.siteId))].filter(Boolean).sort();
  if (ids.length === 0) return null;
  const nameOf = (id: string) => sites?.find((s) => s.id === id)?.name || id;
  const of = (id: string) => (cameras ?? []).filter((c) => c.siteId === id);
  const close = () => setOpen(null);
  const changed = () => queries.invalidateQueries({ queryKey: ['cameras'] });
  const name = open ? nameOf(open.site) : '';
  return (
    <Panel title={t('cameras.secrets')} flush>
      <TableFrame label={t('cameras.secrets')}>
        <thead>
          <tr>
            <th scope="col">{t('cameras.site')}</th>
            <th scope="col">{t('cameras.secretState')}</th>
            <th scope="col" className={settings.acts}>
              <span className="srOnly">{t('cameras.secretMake')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {ids.map((id) => {
            const all = of(id);
            const own = all.filter((c) => c.labelSecret === 'camera').length;
            const has = all.some((c) => c.labelSecret === 'site');
            return (
              <tr key={id}>
                <th scope="row">{nameOf(id)}</th>
                <td>
                  {has ? (
                    t('cameras.secretOfSite')
                  ) : (
                    <span className={settings.off}>{t('cameras.secretNone')}</span>
                  )}
                  {own > 0 && (
                    <span className={`meta ${styles.below}`}>{t('cameras.secretOwn', { n: own })}</span>
                  )}
                </td>
                <td className={styles.button}>
                  <Group gap={4} wrap="nowrap" justify="flex-end">
                    <Button
                      size="compact-sm"
                      variant="default"
                      aria-label={t('cameras.secretFor', { name: nameOf(id) })}
                      onClick={() => setOpen({ act: 'make', site: id })}
                    >
                      {t(has ? 'cameras.secretAgain' : 'cameras.secretMake')}
                    </Button>
                    {has && (
                      <Button
                        size="compact-sm"
                        variant="subtle"
                        color="gray"
                        aria-label={t('cameras.secretDropOf', { name: nameOf(id) })}
                        onClick={() => setOpen({ act: 'drop', site: id })}
                      >
                        {t('cameras.secretDrop')}
                      </Button>
                    )}
                  </Group>
                </td>
              </tr>
            );
          })}
        </tbody>
      </TableFrame>
      {open?.act === 'make' && (
        <FormDialog
          title={t('cameras.secretTitle', { name })}
          close={close}
          send={() => ok(api.POST('/sites/{site}/labels/secret', { params: { path: { site: open.site } } }))}
          sent={changed}
          action={t(
            of(open.site).some((c) => c.labelSecret === 'site')
              ? 'cameras.secretAgain'
              : 'cameras.secretMake',
          )}
          failed={t('cameras.secretFailed')}
          once={(a) => (
            <>
              <Once what={t('cameras.secretIs')} value={a.secret} note={t('cameras.secretOnce')} />
              <Once what={t('cameras.secretUrl')} value={a.url} note={t('cameras.secretSiteUrlNote')} />
            </>
          )}
        >
          <Effect>{t('cameras.secretSiteText')}</Effect>
          <Effect>{t('cameras.secretSiteVoid')}</Effect>
        </FormDialog>
      )}
      {open?.act === 'drop' && (
        <FormDialog
          title={t('cameras.secretDropTitle', { name })}
          close={close}
          send={() =>
            ok(api.DELETE('/sites/{site}/labels/secret', { params: { path: { site: open.site } } }))
          }
          sent={changed}
          action={t('cameras.secretDrop')}
          failed={t('cameras.secretDropFailed')}
          grave
        >
          <Effect>{t('cameras.secretDropText')}</Effect>
        </FormDialog>
      )}
    </Panel>
  );
}
